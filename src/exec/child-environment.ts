import { isRootOnly, walkPath } from "./path-chain.ts";

const PATH_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] as const;
const BOUND_NAMES: readonly string[] = ["DEBIAN_FRONTEND", "LANG", "LC_ALL", "TZ"];

/** The folders of the fixed path that root alone can change, in order. */
export async function securePath(folders: readonly string[] = PATH_FOLDERS): Promise<readonly string[]> {
  const walks = await Promise.all(folders.map(walkPath));
  return folders.filter((_folder, index) => {
    const walk = walks[index];
    return walk?.kind === "walked" && walk.stats.isDirectory() && isRootOnly(walk.stats);
  });
}

/**
 * What sudo itself is started with. Built from nothing: whatever is in our own environment, nothing
 * of it can arrive.
 */
export async function sudoEnvironment(askpassPath: string | null): Promise<Readonly<Record<string, string>>> {
  return {
    PATH: (await securePath()).join(":"),
    LANG: "C.UTF-8",
    TERM: "dumb",
    ...(askpassPath === null ? {} : { SUDO_ASKPASS: askpassPath }),
  };
}

/** The names of an approved environment that may not be set. */
export function forbiddenNames(env: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(env).filter((name) => !BOUND_NAMES.includes(name));
}

/**
 * The approved variables as words of sudo's command line. In its environment sudo would silently
 * drop those that its rules do not keep; here it refuses to run instead, so what was approved is
 * what arrives.
 */
export function assignments(env: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
}
