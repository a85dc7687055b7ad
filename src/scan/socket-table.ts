import type { Protocol, ScanProblem } from "../core/network.ts";

/** Output formats `parseSocketTable` reads. `lsof` is the column form, `lsof-F` the field form. */
export type SocketTableFormat =
  | "ss"
  | "lsof"
  | "lsof-F"
  | "netstat-linux"
  | "netstat-darwin"
  | "netstat-windows"
  | "get-nettcpconnection";

/** A process that a tool names as a holder of a socket. `name` is what the process calls itself: no proof. */
export interface TableOwner {
  readonly pid: number;
  readonly name: string | null;
}

/** What a tool may say about who is behind a socket; null or empty is "this tool does not say". */
export interface TableOwnerFacts {
  /** First holder the tool names; null when unknown or when the text can be read in several ways. */
  readonly pid: number | null;
  /** Process name as the tool shows it, unescaped; chosen by the process. */
  readonly name: string | null;
  readonly uid: number | null;
  readonly user: string | null;
  /** Every holder the tool names, in its order, no pid twice. */
  readonly owners: readonly TableOwner[];
  readonly inode: number | null;
}

/** A TCP listener, or a UDP socket without a peer. */
export interface TableListener extends TableOwnerFacts {
  readonly protocol: Protocol;
  /** 46 where the tool says that one socket takes both; null for a "*" whose family is not told. */
  readonly family: 4 | 6 | 46 | null;
  /** Canonical text without a zone; v4-mapped is IPv4; a tool's own wildcard "*" stays "*". */
  readonly address: string;
  /** Zone, scope id or bound device. */
  readonly zone: string | null;
  readonly port: number;
  /** LISTEN for TCP, UNCONN for UDP. */
  readonly state: string;
}

export interface TableConnection extends TableOwnerFacts {
  readonly protocol: Protocol;
  readonly family: 4 | 6 | 46 | null;
  readonly local_address: string;
  /** Zone of the local address, or the bound device. */
  readonly zone: string | null;
  readonly local_port: number;
  readonly remote_address: string;
  readonly remote_zone: string | null;
  readonly remote_port: number;
  /** Linux word: ESTABLISHED, SYN_SENT, TIME_WAIT, CLOSE_WAIT, ...; connected UDP is ESTABLISHED; else UNKNOWN. */
  readonly state: string;
}

/** What one tool's output says. A line that could not be understood is a problem, never just missing. */
export interface SocketTable {
  readonly listeners: readonly TableListener[];
  readonly connections: readonly TableConnection[];
  readonly problems: readonly ScanProblem[];
}
