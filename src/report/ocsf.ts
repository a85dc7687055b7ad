import type { AssessedCheck, CheckStatus } from "../assess/assessment.ts";
import { isOpenGap, isWaived } from "../assess/totals.ts";
import type { Risk } from "../core/risk.ts";
import { escapeJson } from "../core/text.ts";
import { epochFromIso } from "../core/time.ts";
import { CATALOGUES, changeOf, fingerprint, type FormatInput, plain } from "./format-input.ts";

const CLASS = 2003;
const SEVERITY: Readonly<Record<Risk, { readonly severity_id: number; readonly severity: string }>> = {
  low: { severity_id: 2, severity: "Low" },
  medium: { severity_id: 3, severity: "Medium" },
  high: { severity_id: 4, severity: "High" },
  critical: { severity_id: 5, severity: "Critical" },
};
/** "Warning" is the schema's word for information that is missing. */
const COMPLIANCE: Readonly<Record<CheckStatus, { readonly status_id: number; readonly status: string }>> = {
  compliant: { status_id: 1, status: "Pass" },
  not_assessed: { status_id: 2, status: "Warning" },
  partial: { status_id: 3, status: "Fail" },
  violation: { status_id: 3, status: "Fail" },
  not_applicable: { status_id: 99, status: "Not Applicable" },
};

/** OCSF 1.8 Compliance Finding (class 2003), one event per check and line. */
export function renderOcsf(input: FormatInput): string {
  return input.assessment.checks.map((check) => `${escapeJson(JSON.stringify(eventOf(input, check)))}\n`).join("");
}

function eventOf({ assessment, uuidOf }: FormatInput, check: AssessedCheck): object {
  const { tool, host, assessed_at: at, run_id: run } = assessment;
  const time = epochFromIso(at) ?? 0;
  const activity = activityOf(assessment, check);
  const firstSeen = check.first_seen === null ? null : epochFromIso(check.first_seen);
  const isOpen = isOpenGap(check.status);
  return {
    class_uid: CLASS,
    class_name: "Compliance Finding",
    category_uid: 2,
    category_name: "Findings",
    activity_id: activity,
    activity_name: ["Unknown", "Create", "Update", "Close"][activity],
    type_uid: CLASS * 100 + activity,
    time,
    ...(isOpen ? SEVERITY[check.risk] : { severity_id: 1, severity: "Informational" }),
    ...lifeOf(check, activity),
    message: plain(check.gap === "" ? check.observed_state : check.gap),
    metadata: {
      version: "1.8.0",
      product: { name: tool.name, vendor_name: tool.name, version: tool.version },
      correlation_uid: plain(run, 100),
      uid: uuidOf(`event/${check.check_id}`),
    },
    finding_info: {
      uid: fingerprint(assessment, check),
      title: plain(check.title, 300),
      desc: plain(check.expected_state),
      last_seen_time: time,
      ...(firstSeen === null ? {} : { first_seen_time: firstSeen, created_time: firstSeen }),
    },
    compliance: {
      ...COMPLIANCE[check.status],
      status_code: check.status,
      status_detail: plain(check.observed_state),
      control: check.check_id,
      standards: CATALOGUES.filter(({ key }) => check[key].length > 0).map(({ name, version }) => `${name} ${version}`),
      requirements: CATALOGUES.flatMap(({ key, name }) => check[key].map((id) => `${name} ${plain(id, 60)}`)),
    },
    resources: [{ name: plain(host.hostname, 255), type: "host", owner: { name: plain(check.owner, 200) } }],
    evidences: check.evidence.map(({ source, at: taken, detail }) => ({
      data: { source: plain(source, 300), at: plain(taken, 40), detail: plain(detail) },
    })),
    ...(check.mitigation === "" ? {} : { remediation: { desc: plain(check.mitigation) } }),
    ...(isWaived(check) ? { comment: plain(`Waived by ${check.waiver.id}: ${check.waiver.reason}`) } : {}),
    unmapped: { risk: check.risk, due_date: check.due_date, overdue: check.overdue, reopened: check.reopened },
  };
}

/** 1 Create, 2 Update, 3 Close. */
function activityOf(assessment: FormatInput["assessment"], check: AssessedCheck): 1 | 2 | 3 {
  const change = changeOf(assessment, check);
  if (change === undefined) return 1;
  if (change?.kind === "resolved") return 3;
  return change?.kind === "new" || change?.kind === "reopened" ? 1 : 2;
}

function lifeOf(check: AssessedCheck, activity: number): { readonly status_id: number; readonly status: string } {
  if (isWaived(check)) return { status_id: 3, status: "Suppressed" };
  if (check.status === "not_assessed") return { status_id: 0, status: "Unknown" };
  if (!isOpenGap(check.status)) return { status_id: 4, status: "Resolved" };
  return activity === 1 ? { status_id: 1, status: "New" } : { status_id: 2, status: "In Progress" };
}
