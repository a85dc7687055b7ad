import { readdirSync } from "node:fs";

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
