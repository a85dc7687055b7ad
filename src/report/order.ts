import { type AssessedCheck, type CheckStatus, STATUSES } from "../assess/assessment.ts";
import { isWaived } from "../assess/totals.ts";
import { compareRisk, type Risk } from "../core/risk.ts";
import type { NetworkFinding } from "../core/network.ts";

/** Violation or partial: something is known to be missing. */
export function isGap(status: CheckStatus): boolean {
  return status === "violation" || status === "partial";
}

/** Gaps worst first, then what could not be measured, then the rest, last what somebody answers for; ties keep their order. */
export function worstFirst(checks: readonly AssessedCheck[]): readonly AssessedCheck[] {
  return checks.toSorted(
    (a, b) =>
      Number(isWaived(a)) - Number(isWaived(b)) ||
      Number(isGap(b.status)) - Number(isGap(a.status)) ||
      (isGap(a.status) ? compareRisk(a.risk, b.risk) : 0) ||
      STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) ||
      Number(b.overdue) - Number(a.overdue) ||
      compareRisk(a.risk, b.risk),
  );
}

/** Findings that differ only in where they were seen, told once. */
export interface FindingGroup {
  readonly first: NetworkFinding;
  readonly members: readonly NetworkFinding[];
}

/**
 * Groups findings with the same type, risk, reason and advice, worst first: on a first run every
 * listener is unapproved for the same reason, and saying so a hundred times hides the rest.
 */
export function groupFindings(findings: readonly NetworkFinding[]): readonly FindingGroup[] {
  const groups = new Map<string, NetworkFinding[]>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.type, finding.risk, finding.status, finding.why, finding.mitigation]);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [finding]);
    else members.push(finding);
  }
  return [...groups.values()]
    .flatMap((members) => (members[0] === undefined ? [] : [{ first: members[0], members }]))
    .toSorted((a, b) => compareRisk(a.first.risk, b.first.risk));
}

export function countRisks(findings: readonly NetworkFinding[]): Readonly<Record<Risk, number>> {
  const count: Record<Risk, number> = { critical: 0, high: 0, medium: 0, low: 0 };
  for (const finding of findings) count[finding.risk] += 1;
  return count;
}
