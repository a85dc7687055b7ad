import { appendFile, chmod, chown, mkdir, readdir, readFile, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { formatAssessmentRun, type AssessmentRun } from "../../src/schema/assessment-history.ts";
import { makeUserFolder, ordinaryUser, runAsUser } from "../helpers/unprivileged.ts";

let folder: string;
let path: string;

function run(id: string): AssessmentRun {
  return { schemaVersion: 1, run_id: id, at: "2026-11-23T08:00:00Z", checks: [] };
}
const line = (id: string): string => `${formatAssessmentRun(run(id))}\n`;

/** Loads, or appends runs with these ids, as an ordinary user; what was known before the last step. */
async function history(...ids: readonly string[]): Promise<unknown> {
  const result = await runAsUser(
    `
    import { appendAssessmentRun, loadAssessmentHistory } from "#src/state/assessment-history.ts";
    const [path, ...ids] = process.argv.slice(2);
    const said = (known) => ({ previous: known.previous?.run_id ?? null, problems: known.problems.map(({ code }) => code) });
    try {
      let known = ids.length === 0 ? await loadAssessmentHistory(path) : null;
      for (const run_id of ids) {
        known = await appendAssessmentRun(path, () => ({ schemaVersion: 1, run_id, at: "2026-11-23T08:00:00Z", checks: [] }));
      }
      process.stdout.write(JSON.stringify(said(known)));
    } catch (error) {
      process.stdout.write(JSON.stringify({ code: error.code ?? String(error) }));
    }`,
    { args: [path, ...ids] },
  );
  expect(result.stderr).toBe("");
  return JSON.parse(result.stdout);
}

async function put(text: string, mode = 0o600): Promise<void> {
  const user = await ordinaryUser();
  await mkdir(join(folder, "security"), { mode: 0o700 });
  await chown(join(folder, "security"), user.uid, user.gid);
  await writeFile(path, text);
  await chmod(path, mode);
  await chown(path, user.uid, user.gid);
}

async function idsInFile(): Promise<readonly string[]> {
  const text = await readFile(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((row) => (JSON.parse(row) as AssessmentRun).run_id);
}

beforeEach(async () => {
  folder = await makeUserFolder();
  path = join(folder, "security", "assessment-history.jsonl");
});

describe("the assessment history", () => {
  it("is empty and without problems before the first run", async () => {
    expect(await history()).toEqual({ previous: null, problems: [] });
  });

  it("gives each run the one before it, in a private file", async () => {
    expect(await history("a")).toEqual({ previous: null, problems: [] });
    expect(await history("b", "c")).toEqual({ previous: "b", problems: [] });
    expect(await history()).toEqual({ previous: "c", problems: [] });
    expect(await idsInFile()).toEqual(["a", "b", "c"]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "security"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, "security"))).toEqual(["assessment-history.jsonl"]);
  });

  it("says that the last line was cut off, uses the run before it, and is whole again after the next run", async () => {
    await put(line("a") + line("b"));
    await appendFile(path, line("c").slice(0, 30));
    expect(await history()).toEqual({ previous: "b", problems: ["history-invalid"] });
    expect(await history("d")).toEqual({ previous: "b", problems: ["history-invalid"] });
    expect(await history()).toEqual({ previous: "d", problems: [] });
    expect(await idsInFile()).toEqual(["a", "b", "d"]);
  });

  it("takes a last line that lacks only its end", async () => {
    await put(line("a") + line("b").trimEnd());
    expect(await history("c")).toEqual({ previous: "b", problems: [] });
    expect(await idsInFile()).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["an older run is used when the last lines are damaged", `${line("a")}{"nonsense": 1}\nnot json\n`, "a"],
    ["no age is known when no line is valid", "not json\n", null],
    ["no age is known of a newer version's file", '{"schemaVersion":9}\n', null],
  ])("is a named problem: %s", async (_what, text, previous) => {
    await put(text);
    expect(await history()).toEqual({ previous, problems: ["history-invalid"] });
    expect(await history("b")).toEqual({ previous, problems: ["history-invalid"] });
    expect(await history()).toEqual({ previous: "b", problems: [] });
  });

  it("is cut down to the last 5,000 runs once it has 10,000", async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `r${index}`);
    await put(ids.map(line).join(""));
    expect(await history("new")).toEqual({ previous: "r9999", problems: [] });
    expect(await idsInFile()).toEqual([...ids.slice(-4_999), "new"]);
    expect(await history()).toEqual({ previous: "new", problems: [] });
  });

  it("holds only what changed in most lines, and a whole run after a damaged one", async () => {
    await history("a", "b");
    await appendFile(path, "not json\n");
    expect(await history("c")).toEqual({ previous: "b", problems: ["history-invalid"] });
    await history("d");
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((text) => (JSON.parse(text) as { after?: string }).after ?? null)).toEqual([null, "a", "b", "c"]);
  });

  it("leaves out a line that goes on from a run that is lost, up to the next whole one", async () => {
    const short = (id: string, after: string): string => `${formatAssessmentRun({ ...run(id), after })}\n`;
    await put(line("a") + short("b", "lost") + short("c", "b"));
    expect(await history()).toEqual({ previous: "a", problems: ["history-invalid"] });
    await writeFile(path, line("a") + short("b", "lost") + line("d") + short("e", "d"));
    expect(await history()).toEqual({ previous: "e", problems: [] });
  });

  it("is neither read nor changed when others may write it", async () => {
    await put(line("a"), 0o666);
    expect(await history()).toEqual({ previous: null, problems: ["state-file-insecure-mode"] });
    expect(await history("b")).toEqual({ code: "state-file-insecure-mode" });
    expect(await readFile(path, "utf8")).toBe(line("a"));
  });

  it("becomes private again when others may read it", async () => {
    await put(line("a"), 0o644);
    expect(await history("b")).toEqual({ previous: "a", problems: [] });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("is not followed through a symbolic link", async () => {
    await put("");
    const target = join(folder, "elsewhere");
    await writeFile(target, "precious");
    await unlink(path);
    await symlink(target, path);
    expect(await history()).toEqual({ previous: null, problems: ["state-file-symlink"] });
    expect(await history("b")).toEqual({ code: "state-file-symlink" });
    expect(await readFile(target, "utf8")).toBe("precious");
  });

  it("cannot be kept in a folder that may not be written, and says so", async () => {
    await put(line("a"));
    await chmod(join(folder, "security"), 0o500);
    expect(await history("b")).toEqual({ code: "read-only" });
    expect(await history()).toEqual({ previous: "a", problems: [] });
    await chmod(join(folder, "security"), 0o700);
  });

  it("keeps every run of two processes that append at once", async () => {
    const first = ["a1", "a2", "a3", "a4", "a5"];
    const second = ["b1", "b2", "b3", "b4", "b5"];
    await Promise.all([history(...first), history(...second)]);
    expect((await idsInFile()).toSorted()).toEqual([...first, ...second]);
  });
});
