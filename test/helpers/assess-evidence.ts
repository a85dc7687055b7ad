import type {
  AssessEvidence,
  AuditLogState,
  CommandPolicyFile,
  GatewayProcess,
  GrantSelfTest,
  PrivilegePaths,
} from "../../src/assess/evidence.ts";
import { type Evidence, type Measured, type Unmeasured, measured, unmeasured } from "../../src/core/evidence.ts";
import type { NativeEvidence } from "../../src/core/native-evidence.ts";
import { NATIVE_COMMANDS } from "../../src/core/native-evidence.ts";
import type { GatewayUnit, HostPatching, InstalledExtensions, StateVolume } from "../../src/core/setup-evidence.ts";
import type { EgressReport, Listener, PortReport, SocketInventory } from "../../src/core/network.ts";
import { lintCommandPolicy } from "../../src/policy/command-policy-lint.ts";
import { parseCommandPolicy } from "../../src/schema/command-policy.ts";
import { normalizeOpenClawConfig } from "../../src/schema/normalize-openclaw-config.ts";
import type { OpenClawConfig } from "../../src/schema/openclaw-config.ts";
import { samplePortReport, sampleEgressReport, sampleListener } from "./sample-assessment.ts";

/** When all evidence of these tests was taken. */
export const AT = "2026-11-23T08:00:00Z";
export const NOW: number = Date.UTC(2026, 10, 23, 8);
const HOME = "/home/openclaw";
const STATE = `${HOME}/.openclaw`;

export function seen<T>(value: T, source = "test"): Measured<T> {
  return measured(value, source, AT);
}

export function unseen(code: Unmeasured["code"] = "collector-failed", reason = "the collector failed"): Unmeasured {
  return unmeasured(code, reason, "test", AT);
}

/** A configuration as OpenClaw's file would say it, through the real reader. */
export function config(authored: unknown): Measured<OpenClawConfig> {
  const value = normalizeOpenClawConfig({
    path: `${STATE}/openclaw.json`,
    authored,
    includes: [],
    env: { OPENCLAW_GATEWAY_TOKEN: "0123456789abcdef0123456789abcdef" },
    home: HOME,
    profile: null,
    inContainer: false,
  });
  return measured(value, value.path, AT);
}

/** What a careful owner writes. */
export const HARDENED = {
  gateway: {
    mode: "local",
    bind: "loopback",
    auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}", rateLimit: { maxAttempts: 10 } },
  },
  channels: {
    telegram: {
      enabled: true,
      dmPolicy: "allowlist",
      allowFrom: ["12345"],
      groupPolicy: "allowlist",
      groupAllowFrom: ["12345"],
      groups: { "-100200": { requireMention: true } },
    },
  },
  tools: { profile: "messaging", exec: { mode: "ask", strictInlineEval: true } },
  agents: { defaults: { sandbox: { mode: "all" } } },
  logging: { audit: { executionIdentity: true } },
} as const;

/** Our plugin, switched on with its defaults. */
export const PLUGIN_ON = { plugins: { entries: { "cyber-security-engineer": { enabled: true } } } } as const;

/** The opposite. */
export const WEAK = {
  gateway: { bind: "lan", auth: { mode: "none" } },
  channels: {
    telegram: {
      enabled: true,
      dmPolicy: "open",
      allowFrom: ["*"],
      groupPolicy: "open",
      groups: { "*": { requireMention: false } },
    },
  },
  tools: { profile: "full", exec: { mode: "full" } },
} as const;

export function listener(change: Partial<Listener>): Listener {
  return sampleListener({
    address: "127.0.0.1",
    scope: "loopback",
    port: 18_789,
    pid: 812,
    name: "openclaw-gatewa",
    exe: "/usr/bin/node",
    uid: 998,
    ...change,
  });
}

export function sockets(...listeners: readonly Listener[]): Measured<SocketInventory> {
  return seen({
    collector: "proc",
    collected_at: AT,
    complete: true,
    unresolved: 0,
    denied: 0,
    listeners,
    connections: [],
    problems: [],
  });
}

export function ports(change: Partial<PortReport> = {}): Measured<PortReport> {
  return seen(
    samplePortReport({
      status: "ok",
      complete: true,
      unresolved: 0,
      denied: 0,
      approved_file: `${STATE}/security/approved_ports.json`,
      approved_rules: 3,
      listening_services: [listener({})],
      findings: [],
      rule_notes: [],
      problems: [],
      ...change,
    }),
  );
}

export function egress(change: Partial<EgressReport> = {}): Measured<EgressReport> {
  return seen(
    sampleEgressReport({
      status: "ok",
      complete: true,
      unresolved: 0,
      denied: 0,
      allowlist_file: `${STATE}/security/egress_allowlist.json`,
      allowlist_rules: 2,
      findings: [],
      rule_notes: [],
      problems: [],
      ...change,
    }),
  );
}

