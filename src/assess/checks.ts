import type { CheckMeta, CheckResult } from "./assessment.ts";
import * as alternatePrivilegePathsRestricted from "./checks/alternate-privilege-paths-restricted.ts";
import * as auditLoggingPrivilegedActions from "./checks/audit-logging-privileged-actions.ts";
import * as backupConfigured from "./checks/backup-configured.ts";
import * as channelAllowlistConfigured from "./checks/channel-allowlist-configured.ts";
import * as commandPolicyEnforced from "./checks/command-policy-enforced.ts";
import * as egressAllowlistConfigured from "./checks/egress-allowlist-configured.ts";
import * as egressConnectionsApproved from "./checks/egress-connections-approved.ts";
import * as elevationTimeout30m from "./checks/elevation-timeout-30m.ts";
import * as gatewayLoopbackOnly from "./checks/gateway-loopback-only.ts";
import * as groupMentionsRequired from "./checks/group-mentions-required.ts";
import * as insecurePortsRemediated from "./checks/insecure-ports-remediated.ts";
import * as leastPrivilegeEnforced from "./checks/least-privilege-enforced.ts";
import * as multiFactorApproval from "./checks/multi-factor-approval.ts";
import * as openPortsApproved from "./checks/open-ports-approved.ts";
import * as privilegeApprovalRequired from "./checks/privilege-approval-required.ts";
import * as promptInjectionControls from "./checks/prompt-injection-controls.ts";
import * as runtimePrivilegeHookInstalled from "./checks/runtime-privilege-hook-installed.ts";
import * as secretsPermissionsHardened from "./checks/secrets-permissions-hardened.ts";
import * as sessionBoundaryEnforced from "./checks/session-boundary-enforced.ts";
import * as updateHygiene from "./checks/update-hygiene.ts";
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
];
