import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../../../src/assess/assessment.ts";
import { CHECKS } from "../../../../src/assess/checks.ts";
import type { AssessEvidence } from "../../../../src/assess/evidence.ts";
import {
  badEvidence,
  config,
  EXTENSIONS,
  GATEWAY,
  goodEvidence,
  HARDENED,
  listener,
  NATIVE,
  PATCHING,
  seen,
  sockets,
  UNIT,
  unseen,
  VOLUME,
} from "../../../helpers/assess-evidence.ts";

type Row = readonly [when: string, change: Partial<AssessEvidence>, status: CheckStatus];

function table(id: string, rows: readonly Row[]): void {
  describe(id, () => {
    it.each(rows)("%s", (_when, change, status) => {
      const found = CHECKS.find(({ meta }) => meta.check_id === id);
      expect(found?.check(goodEvidence(change)).status).toBe(status);
    });
  });
}

const authored = (change: object): Partial<AssessEvidence> => ({ config: config({ ...HARDENED, ...change }) });
const blind: Row = ["is not assessed without the config", { config: unseen("config-invalid") }, "not_assessed"];
const SECRET = "0123456789abcdef0123456789abcdef";
const { gateway } = HARDENED;
const auth = (change: object, more: object = {}): Partial<AssessEvidence> =>
  authored({ gateway: { ...gateway, ...more, auth: { ...gateway.auth, ...change } } });

table("gateway_auth_strong", [
  ["is compliant with a long secret and a limit", {}, "compliant"],
  ["is a violation without authentication", auth({ mode: "none" }), "violation"],
  ["is partial with a short token on loopback", auth({ token: "abcdefghijk12" }), "partial"],
  ["is a violation with a short token on a network", auth({ token: "abcdefghijk12" }, { bind: "lan" }), "violation"],
  ["is a violation with a placeholder, however long", auth({ token: "x".repeat(40) }), "violation"],
  ["is a violation with a word that stands for a secret", auth({ token: "changeme" }), "violation"],
  ["is partial without a limit on loopback", auth({ rateLimit: undefined }), "partial"],
  [
    "is a violation without a limit on a tailnet",
    auth({ rateLimit: undefined }, { tailscale: { mode: "serve" } }),
    "violation",
  ],
  [
    "is not assessed with a secret that another store holds",
    auth({ token: { source: "exec", provider: "p", id: "t" } }),
    "not_assessed",
  ],
  [
    "is a violation when the webhooks share the secret",
    authored({ hooks: { enabled: true, token: SECRET } }),
    "violation",
  ],
  [
    "is not assessed when the webhooks' token cannot be seen",
    authored({ hooks: { enabled: true, token: { source: "exec", provider: "p", id: "t" } } }),
    "not_assessed",
  ],
  ["is partial with a proxy that is not named", auth({ mode: "trusted-proxy" }), "partial"],
  blind,
]);

const docker = (change: object): Partial<AssessEvidence> =>
  authored({ agents: { defaults: { sandbox: { mode: "all", docker: change } } } });
const open = { telegram: { ...HARDENED.channels.telegram, dmPolicy: "open", allowFrom: ["*"] } };
const onHost = { tools: { profile: "coding", exec: { mode: "ask" } }, agents: {} };
table("exec_sandboxed", [
  ["is compliant when every agent is in a sandbox", {}, "compliant"],
  ["is partial on the host when no stranger can write to the agent", authored(onHost), "partial"],
  ["is a violation on the host when strangers can", authored({ ...onHost, channels: open }), "violation"],
  [
    "is partial when the main session is left out",
    authored({ ...onHost, agents: { defaults: { sandbox: { mode: "non-main" } } } }),
    "partial",
  ],
  ["is a violation with the host's network", docker({ network: "host" }), "violation"],
  [
    "is a violation with the engine's socket",
    docker({ binds: ["/var/run/docker.sock:/var/run/docker.sock"] }),
    "violation",
  ],
  ["is a violation with a lifted profile", docker({ seccompProfile: "unconfined" }), "violation"],
  ["is a violation with a system folder", docker({ binds: ["/etc:/host-etc:ro"] }), "violation"],
  blind,
]);

