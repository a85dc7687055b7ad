import { SecurityError } from "../core/error.ts";
import type { Refusal } from "../core/refusal.ts";
import type { ShimInstall } from "../schema/shim-install.ts";
import { isShimScript, renderShimScript, type ShimPaths } from "./shim-script.ts";
import {
  type Found,
  planAgentPath,
  planPathPrepend,
  unsetAgentPath,
  unsetPathPrepend,
  type WiringDeps,
  type WiringReport,
} from "./shim-wiring.ts";

/** Where things are and go. */
export interface ShimPlaces {
  /** `<state>/bin/sudo`. */
  readonly script: string;
  /** `<state>/bin`, which goes in front of the agent's PATH. */
  readonly folder: string;
  /** The ways in which a config may name that folder. */
  readonly spellings: readonly string[];
  /** The self-contained copy of dist/shim.cjs. */
  readonly program: string;
  readonly socket: string;
}

export interface ShimInstallDeps extends WiringDeps {
  readonly places: ShimPlaces;
  readonly version: string;
  readonly now: () => string;
  readonly sha256Hex: (text: string) => string;
  readonly writeScript: (path: string, text: string) => Promise<void>;
  readonly writeProgram: (path: string, text: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  readonly loadRecord: () => Promise<ShimInstall | null>;
  readonly saveRecord: (record: ShimInstall) => Promise<void>;
  readonly removeRecord: () => Promise<void>;
  /** Text of the package's dist/shim.cjs. */
  readonly readPackaged: () => Promise<string>;
  /** Absolute path of a Node that can run the shim. @throws {SecurityError} tool-missing, tool-failed */
  readonly checkNode: () => Promise<string>;
  /** Absolute path of the real sudo. */
  readonly checkSudo: () => Promise<string | Refusal>;
  readonly shellHasPrivileged: () => Promise<boolean>;
}

export interface ShimChangeReport {
  readonly schemaVersion: 1;
  readonly action: "installed" | "uninstalled" | "nothing-to-do";
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Files that are not as we wrote them and were left alone. */
  readonly kept: readonly string[];
  readonly config: WiringReport;
  readonly launch_agent: WiringReport | null;
}

/**
 * Puts the shim in place and in front of the agent's PATH. Doing it again changes nothing, or
 * brings it up to date; a file that is not as we wrote it is never written over.
 * @throws {SecurityError} file-exists, tool-missing, tool-failed, invalid-input, and those of the effects
 */
export async function installShim(deps: ShimInstallDeps): Promise<ShimChangeReport> {
  const { places } = deps;
  const record = await deps.loadRecord();
  for (const path of [places.script, places.program]) await assertOurs(deps, record, path);
  const paths: ShimPaths = {
    node: await deps.checkNode(),
    program: places.program,
    socket: places.socket,
    sudo: await realSudo(deps),
  };
  const script = renderShimScript(paths, await deps.shellHasPrivileged());
  const program = await deps.readPackaged();
  const files = [
    { path: places.program, sha256: deps.sha256Hex(program) },
    { path: places.script, sha256: deps.sha256Hex(script) },
  ];
  // Asked before anything is written: where nobody can be asked, nothing is.
  const config = await planPathPrepend(deps, places);
  const agent = await planAgentPath(deps, places.folder);
  const pathPrepend = { entry: places.folder, was_absent: record?.path_prepend?.was_absent ?? config.wasAbsent };
  const agentPath = agent?.willChange === true ? deps.launchAgent : null;
  const after: ShimInstall = {
    schemaVersion: 1,
    installed_at: deps.now(),
    version: deps.version,
    files,
    path_prepend: config.willChange ? pathPrepend : (record?.path_prepend ?? null),
    launch_agent: agentPath === null ? (record?.launch_agent ?? null) : { path: agentPath.path, entry: places.folder },
  };
  // First, and with what may still be there: an interruption leaves nothing that a later call does not know.
  await deps.saveRecord({ ...after, files: [...(record?.files ?? []), ...files] });
  const written: string[] = [];
  for (const [path, text, write] of [
    [places.program, program, deps.writeProgram],
    [places.script, script, deps.writeScript],
  ] as const) {
    const found = await deps.read(path);
    if (found.kind === "file" && found.text === text) continue;
    await write(path, text);
    written.push(path);
  }
  await deps.saveRecord(after);
  const configReport = await config.apply();
  const agentReport = (await agent?.apply()) ?? null;
  return {
    schemaVersion: 1,
    action: written.length > 0 || config.willChange || agentPath !== null ? "installed" : "nothing-to-do",
    written,
    removed: [],
    kept: [],
    config: configReport,
    launch_agent: agentReport,
  };
}

/**
 * Takes back what the record says was done, and nothing else.
 * @throws {SecurityError} those of the effects
 */
export async function uninstallShim(deps: ShimInstallDeps): Promise<ShimChangeReport> {
  const record = await deps.loadRecord();
  const untouched: WiringReport = { state: "unchanged", command: null, message: "It was not changed by us." };
  const nothing: ShimChangeReport = {
    schemaVersion: 1,
    action: "nothing-to-do",
    written: [],
    removed: [],
    kept: [],
    config: untouched,
    launch_agent: deps.launchAgent === null ? null : untouched,
  };
  if (record === null) return nothing;
  // The agent's PATH first: a folder without the shim in it is harmless, a shim that is gone too.
  const config = record.path_prepend === null ? untouched : await unsetPathPrepend(deps, record.path_prepend);
  const agent = record.launch_agent === null ? null : await unsetAgentPath(deps, record.launch_agent.entry);
  const [removed, kept]: [string[], string[]] = [[], []];
  for (const path of new Set(record.files.map((file) => file.path))) {
    const found = await deps.read(path);
    if (found.kind === "missing") continue;
    if (isAsRecorded(deps, record, path, found)) {
      await deps.remove(path);
      removed.push(path);
    } else kept.push(path);
  }
  const isLeft = config.state === "declined" || config.state === "not-possible" || agent?.state === "declined";
  if (isLeft) await deps.saveRecord({ ...record, files: [] });
  else await deps.removeRecord();
  return { ...nothing, action: "uninstalled", removed, kept, config, launch_agent: agent };
}

async function assertOurs(deps: ShimInstallDeps, record: ShimInstall | null, path: string): Promise<void> {
  const found = await deps.read(path);
  if (found.kind === "missing" || isAsRecorded(deps, record, path, found)) return;
  const what = found.kind === "file" && isShimScript(found.text) ? "was changed since we wrote it" : "is not ours";
  throw new SecurityError("file-exists", `${path} ${what} and is not overwritten`, {
    hint: "Look at it, move it away, and install again.",
  });
}

/** Whether the file is byte for byte what the record says we wrote there. */
export function isAsRecorded(
  deps: Pick<ShimInstallDeps, "sha256Hex">,
  record: ShimInstall | null,
  path: string,
  found: Found,
): boolean {
  if (found.kind !== "file" || record === null) return false;
  const sha256 = deps.sha256Hex(found.text);
  return record.files.some((file) => file.path === path && file.sha256 === sha256);
}

async function realSudo(deps: ShimInstallDeps): Promise<string> {
  const sudo = await deps.checkSudo();
  if (typeof sudo === "string") return sudo;
  throw new SecurityError("tool-missing", `The real sudo cannot be used: ${sudo.message} (${sudo.code})`, {
    hint: "Install sudo, or name it in OPENCLAW_REAL_SUDO.",
  });
}
