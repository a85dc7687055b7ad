import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
import { type Evidence, measured } from "../core/evidence.ts";
import type { GatewayProcess, PrivilegePath, PrivilegePaths } from "../core/host-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { createProcFiles, REFUSED } from "./proc-file.ts";
import { findWritableRootFiles } from "./root-files.ts";
import { collectSetuidPaths, type Found } from "./setuid-files.ts";
import { parseDoas, parseSudoList, parseTimestampTimeout } from "./sudo-rules.ts";

export interface PrivilegeOptions {
  readonly now: () => EpochMs;
  /** The account in question, from collectGatewayProcess. */
  readonly account: GatewayProcess;
  /** The uid that this runs as. */
  readonly currentUid: number;
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
  /** Stands for "/" in every fixed path; for tests. */
  readonly root?: string;
}

/** Membership that gives root without asking anybody. */
const PASSWORDLESS_GROUPS: ReadonlyMap<string, string> = new Map([
  ["docker", "may start containers with the host's files"],
  ["lxd", "may start containers with the host's files"],
  ["incus-admin", "may start containers with the host's files"],
  ["libvirt", "may start machines with the host's disks"],
  ["disk", "may write the disks themselves"],
]);

/** Groups that distributions give sudo's rules to. */
const SUDO_GROUPS: readonly string[] = ["sudo", "wheel", "admin"];

const SOCKETS: readonly string[] = [
  "/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/run/crio/crio.sock",
  "/run/podman/podman.sock",
  "/run/buildkit/buildkitd.sock",
  "/run/incus/unix.socket",
  "/var/lib/incus/unix.socket",
  "/var/lib/lxd/unix.socket",
  "/var/snap/lxd/common/lxd/unix.socket",
  "/run/libvirt/libvirt-sock",
];

const SUDO_TIMEOUT_MS = 5_000;
const MAX_TOOL_BYTES = 1_048_576;
const MAX_FILE_BYTES = 1_048_576;

/** Capabilities with which a process gets to uid 0, by bit. */
const ROOT_CAPABILITIES: ReadonlyMap<number, string> = new Map([
  [0, "cap_chown"],
  [1, "cap_dac_override"],
  [2, "cap_dac_read_search"],
  [3, "cap_fowner"],
  [6, "cap_setgid"],
  [7, "cap_setuid"],
  [16, "cap_sys_module"],
  [17, "cap_sys_rawio"],
  [19, "cap_sys_ptrace"],
  [21, "cap_sys_admin"],
  [27, "cap_mknod"],
  [31, "cap_setfcap"],
]);

/**
 * What leads from the account to uid 0 on this host. Nothing is ever tried: rules are listed, files
 * and modes are read. What cannot be seen goes into `unknown`.
 */
export async function collectPrivilegePaths(options: PrivilegeOptions): Promise<Evidence<PrivilegePaths>> {
  const at = isoFromEpoch(options.now());
  const { account } = options;
  const user = account.user ?? String(account.uid);
  const found: FoundWithSudo = { paths: [], unknown: [], timestampMinutes: null };
  // With no_new_privs a program started from the gateway gains nothing from any setuid bit, unless
  // the account's own service manager, which has no such limit, is there to start it instead.
  const gainsFromSetuid = account.no_new_privs !== true || hasServiceManager(options);
  if (account.uid === 0) {
    found.paths.push({ via: "root", what: `${user} is uid 0`, strength: "passwordless" });
  } else {
    lookAtGroups(account, found);
    lookAtSockets(options, found);
    lookAtCapabilities(account, found);
    found.paths.push(...findWritableRootFiles({ account, root: options.root ?? "" }));
    if (gainsFromSetuid) {
      await Promise.all([
        lookAtSudo(options, user, found),
        lookAtDoas(options, user, found),
        lookAtPolkit(options, found),
        collectSetuidPaths({ ...options, root: options.root ?? "" }, found),
      ]);
    }
  }
  await lookAtSudoTimeout(options, user, found);
  return measured(
    {
      user,
      uid: account.uid,
      // In an order of its own: what was looked at together ends in any order.
      paths: found.paths.toSorted((a, b) => `${a.via} ${a.what}`.localeCompare(`${b.via} ${b.what}`, "en")),
      has_sudo: (await options.locateTool("sudo")) !== null,
      sudo_timestamp_minutes: found.timestampMinutes,
      unknown: found.unknown.toSorted(),
    },
    gainsFromSetuid
      ? "groups, sockets, capabilities, files that root acts on, sudo -n -l, doas.conf, polkit, setuid files"
      : "groups, sockets, capabilities, files that root acts on; no_new_privs shuts sudo, doas, polkit and setuid files",
    at,
  );
}

