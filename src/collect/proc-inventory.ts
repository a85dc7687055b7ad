import { bindScope, categorizeAddress } from "../core/address.ts";
import type { AddressCategory, Connection, Listener, ProcessFacts, Scope } from "../core/network.ts";
import { baseName } from "../core/path.ts";
import { plural } from "../core/text.ts";
import { type AcceptedView, createAcceptance } from "./proc-accepted.ts";
import type { ProcIdentity } from "./proc-process.ts";
import type { Selection } from "./proc-select.ts";
import type { Slice } from "./proc-slice.ts";
import type { HostNet } from "./proc-table.ts";
import type { UserName } from "./proc-user.ts";
import type { SeenSocket } from "./seen-socket.ts";

/** What is known about processes when rows are built. `holdersOf` has the one to show first in front. */
export interface ProcessView extends AcceptedView {
  /** Null when the process is gone. */
  identityOf(pid: number): ProcIdentity | null;
  readonly userName: UserName;
  /** Processes whose descriptors could not be read. */
  readonly denied: number;
  readonly ownUid: number | null;
  /** Sockets that were closed while the scan looked for their owners. */
  readonly closed: ReadonlySet<number>;
}

export interface Rows {
  readonly listeners: readonly Listener[];
  readonly connections: readonly Connection[];
  readonly unresolved: number;
}

/**
 * Builds the rows of a report. Sockets of one program on one address and port (SO_REUSEPORT) are one
 * listener; a socket that different programs share is a row for each, because each can use it.
 */
export async function buildRows(selection: Selection, host: HostNet, view: ProcessView, slice: Slice): Promise<Rows> {
  const describe = createDescriber(view);
  let unresolved = 0;
  const scopes = new Map<string, Scope>();
  const categories = new Map<string, AddressCategory>();

  const groups = new Map<string, { facts: ProcessFacts; socket: SeenSocket; holders: Set<number> }>();
  for (const [index, socket] of selection.listeners.entries()) {
    if (index % 64 === 63 && slice.isOver()) await slice.rest();
    if (socket.inode !== null && view.closed.has(socket.inode)) continue;
    const { programs, isUnresolved } = describe(socket);
    if (isUnresolved) unresolved += 1;
    for (const { facts, holders } of programs) {
      const key = [
        socket.protocol,
        socket.localPort,
        socket.localAddress,
        socket.told?.device ?? "",
        facts.exe,
        facts.name,
        facts.uid,
        facts.unit,
        facts.container,
        facts.unknown_reason,
      ].join("\u0000");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { facts, socket, holders: new Set(holders) });
      else for (const pid of holders) group.holders.add(pid);
    }
  }
  const listeners: Listener[] = [];
  for (const { facts, socket, holders } of groups.values()) {
    const address = socket.localAddress;
    listeners.push({
      protocol: socket.protocol,
      address,
      port: socket.localPort,
      scope: remember(scopes, address, bindScope),
      device: socket.told?.device ?? host.deviceByAddress.get(address) ?? null,
      // Whether `::` takes IPv4 too (IPV6_V6ONLY) is not in the kernel's tables.
      dual_stack: socket.told?.dualStack ?? (address === "::" ? null : false),
      ...facts,
      owners: holders.size,
    });
  }
  listeners.sort((a, b) => a.port - b.port || order(a.protocol, b.protocol) || order(a.address, b.address));

  const wasAccepted = createAcceptance(view);
  const connections: Connection[] = [];
  for (const [index, { socket, direction, listeners: accepting }] of selection.connections.entries()) {
    if (index % 64 === 63 && slice.isOver()) await slice.rest();
    const { programs, isUnresolved } = describe(socket);
    if (isUnresolved) unresolved += 1;
    const isConfirmed = direction !== "inbound" || wasAccepted(socket, accepting);
    const seen = {
      protocol: socket.protocol,
      direction: isConfirmed ? direction : ("unknown" as const),
      local_address: socket.localAddress,
      local_port: socket.localPort,
      remote_ip: socket.remoteAddress,
      remote_port: socket.remotePort,
      remote_host: null,
      host_source: null,
      state: socket.state,
      category: remember(categories, socket.remoteAddress, categorizeAddress),
    };
    for (const { facts } of programs) connections.push({ ...seen, ...facts });
  }
  return { listeners, connections, unresolved };
}

interface Description {
  readonly programs: readonly Program[];
  /** True when this socket should have an owner and none was found. */
  readonly isUnresolved: boolean;
}

