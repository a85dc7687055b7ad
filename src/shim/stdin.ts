import * as fs from "node:fs";
import { errnoOf, fail, REFUSED } from "./fail.ts";

const MAX_BYTES = 1024 * 1024;
/** How long a pipe may take to come to its end. */
const LIMIT_MS = 5_000;

/**
 * What the command is to read, so that a person sees it: from a file or from a pipe that ends soon,
 * 1 MiB at most. A terminal, /dev/null and a socket (which an agent's exec leaves open for ever)
 * give none: null.
 */
export async function readStdin(): Promise<Buffer | null> {
  const kind = kindOfStdin();
  if (kind === null) return null;
  const deadline = setTimeout(() => {
    const help = "Add </dev/null when the command reads nothing; else put the input into a file first.";
    fail(REFUSED, "stdin-unfinished", `standard input did not end within ${LIMIT_MS / 1000} s`, help);
  }, LIMIT_MS);
  const pieces: Buffer[] = [];
  let length = 0;
  // A file from where it stands and without moving it: a loop that reads from it goes on.
  let position = kind === "file" ? filePosition() : null;
  for (;;) {
    const piece = await readPiece(position);
    if (piece.length === 0) break;
    pieces.push(piece);
    length += piece.length;
    if (position !== null) position += piece.length;
    if (length > MAX_BYTES) {
      fail(REFUSED, "stdin-too-large", "standard input has more than 1 MiB", "Put it into a file and name that.");
    }
  }
  clearTimeout(deadline);
  return length === 0 ? null : Buffer.concat(pieces);
}

function kindOfStdin(): "file" | "pipe" | null {
  try {
    const found = fs.fstatSync(0);
    return found.isFile() ? "file" : found.isFIFO() ? "pipe" : null;
  } catch {
    // It is closed.
    return null;
  }
}

async function readPiece(position: number | null): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  return await new Promise((done) => {
    fs.read(0, buffer, 0, buffer.length, position, (cause, bytes) => {
      if (cause !== null) fail(REFUSED, "stdin-unreadable", `standard input: ${errnoOf(cause)}`, "Add </dev/null.");
      done(buffer.subarray(0, bytes));
    });
  });
}

function filePosition(): number {
  try {
    return Number(/^pos:\s*(\d+)/.exec(fs.readFileSync("/proc/self/fdinfo/0", "latin1"))?.[1] ?? 0);
  } catch {
    // Not Linux: a file is then read from its start.
    return 0;
  }
}
