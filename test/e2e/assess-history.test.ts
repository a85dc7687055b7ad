import { execFileSync } from "node:child_process";
import { appendFile, chmod, chown, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { AssessmentRun } from "../../src/schema/assessment-history.ts";
import { assessWith, type AssessRun, cseIn, giveTree, makeHomeOfUser, rowOf, notesOf } from "../helpers/assess-run.ts";
import type { TestHome } from "../helpers/homes.ts";
import { IS_ROOT, STRANGER } from "../helpers/outcome.ts";
import { itUnless } from "../helpers/requires.ts";

const ID = "channel_allowlist_configured";
const DAY_MS = 86_400_000;

let home: TestHome;
let history: string;

beforeEach(async () => {
  home = await makeHomeOfUser("weak");
  history = join(home.stateDir, "security/assessment-history.jsonl");
});

async function assess(out = "out"): Promise<AssessRun> {
  return await assessWith(cseIn(home.home), join(home.home, out), ["--checks", ID]);
}

async function runsInFile(): Promise<readonly AssessmentRun[]> {
  const lines = (await readFile(history, "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as AssessmentRun);
}

const LONG_AGO = new Date(Date.now() - 20 * DAY_MS).toISOString().replace(/\.\d+Z$/, "Z");

/** A first run, as if it had been 20 days ago. */
async function runLongAgo(): Promise<void> {
  await assess();
  const [run] = await runsInFile();
  const checks = run?.checks.map((check) => ({ ...check, first_seen: LONG_AGO, due_date: LONG_AGO.slice(0, 10) }));
  await writeFile(history, `${JSON.stringify({ ...run, checks })}\n`);
}

interface BadHistory {
  readonly what: string;
  readonly spoil: () => Promise<void>;
  readonly code: string;
  /** Whether the run before can still be told, so that the gap keeps its date. */
  readonly isKnown: boolean;
  /** Whether this run could be added. */
  readonly isKept: boolean;
}

const CASES: readonly BadHistory[] = [
  {
    what: "its last line was cut off",
    spoil: async () => await appendFile(history, '{"schemaVersion":1,"run_id":"x","at":"20'),
    code: "history-invalid",
    isKnown: true,
    isKept: true,
  },
  {
    what: "its last lines are garbage",
    spoil: async () => await appendFile(history, "garbage\n{}\n"),
    code: "history-invalid",
    isKnown: true,
    isKept: true,
  },
  {
    what: "all of it is garbage",
    spoil: async () => await writeFile(history, "garbage\n".repeat(1_000)),
    code: "history-invalid",
    isKnown: false,
    isKept: true,
  },
  {
    what: "20 MB of garbage follow",
    spoil: async () => await appendFile(history, `${"x".repeat(99)}\n`.repeat(200_000)),
    code: "history-invalid",
    isKnown: true,
    isKept: true,
  },
  {
    what: "it is 40 MB",
    spoil: async () => await writeFile(history, "x".repeat(40_000_000)),
    code: "file-too-large",
    isKnown: false,
    isKept: false,
  },
  {
    what: "it is no text",
    spoil: async () => await writeFile(history, Buffer.from([0xff, 0xfe, 0x0a])),
    code: "file-not-text",
    isKnown: false,
    isKept: false,
  },
  {
    what: "it is a link",
    spoil: async () => {
      await rm(history);
      await writeFile(join(home.home, "elsewhere"), "keep me");
      await symlink(join(home.home, "elsewhere"), history);
    },
    code: "state-file-symlink",
    isKnown: false,
    isKept: false,
  },
  {
    what: "it is a folder",
    spoil: async () => {
      await rm(history);
      await mkdir(history);
    },
    code: "state-file-not-regular",
    isKnown: false,
    isKept: false,
  },
  {
    what: "it is a FIFO",
    spoil: async () => {
      await rm(history);
      execFileSync("mkfifo", ["-m", "600", history]);
    },
    code: "state-file-not-regular",
    isKnown: false,
    isKept: false,
  },
  {
    what: "nobody may read it",
    spoil: async () => await chmod(history, 0),
    code: "file-unreadable",
    isKnown: false,
    isKept: false,
  },
  {
    what: "others may write it",
    spoil: async () => await chmod(history, 0o666),
    code: "state-file-insecure-mode",
    isKnown: false,
    isKept: false,
  },
  {
    what: "others may write its folder",
    spoil: async () => await chmod(join(home.stateDir, "security"), 0o777),
    code: "state-file-insecure-mode",
    isKnown: false,
    isKept: false,
  },
];

/** What a reader of the summary learns, and that the run itself is whole. */
async function expectNamed(bad: Omit<BadHistory, "spoil" | "what">): Promise<void> {
  const { summary, assessment, run } = await assess();
  expect([...new Set(summary.problems.map(({ code }) => code))]).toEqual([bad.code]);
  expect(
    notesOf(run)
      .split("\n")
      .filter((line) => line.startsWith(`${bad.code}: `)),
  ).toHaveLength(summary.problems.length);
  expect(summary.status).toBe("incomplete");
  const row = rowOf(assessment, ID);
  expect(row.status).toBe("violation");
  // A date that is not known is never made up to be older, nor kept from somewhere else.
  const isToday = Date.now() - Date.parse(row.first_seen ?? "") < 60_000;
  expect([row.first_seen === LONG_AGO, isToday, row.overdue]).toEqual([bad.isKnown, !bad.isKnown, bad.isKnown]);
  expect(Object.keys(summary.files)).toHaveLength(3);

  const again = await assess();
  expect(again.summary.problems.length === 0).toBe(bad.isKept);
  if (bad.isKept) {
    expect(rowOf(again.assessment, ID).first_seen).toBe(row.first_seen);
    expect((await readFile(history, "utf8")).endsWith("}\n")).toBe(true);
  }
}

describe("the history of runs", () => {
  it.each(CASES)("is a named problem when $what, and the run completes", async ({ spoil, ...bad }) => {
    await runLongAgo();
    await spoil();
    await giveTree(home.home);
    await expectNamed(bad);
  });

  itUnless(
    IS_ROOT ? null : "only root can give files away",
    "is a named problem when it belongs to another, and the run completes",
    async () => {
      await runLongAgo();
      await chmod(history, 0o644);
      await chown(history, STRANGER, STRANGER);
      await expectNamed({ code: "state-owner-mismatch", isKnown: false, isKept: false });
    },
  );

  it("is left as it was where it cannot be trusted", async () => {
    await runLongAgo();
    const text = await readFile(history, "utf8");
    await chmod(history, 0o666);
    await assess();
    expect(await readFile(history, "utf8")).toBe(text);
  });

  it("has every one of several runs at the same time, each with the reports it was asked for", async () => {
    await runLongAgo();
    // Whoever comes first must rewrite the file to mend it; without a lock that would undo the others.
    await appendFile(history, '{"schemaVersion":1,"run');
    const made = await Promise.all(["one", "two", "three", "four"].map(async (out) => await assess(out)));
    expect(made.flatMap(({ summary }) => summary.problems.map(({ code }) => code))).toEqual(["history-invalid"]);
    const ids = (await runsInFile()).map((run) => run.run_id);
    expect(ids.slice(1).toSorted()).toEqual(made.map(({ summary }) => summary.run_id).toSorted());
    for (const { assessment } of made) expect(rowOf(assessment, ID).first_seen).toBe(LONG_AGO);
  });

  it("of runs into the same folder leaves one of them whole in each file", async () => {
    const cse = cseIn(home.home);
    const out = join(home.home, "shared");
    const runs = await Promise.all([1, 2, 3].map(async () => await cse(["assess", "--json", "--out", out])));
    expect(runs.map((run) => [run.exitCode, notesOf(run)])).toEqual([
      [0, ""],
      [0, ""],
      [0, ""],
    ]);
    const ids = runs.map(({ stdout }) => (JSON.parse(stdout) as { run_id: string }).run_id);
    for (const name of ["openclaw-assessment.json", "compliance-summary.json"]) {
      expect(ids).toContain((JSON.parse(await readFile(join(out, name), "utf8")) as { run_id: string }).run_id);
    }
  });

  it("keeps the dates of a gap that could not be looked at for a while", async () => {
    await runLongAgo();
    const config = await readFile(home.configPath, "utf8");
    await writeFile(home.configPath, "{");
    await giveTree(home.home);
    const blind = rowOf((await assess()).assessment, ID);
    expect([blind.status, blind.first_seen, blind.overdue]).toEqual(["not_assessed", LONG_AGO, true]);
    expect(blind.gap).toContain(`A gap first seen on ${LONG_AGO.slice(0, 10)} is not known to be closed.`);
    await writeFile(home.configPath, config);
    const seen = rowOf((await assess()).assessment, ID);
    expect([seen.status, seen.first_seen]).toEqual(["violation", LONG_AGO]);
  });

  it("knows a gap that was closed for a moment: when it comes back it is the old one", async () => {
    await runLongAgo();
    const config = await readFile(home.configPath, "utf8");
    await writeFile(home.configPath, "{}");
    expect(rowOf((await assess()).assessment, ID)).toMatchObject({ status: "not_applicable", first_seen: null });
    await writeFile(home.configPath, config);
    const { assessment } = await assess();
    const row = rowOf(assessment, ID);
    expect([row.status, row.overdue, row.first_seen, row.reopened]).toEqual(["violation", true, LONG_AGO, 1]);
    expect(assessment.changes.map(({ kind }) => kind)).toEqual(["reopened"]);
  });
});
