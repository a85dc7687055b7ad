import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { AssessmentRun, RunCheck } from "../schema/assessment-history.ts";
import type { AssessedCheck, CheckStatus } from "./assessment.ts";
import { type GapDates, dateGap } from "./due-date.ts";
import type { CheckAnswer } from "./run-checks.ts";

/** The answers as rows of the report, with dates from what earlier runs knew. */
export function dateChecks(
  previous: AssessmentRun | null,
  answers: readonly CheckAnswer[],
  now: EpochMs,
): readonly AssessedCheck[] {
  return answers.map(({ meta, result }) => {
    const before = previous?.checks.find((check) => check.check_id === meta.check_id);
    const dates = dateGap(before, result.status, result.risk ?? meta.default_risk, now);
    return {
      check_id: meta.check_id,
      title: meta.title,
      status: result.status,
      risk: dates.risk,
      iso27001: meta.iso27001,
      nist_csf: meta.nist_csf,
      nist_800_53: meta.nist_800_53,
      cis: meta.cis,
      mapping_confidence: meta.mapping_confidence,
      observed_state: result.observed_state,
      expected_state: meta.expected_state,
      evidence: result.evidence,
      gap: gapText(result.status, result.gap, dates),
      mitigation: result.mitigation,
      owner: meta.owner,
      first_seen: dates.first_seen,
      due_date: dates.due_date,
      overdue: dates.overdue,
    };
  });
}

function gapText(status: CheckStatus, gap: string, dates: GapDates): string {
  if (status !== "not_assessed" || dates.first_seen === null) return gap;
  return `${gap} A gap first seen on ${dates.first_seen.slice(0, 10)} is not known to be closed.`;
}

/**
 * What the next run must know: these rows, and the last known state of every check that did not run
 * this time, so that a run of a few checks forgets nothing about the others.
 */
export function nextRun(
  previous: AssessmentRun | null,
  checks: readonly AssessedCheck[],
  runId: string,
  now: EpochMs,
): AssessmentRun {
  const ran = new Set(checks.map((check) => check.check_id));
  const others = previous?.checks.filter((check) => !ran.has(check.check_id)) ?? [];
  return { schemaVersion: 1, run_id: runId, at: isoFromEpoch(now), checks: [...checks.map(record), ...others] };
}

function record(check: AssessedCheck): RunCheck {
  return {
    check_id: check.check_id,
    status: check.status,
    risk: check.risk,
    first_seen: check.first_seen,
    ...(check.due_date === null ? {} : { due_date: check.due_date }),
  };
}
