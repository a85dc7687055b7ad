import type { Risk } from "../core/risk.ts";
import type { AssessEvidence } from "./evidence.ts";
import type { Change, CheckWaiver, Score, TrendPoint } from "./over-time.ts";
import type { UnbuiltPart } from "./unbuilt-part.ts";

export const STATUSES = ["violation", "partial", "not_assessed", "compliant", "not_applicable"] as const;
export type CheckStatus = (typeof STATUSES)[number];

/** A source that was consulted for a check, when, and what it said. `detail` carries no secret. */
export interface EvidenceLine {
  readonly source: string;
  /** ISO-8601 UTC of when it was taken, not of when the report was written. */
  readonly at: string;
  readonly detail: string;
}

/** What never changes about a check: identity, mapping, wording. */
export interface CheckMeta {
  readonly check_id: string;
  readonly title: string;
  readonly iso27001: readonly string[];
  readonly nist_csf: readonly string[];
  readonly nist_800_53: readonly string[];
  readonly cis: readonly string[];
  /** How well the catalogues cover this subject; shown where it is low. */
  readonly mapping_confidence: "high" | "medium" | "low";
  readonly default_risk: Risk;
  readonly expected_state: string;
  /** What to do about a gap, in general; a check may return a more exact one. */
  readonly mitigation: string;
  /** Role that usually owns the gap. */
  readonly owner: string;
  /** The evidence the check reads; no other collector runs for it. */
  readonly uses: readonly (keyof AssessEvidence)[];
  /** When each status is given. A status that is not listed cannot be reached yet, or never. */
  readonly status_rules: Readonly<Partial<Record<CheckStatus, string>>>;
  /** Measurements that a full answer needs and that no assessment makes yet. */
  readonly needs: readonly UnbuiltPart[];
}

/** The answer of one check, before dates are known. */
export interface CheckResult {
  readonly status: CheckStatus;
  /** Defaults to the check's default risk. */
  readonly risk?: Risk;
  /** What is, in one or two sentences, exact values included. */
  readonly observed_state: string;
  readonly evidence: readonly EvidenceLine[];
  /** What is missing; for not_assessed, why it could not be measured. Empty when compliant. */
  readonly gap: string;
  /** Exact steps; empty when compliant or not applicable. */
  readonly mitigation: string;
}

/** One row of the assessment, as stored and shown. */
export interface AssessedCheck extends Omit<
  CheckMeta,
  "mitigation" | "default_risk" | "uses" | "status_rules" | "needs"
> {
  readonly status: CheckStatus;
  readonly risk: Risk;
  readonly observed_state: string;
  readonly evidence: readonly EvidenceLine[];
  readonly gap: string;
  readonly mitigation: string;
  /**
   * ISO-8601 UTC of the first run in an unbroken series of gaps; null without a gap. A known gap
   * that could not be measured this time keeps its dates: not being able to look resolves nothing.
   */
  readonly first_seen: string | null;
  /** ISO date by which the gap is to be closed; null where first_seen is. */
  readonly due_date: string | null;
  readonly overdue: boolean;
  /** How often the gap came back within 30 days of being closed. */
  readonly reopened: number;
  /** ISO-8601 UTC of the last run in which status or risk differed from the run before. */
  readonly last_changed: string;
  /** There when somebody answers for the gap, or did; status and evidence are measured all the same. */
  readonly waiver?: CheckWaiver;
}

export interface HostFacts {
  readonly hostname: string;
  readonly platform: string;
  readonly kernel: string;
  readonly user: string;
  readonly uid: number | null;
  readonly state_dir: string;
  readonly config_path: string;
  readonly openclaw_version: string | null;
}

/** Counts over all checks. `coverage` is the share of applicable checks that could be assessed, 0 to 1. */
export interface AssessmentTotals {
  readonly by_status: Readonly<Record<CheckStatus, number>>;
  /** Only checks with a gap (violation or partial) count here. */
  readonly open_by_risk: Readonly<Record<Risk, number>>;
  readonly applicable: number;
  readonly assessed: number;
  readonly coverage: number;
  readonly overdue: number;
}

/** The whole report: openclaw-assessment.json. */
export interface Assessment {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: "cyber-security-engineer"; readonly version: string };
  readonly run_id: string;
  /** ISO-8601 UTC of the start of collection. */
  readonly assessed_at: string;
  readonly duration_ms: number;
  readonly host: HostFacts;
  readonly totals: AssessmentTotals;
  readonly score: Score;
  readonly checks: readonly AssessedCheck[];
  /** How the checks differ from the run before, worst first. */
  readonly changes: readonly Change[];
  /** Earlier runs, thinned out, and this one. */
  readonly trend: readonly TrendPoint[];
  /** Things the reader must know to trust or distrust this report. */
  readonly limits: readonly string[];
}

/** compliance-summary.json, and what the `assess` tool returns. */
export interface AssessmentSummary {
  readonly schemaVersion: 1;
  readonly status: "ok" | "incomplete";
  readonly run_id: string;
  readonly assessed_at: string;
  readonly host: HostFacts;
  readonly totals: AssessmentTotals;
  readonly score: Score;
  readonly changes: readonly Change[];
  /** Open gaps, those that somebody answers for last, otherwise worst first. */
  readonly findings: readonly AssessmentFinding[];
  /** Checks that could not be measured, with the reason. */
  readonly not_assessed: readonly { readonly check_id: string; readonly reason: string }[];
  readonly network: {
    readonly listeners: number | null;
    readonly connections: number | null;
    readonly findings: number | null;
  };
  /** Absolute paths of the written files by name; empty when nothing could be written. */
  readonly files: Readonly<Record<string, string>>;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
}

/** The output contract of the specification. */
export interface AssessmentFinding {
  readonly check_id: string;
  readonly type: "control-gap";
  readonly status: CheckStatus;
  readonly risk: Risk;
  readonly title: string;
  readonly evidence: string;
  readonly why: string;
  readonly mitigation: string;
  readonly owner: string;
  readonly due_date: string | null;
  readonly target: string;
  /** Id of the waiver in force. */
  readonly waiver?: string;
}
