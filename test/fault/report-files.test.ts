import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { REPORT_FILES } from "../../src/app/assess.ts";
import type { AssessmentSummary } from "../../src/assess/assessment.ts";
import { notesOf } from "../helpers/assess-run.ts";
import { makeHome } from "../helpers/homes.ts";
import { itWith } from "../helpers/requires.ts";
import { collect, type RunResult } from "../helpers/unprivileged.ts";

const CLI = join(import.meta.dirname, "../../dist/cli.js");
/** Checks that together bring all five files, without the collectors that take longest. */
const FEW = "channel_allowlist_configured,open_ports_approved,egress_connections_approved";

interface Place {
  readonly home: string;
  readonly stateDir: string;
  readonly out: string;
  readonly log: string;
}

async function makePlace(): Promise<Place> {
  const { home, stateDir } = await makeHome("hardened", await mkdtemp(join(tmpdir(), "cse-fault-")));
  return { home, stateDir, out: join(home, "out"), log: join(home, "strace.log") };
}

function start(place: Place, strace: readonly string[] = []) {
  const command = [process.execPath, CLI, "assess", "--json", "--out", place.out, "--checks", FEW];
  const [file = "", ...args] = strace.length === 0 ? command : [...strace, ...command];
  return spawn(file, args, {
    cwd: place.home,
    // One thread for all file calls: strace counts the calls of each thread on its own.
    env: { PATH: "/usr/bin:/bin", HOME: place.home, OPENCLAW_STATE_DIR: place.stateDir, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function assess(place: Place): Promise<AssessmentSummary> {
  const run = await collect(start(place));
  expect({ exitCode: run.exitCode, notes: notesOf(run) }).toEqual({ exitCode: 0, notes: "" });
  return JSON.parse(run.stdout) as AssessmentSummary;
}

/** Inode of each report, which changes when it is replaced. Throws when one is not whole. */
async function filesOf(out: string): Promise<Readonly<Record<string, number>>> {
  const files: Record<string, number> = {};
  for (const name of REPORT_FILES) {
    const text = await readFile(join(out, name), "utf8");
    if (name.endsWith(".html")) {
      if (!/^<!doctype html>/i.test(text) || !text.trimEnd().endsWith("</html>")) throw new Error(`${name} is cut off`);
    } else {
      expect([name, JSON.parse(text)]).toEqual([name, expect.objectContaining({ schemaVersion: 1 })]);
    }
    files[name] = (await stat(join(out, name))).ino;
  }
  return files;
}

async function runIdIn(out: string, name: string): Promise<string> {
  return (JSON.parse(await readFile(join(out, name), "utf8")) as { run_id: string }).run_id;
}

/** Every line of the history but perhaps the last is a whole run. */
async function expectSoundHistory(place: Place): Promise<void> {
  const text = await readFile(join(place.stateDir, "security/assessment-history.jsonl"), "utf8").catch(() => "");
  const lines = text.split("\n").slice(0, -1);
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty("run_id");
}

/** After a crash: everything is whole, and the next run works as if nothing had happened. */
async function expectRecovered(place: Place): Promise<void> {
  await filesOf(place.out);
  await expectSoundHistory(place);
  const after = await assess(place);
  expect(after.problems).toEqual([]);
  for (const name of ["openclaw-assessment.json", "compliance-summary.json"]) {
    expect([name, await runIdIn(place.out, name)]).toEqual([name, after.run_id]);
  }
  await filesOf(place.out);
}

describe("reports of a run that is killed", () => {
  it("are whole, old or new, at fifteen moments of the run", async () => {
    const place = await makePlace();
    await assess(place);
    const started = performance.now();
    await assess(place);
    const spanMs = performance.now() - started;
    let killed = 0;
    for (let turn = 0; turn < 15; turn += 1) {
      // A history of its own each time: a killed run may leave its lock, for which the next one would wait.
      const own = { ...place, stateDir: join(place.home, `state-${turn}`) };
      const child = start(own);
      const ended = collect(child);
      // Most of them late, where the files are written.
      await sleep(spanMs * (0.4 + (0.65 * turn) / 15));
      child.kill("SIGKILL");
      if ((await ended).signal === "SIGKILL") killed += 1;
      await filesOf(place.out);
      await expectSoundHistory(own);
    }
    expect(killed).toBeGreaterThan(0);
    await expectRecovered(place);
  }, 60_000);

  const KILLS: readonly (readonly [call: string, nth: number, replaced: number])[] = [
    // Renames: the assessment, the page, the two scans, the summary.
    ["rename", 1, 0],
    ["rename", 3, 2],
    ["rename", 5, 4],
    // Synchronising: the history, then each file and its folder.
    ["fsync", 1, 0],
    ["fsync", 2, 0],
    ["fsync", 3, 1],
    ["fsync", 10, 4],
    ["fsync", 11, 5],
  ];
  for (const [call, nth, replaced] of KILLS) {
    itWith(["strace"], `are whole at ${call} ${nth}: ${replaced} of five are the new ones`, async () => {
      const place = await makePlace();
      await assess(place);
      const before = await filesOf(place.out);
      const what = call === "rename" ? "/^rename" : call;
      const run = await traced(place, what, `inject=${what}:signal=SIGKILL:when=${nth}`);
      expect(run).toMatchObject({ signal: "SIGKILL", stdout: "" });
      const after = await filesOf(place.out);
      expect(REPORT_FILES.filter((name) => after[name] !== before[name])).toHaveLength(replaced);
      await expectRecovered(place);
    });
  }

  itWith(["strace"], "are whole at whichever write it dies", async () => {
    const place = await makePlace();
    await assess(place);
    const hits: string[] = [];
    for (const nth of [20, 40, 44, 48, 52, 56, 60, 66]) {
      const run = await traced(place, "write", `inject=write:signal=SIGKILL:when=${nth}`);
      hits.push(run.signal ?? "none");
      await filesOf(place.out);
      await expectSoundHistory(place);
    }
    expect(hits).toContain("SIGKILL");
    await expectRecovered(place);
  });
});

describe("reports when a call fails", () => {
  const FAULTS: readonly (readonly [call: string, nth: number, errno: string, code: string])[] = [
    ["rename", 1, "ENOSPC", "disk-full"],
    ["rename", 2, "EIO", "write-failed"],
    ["rename", 5, "EROFS", "read-only"],
    ["fsync", 2, "EDQUOT", "disk-full"],
    ["fsync", 10, "EIO", "write-failed"],
  ];
  for (const [call, nth, errno, code] of FAULTS) {
    itWith(["strace"], `are whole on ${errno} from ${call} ${nth}, and the run says ${code}`, async () => {
      const place = await makePlace();
      const { run_id: old } = await assess(place);
      const what = call === "rename" ? "/^rename" : call;
      const run = await traced(place, what, `inject=${what}:error=${errno}:when=${nth}`);
      expect([run.exitCode, run.signal]).toEqual([0, null]);
      const summary = JSON.parse(run.stdout) as AssessmentSummary;
      expect(summary).toMatchObject({ status: "incomplete", files: {}, problems: [{ code }] });
      expect(notesOf(run)).toBe(`${code}: ${summary.problems[0]?.message}\n`);
      await filesOf(place.out);
      // The summary on disk is the last to be written, so it never speaks for a run that was not kept whole.
      expect(await runIdIn(place.out, "compliance-summary.json")).toBe(old);
      expect((await readdir(place.out)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      await expectRecovered(place);
    });
  }
});

async function traced(place: Place, call: string, inject: string): Promise<RunResult> {
  const strace = ["/usr/bin/strace", "-f", "-o", place.log, "-e", `trace=${call}`, "-e", inject];
  return await collect(start(place, strace));
}