function hasServiceManager({ account, root }: PrivilegeOptions): boolean {
  return existsSync(`${root ?? ""}/run/user/${account.uid}/systemd/private`);
}

interface FoundWithSudo extends Found {
  timestampMinutes: number | null;
}

function lookAtGroups(account: GatewayProcess, found: Found): void {
  for (const group of account.groups) {
    const why = PASSWORDLESS_GROUPS.get(group);
    if (why !== undefined) found.paths.push({ via: "group", what: `${group}: ${why}`, strength: "passwordless" });
    if (group === "shadow") {
      found.paths.push({ via: "group", what: "shadow: may read password hashes", strength: "password" });
    }
  }
}

function lookAtSockets(options: PrivilegeOptions, found: Found): void {
  for (const socket of SOCKETS) {
    const path = `${options.root ?? ""}${socket}`;
    let stat;
    try {
      stat = statSync(path);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // A folder that keeps us out keeps the account out too, when we are that account.
      if (code === "EACCES" && options.account.uid !== options.currentUid) {
        found.unknown.push(`whether ${socket} exists could not be seen`);
      }
      continue;
    }
    if (options.account.uid === options.currentUid) {
      if (mayAccess(path)) found.paths.push({ via: "container-socket", what: socket, strength: "passwordless" });
      continue;
    }
    // Another account's rights can only be worked out, and access lists are not seen this way.
    const isOwner = stat.uid === options.account.uid;
    if (isOwner || (stat.mode & 0o002) !== 0) {
      found.paths.push({ via: "container-socket", what: socket, strength: "passwordless" });
    } else if ((stat.mode & 0o020) !== 0 && stat.gid !== 0) {
      found.paths.push(...groupSocket(options, socket, stat.gid));
    }
  }
}

function groupSocket(options: PrivilegeOptions, socket: string, gid: number): readonly PrivilegePath[] {
  const text = createProcFiles(`${options.root ?? ""}/etc`).text("group", MAX_FILE_BYTES);
  const rows = typeof text === "string" ? text.split("\n").map((line) => line.split(":")) : [];
  const name = rows.find((row) => row[2] === String(gid))?.[0] ?? String(gid);
  return options.account.groups.includes(name)
    ? [{ via: "container-socket", what: socket, strength: "passwordless" }]
    : [];
}

