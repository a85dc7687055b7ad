import { describe, expect, it } from "vitest";
import type { CheckResult, CheckStatus } from "../../../src/assess/assessment.ts";
import { CHECKS } from "../../../src/assess/checks.ts";
import { isAbout, isMapped, NATIVE_MAP } from "../../../src/assess/native-map.ts";
import { worsen } from "../../../src/assess/native-worsen.ts";
import type { NativeFinding } from "../../../src/core/native-evidence.ts";
import { AT, NATIVE, seen, unseen } from "../../helpers/assess-evidence.ts";

// Ids that OpenClaw 2026.9.6 can print; x stands for a channel, an account or a number.
const AUDIT_IDS = (
  "browser.control_invalid_config browser.control_no_auth browser.extension_relay_legacy_auth " +
  "browser.remote_cdp_http browser.remote_cdp_private_host channels.x.dm.disabled channels.x.dm.locked " +
  "channels.x.dm.open channels.x.dm.open_invalid channels.x.account.read_only_resolution " +
  "channels.x.allowFrom.dangerous_name_matching_enabled channels.x.allowFrom.mutable_entries_inert " +
  "channels.x.dm.wildcard_routing_unverified.x channels.x.routing.owner_missing.x channels.x.warning.x " +
  "channels.dm.session_collision.x.x channels.telegram.allowFrom.invalid_entries " +
  "channels.telegram.groups.allowFrom.missing channels.telegram.groups.allowFrom.wildcard " +
  "config.agent_roster.invalid_default_count config.insecure_or_dangerous_flags " +
  "config.secrets.gateway_password_in_config config.secrets.hooks_token_in_config " +
  "discovery.mdns_full_mode fs.auth_profiles.perms_readable fs.auth_profiles.perms_writable " +
  "fs.config.perms_group_readable fs.config.perms_world_readable fs.config.perms_writable " +
  "fs.config.symlink fs.config_include.perms_group_readable fs.config_include.perms_world_readable " +
  "fs.config_include.perms_writable fs.credentials_dir.perms_readable fs.credentials_dir.perms_writable " +
  "fs.log_file.perms_readable fs.sessions_store.perms_readable fs.state_dir.perms_group_writable " +
  "fs.state_dir.perms_readable fs.state_dir.perms_world_writable fs.state_dir.symlink fs.synced_dir " +
  "gateway.token_placeholder_value gateway.token_too_short gateway.auth_no_rate_limit " +
  "gateway.bind_no_auth gateway.control_ui.allowed_origins_required " +
  "gateway.control_ui.allowed_origins_wildcard gateway.control_ui.host_header_origin_fallback " +
  "gateway.http.no_auth gateway.http.session_key_override_enabled gateway.loopback_no_auth " +
  "gateway.nodes.allow_commands_dangerous gateway.nodes.deny_commands_ineffective " +
  "gateway.probe_auth_secretref_unavailable gateway.probe_failed gateway.real_ip_fallback_enabled " +
  "gateway.tailscale_funnel gateway.tailscale_serve gateway.tools_invoke_http.dangerous_allow " +
  "gateway.trusted_proxies_missing gateway.trusted_proxy_allow_loopback gateway.trusted_proxy_auth " +
  "gateway.trusted_proxy_device_auto_approve gateway.trusted_proxy_device_auto_approve_admin " +
  "gateway.trusted_proxy_no_allowlist gateway.trusted_proxy_no_proxies " +
  "gateway.trusted_proxy_no_user_header hooks.allowed_agent_ids_unrestricted " +
  "hooks.default_session_key_unset hooks.installs_missing_integrity hooks.installs_unpinned_npm_specs " +
  "hooks.installs_version_drift hooks.path_root hooks.request_session_key_enabled " +
  "hooks.request_session_key_prefixes_missing hooks.token_reuse_gateway_token hooks.token_too_short " +
  "mcp.apps.enabled models.legacy models.small_params models.weak_tier plugins.x.security_audit_failed " +
  "plugins.allow_phantom_entries plugins.code_safety plugins.code_safety.entry_escape " +
  "plugins.code_safety.entry_path plugins.code_safety.manifest_parse_error " +
  "plugins.code_safety.scan_failed plugins.extensions_no_allowlist plugins.installs_missing_integrity " +
  "plugins.installs_unpinned_npm_specs plugins.installs_version_drift " +
  "plugins.tools_reachable_permissive_policy sandbox.bind_mount_non_absolute " +
  "sandbox.browser_container.docker_probe_timeout sandbox.browser_container.hash_epoch_stale " +
  "sandbox.browser_container.hash_label_missing sandbox.browser_container.non_loopback_publish " +
  "sandbox.dangerous_apparmor_profile sandbox.dangerous_bind_mount sandbox.dangerous_network_mode " +
  "sandbox.dangerous_seccomp_profile sandbox.docker_config_mode_off security.audit.suppressions.active " +
  "security.exposure.open_channels_with_exec security.exposure.open_groups_with_control_plane_tools " +
  "security.exposure.open_groups_with_elevated security.exposure.open_groups_with_runtime_or_fs " +
  "security.trust_model.cross_agent_session_access_default security.trust_model.group_scope_main " +
  "security.trust_model.multi_user_heuristic skills.code_safety skills.code_safety.scan_failed " +
  "skills.workspace.scan_truncated skills.workspace.symlink_escape summary.attack_surface " +
  "tools.elevated.allowFrom.x.large tools.elevated.allowFrom.x.wildcard " +
  "tools.exec.agent_skill_mcp_boundary_drift " +
  "tools.exec.allowlist_interpreter_without_strict_inline_eval tools.exec.auto_allow_skills_enabled " +
  "tools.exec.fs_tools_disabled_but_exec_enabled tools.exec.host_sandbox_no_sandbox_agents " +
  "tools.exec.host_sandbox_no_sandbox_defaults tools.exec.mcporter_registry_inspection_incomplete " +
  "tools.exec.safe_bin_trusted_dirs_risky tools.exec.safe_bins_broad_behavior " +
  "tools.exec.safe_bins_interpreter_unprofiled tools.exec.security_full_configured " +
  "tools.profile_minimal_overridden"
).split(" ");
const POLICY_IDS = (
  "agents-tool-not-denied agents-workspace-access-denied attestation-hash-mismatch " +
  "auth-profile-invalid-metadata auth-profile-unapproved-mode channels-denied-provider " +
  "data-handling-session-retention-not-enforced data-handling-session-transcript-memory-enabled " +
  "data-handling-telemetry-content-capture exec-approvals-agent-security-unapproved " +
  "exec-approvals-allowlist-missing exec-approvals-allowlist-unexpected " +
  "exec-approvals-auto-allow-skills-enabled exec-approvals-default-security-unapproved " +
  "exec-approvals-invalid exec-approvals-missing gateway-auth-disabled gateway-control-ui-insecure " +
  "gateway-http-endpoint-enabled gateway-http-url-fetch-unrestricted gateway-node-command-denied " +
  "gateway-non-loopback-bind gateway-rate-limit-missing gateway-remote-enabled gateway-tailscale-funnel " +
  "ingress-dm-policy-unapproved ingress-dm-scope-unapproved ingress-group-mention-required " +
  "ingress-open-groups-denied mcp-denied-server mcp-unapproved-server models-denied-provider " +
  "models-unapproved-provider network-private-access-enabled policy-conformance-invalid " +
  "policy-conformance-missing policy-conformance-weaker policy-hash-mismatch policy-jsonc-invalid " +
  "policy-jsonc-missing routing-agent-mismatch routing-binding-channel-unconfigured " +
  "routing-bindings-required routing-match-kind-mismatch sandbox-backend-unapproved " +
  "sandbox-browser-cdp-source-range-missing sandbox-container-host-network-denied " +
  "sandbox-container-mount-mode-required sandbox-container-namespace-join-denied " +
  "sandbox-container-posture-unobservable sandbox-container-runtime-socket-mount " +
  "sandbox-container-unconfined-profile sandbox-mode-unapproved secrets-denied-provider-source " +
  "secrets-insecure-provider secrets-unmanaged-provider tools-also-allow-missing " +
  "tools-also-allow-unexpected tools-elevated-enabled tools-exec-ask-unapproved " +
  "tools-exec-host-unapproved tools-exec-security-unapproved tools-fs-workspace-only-required " +
  "tools-missing-owner tools-missing-risk-level tools-missing-sensitivity-token " +
  "tools-profile-unapproved tools-required-deny-missing tools-unknown-risk-level " +
  "tools-unknown-sensitivity-token"
)
  .split(" ")
  .map((id) => `policy/${id}`);

