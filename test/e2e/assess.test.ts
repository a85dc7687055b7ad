import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Assessment, CheckStatus } from "../../src/assess/assessment.ts";
import { CHECKS } from "../../src/assess/checks.ts";
import { UNBUILT_PARTS } from "../../src/assess/unbuilt-part.ts";
import {
  assessWith,
  cseIn,
  expectExplained,
  makeHomeOfUser,
  readReports,
  rowOf,
  statusesOf,
  notesOf,
} from "../helpers/assess-run.ts";
import { readJson, writeUserFile } from "../helpers/cli.ts";
import { GATEWAY_PORT, makeHardenedHost } from "../helpers/hardened-host.ts";
import { SECRET_CANARY } from "../helpers/homes.ts";
import { itOnOwnHost, makeOwnHost } from "../helpers/own-host.ts";

/** The gid of `disk`, whose members can write any file. */
const DISK_GROUP = "6";
const NOT_SEEN_HERE = new Set([
  "egress_connections_approved",
  "update_hygiene",
  "elevation_timeout_30m",
  "audit_logging_privileged_actions",
  // No owner accepted the config, no service manager started the gateway, and OpenClaw itself is not there to be asked.
  "config_baseline_intact",
  "gateway_service_hardened",
  "native_audit_clean",
  "plaintext_secrets_absent",
  "host_firewall_active",
  "host_patching_current",
  "disk_encryption_enabled",
  "time_sync_enabled",
]);
const TIMEOUT_STATUS: CheckStatus = existsSync("/usr/bin/sudo") ? "not_assessed" : "partial";
const ALL_IDS = CHECKS.map(({ meta }) => meta.check_id);

/** What a home alone decides, whatever else runs on the machine. */
const BY_CONFIG: readonly (readonly [id: string, weak: CheckStatus, hardened: CheckStatus])[] = [
  ["privilege_approval_required", "violation", "not_assessed"],
  ["channel_allowlist_configured", "violation", "compliant"],
  ["group_mentions_required", "violation", "compliant"],
  ["secrets_permissions_hardened", "violation", "compliant"],
  ["runtime_privilege_hook_installed", "violation", "violation"],
  ["prompt_injection_controls", "violation", "not_assessed"],
  ["session_boundary_enforced", "partial", "partial"],
  ["multi_factor_approval", "not_assessed", "not_assessed"],
  ["gateway_auth_strong", "violation", "compliant"],
  ["exec_sandboxed", "violation", "compliant"],
  ["elevated_mode_restricted", "violation", "compliant"],
  ["plaintext_secrets_absent", "violation", "not_assessed"],
  ["dangerous_flags_disabled", "violation", "compliant"],
  ["plugin_supply_chain", "not_applicable", "not_applicable"],
  ["mcp_servers_approved", "not_applicable", "not_applicable"],
  ["node_pairing_controlled", "not_applicable", "not_applicable"],
  ["webhook_ingress_hardened", "not_applicable", "not_applicable"],
  ["control_plane_tools_restricted", "violation", "compliant"],
  ["agent_activity_ledger_enabled", "violation", "compliant"],
  ["audit_log_forwarded", "not_assessed", "not_assessed"],
  ["session_retention_enforced", "compliant", "compliant"],
  ["telemetry_content_capture_off", "compliant", "compliant"],
  ["config_baseline_intact", "not_assessed", "not_assessed"],
  // OpenClaw is not installed on the test's host, so it cannot be asked.
  ["native_audit_clean", "not_assessed", "not_assessed"],
  ["audit_suppressions_reviewed", "not_applicable", "not_applicable"],
  ["standing_grants_bounded", "not_applicable", "not_applicable"],
  ["gateway_service_hardened", "not_assessed", "not_assessed"],
  ["synced_or_shared_state_absent", "compliant", "compliant"],
];

/** What the machine that runs the tests decides: not the same everywhere. */
const BY_MACHINE: ReadonlySet<string> = new Set([
  "host_firewall_active",
  "host_patching_current",
  "disk_encryption_enabled",
  "time_sync_enabled",
]);

