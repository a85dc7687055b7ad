import { lstatSync, readdirSync, statSync } from "node:fs";

/** What this project itself keeps in OpenClaw's state folder. */
const OWN_FOLDERS: ReadonlySet<string> = new Set(["security", "bin", "logs"]);

/**
 * Whether the state folder holds anything of OpenClaw's own. What an earlier run of ours left there
 * must not make a host without OpenClaw look like one with it; a folder that cannot be read may.
 */
export function hasOpenClawState(stateDir: string): boolean {
  try {
    return readdirSync(stateDir).some((name) => !OWN_FOLDERS.has(name));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return code !== "ENOENT" && code !== "ENOTDIR";
  }
}

/** Whose the state folder is; null when there is none. */
export function ownerOfState(stateDir: string): number | null {
  try {
    return statSync(stateDir).uid;
  } catch {
    return null;
  }
}

/** Folders in which OpenClaw 2026.9.6 logs when its config names no file, those that are there and this account's. */
export function defaultLogFolders(uid: number, tmp: string = "/tmp"): readonly string[] {
  return [`${tmp}/openclaw`, `${tmp}/openclaw-${uid}`].filter((path) => {
    try {
      // Another account's folder of that name is another OpenClaw's.
      const stat = lstatSync(path);
      return stat.isDirectory() && stat.uid === uid;
    } catch {
      return false;
    }
  });
}
