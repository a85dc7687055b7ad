import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where system tools live. PATH is never consulted: an agent can put its own `ss` there. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"] as const;

/**
 * Absolute real path of a system tool that only root can have put there, or null.
 * @param folders where to look, in order; for tests
 */
export async function locateTool(name: string, folders: readonly string[] = SYSTEM_FOLDERS): Promise<string | null> {
  for (const folder of folders) {
    try {
      const path = await realpath(join(folder, name));
      const found = await stat(path);
      const isSafe = found.isFile() && found.uid === 0 && (found.mode & 0o022) === 0 && (found.mode & 0o111) !== 0;
      if (isSafe) return path;
    } catch {
      // Not in this folder; the next one may have it.
    }
  }
  return null;
}
