import { CHANGE_KINDS, type ChangeKind } from "../core/change-kind.ts";
import { compareRisk, isAtLeast } from "../core/risk.ts";
import { epochFromIso } from "../core/time.ts";
import type { AssessmentRun, RunCheck } from "../schema/assessment-history.ts";
import { type CheckStatus, STATUSES } from "./assessment.ts";
import type { Change } from "./over-time.ts";
import { isOpenGap } from "./totals.ts";

/**
 * What changed from one run to a later one, worst first; one change per check. Without an earlier run
 * every gap is new. A gap that only could not be measured in between is neither resolved nor new.
 */
export function diffRuns(before: AssessmentRun | null, after: AssessmentRun): readonly Change[] {
  const known = new Map(before?.checks.map((check) => [check.check_id, check]));
  const changes = after.checks.flatMap((check): Change[] => {
    const old = known.get(check.check_id);
    const kind = changeOf(old, check);
    if (kind === null) return [];
    const change: Change = {
      kind,
      check_id: check.check_id,
      status_before: old?.status ?? null,
      status: check.status,
      risk_before: old?.risk ?? null,
      risk: check.risk,
      first_seen: check.first_seen,
      due_date: check.due_date ?? null,
    };
    return [change];
  });
  return changes.toSorted(
    (a, b) => CHANGE_KINDS.indexOf(a.kind) - CHANGE_KINDS.indexOf(b.kind) || compareRisk(a.risk, b.risk),
  );
}

function changeOf(old: RunCheck | undefined, check: RunCheck): ChangeKind | null {
  const wasKnownGap = old !== undefined && old.first_seen !== null;
  if (check.status === "not_assessed") {
    return old === undefined || old.status === "not_assessed" || old.status === "not_applicable"
      ? null
      : "became-unassessed";
  }
  if (!isOpenGap(check.status)) return wasKnownGap ? "resolved" : null;
  if (check.waiver !== undefined && old?.waiver === undefined) return "waived";
  if (!wasKnownGap) return (check.reopened ?? 0) > 0 ? "reopened" : "new";
  // Closed and back between the two runs.
  if ((check.reopened ?? 0) > (old.reopened ?? 0)) return "reopened";
  const rise = compareRisk(old.risk, check.risk) || severityRise(old.status, check.status);
  // What was waived was waived as it was.
  if (rise > 0) return "escalated";
  if (old.waiver !== undefined && check.waiver === undefined) return "waiver-expired";
  return rise < 0 ? "improved" : null;
}

/** Above 0 when the later status is worse. What was not measured before says nothing. */
function severityRise(before: CheckStatus, after: CheckStatus): number {
  return before === "not_assessed" ? 0 : STATUSES.indexOf(before) - STATUSES.indexOf(after);
}

/** Nobody should have to look to learn of it. */
export function isUrgent({ kind, risk }: Change): boolean {
  switch (kind) {
    case "new":
    case "escalated":
    case "reopened":
    case "waiver-expired":
      return true;
    case "became-unassessed":
      return isAtLeast(risk, "high");
    case "waived":
    case "improved":
    case "resolved":
      return false;
  }
}

/** Checks whose gap has become overdue by `at`, unless somebody answers for it. ISO dates sort as text. */
export function overdueChecks(run: AssessmentRun, today: string): readonly RunCheck[] {
  return run.checks.filter(
    ({ due_date: due, waiver }) =>
      due !== undefined && waiver === undefined && epochFromIso(due) !== null && today > due,
  );
}