function ofHome(assessment: Assessment): Readonly<Record<string, CheckStatus>> {
  return Object.fromEntries(Object.entries(statusesOf(assessment)).filter(([id]) => !BY_MACHINE.has(id)));
}

/** What besides takes a running gateway, policies, and a host where nothing else listens. */
const BY_HOST: typeof BY_CONFIG = [
  ["least_privilege_enforced", "violation", "compliant"],
  // An account without sudo rights cannot learn how long sudo remembers a password.
  ["elevation_timeout_30m", TIMEOUT_STATUS, TIMEOUT_STATUS],
  // There is no log, and sudo's own records are closed to this account.
  ["audit_logging_privileged_actions", "not_assessed", "not_assessed"],
  ["open_ports_approved", "violation", "compliant"],
  ["insecure_ports_remediated", "violation", "compliant"],
  ["gateway_loopback_only", "violation", "compliant"],
  ["alternate_privilege_paths_restricted", "violation", "compliant"],
  ["backup_configured", "violation", "partial"],
  ["backup_restore_tested", "violation", "not_assessed"],
  ["update_hygiene", "not_assessed", "not_assessed"],
  ["command_policy_enforced", "violation", "not_assessed"],
  ["egress_allowlist_configured", "violation", "not_assessed"],
  ["egress_connections_approved", "not_assessed", "not_assessed"],
];

function expected(rows: typeof BY_CONFIG, column: 1 | 2): Readonly<Record<string, CheckStatus>> {
  return Object.fromEntries(rows.map((row) => [row[0], row[column]]));
}

describe("a weak and a hardened home", () => {
  it.each([
    ["weak", 1],
    ["hardened", 2],
  ] as const)("the %s one gives its own answers, each explained", async (kind, column) => {
    const { home } = await makeHomeOfUser(kind);
    const { assessment, summary } = await assessWith(cseIn(home), join(home, "out"));
    expect(assessment.checks.map((check) => check.check_id)).toEqual(ALL_IDS);
    expect(statusesOf(assessment)).toMatchObject(expected(BY_CONFIG, column));
    expectExplained(assessment);
    // Half of the evidence needs measurements that are not made yet, so no run may call itself whole.
    expect(summary.status).toBe("incomplete");
    expect(summary.not_assessed.every(({ reason }) => reason !== "")).toBe(true);
  });

  itOnOwnHost("a weak home with its gateway open to all has a gap wherever one can be shown", async () => {
    const { home } = await makeHomeOfUser("weak");
    const host = await makeOwnHost();
    await host.startGateway({ host: "0.0.0.0", port: GATEWAY_PORT, noNewPrivs: false, groups: DISK_GROUP });
    const cse = async (args: readonly string[]) => await host.cse(args, home);
    const { assessment } = await assessWith(cse, join(home, "out"));
    expect(ofHome(assessment)).toEqual(expected([...BY_CONFIG, ...BY_HOST], 1));
    expectExplained(assessment);
  });

  itOnOwnHost(
    "a hardened home with its gateway, policies and baseline has no gap but the backup's, the plugin's and what only this package can close",
    async () => {
      const { assess } = await makeHardenedHost();
      const { assessment, summary, run } = await assess();
      expect(ofHome(assessment)).toEqual(expected([...BY_CONFIG, ...BY_HOST], 2));
      expectExplained(assessment);
      expect(notesOf(run)).toBe("");
      expect(summary.problems).toEqual([]);
      // Whatever is not assessed here is so only because of what is not measured yet, or cannot be looked at.
      for (const { check_id: id, reason } of summary.not_assessed) {
        const isUnbuilt = Object.values(UNBUILT_PARTS).some((part) =>
          reason.toLowerCase().includes(part.toLowerCase()),
        );
        const isUnseen = NOT_SEEN_HERE.has(id);
        expect([id, isUnbuilt || isUnseen]).toEqual([id, true]);
      }
    },
  );

  it("each check says where it looked, and what it saw there", async () => {
    const { home, configPath, stateDir } = await makeHomeOfUser("weak");
    const { assessment } = await assessWith(cseIn(home), join(home, "out"));
    const sources = (id: string): readonly string[] => rowOf(assessment, id).evidence.map(({ source }) => source);
    const policy = (name: string): string => join(stateDir, "security", name);
    expect(sources("channel_allowlist_configured")).toEqual([configPath]);
    expect(sources("command_policy_enforced")).toEqual([policy("command-policy.json"), configPath]);
    expect(sources("prompt_injection_controls")).toEqual([configPath, policy("prompt-policy.json")]);
    expect(sources("secrets_permissions_hardened")).toEqual([`modes and owners below ${stateDir}`]);
    expect(rowOf(assessment, "channel_allowlist_configured")).toMatchObject({
      observed_state: "telegram: dmPolicy open, groupPolicy open, 1 allowed sender",
      gap: "Anyone can address the agent through telegram (dmPolicy open, groupPolicy open, allowFrom *).",
    });
  });
});

