import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createFileAtomic, ensurePrivateFolder, writeError } from "./write-file.ts";

/** Longer than any use of one; what is older was left by a process that was killed. */
const LEFT_BEHIND_MS = 3_600_000;

/**
 * Gives `use` a new folder that only this account may enter, with these files in it, and takes it
 * away again, whatever happens. What earlier runs could not take away goes first.
 * @param prefix of its name; only folders of this name are ever cleared
 * @throws {SecurityError} those of ensurePrivateFolder and createFileAtomic, and whatever `use` throws
 */
export async function withPrivateFolder<T>(
  parent: string,
  prefix: string,
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  await ensurePrivateFolder(parent);
  await clear(parent, prefix);
  const folder = join(parent, `${prefix}${randomBytes(8).toString("hex")}`);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    throw writeError(cause, folder);
  }
  try {
    for (const [name, text] of Object.entries(files)) await createFileAtomic(join(folder, name), text);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function clear(parent: string, prefix: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const path = join(parent, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > LEFT_BEHIND_MS) await rm(path, { recursive: true, force: true });
  }
}
