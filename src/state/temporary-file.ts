import { randomBytes } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ensurePrivateFolder, writeError } from "./write-file.ts";

/**
 * Hands `use` the path of a private file with this text, which is gone afterwards.
 * @param folder is made private when it is not there
 * @throws {SecurityError} those of ensurePrivateFolder, disk-full, read-only, write-failed
 */
export async function withTemporaryFile<T>(
  folder: string,
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  await ensurePrivateFolder(folder);
  const path = join(folder, `tmp-${randomBytes(8).toString("hex")}`);
  try {
    const handle = await open(path, "wx", 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw writeError(thrown, path);
  }
  try {
    return await use(path);
  } finally {
    // A file that stays is private and holds no secret.
    await unlink(path).catch(() => undefined);
  }
}
