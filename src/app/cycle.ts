import type { AssessmentSummary } from "../assess/assessment.ts";
import { asSecurityError, type SecurityError } from "../core/error.ts";
import { clip, plural } from "../core/text.ts";
import { type EpochMs, epochFromIso, isoFromEpoch } from "../core/time.ts";
import type { CycleState } from "../schema/cycle-state.ts";
import type { Problem } from "./assess.ts";
import type { NotifyReport } from "./notify.ts";

export const NO_CYCLE: CycleState = { schemaVersion: 1, running_since: null, last: null, failures: 0, schedule: null };

const MINUTE_MS = 60_000;
/** Two turns and a little: one that takes long, or a machine that wakes up, is no miss. */
const MISSED_TURNS = 2;
const GRACE_MS = 5 * MINUTE_MS;

export interface CycleDeps {
  readonly now: () => EpochMs;
  /** Only one at a time; null: another one is at it. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T | null>;
  readonly loadState: () => Promise<CycleState | null>;
  readonly saveState: (state: CycleState) => Promise<void>;
  /** Scans included; writes the reports. */
  readonly assess: () => Promise<AssessmentSummary>;
  readonly notify: () => Promise<NotifyReport>;
  /** One line of the log. */
  readonly log: (line: string) => Promise<void>;
}

export interface CycleReport {
  readonly schemaVersion: 1;
  readonly status: "ok" | "failed" | "busy";
  readonly assessment: AssessmentSummary | null;
  readonly notify: NotifyReport | null;
  readonly problems: readonly Problem[];
}

/**
 * One turn: assess with its scans and reports, then notify. A part that fails is logged, kept for the next
 * report, and does not keep the other from its work. A second cycle at the same time leaves.
 */
export async function cycle(deps: CycleDeps): Promise<CycleReport> {
  const report = await deps.alone(async () => await cycleAlone(deps));
  if (report !== null) return report;
  await deps.log("another cycle is running; this one leaves");
  return { schemaVersion: 1, status: "busy", assessment: null, notify: null, problems: [] };
}

async function cycleAlone(deps: CycleDeps): Promise<CycleReport> {
  const before = endCutOff((await deps.loadState()) ?? NO_CYCLE);
  const startedAt = deps.now();
  await deps.log("cycle starts");
  await deps.saveState({ ...before, running_since: isoFromEpoch(startedAt) });
  const problems: Problem[] = [];
  const attempt = async <T>(name: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (thrown) {
      const error: SecurityError = asSecurityError(thrown);
      problems.push({ code: error.code, message: `${name}: ${error.message}` });
      await deps.log(`${name} failed, ${error.code}: ${error.message}`);
      return null;
    }
  };
  const assessment = await attempt("assess", deps.assess);
  if (assessment !== null) await deps.log(assessmentLine(assessment));
  const told = await attempt("notify", deps.notify);
  if (told !== null) {
    await deps.log(
      `notify ${told.status}: ${told.delivered} delivered, ${told.waiting} waiting, ${told.given_up} given up`,
    );
    for (const { code, message } of told.problems) await deps.log(`notify ${code}: ${message}`);
  }
  const status = problems.length === 0 ? "ok" : "failed";
  const finished = { finished_at: isoFromEpoch(deps.now()), outcome: status, message: messageOf(problems) } as const;
  const failures = status === "ok" ? 0 : before.failures + 1;
  await deps.saveState({ ...before, running_since: null, last: finished, failures });
  await deps.log(`cycle ends: ${status}, ${((deps.now() - startedAt) / 1000).toFixed(1)} s`);
  return { schemaVersion: 1, status, assessment, notify: told, problems };
}

/** A cycle that began and never ended counts as one that failed. */
function endCutOff(state: CycleState): CycleState {
  if (state.running_since === null) return state;
  const message = "it began and was cut off";
  return {
    ...state,
    running_since: null,
    last: { finished_at: state.running_since, outcome: "failed", message },
    failures: state.failures + 1,
  };
}

function messageOf(problems: readonly Problem[]): string {
  return problems.map(({ code, message }) => `${code}: ${clip(message, 500)}`).join("; ");
}

function assessmentLine({ totals, score, findings, problems }: AssessmentSummary): string {
  const parts = [
    `assessed ${totals.assessed} of ${totals.applicable} checks`,
    plural(findings.length, "open gap"),
    score.points === null ? "no score" : `score ${score.points}`,
    plural(problems.length, "problem"),
  ];
  return parts.join(", ");
}

/** What a report must say about cycles that failed or did not happen. */
export function cycleProblems(state: CycleState, now: EpochMs): readonly Problem[] {
  const { last, failures, schedule } = state;
  const found: Problem[] = [];
  if (last !== null && last.outcome === "failed") {
    const times = failures > 1 ? `, ${failures} times in a row` : "";
    const message = `The cycle of ${last.finished_at} failed${times}: ${last.message}`;
    found.push({ code: "cycle-failed", message });
  }
  if (schedule !== null) {
    const seen = Math.max(epochFromIso(schedule.since) ?? 0, last === null ? 0 : (epochFromIso(last.finished_at) ?? 0));
    if (now - seen > MISSED_TURNS * schedule.every_minutes * MINUTE_MS + GRACE_MS) {
      const message = `No cycle has run since ${isoFromEpoch(seen)}, though there should be one every ${schedule.every_minutes} minutes; look at \`cse schedule status\``;
      found.push({ code: "cycle-missed", message });
    }
  }
  return found;
}
