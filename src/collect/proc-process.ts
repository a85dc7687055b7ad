import { parseCgroup } from "../scan/cgroup.ts";
import type { ProcFiles } from "./proc-file.ts";

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

/**
 * Null when the process is gone or /proc shows nothing of it. Everything is read anew on each scan: a
 * process keeps its pid and start time when it executes another program.
 */
export function readIdentity(files: ProcFiles, pid: number): ProcIdentity | null {
  const comm = files.text(`${pid}/comm`, 4096);
  const exe = files.link(`${pid}/exe`);
  const status = files.text(`${pid}/status`, 4096);
  const cgroup = files.text(`${pid}/cgroup`);
  if (typeof comm !== "string" && typeof exe !== "string" && typeof status !== "string") return null;
  const isDeleted = typeof exe === "string" && exe.endsWith(DELETED);
  const uid = typeof status === "string" ? /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] : undefined;
  const { unit, container } = typeof cgroup === "string" ? parseCgroup(cgroup) : { unit: null, container: null };
  return {
    name: typeof comm === "string" ? comm.replace(/\n$/, "") : null,
    exe: typeof exe === "string" ? (isDeleted ? exe.slice(0, -DELETED.length) : exe) : null,
    exeDeleted: typeof exe === "string" ? isDeleted : null,
    uid: uid === undefined ? null : Number(uid),
    unit,
    container,
  };
}
