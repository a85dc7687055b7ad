import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of this package: the nearest one above `folder` that holds a package.json. */
export function findPackageRoot(folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    if (existsSync(join(path, "package.json")) || dirname(path) === path) return path;
  }
}
