import { setImmediate } from "node:timers/promises";
import { SecurityError } from "../core/error.ts";
import type { ScanProblem, SocketInventory } from "../core/network.ts";
import { plural } from "../core/text.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { locateTool } from "../exec/locate-tool.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { listenerKey } from "../scan/direction.ts";
import { mergeTables } from "../scan/merge-tables.ts";
import { createAddressTexts } from "../scan/proc-net.ts";
import type { SocketTable, TableOwnerFacts } from "../scan/socket-table.ts";
import { createProcFiles } from "./proc-file.ts";
import { buildRows } from "./proc-inventory.ts";
import { createNamespaceWatch } from "./proc-namespace.ts";
import { createOwnerSearch, type OwnerSearch, type SocketOwners } from "./proc-owner.ts";
import { readIdentity, readStat } from "./proc-process.ts";
import { selectSockets } from "./proc-select.ts";
import { createSlice, type Slice } from "./proc-slice.ts";
import { readHostNet, readOtherProtocols, readTables } from "./proc-table.ts";
import { createUserNames } from "./proc-user.ts";
import type { SeenSocket, ToldFacts } from "./seen-socket.ts";
import { collectWithTools } from "./socket-tools.ts";

export interface SocketCollectorDeps {
  /** Absolute folder that stands for /proc. */
  readonly procRoot: string;
  readonly now: () => EpochMs;
  readonly monotonicMs: () => number;
  readonly runTool: RunTool;
  readonly locateTool: typeof locateTool;
  readonly ownPid: number;
  /** Null where the platform has no uids. */
  readonly ownUid: number | null;
  /** Lets other work run between two slices. */
  readonly yieldToLoop?: () => Promise<void>;
}

export interface SocketWant {
  readonly listeners: boolean;
  readonly connections: boolean;
  readonly includeUdp: boolean;
  /** Also connections to this host itself. */
  readonly includeLoopback?: boolean;
}

/** Reads the sockets of this network namespace; what one scan learns makes the next one faster. */
export interface SocketCollector {
  /** @throws {SecurityError} proc-unusable when neither /proc nor any tool can tell */
  collect(want: SocketWant): Promise<SocketInventory>;
}

/** Sockets as one source shows them. */
interface Seen {
  readonly collector: string;
  readonly sockets: readonly SeenSocket[];
  /** False when the source may have left something out. */
  readonly isWhole: boolean;
  readonly problems: readonly ScanProblem[];
}

