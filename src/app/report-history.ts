import { diffRuns } from "../assess/change.ts";
import type { Change, TrendPoint } from "../assess/over-time.ts";
import { trendPoint } from "../assess/trend.ts";
import { SecurityError } from "../core/error.ts";
import { clip } from "../core/text.ts";
import { DAY_MS, epochFromIso } from "../core/time.ts";
import type { AssessmentRun } from "../schema/assessment-history.ts";
import type { KnownHistory, Problem } from "./assess.ts";

export interface HistoryReport {
  readonly schemaVersion: 1;
  /** How many runs can be read. */
  readonly runs: number;
  /** Oldest first. */
  readonly points: readonly TrendPoint[];
  readonly problems: readonly Problem[];
}

export interface DiffReport {
  readonly schemaVersion: 1;
  readonly from: TrendPoint;
  readonly to: TrendPoint;
  /** Worst first. */
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
}

/** The last runs as points of a line. */
export function reportHistory(known: KnownHistory, last: number): HistoryReport {
  const points = known.runs.slice(-last).map(trendPoint);
  return { schemaVersion: 1, runs: known.runs.length, points, problems: known.problems };
}

/**
 * How two runs differ, whatever lies between them.
 * @throws {SecurityError} unknown-run
 */
export function reportDiff(known: KnownHistory, from: string, to: string): DiffReport {
  const later = findRun(known.runs, to);
  const earlier = findRun(known.runs, from);
  const changes = diffRuns(earlier, later);
  return {
    schemaVersion: 1,
    from: trendPoint(earlier),
    to: trendPoint(later),
    changes,
    problems: known.problems,
  };
}

const MIN_PREFIX = 4;

/** A run by `latest`, `previous`, its id or the beginning of it, or as the last one by a date or time. */
function findRun(runs: readonly AssessmentRun[], name: string): AssessmentRun {
  const found = name === "latest" ? runs.at(-1) : name === "previous" ? runs.at(-2) : named(runs, name);
  if (found !== undefined) return found;
  const hint = runs.length === 0 ? "Run `cse assess` first." : "`cse report history` lists the runs.";
  throw new SecurityError("unknown-run", `There is no run "${clip(name, 80)}" in the history`, { hint });
}

function named(runs: readonly AssessmentRun[], name: string): AssessmentRun | undefined {
  const exact = runs.find((run) => run.run_id === name);
  if (exact !== undefined) return exact;
  const at = epochFromIso(name);
  if (at !== null) {
    const end = name.length === 10 ? at + DAY_MS - 1 : at;
    return runs.findLast((run) => (epochFromIso(run.at) ?? Infinity) <= end);
  }
  const matches = name.length < MIN_PREFIX ? [] : runs.filter((run) => run.run_id.startsWith(name));
  return matches.length === 1 ? matches[0] : undefined;
}
