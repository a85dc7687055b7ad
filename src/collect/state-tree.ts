import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { StateEntry, StateTree } from "../core/host-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { hasOpenClawState } from "./openclaw-presence.ts";

const MAX_ENTRIES = 50_000;
/** Entries looked at before other work gets its turn; about a millisecond. */
const SLICE = 256;
const MAX_LISTED = 1_000;

/** Below these, or below any node_modules, lies code: who may change it matters, not who may read it. */
const CODE_FOLDERS: ReadonlySet<string> = new Set(["extensions", "npm", "plugin-skills", "skills", "bin"]);
/** Root's own: never OpenClaw's, also where that runs as root. */
const SYSTEM = /^\/(?:(?:bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|usr|var)(?:\/|$)|$)/;
/** What the agent works on, and scratch files, with the modes that git and tools choose: exposed only when reachable. */
const WORK_FOLDER = /^(?:workspace(?:-.*)?|tmp)$/;

export interface StateTreeOptions {
  readonly now: () => EpochMs;
  /** Whose files these should be: the gateway's uid. */
  readonly expectedUid: number;
  /** Config, includes and log file, wherever they are; those inside the tree are seen there. */
  readonly files: readonly string[];
  /** Agent folders outside the tree. */
  readonly folders: readonly string[];
  readonly runTool: RunTool;
  /** Absolute path of getfacl; null when there is none. */
  readonly getfacl: string | null;
  /** Where the walk stops; for tests. */
  readonly maxEntries?: number;
}

/** What the entries of a folder are for. */
type Purpose = "secret" | "work" | "code";

interface Walk {
  readonly expectedUid: number;
  readonly maxEntries: number;
  seen: number;
  truncated: boolean;
  readonly found: StateEntry[];
  readonly unreadable: string[];
  /** Folders above that were looked at already. */
  readonly above: Map<string, Reach>;
  /** Where links out of a tree lead, with what they were found among. */
  readonly targets: Map<string, Purpose>;
}

/** Who gets as far as into a folder besides its owner: nobody, everybody, or the members of one group. */
type Reach = "nobody" | "everybody" | number;

/**
 * Looks at owner and mode of everything below the state folder, without following a link.
 * What is shielded by a folder above it counts only where that could be changed by mistake.
 */
export async function collectStateTree(stateDir: string, options: StateTreeOptions): Promise<Evidence<StateTree>> {
  const at = isoFromEpoch(options.now());
  const root = realPath(stateDir);
  const walk: Walk = {
    expectedUid: options.expectedUid,
    maxEntries: options.maxEntries ?? MAX_ENTRIES,
    seen: 0,
    truncated: false,
    found: [],
    unreadable: [],
    above: new Map(),
    targets: new Map(),
  };
  const roots = [root, ...options.folders.map(realPath)].filter(
    (path, index, all) => !all.some((other, place) => place !== index && isBelow(path, other)),
  );
  for (const path of new Set(roots)) await walkTree(path, "secret", walk);
  await followLinks(roots, walk);
  const seenInTrees = walk.seen;
  for (const path of new Set(options.files.map(realPath))) {
    if (!roots.some((other) => isBelow(path, other))) lookAtFile(path, walk);
  }
  // Sound files of our own alone say nothing about OpenClaw's; a fault among them is one all the same.
  const hasOnlyOurs = walk.seen === seenInTrees && options.folders.length === 0 && !hasOpenClawState(root);
  if (hasOnlyOurs && walk.found.length === 0 && walk.unreadable.length === 0) {
    return unmeasured("not-applicable", `There is no state of OpenClaw at ${stateDir}`, stateDir, at);
  }
  const acls = await readAcls(roots, options);
  return measured(
    {
      root,
      expected_uid: options.expectedUid,
      entries_seen: walk.seen,
      deviations: withAcls(walk, acls).slice(0, MAX_LISTED),
      unreadable: walk.unreadable.slice(0, MAX_LISTED),
      truncated: walk.truncated || walk.found.length > MAX_LISTED || walk.unreadable.length > MAX_LISTED,
    },
    `modes and owners below ${root}`,
    at,
  );
}

interface Folder {
  readonly path: string;
  readonly purpose: Purpose;
  readonly reach: Reach;
}

