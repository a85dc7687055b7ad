import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { StateVolume } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { hasOpenClawState } from "./openclaw-presence.ts";

export interface VolumeOptions {
  readonly now: () => EpochMs;
  readonly procRoot: string;
  /** Stands for /sys. */
  readonly sys: string;
  readonly platform: string;
}

const NETWORK =
  /^(?:nfs\d*|cifs|smb\d*|smbfs|ceph|glusterfs|afs|9p|virtiofs|vboxsf|prl_fs|fuse\.(?:sshfs|glusterfs|ceph.*|rclone|s3fs|gcsfuse|vmhgfs-fuse))$/;
/** Folders by which synchronisers are known, anywhere above the state. */
const SYNCED: readonly (readonly [name: RegExp, who: string])[] = [
  [/^Dropbox(?: \(.*\))?$/i, "Dropbox"],
  [/^(?:Mobile Documents|iCloud.*)$/i, "iCloud"],
  [/^OneDrive(?: - .*)?$/i, "OneDrive"],
  [/^(?:Google ?Drive|GoogleDrive-.*|My Drive)$/i, "Google Drive"],
  [/^(?:Nextcloud|ownCloud)$/i, "Nextcloud or ownCloud"],
  [/^(?:Box(?: Sync)?|pCloudDrive|MEGAsync|MEGA|Seafile|Syncthing|CloudStorage)$/i, "a synchroniser"],
];
const SYNC_MARKS: readonly (readonly [file: string, who: string])[] = [
  [".stfolder", "Syncthing"],
  [".dropbox", "Dropbox"],
  [".sync_journal.db", "Nextcloud or ownCloud"],
];
/** Chassis types that are carried around. Source: SMBIOS reference specification, table 17. */
const PORTABLE_CHASSIS: ReadonlySet<string> = new Set(["8", "9", "10", "11", "12", "14", "30", "31", "32"]);

/** The storage that the state folder lies on, as the kernel names it. */
export async function collectStateVolume(stateDir: string, options: VolumeOptions): Promise<Evidence<StateVolume>> {
  const at = isoFromEpoch(options.now());
  const source = `${options.procRoot}/self/mountinfo and ${options.sys} for ${stateDir}`;
  if (options.platform !== "linux") {
    return unmeasured("platform-unsupported", "Storage can only be looked at on Linux", source, at);
  }
  if (!hasOpenClawState(stateDir)) {
    return unmeasured("not-applicable", `OpenClaw keeps no state at ${stateDir}`, stateDir, at);
  }
  let path: string;
  try {
    path = realpathSync(stateDir);
  } catch {
    return unmeasured("file-unreadable", `${stateDir} cannot be reached`, stateDir, at);
  }
  const mount = mountOf(path, options.procRoot);
  if (mount === null) return unmeasured("proc-unusable", `The file system of ${path} is not known`, source, at);
  const isNetwork = NETWORK.test(mount.type);
  return await Promise.resolve(
    measured(
      {
        path,
        mount_point: mount.point,
        type: mount.type,
        source: mount.source,
        ...(isNetwork ? { encrypted: null, basis: "it lies on another machine" } : encryption(mount, options)),
        is_portable: portable(options.sys),
        is_network: isNetwork,
        synced_by: syncedBy(path),
      },
      source,
      at,
    ),
  );
}

interface Mount {
  readonly device: string;
  readonly point: string;
  readonly type: string;
  readonly source: string;
}

/** The last mount over the longest path is the one that counts. */
function mountOf(path: string, procRoot: string): Mount | null {
  let text: string;
  try {
    text = readFileSync(join(procRoot, "self/mountinfo"), "utf8");
  } catch {
    return null;
  }
  let best: Mount | null = null;
  for (const line of text.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const [, , device = "", , point] = left.split(" ").map(unescapeOctal);
    const [type = "", source = ""] = right.split(" ").map(unescapeOctal);
    if (point === undefined || !(path === point || path.startsWith(point === "/" ? "/" : `${point}/`))) continue;
    if (best === null || point.length >= best.point.length) best = { device, point, type, source };
  }
  return best;
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function encryption(mount: Mount, { sys, procRoot }: VolumeOptions): Pick<StateVolume, "encrypted" | "basis"> {
  const device = join(sys, "dev/block", mount.device);
  if (mount.device.startsWith("0:")) {
    return { encrypted: null, basis: `a ${mount.type} file system names no device that could be looked at` };
  }
  if (!existsSync(device)) return { encrypted: null, basis: "its device is not to be seen from here" };
  const leaves = cryptOf(device, 0);
  if (leaves.length > 0 && leaves.every(Boolean)) return { encrypted: true, basis: "dm-crypt below it" };
  const guest = guestOf(sys, procRoot);
  if (guest !== null)
    return { encrypted: null, basis: `no dm-crypt below it, and ${guest}, so the host's storage may be encrypted` };
  return { encrypted: false, basis: "no dm-crypt below it" };
}

/** For each device at the bottom of the stack, whether dm-crypt is above it. */
function cryptOf(device: string, depth: number): readonly boolean[] {
  if (depth > 16) return [false];
  const uuid = readText(join(device, "dm/uuid")) ?? readText(join(device, "../dm/uuid")) ?? "";
  if (uuid.startsWith("CRYPT-")) return [true];
  const slaves = namesIn(join(device, "slaves"));
  return slaves.length === 0 ? [false] : slaves.flatMap((name) => cryptOf(join(device, "slaves", name), depth + 1));
}

function guestOf(sys: string, procRoot: string): string | null {
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv")) return "this is a container";
  if (existsSync(join(sys, "hypervisor/type"))) return "this is a virtual machine";
  const cpus = readText(join(procRoot, "cpuinfo")) ?? "";
  return /^flags\s*:.*\bhypervisor\b/m.test(cpus) ? "this is a virtual machine" : null;
}

function portable(sys: string): boolean | null {
  const chassis = readText(join(sys, "class/dmi/id/chassis_type"));
  const hasBattery = namesIn(join(sys, "class/power_supply")).some((name) => name.startsWith("BAT"));
  if (hasBattery) return true;
  return chassis === null ? null : PORTABLE_CHASSIS.has(chassis);
}

function syncedBy(path: string): readonly string[] {
  const found = new Set<string>();
  for (let folder = path; ; folder = dirname(folder)) {
    const name = folder.slice(folder.lastIndexOf("/") + 1);
    for (const [pattern, who] of SYNCED) if (pattern.test(name)) found.add(who);
    for (const [file, who] of SYNC_MARKS) if (existsSync(join(folder, file))) found.add(who);
    if (folder === "/") return [...found];
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
