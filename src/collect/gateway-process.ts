import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { GatewayProcess } from "../core/host-evidence.ts";
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
  /** The account this runs as, from the system. */
  readonly current: { readonly uid: number; readonly gids: readonly number[] };
}

const MAX_ACCOUNTS_BYTES = 4_194_304;

/**
 * The running gateway's account, or, when none is found, the account that runs this. A process is
 * the gateway when it is OpenClaw by its command line and owns the gateway's port or carries the
 * gateway's name; a port alone can belong to anything.
 */
export async function collectGatewayProcess(options: GatewayOptions): Promise<Evidence<GatewayProcess>> {
  const at = isoFromEpoch(options.now());
  const files = createProcFiles(options.procRoot);
  const names = readAccounts(options.etc);
  const pid = await findGateway(files, options);
  if (pid === null) {
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
      },
      "current account; no running gateway was found",
      at,
    );
  }
  const source = `${options.procRoot}/${pid}/status`;
  const status = files.text(`${pid}/status`);
  const field = (name: string): string | undefined =>
    typeof status === "string" ? new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim() : undefined;
  const uid = field("Uid")?.split(/\s+/)[1];
  if (uid === undefined) {
    return unmeasured("proc-unusable", `The status of the gateway (pid ${pid}) could not be read`, source, at);
  }
  const gids = [field("Gid")?.split(/\s+/)[1], ...(field("Groups")?.split(/\s+/) ?? [])];
  const groups = gids.filter((gid) => gid !== undefined && gid !== "").map((gid) => names.group(Number(gid)));
  const noNewPrivs = field("NoNewPrivs");
  return measured(
    {
      running: true,
      pid,
      uid: Number(uid),
      user: names.user(Number(uid)),
      groups: [...new Set(groups)],
      no_new_privs: noNewPrivs === undefined ? null : noNewPrivs === "1",
      cap_eff: field("CapEff") ?? null,
      basis: "process",
    },
    source,
    at,
  );
}

async function findGateway(files: ProcFiles, options: GatewayOptions): Promise<number | null> {
  const owners =
    options.sockets.kind === "measured"
      ? options.sockets.value.listeners.filter(
          (listener) => listener.protocol === "tcp" && listener.port === options.port,
        )
      : [];
  for (const { pid } of owners) if (pid !== null && isOpenClaw(files, pid)) return pid;

  const pids = files.list("");
  if (typeof pids === "symbol") return null;
  for (const [index, name] of pids.entries()) {
    if (index % 64 === 63) await new Promise((done) => setImmediate(done));
    if (/^\d+$/.test(name) && isGatewayByName(files, Number(name))) return Number(name);
  }
  return null;
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
  return entry !== -1 && entry <= 2 && words.slice(entry + 1).includes("gateway");
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