async function walkTree(root: string, kind: Purpose, walk: Walk): Promise<void> {
  const stat = look(root, walk);
  if (stat === null) return;
  const reach = judge(root, root, stat, kind, lookAbove(root, walk), walk);
  const open: Folder[] = stat.isDirectory() ? [{ path: root, purpose: kind, reach }] : [];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const names = list(folder.path, walk);
    for (const name of names) {
      if (walk.seen >= walk.maxEntries) {
        walk.truncated = true;
        return;
      }
      if (walk.seen % SLICE === 0) await new Promise((done) => setImmediate(done));
      const path = join(folder.path, name);
      const entry = look(path, walk);
      if (entry === null) continue;
      const purpose = purposeOf(name, folder, root);
      const below = judge(root, path, entry, purpose, folder.reach, walk);
      if (entry.isDirectory()) open.push({ path, purpose, reach: below });
    }
  }
}

/**
 * Looks at what links out of the trees lead to. What is of the same owner is OpenClaw's own wherever
 * it lies; of code and of what belongs to others it only matters who may exchange it.
 */
async function followLinks(roots: readonly string[], walk: Walk): Promise<void> {
  // What is found on the way may hold further links: the map grows while it is read.
  const done: string[] = [...roots];
  for (const [path, purpose] of walk.targets) {
    if (done.some((root) => isBelow(path, root) || isBelow(root, path))) continue;
    const stat = look(path, walk);
    if (stat === null) continue;
    const isSystem = stat.uid === 0 && SYSTEM.test(path);
    if (purpose === "code" || isSystem || stat.uid !== walk.expectedUid) {
      judgeHolder(path, stat, lookAbove(path, walk), walk);
    } else {
      await walkTree(path, purpose, walk);
      done.push(path);
    }
  }
}

/** Who gets to `path` through the folders above it. One that others may change lets them replace what is below. */
function lookAbove(path: string, walk: Walk): Reach {
  const folder = dirname(path);
  if (folder === path) return "everybody";
  const known = walk.above.get(folder);
  if (known !== undefined) return known;
  const before = lookAbove(folder, walk);
  const stat = look(folder, walk);
  const reach = stat === null ? before : deeper(before, stat);
  if (stat !== null) judgeHolder(folder, stat, before, walk);
  walk.above.set(folder, reach);
  return reach;
}

/** A folder that is not OpenClaw's own: only who may exchange what it holds is of interest. */
function judgeHolder(path: string, stat: Stats, reach: Reach, walk: Walk): void {
  const isForeign = stat.uid !== walk.expectedUid && stat.uid !== 0;
  // Whoever may write to a sticky folder still cannot replace what belongs to others.
  const isSticky = (stat.mode & 0o1000) !== 0;
  const isWritable = !isSticky && (stat.mode & maskOf(reach, stat) & 0o022) !== 0;
  if (isForeign || isWritable) add(walk, path, stat, isForeign ? 0o077 : maskOf(reach, stat));
}

/** Permission bits of an entry that the folders above let take effect. */
function maskOf(reach: Reach, stat: Stats): number {
  if (reach === "nobody") return 0;
  // Of one group's members those outside the entry's own group count as the rest of the world.
  return reach === stat.gid ? 0o070 : 0o077;
}

function deeper(reach: Reach, stat: Stats): Reach {
  const enter = stat.mode & maskOf(reach, stat) & 0o011;
  if (enter === 0) return "nobody";
  if (typeof reach === "number") return reach;
  return (enter & 0o001) !== 0 ? "everybody" : stat.gid;
}

function purposeOf(name: string, parent: Folder, root: string): Purpose {
  if (name === "node_modules") return "code";
  if (parent.path !== root) return parent.purpose;
  return CODE_FOLDERS.has(name) ? "code" : WORK_FOLDER.test(name) ? "work" : "secret";
}

