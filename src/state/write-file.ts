import { constants, type Stats } from "node:fs";
import { access, link, lstat, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { constants as osConstants } from "node:os";
import { basename, dirname, join } from "node:path";
import { SecurityError } from "../core/error.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_DIR = 0o700;
const STALE_TEMP_MS = 3_600_000;
const TEMP_RANDOM_BYTES = 6;

/**
 * Replaces `path` as one step: write a temporary file, fsync, rename, fsync the folder. Whoever
 * reads sees the old content or the new, whatever happens in between.
 * The temporary file is hidden in the same folder (a rename cannot cross file systems).
 * After an error the content may be the new one only when the folder could not be synchronised.
 * @throws {SecurityError} disk-full, read-only, write-failed, state-file-symlink,
 *   state-file-not-regular, state-owner-mismatch
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
    // The file is there now; a second name that stays is cleared by a later write.
    await unlink(temp).catch(() => undefined);
  });
}

/**
 * Puts a whole file that somebody else wrote, in the same folder, in the place of `path`.
 * @throws {SecurityError} disk-full, read-only, write-failed
 */
export async function replaceFile(from: string, path: string): Promise<void> {
  try {
    await rename(from, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw writeError(cause, path);
  }
}

async function replace(path: string, text: string, publish: (temp: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const temp = join(folder, `.${basename(path)}.${randomBytes(TEMP_RANDOM_BYTES).toString("hex")}.tmp`);
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
  const found = await lstatOrNull(path);
  if (found === null) return;
  if (found.isFile()) {
    // Replacing would hand the file to us: as root, a user could no longer read their own file.
    assertOurs(found.uid, path);
    return;
  }
  throw new SecurityError(
    found.isSymbolicLink() ? "state-file-symlink" : "state-file-not-regular",
    `${path} is not a regular file, so it is not replaced`,
    { hint: "Move it away and try again." },
  );
}

const TEMP_ENDING = new RegExp(`^[0-9a-f]{${TEMP_RANDOM_BYTES * 2}}\\.tmp$`);

function assertOurs(owner: number, path: string): void {
  const uid = process.getuid?.();
  if (uid === undefined || owner === uid || owner === 0) return;
  throw new SecurityError("state-owner-mismatch", `${path} belongs to uid ${owner}`, {
    hint: "Run as that user, or name a place of your own.",
  });
}

/** A killed process leaves its temporary file behind; clear what is surely abandoned. */
async function removeStaleTemps(folder: string, name: string): Promise<void> {
  const prefix = `.${name}.`;
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(prefix) || !TEMP_ENDING.test(entry.slice(prefix.length))) continue;
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
    // Looked at before mkdir, which would follow a link.
    if (await checkPrivateFolder(path)) return;
    await makeFolder(path);
    await checkPrivateFolder(path);
  } catch (cause) {
    throw writeError(cause, path);
  }
}

/**
 * Tells whether a folder is there, and refuses one that others can write to.
 * @throws {SecurityError} as ensurePrivateFolder
 */
export async function checkPrivateFolder(path: string): Promise<boolean> {
  try {
    const found = await lstatOrNull(path);
    if (found === null) return false;
    if (found.isSymbolicLink()) {
      throw new SecurityError("state-file-symlink", `The folder ${path} is a symbolic link`, {
        hint: "Replace the link with a folder.",
      });
    }
    if (!found.isDirectory()) {
      throw new SecurityError("state-file-not-regular", `${path} is not a folder`);
    }
    assertOurs(found.uid, path);
    if ((found.mode & 0o022) !== 0) {
      throw new SecurityError("state-file-insecure-mode", `Others may write to the folder ${path}`, {
        hint: `chmod 700 ${path}, after looking at what is in it.`,
      });
    }
    return true;
  } catch (cause) {
    throw writeError(cause, path);
  }
}

async function lstatOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}

/** With missing parents, all 0700. Something already there is left to the caller to judge. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIR });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  }
}

/**
 * Makes a folder for reports. Unlike state, reports may lie in a folder a human shares.
 * @throws {SecurityError} state-file-not-regular, read-only, disk-full, write-failed
 */
export async function ensureReportFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
    if (!(await stat(path)).isDirectory()) {
      throw new SecurityError("state-file-not-regular", `${path} is not a folder`);
    }
    await access(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw writeError(cause, path);
  }
}

/** The named error for whatever a write to `path` threw. */
export function writeError(thrown: unknown, path: string): SecurityError {
  if (thrown instanceof SecurityError) return thrown;
  const cause = thrown as NodeJS.ErrnoException;
  // Node has no name for a used-up quota.
  switch (cause.errno === -osConstants.errno.EDQUOT ? "EDQUOT" : cause.code) {
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
