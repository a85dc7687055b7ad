import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { chmod, mkdtemp, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { securePath } from "../../src/exec/child-environment.ts";
import { identifyFile } from "../../src/exec/file-identity.ts";
import { itWith } from "../helpers/requires.ts";

async function folder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "cse-identity-"));
}

describe("identifyFile", () => {
  it("gives what identifies a file, and its first bytes", async () => {
    const path = join(await folder(), "f");
    await writeFile(path, "x".repeat(3_000_000));
    const stats = await stat(path, { bigint: true });
    const reading = await identifyFile(path, new Map(), 3_000_000);
    expect(reading).toMatchObject({
      kind: "read",
      identity: {
        path,
        dev: String(stats.dev),
        ino: String(stats.ino),
        size: 3_000_000,
        mtimeNs: String(stats.mtimeNs),
        ctimeNs: String(stats.ctimeNs),
        sha256: hash("sha256", "x".repeat(3_000_000)),
      },
    });
    expect(reading.kind === "read" ? reading.head.toString() : null).toBe("x".repeat(256));
  });

  it("never takes a hash from memory for a file that somebody other than root can change", async () => {
    const path = join(await folder(), "f");
    const hashes = new Map<string, string>();
    await writeFile(path, "one");
    await chmod(path, 0o666);
    await identifyFile(path, hashes, 100);
    expect(hashes.size).toBe(0);
    // Times and size as they were: what an owner can arrange, but for ctime.
    const before = await stat(path);
    await writeFile(path, "two");
    await utimes(path, before.atime, before.mtime);
    expect(await identifyFile(path, hashes, 100)).toMatchObject({ identity: { sha256: hash("sha256", "two") } });
  });

  it("remembers the hash of root's files, by everything a change would alter", async () => {
    const hashes = new Map<string, string>();
    await identifyFile("/etc/passwd", hashes, 1_000_000);
    const [key] = hashes.keys();
    const stats = await stat("/etc/passwd", { bigint: true });
    expect(key?.split(":")).toEqual([stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].map(String));
    hashes.set(key ?? "", "remembered");
    expect(await identifyFile("/etc/passwd", hashes, 1_000_000)).toMatchObject({
      identity: { sha256: "remembered" },
    });
  });

  it("gives no identity for what is no regular file, too large, missing, or a link", async () => {
    const home = await folder();
    await writeFile(join(home, "f"), "12345");
    await symlink("f", join(home, "link"));
    const read = async (path: string): Promise<unknown> => await identifyFile(path, new Map(), 4);
    expect(await read(join(home, "f"))).toEqual({ kind: "too-large" });
    expect(await read(home)).toEqual({ kind: "not-regular" });
    expect(await read(join(home, "link"))).toEqual({ kind: "unreadable", errno: "ELOOP" });
    expect(await read(join(home, "missing"))).toEqual({ kind: "unreadable", errno: "ENOENT" });
  });

  itWith(["mkfifo"], "T55: is not held up by a pipe put in place of the file", async () => {
    const path = join(await folder(), "pipe");
    execFileSync("mkfifo", [path]);
    expect(await identifyFile(path, new Map(), 4)).toEqual({ kind: "not-regular" });
  });
});

describe("securePath", () => {
  it("keeps the folders that root alone can change, in their order", async () => {
    const own = await folder();
    await chmod(own, 0o777);
    expect(await securePath(["/usr/sbin", own, "/tmp", "/no/such", "/usr/bin"])).toEqual(["/usr/sbin", "/usr/bin"]);
  });
});
