import { chown, mkdir, readdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { outcomeAsUser } from "../helpers/outcome.ts";
import { makeUserFolder, ordinaryUser, runAsUser } from "../helpers/unprivileged.ts";

/**
 * Two processes, each with an exclusive elevation of one state folder: the second asks while the first lives, is
 * refused, and asks on after the first was killed; prints how it was answered, and after how long it was free.
 */
const TWO_GATEWAYS = `
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createElevation } from "#src/deps/elevate.ts";
import { createEffects } from "#src/deps/effects.ts";
const [stateDir, isFirst] = process.argv.slice(2);
const effects = { ...createEffects({ stateDir, env: {} }), locateTool: async () => null };
const open = () => createElevation(effects, { exclusive: true });
const SESSION = { session: "s", agent: null, channel: "gateway" };
const ask = async (elevation) => await elevation.runPrivileged({ argv: ["/usr/bin/true"], reason: "a test" }, SESSION);
if (isFirst === "first") {
  console.log((await ask(open())).code);
  await new Promise(() => setInterval(() => undefined, 1000));
}
const first = spawn(process.execPath, [process.argv[1], stateDir, "first"], { stdio: ["ignore", "pipe", "inherit"] });
const [said] = await once(first.stdout, "data");
const elevation = open();
const { code, message } = await ask(elevation);
first.kill("SIGKILL");
const killed = performance.now();
let next = code;
while (next === "elevation-elsewhere") next = (await ask(elevation)).code;
const freeMs = performance.now() - killed;
const third = open();
const within = (await ask(third)).code;
await third.close();
await elevation.close();
const afterClose = open();
const closed = (await ask(afterClose)).code;
await afterClose.close();
console.log(JSON.stringify({ first: String(said).trim(), code, message, pid: first.pid, next, freeMs, within, closed }));
`;

let folder: string;

beforeEach(async () => {
  folder = await makeUserFolder();
});

describe("T48, R-62: one process elevates for a state folder", () => {
  it("refuses in the second while the first lives, and lets it in when the first was killed", async () => {
    const { stdout, stderr } = await runAsUser(TWO_GATEWAYS, { args: [folder] });
    expect(stderr).toBe("");
    const said = JSON.parse(stdout) as Record<string, unknown>;
    expect(said).toMatchObject({ code: "elevation-elsewhere", message: `process ${String(said["pid"])}` });
    expect(said["freeMs"]).toBeLessThan(2_000);
    // Whatever else may rule elevation out here, it is not the lock; and a third is refused as the second was.
    const others = [said["first"], said["next"], said["closed"]];
    expect(others).toEqual([said["first"], said["first"], said["first"]]);
    expect(others).not.toContain("elevation-elsewhere");
    expect(said["within"]).toBe("elevation-elsewhere");
  });
});

describe("acquireElevationLock", () => {
  const acquire = 'const { acquireElevationLock } = await import("#src/state/elevation-lock.ts");';

  it("holds for one, and says who, also within one process", async () => {
    const body = `
      ${acquire}
      const a = await acquireElevationLock(path, { pid: 7, startTime: "1" });
      const b = await acquireElevationLock(path, { pid: 8, startTime: "1" });
      a.release();
      const c = await acquireElevationLock(path, { pid: 9, startTime: null });
      const inPlace = c.isInPlace();
      return [a.kind, b, c.kind, inPlace];`;
    expect(await outcomeAsUser(body, [join(folder, "security")])).toEqual({
      value: ["held", { kind: "held-by", holder: "process 7" }, "held", true],
    });
    expect((await stat(join(folder, "security"))).mode & 0o777).toBe(0o700);
    expect((await readdir(join(folder, "security"))).toSorted()).toEqual(["elevation-holder.json", "elevation.lock"]);
  });

  it("notices that its file was taken away", async () => {
    const body = `
      ${acquire}
      const { unlinkSync } = await import("node:fs");
      const a = await acquireElevationLock(path, { pid: 7, startTime: "1" });
      unlinkSync(path + "/elevation.lock");
      return [a.kind, a.isInPlace()];`;
    expect(await outcomeAsUser(body, [join(folder, "security")])).toEqual({ value: ["held", false] });
  });

  it.each(["a folder", "a link"])("takes nothing else for its file: %s", async (what) => {
    const security = join(folder, "security");
    const { uid, gid } = await ordinaryUser();
    await mkdir(security, { mode: 0o700 });
    if (what === "a folder") await mkdir(join(security, "elevation.lock"));
    else await symlink("/etc/passwd", join(security, "elevation.lock"));
    await chown(security, uid, gid);
    const body = `${acquire} return await acquireElevationLock(path, { pid: 7, startTime: "1" });`;
    expect(await outcomeAsUser(body, [security])).toMatchObject({ code: "audit-broken" });
  });

  it("believes nothing that the other says of itself but a number", async () => {
    const security = join(folder, "security");
    const body = `
      ${acquire}
      const { writeFileSync, rmSync } = await import("node:fs");
      const a = await acquireElevationLock(path, { pid: 7, startTime: "1" });
      const said = [];
      for (const text of ["", "{", '{"schemaVersion":1,"pid":"x\\u001b[8m"}', "x".repeat(5000)]) {
        writeFileSync(path + "/elevation-holder.json", text);
        said.push((await acquireElevationLock(path, { pid: 8, startTime: null })).holder);
      }
      rmSync(path + "/elevation-holder.json");
      said.push((await acquireElevationLock(path, { pid: 8, startTime: null })).holder);
      return said;`;
    expect(await outcomeAsUser(body, [security])).toEqual({ value: [null, null, null, null, null] });
  });
});
