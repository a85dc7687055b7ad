import { chmod, lchown, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { REPORT_FILES, type ReportFile } from "../../src/app/assess.ts";
import type { AssessedCheck, Assessment, AssessmentSummary, CheckStatus } from "../../src/assess/assessment.ts";
import { type HomeKind, makeHome, type TestHome } from "./homes.ts";
import { makeUserFolder, ordinaryUser, runCliAsUser, type RunResult } from "./unprivileged.ts";

/** A home of the given kind that belongs to the ordinary user. */
export async function makeHomeOfUser(kind: HomeKind): Promise<TestHome> {
  const parent = await makeUserFolder("cse-homes-");
  const made = await makeHome(kind, parent);
  if (kind === "weak") await chmod(parent, 0o755);
  await giveTree(made.home);
  // What a test made unreadable could not be removed by an ordinary user.
  onTestFinished(async () => await openFolders(made.home));
  return made;
}

async function openFolders(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}

/** Makes everything at and below `path` the ordinary user's, links themselves included. */
export async function giveTree(path: string): Promise<void> {
  const { uid, gid } = await ordinaryUser();
  for (const entry of await readdir(path, { recursive: true })) await lchown(join(path, entry), uid, gid);
  await lchown(path, uid, gid);
}

/** What one run of `cse assess --json` printed and left behind. */
export interface AssessRun {
  readonly run: RunResult;
  readonly summary: AssessmentSummary;
  readonly assessment: Assessment;
  readonly outDir: string;
}

/** Runs the built command as the ordinary user; anything but the expected exit code fails the test. */
export type RunCse = (args: readonly string[]) => Promise<RunResult>;

export function cseIn(home: string, env: Readonly<Record<string, string>> = {}): RunCse {
  return async (args) => await runCliAsUser(args, { home, env });
}

export async function assessWith(
  cse: RunCse,
  outDir: string,
  args: readonly string[] = [],
  exitCode = 0,
): Promise<AssessRun> {
  const run = await cse(["assess", "--json", "--out", outDir, ...args]);
  expect({ exitCode: run.exitCode, signal: run.signal, stderr: run.stderr }).toEqual({
    exitCode,
    signal: null,
    stderr: expect.any(String),
  });
  const summary = JSON.parse(run.stdout) as AssessmentSummary;
  const assessment = JSON.parse(await readFile(join(outDir, "openclaw-assessment.json"), "utf8")) as Assessment;
  expect(assessment.run_id).toBe(summary.run_id);
  return { run, summary, assessment, outDir };
}

/** What a run said on stderr, but for its progress, which it shows only when the machine is slow. */
export function notesOf({ stderr }: RunResult): string {
  return stderr.replace(/^… .*\n/gm, "");
}

/** Status of every check by its id. */
export function statusesOf(assessment: Assessment): Readonly<Record<string, CheckStatus>> {
  return Object.fromEntries(assessment.checks.map((check) => [check.check_id, check.status]));
}

export function rowOf(assessment: Assessment, id: string): AssessedCheck {
  const row = assessment.checks.find((check) => check.check_id === id);
  if (row === undefined) throw new Error(`no row ${id}`);
  return row;
}

/** The text of all five reports; fails when one is missing. */
export async function readReports(outDir: string): Promise<Readonly<Record<ReportFile, string>>> {
  const texts = await Promise.all(REPORT_FILES.map(async (name) => await readFile(join(outDir, name), "utf8")));
  return Object.fromEntries(REPORT_FILES.map((name, index) => [name, texts[index] ?? ""])) as Record<
    ReportFile,
    string
  >;
}

/** What every row must hold, whatever it says. */
export function expectExplained(assessment: Assessment): void {
  const startedAt = Date.parse(assessment.assessed_at);
  for (const check of assessment.checks) {
    const { check_id: id, status } = check;
    expect([id, check.evidence.length > 0]).toEqual([id, true]);
    for (const line of check.evidence) {
      const ageMs = Date.parse(line.at) - startedAt;
      const isFresh = ageMs > -2_000 && ageMs < 60_000;
      expect({ id, line, hasSource: line.source !== "", said: line.detail !== "", isFresh }).toEqual({
        id,
        line,
        hasSource: true,
        said: true,
        isFresh: true,
      });
    }
    expect([id, check.observed_state !== "", check.expected_state !== ""]).toEqual([id, true, true]);
    const isClosed = status === "compliant" || status === "not_applicable";
    expect([id, status, check.gap === "", check.mitigation === ""]).toEqual([id, status, isClosed, isClosed]);
    const isOpen = status === "violation" || status === "partial";
    expect([id, status, check.first_seen !== null, check.due_date !== null]).toEqual([id, status, isOpen, isOpen]);
  }
}
