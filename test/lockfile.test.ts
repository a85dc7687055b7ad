import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
  readonly link?: boolean;
}

describe.each(["package-lock.json", "test/host/package-lock.json"])("%s", (path) => {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, "..", path), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const packages = Object.entries(lock.packages);

  it("names no download address, so that any registry serves it", () => {
    expect(packages.length).toBeGreaterThan(50);
    expect(packages.filter(([, locked]) => locked.resolved !== undefined).map(([name]) => name)).toEqual([]);
  });

  // `npm ci` refuses a lockfile without them, even those of other platforms, and npm leaves them
  // out when the registry it wrote the file from does not carry them.
  it("lists every optional package of every package", () => {
    const missing = packages.flatMap(([name, locked]) =>
      Object.keys(locked.optionalDependencies ?? {}).filter(
        (dependency) =>
          lock.packages[`node_modules/${dependency}`] === undefined &&
          lock.packages[`${name}/node_modules/${dependency}`] === undefined,
      ),
    );
    expect(missing).toEqual([]);
  });
});
