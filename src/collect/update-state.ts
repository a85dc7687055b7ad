import { readFile, readlink, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { UpdateState } from "../core/host-evidence.ts";
import { epochFromIso, type EpochMs, isoFromEpoch } from "../core/time.ts";
import { readTextFile } from "../state/read-file.ts";
import { hasOpenClawState } from "./openclaw-presence.ts";
import { askStateDatabase, stateDatabasePath } from "./state-database.ts";

export interface UpdateOptions {
  readonly now: () => EpochMs;
  readonly procRoot: string;
  /** The running gateway; null when there is none. */
  readonly gatewayPid: number | null;
  /** Folders that may hold a globally installed package; see globalPackageFolders. */
  readonly packageFolders: readonly string[];
}

const MAX_PROCESSES = 32;

/** Where npm puts global packages: beside the Node in use, in the usual prefixes, in a home folder. */
export function globalPackageFolders(nodePath: string, home: string | null): readonly string[] {
  const prefixes = [dirname(dirname(nodePath)), "/usr/local", "/usr"];
  if (home !== null) prefixes.push(join(home, ".npm-global"), join(home, ".local"));
  return [...new Set(prefixes.map((prefix) => join(prefix, "lib", "node_modules")))];
}

/**
 * Which version runs or is installed, and what OpenClaw's own last look at the registry said. The
 * network is never asked. OpenClaw keeps the newest version only while it is newer than its own:
 * `latest_version` is null when it found none, and also when the registry gave no answer.
 */
export async function collectUpdateState(stateDir: string, options: UpdateOptions): Promise<Evidence<UpdateState>> {
  const at = isoFromEpoch(options.now());
  const installed = await findInstalled(options);
  if (installed === null) {
    return options.gatewayPid === null && !hasOpenClawState(stateDir)
      ? unmeasured("not-applicable", "OpenClaw is not installed here", stateDir, at)
      : unmeasured("file-missing", "No installed OpenClaw was found to read its version from", stateDir, at);
  }
  const checked = readUpdateCheck(stateDir);
  if (checked.kind === "failed") return unmeasured(checked.code, checked.reason, stateDir, at);
  return measured(
    {
      installed_version: installed.version,
      // What is not newer was recorded before this version was installed, and says nothing about today.
      latest_version: checked.latest !== null && isNewer(checked.latest, installed.version) ? checked.latest : null,
      checked_at: checked.at,
      node_version: await nodeVersion(options),
    },
    `${installed.source}; ${stateDatabasePath(stateDir)}, update.checkState`,
    at,
  );
}

export interface Installed {
  readonly version: string;
  /** The file that says so. */
  readonly source: string;
}

/** The running program is the truth; what is installed may be newer than what runs. */
export async function findInstalled(options: Omit<UpdateOptions, "now">): Promise<Installed | null> {
  for (const entry of await entriesOfProcess(options)) {
    const found = await versionAbove(entry);
    if (found !== null) return found;
  }
  for (const folder of options.packageFolders) {
    const found = await versionIn(join(folder, "openclaw", "package.json"));
    if (found !== null) return found;
  }
  return null;
}

/**
 * Files of the gateway's program. The gateway replaces its own command line by a title, but its
 * helper processes are started from the same package and keep theirs.
 */
async function entriesOfProcess({ procRoot, gatewayPid }: Omit<UpdateOptions, "now">): Promise<readonly string[]> {
  if (gatewayPid === null) return [];
  const own = String(gatewayPid);
  const children = await readFile(join(procRoot, own, "task", own, "children"), "utf8").catch(() => "");
  const pids = [own, ...children.split(/\s+/).filter((pid) => /^\d+$/.test(pid))].slice(0, MAX_PROCESSES);
  const lines = await Promise.all(pids.map((pid) => readFile(join(procRoot, pid, "cmdline"), "utf8").catch(() => "")));
  return lines.flatMap((line) => line.split("\0").slice(0, 3)).filter((word) => isAbsolute(word));
}

/** Of the Node that the gateway runs on; our own only when it is the same program. */
async function nodeVersion({ procRoot, gatewayPid }: UpdateOptions): Promise<string | null> {
  if (gatewayPid === null) return null;
  const exe = await readlink(join(procRoot, String(gatewayPid), "exe")).catch(() => null);
  if (exe === null) return null;
  if (exe === (await realpath(process.execPath).catch(() => null))) return process.versions.node;
  // Node's own packages bring this header along with the program.
  const header = join(dirname(dirname(exe)), "include", "node", "node_version.h");
  const text = await readFile(header, "utf8").catch(() => "");
  const parts = ["MAJOR", "MINOR", "PATCH"].map(
    (part) => new RegExp(`^#define NODE_${part}_VERSION (\\d+)$`, "m").exec(text)?.[1],
  );
  return parts.every((part) => part !== undefined) ? parts.join(".") : null;
}

async function versionAbove(entry: string): Promise<Installed | null> {
  const real = await realpath(entry).catch(() => null);
  if (real === null) return null;
  for (let folder = real, depth = 0; depth < 4 && folder !== "/"; folder = dirname(folder), depth += 1) {
    const found = await versionIn(join(folder, "package.json"));
    if (found !== null) return found;
  }
  return null;
}

async function versionIn(path: string): Promise<Installed | null> {
  try {
    const text = await readTextFile(path, {
      maxBytes: 1_048_576,
      trust: "untrusted",
      what: "package file",
      followLink: true,
    });
    const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
    return name === "openclaw" && isVersion(version) ? { version, source: path } : null;
  } catch {
    // Not this folder, or not a package of this kind.
    return null;
  }
}

function isNewer(version: string, than: string): boolean {
  const parts = (text: string): readonly number[] => (/^[\d.]+/.exec(text)?.[0] ?? "").split(".").map(Number);
  const [a, b] = [parts(version), parts(than)];
  const at = a.findIndex((part, index) => part !== b[index]);
  // A release comes after its own prereleases.
  return at === -1 ? than.includes("-") && !version.includes("-") : (a[at] ?? 0) > (b[at] ?? 0);
}

function isVersion(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,6}\.\d{1,6}\.\d{1,6}(?:[-+][0-9A-Za-z.-]{1,64})?$/.test(value);
}

type Checked =
  | { readonly kind: "known"; readonly latest: string | null; readonly at: string | null }
  | Extract<ReturnType<typeof askStateDatabase>, { kind: "failed" }>;

function readUpdateCheck(stateDir: string): Checked {
  const answer = askStateDatabase(stateDir, "config_machine_state", ["state_key", "value_json"], (database) =>
    database.prepare("SELECT value_json FROM config_machine_state WHERE state_key = 'update.checkState'").get(),
  );
  if (answer.kind === "failed") return answer;
  const text = answer.kind === "read" ? answer.value?.["value_json"] : undefined;
  if (typeof text !== "string") return { kind: "known", latest: null, at: null };
  try {
    const { lastCheckedAt, lastAvailableVersion } = JSON.parse(text) as Record<string, unknown>;
    const isKnown = typeof lastCheckedAt === "string" && epochFromIso(lastCheckedAt) !== null;
    return {
      kind: "known",
      at: isKnown ? lastCheckedAt : null,
      latest: isVersion(lastAvailableVersion) ? lastAvailableVersion : null,
    };
  } catch {
    return { kind: "failed", code: "json-invalid", reason: "OpenClaw's record of its last update check is not JSON" };
  }
}
