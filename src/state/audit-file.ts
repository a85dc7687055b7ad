import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { SecurityError } from "../core/error.ts";

export const AUDIT_LOG_NAME = "privileged-audit.jsonl";
const ARCHIVE = /^privileged-audit\.(\d{6})\.jsonl$/;
/** Rotation keeps files far below this. */
const MAX_READ_BYTES = 256 * 1024 * 1024;

/**
 * A disk that answered sooner than this is waited for in place: handing the wait to another thread costs about
 * as much as a fast disk takes. A slow one must not hold up everything else in the process.
 */
const QUICK_MS = 5;

const synchronise = promisify(fdatasync);

/** One open file of the log. Text holds one character per byte, for the log is ASCII and its remains may be anything. */
export interface AuditFile {
  readonly path: string;
  /** True while the open file is what the path names. */
  isInPlace(): boolean;
  size(): number;
  readFrom(offset: number): string;
  /** Adds the text; the disk does not have it yet. */
  write(text: string): void;
  /** Waits until the disk has everything written. */
  sync(): Promise<void>;
  /** Safe to call twice. */
  close(): void;
}

/**
 * Opens a file of the log: regular, of this account, with one name, for nobody else. Null when there is none.
 * @throws {SecurityError} audit-broken, audit-unavailable
 */
export function openAuditFile(path: string, use: "append" | "read"): AuditFile | null {
  let fd: number;
  try {
    const access = use === "append" ? constants.O_RDWR | constants.O_APPEND : constants.O_RDONLY;
    // NONBLOCK: a FIFO in its place must not make anybody wait.
    fd = openSync(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    if (code === "ELOOP" || code === "EISDIR" || code === "ENXIO") throw replaced(path, "is not a regular file");
    throw new SecurityError("audit-unavailable", `The audit log ${path} cannot be opened (${code})`, { cause });
  }
  try {
    const opened = fstatSync(fd, { bigint: true });
    assertOurs(opened, path, use);
    let isOpen = true;
    let isQuick = false;
    const isInPlace = (): boolean => {
      const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (found === undefined || found.ino !== opened.ino || found.dev !== opened.dev) return false;
      assertOurs(found, path, use);
      return true;
    };
    return {
      path,
      isInPlace,
      size: () => fstatSync(fd).size,
      readFrom: (offset) => readFrom(fd, offset, path),
      write: (text) => {
        const bytes = Buffer.from(text, "latin1");
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      },
      sync: async () => {
        const start = performance.now();
        if (isQuick) fdatasyncSync(fd);
        else await synchronise(fd);
        isQuick = performance.now() - start < QUICK_MS;
      },
      close: () => {
        // The number may belong to another file by then.
        if (isOpen) closeSync(fd);
        isOpen = false;
      },
    };
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
}

interface Found {
  isFile(): boolean;
  readonly uid: bigint;
  readonly nlink: bigint;
  readonly mode: bigint;
}

function assertOurs(found: Found, path: string, use: "append" | "read"): void {
  const own = process.getuid?.();
  // Root may look at anybody's log.
  const uid = own === 0 && use === "read" ? undefined : own;
  if (!found.isFile()) throw replaced(path, "is not a regular file");
  if (uid !== undefined && found.uid !== BigInt(uid)) throw replaced(path, `belongs to uid ${found.uid}`);
  if (found.nlink !== 1n) throw replaced(path, "has a second name");
  if ((found.mode & 0o077n) !== 0n) {
    throw new SecurityError("audit-unavailable", `Others may use the audit log ${path}`, {
      hint: `Look at it with \`cse audit verify\`, then chmod 600 ${path}.`,
    });
  }
}

function replaced(path: string, what: string): SecurityError {
  return new SecurityError("audit-broken", `The audit log ${path} ${what}`, {
    hint: "Find out who put it there; keep what is left of the log.",
  });
}

function readFrom(fd: number, offset: number, path: string): string {
  const length = fstatSync(fd).size - offset;
  if (length > MAX_READ_BYTES) {
    throw new SecurityError("audit-unavailable", `The audit log ${path} is larger than any real one`);
  }
  const bytes = Buffer.allocUnsafe(Math.max(0, length));
  let at = 0;
  while (at < bytes.length) {
    const count = readSync(fd, bytes, at, bytes.length - at, offset + at);
    if (count === 0) break;
    at += count;
  }
  return bytes.toString("latin1", 0, at);
}

/** Names of the full files, oldest first. */
export function listArchives(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => ARCHIVE.test(name))
      .sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}

/** The name that the present file gets when it is full. */
export function nextArchive(folder: string): string {
  const last = Number(ARCHIVE.exec(listArchives(folder).at(-1) ?? "")?.[1] ?? 0);
  return `privileged-audit.${String(last + 1).padStart(6, "0")}.jsonl`;
}

/**
 * Gives the full file its last name. A file that already has that name is never overwritten.
 * @throws {SecurityError} audit-broken
 */
export function archive(folder: string, name: string): void {
  const to = join(folder, name);
  if (!ARCHIVE.test(name)) throw replaced(to, "is no name of a full log file");
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw replaced(to, "is already there");
  renameSync(join(folder, AUDIT_LOG_NAME), to);
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
