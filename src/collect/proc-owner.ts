import { type ProcFiles, REFUSED } from "./proc-file.ts";
import { type ProcStat, readStat } from "./proc-process.ts";
import type { Slice } from "./proc-slice.ts";

/** A process that has a socket open. */
export interface Holder {
  readonly pid: number;
  readonly fd: string;
  readonly startTime: string;
}

export interface SocketOwners {
  /** Holders by inode, each process once, the one that started first in front. */
  readonly holders: ReadonlyMap<number, readonly Holder[]>;
  /** Processes whose descriptors could not be read, as far as they were looked at. */
  readonly denied: number;
}

export interface OwnerSearch {
  /**
   * @param countHolders also look for every other process that shares a socket, not just for one owner
   */
  find(wanted: ReadonlySet<number>, countHolders: boolean, slice: Slice): Promise<SocketOwners>;
}

/** What the last search learned. It only ever says where to look first; each socket is looked at again. */
interface Memory {
  readonly at: number;
  readonly pids: ReadonlySet<number>;
  readonly holders: ReadonlyMap<number, readonly Holder[]>;
  readonly refused: ReadonlySet<number>;
  /** Looked for in every process and found in none. */
  readonly unowned: ReadonlySet<number>;
}

/** After this long nothing that was remembered is used: sockets can be handed to any process. */
const FORGET_AFTER_MS = 120_000;
/** Links read between two looks at the clock. */
const LINKS_PER_CHECK = 32;

/**
 * Finds the processes behind socket inodes through /proc/<pid>/fd. Reading every descriptor of every
 * process is what makes this slow, so it stops when all are found, starts where sockets were found last
 * time, and checks what it remembers with one readlink per socket.
 */
export function createOwnerSearch(files: ProcFiles, ownPid: number, monotonicMs: () => number): OwnerSearch {
  let memory: Memory | null = null;
  return {
    find: async (wanted, countHolders, slice) => {
      const at = monotonicMs();
      const known = memory !== null && at - memory.at < FORGET_AFTER_MS ? memory : null;
      const search = createWalk(files, wanted, slice);
      const pids = listPids(files);
      const alive = new Set(pids);

      if (known !== null) {
        for (const pid of known.refused) if (alive.has(pid)) search.refused.add(pid);
        for (const pid of await search.verify(known.holders)) if (alive.has(pid)) await search.walk(pid);
        // A process forked since then may hold a known socket too.
        for (const pid of pids) if (!known.pids.has(pid)) await search.walk(pid);
        for (const inode of known.unowned) search.remaining.delete(inode);
      }
      if (slice.isOver()) await slice.rest();
      const established = new Set(search.holders.keys());
      const lastOwners = memory === null ? [] : pidsOf(memory.holders);
      for (const pid of [ownPid, ...lastOwners, ...pids]) {
        if (search.remaining.size === 0) break;
        if (alive.has(pid)) await search.walk(pid);
      }
      if (countHolders) {
        const settled = new Set<number>();
        // A relative that holds a socket too may have relatives of its own.
        for (;;) {
          const fresh = new Set<number>();
          for (const [inode, holders] of search.holders) {
            if (established.has(inode)) continue;
            for (const { pid } of holders) if (!settled.has(pid)) fresh.add(pid);
          }
          if (fresh.size === 0 || search.walked.size >= pids.length) break;
          for (const pid of relativesOf(fresh, pids, search.stat)) await search.walk(pid);
          for (const pid of fresh) settled.add(pid);
        }
      }

      if (slice.isOver()) await slice.rest();
      const unowned = new Set([...wanted].filter((inode) => !search.holders.has(inode)));
      for (const holders of search.holders.values()) {
        if (holders.length > 1) holders.sort(byStart);
      }
      memory = {
        at: known?.at ?? at,
        pids: alive,
        holders: search.holders,
        refused: search.refused,
        unowned,
      };
      return { holders: search.holders, denied: search.refused.size };
    },
  };
}

interface Walk {
  readonly holders: Map<number, Holder[]>;
  readonly remaining: Set<number>;
  readonly refused: Set<number>;
  readonly walked: Set<number>;
  readonly stat: (pid: number) => ProcStat | null;
  /** Reads all descriptors of a process, once. */
  walk(pid: number): Promise<void>;
  /** Takes over remembered holders that still hold; gives the pids that hold something no longer. */
  verify(holders: ReadonlyMap<number, readonly Holder[]>): Promise<Set<number>>;
}

