import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STATUSES } from "../../../src/assess/assessment.ts";
import { scoreChecks, type ScoredCheck } from "../../../src/assess/score.ts";
import { thinOut, trendPoint } from "../../../src/assess/trend.ts";
import { RISKS } from "../../../src/core/risk.ts";

const check = (status: ScoredCheck["status"], risk: ScoredCheck["risk"] = "low", isWaived = false): ScoredCheck => ({
  status,
  risk,
  isWaived,
});
const many = (count: number, one: ScoredCheck): readonly ScoredCheck[] => Array.from({ length: count }, () => one);

describe("the score", () => {
  it.each<[string, readonly ScoredCheck[], number | null, string | null]>([
    ["nothing applies", [check("not_applicable")], null, null],
    ["all is well", many(5, check("compliant")), 100, "A"],
    ["half of a partial one counts", [check("partial", "high"), check("compliant", "high")], 75, "B"],
    [
      "weights are 10, 6, 3 and 1",
      [check("violation", "high"), check("compliant", "medium"), check("compliant")],
      40,
      "F",
    ],
    ["unassessed earns nothing and stays in the sum", [check("not_assessed"), ...many(4, check("compliant"))], 80, "B"],
    ["too little was measured for a grade", [check("not_assessed"), ...many(3, check("compliant"))], 75, null],
    ["a critical gap caps it", [check("partial", "critical"), ...many(100, check("compliant", "high"))], 49, "F"],
    [
      "a waived critical gap does not",
      [check("violation", "critical", true), ...many(9, check("compliant"))],
      100,
      "A",
    ],
    [
      "a waiver of a check without a gap changes nothing",
      [check("compliant", "high", true), check("violation")],
      85,
      "B",
    ],
    ["it is rounded down", [...many(2, check("compliant")), check("violation")], 66, "C"],
  ])("when %s", (_title, checks, points, grade) => {
    const score = scoreChecks(checks, true);
    expect([score.points, score.grade]).toEqual([points, grade]);
  });

  it("shows what it would be without waivers, and has no grade for a few chosen checks", () => {
    const checks = [check("violation", "critical", true), check("compliant", "critical")];
    expect(scoreChecks(checks, true)).toEqual({
      points: 100,
      points_without_waivers: 49,
      grade: "A",
      coverage: 1,
      waived: 1,
      is_capped: false,
    });
    expect(scoreChecks(checks, false).grade).toBeNull();
  });

  const anyCheck = fc.record({
    status: fc.constantFrom(...STATUSES),
    risk: fc.constantFrom(...RISKS),
    isWaived: fc.boolean(),
  });

  it("is within 0 and 100, and never better for not having looked", () => {
    fc.assert(
      fc.property(fc.array(anyCheck, { minLength: 1 }), fc.nat(), (checks, at) => {
        const index = at % checks.length;
        const blind = checks.map((one, place) =>
          place === index && one.status !== "not_applicable" ? { ...one, status: "not_assessed" as const } : one,
        );
        const score = scoreChecks(checks, true);
        const points = score.points ?? 0;
        expect(points >= 0 && points <= 100 && Number.isInteger(points)).toBe(true);
        // A waived gap and the cap are lifted by an answer only; without them blindness never helps.
        const bare = (rows: typeof checks) => rows.map((row) => ({ ...row, isWaived: false, risk: "high" as const }));
        const seen = scoreChecks(bare(checks), true).points ?? 0;
        expect(scoreChecks(bare(blind), true).points ?? 0).toBeLessThanOrEqual(seen);
        expect(scoreChecks(blind, true).coverage).toBeLessThanOrEqual(score.coverage);
      }),
    );
  });
});

describe("the trend", () => {
  it("tells one run in numbers", () => {
    const checks = [
      { check_id: "a", status: "violation", risk: "high", first_seen: null },
      { check_id: "b", status: "partial", risk: "low", first_seen: null, waiver: "w" },
      { check_id: "c", status: "not_assessed", risk: "low", first_seen: null },
    ] as const;
    const run = { schemaVersion: 1, run_id: "r", at: "2026-11-23T08:00:00Z", checks } as const;
    expect(trendPoint(run)).toEqual({
      run_id: "r",
      at: run.at,
      points: 0,
      coverage: 2 / 3,
      open: 1,
      waived: 1,
      not_assessed: 1,
    });
  });

  it.each([
    [3, 5, [0, 1, 2]],
    [5, 5, [0, 1, 2, 3, 4]],
    [101, 5, [0, 25, 50, 75, 100]],
  ])("of %d runs in %d points keeps both ends", (length, count, expected) => {
    expect(
      thinOut(
        Array.from({ length }, (_, index) => index),
        count,
      ),
    ).toEqual(expected);
  });
});
