import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { SecurityError } from "../core/error.ts";
import { ensurePrivateFolder, writeError } from "./write-file.ts";

const MAX_BYTES = 1_000_000;
/** Full files that are kept: name.1 is the newest of them. */
const KEPT = 3;

/**
 * Adds one line, which must hold no line break, to a private log; a full file makes room for a new one.
 * @throws {SecurityError} state-file-not-regular, state-owner-mismatch, and those of ensurePrivateFolder
 */
export async function appendLogLine(path: string, line: string): Promise<void> {
  await ensurePrivateFolder(dirname(path));
  try {
    const flags =
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(path, flags, 0o600);
    let size: number;
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw new SecurityError("state-file-not-regular", `The log ${path} is not a regular file`);
      const uid = process.getuid?.();
      if (uid !== undefined && found.uid !== uid && found.uid !== 0) {
        throw new SecurityError("state-owner-mismatch", `The log ${path} belongs to uid ${found.uid}`);
      }
      if ((found.mode & 0o077) !== 0) await handle.chmod(0o600);
      await handle.writeFile(`${line}\n`, "utf8");
      size = found.size;
    } finally {
      await handle.close();
    }
    if (size > MAX_BYTES) await rotate(path);
  } catch (cause) {
    throw writeError(cause, path);
  }
}

async function rotate(path: string): Promise<void> {
  await rm(`${path}.${KEPT}`, { force: true });
  for (let number = KEPT - 1; number >= 1; number -= 1) {
    // Not all of them exist yet.
    await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(() => undefined);
  }
  await rename(path, `${path}.1`);
}
