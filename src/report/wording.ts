import type { AssessedCheck, AssessmentTotals, CheckStatus } from "../assess/assessment.ts";
import type { Score } from "../assess/over-time.ts";
import type { ChangeKind } from "../core/change-kind.ts";
import type { AddressCategory, EgressFindingType, PortFindingType, ProcessFacts, Scope } from "../core/network.ts";
import { RISKS, type Risk } from "../core/risk.ts";
import { plural } from "../core/text.ts";

/** Names under which the full data lies beside the dashboard. */
export const DATA_FILE = {
  assessment: "openclaw-assessment.json",
  ports: "port-monitor-latest.json",
  egress: "egress-monitor-latest.json",
} as const;

export const STATUS_LABEL: Readonly<Record<CheckStatus, string>> = {
  violation: "Violation",
  partial: "Partial",
  not_assessed: "Not assessed",
  compliant: "Compliant",
  not_applicable: "Not applicable",
};

export const RISK_LABEL: Readonly<Record<Risk, string>> = {
  critical: "Critical",
  high: "High",
  medium: "Medium",
  low: "Low",
};

export const SCOPE_LABEL: Readonly<Record<Scope, string>> = {
  "all-interfaces": "every network",
  public: "the internet",
  private: "the local network",
  loopback: "this host only",
};

export const CATEGORY_LABEL: Readonly<Record<AddressCategory, string>> = {
  public: "internet",
  private: "local network",
  cgnat: "carrier network",
  "link-local": "link-local",
  metadata: "cloud metadata",
  multicast: "multicast",
  reserved: "reserved",
  loopback: "this host",
  unspecified: "unspecified",
};

export const FINDING_LABEL: Readonly<Record<PortFindingType | EgressFindingType, string>> = {
  "unapproved-port": "listening service is not in the approved baseline",
  "insecure-port": "listening service uses an insecure protocol",
  "public-bind": "listening service is reachable from outside",
  "deleted-executable": "listening service runs a deleted executable",
  "unapproved-egress": "connection goes to a destination that is not in the allowlist",
  "metadata-endpoint": "connection goes to a cloud metadata endpoint",
  unverifiable: "socket could not be verified",
};

/** "1,204". */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** "2026-11-23 08:00 UTC" for the ISO-8601 UTC times we write; any other text comes back as it is. */
export function formatTime(iso: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?Z$/.exec(iso);
  return match === null ? iso : `${match[1]} ${match[2]} UTC`;
}

/** "0.0.0.0:22", "[::1]:22", "[fe80::1%eth0]:22". */
export function formatEndpoint(address: string, port: number, device: string | null = null): string {
  const zoned = device === null ? address : `${address}%${device}`;
  return address.includes(":") ? `[${zoned}]:${port}` : `${zoned}:${port}`;
}

/** The best name there is for a process, and that its file is gone where it is. */
export function formatProgram(process: Pick<ProcessFacts, "exe" | "name" | "exe_deleted">): string {
  if (process.exe !== null) return process.exe_deleted === true ? `${process.exe} (deleted)` : process.exe;
  return process.name === null ? "unknown" : `${process.name} (name only)`;
}

/** "1 critical, 4 high"; risks without a count are left out, and "" when all are zero. */
export function listRisks(byRisk: Readonly<Record<Risk, number>>): string {
  return RISKS.filter((risk) => byRisk[risk] > 0)
    .map((risk) => `${formatCount(byRisk[risk])} ${risk}`)
    .join(", ");
}

/** The limits that belong beside the verdict: a few checks that were chosen say nothing about the others. */
export function choiceNotes(limits: readonly string[]): readonly string[] {
  return limits.filter((limit) => /^Only \d+ of \d+ checks /.test(limit));
}

/** Rounded down, so that only a complete assessment reads 100. */
export function coveragePercent(totals: AssessmentTotals): number {
  return Math.floor(totals.coverage * 100);
}

export interface Verdict {
  readonly tone: "bad" | "warn" | "unknown" | "good";
  /** One sentence with the result. */
  readonly headline: string;
  /** What limits that result; "" when nothing does. */
  readonly caveat: string;
}

/** The result in words. Never reads as a pass while anything applicable could not be measured. */
export function describeVerdict(totals: AssessmentTotals): Verdict {
  const { by_status: count } = totals;
  const gaps = count.violation + count.partial;
  const missing = count.not_assessed;
  const ofAll = `${formatCount(missing)} of ${plural(totals.applicable, "applicable check")}`;
  if (totals.assessed === 0) {
    return {
      tone: "unknown",
      headline: "Nothing could be measured.",
      caveat: "This report says nothing about how safe this host is.",
    };
  }
  if (gaps > 0) {
    return {
      tone: count.violation > 0 ? "bad" : "warn",
      headline: `${plural(gaps, "open gap")}: ${listRisks(totals.open_by_risk)}.`,
      caveat: missing === 0 ? "" : `${ofAll} could not be measured, so there may be more.`,
    };
  }
  if (missing > 0) {
    return {
      tone: "unknown",
      headline: `No gap in ${plural(totals.assessed, "measured check")}.`,
      caveat: `${ofAll} could not be measured, so this is not a pass.`,
    };
  }
  return {
    tone: "good",
    headline: "No open gap.",
    caveat: `All ${plural(totals.assessed, "applicable check")} show the expected state.`,
  };
}

const CHANGE_LABEL: Readonly<Record<ChangeKind, string>> = {
  new: "New",
  reopened: "Reopened",
  escalated: "Worse",
  "waiver-expired": "Waiver expired",
  "became-unassessed": "Not measured now",
  waived: "Waived",
  improved: "Better",
  resolved: "Resolved",
};

/** A change in a word or three. */
export function describeChange(kind: ChangeKind): string {
  return CHANGE_LABEL[kind];
}

/** The score in one sentence that never stands without its coverage. */
export function describeScore(score: Score): string {
  const { points, points_without_waivers: bare, grade, coverage, waived } = score;
  const covered = `${Math.floor(coverage * 100)}% measured`;
  if (points === null) return `Score: none, nothing applies (${covered}).`;
  const notes = [
    covered,
    grade === null ? "too little for a grade" : `grade ${grade}`,
    ...(score.is_capped ? ["capped by an open critical gap"] : []),
    ...(waived > 0 ? [`${plural(waived, "gap")} waived, ${bare ?? 0} without waivers`] : []),
  ];
  return `Score: ${points} of 100 (${notes.join(", ")}).`;
}

/** "Overdue since 2026-11-20", "Due 2026-11-30", or null without a due date. */
export function describeDue(check: Pick<AssessedCheck, "due_date" | "overdue">): string | null {
  if (check.due_date === null) return null;
  return check.overdue ? `Overdue since ${check.due_date}` : `Due ${check.due_date}`;
}
