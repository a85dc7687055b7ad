import { readdirSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PrivilegePath } from "../core/host-evidence.ts";
import { createProcFiles } from "./proc-file.ts";

export interface RootFilesOptions {
  readonly account: { readonly uid: number; readonly groups: readonly string[] };
  /** Stands for "/". */
  readonly root: string;
}

type Trigger = "itself" | "a person";

/** What root's own services read and do, and what root does once somebody works as root. */
const PLACES: readonly (readonly [path: string, trigger: Trigger])[] = [
  ["/etc", "itself"],
  ["/etc/passwd", "itself"],
  ["/etc/shadow", "itself"],
  ["/etc/group", "itself"],
  ["/etc/sudoers", "itself"],
  ["/etc/sudoers.d/*", "itself"],
  ["/etc/doas.conf", "itself"],
  ["/etc/pam.d/*", "itself"],
  ["/etc/polkit-1/rules.d/*", "itself"],
  ["/etc/crontab", "itself"],
  ["/etc/cron.d/*", "itself"],
  ["/etc/cron.hourly/*", "itself"],
  ["/etc/cron.daily/*", "itself"],
  ["/etc/cron.weekly/*", "itself"],
  ["/etc/cron.monthly/*", "itself"],
  ["/var/spool/cron/crontabs/*", "itself"],
  ["/etc/systemd/system/*", "itself"],
  ["/run/systemd/system/*", "itself"],
  ["/usr/local/lib/systemd/system/*", "itself"],
  ["/usr/lib/systemd/system/*", "itself"],
  ["/etc/init.d/*", "itself"],
  ["/etc/rc.local", "itself"],
  ["/etc/ld.so.preload", "itself"],
  ["/etc/ld.so.conf", "itself"],
  ["/etc/ld.so.conf.d/*", "itself"],
  ["/root/.ssh/authorized_keys", "itself"],
  ["/root/.ssh", "itself"],
  ["/root", "itself"],
  ["/root/.bashrc", "a person"],
  ["/root/.profile", "a person"],
  ["/etc/profile", "a person"],
  ["/etc/profile.d/*", "a person"],
  ["/etc/bash.bashrc", "a person"],
  ["/usr/local/sbin/*", "a person"],
  ["/usr/local/bin/*", "a person"],
  ["/usr/sbin", "a person"],
  ["/usr/bin", "a person"],
];
const MAX_BYTES = 1_048_576;
/** Named one by one; more of the same kind say nothing new. */
const MAX_NAMED = 20;

/**
 * Places that the account may write to although root acts on what is there. Worked out from owners
 * and modes (a mode shows what an access list can give at most), links followed, nothing opened.
 */
export function findWritableRootFiles({ account, root }: RootFilesOptions): readonly PrivilegePath[] {
  const gids = gidsOf(account.groups, root);
  const may = (stat: Stats, bit: 0o1 | 0o2): boolean => {
    if (stat.uid === account.uid) return (stat.mode & (bit << 6)) !== 0;
    return (stat.mode & (gids.has(stat.gid) ? bit << 3 : bit)) !== 0;
  };
  const isReachable = (path: string): boolean => {
    for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) {
      const stat = look(join(root, folder));
      if (stat === null || !may(stat, 0o1)) return false;
    }
    return true;
  };
  const found = new Map<string, PrivilegePath>();
  for (const [place, trigger] of PLACES) {
    for (const path of expand(place, root)) {
      const stat = look(join(root, path));
      if (stat === null || (!stat.isFile() && !stat.isDirectory())) continue;
      if (!may(stat, 0o2) || !isReachable(path)) continue;
      const when =
        trigger === "itself" ? "root acts on what is in it" : "root runs what is in it once somebody calls it";
      found.set(`${stat.dev}:${stat.ino}`, {
        via: "writable-file",
        what: `${path} can be written to, and ${when}`,
        strength: trigger === "itself" ? "passwordless" : "unknown",
      });
    }
  }
  return [...found.values()].slice(0, MAX_NAMED);
}

/** The folder and everything in it for a trailing "/*". */
function expand(place: string, root: string): readonly string[] {
  if (!place.endsWith("/*")) return [place];
  const folder = place.slice(0, -2);
  try {
    return [folder, ...readdirSync(join(root, folder)).map((name) => `${folder}/${name}`)];
  } catch {
    // Absent, or closed to whoever runs this: the folder itself still counts.
    return [folder];
  }
}

function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    // Absent, a link to nothing, or out of reach.
    return null;
  }
}

/** Numbers of the named groups; a group without a name goes by its number already. */
function gidsOf(groups: readonly string[], root: string): ReadonlySet<number> {
  const text = createProcFiles(`${root}/etc`).text("group", MAX_BYTES);
  const rows = typeof text === "string" ? text.split("\n").map((line) => line.split(":")) : [];
  return new Set(
    groups
      .map((name) => Number(rows.find((row) => row[0] === name)?.[2] ?? name))
      .filter((gid) => Number.isInteger(gid)),
  );
}
