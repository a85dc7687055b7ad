import type { Direction, Protocol } from "../core/network.ts";

/** The ports the kernel hands out to clients, both ends included. */
export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** Linux's own default, for hosts that do not tell. */
export const DEFAULT_EPHEMERAL_PORTS: PortRange = { low: 32_768, high: 60_999 };

export interface ConnectionEnds {
  readonly protocol: Protocol;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly state: string;
}

/** What one network namespace is known to be at the moment of a scan. */
export interface DirectionContext {
  /** Addresses of this host's interfaces as the kernel states them; never taken from socket rows, which any user can forge with IP_FREEBIND. */
  readonly ownAddresses: ReadonlySet<string>;
  /** Has the `listenerKey` of everything that listens. */
  readonly listening: { has(key: string): boolean };
  readonly ephemeralPorts: PortRange;
}

export function listenerKey(protocol: Protocol, address: string, port: number): string {
  return `${protocol} ${port} ${address}`;
}

/** Keys of the listeners that could have accepted a connection. Whether `::` takes IPv4 too is not in the kernel's tables. */
export function acceptingKeys({ protocol, localAddress, localPort }: ConnectionEnds): string[] {
  const addresses = [localAddress, "::", ...(localAddress.includes(":") ? [] : ["0.0.0.0"])];
  return addresses.map((address) => listenerKey(protocol, address, localPort));
}

/** Clients that want a reserved port get 512 to 1023 (rresvport(3)); what has a lower port is a service. */
const LOWEST_CLIENT_PORT = 512;

/**
 * Who opened a connection. `unknown` when neither a listener nor the port range tells, e.g. a client
 * with a fixed source port.
 *
 * A program may listen on the very port it connects from, so a listener proves little: the remote
 * port must be one that clients have, and nothing is ever accepted by a UDP socket. `inbound` here
 * still has to be confirmed by who holds the two sockets.
 */
export function decideDirection(ends: ConnectionEnds, context: DirectionContext): Direction {
  const remote = ends.remoteAddress;
  if (isLoopback(remote) || context.ownAddresses.has(remote)) return "local";
  if (ends.state === "SYN_SENT") return "outbound";
  const { protocol, localPort } = ends;
  const hasListener = acceptingKeys(ends).some((key) => context.listening.has(key));
  // A UDP socket has a peer only because its owner called connect(), be it to answer or to begin.
  if (hasListener) return protocol === "tcp" && ends.remotePort >= LOWEST_CLIENT_PORT ? "inbound" : "unknown";
  if (isEphemeral(localPort, context.ephemeralPorts)) return "outbound";
  return protocol === "udp" ? "outbound" : "unknown";
}

export function isEphemeral(port: number, range: PortRange): boolean {
  return port >= range.low && port <= range.high;
}

/** Content of /proc/sys/net/ipv4/ip_local_port_range; null when it is not two ports in order. */
export function parsePortRange(text: string): PortRange | null {
  const match = /^\s*(\d{1,5})\s+(\d{1,5})\s*$/.exec(text);
  const low = Number(match?.[1] ?? 0);
  const high = Number(match?.[2] ?? 0);
  return low > 0 && low <= high && high <= 65_535 ? { low, high } : null;
}

/** Host addresses in the content of /proc/net/fib_trie. */
export function parseOwnIpv4(fibTrie: string): Set<string> {
  const own = new Set<string>();
  let leaf: string | null = null;
  for (const line of fibTrie.split("\n")) {
    const address = /^\s*\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(line)?.[1];
    if (address !== undefined) leaf = address;
    else if (leaf !== null && /^\s*\/32 host LOCAL\s*$/.test(line)) own.add(leaf);
  }
  return own;
}

export interface InterfaceAddress {
  /** Full text without compression; canonicalise before comparing. */
  readonly address: string;
  readonly device: string;
}

/** Rows of /proc/net/if_inet6. */
export function parseOwnIpv6(ifInet6: string): InterfaceAddress[] {
  const found: InterfaceAddress[] = [];
  for (const line of ifInet6.split("\n")) {
    const match = /^([0-9a-f]{32}) [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ +(\S+)$/.exec(line);
    const [, hex, device] = match ?? [];
    if (hex === undefined || device === undefined) continue;
    found.push({ address: (hex.match(/.{4}/g) ?? []).join(":"), device });
  }
  return found;
}

/** For canonical text. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
