import { closeSync, constants, lstatSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { SecurityError } from "../core/error.ts";

const WAIT_MS = 10_000;
/** The holder has it for about as long as the disk needs to write a line. */
const RETRY_MS = 1;

/**
 * A lock between processes and within one that the kernel frees when its holder dies, however it dies.
 * (SQLite's exclusive transaction on a database that stays empty; it takes 10 µs.)
 */
export interface ProcessLock {
  /**
   * Resolves with what gives the lock back.
   * @throws {SecurityError} audit-unavailable when others hold it for 10 s
   */
  acquire(): Promise<() => void>;
  /** The same without waiting; null while somebody else has it. */
  tryAcquire(): (() => void) | null;
  /** True while the file of the lock is the one that was opened. */
  isInPlace(): boolean;
  close(): void;
}

/** @throws {SecurityError} audit-broken when something else than our own file is at `path` */
export function openProcessLock(path: string): ProcessLock {
  let held: Handle | null = null;
  const tryAcquire = (): (() => void) | null => {
    // Somebody who removes the file would let two in; then the lock of the new file counts.
    if (held !== null && inodeOf(path) !== held.inode) {
      held.database.close();
      held = null;
    }
    held ??= openHandle(path);
    const { begin, end } = held;
    return isTaken(begin, path) ? () => void end.run() : null;
  };
  return {
    tryAcquire,
    isInPlace: () => held !== null && inodeOf(path) === held.inode,
    acquire: async () => {
      const deadline = performance.now() + WAIT_MS;
      for (;;) {
        const release = tryAcquire();
        if (release !== null) return release;
        if (performance.now() > deadline) {
          throw new SecurityError("audit-unavailable", `Another process has held ${path} for ${WAIT_MS / 1000} s`, {
            hint: "Look for a process that hangs, or a disk that does not answer.",
          });
        }
        await sleep(RETRY_MS);
      }
    },
    close: () => {
      held?.database.close();
      held = null;
    },
  };
}

interface Handle {
  readonly database: DatabaseSync;
  readonly inode: bigint | null;
  readonly begin: StatementSync;
  readonly end: StatementSync;
}

function openHandle(path: string): Handle {
  if (inodeOf(path) === null) {
    try {
      closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    }
  }
  // An existing file is only looked at: closing a descriptor of it would drop every lock this process has on it.
  const inode = inodeOf(path);
  const database = new DatabaseSync(path);
  return { database, inode, begin: database.prepare("BEGIN EXCLUSIVE"), end: database.prepare("COMMIT") };
}

function inodeOf(path: string): bigint | null {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return null;
  const uid = process.getuid?.();
  if (!found.isFile() || (uid !== undefined && found.uid !== BigInt(uid))) {
    throw new SecurityError("audit-broken", `${path} is not a file of this account`, {
      hint: "Find out what put it there, then remove it.",
    });
  }
  return found.ino;
}

const SQLITE_BUSY = 5;

function isTaken(begin: StatementSync, path: string): boolean {
  try {
    begin.run();
    return true;
  } catch (cause) {
    if ((cause as { errcode?: unknown }).errcode === SQLITE_BUSY) return false;
    throw new SecurityError("audit-unavailable", `The lock ${path} cannot be taken`, { cause });
  }
}
