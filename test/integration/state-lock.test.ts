import { chmod, lchown, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { outcomeAsUser } from "../helpers/outcome.ts";
import { makeUserFolder, ordinaryUser, runAsUser } from "../helpers/unprivileged.ts";

let folder: string;
let store: string;

beforeEach(async () => {
  folder = await makeUserFolder();
  store = join(folder, "counter.json");
});

afterEach(() => chmod(folder, 0o700));

/** Leaves a lock behind as a process does that is killed while it holds one. */
async function dieHoldingTheLock(): Promise<void> {
  const run = await runAsUser(
    `import { withLock } from "#src/state/lock.ts";
    await withLock(process.argv[2], async () => {
      process.kill(process.pid, "SIGKILL");
      await new Promise(() => {});
    });`,
    { args: [store] },
  );
  expect(run.signal).toBe("SIGKILL");
  expect(await readdir(folder)).toEqual(["counter.json.lock"]);
}

describe("withLock", () => {
  it("gives the value of the work and leaves nothing behind", async () => {
    expect(await outcomeAsUser("return await withLock(path, async () => 42);", [store])).toEqual({ value: 42 });
    expect(await readdir(folder)).toEqual([]);
  });

  it("releases the lock when the work fails, and gives its error", async () => {
    const body = `
      const first = await outcome(() => withLock(path, () => readTextFile(path, { maxBytes: 1, trust: "trusted", what: "x" })));
      return [first, await withLock(path, async () => "free")];`;
    expect(await outcomeAsUser(body, [store])).toEqual({ value: [{ code: "file-missing" }, "free"] });
    expect(await readdir(folder)).toEqual([]);
  });

  it("never lets two processes, each with several tasks, in at once", async () => {
    await writeFile(store, "0", { mode: 0o600 });
    const user = await ordinaryUser();
    await lchown(store, user.uid, user.gid);
    const body = `
      const add = () => withLock(path, async () => {
        const before = Number(await readTextFile(path, { maxBytes: 100, trust: "trusted", what: "counter" }));
        await sleep(Math.random() * 3);
        await writeFileAtomic(path, String(before + 1));
      });
      for (let round = 0; round < 8; round += 1) await Promise.all([add(), add()]);`;
    const both = await Promise.all([outcomeAsUser(body, [store]), outcomeAsUser(body, [store])]);
    expect(both).toEqual([{ value: null }, { value: null }]);
    expect(await readFile(store, "utf8")).toBe("32");
  });

  it("says at once that no lock can be made without a folder", async () => {
    expect(await outcomeAsUser("await withLock(path, async () => 1);", [join(folder, "no/x")])).toEqual({
      code: "write-failed",
    });
  });

  it("says at once that the folder is read-only", async () => {
    await chmod(folder, 0o500);
    expect(await outcomeAsUser("await withLock(path, async () => 1);", [store])).toEqual({ code: "read-only" });
  });

  it("takes over an old lock of a process that was killed", async () => {
    await dieHoldingTheLock();
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${store}.lock`, longAgo, longAgo);
    expect(await outcomeAsUser("return await withLock(path, async () => 42);", [store])).toEqual({ value: 42 });
    expect(await readdir(folder)).toEqual([]);
  });

  it("waits for long enough to take over the lock of a process killed just now", async () => {
    await dieHoldingTheLock();
    expect(await outcomeAsUser("return await withLock(path, async () => 42);", [store])).toEqual({ value: 42 });
    expect(await readdir(folder)).toEqual([]);
  });

  it("gives up with a clear error while a living process keeps the lock", async () => {
    const body = `return await withLock(path, () => outcome(() => withLock(path, async () => "never")));`;
    expect(await outcomeAsUser(body, [store])).toEqual({ value: { code: "lock-timeout" } });
  });

  it("says that the lock was lost when another took it meanwhile", async () => {
    const body = `return await withLock(path, async () => {
      fs.rmdirSync(path + ".lock");
      fs.mkdirSync(path + ".lock");
      await sleep(2_500);
    });`;
    expect(await outcomeAsUser(body, [store])).toEqual({ code: "lock-timeout" });
    // It is the other's now, so it is left alone.
    expect(await readdir(folder)).toEqual(["counter.json.lock"]);
  });
});
