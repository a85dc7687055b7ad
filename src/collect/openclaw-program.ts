import { realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import { findInstalled, type UpdateOptions } from "./update-state.ts";

export interface OpenClawProgram {
  readonly version: string;
  /** Absolute path of what Node is to run. */
  readonly entry: string;
}

/**
 * OpenClaw's own program, if it may be run by this account: whoever can change it, or a folder above
 * it, would otherwise decide what this account runs. For root that is nobody but root.
 */
export async function findOpenClawProgram(
  options: Omit<UpdateOptions, "now">,
  uid: number,
  at: string,
): Promise<Evidence<OpenClawProgram>> {
  const installed = await findInstalled(options);
  if (installed === null)
    return unmeasured("tool-missing", "No installed OpenClaw was found that could be asked", "openclaw", at);
  const folder = dirname(installed.source);
  const entry = join(folder, "openclaw.mjs");
  const stranger = changeableBy([entry, join(folder, "dist"), installed.source], uid);
  if (stranger !== null) {
    const reason = `OpenClaw is not run by ${uid === 0 ? "root" : `uid ${uid}`}, because others can change ${stranger}; run the assessment as the account that owns it`;
    return unmeasured("permission-denied", reason, entry, at);
  }
  return measured({ version: installed.version, entry }, entry, at);
}

/** The first of these paths, or of the folders above them, that another account than this one or root can change. */
function changeableBy(paths: readonly string[], uid: number): string | null {
  const seen = new Set<string>();
  for (const path of paths) {
    let real: string;
    try {
      real = realpathSync(path);
    } catch {
      return path;
    }
    for (let at = real; !seen.has(at); at = dirname(at)) {
      seen.add(at);
      const found = statSync(at, { throwIfNoEntry: false });
      if (found === undefined || (found.uid !== 0 && found.uid !== uid)) return at;
      const isSticky = found.isDirectory() && (found.mode & 0o1000) !== 0;
      if (!isSticky && (found.mode & 0o022) !== 0) return at;
    }
  }
  return null;
}
