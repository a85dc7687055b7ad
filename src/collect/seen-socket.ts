import type { Protocol } from "../core/network.ts";

/** One socket from whichever source; a row of the kernel's tables is one as it is. */
export interface SeenSocket {
  readonly protocol: Protocol;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** LISTEN, UNCONN, or the state of a connection. */
  readonly state: string;
  /** Uid the kernel keeps with the socket; null when the source does not say. */
  readonly uid: number | null;
  /** 0 when the kernel keeps no owner, null when the source does not say. */
  readonly inode: number | null;
  /** What a tool says beyond the kernel's tables. */
  readonly told?: ToldFacts;
}

export interface ToldFacts {
  readonly tool: string;
  readonly device: string | null;
  readonly dualStack: boolean | null;
  readonly holders: readonly { readonly pid: number; readonly name: string | null }[];
}

/** Listeners on one address and port. */
export type ListenerGroup = readonly SeenSocket[];