const elevated = (allowFrom: object): Partial<AssessEvidence> =>
  authored({ tools: { ...HARDENED.tools, elevated: { enabled: true, allowFrom } } });
table("elevated_mode_restricted", [
  [
    "is compliant when it is off",
    authored({ tools: { ...HARDENED.tools, elevated: { enabled: false } } }),
    "compliant",
  ],
  ["is compliant for one person", elevated({ telegram: ["1"] }), "compliant"],
  ["is partial for many", elevated({ telegram: ["1", "2", "3", "4", "5", "6"] }), "partial"],
  ["is a violation for everybody", elevated({ telegram: ["*"] }), "violation"],
  blind,
]);

const silent = (command: string): Partial<AssessEvidence> => ({
  native: seen({
    ...NATIVE,
    runs: NATIVE.runs.map((run) => (run.command === command ? { ...run, status: "failed" as const, said: "no" } : run)),
  }),
});
table("plaintext_secrets_absent", [
  ["is compliant when neither we nor OpenClaw find one", {}, "compliant"],
  ["is partial with the gateway's own token", auth({ token: SECRET }), "partial"],
  [
    "is a violation with a channel's token",
    authored({ channels: { telegram: { ...HARDENED.channels.telegram, botToken: "1:abc" } } }),
    "violation",
  ],
  [
    "is a violation with a provider's key",
    authored({ models: { providers: { openai: { apiKey: "sk-x" } } } }),
    "violation",
  ],
  ["is not assessed when OpenClaw's audit gave no answer", silent("secrets audit"), "not_assessed"],
  ["is not assessed when OpenClaw was not asked", { native: unseen("not-asked") }, "not_assessed"],
  ["is not assessed when there was none to ask", { native: unseen("not-applicable") }, "not_assessed"],
  blind,
]);

const plugin = { plugins: { entries: { mail: { enabled: true, config: { a: 1 } } } } };
table("dangerous_flags_disabled", [
  ["is compliant when none is on", {}, "compliant"],
  ["is compliant without OpenClaw's audit when no plugin has settings", { native: unseen("not-asked") }, "compliant"],
  ["is not assessed without it when one has", { ...authored(plugin), native: unseen("not-asked") }, "not_assessed"],
  ["is compliant with it when one has", authored(plugin), "compliant"],
  [
    "is a violation with a switch of the control page",
    authored({ gateway: { ...gateway, controlUi: { dangerouslyDisableDeviceAuth: true } } }),
    "violation",
  ],
  [
    "is a violation with a switch of one agent's sandbox",
    authored({ agents: { entries: { a: { sandbox: { docker: { dangerouslyAllowExternalBindSources: true } } } } } }),
    "violation",
  ],
  [
    "is a violation with a private network for the browser",
    authored({ browser: { ssrfPolicy: { dangerouslyAllowPrivateNetwork: true } } }),
    "violation",
  ],
  blind,
]);

const plug = { id: "p", source: "npm", spec: "p@1.2.3", is_pinned: true, has_integrity: true, verdict: null };
const extensions = (change: object): Partial<AssessEvidence> => ({
  ...authored({ plugins: { allow: ["p"] } }),
  extensions: seen({ ...EXTENSIONS, ...change }),
});
table("plugin_supply_chain", [
  ["is not applicable when nothing is installed", {}, "not_applicable"],
  [
    "is not assessed, as code is not scanned, when all else is in order",
    extensions({ plugins: [plug] }),
    "not_assessed",
  ],
  ["is partial without a list", { ...extensions({ plugins: [plug] }), ...authored({}) }, "partial"],
  ["is partial without a version", extensions({ plugins: [{ ...plug, is_pinned: false }] }), "partial"],
  ["is partial without a checksum", extensions({ plugins: [{ ...plug, has_integrity: false }] }), "partial"],
  ["is partial with a folder that no record explains", extensions({ unrecorded: ["x"] }), "partial"],
  [
    "is a violation with what the registry blocked",
    extensions({ plugins: [{ ...plug, verdict: "blocked" }] }),
    "violation",
  ],
  ["is not assessed when it cannot be read", { extensions: unseen("file-unreadable") }, "not_assessed"],
]);