export const GATEWAY: GatewayProcess = {
  running: true,
  pid: 812,
  uid: 998,
  user: "openclaw",
  groups: ["openclaw"],
  no_new_privs: true,
  cap_eff: "0000000000000000",
  basis: "process",
  others: [],
};

export const NO_WAY_TO_ROOT: PrivilegePaths = {
  user: "openclaw",
  uid: 998,
  paths: [],
  has_sudo: true,
  sudo_timestamp_minutes: 0,
  unknown: [],
};

/** A command policy through the real parser and linter; undefined is a missing file. */
export function commandPolicy(authored?: unknown): Evidence<CommandPolicyFile> {
  const path = `${STATE}/security/command-policy.json`;
  if (authored === undefined) return seen({ path, present: false, policy: null, notes: [] });
  const policy = parseCommandPolicy(authored);
  return seen({ path, present: true, policy, notes: lintCommandPolicy(policy, NOW) });
}

/** A log that everything confirms. */
export const AUDIT_LOG: AuditLogState = {
  path: `${STATE}/security/privileged-audit.jsonl`,
  present: true,
  status: "intact",
  message: "All 12 records are as they were written",
  records: 12,
  dangling: 0,
  anchored: true,
  sudo: { kind: "compared", source: "journal", since: "2026-11-01T00:00:00Z", executions: 2, bypasses: 0 },
};

/** Grants that end as they should. */
export const GRANTS: GrantSelfTest = {
  runs_fresh: true,
  refuses_idle: true,
  refuses_used: true,
  refuses_other_session: true,
  drops_on_clock_back: true,
};

/** A unit that confines what it runs. */
export const UNIT: GatewayUnit = {
  unit: "openclaw-gateway.service",
  manager: "system",
  user: "openclaw",
  no_new_privileges: true,
  protect_system: "strict",
  private_tmp: true,
  restart_limited: true,
  exposure: 3.1,
};

export const PATCHING: HostPatching = {
  manager: "apt",
  security: [],
  lists_at: "2026-11-23T06:00:00Z",
  automatic: true,
  reboot_required: false,
};

export const VOLUME: StateVolume = {
  path: STATE,
  mount_point: "/home",
  type: "ext4",
  source: "/dev/mapper/home",
  encrypted: true,
  basis: "dm-crypt below it",
  is_portable: false,
  is_network: false,
  synced_by: [],
};

export const EXTENSIONS: InstalledExtensions = { plugins: [], unrecorded: [], skills: [] };

/** OpenClaw's own commands, all answered and with nothing to say. */
export const NATIVE: NativeEvidence = {
  openclaw_version: "2026.9.6",
  taken_at: AT,
  cached: false,
  runs: NATIVE_COMMANDS.map((command) => ({ command, status: "done", said: "nothing", duration_ms: 5_000 })),
  findings: [],
};

/** Evidence of a host where nothing is wrong that can be measured. */
export function goodEvidence(change: Partial<AssessEvidence> = {}): AssessEvidence {
  return {
    config: config({ ...HARDENED, ...PLUGIN_ON }),
    stateTree: seen({
      root: STATE,
      expected_uid: 998,
      entries_seen: 40,
      deviations: [],
      unreadable: [],
      truncated: false,
    }),
    gateway: seen(GATEWAY),
    privilege: seen(NO_WAY_TO_ROOT),
    commandPolicy: commandPolicy({
      schemaVersion: 2,
      unmatched: "deny",
      rules: [{ id: "restart", effect: "allow", binary: "/usr/bin/systemctl", args: ["restart", "nginx"] }],
    }),
    promptPolicy: seen({
      path: `${STATE}/security/prompt-policy.json`,
      present: true,
      policy: { form: "original", requireConfirmationForUntrusted: true },
    }),
    sockets: sockets(listener({})),
    ports: ports(),
    egress: egress(),
    backup: seen({
      latest_at: "2026-11-22T03:00:00Z",
      kind: "archive",
      push_failed: false,
      archive_bytes: 4096,
      archive_path: "/srv/backup/openclaw.tar",
      verified: true,
      outside_state_dir: true,
      archive_exists: true,
    }),
    update: seen({
      installed_version: "2026.9.6",
      latest_version: "2026.9.6",
      checked_at: "2026-11-23T06:00:00Z",
      node_version: "24.21.0",
    }),
    auditLog: seen(AUDIT_LOG),
    grants: seen(GRANTS),
    approvals: seen({
      present: true,
      auto_allow_skills: [],
      entries: [
        {
          agent: "main",
          kind: "command",
          what: "/usr/bin/uptime",
          has_arguments: false,
          last_used_at: "2026-11-20T08:00:00Z",
        },
      ],
    }),
    devices: seen({
      pending: 0,
      paired: [
        {
          name: "phone",
          role: "operator",
          approved_at: "2026-10-01T08:00:00Z",
          last_seen_at: "2026-11-22T08:00:00Z",
          approved_via: "owner",
        },
      ],
    }),
    extensions: seen(EXTENSIONS),
    suppliers: seen({
      path: `${STATE}/workspace/policy.jsonc`,
      present: true,
      mcp_allow: ["docs"],
      mcp_deny: [],
      models_allow: ["anthropic"],
      models_deny: [],
    }),
    unit: seen(UNIT),
    firewall: seen({ tool: "nft", rules: 4, ipv4_drops: true, ipv6_drops: true }),
    patching: seen(PATCHING),
    volume: seen(VOLUME),
    clock: seen({ by: "chrony", synchronized: true, offset_seconds: 0.001 }),
    configBaseline: seen({
      path: `${STATE}/security/config-baseline.sha256`,
      accepted: true,
      changed: [],
      unlisted: [],
      missing: [],
    }),
    broker: seen({ path: `${STATE}/security/broker.sock`, held_by: "gateway" }),
    approvers: seen(["device"]),
    native: seen(NATIVE),
    ...change,
  };
}

