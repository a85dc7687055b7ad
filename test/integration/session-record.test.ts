import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { itWith } from "../helpers/requires.ts";
import { makeUserFolder, ordinaryUser, runAsUser } from "../helpers/unprivileged.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await makeUserFolder();
  path = join(folder, "root-session-state.json");
});

afterEach(() => chmod(folder, 0o700));

const MODULE = `
import { createSessionRecord } from "#src/state/session-record.ts";
import { createGrantStore } from "#src/grant/grant-store.ts";
const save = createSessionRecord(process.argv[2]);
const clocks = { wallMs: 1_795_000_000_000, monotonicMs: 5, uptimeMs: 6 };
const store = createGrantStore({ readClocks: () => clocks, setTimer: () => () => {}, onDrop: () => {}, newId: () => "g1" });
const session = { session: "task\\n\\u009b8m\\u202e", agent: "main", channel: "gateway" };
const before = store.list().length;
const used = store.consume({ grantId: null, contents: "c".repeat(64), session });
const by = { kind: "device", id: "phone" };
const grant = store.open({ kind: "approval", digest: "d".repeat(64), contents: "c", by, at: 1, keep: false }, "c", session);
const recorded = { grant, maskedArgv: ["/bin/p", "--token=***"], runAs: "root" };
const events = Array.from({ length: 30 }, (_, at) => ({ at: clocks.wallMs + at * 1000, event: "used", session: "s", digest: null }));
const outcomes = await Promise.all([
  save({ at: clocks.wallMs, grants: [], events: [] }),
  save({ at: clocks.wallMs, grants: [recorded], events }),
]);
process.stdout.write(JSON.stringify({ before, used: used.code, outcomes }));
`;

async function run(): Promise<unknown> {
  const result = await runAsUser(MODULE, { args: [path] });
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  return JSON.parse(result.stdout);
}

const outcome = (saved: object): object => ({ before: 0, used: "grant-unknown", outcomes: [saved, saved] });
const notSaved = (code: string): object => outcome({ kind: "not-saved", code, message: expect.any(String) as string });
const SAVED = outcome({ kind: "saved" });

describe("R-17: the session record", () => {
  it("tells people what is elevated, in order of the calls, private and without raw controls", async () => {
    expect(await run()).toEqual(SAVED);
    const text = await readFile(path, "utf8");
    expect(JSON.parse(text)).toEqual({
      schemaVersion: 1,
      note: expect.stringContaining("never read for a decision") as string,
      privilege_mode: "elevated",
      written_at: "2026-11-18T11:06:40Z",
      grants: [
        {
          grant_id: "g1",
          digest: "dddddddd",
          session: "task\n\u009b8m\u202e",
          agent: "main",
          channel: "gateway",
          run_as: "root",
          argv: ["/bin/p", "--token=***"],
          kept: false,
          approved_by: "device:phone",
          opened_at: "2026-11-18T11:06:40Z",
          last_used_at: "2026-11-18T11:06:40Z",
          expires_at: "2026-11-18T11:36:40Z",
        },
      ],
      last_events: expect.toSatisfy((events: { at: string }[]) => events.length === 20) as unknown,
    });
    expect(text).not.toMatch(/[[\p{Cc}\p{Cf}]--[\n]]/v);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["root-session-state.json"]);
  });

  it.each(["", "{", "[]", "null", '{"privilege_mode":"elevated","last_elevated_activity_utc":null}'])(
    "T47, H23: replaces %j and takes nothing from it",
    async (text) => {
      await writeFile(path, text, { mode: 0o600 });
      await chown(path, (await ordinaryUser()).uid, (await ordinaryUser()).gid);
      expect(await run()).toEqual(SAVED);
    },
  );

  it("H05: takes no grant from a forged record", async () => {
    const grants = [{ grant_id: "g1", session: "task", argv: ["/usr/bin/id"], expires_at: "2099-01-01T00:00:00Z" }];
    await writeFile(path, JSON.stringify({ schemaVersion: 1, privilege_mode: "elevated", grants }));
    await chown(path, (await ordinaryUser()).uid, (await ordinaryUser()).gid);
    expect(await run()).toEqual(SAVED);
  });

  it("T47: replaces 5 MB of mode 000", async () => {
    await writeFile(path, "");
    await truncate(path, 5_000_000);
    await chmod(path, 0);
    await chown(path, (await ordinaryUser()).uid, (await ordinaryUser()).gid);
    expect(await run()).toEqual(SAVED);
    expect((await stat(path)).size).toBeLessThan(10_000);
  });

  it("H25: does not follow a link, and says so", async () => {
    const target = join(folder, "target");
    await writeFile(target, "keep me");
    await symlink(target, path);
    expect(await run()).toEqual(notSaved("state-file-symlink"));
    expect(await readFile(target, "utf8")).toBe("keep me");
  });

  it("H25: does not write into a folder that is a link or that others may write to", async () => {
    const real = join(folder, "real");
    await mkdir(real, { mode: 0o777 });
    await chmod(real, 0o777);
    await symlink(real, join(folder, "link"));
    path = join(folder, "link", "root-session-state.json");
    expect(await run()).toEqual(notSaved("state-file-symlink"));
    path = join(real, "root-session-state.json");
    await chown(real, (await ordinaryUser()).uid, (await ordinaryUser()).gid);
    expect(await run()).toEqual(notSaved("state-file-insecure-mode"));
    expect(await readdir(real)).toEqual([]);
  });

  it("T47: leaves a folder at its place alone, and says so", async () => {
    await mkdir(path);
    expect(await run()).toEqual(notSaved("state-file-not-regular"));
  });

  itWith(["mkfifo"], "T47, H44: does not wait at a FIFO", async () => {
    execFileSync("/usr/bin/mkfifo", [path]);
    expect(await run()).toEqual(notSaved("state-file-not-regular"));
  });
});
