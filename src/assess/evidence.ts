import type { Evidence } from "../core/evidence.ts";
import type {
  AuditLogState,
  BackupState,
  BrokerSocket,
  GatewayProcess,
  GrantSelfTest,
  PrivilegePaths,
  StateTree,
  UpdateState,
} from "../core/host-evidence.ts";
import type { ApproverKind } from "../core/posture-facts.ts";
import type { NativeEvidence } from "../core/native-evidence.ts";
import type { EgressReport, PortReport, SocketInventory } from "../core/network.ts";
import type {
  ClockState,
  ConfigBaseline,
  GatewayUnit,
  HostFirewall,
  HostPatching,
  InstalledExtensions,
  PairedDevices,
  StandingApprovals,
  StateVolume,
  SupplierPolicy,
} from "../core/setup-evidence.ts";
import type { CommandPolicy } from "../schema/command-policy.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";
import type { PromptPolicy } from "../schema/prompt-policy.ts";

/** Everything the checks may look at: gathered once by collect/, judged by assess/checks/. */
export interface AssessEvidence {
  readonly config: Evidence<OpenClawConfig>;
  readonly stateTree: Evidence<StateTree>;
  readonly gateway: Evidence<GatewayProcess>;
  readonly privilege: Evidence<PrivilegePaths>;
  readonly commandPolicy: Evidence<CommandPolicyFile>;
  readonly promptPolicy: Evidence<PolicyFile<PromptPolicy>>;
  readonly sockets: Evidence<SocketInventory>;
  readonly ports: Evidence<PortReport>;
  readonly egress: Evidence<EgressReport>;
  readonly backup: Evidence<BackupState>;
  readonly auditLog: Evidence<AuditLogState>;
  readonly grants: Evidence<GrantSelfTest>;
  readonly broker: Evidence<BrokerSocket>;
  readonly approvers: Evidence<readonly ApproverKind[]>;
  readonly update: Evidence<UpdateState>;
  readonly approvals: Evidence<StandingApprovals>;
  readonly devices: Evidence<PairedDevices>;
  readonly extensions: Evidence<InstalledExtensions>;
  readonly suppliers: Evidence<SupplierPolicy>;
  readonly unit: Evidence<GatewayUnit>;
  readonly firewall: Evidence<HostFirewall>;
  readonly patching: Evidence<HostPatching>;
  readonly volume: Evidence<StateVolume>;
  readonly clock: Evidence<ClockState>;
  readonly configBaseline: Evidence<ConfigBaseline>;
  /** May worsen any answer, and makes none better. */
  readonly native: Evidence<NativeEvidence>;
}

/** A policy file that was read; a missing one is `present: false`, a broken one is unmeasured. */
export interface PolicyFile<T> {
  readonly path: string;
  readonly present: boolean;
  readonly policy: T | null;
}

export interface CommandPolicyFile extends PolicyFile<CommandPolicy> {
  /** What the linter of the policy layer says about it. Empty without a policy. */
  readonly notes: readonly PolicyNote[];
}

export interface PolicyNote {
  /** Kinds of `lintCommandPolicy`: "catch-all", "allows-interpreter", "empty-policy", ... */
  readonly kind: string;
  /** Where, e.g. "allow[0]" or a rule id; empty for the whole policy. */
  readonly rule: string;
  readonly message: string;
}

export type {
  AuditLogState,
  BackupState,
  BrokerSocket,
  GatewayProcess,
  GrantSelfTest,
  OtherGateway,
  PrivilegePath,
  PrivilegePaths,
  StateEntry,
  StateTree,
  SudoComparison,
  UpdateState,
} from "../core/host-evidence.ts";
