import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { SecurityError } from "../core/error.ts";

/** Bytes asked for at once beyond the announced size. */
const MIN_PIECE = 4096;

export interface ReadFileOptions {
  readonly maxBytes: number;
  /**
   * `trusted`: the content decides something, so nobody but us or root may be able to write the
   * file or to put another in its place: its folder is checked too (not the folders above).
   * `untrusted`: any regular file.
   */
  readonly trust: "trusted" | "untrusted";
  /** What the file is, for messages: "command policy". */
  readonly what: string;
  /** Follow a symbolic link in the last path component. Only for files another program owns. */
  readonly followLink?: boolean;
}

/**
 * Reads a small UTF-8 file through one descriptor, so that what was checked is what was read.
 * Never blocks on a FIFO or device.
 * @throws {SecurityError} file-missing, file-unreadable, file-too-large, file-not-text,
 *   state-file-symlink, state-file-not-regular, state-file-insecure-mode, state-owner-mismatch
 */
export async function readTextFile(path: string, options: ReadFileOptions): Promise<string> {
  return (await readOwnedTextFile(path, options)).text;
}

/** The same, with whose file it was that was read. `isSealed`: root's alone, under no other name. */
export async function readOwnedTextFile(
  path: string,
  options: ReadFileOptions,
): Promise<{ readonly text: string; readonly isSealed: boolean }> {
  const { what } = options;
  const link = options.followLink === true ? 0 : constants.O_NOFOLLOW;
  let handle: FileHandle;
  try {
    if (options.trust === "trusted") await assertTrustedFolders(path, what, options.followLink === true);
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | link);
  } catch (cause) {
    throw openError(cause, path, what);
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) {
      throw new SecurityError("state-file-not-regular", `The ${what} ${path} is not a regular file`, {
        hint: "Replace it with a regular file.",
      });
    }
    if (options.trust === "trusted") assertTrustedFile(found, path, what);
    if (found.size > options.maxBytes) throw tooLarge(path, what, options.maxBytes);
    const bytes = await readAll(handle, found.size, options.maxBytes);
    if (bytes === null) throw tooLarge(path, what, options.maxBytes);
    const isSealed = found.uid === 0 && found.nlink === 1 && (found.mode & 0o022) === 0;
    return { text: decode(bytes, path, what), isSealed };
  } catch (cause) {
    throw openError(cause, path, what);
  } finally {
    await handle.close();
  }
}

/** Null when there is more than `maxBytes`. The size is a guess: a file can grow, and /proc says 0 of its files. */
async function readAll(handle: FileHandle, size: number, maxBytes: number): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const wanted = Math.max(pieces.length === 0 ? size + 1 : 0, MIN_PIECE);
    // One byte more than allowed tells a file that is too large from one that just fits.
    const piece = Buffer.allocUnsafe(Math.min(wanted, maxBytes + 1 - length));
    const { bytesRead } = await handle.read(piece, 0, piece.length, null);
    if (bytesRead === 0) return Buffer.concat(pieces, length);
    pieces.push(piece.subarray(0, bytesRead));
    length += bytesRead;
    if (length > maxBytes) return null;
  }
}

function decode(bytes: Buffer, path: string, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SecurityError("file-not-text", `The ${what} ${path} is not UTF-8 text`, {
      cause,
      hint: "Save it as UTF-8.",
    });
  }
}

function assertTrustedFile(found: { uid: number; mode: number }, path: string, what: string): void {
  assertOwner(found.uid, path, `The ${what} ${path}`);
  if ((found.mode & 0o022) !== 0) {
    throw new SecurityError(
      "state-file-insecure-mode",
      `Others may write the ${what} ${path} (mode ${octal(found.mode)})`,
      { hint: `chmod 600 ${path}, after reading what it says.` },
    );
  }
}

async function assertTrustedFolders(path: string, what: string, followLink: boolean): Promise<void> {
  const folders = new Set([dirname(path)]);
  if (followLink) folders.add(dirname(await realpath(path)));
  for (const folder of folders) {
    const found = await stat(folder);
    assertOwner(found.uid, folder, `The folder ${folder} of the ${what}`);
    // In a sticky folder such as /tmp only a file's owner can replace it.
    if ((found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0) {
      throw new SecurityError(
        "state-file-insecure-mode",
        `Others may replace the ${what} in the folder ${folder} (mode ${octal(found.mode)})`,
        { hint: `chmod go-w ${folder}, after reading what the ${what} says.` },
      );
    }
  }
}

function assertOwner(owner: number, path: string, subject: string): void {
  const uid = process.getuid?.();
  if (uid === undefined || owner === uid || owner === 0) return;
  throw new SecurityError("state-owner-mismatch", `${subject} belongs to uid ${owner}`, {
    hint: `Make it yours: chown ${uid} ${path}, after looking at what it says.`,
  });
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function tooLarge(path: string, what: string, maxBytes: number): SecurityError {
  return new SecurityError("file-too-large", `The ${what} ${path} is larger than ${maxBytes} bytes`, {
    hint: "No real file of this kind is that large; look at what wrote it.",
  });
}

function openError(thrown: unknown, path: string, what: string): SecurityError {
  if (thrown instanceof SecurityError) return thrown;
  const cause = thrown as NodeJS.ErrnoException;
  switch (cause.code) {
    case "ENOENT":
    case "ENOTDIR":
      return new SecurityError("file-missing", `There is no ${what} at ${path}`, { cause });
    case "ELOOP":
      return new SecurityError("state-file-symlink", `The ${what} ${path} is a symbolic link`, {
        cause,
        hint: "Replace the link with the file itself.",
      });
    case "ENXIO":
    case "EISDIR":
      return new SecurityError("state-file-not-regular", `The ${what} ${path} is not a regular file`, { cause });
    default:
      return new SecurityError("file-unreadable", `Cannot read the ${what} ${path}: ${cause.code ?? cause.message}`, {
        cause,
        hint: "Check its owner and mode.",
      });
  }
}