const mcp = (servers: object, more: object = {}): Partial<AssessEvidence> => authored({ mcp: { servers }, ...more });
const pinned = { docs: { command: "npx", args: ["-y", "docs-server@1.2.3"] } };
table("mcp_servers_approved", [
  ["is not applicable without any", {}, "not_applicable"],
  ["is compliant when listed and pinned", mcp(pinned), "compliant"],
  [
    "is partial when whatever is newest is run",
    mcp({ docs: { command: "npx", args: ["docs-server@latest"] } }),
    "partial",
  ],
  ["is a violation when it is not on the list", mcp({ other: { url: "https://mcp.example/x" } }), "violation"],
  [
    "is not applicable when the only one is switched off",
    mcp({ other: { enabled: false, command: "x" } }),
    "not_applicable",
  ],
  [
    "is a violation with a provider that is not on the list",
    authored({ agents: { defaults: { model: "openrouter/x" } } }),
    "violation",
  ],
  [
    "is compliant with one that is",
    authored({ agents: { defaults: { model: { primary: "anthropic/x" } } } }),
    "compliant",
  ],
  ["is partial without a list", { ...mcp(pinned), suppliers: badEvidence().suppliers }, "partial"],
  [
    "is not assessed with a list that cannot be read",
    { ...mcp(pinned), suppliers: unseen("config-invalid") },
    "not_assessed",
  ],
  blind,
]);

const nodes = (change: object): Partial<AssessEvidence> => authored({ gateway: { ...gateway, nodes: change } });
table("node_pairing_controlled", [
  ["is compliant with one device in use", {}, "compliant"],
  ["is not applicable with none", { devices: seen({ paired: [], pending: 0 }) }, "not_applicable"],
  [
    "is a violation with a network that is let in",
    nodes({ pairing: { autoApproveCidrs: ["10.0.0.0/8"] } }),
    "violation",
  ],
  ["is a violation with a dangerous command", nodes({ commands: { allow: ["camera.snap"] } }), "violation"],
  [
    "is compliant when it is denied as well",
    nodes({ commands: { allow: ["camera.snap"], deny: ["camera.snap"] } }),
    "compliant",
  ],
  ["is partial with one that waits", { devices: seen({ paired: [], pending: 2 }) }, "partial"],
  ["is partial with one that nobody uses", { devices: badEvidence().devices }, "partial"],
  ["is not assessed when devices cannot be read", { devices: unseen("file-unreadable") }, "not_assessed"],
  blind,
]);

const HOOKS = {
  enabled: true,
  token: "abcdef0123456789abcdef0123",
  allowedAgentIds: ["main"],
  defaultSessionKey: "hook:in",
};
const hooks = (change: object): Partial<AssessEvidence> => authored({ hooks: { ...HOOKS, ...change } });
table("webhook_ingress_hardened", [
  ["is not applicable when webhooks are off", {}, "not_applicable"],
  ["is compliant when they are narrow", hooks({}), "compliant"],
  ["is partial without a fixed session", hooks({ defaultSessionKey: undefined }), "partial"],
  ["is a violation with a short token", hooks({ token: "abc" }), "violation"],
  ["is a violation with the gateway's secret", hooks({ token: SECRET }), "violation"],
  ["is a violation without a token", hooks({ token: undefined }), "violation"],
  ["is a violation for every agent", hooks({ allowedAgentIds: undefined }), "violation"],
  ["is a violation when callers choose the session", hooks({ allowRequestSessionKey: true }), "violation"],
  [
    "is partial when they choose below a prefix",
    hooks({ allowRequestSessionKey: true, allowedSessionKeyPrefixes: ["hook:"] }),
    "partial",
  ],
  ["is a violation at the root path", hooks({ path: "/" }), "violation"],
  ["is a violation with outside text unmarked", hooks({ gmail: { allowUnsafeExternalContent: true } }), "violation"],
  ["is not assessed with a token that cannot be seen", hooks({ token: "${NEVER_SET}" }), "not_assessed"],
  blind,
]);

