import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { AssessmentRun, RunCheck } from "../schema/assessment-history.ts";
import type { AssessedCheck, CheckStatus } from "./assessment.ts";
import { type ClosedGap, type GapDates, closedGap, dateGap } from "./due-date.ts";
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
      reopened: dates.reopened,
      last_changed: lastChanged(previous, before, { status: result.status, risk: dates.risk }, now),
    };
  });
}

function lastChanged(
  run: AssessmentRun | null,
  before: RunCheck | undefined,
  after: Pick<RunCheck, "status" | "risk">,
  now: EpochMs,
): string {
  const isSame = before !== undefined && before.status === after.status && before.risk === after.risk;
  return isSame ? (before.last_changed ?? run?.at ?? isoFromEpoch(now)) : isoFromEpoch(now);
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
  const before = new Map(previous?.checks.map((check) => [check.check_id, check]));
  const others = previous?.checks.filter((check) => !ran.has(check.check_id)) ?? [];
  const rows = checks.map((check) => record(check, before.get(check.check_id), now));
  return { schemaVersion: 1, run_id: runId, at: isoFromEpoch(now), checks: [...rows, ...others] };
}

function record(check: AssessedCheck, before: RunCheck | undefined, now: EpochMs): RunCheck {
  const { waiver } = check;
  const closed = check.first_seen === null ? endedGap(check, before, now) : null;
  // While the end of a gap is remembered, so is how often it came back.
  const reopened = check.first_seen === null && closed !== null ? (before?.reopened ?? 0) : check.reopened;
  return {
    check_id: check.check_id,
    status: check.status,
    risk: check.risk,
    first_seen: check.first_seen,
    ...(check.due_date === null ? {} : { due_date: check.due_date }),
    last_changed: check.last_changed,
    ...(reopened === 0 ? {} : { reopened }),
    ...(waiver?.state === "active" ? { waiver: waiver.id } : {}),
    ...(closed === null ? {} : { closed }),
  };
}

/** The gap that this answer closed, or one that was closed before and is still remembered. */
function endedGap(check: AssessedCheck, before: RunCheck | undefined, now: EpochMs): ClosedGap | null {
  const wasOpen = before !== undefined && before.first_seen !== null && before.due_date !== undefined;
  if (!wasOpen || check.status === "not_assessed") return closedGap(before, now);
  return { at: isoFromEpoch(now), first_seen: before.first_seen ?? "", due_date: before.due_date ?? "" };
}
