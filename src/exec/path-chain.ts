import type { BigIntStats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";
import type { PathHop } from "../core/elevation.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { escapeControl } from "../core/text.ts";

const MAX_LINKS = 40;
/** Files of the kernel: what a path there names depends on who asks, and when. */
const SPECIAL_ROOTS: readonly string[] = ["/proc", "/sys", "/dev"];

export interface PathWalk {
  readonly kind: "walked";
  /** real(dirname) + base name: what is executed. A program may act by its name, so it is never the target of a link. */
  readonly canonical: string;
  /** After all links. */
  readonly realPath: string;
  /** Every folder and link passed, "/" first, each once. */
  readonly hops: readonly PathHop[];
  /** Of the file itself. */
  readonly stats: BigIntStats;
}

/** Only root can change or replace this file or folder. A link's own mode means nothing. */
export function isRootOnly(stats: BigIntStats): boolean {
  return stats.uid === 0n && (stats.isSymbolicLink() || (stats.mode & 0o022n) === 0n);
}

/**
 * Walks an absolute path as the kernel does, one component at a time, and refuses when anybody but
 * root could lead it elsewhere: through a folder, a link, or a link's target.
 */
export async function walkPath(path: string): Promise<PathWalk | Refusal> {
  const shown = escapeControl(path);
  if (!path.startsWith("/")) return refuse("command-not-absolute", `${shown} is not an absolute path`);
  const pending = componentsOf(path);
  const last = pending.at(-1);
  if (last === undefined || last === ".." || /\/\.?$/.test(path)) {
    return refuse("command-not-regular", `${shown} names a folder`);
  }
  /** Components of `path` that are still to come; what a link adds before them does not count. */
  let ownLeft = pending.length;
  const hops = new Map<string, PathHop>();
  let real = "/";
  let canonical: string | null = null;
  let links = 0;
  try {
    const root = await lstat("/", { bigint: true });
    if (!isRootOnly(root)) return refuse("command-path-writable", "the root folder can be changed by others");
    hops.set("/", hopOf("/", root, null));
    for (;;) {
      const name = pending.shift();
      if (name === undefined) return refuse("command-not-regular", `${shown} names a folder`);
      if (pending.length < ownLeft) ownLeft = pending.length;
      if (name === "..") {
        real = posix.dirname(real);
        continue;
      }
      const next = posix.join(real, name);
      if (ownLeft === 0) canonical ??= next;
      if (SPECIAL_ROOTS.includes(next)) return refuse("command-special-path", `${shown} leads through ${next}`);
      const stats = await lstat(next, { bigint: true });
      if (stats.isSymbolicLink()) {
        if (!isRootOnly(stats)) return refuse("command-path-writable", `the link ${escapeControl(next)} is not root's`);
        if ((links += 1) > MAX_LINKS) return refuse("command-not-found", `${shown} leads through too many links`);
        const target = await readlink(next);
        hops.set(next, hopOf(next, stats, target));
        if (target.startsWith("/")) real = "/";
        pending.unshift(...componentsOf(target));
        continue;
      }
      if (pending.length === 0) {
        return { kind: "walked", canonical: canonical ?? next, realPath: next, hops: [...hops.values()], stats };
      }
      if (!stats.isDirectory()) return refuse("command-not-found", `${escapeControl(next)} is not a folder`);
      if (!isRootOnly(stats)) {
        return refuse("command-path-writable", `the folder ${escapeControl(next)} can be changed by others than root`);
      }
      hops.set(next, hopOf(next, stats, null));
      real = next;
    }
  } catch (cause) {
    return refuse("command-not-found", `${shown} cannot be looked at: ${errnoOf(cause)}`);
  }
}

/** The code of a failed system call, such as "ENOENT". */
export function errnoOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "unknown reason";
}

function componentsOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function hopOf(path: string, stats: BigIntStats, target: string | null): PathHop {
  return {
    path,
    kind: target === null ? "folder" : "link",
    dev: String(stats.dev),
    ino: String(stats.ino),
    target,
  };
}