export function createSocketCollector(deps: SocketCollectorDeps): SocketCollector {
  const { procRoot, now, monotonicMs, ownPid, ownUid, yieldToLoop = async () => await setImmediate() } = deps;
  const files = createProcFiles(procRoot);
  const passwd = createProcFiles("/etc");
  const texts = createAddressTexts();
  const namespaces = createNamespaceWatch(files, monotonicMs);
  // One memory per kind of scan: a scan for listeners must not forget what is known about connections.
  const searches = new Map<string, { readonly owners: OwnerSearch; confirmed: ReadonlySet<number> }>();

  const searchFor = (want: SocketWant): { readonly owners: OwnerSearch; confirmed: ReadonlySet<number> } => {
    const key = `${want.listeners} ${want.connections} ${want.includeUdp} ${want.includeLoopback === true}`;
    const known = searches.get(key);
    if (known !== undefined) return known;
    const fresh = { owners: createOwnerSearch(files, ownPid, monotonicMs), confirmed: new Set<number>() };
    searches.set(key, fresh);
    return fresh;
  };

  const readSeen = async (want: SocketWant, slice: Slice): Promise<Seen> => {
    const rows = want.connections ? "all" : "listening";
    const tables = await readTables(files, { rows, includeUdp: want.includeUdp }, texts, slice);
    if (tables.kind === "read") {
      const { sockets, gaps } = tables;
      return { collector: "proc", sockets, isWhole: gaps.length === 0, problems: gaps };
    }
    return await readWithTools(deps, want, tables.why);
  };

  /**
   * A socket nobody seems to own may just have been closed. Looking at the tables once more tells, and
   * keeps a busy host from being called incomplete for connections that ended during the scan.
   */
  const findClosed = async (
    seen: Seen,
    inodes: ReadonlySet<number>,
    owners: SocketOwners,
    want: SocketWant,
    slice: Slice,
  ): Promise<ReadonlySet<number>> => {
    // A refusing process explains ownerless listeners, which rarely close; connections end all the time.
    if (!want.connections && owners.denied > 0) return new Set();
    const search = searchFor(want);
    const uidOf = new Map(seen.sockets.map((socket) => [socket.inode, socket.uid]));
    const ownerless = [...inodes].filter((inode) => !owners.holders.has(inode));
    const surprising = ownerless.filter(
      (inode) => !search.confirmed.has(inode) && (ownUid === 0 || uidOf.get(inode) === ownUid),
    );
    if (surprising.length === 0 || seen.collector !== "proc") return new Set();
    const again = await readSeen(want, slice);
    if (again.collector !== "proc") return new Set();
    const present = new Set(again.sockets.map((socket) => socket.inode));
    search.confirmed = new Set(ownerless.filter((inode) => present.has(inode)));
    // A service that opens its port anew all the time is not gone because this socket of it is.
    const reopened = new Set(again.sockets.filter(isListening).map(placeOf));
    const stays = new Set(
      seen.sockets.filter((socket) => isListening(socket) && reopened.has(placeOf(socket))).map(({ inode }) => inode),
    );
    return new Set(surprising.filter((inode) => !present.has(inode) && !stays.has(inode)));
  };

  const collect = async (want: SocketWant): Promise<SocketInventory> => {
    const collectedAt = isoFromEpoch(now());
    const slice = createSlice(monotonicMs, yieldToLoop);
    const seen = await readSeen(want, slice);
    const host = readHostNet(files, { ownAddresses: want.connections });
    const rowsWanted = { ...want, includeLoopback: want.includeLoopback === true };
    const selection = await selectSockets(seen.sockets, host, rowsWanted, slice);
    if (slice.isOver()) await slice.rest();
    const inodes = new Set<number>();
    for (const { inode } of selection.listeners) if (inode !== null && inode !== 0) inodes.add(inode);
    for (const { socket } of selection.connections) {
      if (socket.inode !== null && socket.inode !== 0) inodes.add(socket.inode);
    }
    const searched = new Set(inodes);
    const groups = new Set(selection.connections.flatMap(({ listeners }) => listeners));
    for (const group of groups) for (const { inode } of group) if (inode !== null && inode !== 0) searched.add(inode);
    const owners = await searchFor(want).owners.find(searched, slice);
    const closed = await findClosed(seen, inodes, owners, want, slice);
    const startTimes = startTimesOf(owners);
    const view = {
      holdersOf: (socket: SeenSocket) => holdersOf(socket, owners),
      parentOf: (pid: number) => readStat(files, pid)?.parent ?? null,
      isHidden: ({ inode, uid }: SeenSocket) =>
        inode !== null && !closed.has(inode) && (ownUid === 0 || uid === ownUid),
      identityOf: (pid: number) => readIdentity(files, pid, startTimes.get(pid) ?? null),
      userName: createUserNames(passwd, "passwd"),
      denied: owners.denied,
      ownUid,
      closed,
    };
    const rows = await buildRows(selection, host, view, slice);
    const limits = limitsOf(selection.leftOut, owners.unsearched);
    const others = seen.collector === "proc" ? readOtherProtocols(files) : [];
    return {
      collector: seen.collector,
      collected_at: collectedAt,
      complete: rows.unresolved === 0 && seen.isWhole && limits.length === 0 && !others.some(isTransport),
      unresolved: rows.unresolved,
      denied: owners.denied,
      listeners: rows.listeners,
      connections: rows.connections,
      problems: [...seen.problems, ...limits, ...selection.problems, ...others, ...(await namespaces.look(slice))],
    };
  };

  return { collect };
}

