import { realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { globalPackageFolders } from "./update-state.ts";

const ENTRY = "openclaw.mjs";

/**
 * The script that the `openclaw` command starts: what the person's PATH leads to, else a globally
 * installed package. Null when there is none. It is theirs and runs as them; nothing about it is trusted.
 */
export async function findOpenClaw(path: string, nodePath: string, home: string | null): Promise<string | null> {
  const onPath = path.split(":").flatMap((folder) => (folder.startsWith("/") ? [join(folder, "openclaw")] : []));
  const global = globalPackageFolders(nodePath, home).map((folder) => join(folder, "openclaw", ENTRY));
  for (const candidate of [...onPath, ...global]) {
    const real = await realpath(candidate).catch(() => null);
    if (real === null || basename(real) !== ENTRY) continue;
    if ((await stat(real).catch(() => null))?.isFile() === true) return real;
  }
  return null;
}
