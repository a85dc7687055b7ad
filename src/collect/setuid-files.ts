import { accessSync, constants, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { PrivilegePath } from "../core/host-evidence.ts";
import type { RunTool } from "../exec/run-tool.ts";

/** Ways to root that were seen, and in words what could not be seen; each look adds to it. */
export interface Found {
  readonly paths: PrivilegePath[];
  readonly unknown: string[];
}

export interface SetuidOptions {
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
  readonly account: { readonly uid: number };
  readonly currentUid: number;
  /** Stands for "/". */
  readonly root: string;
}

const FOLDERS: readonly string[] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];
const DEEP_FOLDER = "/opt";
const MAX_DEPTH = 4;
/** Where everybody may leave files: no setuid program belongs there. */
const SCRATCH_FOLDERS: readonly string[] = ["/tmp", "/var/tmp", "/dev/shm"];
const SCRATCH_DEPTH = 2;
const MAX_ENTRIES = 20_000;
const SLICE = 256;

/** Programs that run what they are told to: with a setuid bit each is a root shell. */
const INTERPRETER =
  /^(?:(?:ba|da|z|k|c|tc|fi)?sh|busybox|python[\d.]*|perl[\d.]*|ruby[\d.]*|node|php[\d.]*|lua[\d.]*|gawk|mawk|awk|env|find|vim?|nano|less|tar|cp|mv|gdb|strace|nmap|docker)$/;

/** Setuid programs of distributions that check themselves who may do what. sudo, su, doas and pkexec are looked at elsewhere. */
const USUAL: ReadonlySet<string> = new Set([
  "Xorg.wrap",
  "at",
  "bwrap",
  "chage",
  "chfn",
  "chrome-sandbox",
  "chsh",
  "crontab",
  "dbus-daemon-launch-helper",
  "doas",
  "exim4",
  "expiry",
  "firejail",
  "fusermount",
  "fusermount3",
  "gpasswd",
  "grub2-set-bootflag",
  "ksu",
  "mount",
  "mount.cifs",
  "mount.nfs",
  "mtr-packet",
  "newgidmap",
  "newgrp",
  "newuidmap",
  "ntfs-3g",
  "pam_timestamp_check",
  "passwd",
  "ping",
  "ping4",
  "ping6",
  "pkexec",
  "polkit-agent-helper-1",
  "pppd",
  "sg",
  "snap-confine",
  "ssh-keysign",
  "su",
  "sudo",
  "sudo-rs",
  "sudoedit",
  "umount",
  "unix_chkpwd",
  "userhelper",
]);

const ROOT_CAPABILITY =
  /\bcap_(?:chown|dac_override|dac_read_search|fowner|setgid|setuid|sys_module|sys_rawio|sys_ptrace|sys_admin|mknod|setfcap)\b/;

/** Adds setuid-root files and file capabilities that did not come with the distribution for a purpose of their own. */
export async function collectSetuidPaths(options: SetuidOptions, found: Found): Promise<void> {
  const files = await findSetuid(options, found);
  const strange = files.filter((path) => !USUAL.has(basename(path)));
  const owned = strange.length === 0 ? null : readPackageFiles(options.root, strange);
  for (const path of strange) {
    const what =
      owned?.has(path) === true ? `${path} (setuid, from a package)` : `${path} (setuid, from no package known)`;
    const isShell = INTERPRETER.test(basename(path));
    found.paths.push({ via: "setuid", what, strength: isShell ? "passwordless" : "unknown" });
  }
  // A familiar name in a place of the administrator's own is no familiar program.
  const familiar = files.filter((path) => USUAL.has(basename(path)) && !/^\/(?:usr\/)?s?bin\//.test(path));
  for (const path of familiar)
    found.paths.push({ via: "setuid", what: `${path} (setuid, local)`, strength: "unknown" });
  await collectFileCapabilities(options, found);
}

async function findSetuid(options: SetuidOptions, found: Found): Promise<readonly string[]> {
  const { root } = options;
  const seen = new Map<string, string>();
  // The last is looked at first.
  const open = [
    ...SCRATCH_FOLDERS.map((path) => ({ path, depth: SCRATCH_DEPTH })),
    { path: DEEP_FOLDER, depth: MAX_DEPTH },
    ...FOLDERS.map((path) => ({ path, depth: 0 })),
  ];
  let entries = 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const name of list(folder.path, options, found)) {
      entries += 1;
      if (entries > MAX_ENTRIES) {
        found.unknown.push(`only the first ${MAX_ENTRIES} files were searched for setuid bits`);
        return [...seen.values()];
      }
      if (entries % SLICE === 0) await new Promise((done) => setImmediate(done));
      const path = `${folder.path}/${name}`;
      const stat = look(join(root, path));
      if (stat === null) continue;
      if (stat.isDirectory() && folder.depth > 0) open.push({ path, depth: folder.depth - 1 });
      const isSetuidRoot = stat.isFile() && (stat.mode & 0o4000) !== 0 && stat.uid === 0 && (stat.mode & 0o011) !== 0;
      // /bin is /usr/bin on most systems: one file, one path, the longer one.
      if (isSetuidRoot) seen.set(`${stat.dev}:${stat.ino}`, longer(seen.get(`${stat.dev}:${stat.ino}`), path));
    }
  }
  return [...seen.values()].toSorted();
}