describe("the map of OpenClaw's findings", () => {
  it("has a check for every id that is known", () => {
    expect([AUDIT_IDS.length, POLICY_IDS.length]).toEqual([131, 70]);
    expect([...AUDIT_IDS, ...POLICY_IDS].filter((id) => !isMapped(id))).toEqual([]);
  });

  it("names only checks that exist", () => {
    const known = new Set(CHECKS.map(({ meta }) => meta.check_id));
    expect(Object.keys(NATIVE_MAP).filter((id) => !known.has(id))).toEqual([]);
  });

  it.each(["gateway.new_thing", "policy/never-seen", "", "fs.config", "*", "toolsXelevated.allowFrom.a"])(
    "takes %j for unknown",
    (id) => {
      expect(isMapped(id)).toBe(false);
    },
  );

  it("does not hang on an id made to be slow", () => {
    const startedAt = performance.now();
    expect(isAbout("channel_allowlist_configured", `channels.${"a.".repeat(50_000)}`)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

const META = CHECKS.find(({ meta }) => meta.check_id === "gateway_auth_strong")?.meta ?? CHECKS[0]?.meta;
const result = (status: CheckStatus, change: Partial<CheckResult> = {}): CheckResult => ({
  status,
  observed_state: "seen",
  evidence: [{ source: "s", at: AT, detail: "d" }],
  gap: status === "compliant" || status === "not_applicable" ? "" : "A gap.",
  mitigation: status === "compliant" || status === "not_applicable" ? "" : "Do this.",
  ...change,
});
const finding = (severity: NativeFinding["severity"], suppressed = false): NativeFinding => ({
  id: "gateway.token_too_short",
  severity,
  command: "security audit",
  title: "Token is short",
  suppressed,
});
const after = (before: CheckResult, ...findings: readonly NativeFinding[]): CheckResult => {
  if (META === undefined) throw new Error("no check");
  return worsen(META, before, seen({ ...NATIVE, findings }));
};

describe("what OpenClaw found", () => {
  it.each<readonly [CheckStatus, NativeFinding["severity"], CheckStatus]>([
    ["compliant", "critical", "violation"],
    ["not_applicable", "critical", "violation"],
    ["not_assessed", "critical", "violation"],
    ["partial", "critical", "violation"],
    ["compliant", "warn", "partial"],
    ["not_applicable", "warn", "partial"],
    ["not_assessed", "warn", "not_assessed"],
    ["partial", "warn", "partial"],
    ["violation", "warn", "violation"],
    ["compliant", "info", "compliant"],
    ["not_assessed", "info", "not_assessed"],
  ])("makes %s with %s %s", (before, severity, expected) => {
    const { status, gap, mitigation, evidence } = after(result(before), finding(severity));
    expect(status).toBe(expected);
    expect(evidence.at(-1)).toEqual({
      source: "openclaw security audit (2026.9.6)",
      at: AT,
      detail: `${severity}: gateway.token_too_short: Token is short`,
    });
    const isClosed = status === "compliant" || status === "not_applicable";
    expect([gap === "", mitigation === ""]).toEqual([isClosed, isClosed]);
    expect(gap.includes("OpenClaw's own audit says: Token is short")).toBe(severity !== "info");
  });

  it("counts no more than a note when its owner left it out", () => {
    const left = after(result("compliant"), finding("critical", true));
    expect([left.status, left.gap]).toEqual(["compliant", ""]);
    expect(left.evidence.at(-1)?.detail).toContain("left out by the owner's own settings");
  });

  it("takes away the low risk of a smaller gap", () => {
    expect(after(result("partial", { risk: "low" }), finding("critical")).risk).toBeUndefined();
    expect(after(result("partial", { risk: "low" }), finding("warn")).risk).toBe("low");
  });

  it("changes nothing when OpenClaw was not asked, or spoke of something else", () => {
    const before = result("compliant");
    if (META === undefined) throw new Error("no check");
    expect(worsen(META, before, unseen("not-asked"))).toBe(before);
    expect(after(before, { ...finding("critical"), id: "fs.synced_dir" })).toBe(before);
  });
});
