// Raw facts about how OpenClaw and the machine below it are set up: collect/ fills them, assess/ judges them.

/** Commands and tools that an agent may use without being asked again. */
export interface StandingApprovals {
  /** False: OpenClaw keeps no document of approvals, so nothing is allowed for good. */
  readonly present: boolean;
  readonly entries: readonly StandingApproval[];
  /** Agents whose skills' programs are allowed all by themselves. */
  readonly auto_allow_skills: readonly string[];
}

export interface StandingApproval {
  readonly agent: string;
  readonly kind: "command" | "mcp-tool";
  /** Pattern of the program, or `server/tool`. */
  readonly what: string;
  /** Bound to exact arguments. */
  readonly has_arguments: boolean;
  /** ISO-8601 UTC; null when it was never used or that is not known. */
  readonly last_used_at: string | null;
}

export interface PairedDevices {
  readonly paired: readonly PairedDevice[];
  /** Requests that wait for somebody's yes. */
  readonly pending: number;
}

export interface PairedDevice {
  readonly name: string;
  readonly role: string;
  readonly approved_at: string;
  /** Null when it was never seen since. */
  readonly last_seen_at: string | null;
  /** How it came in, in OpenClaw's word; null when that is not recorded. */
  readonly approved_via: string | null;
}

/** Code that others wrote and OpenClaw runs: plugins and skills that did not come with it. */
export interface InstalledExtensions {
  readonly plugins: readonly InstalledPlugin[];
  /** Folders below the places for plugins and skills that no record of an installation explains. */
  readonly unrecorded: readonly string[];
  readonly skills: readonly string[];
}

export interface InstalledPlugin {
  readonly id: string;
  /** npm, clawhub, git, path, ... */
  readonly source: string;
  readonly spec: string | null;
  /** Null where a source has no versions, such as a folder. */
  readonly is_pinned: boolean | null;
  readonly has_integrity: boolean;
  /** What OpenClaw's registry thinks of it; null when it does not say. */
  readonly verdict: string | null;
}

/** Who may be used as a supplier, as the owner wrote it for OpenClaw's Policy plugin. Null: no list. */
export interface SupplierPolicy {
  readonly path: string;
  readonly present: boolean;
  readonly mcp_allow: readonly string[] | null;
  readonly mcp_deny: readonly string[];
  readonly models_allow: readonly string[] | null;
  readonly models_deny: readonly string[];
}

/** How the service manager confines the gateway. */
export interface GatewayUnit {
  readonly unit: string;
  readonly manager: "system" | "user";
  /** Empty: root for a system unit, the account itself for its own manager. */
  readonly user: string;
  readonly no_new_privileges: boolean;
  readonly protect_system: string;
  readonly private_tmp: boolean;
  /** A service that fails again and again is not started for ever. */
  readonly restart_limited: boolean;
  /** 0 to 10 by `systemd-analyze security`, higher is more exposed; null when it gave none. */
  readonly exposure: number | null;
}

/** What the kernel does with packets from outside that no rule names. */
export interface HostFirewall {
  readonly tool: string;
  readonly rules: number;
  /** Default of each protocol: whether what no rule names is dropped. */
  readonly ipv4_drops: boolean;
  readonly ipv6_drops: boolean;
}

export interface HostPatching {
  readonly manager: string;
  /** Packages for which a fix of a security source is waiting, with the version. */
  readonly security: readonly string[];
  /** When the lists were last fetched; null when that is not known. */
  readonly lists_at: string | null;
  /** Whether fixes are installed without anybody's doing; null when that is not known. */
  readonly automatic: boolean | null;
  readonly reboot_required: boolean;
}

/** The storage below the state folder. */
export interface StateVolume {
  readonly path: string;
  readonly mount_point: string;
  readonly type: string;
  readonly source: string;
  /** Null when it cannot be told, such as below a virtual machine. */
  readonly encrypted: boolean | null;
  /** How that is known, in words. */
  readonly basis: string;
  /** A machine that is carried around; null when that is not known. */
  readonly is_portable: boolean | null;
  readonly is_network: boolean;
  /** Programs that copy the folder elsewhere, by what their folders look like. */
  readonly synced_by: readonly string[];
}

export interface ClockState {
  /** What said so. */
  readonly by: string;
  readonly synchronized: boolean | null;
  /** Seconds away from the true time, without a sign; null when that is not measured. */
  readonly offset_seconds: number | null;
}

/** OpenClaw's config beside what its owner accepted. */
export interface ConfigBaseline {
  /** The file that says what was accepted. */
  readonly path: string;
  readonly accepted: boolean;
  /** Files that are not as accepted. */
  readonly changed: readonly string[];
  /** Files of the config that the baseline does not name. */
  readonly unlisted: readonly string[];
  /** Files that the baseline names and that are no more. */
  readonly missing: readonly string[];
}