/** Evidence where much is wrong. */
export function badEvidence(): AssessEvidence {
  const open = listener({ address: "0.0.0.0", scope: "all-interfaces" });
  return {
    config: config(WEAK),
    stateTree: seen({
      root: STATE,
      expected_uid: 998,
      entries_seen: 40,
      deviations: [{ path: `${STATE}/security`, kind: "folder", mode: 0o777, uid: 998, has_acl: null }],
      unreadable: [],
      truncated: false,
    }),
    gateway: seen({ ...GATEWAY, groups: ["openclaw", "docker"] }),
    privilege: seen({
      ...NO_WAY_TO_ROOT,
      paths: [{ via: "sudo", what: "(ALL) NOPASSWD: ALL", strength: "passwordless" }],
      sudo_timestamp_minutes: -1,
    }),
    commandPolicy: commandPolicy(),
    promptPolicy: seen({
      path: `${STATE}/security/prompt-policy.json`,
      present: true,
      policy: { form: "original", requireConfirmationForUntrusted: false },
    }),
    sockets: sockets(open),
    ports: seen(samplePortReport()),
    egress: seen(sampleEgressReport({ allowlist_file: null, allowlist_rules: 0 })),
    backup: seen({
      latest_at: null,
      kind: null,
      push_failed: false,
      archive_bytes: null,
      archive_path: null,
      verified: null,
      outside_state_dir: null,
      archive_exists: null,
    }),
    update: seen({
      installed_version: "2026.2.1",
      latest_version: "2026.9.6",
      checked_at: "2026-11-23T06:00:00Z",
      node_version: "20.11.0",
    }),
    auditLog: seen({ ...AUDIT_LOG, status: "tampered", message: "Record 7 was changed" }),
    grants: seen({ ...GRANTS, refuses_idle: false, refuses_other_session: false }),
    approvals: seen({
      present: true,
      auto_allow_skills: ["main"],
      entries: [{ agent: "main", kind: "command", what: "/usr/bin/bash", has_arguments: false, last_used_at: null }],
    }),
    devices: seen({
      pending: 1,
      paired: [
        { name: "old", role: "node", approved_at: "2026-01-01T00:00:00Z", last_seen_at: null, approved_via: null },
      ],
    }),
    extensions: seen({
      plugins: [
        { id: "p", source: "npm", spec: "p", is_pinned: false, has_integrity: false, verdict: "review-required" },
      ],
      unrecorded: ["loose"],
      skills: [],
    }),
    suppliers: seen({
      path: `${STATE}/workspace/policy.jsonc`,
      present: false,
      mcp_allow: null,
      mcp_deny: [],
      models_allow: null,
      models_deny: [],
    }),
    unit: seen({
      ...UNIT,
      user: "",
      no_new_privileges: false,
      protect_system: "no",
      private_tmp: false,
      exposure: 9.6,
    }),
    firewall: seen({ tool: "nft", rules: 0, ipv4_drops: false, ipv6_drops: false }),
    patching: seen({ ...PATCHING, security: ["openssl 3.0.20-1"], automatic: false, reboot_required: true }),
    volume: seen({ ...VOLUME, encrypted: false, is_portable: true, synced_by: ["Dropbox"] }),
    clock: seen({ by: "chrony", synchronized: true, offset_seconds: 45 }),
    configBaseline: seen({
      path: `${STATE}/security/config-baseline.sha256`,
      accepted: true,
      changed: [`${STATE}/openclaw.json`],
      unlisted: [],
      missing: [],
    }),
    broker: seen({ path: `${STATE}/security/broker.sock`, held_by: "other" }),
    approvers: seen(["device without proof"]),
    native: seen({
      ...NATIVE,
      findings: [
        {
          id: "never.heard_of",
          severity: "critical",
          command: "security audit",
          title: "Something new",
          suppressed: false,
        },
      ],
    }),
  };
}