function longer(known: string | undefined, path: string): string {
  return known !== undefined && known.length >= path.length ? known : path;
}

function list(path: string, { root, account, currentUid }: SetuidOptions, found: Found): readonly string[] {
  try {
    return readdirSync(join(root, path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    // What the account itself cannot even enter holds nothing that it could start.
    if (account.uid !== currentUid || mayEnter(join(root, path))) {
      found.unknown.push(`${path} could not be searched for setuid files`);
    }
    return [];
  }
}

function mayEnter(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    // Gone, a link to nothing, or out of reach for whoever runs this.
    return null;
  }
}

/** Those of `paths` that dpkg's lists name; null where there is no dpkg. */
function readPackageFiles(root: string, paths: readonly string[]): ReadonlySet<string> | null {
  const folder = join(root, "/var/lib/dpkg/info");
  let names: readonly string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith(".list"));
  } catch {
    return null;
  }
  const spellings = new Map(
    paths.flatMap((path) => [[path, path] as const, [path.replace(/^\/usr(?=\/s?bin\/)/, ""), path] as const]),
  );
  const owned = new Set<string>();
  for (const name of names) {
    if (owned.size === paths.length) break;
    try {
      const lines = `\n${readFileSync(join(folder, name), "utf8")}\n`;
      for (const [spelling, path] of spellings) if (lines.includes(`\n${spelling}\n`)) owned.add(path);
    } catch {
      // A package that is being removed; its files then count as unowned, the wider reading.
    }
  }
  return owned;
}

async function collectFileCapabilities(options: SetuidOptions, found: Found): Promise<void> {
  const getcap = await options.locateTool("getcap");
  if (getcap === null) {
    found.unknown.push(
      "capabilities of files were not looked at: getcap (Debian package libcap2-bin) is not installed",
    );
    return;
  }
  const folders = [...FOLDERS, DEEP_FOLDER, ...SCRATCH_FOLDERS]
    .map((path) => join(options.root, path))
    .filter((path) => look(path) !== null);
  const result = await options.runTool({
    file: getcap,
    args: ["-r", ...folders],
    timeoutMs: 5_000,
    maxBytes: 1_048_576,
  });
  if (result.kind === "failed") {
    found.unknown.push(`capabilities of files could not be listed: ${result.code}`);
    return;
  }
  const seen = new Set<string>();
  for (const line of result.stdout.split("\n")) {
    const match = /^(\/.*?) (?:= )?(cap_\S+)$/.exec(line);
    const [, path, capabilities] = match ?? [];
    if (path === undefined || capabilities === undefined || !ROOT_CAPABILITY.test(capabilities)) continue;
    const name = basename(path);
    if ((USUAL.has(name) && /^\/(?:usr\/)?s?bin\//.test(path)) || seen.has(name)) continue;
    seen.add(name);
    const strength = INTERPRETER.test(name) ? "passwordless" : "unknown";
    found.paths.push({ via: "capability", what: `${path} has ${capabilities}`, strength });
  }
}
