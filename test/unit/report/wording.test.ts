import { describe, expect, it } from "vitest";
import type { AssessedCheck } from "../../../src/assess/assessment.ts";
import {
  coveragePercent,
  describeDue,
  describeVerdict,
  formatEndpoint,
  formatProgram,
  formatTime,
} from "../../../src/report/wording.ts";
import { cleanChecks, sampleAssessment, totalsOf } from "../../helpers/sample-assessment.ts";

/** Totals of the clean sample with its first checks changed. */
function totalsWith(...changes: readonly Partial<AssessedCheck>[]) {
  return totalsOf(cleanChecks().map((check, index) => ({ ...check, ...changes[index] })));
}

describe("describeVerdict", () => {
  it.each([
    [
      "everything is compliant",
      totalsWith(),
      { tone: "good", headline: "No open gap.", caveat: "All 20 applicable checks show the expected state." },
    ],
    [
      "nothing is missing but one check could not be measured",
      totalsWith({ status: "not_assessed" }),
      {
        tone: "unknown",
        headline: "No gap in 19 measured checks.",
        caveat: "1 of 20 applicable checks could not be measured, so this is not a pass.",
      },
    ],
    [
      "there are only partial gaps",
      totalsWith({ status: "partial", risk: "low" }),
      { tone: "warn", headline: "1 open gap: 1 low.", caveat: "" },
    ],
    [
      "there are violations and blind spots",
      totalsOf(sampleAssessment().checks),
      {
        tone: "bad",
        headline: "9 open gaps: 1 critical, 3 high, 4 medium, 1 low.",
        caveat: "3 of 19 applicable checks could not be measured, so there may be more.",
      },
    ],
    [
      "nothing could be measured",
      totalsOf(cleanChecks().map((check) => ({ ...check, status: "not_assessed" }))),
      {
        tone: "unknown",
        headline: "Nothing could be measured.",
        caveat: "This report says nothing about how safe this host is.",
      },
    ],
  ] as const)("says so when %s", (_, totals, verdict) => {
    expect(describeVerdict(totals)).toEqual(verdict);
  });
});

it("does not round coverage up to 100", () => {
  expect(coveragePercent({ ...totalsOf(cleanChecks()), coverage: 0.9999 })).toBe(99);
});

it.each([
  ["2026-11-23T08:00:00Z", "2026-11-23 08:00 UTC"],
  ["2026-11-23T08:00:59.123Z", "2026-11-23 08:00 UTC"],
  ["2026-11-23T08:00:00+02:00", "2026-11-23T08:00:00+02:00"],
  ["yesterday", "yesterday"],
])("formats the time %s as %s", (iso, shown) => {
  expect(formatTime(iso)).toBe(shown);
});

it.each([
  ["0.0.0.0", 22, null, "0.0.0.0:22"],
  ["::1", 22, null, "[::1]:22"],
  ["fe80::1", 546, "eth0", "[fe80::1%eth0]:546"],
  ["0.0.0.0", 68, "eth0", "0.0.0.0%eth0:68"],
])("formats address %s port %i device %s as %s", (address, port, device, shown) => {
  expect(formatEndpoint(address, port, device)).toBe(shown);
});

it.each([
  [{ exe: "/bin/x", name: "x", exe_deleted: false }, "/bin/x"],
  [{ exe: "/bin/x", name: "x", exe_deleted: true }, "/bin/x (deleted)"],
  [{ exe: null, name: "sshd", exe_deleted: null }, "sshd (name only)"],
  [{ exe: null, name: null, exe_deleted: null }, "unknown"],
])("formats the program %j as %s", (process, shown) => {
  expect(formatProgram(process)).toBe(shown);
});

it.each([
  [null, false, null],
  ["2026-11-30", false, "Due 2026-11-30"],
  ["2026-11-20", true, "Overdue since 2026-11-20"],
])("describes the due date %s (overdue: %s) as %s", (due_date, overdue, shown) => {
  expect(describeDue({ due_date, overdue })).toBe(shown);
});