const http = (allow: readonly string[], more: object = {}): Partial<AssessEvidence> =>
  authored({ gateway: { ...gateway, ...more, tools: { allow } } });
table("control_plane_tools_restricted", [
  ["is compliant when nothing is put back", {}, "compliant"],
  ["is compliant with a harmless tool", http(["weather"]), "compliant"],
  ["is partial on loopback", http(["Gateway"]), "partial"],
  ["is a violation on a network", http(["exec"], { bind: "lan" }), "violation"],
  ["is a violation with a wildcard on a network", http(["*"], { bind: "lan" }), "violation"],
  [
    "is a violation when strangers reach an agent with all tools",
    authored({ channels: open, tools: { profile: "full" } }),
    "violation",
  ],
  ["is compliant when strangers reach an agent with none of them", authored({ channels: open }), "compliant"],
  blind,
]);

table("agent_activity_ledger_enabled", [
  ["is compliant with identities", {}, "compliant"],
  ["is partial without", authored({ logging: {} }), "partial"],
  [
    "is a violation when it is off",
    authored({ logging: { audit: { enabled: false, executionIdentity: true } } }),
    "violation",
  ],
  blind,
]);

table("session_retention_enforced", [
  ["is compliant by default", {}, "compliant"],
  ["is partial when it only warns", authored({ session: { maintenance: { mode: "warn" } } }), "partial"],
  blind,
]);

const otel = (change: object): Partial<AssessEvidence> => authored({ diagnostics: { otel: change } });
table("telemetry_content_capture_off", [
  ["is compliant by default", {}, "compliant"],
  [
    "is compliant with telemetry and no content",
    otel({ enabled: true, endpoint: "https://otel.example" }),
    "compliant",
  ],
  [
    "is partial with content for this host",
    otel({ enabled: true, captureContent: true, endpoint: "http://127.0.0.1:4318" }),
    "partial",
  ],
  [
    "is a violation with content for another",
    otel({ enabled: true, captureContent: true, endpoint: "https://otel.example" }),
    "violation",
  ],
  [
    "is a violation when only the environment says where",
    otel({ enabled: true, captureContent: { toolOutputs: true } }),
    "violation",
  ],
  [
    "is partial when it would start with telemetry",
    otel({ enabled: false, captureContent: true, endpoint: "https://otel.example" }),
    "partial",
  ],
  [
    "is partial when conversations are indexed",
    authored({ agents: { defaults: { memorySearch: { sources: ["sessions"] } } } }),
    "partial",
  ],
  blind,
]);

const leftOut = (...entries: readonly object[]): Partial<AssessEvidence> =>
  authored({ security: { audit: { suppressions: entries } } });
table("audit_suppressions_reviewed", [
  ["is not applicable without any", {}, "not_applicable"],
  ["is partial with a reason", leftOut({ checkId: "a", reason: "we know" }), "partial"],
  ["is partial when narrowed", leftOut({ checkId: "a", detailIncludes: "x" }), "partial"],
  ["is a violation without either", leftOut({ checkId: "a", reason: " " }), "violation"],
  blind,
]);

const entry = {
  agent: "main",
  kind: "command",
  what: "/usr/bin/uptime",
  has_arguments: false,
  last_used_at: "2026-11-20T08:00:00Z",
} as const;
const approvals = (change: object, more: object = {}): Partial<AssessEvidence> => ({
  approvals: seen({ present: true, entries: [{ ...entry, ...change }], auto_allow_skills: [], ...more }),
});
table("standing_grants_bounded", [
  ["is compliant when narrow and in use", {}, "compliant"],
  [
    "is not applicable when nothing is allowed for good",
    { approvals: seen({ present: false, entries: [], auto_allow_skills: [] }) },
    "not_applicable",
  ],
  ["is a violation with an interpreter", approvals({ what: "/usr/bin/python3.11" }), "violation"],
  [
    "is compliant with an interpreter and exact arguments",
    approvals({ what: "/usr/bin/python3", has_arguments: true }),
    "compliant",
  ],
  ["is a violation with a wildcard", approvals({ what: "/opt/tools/*" }), "violation"],
  ["is a violation with every tool of a server", approvals({ kind: "mcp-tool", what: "docs/*" }), "violation"],
  ["is partial when unused for long", approvals({ last_used_at: "2026-01-01T00:00:00Z" }), "partial"],
  ["is partial when never used", approvals({ last_used_at: null }), "partial"],
  ["is partial when skills allow themselves", approvals({}, { auto_allow_skills: ["main"] }), "partial"],
  ["is not assessed when they cannot be read", { approvals: unseen("schema-version-unsupported") }, "not_assessed"],
]);

