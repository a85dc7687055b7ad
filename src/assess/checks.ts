import type { CheckMeta, CheckResult } from "./assessment.ts";
import * as agentActivityLedgerEnabled from "./checks/agent-activity-ledger-enabled.ts";
import * as alternatePrivilegePathsRestricted from "./checks/alternate-privilege-paths-restricted.ts";
import * as auditLogForwarded from "./checks/audit-log-forwarded.ts";
import * as auditLoggingPrivilegedActions from "./checks/audit-logging-privileged-actions.ts";
import * as auditSuppressionsReviewed from "./checks/audit-suppressions-reviewed.ts";
import * as backupConfigured from "./checks/backup-configured.ts";
import * as backupRestoreTested from "./checks/backup-restore-tested.ts";
import * as channelAllowlistConfigured from "./checks/channel-allowlist-configured.ts";
import * as commandPolicyEnforced from "./checks/command-policy-enforced.ts";
import * as configBaselineIntact from "./checks/config-baseline-intact.ts";
import * as controlPlaneToolsRestricted from "./checks/control-plane-tools-restricted.ts";
import * as dangerousFlagsDisabled from "./checks/dangerous-flags-disabled.ts";
import * as diskEncryptionEnabled from "./checks/disk-encryption-enabled.ts";
import * as egressAllowlistConfigured from "./checks/egress-allowlist-configured.ts";
import * as egressConnectionsApproved from "./checks/egress-connections-approved.ts";
import * as elevatedModeRestricted from "./checks/elevated-mode-restricted.ts";
import * as elevationTimeout30m from "./checks/elevation-timeout-30m.ts";
import * as execSandboxed from "./checks/exec-sandboxed.ts";
import * as gatewayAuthStrong from "./checks/gateway-auth-strong.ts";
import * as gatewayLoopbackOnly from "./checks/gateway-loopback-only.ts";
import * as gatewayServiceHardened from "./checks/gateway-service-hardened.ts";
import * as groupMentionsRequired from "./checks/group-mentions-required.ts";
import * as hostFirewallActive from "./checks/host-firewall-active.ts";
import * as hostPatchingCurrent from "./checks/host-patching-current.ts";
import * as insecurePortsRemediated from "./checks/insecure-ports-remediated.ts";
import * as leastPrivilegeEnforced from "./checks/least-privilege-enforced.ts";
import * as mcpServersApproved from "./checks/mcp-servers-approved.ts";
import * as multiFactorApproval from "./checks/multi-factor-approval.ts";
import * as nativeAuditClean from "./checks/native-audit-clean.ts";
import * as nodePairingControlled from "./checks/node-pairing-controlled.ts";
import * as openPortsApproved from "./checks/open-ports-approved.ts";
import * as plaintextSecretsAbsent from "./checks/plaintext-secrets-absent.ts";
import * as pluginSupplyChain from "./checks/plugin-supply-chain.ts";
import * as privilegeApprovalRequired from "./checks/privilege-approval-required.ts";
import * as promptInjectionControls from "./checks/prompt-injection-controls.ts";
import * as runtimePrivilegeHookInstalled from "./checks/runtime-privilege-hook-installed.ts";
import * as secretsPermissionsHardened from "./checks/secrets-permissions-hardened.ts";
import * as sessionBoundaryEnforced from "./checks/session-boundary-enforced.ts";
import * as sessionRetentionEnforced from "./checks/session-retention-enforced.ts";
import * as standingGrantsBounded from "./checks/standing-grants-bounded.ts";
import * as syncedOrSharedStateAbsent from "./checks/synced-or-shared-state-absent.ts";
import * as telemetryContentCaptureOff from "./checks/telemetry-content-capture-off.ts";
import * as timeSyncEnabled from "./checks/time-sync-enabled.ts";
import * as updateHygiene from "./checks/update-hygiene.ts";
import * as webhookIngressHardened from "./checks/webhook-ingress-hardened.ts";
import type { AssessEvidence } from "./evidence.ts";

export interface Check {
  readonly meta: CheckMeta;
  readonly check: (evidence: AssessEvidence) => CheckResult;
}

/** Every check, in the order of the reports. A check id never changes its meaning. */
export const CHECKS: readonly Check[] = [
  privilegeApprovalRequired,
  leastPrivilegeEnforced,
  elevationTimeout30m,
  auditLoggingPrivilegedActions,
  openPortsApproved,
  insecurePortsRemediated,
  channelAllowlistConfigured,
  groupMentionsRequired,
  gatewayLoopbackOnly,
  secretsPermissionsHardened,
  runtimePrivilegeHookInstalled,
  alternatePrivilegePathsRestricted,
  backupConfigured,
  updateHygiene,
  promptInjectionControls,
  commandPolicyEnforced,
  sessionBoundaryEnforced,
  multiFactorApproval,
  egressAllowlistConfigured,
  egressConnectionsApproved,
  gatewayAuthStrong,
  execSandboxed,
  elevatedModeRestricted,
  plaintextSecretsAbsent,
  dangerousFlagsDisabled,
  pluginSupplyChain,
  mcpServersApproved,
  nodePairingControlled,
  webhookIngressHardened,
  controlPlaneToolsRestricted,
  agentActivityLedgerEnabled,
  auditLogForwarded,
  sessionRetentionEnforced,
  telemetryContentCaptureOff,
  configBaselineIntact,
  nativeAuditClean,
  auditSuppressionsReviewed,
  standingGrantsBounded,
  backupRestoreTested,
  gatewayServiceHardened,
  hostFirewallActive,
  hostPatchingCurrent,
  diskEncryptionEnabled,
  timeSyncEnabled,
  syncedOrSharedStateAbsent,
];