/** Records an entry that deviates, and returns who gets below it. */
function judge(root: string, path: string, stat: Stats, purpose: Purpose, reach: Reach, walk: Walk): Reach {
  walk.seen += 1;
  const kind = kindOf(stat);
  const mode = stat.mode & 0o7777;
  const mask = maskOf(reach, stat);
  const isForeign = stat.uid !== walk.expectedUid;
  if (kind === "symlink") {
    const target = targetOf(path, root);
    if (target !== null && target !== "" && purpose !== "work" && !walk.targets.has(target)) {
      walk.targets.set(target, purpose);
    }
    // A link to nothing leads nowhere; whoever makes its target decides what is read.
    if (isForeign || (purpose === "secret" && target !== null)) add(walk, path, stat, mask);
    return "nobody";
  }
  // A folder for everybody's scratch files keeps them apart; anywhere else a stranger's file may be taken for ours.
  const isScratch = kind === "folder" && purpose === "work" && (mode & 0o1000) !== 0;
  const writable = isScratch ? 0 : mode & 0o022;
  const readable = purpose === "code" ? 0 : mode & 0o055;
  const isExposed = ((writable | readable) & mask) !== 0;
  const isCareless = kind !== "folder" && purpose === "secret" && (mode & 0o066) !== 0;
  if (isForeign || isExposed || isCareless) add(walk, path, stat, isForeign ? 0o077 : isExposed ? mask : 0);
  return deeper(reach, stat);
}

function add(walk: Walk, path: string, stat: Stats, effective: number): void {
  walk.found.push({
    path,
    kind: kindOf(stat),
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    has_acl: null,
    ...(effective === 0 ? { shielded: true } : {}),
    ...(effective === 0o070 ? { group_only: true } : {}),
  });
}

/** A file on its own: the folders above count too, because whoever may write there can replace it. */
function lookAtFile(path: string, walk: Walk): void {
  const stat = look(path, walk);
  if (stat !== null) judge(path, path, stat, "secret", lookAbove(path, walk), walk);
}

function look(path: string, walk: Walk): Stats | null {
  try {
    return lstatSync(path);
  } catch (cause) {
    refuse(path, cause, walk);
    return null;
  }
}

function list(path: string, walk: Walk): readonly string[] {
  try {
    return readdirSync(path);
  } catch (cause) {
    refuse(path, cause, walk);
    return [];
  }
}

/** What is gone meanwhile was never there; anything else could not be examined. */
function refuse(path: string, cause: unknown, walk: Walk): void {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== "ENOENT") walk.unreadable.push(path);
}

function kindOf(stat: Stats): StateEntry["kind"] {
  if (stat.isSymbolicLink()) return "symlink";
  return stat.isFile() ? "file" : stat.isDirectory() ? "folder" : "other";
}

/** Where a link leads when that is outside of `root`: "" when nowhere; null when it stays inside. */
function targetOf(path: string, root: string): string | null {
  try {
    const target = realpathSync(path);
    return target === root || isBelow(target, root) ? null : target;
  } catch {
    return "";
  }
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith("../") && !way.startsWith("/");
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Paths with an access list beyond the three classes of the mode; null when that cannot be told. */
async function readAcls(roots: readonly string[], options: StateTreeOptions): Promise<ReadonlySet<string> | null> {
  if (options.getfacl === null) return null;
  const result = await options.runTool({
    file: options.getfacl,
    args: ["--absolute-names", "--skip-base", "--recursive", "--physical", "--numeric", "--", ...roots],
    timeoutMs: 5_000,
    maxBytes: 4_194_304,
  });
  if (result.kind === "failed" || result.exitCode !== 0) return null;
  const paths = [...result.stdout.matchAll(/^# file: (.*)$/gm)].map((match) => unescapeOctal(match[1] ?? ""));
  return new Set(paths);
}

/** getfacl writes unusual bytes of a path as \ooo. */
function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const octal = /^\\([0-7]{3})/.exec(text.slice(index, index + 4))?.[1];
    if (octal === undefined) {
      bytes.push(...Buffer.from(text[index] ?? ""));
    } else {
      bytes.push(Number.parseInt(octal, 8));
      index += 3;
    }
  }
  return Buffer.from(bytes).toString("utf8");
}

function withAcls(walk: Walk, acls: ReadonlySet<string> | null): readonly StateEntry[] {
  if (acls === null) return walk.found;
  const listed = new Set(walk.found.map((entry) => entry.path));
  const found = walk.found.map((entry) => ({ ...entry, has_acl: acls.has(entry.path) }));
  for (const path of acls) {
    if (listed.has(path)) continue;
    try {
      const stat = statSync(path);
      found.push({ path, kind: kindOf(stat), mode: stat.mode & 0o7777, uid: stat.uid, has_acl: true });
    } catch {
      // Gone meanwhile, or a name that getfacl spells in a way of its own.
      found.push({ path, kind: "other", mode: 0, uid: walk.expectedUid, has_acl: true });
    }
  }
  return found;
}
