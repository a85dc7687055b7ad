import { stat } from "node:fs/promises";
import { securePath } from "./child-environment.ts";

/**
 * Absolute path of a command named without one, as sudo would find it: the first executable of
 * that name on the fixed path, never on the caller's PATH. Looked up once; the path is what is
 * then shown, bound and run. Null when there is none.
 */
export async function findCommand(name: string, folders?: readonly string[]): Promise<string | null> {
  if (name === "" || name.includes("/")) return null;
  for (const folder of folders ?? (await securePath())) {
    const path = `${folder}/${name}`;
    const found = await stat(path).catch(() => null);
    if (found?.isFile() === true && (found.mode & 0o111) !== 0) return path;
  }
  return null;
}
