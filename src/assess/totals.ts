import { RISKS, type Risk } from "../core/risk.ts";
import type { CheckWaiver } from "./over-time.ts";
import { type AssessedCheck, type AssessmentTotals, type CheckStatus, STATUSES } from "./assessment.ts";

/** A gap that was shown, as opposed to one that could not be looked for. */
export function isOpenGap(status: CheckStatus): boolean {
  return status === "violation" || status === "partial";
}

/** A gap that somebody answers for just now. */
export function isWaived(check: AssessedCheck): check is AssessedCheck & { readonly waiver: CheckWaiver } {
  return isOpenGap(check.status) && check.waiver?.state === "active";
}

/** Counts over all rows. Without an applicable check coverage is 0: nothing was shown. */
export function totalChecks(checks: readonly AssessedCheck[]): AssessmentTotals {
  const withStatus = (status: CheckStatus): number => checks.filter((check) => check.status === status).length;
  const open = checks.filter((check) => isOpenGap(check.status));
  const applicable = checks.length - withStatus("not_applicable");
  const assessed = applicable - withStatus("not_assessed");
  return {
    by_status: counted(STATUSES, withStatus),
    open_by_risk: counted(RISKS, (risk: Risk) => open.filter((check) => check.risk === risk).length),
    applicable,
    assessed,
    coverage: applicable === 0 ? 0 : assessed / applicable,
    overdue: checks.filter((check) => check.overdue).length,
  };
}

function counted<K extends string>(keys: readonly K[], count: (key: K) => number): Readonly<Record<K, number>> {
  return Object.fromEntries(keys.map((key) => [key, count(key)])) as Record<K, number>;
}