function createWalk(files: ProcFiles, wanted: ReadonlySet<number>, slice: Slice): Walk {
  const holders = new Map<number, Holder[]>();
  const remaining = new Set(wanted);
  const refused = new Set<number>();
  const walked = new Set<number>();
  const stats = new Map<number, ProcStat | null>();

  const stat = (pid: number): ProcStat | null => {
    const known = stats.get(pid);
    if (known !== undefined) return known;
    const read = readStat(files, pid);
    stats.set(pid, read);
    return read;
  };

  const add = (inode: number, pid: number, fd: string): void => {
    const startTime = stat(pid)?.startTime;
    if (startTime === undefined) return;
    const list = holders.get(inode);
    if (list === undefined) holders.set(inode, [{ pid, fd, startTime }]);
    else if (list.every((holder) => holder.pid !== pid)) list.push({ pid, fd, startTime });
    remaining.delete(inode);
  };

  const walk = async (pid: number): Promise<void> => {
    if (walked.has(pid)) return;
    walked.add(pid);
    refused.delete(pid);
    if (slice.isOver()) await slice.rest();
    const folder = `${pid}/fd`;
    const names = files.list(folder);
    if (names === REFUSED) refused.add(pid);
    if (typeof names === "symbol") return;
    let checked = 0;
    for (const name of names) {
      checked += 1;
      if (checked % LINKS_PER_CHECK === 0 && slice.isOver()) await slice.rest();
      const target = files.link(`${folder}/${name}`);
      if (target === REFUSED) {
        // Some processes let root list their descriptors and still refuse each one.
        refused.add(pid);
        return;
      }
      const inode = socketInode(target);
      if (inode !== null && wanted.has(inode)) add(inode, pid, name);
    }
  };

  const verify = async (remembered: ReadonlyMap<number, readonly Holder[]>): Promise<Set<number>> => {
    const changed = new Set<number>();
    let checked = 0;
    for (const [inode, list] of remembered) {
      if (!wanted.has(inode)) continue;
      for (const holder of list) {
        checked += 1;
        if (checked % LINKS_PER_CHECK === 0 && slice.isOver()) await slice.rest();
        const { pid, fd, startTime } = holder;
        const holds = stat(pid)?.startTime === startTime && socketInode(files.link(`${pid}/fd/${fd}`)) === inode;
        if (holds) add(inode, pid, fd);
        else changed.add(pid);
      }
    }
    return changed;
  };

  return { holders, remaining, refused, walked, stat, walk, verify };
}

const SOCKET_PREFIX = "socket:[";

function socketInode(target: string | symbol): number | null {
  if (typeof target !== "string" || !target.startsWith(SOCKET_PREFIX)) return null;
  return Number(target.slice(SOCKET_PREFIX.length, -1));
}

function listPids(files: ProcFiles): number[] {
  const names = files.list(".");
  if (typeof names === "symbol") return [];
  const pids: number[] = [];
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first >= 0x31 && first <= 0x39 && /^\d{1,10}$/.test(name)) pids.push(Number(name));
  }
  return pids.toSorted((a, b) => a - b);
}

function pidsOf(holders: ReadonlyMap<number, readonly Holder[]>): Set<number> {
  const pids = new Set<number>();
  for (const list of holders.values()) for (const holder of list) pids.add(holder.pid);
  return pids;
}

/**
 * The processes that can share a socket with one of `owners` by descent: its ancestors, its
 * descendants, and processes of the same name beside it (workers whose master is gone, a server that
 * handed its sockets to its successor).
 */
function relativesOf(
  owners: ReadonlySet<number>,
  pids: readonly number[],
  stat: (pid: number) => ProcStat | null,
): number[] {
  const ancestors = new Set<number>();
  const beside = new Set<string>();
  for (const owner of owners) {
    const facts = stat(owner);
    if (facts === null) continue;
    for (const key of besideKeys(facts)) beside.add(key);
    let parent = facts.parent;
    while (parent > 0 && !ancestors.has(parent)) {
      ancestors.add(parent);
      parent = stat(parent)?.parent ?? 0;
    }
  }
  const descends = new Map<number, boolean>();
  const isDescendant = (pid: number): boolean => {
    const path: number[] = [];
    let at = pid;
    let answer = false;
    while (at > 0) {
      const known = descends.get(at);
      if (owners.has(at) || known !== undefined) {
        answer = owners.has(at) || known === true;
        break;
      }
      // Also ends a loop that a process table read in pieces could show.
      descends.set(at, false);
      path.push(at);
      at = stat(at)?.parent ?? 0;
    }
    for (const step of path) descends.set(step, answer);
    return answer;
  };
  return pids.filter((pid) => {
    if (ancestors.has(pid) || isDescendant(pid)) return true;
    const facts = stat(pid);
    return facts !== null && besideKeys(facts).some((key) => beside.has(key));
  });
}

function besideKeys(facts: ProcStat): string[] {
  return [
    `parent ${facts.parent} ${facts.comm}`,
    `group ${facts.group} ${facts.comm}`,
    `session ${facts.session} ${facts.comm}`,
  ];
}

/** Start times count clock ticks; a parent is never younger than its child. */
function byStart(a: Holder, b: Holder): number {
  return Number(a.startTime) - Number(b.startTime) || a.pid - b.pid;
}
