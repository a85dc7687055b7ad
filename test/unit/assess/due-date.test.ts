import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../../src/assess/assessment.ts";
import { dateGap } from "../../../src/assess/due-date.ts";
import type { Risk } from "../../../src/core/risk.ts";
import { DAY_MS } from "../../../src/core/time.ts";
import type { RunCheck } from "../../../src/schema/assessment-history.ts";

const START = Date.UTC(2026, 0, 1, 12);

/** Runs on the given days from 2026-01-01, each remembering the one before. */
function runs(steps: readonly (readonly [day: number, status: CheckStatus, risk: Risk])[]) {
  let previous: RunCheck | undefined;
  return steps.map(([day, status, risk]) => {
    const dates = dateGap(previous, status, risk, START + day * DAY_MS);
    previous = {
      check_id: "x",
      status,
      risk: dates.risk,
      first_seen: dates.first_seen,
      ...(dates.due_date === null ? {} : { due_date: dates.due_date }),
    };
    return `${dates.first_seen?.slice(0, 10) ?? "-"} ${dates.due_date ?? "-"}${dates.overdue ? " overdue" : ""}`;
  });
}

describe("dates of a gap", () => {
  it.each([
    ["critical", "2026-01-03"],
    ["high", "2026-01-08"],
    ["medium", "2026-01-31"],
    ["low", "2026-04-01"],
  ] as const)("give a %s gap until %s", (risk, due) => {
    expect(runs([[0, "violation", risk]])).toEqual([`2026-01-01 ${due}`]);
  });

  it("stay where they are in later runs, and the day after the due date is overdue", () => {
    expect(
      runs([
        [0, "violation", "high"],
        [3, "violation", "high"],
        [7, "violation", "high"],
        [8, "violation", "high"],
      ]),
    ).toEqual([
      "2026-01-01 2026-01-08",
      "2026-01-01 2026-01-08",
      "2026-01-01 2026-01-08",
      "2026-01-01 2026-01-08 overdue",
    ]);
  });

  it("survive a run that could not look, overdue included", () => {
    expect(
      runs([
        [0, "violation", "high"],
        [9, "not_assessed", "medium"],
        [10, "partial", "high"],
      ]),
    ).toEqual(["2026-01-01 2026-01-08", "2026-01-01 2026-01-08 overdue", "2026-01-01 2026-01-08 overdue"]);
  });

  it.each(["compliant", "not_applicable"] as const)("are cleared by %s and start anew after it", (status) => {
    expect(
      runs([
        [0, "violation", "high"],
        [1, status, "high"],
        [2, "violation", "high"],
      ]),
    ).toEqual(["2026-01-01 2026-01-08", "- -", "2026-01-03 2026-01-10"]);
  });

  it("do not begin with a run that could not look", () => {
    expect(
      runs([
        [0, "not_assessed", "high"],
        [5, "partial", "high"],
      ]),
    ).toEqual(["- -", "2026-01-06 2026-01-13"]);
  });

  it("come closer when the risk rises", () => {
    expect(
      runs([
        [0, "partial", "low"],
        [10, "partial", "high"],
        [11, "partial", "high"],
      ]),
    ).toEqual(["2026-01-01 2026-04-01", "2026-01-01 2026-01-18", "2026-01-01 2026-01-18"]);
  });

  it("do not move out when a nearly due gap rises in risk", () => {
    expect(
      runs([
        [0, "partial", "low"],
        [88, "violation", "high"],
      ]),
    ).toEqual(["2026-01-01 2026-04-01", "2026-01-01 2026-04-01"]);
  });

  it("do not move out when the risk falls", () => {
    expect(
      runs([
        [0, "violation", "high"],
        [1, "partial", "low"],
      ]),
    ).toEqual(["2026-01-01 2026-01-08", "2026-01-01 2026-01-08"]);
  });

  it("notice a rise of risk over a run that could not look", () => {
    expect(
      runs([
        [0, "partial", "low"],
        [1, "not_assessed", "critical"],
        [2, "violation", "critical"],
      ]),
    ).toEqual(["2026-01-01 2026-04-01", "2026-01-01 2026-04-01", "2026-01-01 2026-01-05"]);
  });

  it("are what they would be today after a run under a clock that was years ahead, and stay so", () => {
    const ahead = 4 * 365;
    expect(
      runs([
        [ahead, "violation", "critical"],
        [0, "violation", "critical"],
        [3, "violation", "critical"],
      ]),
    ).toEqual(["2029-12-31 2030-01-02", "2026-01-01 2026-01-03", "2026-01-01 2026-01-03 overdue"]);
  });

  it("are not pushed out by a first_seen or due date from the future", () => {
    const forged: RunCheck = {
      check_id: "x",
      status: "violation",
      risk: "high",
      first_seen: "2099-01-01T00:00:00Z",
      due_date: "2099-02-01",
    };
    expect(dateGap(forged, "violation", "high", START)).toEqual({
      first_seen: "2026-01-01T12:00:00Z",
      due_date: "2026-01-08",
      reopened: 0,
      risk: "high",
      overdue: false,
    });
  });
});
