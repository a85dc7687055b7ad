import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Where system tools live. PATH is never consulted: an agent can put its own `ss` there. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"] as const;

/**
 * Absolute real path of a system tool that only root can have put there, or null.
 * @param name a bare file name
 * @param folders where to look, in order; for tests
 */
export async function locateTool(name: string, folders: readonly string[] = SYSTEM_FOLDERS): Promise<string | null> {
  if (name.includes("/")) return null;
  for (const folder of folders) {
    try {
      const path = await realpath(join(folder, name));
      const [file, home] = await Promise.all([stat(path), stat(dirname(path))]);
      if (file.isFile() && (file.mode & 0o111) !== 0 && isRootOnly(file) && isRootOnly(home)) return path;
    } catch {
      // Not in this folder; the next one may have it.
    }
  }
  return null;
}

function isRootOnly(found: Stats): boolean {
  return found.uid === 0 && (found.mode & 0o022) === 0;
}
