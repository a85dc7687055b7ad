import { describe, expect, it } from "vitest";
import { cycle, type CycleDeps, cycleProblems, NO_CYCLE } from "../../../src/app/cycle.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { type CycleState, formatCycleState, parseCycleState } from "../../../src/schema/cycle-state.ts";
import { NOW } from "../../helpers/assess-evidence.ts";
import { sampleAssessment, sampleSummary } from "../../helpers/sample-assessment.ts";

const MINUTE = 60_000;
const SUMMARY = sampleSummary(sampleAssessment());

function world(change: Partial<CycleDeps> = {}) {
  const made = { states: [] as CycleState[], lines: [] as string[], told: 0 };
  const deps: CycleDeps = {
    now: () => NOW,
    alone: async (work) => await work(),
    loadState: () => Promise.resolve(made.states.at(-1) ?? null),
    saveState: (state) => {
      made.states.push(state);
      return Promise.resolve();
    },
    assess: () => Promise.resolve(SUMMARY),
    notify: () => {
      made.told += 1;
      return Promise.resolve({ schemaVersion: 1, status: "ok", delivered: 1, waiting: 0, given_up: 0, problems: [] });
    },
    log: (line) => {
      made.lines.push(line);
      return Promise.resolve();
    },
    ...change,
  };
  return Object.assign(made, { deps });
}

describe("a cycle", () => {
  it("assesses, notifies, logs and keeps how it ended", async () => {
    const made = world();
    expect(await cycle(made.deps)).toMatchObject({ status: "ok", assessment: SUMMARY, problems: [] });
    expect(made.states.map(({ running_since, last }) => [running_since, last?.outcome])).toEqual([
      ["2026-11-23T08:00:00Z", undefined],
      [null, "ok"],
    ]);
    expect(made.lines).toEqual([
      "cycle starts",
      "assessed 16 of 19 checks, 9 open gaps, score 49, 0 problems",
      "notify ok: 1 delivered, 0 waiting, 0 given up",
      "cycle ends: ok, 0.0 s",
    ]);
    expect(parseCycleState(formatCycleState(made.states[1] ?? NO_CYCLE))).toEqual(made.states[1]);
  });

  it("goes on to notify when the assessment fails, and says so until one succeeds", async () => {
    const made = world({ assess: () => Promise.reject(new SecurityError("waivers-invalid", "broken")) });
    const report = await cycle(made.deps);
    expect([report.status, report.problems.map(({ code }) => code), made.told]).toEqual([
      "failed",
      ["waivers-invalid"],
      1,
    ]);
    await cycle(made.deps);
    const failed = made.states.at(-1) ?? NO_CYCLE;
    expect(failed).toMatchObject({ failures: 2, last: { outcome: "failed" } });
    expect(cycleProblems(failed, NOW)).toEqual([
      {
        code: "cycle-failed",
        message: "The cycle of 2026-11-23T08:00:00Z failed, 2 times in a row: waivers-invalid: assess: broken",
      },
    ]);
    await cycle({ ...made.deps, assess: () => Promise.resolve(SUMMARY) });
    expect(cycleProblems(made.states.at(-1) ?? NO_CYCLE, NOW)).toEqual([]);
  });

  it("counts one that was cut off as failed, in time for the next report", async () => {
    const made = world();
    made.states.push({ ...NO_CYCLE, running_since: "2026-11-23T07:30:00Z" });
    let seen: readonly string[] = [];
    const assess = () => {
      seen = cycleProblems(made.states.at(-1) ?? NO_CYCLE, NOW).map(({ message }) => message);
      return Promise.resolve(SUMMARY);
    };
    await cycle({ ...made.deps, assess });
    expect(seen).toEqual(["The cycle of 2026-11-23T07:30:00Z failed: it began and was cut off"]);
    expect(made.states.at(-1)).toMatchObject({ failures: 0, running_since: null });
  });

  it("leaves when another one runs, and says so", async () => {
    const made = world({ alone: () => Promise.resolve(null) });
    expect(await cycle(made.deps)).toMatchObject({ status: "busy", assessment: null });
    expect([made.lines, made.states]).toEqual([["another cycle is running; this one leaves"], []]);
  });
});

describe("a missed cycle", () => {
  const schedule = { kind: "systemd", every_minutes: 30, since: "2026-11-23T08:00:00Z" } as const;

  it.each([
    [64, null, []],
    [66, null, ["cycle-missed"]],
    [66, 40, []],
    [110, 40, ["cycle-missed"]],
  ])("after %d minutes, the last one having been at %s, is %j", (minutes, last, codes) => {
    const finished_at = new Date(NOW + (last ?? 0) * MINUTE).toISOString().replace(".000Z", "Z");
    const state: CycleState = {
      ...NO_CYCLE,
      schedule,
      last: last === null ? null : { finished_at, outcome: "ok", message: "" },
    };
    expect(cycleProblems(state, NOW + minutes * MINUTE).map(({ code }) => code)).toEqual(codes);
  });

  it("is none where nothing is scheduled", () => {
    expect(cycleProblems(NO_CYCLE, NOW + 1e9)).toEqual([]);
  });
});
