import type { Risk } from "../core/risk.ts";
import type { CheckStatus } from "./assessment.ts";
import type { Grade, Score } from "./over-time.ts";
import { isOpenGap } from "./totals.ts";

const WEIGHT: Readonly<Record<Risk, number>> = { critical: 10, high: 6, medium: 3, low: 1 };
/** What could not be measured earns nothing and stays in the sum. */
const FACTOR: Readonly<Record<Exclude<CheckStatus, "not_applicable">, number>> = {
  compliant: 1,
  partial: 0.5,
  violation: 0,
  not_assessed: 0,
};
/** The most a host can have while a critical gap is open that nobody answers for. */
const CRITICAL_CAP = 49;
/** Below this share of measured checks a grade would be a guess. */
const GRADE_COVERAGE = 0.8;

export interface ScoredCheck {
  readonly status: CheckStatus;
  readonly risk: Risk;
  readonly isWaived: boolean;
}

/** @param isWhole false when only some of the checks were run: then there is no grade */
export function scoreChecks(checks: readonly ScoredCheck[], isWhole: boolean): Score {
  const applicable = checks.filter((check) => check.status !== "not_applicable");
  const unwaived = applicable.filter((check) => !(check.isWaived && isOpenGap(check.status)));
  const assessed = applicable.filter((check) => check.status !== "not_assessed").length;
  const coverage = applicable.length === 0 ? 0 : assessed / applicable.length;
  const points = capped(unwaived);
  return {
    points,
    points_without_waivers: capped(applicable),
    grade: points === null || !isWhole || coverage < GRADE_COVERAGE ? null : gradeOf(points),
    coverage,
    waived: applicable.length - unwaived.length,
    is_capped: hasCritical(unwaived),
  };
}

function capped(checks: readonly ScoredCheck[]): number | null {
  let earned = 0;
  let possible = 0;
  for (const { status, risk } of checks) {
    if (status === "not_applicable") continue;
    possible += WEIGHT[risk];
    earned += WEIGHT[risk] * FACTOR[status];
  }
  if (possible === 0) return null;
  const points = Math.floor((earned * 100) / possible);
  return hasCritical(checks) ? Math.min(points, CRITICAL_CAP) : points;
}

function hasCritical(checks: readonly ScoredCheck[]): boolean {
  return checks.some((check) => check.risk === "critical" && isOpenGap(check.status));
}

function gradeOf(points: number): Grade {
  if (points >= 90) return "A";
  if (points >= 75) return "B";
  if (points >= 60) return "C";
  return points >= 50 ? "D" : "F";
}
