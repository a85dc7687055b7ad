import { parseCgroup } from "../scan/cgroup.ts";
import { GONE, type ProcFiles, REFUSED } from "./proc-file.ts";

/** What /proc/<pid>/stat says about descent. */
export interface ProcStat {
  readonly comm: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot; with the pid it names one process for ever. */
  readonly startTime: string;
}

/** Identity of a running process as /proc shows it now. */
export interface ProcIdentity {
  /** The raw `comm`, chosen by the process: any byte may be in it. */
  readonly name: string | null;
  readonly exe: string | null;
  readonly exeDeleted: boolean | null;
  /** Why a path that was seen is not given as `exe`; else null. */
  readonly exeDoubt: string | null;
  /** Effective uid. */
  readonly uid: number | null;
  readonly unit: string | null;
  readonly container: string | null;
}

/** Null when the text is not a stat line. The name in it may contain spaces, digits and parentheses. */
export function parseStat(text: string): ProcStat | null {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open === -1 || close < open) return null;
  const fields = text.slice(close + 2).split(" ", 21);
  const [, parent, group, session] = fields;
  const startTime = fields[19];
  if (parent === undefined || group === undefined || session === undefined || startTime === undefined) return null;
  return {
    comm: text.slice(open + 1, close),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTime,
  };
}

export function readStat(files: ProcFiles, pid: number): ProcStat | null {
  const text = files.text(`${pid}/stat`, 4096);
  return typeof text === "string" ? parseStat(text) : null;
}

const DELETED = " (deleted)";
/** Threads looked at for the executable of a process whose main thread ended. */
const MAX_THREADS = 16;

/**
 * Null when the process is gone, has another start time, or /proc shows nothing of it. Everything is
 * read anew on each scan: a process keeps its pid and start time when it executes another program.
 *
 * In a user namespace of its own any user may mount what they like where they like, or have the
 * kernel show another file, so a path from there names no executable of this host.
 * @param startTime of the process that is meant; null when it is not known
 */
export function readIdentity(files: ProcFiles, pid: number, startTime: string | null): ProcIdentity | null {
  const comm = files.text(`${pid}/comm`, 4096);
  const exe = readExe(files, pid);
  const status = files.text(`${pid}/status`, 4096);
  const cgroup = files.text(`${pid}/cgroup`);
  const isForeign = isInOtherUserNamespace(files, pid);
  if (typeof comm !== "string" && exe === null && typeof status !== "string") return null;
  // Read last: now everything above was of the process that is meant.
  if (startTime !== null && readStat(files, pid)?.startTime !== startTime) return null;
  const isDeleted = exe?.endsWith(DELETED) === true;
  const path = isDeleted ? exe.slice(0, -DELETED.length) : exe;
  const uid = typeof status === "string" ? /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] : undefined;
  const { unit, container } = typeof cgroup === "string" ? parseCgroup(cgroup) : { unit: null, container: null };
  return {
    name: typeof comm === "string" ? comm.replace(/\n$/, "") : null,
    exe: isForeign ? null : path,
    exeDeleted: path === null || isForeign ? null : isDeleted,
    exeDoubt:
      path !== null && isForeign ? `in a user namespace of its own, where its executable is called ${path}` : null,
    uid: uid === undefined ? null : Number(uid),
    unit,
    container,
  };
}

/** The kernel's text; that of another thread where the main one has ended. */
function readExe(files: ProcFiles, pid: number): string | null {
  const exe = files.link(`${pid}/exe`);
  if (typeof exe === "string") return exe;
  const batches = exe === GONE ? files.batches(`${pid}/task`) : REFUSED;
  if (typeof batches === "symbol") return null;
  for (const names of batches) {
    for (const name of names.slice(0, MAX_THREADS)) {
      const found = files.link(`${pid}/task/${name}/exe`);
      if (typeof found === "string") return found;
    }
    return null;
  }
  return null;
}

function isInOtherUserNamespace(files: ProcFiles, pid: number): boolean {
  const own = files.link("self/ns/user");
  const its = files.link(`${pid}/ns/user`);
  return typeof own === "string" && typeof its === "string" && own !== its;
}
