// Raw facts about the host: collect/ fills them, assess/ judges them. They live in core because
// those two layers may not import each other.

export interface StateEntry {
  readonly path: string;
  readonly kind: "file" | "folder" | "symlink" | "other";
  /** Permission bits only, e.g. 0o600. */
  readonly mode: number;
  readonly uid: number;
  /** True when an ACL grants more than the mode shows; null when ACLs could not be read. */
  readonly has_acl: boolean | null;
  /** True when a folder above it in the tree keeps every other account out, so that its mode grants nothing now. */
  readonly shielded?: boolean;
  /** True when the folders above let only the members of its own group get there. */
  readonly group_only?: boolean;
}

/** Modes and owners of the whole state tree, of what its links lead to, of the config, its includes and the logs outside of it, and of the folders above. */
export interface StateTree {
  readonly root: string;
  readonly expected_uid: number;
  readonly entries_seen: number;
  /** Only entries that deviate from 0700/0600, our uid, or are symlinks leaving the tree. */
  readonly deviations: readonly StateEntry[];
  /** Paths that could not be examined. A tree with any of these is never called hardened. */
  readonly unreadable: readonly string[];
  /** True when the walk stopped at its limit. */
  readonly truncated: boolean;
}

/** The running OpenClaw gateway, or the account that would run it. */
export interface GatewayProcess {
  readonly running: boolean;
  readonly pid: number | null;
  readonly uid: number;
  readonly user: string | null;
  readonly groups: readonly string[];
  readonly no_new_privs: boolean | null;
  /** Capabilities as hex from /proc/<pid>/status: those in effect and those it may take up again. */
  readonly cap_eff: string | null;
  /** "process" when read from the running gateway, "current-user" when nothing runs. */
  readonly basis: "process" | "current-user";
  /** Processes that look like a gateway and are not the one above. */
  readonly others: readonly OtherGateway[];
}

export interface OtherGateway {
  readonly pid: number;
  readonly uid: number;
  /** Path of the config it runs with, when that is known and not ours; null when it cannot be told. */
  readonly other_config: string | null;
}

export interface PrivilegePath {
  readonly via:
    | "sudo"
    | "doas"
    | "pkexec"
    | "su"
    | "run0"
    | "container-socket"
    | "setuid"
    | "capability"
    | "writable-file"
    | "group"
    | "root";
  /** What gets to uid 0: a rule, a path, a group. */
  readonly what: string;
  /** `passwordless`: works now without anyone; `password`: asks for one; `unknown`: cannot be told without trying. */
  readonly strength: "passwordless" | "password" | "unknown";
}

/** What reaches uid 0 from the gateway's account. */
export interface PrivilegePaths {
  readonly user: string;
  readonly uid: number;
  readonly paths: readonly PrivilegePath[];
  readonly has_sudo: boolean;
  /** Minutes from sudoers, null when not readable or not set explicitly. */
  readonly sudo_timestamp_minutes: number | null;
  /** What could not be looked at, in words. */
  readonly unknown: readonly string[];
}

export interface BackupState {
  readonly latest_at: string | null;
  /** A snapshot holds one database; it stands here only when there is nothing fuller. Null without a backup. */
  readonly kind: "archive" | "git" | "sqlite-snapshot" | null;
  /** The copy elsewhere that the backup was to have could not be made. */
  readonly push_failed: boolean;
  /** Size of an archive; null for anything but a file. */
  readonly archive_bytes: number | null;
  readonly archive_path: string | null;
  readonly verified: boolean | null;
  readonly outside_state_dir: boolean | null;
  readonly archive_exists: boolean | null;
}

export interface UpdateState {
  readonly installed_version: string | null;
  /** Null also when nothing newer was recorded: OpenClaw then keeps nothing, whether it was answered or not. */
  readonly latest_version: string | null;
  readonly checked_at: string | null;
  readonly node_version: string | null;
}

/** The socket at which the plugin's service answers the sudo shim. */
export interface BrokerSocket {
  readonly path: string;
  /** `gateway`: the running gateway itself listens there; `other`: somebody else does; `none`: nobody. */
  readonly held_by: "gateway" | "other" | "none";
}

/** What the log of privileged actions is worth as a record. */
export interface AuditLogState {
  readonly path: string;
  /** False: there is no file of the log. */
  readonly present: boolean;
  /** `unknown`: nothing contradicts the log, but something needed to say that it is whole is missing. */
  readonly status: "intact" | "tampered" | "unknown";
  /** One sentence on the status. */
  readonly message: string;
  readonly records: number;
  /** Announced runs whose end is not recorded; they may still be running. */
  readonly dangling: number;
  /** True when the system's own log holds the last checkpoint. */
  readonly anchored: boolean;
  readonly sudo: SudoComparison;
}

/** The log beside sudo's own records of the gateway's account. */
export type SudoComparison =
  | {
      readonly kind: "compared";
      readonly source: string;
      /** ISO-8601 UTC; what happened before was not compared. */
      readonly since: string;
      /** Commands that sudo ran for the account. */
      readonly executions: number;
      /** Those that the log did not announce. */
      readonly bypasses: number;
    }
  | { readonly kind: "skipped"; readonly reason: string };

/** What a store of grants, made for this and with clocks set by hand, did with grants that must not run. */
export interface GrantSelfTest {
  /** A fresh grant ran. A store that refuses everything shows nothing by refusing. */
  readonly runs_fresh: boolean;
  /** 30 minutes and 1 second after its last use a grant was refused. */
  readonly refuses_idle: boolean;
  readonly refuses_used: boolean;
  readonly refuses_other_session: boolean;
  /** After the clock was set back no grant was left. */
  readonly drops_on_clock_back: boolean;
}
