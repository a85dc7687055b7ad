import { describe, expect, it } from "vitest";
import type { CheckResult, CheckStatus } from "../../../src/assess/assessment.ts";
import { CHECKS } from "../../../src/assess/checks.ts";
import { dateChecks, nextRun } from "../../../src/assess/history.ts";
import { chooseChecks, type CheckAnswer } from "../../../src/assess/run-checks.ts";
import { DAY_MS } from "../../../src/core/time.ts";
import {
  type AssessmentRun,
  completeRun,
  formatAssessmentRun,
  parseAssessmentRun,
  shortenRun,
} from "../../../src/schema/assessment-history.ts";
import { NOW } from "../../helpers/assess-evidence.ts";

function answer(id: string, status: CheckStatus): CheckAnswer {
  const [found] = chooseChecks([id]);
  if (found === undefined) throw new Error("no check");
  const result: CheckResult = { status, observed_state: "seen", evidence: [], gap: "a gap.", mitigation: "a step" };
  return { meta: found.meta, result };
}

const PORTS = "open_ports_approved";
const BACKUP = "backup_configured";

describe("the history of runs", () => {
  it("remembers a check that did not run this time", () => {
    const first = nextRun(
      null,
      dateChecks(null, [answer(PORTS, "violation"), answer(BACKUP, "partial")], NOW),
      "r1",
      NOW,
    );
    const later = NOW + 40 * DAY_MS;
    const only = dateChecks(first, [answer(BACKUP, "compliant")], later);
    const second = nextRun(first, only, "r2", later);
    const third = dateChecks(second, [answer(PORTS, "violation"), answer(BACKUP, "partial")], later + DAY_MS);
    expect(third.map((check) => [check.check_id, check.first_seen, check.overdue])).toEqual([
      [PORTS, "2026-11-23T08:00:00Z", true],
      // It came back a day after it was closed.
      [BACKUP, "2026-11-23T08:00:00Z", false],
    ]);
  });

  it("forgets a closed gap after 30 days", () => {
    const day = (days: number): number => NOW + days * DAY_MS;
    const step = (before: AssessmentRun | null, status: CheckStatus, days: number): AssessmentRun =>
      nextRun(before, dateChecks(before, [answer(BACKUP, status)], day(days)), `r${days}`, day(days));
    const closed = step(step(null, "partial", 0), "compliant", 1);
    const soon = step(step(closed, "compliant", 20), "partial", 31).checks[0];
    const late = step(step(closed, "compliant", 20), "partial", 32).checks[0];
    expect([soon?.first_seen, soon?.reopened]).toEqual(["2026-11-23T08:00:00Z", 1]);
    expect([late?.first_seen, late?.reopened]).toEqual(["2026-12-25T08:00:00Z", undefined]);
  });

  it("counts how often a gap came back, and says since when it is as it is", () => {
    let run: AssessmentRun | null = null;
    const seen: unknown[] = [];
    for (const [day, status] of (
      ["partial", "compliant", "partial", "partial", "compliant", "violation"] as const
    ).entries()) {
      const now = NOW + day * DAY_MS;
      const checks = dateChecks(run, [answer(BACKUP, status)], now);
      run = nextRun(run, checks, `r${day}`, now);
      seen.push([checks[0]?.reopened, checks[0]?.last_changed.slice(0, 10)]);
    }
    expect(seen).toEqual([
      [0, "2026-11-23"],
      [0, "2026-11-24"],
      [1, "2026-11-25"],
      [1, "2026-11-25"],
      [0, "2026-11-27"],
      [2, "2026-11-28"],
    ]);
  });

  it("says in a check that could not be measured which gap is not known to be closed", () => {
    const first = nextRun(null, dateChecks(null, [answer(PORTS, "violation")], NOW), "r1", NOW);
    const [check] = dateChecks(first, [answer(PORTS, "not_assessed")], NOW + DAY_MS);
    expect(check).toMatchObject({
      status: "not_assessed",
      gap: "a gap. A gap first seen on 2026-11-23 is not known to be closed.",
      first_seen: "2026-11-23T08:00:00Z",
      due_date: "2026-12-23",
    });
  });

  it("can be read back as it was written", () => {
    const answers = CHECKS.map(({ meta }) => answer(meta.check_id, "violation"));
    const run = nextRun(null, dateChecks(null, answers, NOW), "r1", NOW);
    expect(parseAssessmentRun(formatAssessmentRun(run))).toEqual(run);
  });
});

describe("a short line", () => {
  const row = (id: string, status: CheckStatus) => ({ check_id: id, status, risk: "low" as const, first_seen: null });
  const made = (id: string, checks: AssessmentRun["checks"]): AssessmentRun => ({
    schemaVersion: 1,
    run_id: id,
    at: "2026-11-23T08:00:00Z",
    checks,
  });
  const before = made("a", [row("x", "compliant"), row("y", "compliant")]);

  it.each([
    ["nothing changed", made("b", before.checks), 0],
    ["a row changed", made("b", [row("x", "compliant"), row("y", "not_applicable")]), 1],
    ["a row came", made("b", [...before.checks, row("z", "compliant")]), 1],
    ["a row went, and so it is whole", made("b", [row("x", "compliant")]), 1],
  ])("gives the run back when %s", (_title, run, rows) => {
    const line = shortenRun(run, before);
    expect(line.checks).toHaveLength(rows);
    expect(completeRun(line, before)).toEqual(run);
  });

  it("is no run without the one it goes on from", () => {
    const line = shortenRun(made("b", before.checks), before);
    expect([completeRun(line, null), completeRun(line, made("c", []))]).toEqual([null, null]);
  });
});

describe("a line of the history", () => {
  const fine = { schemaVersion: 1, run_id: "r", at: "2026-11-23T08:00:00Z", checks: [] as unknown[] };
  const row = {
    check_id: PORTS,
    status: "violation",
    risk: "high",
    first_seen: "2026-11-23T08:00:00Z",
    due_date: "2026-11-30",
  };

  it("is accepted with and without a gap", () => {
    const checks = [row, { check_id: BACKUP, status: "compliant", risk: "low", first_seen: null }];
    expect(parseAssessmentRun(JSON.stringify({ ...fine, checks })).checks).toEqual(checks);
  });

  it.each([
    ["another version", { ...fine, schemaVersion: 2 }],
    ["an unknown key", { ...fine, extra: 1 }],
    ["a time that is none", { ...fine, at: "yesterday" }],
    ["a status that is none", { ...fine, checks: [{ ...row, status: "passed" }] }],
    ["a first_seen that is no time", { ...fine, checks: [{ ...row, first_seen: "once" }] }],
    ["a due date that is no date", { ...fine, checks: [{ ...row, due_date: "2026-13-45" }] }],
    ["a due date without a first_seen", { ...fine, checks: [{ ...row, first_seen: null }] }],
    ["a check twice", { ...fine, checks: [row, row] }],
  ])("is refused with %s", (_what, value) => {
    expect(() => parseAssessmentRun(JSON.stringify(value))).toThrow(
      expect.objectContaining({ code: "history-invalid" }),
    );
  });
});
