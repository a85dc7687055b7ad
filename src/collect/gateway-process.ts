import { statSync } from "node:fs";
import { dirname } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { GatewayProcess, OtherGateway } from "../core/host-evidence.ts";
import type { SocketInventory } from "../core/network.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { createProcFiles, type ProcFiles } from "./proc-file.ts";
import { parsePasswd } from "./proc-user.ts";

export interface GatewayOptions {
  readonly now: () => EpochMs;
  readonly procRoot: string;
  /** Folder with passwd and group. */
  readonly etc: string;
  /** The gateway's port as far as the configuration is known. */
  readonly port: number | null;
  readonly sockets: Evidence<SocketInventory>;
  /** Where the OpenClaw in question keeps its things. */
  readonly stateDir: string;
  readonly configPath: string;
  /** The account this runs as, from the system. */
  readonly current: { readonly uid: number; readonly gids: readonly number[] };
}

const MAX_ACCOUNTS_BYTES = 4_194_304;
const MAX_ENVIRON_BYTES = 1_048_576;

/**
 * The running gateway's account, or, when none is found, the account that runs this. A process is
 * the gateway when it is OpenClaw by its command line and owns the gateway's port or carries the
 * gateway's name; a port alone can belong to anything. Of several it is the one that has our state
 * folder open, else the one whose account owns the port; a name alone can be taken by anybody.
 */
export async function collectGatewayProcess(options: GatewayOptions): Promise<Evidence<GatewayProcess>> {
  const at = isoFromEpoch(options.now());
  const files = createProcFiles(options.procRoot);
  const names = readAccounts(options.etc);
  const candidates = await findCandidates(files, options);
  const chosen = choose(candidates);
  const others = candidates.filter((candidate) => candidate !== chosen).map(otherGateway);
  if (chosen === null) {
    const { uid, gids } = options.current;
    const groups = gids.map((gid) => names.group(gid));
    return measured(
      {
        running: false,
        pid: null,
        uid,
        user: names.user(uid),
        groups: [...new Set(groups)],
        no_new_privs: null,
        cap_eff: null,
        basis: "current-user",
        others,
      },
      others.length === 0
        ? "current account; no running gateway was found"
        : "current account; no running gateway could be told to be the one in question",
      at,
    );
  }
  const { pid, status } = chosen;
  const source = `${options.procRoot}/${pid}/status`;
  if (chosen.uid === null) {
    return unmeasured("proc-unusable", `The status of the gateway (pid ${pid}) could not be read`, source, at);
  }
  const gids = [field(status, "Gid")?.split(/\s+/)[1], ...(field(status, "Groups")?.split(/\s+/) ?? [])];
  const groups = gids.filter((gid) => gid !== undefined && gid !== "").map((gid) => names.group(Number(gid)));
  const noNewPrivs = field(status, "NoNewPrivs");
  return measured(
    {
      running: true,
      pid,
      uid: chosen.uid,
      user: names.user(chosen.uid),
      groups: [...new Set(groups)],
      no_new_privs: noNewPrivs === undefined ? null : noNewPrivs === "1",
      cap_eff: capabilities(status),
      basis: "process",
      others,
    },
    source,
    at,
  );
}

interface Candidate {
  readonly pid: number;
  readonly status: string;
  /** 0 as soon as one of its ids is: a process may take up any of them. Null when unreadable. */
  readonly uid: number | null;
  readonly ownsPort: boolean;
  /** Whether it runs with our state folder and config; null when that cannot be seen. */
  readonly isOurs: boolean | null;
  readonly config: string | null;
}

function choose(candidates: readonly Candidate[]): Candidate | null {
  const possible = candidates.filter((candidate) => candidate.isOurs !== false);
  const sure = possible.filter((candidate) => candidate.isOurs === true);
  for (const group of [sure, possible]) {
    const owners = group.filter((candidate) => candidate.ownsPort);
    const [only] = owners.length > 0 ? owners : group;
    // One account's gateways are as good as one another; of several accounts none is the one.
    const isClear = owners.length > 0 || new Set(group.map((candidate) => candidate.uid)).size === 1;
    if (only !== undefined) return isClear ? only : null;
  }
  return null;
}

function otherGateway({ pid, uid, isOurs, config }: Candidate): OtherGateway {
  return { pid, uid: uid ?? -1, other_config: isOurs === false ? config : null };
}

async function findCandidates(files: ProcFiles, options: GatewayOptions): Promise<readonly Candidate[]> {
  const owners =
    options.sockets.kind === "measured"
      ? options.sockets.value.listeners.filter(
          (listener) => listener.protocol === "tcp" && listener.port === options.port,
        )
      : [];
  const found = new Set<number>();
  for (const { pid } of owners) if (pid !== null && isOpenClaw(files, pid)) found.add(pid);

  const pids = files.list("");
  for (const [index, name] of (typeof pids === "symbol" ? [] : pids).entries()) {
    if (index % 64 === 63) await new Promise((done) => setImmediate(done));
    if (/^\d+$/.test(name) && isGatewayByName(files, Number(name))) found.add(Number(name));
  }
  return [...found].map((pid) => {
    const text = files.text(`${pid}/status`);
    const status = typeof text === "string" ? text : "";
    const uids = field(status, "Uid")?.split(/\s+/) ?? [];
    const uid = uids[1] === undefined ? null : uids.includes("0") ? 0 : Number(uids[1]);
    // A socket of another account has no owner we may see, but it has that account.
    const ownsPort = owners.some((owner) =>
      owner.pid === null ? uid !== null && owner.uid === uid : owner.pid === pid,
    );
    return { pid, status, uid, ownsPort, ...placesOf(files, pid, options) };
  });
}

