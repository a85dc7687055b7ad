import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { InstalledExtensions, InstalledPlugin } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { isConfigRecord } from "../schema/openclaw-text.ts";
import { hasOpenClawState } from "./openclaw-presence.ts";
import { askStateDatabase, stateDatabasePath } from "./state-database.ts";

export interface ExtensionOptions {
  readonly now: () => EpochMs;
  /** Folders that agents work in, which may hold skills. */
  readonly workspaces: readonly string[];
}

/** Plugins and skills that did not come with OpenClaw: its own record of them, and what lies there without one. */
export async function collectInstalledExtensions(
  stateDir: string,
  { now, workspaces }: ExtensionOptions,
): Promise<Evidence<InstalledExtensions>> {
  const at = isoFromEpoch(now());
  const source = `${stateDatabasePath(stateDir)}, plugins.installedIndex; ${join(stateDir, "extensions")}; skills`;
  if (!hasOpenClawState(stateDir)) {
    return unmeasured("not-applicable", `OpenClaw keeps no state at ${stateDir}`, source, at);
  }
  const answer = askStateDatabase(stateDir, "config_machine_state", ["state_key", "value_json"], (database) =>
    database.prepare("SELECT value_json FROM config_machine_state WHERE state_key = 'plugins.installedIndex'").get(),
  );
  if (answer.kind === "failed") return unmeasured(answer.code, answer.reason, source, at);
  const text = answer.kind === "read" ? answer.value?.["value_json"] : undefined;
  const plugins = text === undefined ? [] : pluginsOf(String(text));
  if (plugins === null) {
    return unmeasured(
      "schema-version-unsupported",
      "OpenClaw's record of plugins has a form that is not known",
      source,
      at,
    );
  }
  const listed = foldersIn(join(stateDir, "extensions"));
  const skills = [join(stateDir, "skills"), ...workspaces.map((path) => join(path, "skills"))].map(foldersIn);
  const unreadable = [listed, ...skills].find((names) => names === null);
  if (listed === null || unreadable === null) {
    return unmeasured("permission-denied", "A folder of plugins or skills cannot be looked into", source, at);
  }
  const known = new Set(plugins.map(({ id }) => id));
  return await Promise.resolve(
    measured(
      {
        plugins,
        // OpenClaw adds a suffix to the folder of each newer installation.
        unrecorded: listed.filter((name) => !known.has(name.split("__openclaw-generation__")[0] ?? name)),
        skills: [...new Set(skills.flatMap((names) => names ?? []))].toSorted(),
      },
      source,
      at,
    ),
  );
}

function pluginsOf(text: string): readonly InstalledPlugin[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const records = isConfigRecord(value) ? (value["installRecords"] ?? {}) : null;
  if (!isConfigRecord(records)) return null;
  const found = Object.entries(records).map(([id, record]) => (isConfigRecord(record) ? pluginOf(id, record) : null));
  return found.includes(null) ? null : found.filter((plugin) => plugin !== null);
}

function pluginOf(id: string, record: Readonly<Record<string, unknown>>): InstalledPlugin {
  const text = (key: string): string | null =>
    typeof record[key] === "string" && record[key] !== "" ? record[key] : null;
  const source = text("source") ?? "unknown";
  const spec = text("spec");
  return {
    id,
    source,
    spec,
    is_pinned: source === "path" || source === "archive" ? null : isPinned(spec),
    has_integrity: text("integrity") !== null || text("shasum") !== null,
    verdict: text("clawhubTrustDisposition"),
  };
}

/** An exact version or a commit; a range, a tag or a branch is none. */
function isPinned(spec: string | null): boolean {
  return /@v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/.test(spec ?? "") || /#[0-9a-f]{40}$/.test(spec ?? "");
}

/** Null when there is a folder that cannot be looked into. */
function foldersIn(path: string): readonly string[] | null {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith("."))
      .map((entry) => entry.name);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? [] : null;
  }
}
