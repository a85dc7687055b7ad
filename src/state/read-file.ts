import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { SecurityError } from "../core/error.ts";

export interface ReadFileOptions {
  readonly maxBytes: number;
  /**
   * `trusted`: the content decides something, so nobody but its owner (us or root) may be able to
   * write it. `untrusted`: any regular file.
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
  const { what } = options;
  const link = options.followLink === true ? 0 : constants.O_NOFOLLOW;
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_CLOEXEC | link);
  } catch (cause) {
    throw openError(cause as NodeJS.ErrnoException, path, what);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw new SecurityError("state-file-not-regular", `The ${what} ${path} is not a regular file`, {
        hint: "Replace it with a regular file.",
      });
    }
    if (options.trust === "trusted") assertTrusted(stat, path, what);
    if (stat.size > options.maxBytes) throw tooLarge(path, what, options.maxBytes);
    // One byte more than allowed tells a file that grew after fstat from one that fits.
    const buffer = Buffer.alloc(options.maxBytes < stat.size + 4096 ? options.maxBytes + 1 : stat.size + 4096);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (length > options.maxBytes || (bytesRead > 0 && length === buffer.length)) {
        throw tooLarge(path, what, options.maxBytes);
      }
      if (bytesRead === 0) break;
    }
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, length));
  } catch (cause) {
    if (cause instanceof SecurityError) throw cause;
    if (cause instanceof TypeError) {
      throw new SecurityError("file-not-text", `The ${what} ${path} is not UTF-8 text`, {
        cause,
        hint: "Save it as UTF-8.",
      });
    }
    throw openError(cause as NodeJS.ErrnoException, path, what);
  } finally {
    await handle.close();
  }
}

function assertTrusted(stat: { uid: number; mode: number }, path: string, what: string): void {
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid && stat.uid !== 0) {
    throw new SecurityError("state-owner-mismatch", `The ${what} ${path} belongs to uid ${stat.uid}`, {
      hint: `Make it yours: chown ${uid} ${path}, after reading what it says.`,
    });
  }
  if ((stat.mode & 0o022) !== 0) {
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
    throw new SecurityError("state-file-insecure-mode", `Others may write the ${what} ${path} (mode ${mode})`, {
      hint: `chmod 600 ${path}, after reading what it says.`,
    });
  }
}

function tooLarge(path: string, what: string, maxBytes: number): SecurityError {
  return new SecurityError("file-too-large", `The ${what} ${path} is larger than ${maxBytes} bytes`, {
    hint: "No real file of this kind is that large; look at what wrote it.",
  });
}

function openError(cause: NodeJS.ErrnoException, path: string, what: string): SecurityError {
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
