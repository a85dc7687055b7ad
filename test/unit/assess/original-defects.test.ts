import { describe, expect, it } from "vitest";
import type { CheckResult } from "../../../src/assess/assessment.ts";
import { CHECKS } from "../../../src/assess/checks.ts";
import type { AssessEvidence } from "../../../src/assess/evidence.ts";
import { runChecks } from "../../../src/assess/run-checks.ts";
import { isOpenGap } from "../../../src/assess/totals.ts";
import {
  AT,
  AUDIT_LOG,
  badEvidence,
  commandPolicy,
  config,
  egress,
  goodEvidence,
  HARDENED,
  NO_WAY_TO_ROOT,
  seen,
  unseen,
} from "../../helpers/assess-evidence.ts";
import { sampleConnection } from "../../helpers/sample-assessment.ts";

// Each of these was wrong in the scripts this project replaces: an answer nobody had measured.

function check(id: string, change: Partial<AssessEvidence> = {}): CheckResult {
  const found = CHECKS.find(({ meta }) => meta.check_id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found.check(goodEvidence(change));
}

function metaOf(id: string) {
  const found = CHECKS.find(({ meta }) => meta.check_id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found.meta;
}

describe("dishonest answers of the original", () => {
  it.each(["open_ports_approved", "insecure_ports_remediated"])(
    "a scanner error is not_assessed for %s, never compliant",
    (id) => {
      expect(check(id, { ports: unseen("collector-failed") }).status).toBe("not_assessed");
    },
  );

  it("a failing egress scanner is not_assessed, however good the allowlist", () => {
    expect(check("egress_connections_approved", { egress: unseen("tool-failed") }).status).toBe("not_assessed");
  });

  it("no connection seen is not_assessed with any allowlist, never compliant", () => {
    const nothing = egress({ connections: [], allowlist_rules: 40 });
    expect(check("egress_connections_approved", { egress: nothing }).status).toBe("not_assessed");
  });

  it("one look at approved connections is at best partial", () => {
    const approved = egress({ connections: [sampleConnection({ direction: "outbound" })] });
    expect(check("egress_connections_approved", { egress: approved }).status).toBe("partial");
  });

  it("wildcard allowFrom is a violation though other channels are closed", () => {
    const channels = {
      telegram: { enabled: true, dmPolicy: "open", allowFrom: ["*"], groupPolicy: "open" },
      signal: { enabled: true, dmPolicy: "disabled", groupPolicy: "disabled" },
      whatsapp: { enabled: true, dmPolicy: "allowlist", allowFrom: ["+15550100"] },
    };
    expect(check("channel_allowlist_configured", { config: config({ channels }) }).status).toBe("violation");
  });

  it("an auth.profiles block does not turn a hardened gateway into a violation", () => {
    const authored = { ...HARDENED, auth: { profiles: { "openai:default": { provider: "openai", mode: "api_key" } } } };
    expect(check("gateway_loopback_only", { config: config(authored) }).status).toBe("compliant");
  });

  it("an empty config is no violation of loopback, because loopback is the default", () => {
    expect(check("gateway_loopback_only", { config: config({}) }).status).toBe("compliant");
  });

  it("asking a human in a full sandbox is no violation of approval", () => {
    const authored = { tools: { exec: { mode: "ask" } }, agents: { defaults: { sandbox: { mode: "all" } } } };
    expect(check("privilege_approval_required", { config: config(authored) }).status).toBe("not_assessed");
  });

  it("the elevation timeout is measured, not taken as given", () => {
    const forever = seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: -1 });
    expect(check("elevation_timeout_30m", { privilege: forever }).status).toBe("violation");
  });

  it("least privilege looks at rights, and the gateway's bind does not change it", () => {
    const { gateway: _bind, ...rest } = HARDENED;
    const exposed = config({ ...rest, gateway: { bind: "lan", auth: { mode: "none" } } });
    expect(check("least_privilege_enforced", { config: exposed })).toMatchObject({ status: "compliant" });
  });

  it("one gated group does not vouch for an ungated one", () => {
    const groups = { "-1": { requireMention: true }, "-2": { requireMention: false } };
    const authored = { channels: { telegram: { enabled: true, groups } } };
    expect(check("group_mentions_required", { config: config(authored) }).status).toBe("violation");
  });

  it("mention patterns are triggers and no proof that a mention is required", () => {
    const authored = {
      messages: { groupChat: { mentionPatterns: ["@claw"] } },
      channels: { telegram: { enabled: true, groups: { "-1": { requireMention: false } } } },
    };
    expect(check("group_mentions_required", { config: config(authored) }).status).toBe("violation");
  });

  it("su being installed is no finding", () => {
    const su = { via: "su", what: "/usr/bin/su", strength: "password" } as const;
    expect(
      check("alternate_privilege_paths_restricted", { privilege: seen({ ...NO_WAY_TO_ROOT, paths: [su] }) }).status,
    ).toBe("compliant");
  });

  it("no file on disk makes the hook or approval compliant", () => {
    for (const id of ["runtime_privilege_hook_installed", "privilege_approval_required"]) {
      expect([id, check(id).status]).toEqual([id, "not_assessed"]);
    }
  });

  it("a log on disk that nothing else confirms is not compliant", () => {
    const alone = seen({ ...AUDIT_LOG, anchored: false, sudo: { kind: "skipped", reason: "no access" } as const });
    expect(check("audit_logging_privileged_actions", { auditLog: alone }).status).toBe("partial");
  });

  it("a JSON flag that nobody enforces does not make prompt controls compliant", () => {
    expect(check("prompt_injection_controls").status).toBe("not_assessed");
  });

  it("one deny pattern is not a command policy", () => {
    expect(check("command_policy_enforced", { commandPolicy: commandPolicy({ deny: ["^/bin/rm "] }) }).status).toBe(
      "partial",
    );
  });

  it("a missing command policy is a violation, not allow-all", () => {
    expect(check("command_policy_enforced", { commandPolicy: commandPolicy() }).status).toBe("violation");
  });

  it("an allowlist that nothing enforces is partial", () => {
    expect(check("egress_allowlist_configured").status).toBe("partial");
  });

  it("a static token does not make a second factor", () => {
    expect(check("multi_factor_approval").status).toBe("not_assessed");
  });

  it("an error message is not a version", () => {
    const update = seen({
      installed_version: "openclaw: command not found",
      latest_version: "2026.9.6",
      checked_at: AT,
      node_version: "24.21.0",
    });
    expect(check("update_hygiene", { update }).status).toBe("not_assessed");
  });

  it("a current OpenClaw is compliant", () => {
    expect(check("update_hygiene").status).toBe("compliant");
  });

  it("two good paths do not make up for an open one elsewhere in the tree", () => {
    const open = {
      path: "/home/openclaw/.openclaw/agents/main/agent/openclaw-agent.sqlite",
      kind: "file",
      mode: 0o644,
      uid: 998,
      has_acl: null,
    } as const;
    const tree = seen({
      root: "/home/openclaw/.openclaw",
      expected_uid: 998,
      entries_seen: 900,
      deviations: [open],
      unreadable: [],
      truncated: false,
    });
    expect(check("secrets_permissions_hardened", { stateTree: tree }).status).toBe("violation");
  });

  it("a tree that could not be walked whole is not called hardened", () => {
    const tree = seen({
      root: "/r",
      expected_uid: 998,
      entries_seen: 1,
      deviations: [],
      unreadable: ["/r/agents"],
      truncated: false,
    });
    expect(check("secrets_permissions_hardened", { stateTree: tree }).status).toBe("not_assessed");
  });
});

