import { chmod, lchown, mkdir, readdir, readFile, readlink, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IS_ROOT, outcomeAsUser, STRANGER } from "../helpers/outcome.ts";
import { makeUserFolder, ordinaryUser } from "../helpers/unprivileged.ts";

const WRITE = `await writeFileAtomic(path, "new");`;
const CREATE = `await createFileAtomic(path, "new");`;

let folder: string;
let file: string;

async function give(path: string, uid?: number): Promise<void> {
  const user = await ordinaryUser();
  await lchown(path, uid ?? user.uid, user.gid);
}

async function makeFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await give(path);
}

async function makeFolder(name: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await chmod(path, mode);
  await give(path);
  return path;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o7777).toString(8);
}

beforeEach(async () => {
  folder = await makeUserFolder();
  file = join(folder, "state.json");
});

// Else an ordinary user could not remove what is in it.
afterEach(() => chmod(folder, 0o700));

describe.each([
  ["writeFileAtomic", WRITE],
  ["createFileAtomic", CREATE],
])("%s", (_name, write) => {
  it("makes a file and leaves nothing else behind", async () => {
    expect(await outcomeAsUser(write, [file])).toEqual({ value: null });
    expect(await readFile(file, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it.each(["000", "022", "077"])("makes it private under umask %s", async (umask) => {
    expect(await outcomeAsUser(`process.umask(0o${umask}); ${write}`, [file])).toEqual({ value: null });
    expect(await modeOf(file)).toBe("600");
  });

  it("refuses a folder at its place and leaves it", async () => {
    await makeFolder("state.json", 0o700);
    expect(await outcomeAsUser(write, [file])).toEqual({ code: "state-file-not-regular" });
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it.each(["target", "nowhere"])("refuses a symbolic link to %s and leaves both", async (target) => {
    await makeFile(join(folder, "target"), "old");
    await symlink(join(folder, target), file);
    expect(await outcomeAsUser(write, [file])).toEqual({ code: "state-file-symlink" });
    expect(await readlink(file)).toBe(join(folder, target));
    expect(await readFile(join(folder, "target"), "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["state.json", "target"]);
  });

  it("says that a folder is read-only, and leaves the old content", async () => {
    await makeFile(file, "old");
    await chmod(folder, 0o500);
    expect(await outcomeAsUser(write, [file])).toEqual({ code: "read-only" });
    expect(await readFile(file, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it("says that the write failed when there is no folder", async () => {
    expect(await outcomeAsUser(write, [join(folder, "no/state.json")])).toEqual({ code: "write-failed" });
  });

  it("says that the write failed when the name is too long for a temporary one", async () => {
    expect(await outcomeAsUser(write, [join(folder, "x".repeat(250))])).toEqual({ code: "write-failed" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("removes its own abandoned temporary files and nothing else", async () => {
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    const entries = [
      [".state.json.0123456789ab.tmp", longAgo],
      [".state.json.ba9876543210.tmp", new Date()],
      [".state.json.my-notes.tmp", longAgo],
      [".state.json.0123456789ab", longAgo],
      [".other.json.0123456789ab.tmp", longAgo],
    ] as const;
    for (const [name, modified] of entries) {
      await makeFile(join(folder, name), "temp");
      await utimes(join(folder, name), modified, modified);
    }
    expect(await outcomeAsUser(write, [file])).toEqual({ value: null });
    expect((await readdir(folder)).toSorted()).toEqual([
      ".other.json.0123456789ab.tmp",
      ".state.json.0123456789ab",
      ".state.json.ba9876543210.tmp",
      ".state.json.my-notes.tmp",
      "state.json",
    ]);
  });

  it.runIf(IS_ROOT)("leaves a file of another user (only root can make one)", async () => {
    await makeFile(file, "old");
    await give(file, STRANGER);
    expect(await outcomeAsUser(write, [file])).toEqual({ code: "state-owner-mismatch" });
    expect(await readdir(folder)).toEqual(["state.json"]);
    expect(await readFile(file, "utf8")).toBe("old");
  });
});

describe("writeFileAtomic", () => {
  it("replaces the content and the mode of an open file", async () => {
    await makeFile(file, "old and longer");
    await chmod(file, 0o666);
    expect(await outcomeAsUser(WRITE, [file])).toEqual({ value: null });
    expect(await readFile(file, "utf8")).toBe("new");
    expect(await modeOf(file)).toBe("600");
  });

  it("leaves one whole content when twenty writers of four processes replace it at once", async () => {
    const body = `
      const texts = Array.from({ length: 5 }, (_, index) => (other + index).repeat(10_000));
      await Promise.all(texts.map((text) => writeFileAtomic(path, text)));`;
    const all = await Promise.all(["a", "b", "c", "d"].map((letter) => outcomeAsUser(body, [file, letter])));
    expect(all).toEqual([{ value: null }, { value: null }, { value: null }, { value: null }]);
    expect(await readFile(file, "utf8")).toMatch(/^([a-d][0-4])\1{9999}$/);
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it("shows a reader the old content or the new, never a part", async () => {
    await makeFile(file, "a".repeat(300_000));
    const body = `
      const seen = new Set();
      let done = false;
      const reader = (async () => {
        while (!done) seen.add(await readTextFile(path, { maxBytes: 1e6, trust: "trusted", what: "x" }));
      })();
      for (let round = 0; round < 30; round += 1) await writeFileAtomic(path, "ab"[round % 2].repeat(300_000));
      done = true;
      await reader;
      return [...seen].filter((text) => !["a", "b"].some((letter) => text === letter.repeat(300_000))).length;`;
    expect(await outcomeAsUser(body, [file])).toEqual({ value: 0 });
  });
});

describe("createFileAtomic", () => {
  it("refuses a file that exists and leaves it", async () => {
    await makeFile(file, "old");
    expect(await outcomeAsUser(CREATE, [file])).toEqual({ code: "file-exists" });
    expect(await readFile(file, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it("lets exactly one of twenty creators of four processes win", async () => {
    const body = `return await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const { code } = await outcome(() => createFileAtomic(path, other + index));
        return code ?? other + index;
      }),
    );`;
    const all = await Promise.all(["a", "b", "c", "d"].map((letter) => outcomeAsUser(body, [file, letter])));
    const results = all.flatMap((one) => ("value" in one ? (one.value as string[]) : [one.code]));
    expect(results).toHaveLength(20);
    expect(results.filter((one) => one !== "file-exists")).toEqual([await readFile(file, "utf8")]);
    expect(await readdir(folder)).toEqual(["state.json"]);
  });
});

describe.each([
  ["ensurePrivateFolder", "await ensurePrivateFolder(path);"],
  ["ensureReportFolder", "await ensureReportFolder(path);"],
])("%s", (_name, ensure) => {
  it.each(["000", "022", "077"])("makes the folder and its parents private under umask %s", async (umask) => {
    const path = join(folder, "a/b/c");
    expect(await outcomeAsUser(`process.umask(0o${umask}); ${ensure}`, [path])).toEqual({ value: null });
    const modes = await Promise.all(["a", "a/b", "a/b/c"].map((name) => modeOf(join(folder, name))));
    expect(modes).toEqual(["700", "700", "700"]);
  });

  it("takes a folder that is there", async () => {
    expect(await outcomeAsUser(ensure, [await makeFolder("a", 0o755)])).toEqual({ value: null });
    expect(await modeOf(join(folder, "a"))).toBe("755");
  });

  it("refuses a file", async () => {
    await makeFile(file, "old");
    expect(await outcomeAsUser(ensure, [file])).toEqual({ code: "state-file-not-regular" });
    expect(await readFile(file, "utf8")).toBe("old");
  });

  it("says that the write failed below a file", async () => {
    await makeFile(file, "old");
    expect(await outcomeAsUser(ensure, [join(file, "a")])).toEqual({ code: "write-failed" });
  });

  it("says that a parent is read-only", async () => {
    await chmod(folder, 0o500);
    expect(await outcomeAsUser(ensure, [join(folder, "a")])).toEqual({ code: "read-only" });
  });
});

describe.each([
  ["ensurePrivateFolder", "await ensurePrivateFolder(path);"],
  ["checkPrivateFolder", "return await checkPrivateFolder(path);"],
])("%s", (_name, check) => {
  it.each(["777", "770", "1777"])("refuses mode %s", async (mode) => {
    const path = await makeFolder("a", Number.parseInt(mode, 8));
    expect(await outcomeAsUser(check, [path])).toEqual({ code: "state-file-insecure-mode" });
  });

  it.each(["target", "nowhere"])("refuses a symbolic link to %s", async (target) => {
    await makeFolder("target", 0o700);
    await symlink(join(folder, target), join(folder, "a"));
    expect(await outcomeAsUser(check, [join(folder, "a")])).toEqual({ code: "state-file-symlink" });
    expect(await readdir(folder)).toEqual(["a", "target"]);
  });

  it.runIf(IS_ROOT)("refuses a folder of another user (only root can make one)", async () => {
    const path = await makeFolder("a", 0o755);
    await give(path, STRANGER);
    expect(await outcomeAsUser(check, [path])).toEqual({ code: "state-owner-mismatch" });
  });
});

describe("checkPrivateFolder", () => {
  const CHECK = "return await checkPrivateFolder(path);";

  it("tells a folder that is there from one that is not, and makes none", async () => {
    expect(await outcomeAsUser(CHECK, [folder])).toEqual({ value: true });
    expect(await outcomeAsUser(CHECK, [join(folder, "a")])).toEqual({ value: false });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("ensureReportFolder", () => {
  it("takes a link to a folder, which a human may share", async () => {
    await symlink(await makeFolder("target", 0o777), join(folder, "a"));
    expect(await outcomeAsUser("await ensureReportFolder(path);", [join(folder, "a")])).toEqual({ value: null });
  });
});