/** What no scan gets beyond, however much there is; with any, the scan is incomplete. */
function limitsOf(leftOut: number, unsearched: number): ScanProblem[] {
  const problems: ScanProblem[] = [];
  if (leftOut > 0) {
    problems.push({ code: "too-many-sockets", message: `${plural(leftOut, "socket")} more than a scan can show` });
  }
  if (unsearched > 0) {
    const message = `${plural(unsearched, "process", "processes")} not searched for sockets in time; somebody holds very many descriptors`;
    problems.push({ code: "owner-search-cut", message });
  }
  return problems;
}

/** Can serve and exfiltrate like TCP and UDP, while hardly any honest program uses it. */
function isTransport({ code }: ScanProblem): boolean {
  return code === "other-transports";
}

function isListening({ state }: SeenSocket): boolean {
  return state === "LISTEN" || state === "UNCONN";
}

function placeOf({ protocol, localAddress, localPort }: SeenSocket): string {
  return listenerKey(protocol, localAddress, localPort);
}

function startTimesOf({ holders }: SocketOwners): ReadonlyMap<number, string> {
  const times = new Map<number, string>();
  for (const list of holders.values()) for (const { pid, startTime } of list) times.set(pid, startTime);
  return times;
}

function holdersOf(socket: SeenSocket, owners: SocketOwners): readonly number[] {
  const found = socket.inode === null ? undefined : owners.holders.get(socket.inode);
  if (found !== undefined) return found.map((holder) => holder.pid);
  return socket.told?.holders.map((holder) => holder.pid) ?? [];
}

/** The order of trust is that of `collectWithTools`; tools are asked only where /proc cannot be used at all. */
async function readWithTools(deps: SocketCollectorDeps, want: SocketWant, why: string): Promise<Seen> {
  const { runTool, locateTool: locate } = deps;
  const asked = await collectWithTools({ runTool, locateTool: locate }, { includeUdp: want.includeUdp });
  const tools = asked.tables.map((entry) => entry.tool);
  if (tools.length === 0) {
    throw new SecurityError("proc-unusable", `Sockets cannot be listed: ${why}, and no tool could be used`, {
      hint: "Mount /proc, or install iproute2 (ss), lsof or net-tools (netstat).",
      details: { problems: asked.problems },
    });
  }
  const collector = tools.join("+");
  const merged = mergeTables(asked.tables.map((entry) => entry.table));
  const problems = [{ code: "proc-unusable", message: `Read with ${collector}, because ${why}` }, ...asked.problems];
  // Only an ss without any trouble is whole: lsof leaves out hidden processes, and netstat reads the same /proc.
  return { collector, sockets: seenFromTable(merged, collector), isWhole: asked.problems.length === 0, problems };
}

function seenFromTable(table: SocketTable, tool: string): SeenSocket[] {
  const told = (facts: TableOwnerFacts, device: string | null, dualStack: boolean | null): ToldFacts => ({
    tool,
    device,
    dualStack,
    holders: facts.owners.length > 0 || facts.pid === null ? facts.owners : [{ pid: facts.pid, name: facts.name }],
  });
  const listeners = table.listeners.map((row) => ({
    protocol: row.protocol,
    // A wildcard without a family may take both; `::` is the wider reading.
    localAddress: row.address === "*" ? (row.family === 4 ? "0.0.0.0" : "::") : row.address,
    localPort: row.port,
    remoteAddress: "",
    remotePort: 0,
    state: row.state,
    uid: row.uid,
    inode: row.inode,
    told: told(row, row.zone, row.family === 46 ? true : null),
  }));
  const connections = table.connections.map((row) => ({
    protocol: row.protocol,
    localAddress: row.local_address,
    localPort: row.local_port,
    remoteAddress: row.remote_address,
    remotePort: row.remote_port,
    state: row.state,
    uid: row.uid,
    inode: row.inode,
    told: told(row, row.zone, null),
  }));
  return [...listeners, ...connections];
}