const unit = (change: object): Partial<AssessEvidence> => ({ unit: seen({ ...UNIT, ...change }) });
table("gateway_service_hardened", [
  ["is compliant when every directive is set", {}, "compliant"],
  ["is partial without one", unit({ private_tmp: false }), "partial"],
  ["is partial with a high exposure", unit({ exposure: 6 }), "partial"],
  [
    "is a violation as root with a very high one",
    { ...unit({ exposure: 9.6 }), gateway: seen({ ...GATEWAY, uid: 0 }) },
    "violation",
  ],
  ["is not assessed without a figure", unit({ exposure: null }), "not_assessed"],
  ["is not assessed without a service manager", { unit: unseen("proc-unusable") }, "not_assessed"],
]);

const firewall = (change: object): Partial<AssessEvidence> => ({
  firewall: seen({ tool: "nft", rules: 3, ipv4_drops: false, ipv6_drops: false, ...change }),
  sockets: sockets(listener({ address: "0.0.0.0", scope: "all-interfaces" })),
});
table("host_firewall_active", [
  ["is compliant when both protocols drop", {}, "compliant"],
  ["is partial when IPv6 is left out", firewall({ ipv4_drops: true }), "partial"],
  ["is partial with rules that let the rest in", firewall({}), "partial"],
  ["is a violation without rules and with a listener outside", firewall({ rules: 0 }), "violation"],
  [
    "is partial without rules when nothing listens outside",
    { ...firewall({ rules: 0 }), sockets: sockets() },
    "partial",
  ],
  ["is not assessed without the right to look", { firewall: unseen("permission-denied") }, "not_assessed"],
  ["is not assessed without the sockets", { sockets: unseen("timeout") }, "not_assessed"],
]);

const patching = (change: object): Partial<AssessEvidence> => ({ patching: seen({ ...PATCHING, ...change }) });
table("host_patching_current", [
  ["is compliant when nothing waits", {}, "compliant"],
  ["is partial with fixes that will be installed", patching({ security: ["a 1"] }), "partial"],
  ["is a violation with fixes that nothing installs", patching({ security: ["a 1"], automatic: false }), "violation"],
  [
    "is a violation with those also by old lists",
    patching({ security: ["a 1"], automatic: false, lists_at: null }),
    "violation",
  ],
  ["is partial when nothing would install the next", patching({ automatic: false }), "partial"],
  ["is partial when a restart is due", patching({ reboot_required: true }), "partial"],
  ["is not assessed by old lists", patching({ lists_at: "2026-11-01T00:00:00Z" }), "not_assessed"],
  ["is not assessed by lists of an unknown time", patching({ lists_at: null }), "not_assessed"],
  ["is not assessed on another system", { patching: unseen("platform-unsupported") }, "not_assessed"],
]);

const volume = (change: object): Partial<AssessEvidence> => ({ volume: seen({ ...VOLUME, ...change }) });
table("disk_encryption_enabled", [
  ["is compliant on dm-crypt", {}, "compliant"],
  ["is partial without, on a machine that stays", volume({ encrypted: false }), "partial"],
  ["is a violation without, on one that is carried", volume({ encrypted: false, is_portable: true }), "violation"],
  ["is not assessed when it cannot be told", volume({ encrypted: null }), "not_assessed"],
  ["is not applicable without state", { volume: unseen("not-applicable") }, "not_applicable"],
]);
table("synced_or_shared_state_absent", [
  ["is compliant on local storage", {}, "compliant"],
  ["is a violation in a folder that is copied", volume({ synced_by: ["Dropbox"] }), "violation"],
  ["is partial on another machine", volume({ is_network: true }), "partial"],
  ["is not assessed when the file system is not known", { volume: unseen("proc-unusable") }, "not_assessed"],
]);