/** Where a gateway keeps its things: by the database it has open, and by what its environment was at start. */
function placesOf(files: ProcFiles, pid: number, options: GatewayOptions): Pick<Candidate, "isOurs" | "config"> {
  const text = files.text(`${pid}/environ`, MAX_ENVIRON_BYTES);
  const env = new Map<string, string>();
  for (const entry of typeof text === "string" ? text.split("\0") : []) {
    const end = entry.indexOf("=");
    if (end > 0) env.set(entry.slice(0, end), entry.slice(end + 1));
  }
  const stateDir = openStateDir(files, pid) ?? absolute(env.get("OPENCLAW_STATE_DIR"));
  const named = env.get("OPENCLAW_CONFIG_PATH")?.trim() ?? "";
  const config = absolute(named);
  const own = `${options.procRoot}/${pid}/root`;
  const hasOtherState = stateDir !== null && !isSame(own, stateDir, options.stateDir);
  // Without a word about it the config lies in the state folder, under one of its names.
  const isInState = named === "" && env.size > 0 && stateDir !== null;
  const hasOtherConfig =
    config !== null
      ? !isSame(own, config, options.configPath)
      : isInState && !isSame(own, stateDir, dirname(options.configPath));
  if (hasOtherState || hasOtherConfig) {
    return { isOurs: false, config: config ?? (stateDir === null ? null : `${stateDir}/openclaw.json`) };
  }
  return { isOurs: stateDir === null ? null : true, config: null };
}

function openStateDir(files: ProcFiles, pid: number): string | null {
  const names = files.list(`${pid}/fd`);
  for (const name of typeof names === "symbol" ? [] : names) {
    const target = files.link(`${pid}/fd/${name}`);
    const folder = typeof target === "string" ? /^(\/.*)\/state\/openclaw\.sqlite$/.exec(target)?.[1] : undefined;
    if (folder !== undefined) return folder;
  }
  return null;
}

function absolute(path: string | undefined): string | null {
  const text = path?.trim() ?? "";
  return text.startsWith("/") ? text : null;
}

/** The same file or folder; a process in a container may know it by another path, below a root of its own. */
function isSame(root: string, theirs: string, ours: string): boolean {
  const [there, here] = [idOf(`${root}${theirs}`) ?? idOf(theirs), idOf(ours)];
  return there === null || here === null ? theirs === ours : there === here;
}

function idOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim();
}

function capabilities(status: string): string | null {
  const sets = [field(status, "CapEff"), field(status, "CapPrm")].filter((hex) => hex !== undefined);
  if (sets.length === 0 || sets.some((hex) => !/^[0-9a-f]{1,16}$/i.test(hex))) return null;
  const bits = sets.reduce((all, hex) => all | BigInt(`0x${hex}`), 0n);
  return bits.toString(16).padStart(16, "0");
}

function commandLine(files: ProcFiles, pid: number): readonly string[] {
  const text = files.text(`${pid}/cmdline`);
  // A process that sets its title overwrites this with one string, padded with NULs.
  return typeof text === "string" ? text.split("\0").filter((word) => word !== "") : [];
}

function isOpenClaw(files: ProcFiles, pid: number): boolean {
  return commandLine(files, pid).some((word) => /(?:^|\/)openclaw(?:-gateway|\.mjs)?(?:\s|\/|$)/.test(word));
}

/** The gateway sets its title to `openclaw-gateway`; under another title it is `openclaw ... gateway run`. */
function isGatewayByName(files: ProcFiles, pid: number): boolean {
  const words = commandLine(files, pid);
  if (words[0] === "openclaw-gateway" || words[0]?.startsWith("openclaw-gateway ") === true) return true;
  const entry = words.findIndex((word) => /(?:^|\/)openclaw(?:\.mjs)?$/.test(word));
  // The entry is the program itself or the first thing its interpreter is given.
  return entry !== -1 && entry <= 2 && runsGateway(words.slice(entry + 1));
}

/** Options of OpenClaw before its command that take a value of their own. */
const VALUE_OPTIONS: ReadonlySet<string> = new Set(["--container", "--log-level", "--profile"]);

/** `gateway` or `gateway run`; `gateway status` and `config get gateway` only talk about one. */
function runsGateway(words: readonly string[]): boolean {
  let at = 0;
  while (words[at]?.startsWith("-") === true) at += VALUE_OPTIONS.has(words[at] ?? "") ? 2 : 1;
  const action = words[at + 1];
  return words[at] === "gateway" && (action === undefined || action === "run" || action.startsWith("-"));
}

interface Accounts {
  user(uid: number): string | null;
  group(gid: number): string;
}

function readAccounts(etc: string): Accounts {
  const files = createProcFiles(etc);
  const passwd = files.text("passwd", MAX_ACCOUNTS_BYTES);
  const users = typeof passwd === "string" ? parsePasswd(passwd) : new Map<number, string>();
  const group = files.text("group", MAX_ACCOUNTS_BYTES);
  const groups = new Map<number, string>();
  for (const line of typeof group === "string" ? group.split("\n") : []) {
    const [name = "", , gid = ""] = line.split(":");
    if (name !== "" && /^\d{1,10}$/.test(gid) && !groups.has(Number(gid))) groups.set(Number(gid), name);
  }
  return { user: (uid) => users.get(uid) ?? null, group: (gid) => groups.get(gid) ?? String(gid) };
}
