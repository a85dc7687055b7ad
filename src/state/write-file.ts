import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { SecurityError } from "../core/error.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_DIR = 0o700;
const STALE_TEMP_MS = 3_600_000;

/**
 * Replaces `path` as one step: write a temporary file, fsync, rename, fsync the folder. Whoever
 * reads sees the old content or the new, whatever happens in between.
 * The temporary file is hidden in the same folder (a rename cannot cross file systems).
 * @throws {SecurityError} disk-full, read-only, write-failed, state-file-symlink, state-file-not-regular
 */
export async function writeFileAtomic(path: string, text: string): Promise<void> {
  await replace(path, text, async (temp) => {
    await rename(temp, path);
  });
}

/**
 * Like `writeFileAtomic`, but refuses when something is already at `path`, without a gap in which
 * another writer could be overwritten.
 * @throws {SecurityError} file-exists and those of writeFileAtomic
 */
export async function createFileAtomic(path: string, text: string): Promise<void> {
  await replace(path, text, async (temp) => {
    await link(temp, path);
    await unlink(temp);
  });
}

async function replace(path: string, text: string, publish: (temp: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const temp = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await assertReplaceable(path);
    await removeStaleTemps(folder, basename(path));
    const handle = await open(
      temp,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      PRIVATE_FILE,
    );
    try {
      await handle.writeFile(text, "utf8");
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(temp);
    await syncFolder(folder);
  } catch (cause) {
    // The temporary file is ours alone; failing to remove it must not hide the real failure.
    await unlink(temp).catch(() => undefined);
    throw writeError(cause, path);
  }
}

async function assertReplaceable(path: string): Promise<void> {
  const found = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return null;
    throw cause;
  });
  if (found === null || found.isFile()) return;
  throw new SecurityError(
    found.isSymbolicLink() ? "state-file-symlink" : "state-file-not-regular",
    `${path} is not a regular file, so it is not replaced`,
    { hint: "Move it away and try again." },
  );
}

/** A killed process leaves its temporary file behind; clear what is surely abandoned. */
async function removeStaleTemps(folder: string, name: string): Promise<void> {
  const pattern = `.${name}.`;
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(pattern) || !entry.endsWith(".tmp")) continue;
    const path = join(folder, entry);
    const found = await lstat(path).catch(() => null);
    if (found?.isFile() === true && Date.now() - found.mtimeMs > STALE_TEMP_MS) {
      await unlink(path).catch(() => undefined);
    }
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder (and missing parents) with mode 0700 and refuses one that others can write to:
 * whoever may write to the folder can replace what is in it.
 * @throws {SecurityError} state-file-symlink, state-file-not-regular, state-owner-mismatch,
 *   state-file-insecure-mode, read-only, disk-full, write-failed
 */
export async function ensurePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIR });
    const found = await lstat(path);
    if (found.isSymbolicLink()) {
      throw new SecurityError("state-file-symlink", `The folder ${path} is a symbolic link`, {
        hint: "Replace the link with a folder.",
      });
    }
    if (!found.isDirectory()) {
      throw new SecurityError("state-file-not-regular", `${path} is not a folder`);
    }
    const uid = process.getuid?.();
    if (uid !== undefined && found.uid !== uid && found.uid !== 0) {
      throw new SecurityError("state-owner-mismatch", `The folder ${path} belongs to uid ${found.uid}`, {
        hint: "Use a folder of your own.",
      });
    }
    if ((found.mode & 0o022) !== 0) {
      throw new SecurityError("state-file-insecure-mode", `Others may write to the folder ${path}`, {
        hint: `chmod 700 ${path}, after looking at what is in it.`,
      });
    }
  } catch (cause) {
    throw writeError(cause, path);
  }
}

/**
 * Makes a folder for reports. Unlike state, reports may lie in a folder a human shares.
 * @throws {SecurityError} read-only, disk-full, write-failed
 */
export async function ensureReportFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIR });
    if (!(await stat(path)).isDirectory()) {
      throw new SecurityError("state-file-not-regular", `${path} is not a folder`);
    }
  } catch (cause) {
    throw writeError(cause, path);
  }
}

function writeError(thrown: unknown, path: string): SecurityError {
  if (thrown instanceof SecurityError) return thrown;
  const cause = thrown as NodeJS.ErrnoException;
  switch (cause.code) {
    case "EEXIST":
      return new SecurityError("file-exists", `${path} exists and is not overwritten`, { cause });
    case "ENOSPC":
    case "EDQUOT":
      return new SecurityError("disk-full", `No space left to write ${path}`, {
        cause,
        hint: "Free some space; what was there before is unchanged.",
      });
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new SecurityError("read-only", `${path} cannot be written here (${cause.code})`, {
        cause,
        hint: "Set OPENCLAW_STATE_DIR or --out to a folder you may write to.",
      });
    default:
      return new SecurityError("write-failed", `Cannot write ${path}: ${cause.code ?? cause.message}`, { cause });
  }
}
