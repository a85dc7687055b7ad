import type { Risk } from "./risk.ts";

export type Protocol = "tcp" | "udp";

/** Who can reach a bound address: this host, the local network, the internet, or everything. */
export type Scope = "loopback" | "private" | "public" | "all-interfaces";

/** What kind of address a remote end is. */
export type AddressCategory =
  | "loopback"
  | "unspecified"
  | "private"
  | "cgnat"
  | "link-local"
  | "metadata"
  | "multicast"
  | "reserved"
  | "public";

/** The process behind a socket. Every field is null when it cannot be known; `unknown_reason` says why. */
export interface ProcessFacts {
  readonly pid: number | null;
  /** The kernel's `comm`: chosen by the process itself, so never proof of identity. */
  readonly name: string | null;
  /** Absolute path of the executable, without the kernel's " (deleted)"; null also where the path means nothing here. */
  readonly exe: string | null;
  readonly exe_deleted: boolean | null;
  readonly user: string | null;
  readonly uid: number | null;
  readonly unit: string | null;
  readonly container: string | null;
  /** E.g. "owned by uid 0 (root); run as root to resolve". Null when the executable is known. */
  readonly unknown_reason: string | null;
}

export interface Listener extends ProcessFacts {
  readonly protocol: Protocol;
  /** Canonical text (RFC 5952), v4-mapped shown as IPv4, without a zone. */
  readonly address: string;
  readonly port: number;
  readonly scope: Scope;
  /** Zone of a link-local address or the device the socket is bound to, else null. */
  readonly device: string | null;
  /** True for `::` that also takes IPv4; null when it cannot be told. */
  readonly dual_stack: boolean | null;
  /** How many processes of this program hold the socket (a preforking server is one listener). At least 0. */
  readonly owners: number;
}

export type Direction = "outbound" | "inbound" | "local" | "unknown";

export interface Connection extends ProcessFacts {
  readonly protocol: Protocol;
  readonly direction: Direction;
  readonly local_address: string;
  readonly local_port: number;
  readonly remote_ip: string;
  readonly remote_port: number;
  /** Host name the address belongs to as far as it is known. Never from a PTR record. */
  readonly remote_host: string | null;
  readonly host_source: "recorder" | "dns" | null;
  /** Kernel state name: ESTABLISHED, SYN_SENT, FIN_WAIT1, TIME_WAIT, CLOSE_WAIT, ... */
  readonly state: string;
  readonly category: AddressCategory;
}

/** Something that limited a scan, in words and with a stable code. */
export interface ScanProblem {
  readonly code: string;
  readonly message: string;
}

/** What a collector saw at one moment, before any judgement. */
export interface SocketInventory {
  /** "proc", "ss", "lsof", "netstat" or a combination joined by "+". */
  readonly collector: string;
  /** ISO-8601 UTC. */
  readonly collected_at: string;
  /** True only when nothing the collector should have seen was withheld from it. */
  readonly complete: boolean;
  /** Sockets whose owner could not be determined. */
  readonly unresolved: number;
  /** Processes whose descriptors could not be read. */
  readonly denied: number;
  readonly listeners: readonly Listener[];
  readonly connections: readonly Connection[];
  readonly problems: readonly ScanProblem[];
}

export type PortFindingType =
  | "unapproved-port"
  | "insecure-port"
  | "public-bind"
  | "deleted-executable"
  | "unverifiable";
export type EgressFindingType = "unapproved-egress" | "metadata-endpoint" | "unverifiable";

/** The process fields a network finding carries. */
export interface FindingProcess {
  readonly pid: number | null;
  readonly name: string | null;
  readonly exe: string | null;
  readonly user: string | null;
  readonly unit: string | null;
  readonly container: string | null;
}

export interface NetworkFinding {
  readonly check_id: "open_ports_approved" | "insecure_ports_remediated" | "egress_connections_approved";
  readonly type: PortFindingType | EgressFindingType;
  readonly status: "violation" | "partial" | "not_assessed";
  readonly risk: Risk;
  readonly title: string;
  readonly evidence: string;
  readonly why: string;
  readonly mitigation: string;
  /** Stable across runs: never contains a pid. E.g. "tcp 0.0.0.0:8080 /usr/bin/python3.11". */
  readonly target: string;
  readonly owner?: string;
  readonly due_date?: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** The local address: the bound one of a listener, the local end of a connection. */
  readonly bind_address: string;
  readonly scope: Scope;
  readonly process: FindingProcess;
  /**
   * How many findings of this type about this program are not listed because of it. A socket of such
   * a program that has no finding of its own is then not approved, it is one of these.
   */
  readonly more?: number;
  readonly remote_host?: string | null;
  readonly remote_ip?: string;
  readonly remote_port?: number;
}

/** A rule of a reviewed file that wants attention: expired, never matched, not yet reviewed, or without a bind scope. */
export interface RuleNote {
  /** Position in the file, from 0. */
  readonly rule: number;
  readonly kind:
    | "expired"
    | "unused"
    | "unreviewed"
    | "unscoped"
    | "unresolvable"
    | "invalid-pattern"
    | "too-broad"
    | "advice";
  readonly message: string;
}

/** What a scan says about itself, whatever it looked for. */
interface ScanReport {
  readonly schemaVersion: 1;
  /** "incomplete" when something was withheld from the scan; `problems` says what. */
  readonly status: "ok" | "incomplete";
  /** ISO-8601 UTC. */
  readonly collected_at: string;
  readonly collector: string;
  readonly complete: boolean;
  /** Sockets whose owner is not known. */
  readonly unresolved: number;
  /** Processes that could not be looked into. */
  readonly denied: number;
  readonly findings: readonly NetworkFinding[];
  readonly rule_notes: readonly RuleNote[];
  readonly problems: readonly ScanProblem[];
}

export interface PortReport extends ScanReport {
  /** Path of the baseline, or null when there is none. */
  readonly approved_file: string | null;
  readonly approved_rules: number;
  readonly listening_services: readonly Listener[];
}

export interface EgressReport extends ScanReport {
  /** Path of the allowlist, or null when there is none. */
  readonly allowlist_file: string | null;
  readonly allowlist_rules: number;
  readonly connections: readonly Connection[];
}
