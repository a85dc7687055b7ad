import {
  closeSync,
  constants,
  type Dir,
  openSync,
  opendirSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";

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
  /** Names in a folder that may be too big to list at once; costs several times as much per name. To be read to its end or left with `return`. */
  batches(path: string): Iterable<readonly string[]> | ProcDenial;
  /**
   * Cheap counts of a folder; zeros when it cannot be seen. `size`: how many descriptors a folder of
   * descriptors has (0 before Linux 6.2). `links`: 2 more than the folders in it, e.g. of processes or threads.
   */
  counts(path: string): { readonly size: number; readonly links: number };
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
const BATCH_NAMES = 256;
const NO_COUNTS = { size: 0, links: 0 };

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
    batches: (path) => {
      try {
        return batchesOf(opendirSync(`${root}/${path}`, { bufferSize: BATCH_NAMES }));
      } catch (cause) {
        return denialOf(cause);
      }
    },
    counts: (path) => {
      try {
        const found = statSync(`${root}/${path}`, { throwIfNoEntry: false });
        return found === undefined ? NO_COUNTS : { size: found.size, links: found.nlink };
      } catch {
        return NO_COUNTS;
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

function* batchesOf(folder: Dir): Generator<readonly string[]> {
  try {
    let names: string[] = [];
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      names.push(entry.name);
      if (names.length < BATCH_NAMES) continue;
      yield names;
      names = [];
    }
    yield names;
  } catch {
    // The process ended while its folder was read; what was read counts.
  } finally {
    folder.closeSync();
  }
}

/** ESRCH is what the kernel answers for a process that ended between open and read. */
function denialOf(cause: unknown): ProcDenial {
  const { code } = cause as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH" || code === "ENOTDIR" ? GONE : REFUSED;
}
