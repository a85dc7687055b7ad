import { type ProcFiles, REFUSED } from "./proc-file.ts";
import { listPids } from "./proc-pids.ts";
import { type ProcStat, readStat } from "./proc-process.ts";
import type { Slice } from "./proc-slice.ts";

/** A process that has a socket open. */
export interface Holder {
  readonly pid: number;
  /** Where below /proc/<pid> its descriptor is. */
  readonly link: string;
  readonly startTime: string;
}

export interface SocketOwners {
  /** Holders by inode, each process once, the one that started first in front. */
  readonly holders: ReadonlyMap<number, readonly Holder[]>;
  /** Processes whose descriptors could not be read, as far as they were looked at. */
  readonly denied: number;
  /** Processes whose descriptors were not all looked at, because the search took too long. */
  readonly unsearched: number;
}

export interface OwnerSearch {
  /** Every holder of every wanted socket, not just the first one found. */
  find(wanted: ReadonlySet<number>, slice: Slice): Promise<SocketOwners>;
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
/** Anyone may open a million descriptors; after this long the rest stays unsearched, and the scan says so. */
const SEARCH_MS = 5_000;
/** Processes with more descriptors wait until all others were searched. */
const MANY_DESCRIPTORS = 4096;
/** Links read in threads' own tables, which next to no program has. */
const MAX_THREAD_LINKS = 20_000;
/** Links read between two looks at the clock. */
const LINKS_PER_CHECK = 32;

/**
 * Finds the processes behind socket inodes through /proc/<pid>/fd. Reading every descriptor of every
 * process is what makes this slow, so it checks what it remembers with one readlink per socket and
 * reads everything only when there is a socket it does not know. Then it stops at nothing less than
 * everything: a socket can be shared with any process, and the one that starts first, or has the
 * lowest pid, need not be the one that uses it.
 */
export function createOwnerSearch(files: ProcFiles, ownPid: number, monotonicMs: () => number): OwnerSearch {
  let memory: Memory | null = null;
  return {
    find: async (wanted, slice) => {
      const at = monotonicMs();
      const known = memory !== null && at - memory.at < FORGET_AFTER_MS ? memory : null;
      const search = createWalk(files, wanted, slice, () => monotonicMs() - at >= SEARCH_MS);
      const pids = await listPids(files, slice);
      const alive = new Set(pids);

      if (known !== null) {
        for (const pid of known.refused) if (alive.has(pid)) search.refused.add(pid);
        for (const pid of await search.verify(known.holders)) if (alive.has(pid)) await search.walk(pid);
        // A process forked since then may hold a known socket too.
        for (const pid of pids) if (!known.pids.has(pid)) await search.walk(pid);
        for (const inode of known.unowned) search.remaining.delete(inode);
      }
      if (search.remaining.size > 0) {
        if (alive.has(ownPid)) await search.walk(ownPid);
        for (const pid of pids) await search.walk(pid);
      }
      await search.finish();
      if (search.remaining.size > 0) await search.walkThreads(pids);

      if (slice.isOver()) await slice.rest();
      const unowned = new Set([...wanted].filter((inode) => !search.holders.has(inode)));
      for (const holders of search.holders.values()) {
        if (holders.length > 1) holders.sort(byStart);
      }
      // What was not searched to the end proves nothing for the next time.
      memory =
        search.unsearched.size > 0
          ? null
          : { at: known?.at ?? at, pids: alive, holders: search.holders, refused: search.refused, unowned };
      return { holders: search.holders, denied: search.refused.size, unsearched: search.unsearched.size };
    },
  };
}

interface Walk {
  readonly holders: Map<number, Holder[]>;
  readonly remaining: Set<number>;
  readonly refused: Set<number>;
  readonly unsearched: Set<number>;
  /** Reads all descriptors of a process, once; one with very many is put off. */
  walk(pid: number): Promise<void>;
  /** Reads what was put off. */
  finish(): Promise<void>;
  /** Reads the descriptors that a thread has for itself, where it has any. */
  walkThreads(pids: readonly number[]): Promise<void>;
  /** Takes over remembered holders that still hold; gives the pids that hold something no longer. */
  verify(holders: ReadonlyMap<number, readonly Holder[]>): Promise<Set<number>>;
}

function createWalk(files: ProcFiles, wanted: ReadonlySet<number>, slice: Slice, isLate: () => boolean): Walk {
  const holders = new Map<number, Holder[]>();
  const remaining = new Set(wanted);
  const refused = new Set<number>();
  const unsearched = new Set<number>();
  const walked = new Set<number>();
  const putOff: number[] = [];
  const stats = new Map<number, ProcStat | null>();

  const tellsSizes = files.counts("self/fd").size > 0;

  /** At least as many as a folder of descriptors has; 0 when that cannot be known. */
  const sizeOf = (folder: string): number => {
    if (tellsSizes) return files.counts(folder).size;
    const status = files.text(`${folder.slice(0, -"/fd".length)}/status`, 4096);
    return typeof status === "string" ? Number(/^FDSize:\s+(\d+)$/m.exec(status)?.[1] ?? 0) : 0;
  };

  const stat = (pid: number): ProcStat | null => {
    const known = stats.get(pid);
    if (known !== undefined) return known;
    const read = readStat(files, pid);
    stats.set(pid, read);
    return read;
  };

  const add = (inode: number, pid: number, link: string): void => {
    const startTime = stat(pid)?.startTime;
    if (startTime === undefined) return;
    const list = holders.get(inode);
    if (list === undefined) holders.set(inode, [{ pid, link, startTime }]);
    else if (list.every((holder) => holder.pid !== pid)) list.push({ pid, link, startTime });
    remaining.delete(inode);
  };

  /** Number of links read; stops at `most`, or when it is late. */
  const readLinks = async (
    pid: number,
    folder: string,
    isMany: boolean,
    most: number = Number.POSITIVE_INFINITY,
  ): Promise<number> => {
    const batches = isMany ? files.batches(`${pid}/${folder}`) : oneBatch(files.list(`${pid}/${folder}`));
    if (batches === REFUSED) refused.add(pid);
    if (typeof batches === "symbol") return 0;
    let read = 0;
    for (const names of batches) {
      for (const name of names) {
        if (read >= most) return read;
        read += 1;
        if (read % LINKS_PER_CHECK === 0) {
          if (isLate()) {
            unsearched.add(pid);
            return read;
          }
          if (slice.isOver()) await slice.rest();
        }
        const target = files.link(`${pid}/${folder}/${name}`);
        if (target === REFUSED) {
          // Some processes let root list their descriptors and still refuse each one.
          refused.add(pid);
          return read;
        }
        const inode = socketInode(target);
        if (inode !== null && wanted.has(inode)) add(inode, pid, `${folder}/${name}`);
      }
    }
    return read;
  };

  const walk = async (pid: number): Promise<void> => {
    if (walked.has(pid)) return;
    walked.add(pid);
    refused.delete(pid);
    if (slice.isOver()) await slice.rest();
    if (isLate()) unsearched.add(pid);
    else if (sizeOf(`${pid}/fd`) > MANY_DESCRIPTORS) putOff.push(pid);
    else await readLinks(pid, "fd", false);
  };

  const finish = async (): Promise<void> => {
    for (const pid of putOff.splice(0)) {
      if (isLate()) unsearched.add(pid);
      else await readLinks(pid, "fd", true);
    }
  };

  /**
   * A thread can leave the table it shares with its process (unshare(2)), and a process whose main
   * thread ended shows an empty one. Where the kernel says how many descriptors a table has, one
   * with as many as the main thread's is taken for the same.
   */
  const walkThreads = async (pids: readonly number[]): Promise<void> => {
    let left = MAX_THREAD_LINKS;
    for (const pid of pids) {
      if (slice.isOver()) await slice.rest();
      // Two, itself and one thread.
      if (files.counts(`${pid}/task`).links < 4) continue;
      const shared = sizeOf(`${pid}/fd`);
      const batches = files.batches(`${pid}/task`);
      if (typeof batches === "symbol") continue;
      for (const names of batches) {
        if (slice.isOver()) await slice.rest();
        for (const name of names) {
          if (remaining.size === 0 || left <= 0 || isLate()) return;
          if (name === String(pid)) continue;
          const folder = `task/${name}/fd`;
          const own = sizeOf(`${pid}/${folder}`);
          if (tellsSizes && own === shared) continue;
          left -= 1 + (await readLinks(pid, folder, own > MANY_DESCRIPTORS, left));
        }
      }
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
        const { pid, link, startTime } = holder;
        const holds = stat(pid)?.startTime === startTime && socketInode(files.link(`${pid}/${link}`)) === inode;
        if (holds) add(inode, pid, link);
        else changed.add(pid);
      }
    }
    return changed;
  };

  return { holders, remaining, refused, unsearched, walk, finish, walkThreads, verify };
}

function oneBatch(names: readonly string[] | symbol): readonly (readonly string[])[] | symbol {
  return typeof names === "symbol" ? names : [names];
}

const SOCKET_PREFIX = "socket:[";

function socketInode(target: string | symbol): number | null {
  if (typeof target !== "string" || !target.startsWith(SOCKET_PREFIX)) return null;
  return Number(target.slice(SOCKET_PREFIX.length, -1));
}

/** Start times count clock ticks; a parent is never younger than its child. */
function byStart(a: Holder, b: Holder): number {
  return Number(a.startTime) - Number(b.startTime) || a.pid - b.pid;
}