function mayAccess(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function lookAtCapabilities(account: GatewayProcess, found: Found): void {
  const { cap_eff: hex } = account;
  if (hex === null || !/^[0-9a-f]{1,16}$/i.test(hex)) return;
  const bits = BigInt(`0x${hex}`);
  const held = [...ROOT_CAPABILITIES].filter(([bit]) => (bits & (1n << BigInt(bit))) !== 0n).map(([, name]) => name);
  if (held.length > 0) {
    found.paths.push({ via: "capability", what: `the gateway holds ${held.join(", ")}`, strength: "passwordless" });
  }
}

async function lookAtSudo(options: PrivilegeOptions, user: string, found: FoundWithSudo): Promise<void> {
  const sudo = await options.locateTool("sudo");
  if (sudo === null) return;
  const isOwn = options.account.uid === options.currentUid;
  if (!isOwn && options.currentUid !== 0) {
    found.unknown.push(`sudo's rules for ${user} can be listed only by ${user} or root`);
    return;
  }
  const result = await options.runTool({
    file: sudo,
    args: isOwn ? ["-n", "-l"] : ["-n", "-l", "-U", user],
    timeoutMs: SUDO_TIMEOUT_MS,
    maxBytes: MAX_TOOL_BYTES,
  });
  if (result.kind === "failed") {
    found.unknown.push(`sudo's rules could not be listed: ${result.code}`);
    return;
  }
  const list = parseSudoList(result.stdout, result.stderr, options.account.groups);
  switch (list.kind) {
    case "none":
      return;
    case "rules":
      found.timestampMinutes = list.timestampMinutes;
      found.paths.push(...list.paths);
      return;
    case "password": {
      // Without a password sudo lists only for accounts that have a rule without one (listpw=any).
      const group = options.account.groups.find((name) => SUDO_GROUPS.includes(name));
      if (group === undefined) {
        found.unknown.push(`sudo wants a password before it says whether ${user} has any rule`);
      } else {
        found.paths.push({ via: "sudo", what: `rules of the group ${group}`, strength: "password" });
      }
      return;
    }
    case "unclear":
      found.unknown.push("sudo's answer about its rules was not understood");
  }
}

async function lookAtDoas(options: PrivilegeOptions, user: string, found: Found): Promise<void> {
  if ((await options.locateTool("doas")) === null) return;
  const text = createProcFiles(`${options.root ?? ""}/etc`).text("doas.conf", MAX_FILE_BYTES);
  if (typeof text === "string") {
    found.paths.push(...parseDoas(text, { user, uid: options.account.uid, groups: options.account.groups }));
  } else if (text === REFUSED) {
    found.unknown.push("/etc/doas.conf could not be read");
  }
}

/** polkit's rules are programs; without any of the administrator's own, pkexec and run0 ask for an administrator's password. */
async function lookAtPolkit(options: PrivilegeOptions, found: Found): Promise<void> {
  for (const name of ["pkexec", "run0"] as const) {
    if ((await options.locateTool(name)) === null) continue;
    const isAdmin = options.account.groups.some((group) => SUDO_GROUPS.includes(group));
    if (hasLocalPolkitRules(options.root ?? "")) {
      found.paths.push({ via: name, what: "local polkit rules decide", strength: "unknown" });
    } else if (isAdmin) {
      found.paths.push({
        via: name,
        what: "asks members of the administrators' group for their password",
        strength: "password",
      });
    }
  }
}

function hasLocalPolkitRules(root: string): boolean {
  try {
    return readdirSync(`${root}/etc/polkit-1/rules.d`).some((name) => name.endsWith(".rules") && !isDistributed(name));
  } catch (cause) {
    // Unreadable is as good as "there may be some".
    return (cause as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

/** Rule files that distributions themselves put into /etc. */
function isDistributed(name: string): boolean {
  return ["40-debian-sudo.rules", "49-ubuntu-admin.rules", "50-default.rules"].includes(basename(name));
}

/** From the rules listed already, else from sudoers where it may be read. */
async function lookAtSudoTimeout(options: PrivilegeOptions, user: string, found: FoundWithSudo): Promise<void> {
  if (found.timestampMinutes !== null || (await options.locateTool("sudo")) === null) return;
  const etc = createProcFiles(`${options.root ?? ""}/etc`);
  const names = etc.list("sudoers.d");
  // sudo itself skips names with a dot or a tilde at the end: copies of editors and packages.
  const used = (typeof names === "symbol" ? [] : names).filter((name) => !name.includes(".") && !name.endsWith("~"));
  const files = ["sudoers", ...used.toSorted().map((name) => `sudoers.d/${name}`)];
  const account = { user, uid: options.account.uid, groups: options.account.groups };
  for (const file of files) {
    const text = etc.text(file, MAX_FILE_BYTES);
    const minutes = typeof text === "string" ? parseTimestampTimeout(text, account) : null;
    if (minutes !== null) found.timestampMinutes = minutes;
  }
  if (found.timestampMinutes !== null || options.currentUid !== 0) return;
  // Only root is shown the value that was compiled in.
  const sudo = await options.locateTool("sudo");
  if (sudo === null) return;
  const result = await options.runTool({
    file: sudo,
    args: ["-V"],
    timeoutMs: SUDO_TIMEOUT_MS,
    maxBytes: MAX_TOOL_BYTES,
  });
  const shown =
    result.kind === "done" ? /^Authentication timestamp timeout: (-?[\d.]+) minutes$/m.exec(result.stdout) : null;
  if (shown?.[1] !== undefined) found.timestampMinutes = Number(shown[1]);
}
