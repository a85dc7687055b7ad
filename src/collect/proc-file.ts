import { closeSync, constants, openSync, readdirSync, readlinkSync, readSync } from "node:fs";

/** What was asked for is not there, or not any more; processes end while they are looked at. */
export const GONE: unique symbol = Symbol("gone");
/** It is there and access was refused, or reading it failed. */
export const REFUSED: unique symbol = Symbol("refused");
export type ProcDenial = typeof GONE | typeof REFUSED;

/**
 * Synchronous access below one /proc folder. These files live in memory: a call takes microseconds,
 * while a promise per file costs several times the read itself. Callers cut their work into slices.
 */
export interface ProcFiles {
  /** Names in a folder. */
  list(path: string): readonly string[] | ProcDenial;
  /** Target of a symbolic link. */
  link(path: string): string | ProcDenial;
  /** UTF-8 text of a file, cut at `maxBytes`. */
  text(path: string, maxBytes?: number): string | ProcDenial;
  /** The file piece by piece, for tables without a known size. */
  open(path: string): ProcPieces | ProcDenial;
}

export interface ProcPieces {
  /** Length of the next piece in `buffer`, 0 at the end, or REFUSED on an I/O error. */
  next(): number | typeof REFUSED;
  readonly buffer: Uint8Array;
  close(): void;
}

const PIECE_BYTES = 65_536;

/** @param root absolute folder that stands for /proc */
export function createProcFiles(root: string): ProcFiles {
  // One buffer for everything: each piece is used up before the next read.
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

  const open = (path: string): ProcPieces | ProcDenial => {
    let descriptor: number;
    try {
      descriptor = openSync(`${root}/${path}`, flags);
    } catch (cause) {
      return denialOf(cause);
    }
    return {
      buffer,
      next: () => {
        try {
          return readSync(descriptor, buffer, 0, PIECE_BYTES, null);
        } catch {
          return REFUSED;
        }
      },
      close: () => closeSync(descriptor),
    };
  };

  const text = (path: string, maxBytes: number = PIECE_BYTES): string | ProcDenial => {
    let descriptor: number;
    try {
      descriptor = openSync(`${root}/${path}`, flags);
    } catch (cause) {
      return denialOf(cause);
    }
    try {
      const chunks: Buffer[] = [];
      let total = 0;
      for (;;) {
        const length = readSync(descriptor, buffer, 0, Math.min(PIECE_BYTES, maxBytes - total), null);
        total += length;
        // Most files are over after one read, and then nothing needs to be copied.
        if (length === 0 || total >= maxBytes) {
          if (chunks.length === 0) return buffer.toString("utf8", 0, length);
          chunks.push(Buffer.from(buffer.subarray(0, length)));
          return Buffer.concat(chunks).toString("utf8");
        }
        chunks.push(Buffer.from(buffer.subarray(0, length)));
      }
    } catch (cause) {
      return denialOf(cause);
    } finally {
      closeSync(descriptor);
    }
  };

  return {
    open,
    text,
    list: (path) => {
      try {
        return readdirSync(`${root}/${path}`);
      } catch (cause) {
        return denialOf(cause);
      }
    },
    link: (path) => {
      try {
        return readlinkSync(`${root}/${path}`);
      } catch (cause) {
        return denialOf(cause);
      }
    },
  };
}

/** ESRCH is what the kernel answers for a process that ended between open and read. */
function denialOf(cause: unknown): ProcDenial {
  const { code } = cause as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH" || code === "ENOTDIR" ? GONE : REFUSED;
}