const ACCOUNT_CHECKS = "least_privilege_enforced,alternate_privilege_paths_restricted";

describe("a gateway that runs as root", () => {
  itOnOwnHost("is a violation for root, and for an ordinary user who cannot see it nothing compliant", async () => {
    const { home, host, cse, stopGateway } = await makeHardenedHost();
    await stopGateway();
    await host.startGateway({ host: "127.0.0.1", port: GATEWAY_PORT, asRoot: true });
    const { assessment } = await assessWith(cse, join(home, "out"), ["--checks", ACCOUNT_CHECKS]);
    expect(statusesOf(assessment)).toEqual({
      least_privilege_enforced: "not_assessed",
      alternate_privilege_paths_restricted: "not_assessed",
    });
    expect(rowOf(assessment, "least_privilege_enforced").gap).toMatch(/^No running gateway was found, so its account/);

    const asRoot = async (args: readonly string[]) => await host.cseAsRoot(args, home);
    const byRoot = await assessWith(asRoot, join(home, "root-out"), ["--checks", ACCOUNT_CHECKS]);
    expect(statusesOf(byRoot.assessment)).toEqual({
      least_privilege_enforced: "violation",
      alternate_privilege_paths_restricted: "violation",
    });
  });
});

describe("secrets", () => {
  const PLACES = {
    gateway: {
      bind: "lan",
      auth: { mode: "token", token: SECRET_CANARY, password: `${SECRET_CANARY}-p` },
      remote: { token: SECRET_CANARY },
    },
    hooks: { enabled: true, token: SECRET_CANARY, mappings: [{ allowUnsafeExternalContent: true }] },
    proxy: { proxyUrl: `http://user:${SECRET_CANARY}@127.0.0.1:3128/${SECRET_CANARY}?t=${SECRET_CANARY}` },
    env: { vars: { OPENAI_API_KEY: SECRET_CANARY, PROXY_PASSWORD: SECRET_CANARY } },
    channels: {
      telegram: { botToken: `1:${SECRET_CANARY}`, webhookSecret: SECRET_CANARY, dmPolicy: "open" },
      slack: { appToken: SECRET_CANARY, botToken: SECRET_CANARY, signingSecret: SECRET_CANARY },
    },
    models: { providers: { one: { apiKey: SECRET_CANARY, headers: { Authorization: SECRET_CANARY } } } },
  };

  it("of config, environment and profiles come out nowhere, whether the config can be used or not", async () => {
    const { home, stateDir, configPath } = await makeHomeOfUser("weak");
    await writeUserFile(join(stateDir, ".env"), `OPENCLAW_GATEWAY_TOKEN="${SECRET_CANARY}"\nX=${SECRET_CANARY}\n`);
    const profiles = { profiles: { one: { key: SECRET_CANARY, access: SECRET_CANARY } } };
    await writeUserFile(join(stateDir, "agents/main/agent/auth-profiles.json"), JSON.stringify(profiles));
    const env = { OPENCLAW_GATEWAY_TOKEN: SECRET_CANARY, TELEGRAM_BOT_TOKEN: SECRET_CANARY };
    const configs = [
      JSON.stringify(PLACES),
      // Broken right behind a secret, and of a wrong type in several ways.
      `{ gateway: { auth: { token: "${SECRET_CANARY}" `,
      `{ gateway: { auth: { token: ${SECRET_CANARY} } } }`,
      JSON.stringify({ gateway: { auth: { mode: SECRET_CANARY, token: [SECRET_CANARY] }, bind: SECRET_CANARY } }),
      JSON.stringify({ $include: SECRET_CANARY.replace("canary", "not-here"), gateway: { auth: SECRET_CANARY } }),
    ];
    for (const [index, config] of configs.entries()) {
      await writeUserFile(configPath, config);
      const out = join(home, `out-${index}`);
      const { run } = await assessWith(cseIn(home, env), out);
      const page = await cseIn(home, env)(["assess", "--out", out]);
      const texts = { ...(await readReports(out)), out: run.stdout, err: run.stderr, page: page.stdout + page.stderr };
      const leaks = Object.entries(texts).filter(([, text]) => text.includes(SECRET_CANARY));
      expect([index, leaks.map(([name]) => name)]).toEqual([index, []]);
      const history = await readFile(join(stateDir, "security/assessment-history.jsonl"), "utf8");
      expect(history).not.toContain(SECRET_CANARY);
    }
  });
});

