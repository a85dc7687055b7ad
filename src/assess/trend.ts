import type { AssessmentRun } from "../schema/assessment-history.ts";
import type { TrendPoint } from "./over-time.ts";
import { scoreChecks } from "./score.ts";
import { isOpenGap } from "./totals.ts";

export function trendPoint(run: AssessmentRun): TrendPoint {
  const checks = run.checks.map(({ status, risk, waiver }) => ({ status, risk, isWaived: waiver !== undefined }));
  const { points, coverage, waived } = scoreChecks(checks, true);
  return {
    run_id: run.run_id,
    at: run.at,
    points,
    coverage,
    open: checks.filter((check) => isOpenGap(check.status)).length - waived,
    waived,
    not_assessed: checks.filter((check) => check.status === "not_assessed").length,
  };
}

/** At most `count` points, always with the first and the last, evenly between them. */
export function thinOut<T>(points: readonly T[], count: number): readonly T[] {
  if (points.length <= count) return points;
  const step = (points.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => points[Math.round(index * step)]).filter(
    (point) => point !== undefined,
  );
}
