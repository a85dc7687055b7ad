import { chmod, lchown, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../src/assess/assessment.ts";
import type { PortReport } from "../../src/core/network.ts";
import type { PortRuleRecord } from "../../src/schema/approved-ports.ts";
import { assessWith, cseIn, makeHomeOfUser, readReports, rowOf, statusesOf } from "../helpers/assess-run.ts";
import { giveToUser, listenAsUser, readJson, reportOf, writeUserFile } from "../helpers/cli.ts";
import {
  type ConfigValue,
  GATEWAY_PORT,
  type HardenedHost,
  makeHardenedHost,
  reviewAll,
  writeDatabase,
} from "../helpers/hardened-host.ts";
import { itOnOwnHost } from "../helpers/own-host.ts";
import { ordinaryUser } from "../helpers/unprivileged.ts";

/** One change to a hardened host, and what the check in question must then say. */
interface Break {
  readonly what: string;
  readonly make: (on: HardenedHost) => Promise<void>;
  readonly status: CheckStatus;
  /** In the gap. */
  readonly says: RegExp;
}

function config(what: string, change: (config: ConfigValue) => void, status: CheckStatus, says: RegExp): Break {
  return { what, make: async ({ editConfig }) => await editConfig(change), status, says };
}

function telegram(change: Readonly<Record<string, unknown>>): (config: ConfigValue) => void {
  return (value) => Object.assign(value["channels"]?.["telegram"] as object, change);
}

/** Makes agents able to run commands and write files on the host. */
function unbox(value: ConfigValue): void {
  value["agents"] = { defaults: { sandbox: { mode: "off" } } };
  value["tools"] = { profile: "coding", exec: { mode: "ask", strictInlineEval: true } };
}

const gatewayAgain =
  (wish: Parameters<HardenedHost["host"]["startGateway"]>[0]) =>
  async ({ stopGateway, host }: HardenedHost): Promise<void> => {
    await stopGateway();
    await host.startGateway(wish);
  };
const LOOPBACK = { host: "127.0.0.1", port: GATEWAY_PORT };

const rules = (change: (rule: PortRuleRecord) => object) => async (on: HardenedHost) => {
  const path = join(on.securityDir, "approved_ports.json");
  const file = (await readJson(path)) as { rules: PortRuleRecord[] };
  await writeFile(path, JSON.stringify({ ...file, rules: file.rules.map(change) }));
};

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

/** Where a file of the program must not be run: something else is mounted over it. */
function hide(program: string): (on: HardenedHost) => Promise<void> {
  return async ({ host }) => {
    host.sh(
      "for f in /usr/bin/$1 /usr/sbin/$1 /bin/$1 /sbin/$1; do if [ -e $f ]; then mount --bind /dev/null $f; fi; done",
      [program],
    );
    await Promise.resolve();
  };
}

/** Every answer that is compliant on the hardened host, with what takes each of its claims away. */
const CLAIMS: Readonly<Record<string, readonly Break[]>> = {
  channel_allowlist_configured: [
    config("direct messages open to all", telegram({ dmPolicy: "open" }), "violation", /dmPolicy open/),
    config("groups open to all", telegram({ groupPolicy: "open" }), "violation", /groupPolicy open/),
    config("a wildcard among the senders", telegram({ allowFrom: ["1", "*"] }), "violation", /allowFrom \*/),
    config(
      "a second account that is open",
      telegram({ accounts: { main: {}, guests: { botToken: "2:x", dmPolicy: "open", allowFrom: ["*"] } } }),
      "violation",
      /telegram\/guests/,
    ),
    config("senders known by name", telegram({ dangerouslyAllowNameMatching: true }), "partial", /names/),
    config(
      "a channel with rules that are not known",
      (value) => Object.assign(value["channels"] ?? {}, { carrierpigeon: { enabled: true } }),
      "not_assessed",
      /carrierpigeon has access rules/,
    ),
  ],
  group_mentions_required: [
    config(
      "a group where the agent reads along",
      telegram({ groups: { "-1001": { requireMention: false } } }),
      "partial",
      /reads along in telegram, group -1001/,
    ),
    config(
      "such a group, with an agent that can change the host",
      (value) => {
        telegram({ groups: { "-1001": { requireMention: false } } })(value);
        unbox(value);
      },
      "violation",
      /can change this host/,
    ),
  ],
  gateway_loopback_only: [
    config(
      "a bind to the network",
      (value) => Object.assign(value["gateway"] ?? {}, { bind: "lan" }),
      "partial",
      /lan/,
    ),
    config(
      "a bind to the network without authentication",
      (value) => Object.assign(value["gateway"] ?? {}, { bind: "lan", auth: { mode: "none" } }),
      "violation",
      /no authentication/,
    ),
    config(
      "a public funnel",
      (value) => Object.assign(value["gateway"] ?? {}, { tailscale: { mode: "funnel" } }),
      "violation",
      /whole internet/,
    ),
    config(
      "a token that is too short to hold",
      (value) => Object.assign(value["gateway"] ?? {}, { bind: "lan", auth: { mode: "token", token: "short" } }),
      "violation",
      /a token of 5 characters/,
    ),
    {
      what: "a gateway that listens more widely than its config says",
      make: gatewayAgain({ host: "0.0.0.0", port: GATEWAY_PORT }),
      status: "violation",
      says: /beyond loopback although its config says loopback/,
    },
    {
      what: "no gateway to be seen",
      make: async ({ stopGateway }) => await stopGateway(),
      status: "not_assessed",
      says: /nothing listens on tcp port 18789/i,
    },
  ],
  secrets_permissions_hardened: [
    {
      what: "a config everyone may read, below a folder that keeps them out",
      make: async ({ configPath }) => await chmod(configPath, 0o644),
      status: "partial",
      says: /openclaw\.json \(0644/,
    },
    {
      what: "a state folder and a session that everyone may read",
      make: async ({ stateDir }) => {
        // Behind a closed home nobody would get there.
        for (const above of [dirname(stateDir), dirname(dirname(stateDir))]) await chmod(above, 0o755);
        for (const name of ["", "agents", "agents/main", "agents/main/sessions"]) {
          await chmod(join(stateDir, name), 0o755);
        }
        await chmod(join(stateDir, "agents/main/sessions/one.jsonl"), 0o644);
      },
      status: "violation",
      says: /open to other accounts/i,
    },
    {
      what: "a file of another account",
      make: async ({ stateDir }) => {
        const path = join(stateDir, ".env");
        await lchown(path, 54_321, 54_321);
      },
      status: "violation",
      says: /\.env \(0600, uid 54321/,
    },
    {
      what: "a link that leads out",
      make: async ({ stateDir }) => {
        await symlink("/etc/hostname", join(stateDir, "credentials"));
        await giveToUser(join(stateDir, "credentials"));
      },
      status: "partial",
      says: /credentials \(link out of the tree/,
    },
    {
      what: "a folder that cannot be looked into",
      make: async ({ stateDir }) => await chmod(join(stateDir, "agents"), 0o000),
      status: "not_assessed",
      says: /1 paths could not be examined: .*agents/,
    },
  ],
  least_privilege_enforced: [
    {
      what: "a gateway in a group that is as good as root, with agents kept in a sandbox",
      make: gatewayAgain({ ...LOOPBACK, groups: "6" }),
      status: "partial",
      says: /disk/,
    },
    {
      what: "the same with agents that run commands on the host",
      make: async (on) => {
        await gatewayAgain({ ...LOOPBACK, groups: "6" })(on);
        await on.editConfig(unbox);
      },
      status: "violation",
      says: /disk.*agents can run commands/i,
    },
    config("agents with every tool", (value) => delete value["tools"]?.["profile"], "partial", /every tool/),
    {
      what: "no gateway to be seen",
      make: async ({ stopGateway }) => await stopGateway(),
      status: "not_assessed",
      says: /No running gateway was found/i,
    },
  ],
  alternate_privilege_paths_restricted: [
    {
      what: "a gateway in a group that is as good as root",
      make: gatewayAgain({ ...LOOPBACK, groups: "6" }),
      status: "violation",
      says: /disk/,
    },
    {
      what: "a gateway that may gain rights, on a host where sudo's answer is not understood",
      make: async (on) => {
        const fake = join(on.home, "sudo");
        await writeFile(fake, "#!/bin/sh\necho gibberish\n");
        await chmod(fake, 0o755);
        on.host.sh('mount --bind "$1" "$(readlink -f /usr/bin/sudo)"', [fake]);
        await gatewayAgain({ ...LOOPBACK, noNewPrivs: false })(on);
      },
      status: "not_assessed",
      // What else cannot be seen on the machine may come before it.
      says: /not understood|could not be searched/,
    },
    {
      what: "no gateway to be seen",
      make: async ({ stopGateway }) => await stopGateway(),
      status: "not_assessed",
      says: /No running gateway was found|could not be searched/i,
    },
  ],
  open_ports_approved: [
    {
      what: "a listener more, for everyone",
      make: async ({ host }) => void (await host.listen({ host: "0.0.0.0", port: 24_444 })),
      status: "violation",
      says: /Unapproved listener on tcp 0\.0\.0\.0:24444/,
    },
    {
      what: "a listener more, on loopback",
      make: async ({ host }) => void (await host.listen({ host: "127.0.0.1", port: 24_444 })),
      status: "partial",
      says: /Unapproved listener on tcp 127\.0\.0\.1:24444/,
    },
    {
      what: "the same port on more addresses than were approved",
      make: gatewayAgain({ host: "0.0.0.0", port: GATEWAY_PORT }),
      status: "violation",
      says: /0\.0\.0\.0:18789/,
    },
    {
      what: "another program on the port that was approved",
      make: rules((rule) => ({ ...rule, exe: "/usr/bin/other" })),
      status: "partial",
      says: /127\.0\.0\.1:18789/,
    },
    {
      what: "an approval that is over",
      make: rules((rule) => ({ ...rule, expires: "2020-01-01" })),
      status: "partial",
      says: /expired/,
    },
    {
      what: "an approval that nobody gave",
      make: rules((rule) => ({ ...rule, reviewed: false })),
      status: "partial",
      says: /unreviewed/,
    },
    {
      what: "no baseline",
      make: async ({ securityDir }) => await rm(join(securityDir, "approved_ports.json")),
      status: "partial",
      says: /There is no baseline/,
    },
    {
      what: "a baseline that is broken",
      make: async ({ securityDir }) => await writeFile(join(securityDir, "approved_ports.json"), "{"),
      status: "not_assessed",
      says: /approved_ports\.json/,
    },
    {
      what: "a baseline that others may change",
      make: async ({ securityDir }) => await chmod(join(securityDir, "approved_ports.json"), 0o666),
      status: "not_assessed",
      says: /Others may write/,
    },
    {
      what: "no way to see sockets at all",
      make: async (on) => {
        for (const tool of ["ss", "lsof", "netstat"]) await hide(tool)(on);
        on.host.sh("mount -t tmpfs tmpfs /proc");
      },
      status: "not_assessed",
      says: /./,
    },
  ],
  insecure_ports_remediated: [
    {
      what: "a service without encryption, for everyone",
      make: async ({ host }) => void (await host.listen({ host: "0.0.0.0", port: 6_000 })),
      status: "violation",
      says: /6000\/tcp/,
    },
    {
      what: "a UDP service of that kind, for everyone",
      make: async ({ host }) => void (await host.listen({ host: "0.0.0.0", port: 11_211, protocol: "udp" })),
      status: "violation",
      says: /11211\/udp/,
    },
    {
      what: "a service of that kind on loopback",
      make: async ({ host }) => void (await host.listen({ host: "127.0.0.1", port: 6_000 })),
      status: "partial",
      says: /6000\/tcp/,
    },
    {
      what: "no way to see sockets at all",
      make: async (on) => {
        for (const tool of ["ss", "lsof", "netstat"]) await hide(tool)(on);
        on.host.sh("mount -t tmpfs tmpfs /proc");
      },
      status: "not_assessed",
      says: /./,
    },
  ],
  gateway_auth_strong: [
    config(
      "no authentication",
      (value) => Object.assign(value["gateway"] ?? {}, { auth: { mode: "none" } }),
      "violation",
      /asks nobody/,
    ),
    config(
      "a token that is short",
      (value) => Object.assign(value["gateway"] ?? {}, { auth: { mode: "token", token: "short-1", rateLimit: {} } }),
      "partial",
      /has 7 characters/,
    ),
    config(
      "no limit on attempts",
      (value) => Object.assign(value["gateway"] ?? {}, { auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}" } }),
      "partial",
      /not limited/,
    ),
    config(
      "the same secret for webhooks",
      (value) => (value["hooks"] = { enabled: true, token: "${OPENCLAW_GATEWAY_TOKEN}" }),
      "violation",
      /webhooks use the gateway's own secret/,
    ),
    {
      what: "a token that cannot be seen",
      make: async ({ stateDir }) => await writeFile(join(stateDir, ".env"), ""),
      status: "not_assessed",
      says: /cannot be seen/,
    },
  ],
  exec_sandboxed: [
    config("no sandbox", unbox, "partial", /without a sandbox/),
    config(
      "a sandbox with the engine's socket",
      (value) => {
        const docker = { binds: ["/var/run/docker.sock:/var/run/docker.sock"] };
        value["agents"] = { defaults: { sandbox: { mode: "all", docker } } };
      },
      "violation",
      /docker\.sock mounted/,
    ),
  ],
  elevated_mode_restricted: [
    config(
      "the sandbox left by everybody",
      (value) => Object.assign(value["tools"] ?? {}, { elevated: { enabled: true, allowFrom: { telegram: ["*"] } } }),
      "violation",
      /everybody may take commands/i,
    ),
  ],
  dangerous_flags_disabled: [
    config(
      "a switch of the sandbox",
      (value) => {
        const docker = { dangerouslyAllowExternalBindSources: true };
        value["agents"] = { defaults: { sandbox: { mode: "all", docker } } };
      },
      "violation",
      /dangerouslyAllowExternalBindSources=true/,
    ),
    config(
      "a plugin whose switches only OpenClaw knows, and no OpenClaw to ask",
      (value) => (value["plugins"] = { entries: { mail: { enabled: true, config: { a: 1 } } } }),
      "not_assessed",
      /./,
    ),
  ],
  control_plane_tools_restricted: [
    config(
      "a tool put back on the HTTP door",
      (value) => Object.assign(value["gateway"] ?? {}, { tools: { allow: ["gateway"] } }),
      "partial",
      /put back on the gateway's HTTP door: gateway/i,
    ),
  ],
  agent_activity_ledger_enabled: [
    config("the ledger off", (value) => (value["logging"] = { audit: { enabled: false } }), "violation", /recorded/),
    config("no identities", (value) => delete value["logging"], "partial", /for whom/),
  ],
  session_retention_enforced: [
    config(
      "limits that only warn",
      (value) => Object.assign(value["session"] ?? {}, { maintenance: { mode: "warn" } }),
      "partial",
      /only reported/,
    ),
  ],
  telemetry_content_capture_off: [
    config(
      "content sent elsewhere",
      (value) =>
        (value["diagnostics"] = {
          otel: { enabled: true, captureContent: true, endpoint: "https://otel.example:4318" },
        }),
      "violation",
      /otel\.example/,
    ),
  ],
  synced_or_shared_state_absent: [
    {
      what: "a mark of a synchroniser above it",
      make: async ({ home }) => await writeFile(join(home, ".stfolder"), ""),
      status: "violation",
      says: /Syncthing/,
    },
    {
      what: "a mount that hides where it lies",
      make: async (on) => {
        on.host.sh("mount -t tmpfs tmpfs /proc");
        await Promise.resolve();
      },
      status: "not_assessed",
      says: /not known/,
    },
  ],
  update_hygiene: [
    {
      what: "a newer version",
      make: async (on) => await writeDatabase(on, daysAgo(0), "2026.9.7"),
      status: "partial",
      says: /2026\.9\.7 is the newest/,
    },
    {
      what: "a version that is far newer",
      make: async (on) => await writeDatabase(on, daysAgo(0), "2027.3.1"),
      status: "violation",
      says: /more than 90 days later/,
    },
    {
      what: "an answer of the registry that is old",
      make: async (on) => await writeDatabase(on, daysAgo(8)),
      status: "not_assessed",
      says: /the registry was last asked/i,
    },
    {
      what: "a record that cannot be read",
      make: async ({ stateDir }) => {
        await writeUserFile(join(stateDir, "state/openclaw.sqlite"), "no database".repeat(1_000));
      },
      status: "not_assessed",
      says: /openclaw\.sqlite/,
    },
  ],
};

describe("what is compliant on a hardened host", () => {
  itOnOwnHost("is exactly what the breaks below take away", async () => {
    const { assessment } = await (await makeHardenedHost()).assess();
    const compliant = Object.entries(statusesOf(assessment)).filter(
      // What only the machine decides is broken in tests of its own.
      ([id, status]) => status === "compliant" && !/^(?:host|disk|time)_/.test(id),
    );
    // OpenClaw records a newer version, but never that there is none.
    const claimed = Object.keys(CLAIMS).filter((id) => id !== "update_hygiene");
    expect(compliant.map(([id]) => id).toSorted()).toEqual(claimed.toSorted());
  });

  for (const [id, breaks] of Object.entries(CLAIMS)) {
    for (const { what, make, status, says } of breaks) {
      itOnOwnHost(`${id} is ${status} with ${what}`, async () => {
        const on = await makeHardenedHost();
        await make(on);
        const { assessment } = await on.assess(["--checks", id]);
        const row = rowOf(assessment, id);
        expect([row.status, says.test(row.gap) ? "says so" : row.gap]).toEqual([status, "says so"]);
        expect(row.mitigation).not.toBe("");
      });
    }
  }
});

/** Answers that can be no better than not_assessed today: what a broken source adds to their reasons. */
const BLINDED: readonly (readonly [what: string, id: string, make: Break["make"], says: RegExp])[] = [
  [
    "a command policy with an unknown key",
    "command_policy_enforced",
    async (on) => await writeFile(join(on.securityDir, "command-policy.json"), '{"alow":[]}'),
    /command-policy\.json is not valid/,
  ],
  [
    "a prompt policy that is a folder",
    "prompt_injection_controls",
    async (on) => {
      await rm(join(on.securityDir, "prompt-policy.json"));
      await mkdir(join(on.securityDir, "prompt-policy.json"));
    },
    /prompt policy .* is not a regular file/,
  ],
  [
    "an allowlist that names a key twice",
    "egress_connections_approved",
    async (on) => await writeFile(join(on.securityDir, "egress_allowlist.json"), '{"rules":[],"rules":[]}'),
    /egress_allowlist\.json/,
  ],
  [
    "an allowlist that others may change",
    "egress_allowlist_configured",
    async (on) => await chmod(join(on.securityDir, "egress_allowlist.json"), 0o622),
    /Others may write/,
  ],
  [
    "a record of backups that cannot be read",
    "backup_configured",
    async (on) => await chmod(join(on.stateDir, "state/openclaw.sqlite"), 0),
    /openclaw\.sqlite/,
  ],
];

describe("a source that cannot be used", () => {
  for (const [what, id, make, says] of BLINDED) {
    itOnOwnHost(`makes ${id} not assessed for that reason: ${what}`, async () => {
      const on = await makeHardenedHost();
      await make(on);
      const row = rowOf((await on.assess(["--checks", id])).assessment, id);
      expect([row.status, says.test(row.gap) ? "says so" : row.gap]).toEqual(["not_assessed", "says so"]);
    });
  }

  itOnOwnHost("one each for everything: nothing is compliant, and every reason is named", async () => {
    const on = await makeHardenedHost();
    await writeFile(on.configPath, "{");
    for (const name of ["approved_ports", "command-policy", "egress_allowlist", "prompt-policy"]) {
      await writeFile(join(on.securityDir, `${name}.json`), "[");
    }
    await writeUserFile(join(on.stateDir, "state/openclaw.sqlite"), "no database".repeat(1_000));
    await chmod(join(on.stateDir, "agents"), 0);
    const tools = ["ss", "lsof", "netstat", "sudo", "getcap", "getfacl", "chronyc", "timedatectl"];
    for (const tool of tools) await hide(tool)(on);
    on.host.sh("for f in /var/lib/dpkg /run/systemd /proc; do if [ -d $f ]; then mount -t tmpfs tmpfs $f; fi; done");
    const { assessment, summary } = await on.assess();
    const better = assessment.checks.filter(({ status }) => status === "compliant" || status === "not_applicable");
    expect(better.map((check) => check.check_id)).toEqual([]);
    expect(summary.not_assessed.every(({ reason }) => reason !== "")).toBe(true);
    expect(summary).toMatchObject({ status: "incomplete", totals: { by_status: { compliant: 0 } } });
  });
});

const BRINGS_ALL_FILES = "open_ports_approved,egress_connections_approved";

describe("a listener that a person starts", () => {
  it("is a gap of open_ports_approved, and goes away from it once it is reviewed", async () => {
    const { home, stateDir } = await makeHomeOfUser("hardened");
    const baseline = join(stateDir, "security/approved_ports.json");
    const cse = cseIn(home);
    const out = join(home, "out");
    const listener = await listenAsUser();
    const seen = async (): Promise<{ gap: string; ports: readonly (number | null)[] }> => {
      const { assessment } = await assessWith(cse, out, ["--checks", BRINGS_ALL_FILES]);
      const report = JSON.parse((await readReports(out))["port-monitor-latest.json"]) as PortReport;
      return { gap: rowOf(assessment, "open_ports_approved").gap, ports: report.findings.map(({ port }) => port) };
    };

    expect((await seen()).ports).toContain(listener.port);
    reportOf(await cse(["baseline", "generate", "--json"]));
    // Taken into the baseline is not approved.
    expect((await seen()).ports).toContain(listener.port);
    await reviewAll(baseline);
    const after = await seen();
    expect(after.ports).not.toContain(listener.port);
    expect(after.gap).not.toContain(`:${listener.port}`);
    expect((await stat(baseline)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(baseline, "utf8"))).toMatchObject({ schemaVersion: 2 });
    expect((await ordinaryUser()).uid).toBe((await stat(baseline)).uid);
  });
});
