import type { EgressReport, PortReport } from "../core/network.ts";
import { compareRisk } from "../core/risk.ts";
import {
  type AssessedCheck,
  type Assessment,
  type AssessmentFinding,
  type AssessmentSummary,
  STATUSES,
} from "./assessment.ts";
import { isOpenGap, isWaived } from "./totals.ts";

export interface SummaryParts {
  readonly ports: PortReport | null;
  readonly egress: EgressReport | null;
  readonly files: AssessmentSummary["files"];
  readonly problems: AssessmentSummary["problems"];
}

/**
 * The short form of an assessment. `incomplete` whenever something could not be looked at or kept,
 * so that a reader of one word is not misled.
 */
export function summarize(assessment: Assessment, parts: SummaryParts): AssessmentSummary {
  const { ports, egress } = parts;
  const unseen = assessment.checks.filter((check) => check.status === "not_assessed");
  const isWhole = unseen.length === 0 && assessment.totals.applicable > 0 && parts.problems.length === 0;
  const scans = [ports, egress].filter((report) => report !== null);
  return {
    schemaVersion: 1,
    status: isWhole ? "ok" : "incomplete",
    run_id: assessment.run_id,
    assessed_at: assessment.assessed_at,
    host: assessment.host,
    totals: assessment.totals,
    score: assessment.score,
    changes: assessment.changes,
    findings: openFindings(assessment),
    not_assessed: unseen.map((check) => ({ check_id: check.check_id, reason: check.gap })),
    network: {
      listeners: ports === null ? null : ports.listening_services.length,
      connections: egress === null ? null : egress.connections.length,
      findings: scans.length === 0 ? null : scans.reduce((sum, report) => sum + report.findings.length, 0),
    },
    files: parts.files,
    problems: parts.problems,
  };
}

function openFindings(assessment: Assessment): readonly AssessmentFinding[] {
  return assessment.checks
    .filter((check) => isOpenGap(check.status))
    .toSorted(worstFirst)
    .map((check) => ({
      check_id: check.check_id,
      type: "control-gap",
      status: check.status,
      risk: check.risk,
      title: check.title,
      evidence: check.observed_state,
      why: check.gap,
      mitigation: check.mitigation,
      owner: check.owner,
      due_date: check.due_date,
      target: assessment.host.hostname,
      ...(isWaived(check) ? { waiver: check.waiver.id } : {}),
    }));
}

/** Waived gaps last; by risk, violations before partial ones, overdue ones before others, then in the order of the report, as on the dashboard. */
function worstFirst(a: AssessedCheck, b: AssessedCheck): number {
  return (
    Number(isWaived(a)) - Number(isWaived(b)) ||
    compareRisk(a.risk, b.risk) ||
    STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) ||
    Number(b.overdue) - Number(a.overdue)
  );
}