describe("--fail-on", () => {
  it.each([
    ["weak", "high", 1],
    ["weak", "critical", 0],
    ["weak", "low", 1],
  ] as const)("a %s home at %s gives exit code %i, with the result printed all the same", async (kind, risk, code) => {
    const { home } = await makeHomeOfUser(kind);
    const { summary } = await assessWith(cseIn(home), join(home, "out"), ["--fail-on", risk], code);
    expect(summary.totals.open_by_risk).toMatchObject({ critical: 0 });
    expect(summary.totals.open_by_risk.high).toBeGreaterThan(0);
  });

  it("counts only gaps that were shown, not what could not be looked at", async () => {
    const { home } = await makeHomeOfUser("hardened");
    const checks = ["--checks", "privilege_approval_required,multi_factor_approval,channel_allowlist_configured"];
    const { summary } = await assessWith(cseIn(home), join(home, "out"), [...checks, "--fail-on", "low"], 0);
    expect(summary.totals.by_status).toMatchObject({ violation: 0, partial: 0, not_assessed: 2, compliant: 1 });
  });

  itOnOwnHost(
    "a hardened host passes at medium and fails at low, for its backup and what only this package can close",
    async () => {
      const { cse, home } = await makeHardenedHost();
      const out = join(home, "out");
      // What stands for the gateway there has no plugin in it.
      const left = ALL_IDS.filter((id) => !BY_MACHINE.has(id) && id !== "runtime_privilege_hook_installed");
      const checks = ["--checks", left.join(",")];
      const { summary } = await assessWith(cse, out, ["--fail-on", "medium", ...checks], 0);
      const timeout = TIMEOUT_STATUS === "partial" ? ["elevation_timeout_30m"] : [];
      expect(new Set(summary.findings.map(({ risk }) => risk))).toEqual(new Set(["low"]));
      expect(summary.findings.map(({ check_id: id }) => id).toSorted()).toEqual([
        "backup_configured",
        ...timeout,
        "session_boundary_enforced",
      ]);
      await assessWith(cse, out, ["--fail-on", "low", ...checks], 1);
    },
  );

  it("refuses a risk that does not exist, before anything is looked at", async () => {
    const { home, stateDir } = await makeHomeOfUser("weak");
    const run = await cseIn(home)(["assess", "--json", "--fail-on", "severe", "--out", join(home, "out")]);
    expect(run.exitCode).toBe(2);
    expect(JSON.parse(run.stdout)).toMatchObject({ status: "error", code: "invalid-argument" });
    await expect(readFile(join(stateDir, "security/assessment-history.jsonl"))).rejects.toThrow("ENOENT");
  });
});

