import { realpath } from "node:fs/promises";
import { dirname, join, normalize, resolve } from "node:path";

/**
 * Every place that `path` may name, links followed as far as the path exists: as it stands for an
 * absolute one, below each of `bases` for a relative one, whose folder is not known here. One that
 * climbs out of that folder may end in any of `outer`, whichever folder it started from.
 */
export async function resolvePlaces(
  path: string,
  bases: readonly string[],
  outer: readonly string[],
): Promise<readonly string[]> {
  const isClimbing = !path.startsWith("/") && path.split("/").includes("..");
  const tail = normalize(path).replace(/^(?:\.\.\/?)+/, "");
  const spelled = [
    ...new Set([
      ...bases.map((base) => resolve(base, path)),
      ...(isClimbing ? outer.map((folder) => join(folder, tail)) : []),
    ]),
  ];
  // The spelling counts as well: a link may be put in its place after this.
  return [...new Set([...spelled, ...(await Promise.all(spelled.map(followLinks)))])];
}

async function followLinks(path: string): Promise<string> {
  for (let known = path, rest = ""; ; rest = join(known.slice(dirname(known).length), rest), known = dirname(known)) {
    try {
      return join(await realpath(known), rest);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      // Only what is not there can be made by the call; a folder we may not look into is another's.
      if ((code !== "ENOENT" && code !== "ENOTDIR" && code !== "EACCES") || known === "/") throw thrown;
    }
  }
}
