import type { Evidence } from "./evidence.ts";
import type { GatewayProcess, PrivilegePaths } from "./host-evidence.ts";

// What decides how far approvals can be relied on here: collect/ measures, assess/posture.ts judges.

/** The sudo that is installed. */
export interface InstalledSudo {
  readonly path: string;
  readonly flavour: "sudo" | "sudo-rs";
  /** As it prints it, such as "1.9.13p3"; empty when it was not understood. */
  readonly version: string;
  /** CVE ids that the installed package's own changelog names as fixed: distributions repair without a new number. */
  readonly fixed: readonly string[];
}

/** Settings that sudo applies to the account; null where they were not shown. */
export interface SudoSettings {
  /** False: sudo says that the account may run nothing. Null: it did not say. */
  readonly has_rules: boolean | null;
  readonly use_pty: boolean | null;
  /** Where sudo writes its own record: a file, "syslog", or "" for nowhere. */
  readonly log: string | null;
  /** A password typed a moment ago still serves. */
  readonly cached: boolean | null;
}

export interface KernelGuards {
  /** kernel.yama.ptrace_scope; null where the kernel has no Yama, which protects as little as 0. */
  readonly ptrace_scope: number | null;
  readonly protected_symlinks: number | null;
  readonly protected_hardlinks: number | null;
}

/** The program of the running gateway. */
export interface GatewayProgram {
  readonly path: string;
  readonly uid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Only root can replace it: every folder and link on the way is root's. */
  readonly is_root_only: boolean;
}

export interface GatewayDebugger {
  /** A handler for SIGUSR1 is set: Node's own, which opens the inspector, looks like any other. */
  readonly handles_sigusr1: boolean;
  /** `--inspect` and its like; null where the process hides its command line behind a title. */
  readonly inspect_flag: boolean | null;
  /** TCP ports that the process listens on; null when they could not be attributed. */
  readonly ports: readonly number[] | null;
}

export interface ServiceManager {
  readonly unit: string | null;
  /** Whose service manager started it: the system's, the account's own, or none. */
  readonly manager: "system" | "user" | "none";
}

export interface CodeOwnership {
  readonly looked_at: readonly string[];
  /** Files or folders of these that others than root can change. */
  readonly changeable: readonly string[];
}

export interface FolderMode {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
}

/** Who can answer an approval on this installation; without proof: enrolled by what any program of the account can do. */
export type ApproverKind = "terminal" | "device" | "device without proof" | "channel" | "runtime";

export interface PostureFacts {
  readonly account: Evidence<GatewayProcess>;
  readonly privilege: Evidence<PrivilegePaths>;
  /** Null: there is no sudo. */
  readonly sudo: Evidence<InstalledSudo | null>;
  readonly sudo_settings: Evidence<SudoSettings>;
  readonly kernel: Evidence<KernelGuards>;
  /** True: processes of the same account may read and write the gateway's memory. */
  readonly memory_open: Evidence<boolean>;
  readonly program: Evidence<GatewayProgram>;
  readonly debugger: Evidence<GatewayDebugger>;
  readonly manager: Evidence<ServiceManager>;
  readonly code: Evidence<CodeOwnership>;
  readonly folders: Evidence<readonly FolderMode[]>;
  /** Where checkpoints of the audit log can be told to that this account cannot erase; null: nowhere. */
  readonly anchor: Evidence<"journald" | "syslog" | null>;
  readonly approvers: Evidence<readonly ApproverKind[]>;
}