/** One executable, with the processes that run it; `facts` are of the one that started first. */
interface Program {
  readonly facts: ProcessFacts;
  readonly holders: readonly number[];
}

function createDescriber(view: ProcessView): (socket: SeenSocket) => Description {
  const factsByPid = new Map<number, ProcessFacts | null>();

  const factsOf = (pid: number): ProcessFacts | null => {
    const known = factsByPid.get(pid);
    if (known !== undefined) return known;
    const identity = view.identityOf(pid);
    const facts: ProcessFacts | null =
      identity === null
        ? null
        : {
            pid,
            name: identity.name,
            exe: identity.exe,
            exe_deleted: identity.exeDeleted,
            user: identity.uid === null ? null : view.userName(identity.uid),
            uid: identity.uid,
            unit: identity.unit,
            container: identity.container,
            unknown_reason: identity.exe === null ? (identity.exeDoubt ?? whyHidden(identity.uid, view)) : null,
          };
    factsByPid.set(pid, facts);
    return facts;
  };

  const programsOf = (holders: readonly number[]): readonly Program[] => {
    const byProgram = new Map<string, { readonly facts: ProcessFacts; readonly holders: number[] }>();
    for (const pid of holders) {
      const facts = factsOf(pid);
      if (facts === null) continue;
      const key = [facts.exe ?? `named ${facts.name}`, facts.exe_deleted, facts.container].join("\u0000");
      const known = byProgram.get(key);
      if (known === undefined) byProgram.set(key, { facts, holders: [pid] });
      else known.holders.push(pid);
    }
    const programs = [...byProgram.values()];
    // systemd keeps the sockets it starts services for; an ordinary user does not even see that.
    const others = programs.filter(({ facts }) => facts.pid !== 1 || baseName(facts.exe ?? "") !== "systemd");
    return others.length > 0 ? others : programs;
  };

  const nobody = (facts: ProcessFacts, isUnresolved: boolean): Description => ({
    programs: [{ facts, holders: [] }],
    isUnresolved,
  });

  return (socket) => {
    const isListening = socket.state === "LISTEN" || socket.state === "UNCONN";
    const holders = view.holdersOf(socket);
    const programs = programsOf(holders);
    if (programs.length > 0) return { programs, isUnresolved: false };
    const told = socket.told?.holders[0];
    if (told !== undefined) {
      const reason = `named by ${socket.told?.tool ?? "a tool"}; /proc shows nothing about this process`;
      const facts = { ...unknownFacts(socket.uid, reason, view), pid: told.pid, name: told.name };
      return {
        programs: [{ facts, holders: socket.told?.holders.map((one) => one.pid) ?? [] }],
        isUnresolved: false,
      };
    }
    if (!isListening && (socket.inode === 0 || socket.state === "TIME_WAIT")) {
      // The uid of such a row is 0 whoever opened the connection.
      return nobody(unknownFacts(null, `${socket.state}: kernel keeps no owner`, view), false);
    }
    if (holders.length > 0 || (socket.inode !== null && view.closed.has(socket.inode))) {
      // A listener that is really gone is left out before; this one passed on to a process not seen yet.
      return nobody(unknownFacts(socket.uid, "closed while the scan looked for its owner", view), isListening);
    }
    return nobody(unknownFacts(socket.uid, whyHidden(socket.uid, view), view), true);
  };
}

function unknownFacts(uid: number | null, reason: string, view: ProcessView): ProcessFacts {
  return {
    pid: null,
    name: null,
    exe: null,
    exe_deleted: null,
    user: uid === null ? null : view.userName(uid),
    uid,
    unit: null,
    container: null,
    unknown_reason: reason,
  };
}

function whyHidden(uid: number | null, view: ProcessView): string {
  if (view.ownUid === 0) {
    return view.denied > 0
      ? `not visible even to root (${plural(view.denied, "process", "processes")} refused)`
      : "not visible even to root (held by the kernel, or on its way between processes)";
  }
  if (uid === null) return "owner not shown to this user; run as root to resolve";
  const user = view.userName(uid);
  return `owned by uid ${uid}${user === String(uid) ? "" : ` (${user})`}; run as root to resolve`;
}

function remember<T>(known: Map<string, T>, key: string, compute: (key: string) => T): T {
  const earlier = known.get(key);
  if (earlier !== undefined) return earlier;
  const value = compute(key);
  known.set(key, value);
  return value;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
