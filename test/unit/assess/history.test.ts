import { describe, expect, it } from "vitest";
import type { CheckResult, CheckStatus } from "../../../src/assess/assessment.ts";
import { CHECKS } from "../../../src/assess/checks.ts";
import { dateChecks, nextRun } from "../../../src/assess/history.ts";
import { chooseChecks, type CheckAnswer } from "../../../src/assess/run-checks.ts";
import { DAY_MS } from "../../../src/core/time.ts";
import { formatAssessmentRun, parseAssessmentRun } from "../../../src/schema/assessment-history.ts";
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
      [BACKUP, "2027-01-03T08:00:00Z", false],
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