const clock = (synchronized: boolean | null, offset: number | null): Partial<AssessEvidence> => ({
  clock: seen({ by: "chrony", synchronized, offset_seconds: offset }),
});
table("time_sync_enabled", [
  ["is compliant when synchronised", clock(true, null), "compliant"],
  ["is partial when some seconds away", clock(true, 2), "partial"],
  ["is partial when not synchronised", clock(false, null), "partial"],
  ["is a violation when far away", clock(null, 31), "violation"],
  ["is not assessed without a word on it", clock(null, 0), "not_assessed"],
  ["is not assessed without a service", { clock: unseen("tool-missing") }, "not_assessed"],
]);

const baseline = (change: object): Partial<AssessEvidence> => ({
  configBaseline: seen({ path: "/b", accepted: true, changed: [], unlisted: [], missing: [], ...change }),
});
table("config_baseline_intact", [
  ["is compliant when all is as accepted", {}, "compliant"],
  ["is a violation when a file changed", baseline({ changed: ["/a"] }), "violation"],
  ["is a violation when a file is gone", baseline({ missing: ["/a"] }), "violation"],
  ["is partial with a file nobody accepted", baseline({ unlisted: ["/a"] }), "partial"],
  ["is not assessed when nobody accepted anything", baseline({ accepted: false }), "not_assessed"],
  [
    "is not assessed when the baseline can be changed by others",
    { configBaseline: unseen("state-file-insecure-mode") },
    "not_assessed",
  ],
]);

table("audit_log_forwarded", [
  ["is not assessed, as nothing sends it yet", {}, "not_assessed"],
  ["is not assessed without the log", { auditLog: unseen("audit-unavailable") }, "not_assessed"],
]);
table("backup_restore_tested", [
  ["is not assessed, as no rehearsal is recorded yet", {}, "not_assessed"],
  ["is a violation without a backup", { backup: badEvidence().backup }, "violation"],
  ["is not applicable without state", { backup: unseen("not-applicable") }, "not_applicable"],
  ["is not assessed without the record", { backup: unseen("file-unreadable") }, "not_assessed"],
]);

const told = (
  severity: "critical" | "warn" | "info",
  id = "brand.new",
  suppressed = false,
): Partial<AssessEvidence> => ({
  native: seen({ ...NATIVE, findings: [{ id, severity, command: "security audit", title: "t", suppressed }] }),
});
table("native_audit_clean", [
  ["is compliant when all answered and nothing is left", {}, "compliant"],
  ["is a violation with a critical finding nobody knows", told("critical"), "violation"],
  ["is partial with such a warning", told("warn"), "partial"],
  ["is compliant with such a note", told("info"), "compliant"],
  ["is compliant with a finding that another check shows", told("critical", "gateway.bind_no_auth"), "compliant"],
  ["is compliant with one that the owner left out", told("critical", "brand.new", true), "compliant"],
  ["is not assessed when the audit gave no answer", silent("security audit"), "not_assessed"],
  ["is not assessed when the policy check gave none", silent("policy check"), "not_assessed"],
  ["is not assessed when OpenClaw was not asked", { native: unseen("not-asked") }, "not_assessed"],
  ["is not applicable where there is none", { native: unseen("not-applicable") }, "not_applicable"],
]);

describe("a weak host", () => {
  it("is compliant only where it says nothing and OpenClaw's default is sound", () => {
    const ids = CHECKS.slice(20)
      .filter(({ check }) => check(badEvidence()).status === "compliant")
      .map(({ meta }) => meta.check_id);
    expect(ids).toEqual([
      "elevated_mode_restricted",
      "plaintext_secrets_absent",
      "dangerous_flags_disabled",
      "session_retention_enforced",
      "telemetry_content_capture_off",
    ]);
  });
});
