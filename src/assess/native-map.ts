/**
 * Which check a finding of OpenClaw is about. `*` stands for any text. What no pattern names is
 * shown by `native_audit_clean`. Kept for OpenClaw 2026.9.6; a finding may belong to two checks.
 */
export const NATIVE_MAP: Readonly<Record<string, readonly string[]>> = {
  privilege_approval_required: [
    "tools.exec.security_full_configured",
    "tools.exec.auto_allow_skills_enabled",
    "policy/tools-exec-security-unapproved",
    "policy/tools-exec-ask-unapproved",
    "policy/exec-approvals-default-security-unapproved",
    "policy/exec-approvals-agent-security-unapproved",
    "policy/exec-approvals-missing",
    "policy/exec-approvals-invalid",
  ],
  least_privilege_enforced: [
    "tools.profile_minimal_overridden",
    "tools.exec.fs_tools_disabled_but_exec_enabled",
    "plugins.tools_reachable_permissive_policy",
    "policy/tools-profile-unapproved",
    "policy/tools-fs-workspace-only-required",
    "policy/agents-workspace-access-denied",
    "policy/agents-tool-not-denied",
    "policy/tools-required-deny-missing",
    "policy/tools-also-allow-unexpected",
    "policy/tools-also-allow-missing",
  ],
  open_ports_approved: ["gateway.bind_network_accessible"],
  channel_allowlist_configured: [
    "channels.*.dm.open",
    "channels.*.dm.open_invalid",
    "channels.*.dm.disabled",
    "channels.*.dm.locked",
    "channels.*.groups.open",
    "channels.*.groups.allowFrom.*",
    "channels.*.allowFrom.*",
    "channels.*.allowlisted_groups.broad_members",
    "channels.*.account.read_only_resolution",
    "channels.*.routing.owner_missing.*",
    "channels.*.dm.wildcard_routing_unverified.*",
    "channels.*.warning.*",
    "policy/channels-denied-provider",
    "policy/ingress-dm-policy-unapproved",
    "policy/ingress-open-groups-denied",
  ],
  group_mentions_required: ["policy/ingress-group-mention-required"],
  gateway_loopback_only: [
    "gateway.bind_no_auth",
    "gateway.bind_network_accessible",
    "gateway.trusted_proxies_missing",
    "gateway.tailscale_funnel",
    "gateway.tailscale_serve",
    "gateway.control_ui.*",
    "gateway.real_ip_fallback_enabled",
    "gateway.probe_failed",
    "gateway.probe_auth_secretref_unavailable",
    "discovery.mdns_full_mode",
    "browser.remote_cdp_http",
    "browser.remote_cdp_private_host",
    "policy/gateway-non-loopback-bind",
    "policy/gateway-tailscale-funnel",
    "policy/gateway-remote-enabled",
    "policy/gateway-control-ui-insecure",
    "policy/gateway-http-url-fetch-unrestricted",
  ],
  secrets_permissions_hardened: ["fs.*.perms_*", "fs.*.symlink"],
  alternate_privilege_paths_restricted: [
    "sandbox.dangerous_bind_mount",
    "policy/sandbox-container-runtime-socket-mount",
  ],
  update_hygiene: ["update:available", "plugins.installs_version_drift", "hooks.installs_version_drift"],
  prompt_injection_controls: ["security.exposure.*", "models.*"],
  command_policy_enforced: [
    "tools.exec.allowlist_interpreter_without_strict_inline_eval",
    "tools.exec.safe_bins_interpreter_unprofiled",
    "tools.exec.safe_bins_broad_behavior",
    "tools.exec.safe_bin_trusted_dirs_risky",
    "tools.exec.agent_skill_mcp_boundary_drift",
    "tools.exec.mcporter_registry_inspection_incomplete",
    "policy/exec-approvals-allowlist-missing",
    "policy/exec-approvals-allowlist-unexpected",
    "policy/exec-approvals-auto-allow-skills-enabled",
  ],
  session_boundary_enforced: [
    "channels.*.dm.scope_main_multiuser",
    "channels.dm.session_collision.*",
    "security.trust_model.*",
    "policy/ingress-dm-scope-unapproved",
    "policy/routing-*",
  ],
  multi_factor_approval: ["browser.extension_relay_legacy_auth"],
  egress_allowlist_configured: ["policy/network-private-access-enabled"],
  gateway_auth_strong: [
    "gateway.loopback_no_auth",
    "gateway.http.*",
    "gateway.password_*",
    "gateway.token_*",
    "gateway.auth_no_rate_limit",
    "gateway.trusted_proxy_*",
    "gateway.env_token_overrides_config",
    "browser.control_no_auth",
    "browser.control_invalid_config",
    "policy/gateway-auth-disabled",
    "policy/gateway-rate-limit-missing",
    "policy/gateway-http-endpoint-enabled",
  ],
  exec_sandboxed: ["sandbox.*", "tools.exec.host_sandbox_*", "policy/sandbox-*", "policy/tools-exec-host-unapproved"],
  elevated_mode_restricted: ["tools.elevated.allowFrom.*", "policy/tools-elevated-enabled"],
  plaintext_secrets_absent: ["config.secrets.*", "secrets:*", "policy/secrets-*", "policy/auth-profile-*"],
  dangerous_flags_disabled: [
    "config.insecure_or_dangerous_flags",
    "mcp.apps.enabled",
    "config.agent_roster.invalid_default_count",
  ],
  plugin_supply_chain: [
    "plugins.extensions_no_allowlist",
    "plugins.allow_phantom_entries",
    "plugins.installs_unpinned_npm_specs",
    "plugins.installs_missing_integrity",
    "plugins.code_safety*",
    "plugins.*.security_audit_failed",
    "skills.*",
    "hooks.installs_unpinned_npm_specs",
    "hooks.installs_missing_integrity",
    "policy/tools-missing-*",
    "policy/tools-unknown-*",
  ],
  mcp_servers_approved: ["policy/mcp-*", "policy/models-*"],
  node_pairing_controlled: ["gateway.nodes.*", "policy/gateway-node-command-denied"],
  webhook_ingress_hardened: [
    "hooks.token_*",
    "hooks.default_session_key_unset",
    "hooks.allowed_agent_ids_unrestricted",
    "hooks.request_session_key_*",
    "hooks.path_root",
  ],
  control_plane_tools_restricted: ["gateway.tools_invoke_http.dangerous_allow"],
  session_retention_enforced: ["policy/data-handling-session-retention-*"],
  telemetry_content_capture_off: ["policy/data-handling-telemetry-*", "policy/data-handling-session-transcript-*"],
  config_baseline_intact: [
    "policy/policy-hash-mismatch",
    "policy/attestation-hash-mismatch",
    "policy/policy-conformance-*",
    "policy/policy-jsonc-*",
    "policy/config-invalid",
  ],
  native_audit_clean: ["summary.attack_surface"],
  audit_suppressions_reviewed: ["security.audit.suppressions.active"],
  synced_or_shared_state_absent: ["fs.synced_dir"],
};

export function isMapped(id: string): boolean {
  return Object.values(NATIVE_MAP).some((patterns) => patterns.some((pattern) => matches(pattern, id)));
}

export function isAbout(checkId: string, findingId: string): boolean {
  return (NATIVE_MAP[checkId] ?? []).some((pattern) => matches(pattern, findingId));
}

/** Literal parts in order, without backtracking: an id comes from outside. */
function matches(pattern: string, id: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return pattern === id;
  if (!id.startsWith(head) || id.length < head.length + tail.length || !id.endsWith(tail)) return false;
  let from = head.length;
  for (const part of rest) {
    const found = id.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return from <= id.length - tail.length;
}