describe("wording of every answer", () => {
  const kinds = Object.keys(goodEvidence()) as (keyof AssessEvidence)[];
  const nothing = goodEvidence(Object.fromEntries(kinds.map((kind) => [kind, unseen("timeout", "it took too long")])));
  const answers = [goodEvidence(), badEvidence(), nothing].flatMap((evidence) => runChecks(CHECKS, evidence, AT));

  it("states a gap and a step exactly where something is missing", () => {
    for (const { meta, result } of answers) {
      const isFine = result.status === "compliant" || result.status === "not_applicable";
      expect([meta.check_id, result.gap === "", result.mitigation === ""]).toEqual([meta.check_id, isFine, isFine]);
    }
  });

  it("carries where and when each fact was taken", () => {
    for (const { meta, result } of answers) {
      expect([meta.check_id, result.evidence.length > 0]).toEqual([meta.check_id, true]);
      for (const { source, at, detail } of result.evidence) {
        expect([meta.check_id, source !== "", at, detail !== ""]).toEqual([meta.check_id, true, AT, true]);
      }
    }
  });

  it("never claims that a standard is fulfilled", () => {
    const text = JSON.stringify([answers, CHECKS.map(({ meta }) => meta)]);
    expect(text).not.toMatch(/compliant with|complies with|certified|ISO 27001 compliant/i);
  });

  it("gives a risk only with a gap", () => {
    for (const { meta, result } of answers) {
      expect([meta.check_id, result.risk === undefined || isOpenGap(result.status)]).toEqual([meta.check_id, true]);
    }
  });
});

describe("identifiers the original got wrong", () => {
  it.each([
    ["gateway_loopback_only", "iso27001", "A.8.10"],
    ["gateway_loopback_only", "nist_csf", "PR.IP-01"],
    ["backup_configured", "nist_csf", "PR.IP-04"],
    ["secrets_permissions_hardened", "iso27001", "A.8.11"],
    ["elevation_timeout_30m", "iso27001", "A.8.15"],
    ["elevation_timeout_30m", "nist_csf", "DE.CM-01"],
    ["audit_logging_privileged_actions", "nist_csf", "DE.CM-01"],
    ["open_ports_approved", "nist_csf", "PR.PS-02"],
    ["insecure_ports_remediated", "nist_csf", "PR.PS-02"],
    ["egress_allowlist_configured", "nist_csf", "PR.PS-02"],
    ["channel_allowlist_configured", "nist_csf", "PR.AA-02"],
    ["multi_factor_approval", "nist_csf", "PR.AA-02"],
    ["group_mentions_required", "iso27001", "A.5.16"],
    ["group_mentions_required", "nist_csf", "PR.AA-04"],
    ["privilege_approval_required", "iso27001", "A.5.18"],
    ["privilege_approval_required", "nist_csf", "PR.AA-01"],
    ["prompt_injection_controls", "iso27001", "A.5.18"],
    ["prompt_injection_controls", "nist_csf", "PR.AA-01"],
    ["session_boundary_enforced", "nist_csf", "PR.AA-03"],
  ] as const)("%s no longer points to %s %s", (id, list, wrong) => {
    expect(metaOf(id)[list]).not.toContain(wrong);
  });

  it.each([
    ["gateway_loopback_only", "nist_csf", "PR.IR-01"],
    ["backup_configured", "nist_csf", "PR.DS-11"],
    ["secrets_permissions_hardened", "iso27001", "A.5.17"],
    ["audit_logging_privileged_actions", "nist_csf", "PR.PS-04"],
    ["update_hygiene", "nist_csf", "PR.PS-02"],
    ["multi_factor_approval", "iso27001", "A.8.5"],
  ] as const)("%s points to %s %s", (id, list, right) => {
    expect(metaOf(id)[list]).toContain(right);
  });
});