describe("--checks", () => {
  it("refuses an unknown id with the known ones, and writes nothing", async () => {
    const { home } = await makeHomeOfUser("weak");
    const out = join(home, "out");
    const run = await cseIn(home)(["assess", "--json", "--out", out, "--checks", "backup_configured,backup\u001b[2J"]);
    expect(run.exitCode).toBe(3);
    const answer = JSON.parse(run.stdout) as { code: string; message: string; hint: string };
    expect(answer).toMatchObject({ status: "error", code: "unknown-check" });
    expect(answer.hint).toContain("open_ports_approved");
    expect(answer.message).not.toContain("\u001b");
    await expect(readFile(join(out, "openclaw-assessment.json"))).rejects.toThrow("ENOENT");
  });

  it.each(["", ",", " , "])("refuses an empty list (%j)", async (list) => {
    const { home } = await makeHomeOfUser("weak");
    const run = await cseIn(home)(["assess", "--json", "--out", join(home, "out"), "--checks", list]);
    expect([run.exitCode, (JSON.parse(run.stdout) as { code: string }).code]).toEqual([3, "unknown-check"]);
  });

  it("runs only those, in the order of the reports, without the scans they do not need", async () => {
    const { home } = await makeHomeOfUser("weak");
    const out = join(home, "out");
    const { assessment, summary } = await assessWith(cseIn(home), out, [
      "--checks",
      "multi_factor_approval, channel_allowlist_configured",
    ]);
    expect(assessment.checks.map((check) => check.check_id)).toEqual([
      "channel_allowlist_configured",
      "multi_factor_approval",
    ]);
    expect(assessment.limits[0]).toBe(`Only 2 of ${ALL_IDS.length} checks were run.`);
    expect(summary.network).toEqual({ listeners: null, connections: null, findings: null });
    expect(Object.keys(summary.files).toSorted()).toEqual([
      "compliance-dashboard.html",
      "compliance-summary.json",
      "openclaw-assessment.json",
    ]);
    await expect(readFile(join(out, "port-monitor-latest.json"))).rejects.toThrow("ENOENT");
  });

  it("forgets nothing about the checks that did not run", async () => {
    const { home, configPath, stateDir } = await makeHomeOfUser("weak");
    const out = join(home, "out");
    const first = await assessWith(cseIn(home), out);
    await writeUserFile(configPath, "{}");
    await assessWith(cseIn(home), out, ["--checks", "channel_allowlist_configured"]);
    const third = await assessWith(cseIn(home), out);
    // Closed and gone for the one that ran; the others kept the day they were first seen.
    expect(rowOf(third.assessment, "channel_allowlist_configured")).toMatchObject({
      status: "not_applicable",
      first_seen: null,
    });
    const before = rowOf(first.assessment, "secrets_permissions_hardened");
    expect(rowOf(third.assessment, "secrets_permissions_hardened")).toMatchObject({
      first_seen: before.first_seen,
      due_date: before.due_date,
    });
    const lines = (await readFile(join(stateDir, "security/assessment-history.jsonl"), "utf8")).trim().split("\n");
    // The first line is whole, the others hold what changed.
    const rows = lines.map((line) => (JSON.parse(line) as { checks: unknown[] }).checks.length);
    expect(rows).toEqual([first.assessment.checks.length, 1, expect.any(Number)]);
  });
});

describe("the printed summary", () => {
  it("tells the counts, what to do first, what is not known, and where the dashboard is", async () => {
    const { home } = await makeHomeOfUser("weak");
    const out = join(home, "out");
    const run = await cseIn(home)(["assess", "--out", out]);
    const summary = (await readJson(join(out, "compliance-summary.json"))) as {
      totals: { by_status: Record<string, number>; open_by_risk: Record<string, number> };
      findings: { title: string }[];
    };
    const { by_status: by, open_by_risk: open } = summary.totals;
    expect(run.stdout).toContain(`${(by["violation"] ?? 0) + (by["partial"] ?? 0)} open gaps: ${open["high"]} high`);
    expect(run.stdout).toContain(`What to do first\n\n  1. HIGH      ${summary.findings[0]?.title}`);
    expect(run.stdout).toContain(`Not assessed: ${by["not_assessed"]} checks`);
    expect(run.stdout).toContain(`Dashboard: ${join(out, "compliance-dashboard.html")}`);
    expect([run.exitCode, notesOf(run)]).toEqual([0, ""]);
  });
});
