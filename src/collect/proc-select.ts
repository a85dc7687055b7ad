import type { Direction, ScanProblem } from "../core/network.ts";
import { plural } from "../core/text.ts";
import {
  acceptingKeys,
  type DirectionContext,
  decideDirection,
  isEphemeral,
  isLoopback,
  listenerKey,
} from "../scan/direction.ts";
import type { Slice } from "./proc-slice.ts";
import type { HostNet } from "./proc-table.ts";
import type { ListenerGroup, SeenSocket } from "./seen-socket.ts";

export interface InventoryWant {
  readonly listeners: boolean;
  readonly connections: boolean;
  readonly includeLoopback: boolean;
}

/** The sockets a scan is about, before anything is known about their processes. */
export interface Selection {
  readonly listeners: readonly SeenSocket[];
  readonly connections: readonly SelectedConnection[];
  /** Sockets beyond MAX_ROWS, which are counted only. */
  readonly leftOut: number;
  readonly problems: readonly ScanProblem[];
}

export interface SelectedConnection {
  readonly socket: SeenSocket;
  readonly direction: Direction;
  /** The listeners that may have accepted an inbound one. */
  readonly listeners: readonly ListenerGroup[];
}

const SHOWN_PORTS = 8;
/** Listeners, and connections, of one scan. Anyone may open as many sockets as they like. */
const MAX_ROWS = 20_000;
const NO_LISTENERS: readonly ListenerGroup[] = [];

/** Tells services, connections and mere client sockets apart. */
export async function selectSockets(
  sockets: readonly SeenSocket[],
  host: HostNet,
  want: InventoryWant,
  slice: Slice,
): Promise<Selection> {
  const listeners: SeenSocket[] = [];
  const clients: number[] = [];
  const others: SeenSocket[] = [];
  for (const [index, socket] of sockets.entries()) {
    if (index % 256 === 255 && slice.isOver()) await slice.rest();
    if (socket.state === "LISTEN") listeners.push(socket);
    else if (socket.state !== "UNCONN") others.push(socket);
    else if (isEphemeral(socket.localPort, host.ephemeralPorts)) clients.push(socket.localPort);
    else listeners.push(socket);
  }
  const connections: SelectedConnection[] = [];
  if (want.connections) {
    const listening = new Map<string, SeenSocket[]>();
    for (const one of listeners) {
      const key = listenerKey(one.protocol, one.localAddress, one.localPort);
      const same = listening.get(key);
      if (same === undefined) listening.set(key, [one]);
      else same.push(one);
    }
    const context: DirectionContext = {
      ownAddresses: host.ownAddresses,
      listening,
      ephemeralPorts: host.ephemeralPorts,
    };
    for (const [index, socket] of others.entries()) {
      if (index % 256 === 255 && slice.isOver()) await slice.rest();
      if (socket.protocol === "tcp" && socket.state === "CLOSE") continue;
      const direction = decideDirection(socket, context);
      if (direction === "local" && !want.includeLoopback) continue;
      const keys = direction === "inbound" ? acceptingKeys(socket) : [];
      const accepting = keys.map((key) => listening.get(key)).filter((group) => group !== undefined);
      connections.push({ socket, direction, listeners: accepting.length === 0 ? NO_LISTENERS : accepting });
    }
  }
  return {
    listeners: want.listeners ? widestFirst(listeners) : [],
    connections: mostTelling(connections),
    leftOut: Math.max(0, want.listeners ? listeners.length - MAX_ROWS : 0) + Math.max(0, connections.length - MAX_ROWS),
    problems: problemsOf(want, clients, listeners),
  };
}

/** With too many, each address and port once comes before repeats, and what others can reach before loopback. */
function widestFirst(listeners: readonly SeenSocket[]): readonly SeenSocket[] {
  if (listeners.length <= MAX_ROWS) return listeners;
  const reachable: SeenSocket[] = [];
  const loopback: SeenSocket[] = [];
  const repeats: SeenSocket[] = [];
  const seen = new Set<string>();
  for (const one of listeners) {
    const key = listenerKey(one.protocol, one.localAddress, one.localPort);
    if (seen.has(key)) repeats.push(one);
    else (isLoopback(one.localAddress) ? loopback : reachable).push(one);
    seen.add(key);
  }
  return [...reachable, ...loopback, ...repeats].slice(0, MAX_ROWS);
}

/** With too many, those that may leave this host come before visitors. */
function mostTelling(connections: readonly SelectedConnection[]): readonly SelectedConnection[] {
  if (connections.length <= MAX_ROWS) return connections;
  const isVisit = ({ direction }: SelectedConnection): boolean => direction === "inbound" || direction === "local";
  return [...connections.filter((one) => !isVisit(one)), ...connections.filter(isVisit)].slice(0, MAX_ROWS);
}

function problemsOf(
  want: InventoryWant,
  clients: readonly number[],
  listeners: readonly SeenSocket[],
): readonly ScanProblem[] {
  const problems: ScanProblem[] = [];
  if (want.listeners && clients.length > 0) {
    const ports = [...new Set(clients)].toSorted((a, b) => a - b);
    const shown = ports.slice(0, SHOWN_PORTS).join(", ") + (ports.length > SHOWN_PORTS ? ", ..." : "");
    problems.push({
      code: "udp-client-sockets",
      message: `${plural(clients.length, "UDP socket")} on client ports taken as clients, not as services: ${shown}`,
    });
  }
  const peerless = clients.length + listeners.filter((one) => one.protocol === "udp").length;
  if (want.connections && peerless > 0) {
    problems.push({
      code: "udp-without-peer",
      message: `${plural(peerless, "UDP socket")} without a fixed peer: where they send cannot be seen`,
    });
  }
  return problems;
}
