import { type Assessment, type AssessmentFinding, type AssessmentSummary, STATUSES } from "../assess/assessment.ts";
import { clip, plural } from "../core/text.ts";
import { renderChanges, renderScore } from "./terminal-change.ts";
import { riskPaint } from "./terminal-finding.ts";
import { type Paint, type TextOptions, wrap } from "./terminal-layout.ts";
import { choiceNotes, coveragePercent, describeVerdict, formatCount, formatTime, STATUS_LABEL } from "./wording.ts";

const MAX_FINDINGS = 5;
const MAX_REASONS = 5;
const MAX_CHARS = 400;

export interface AssessmentTextOptions extends TextOptions {
  /** Absolute path of the written dashboard, or null when it could not be written. */
  readonly dashboardPath: string | null;
}

/** The result of an assessment for a person at a terminal: verdict, counts, first steps, where to read on. */
export function renderAssessmentText(
  summary: AssessmentSummary,
  assessment: Assessment,
  options: AssessmentTextOptions,
): string {
  const { paint, columns } = options;
  const { totals } = summary;
  const verdict = describeVerdict(totals);
  const tone = { bad: paint.red, warn: paint.yellow, unknown: paint.yellow, good: paint.green }[verdict.tone];
  const head = `Security assessment of ${clip(summary.host.hostname, 80)}, ${formatTime(summary.assessed_at)}`;
  const lines = [
    ...wrap(head, columns).map(paint.dim),
    "",
    ...wrap(verdict.headline, columns).map((line) => paint.bold(tone(line))),
    ...(verdict.caveat === "" ? [] : wrap(verdict.caveat, columns)),
    ...(totals.overdue === 0 ? [] : [paint.red(`${plural(totals.overdue, "gap")} overdue.`)]),
    "",
    ...renderCounts(summary, paint),
    "",
    ...wrap(
      `Coverage: ${formatCount(totals.assessed)} of ${plural(totals.applicable, "applicable check")} measured (${coveragePercent(totals)}%).`,
      columns,
    ),
    ...renderScore(assessment.score, options),
    ...choiceNotes(assessment.limits).flatMap((note) => wrap(note, columns)),
    ...wrap(`Network: ${describeNetwork(summary)}`, columns),
    ...renderNews(assessment, options),
    ...renderFirstSteps(summary.findings, assessment, options),
    ...renderReasons(summary, assessment, options),
    ...renderProblems(summary, options),
    "",
    ...renderEnd(summary, options),
  ];
  return `${lines.join("\n")}\n`;
}

/** On a first run everything is new, and then it is no news. */
function renderNews({ changes, trend }: Assessment, options: TextOptions): readonly string[] {
  if (changes.length === 0 || trend.length < 2) return [];
  return ["", options.paint.bold("Changed since the last run"), ...renderChanges(changes, options, MAX_FINDINGS)];
}

function renderCounts({ totals }: AssessmentSummary, paint: Paint): readonly string[] {
  const colour = {
    violation: paint.red,
    partial: paint.yellow,
    not_assessed: paint.yellow,
    compliant: paint.green,
    not_applicable: paint.dim,
  };
  return STATUSES.map((status) => {
    const count = totals.by_status[status];
    const line = `  ${formatCount(count).padStart(4)}  ${STATUS_LABEL[status]}`;
    return count === 0 ? paint.dim(line) : colour[status](line);
  });
}

function describeNetwork({ network }: AssessmentSummary): string {
  const { listeners, connections, findings } = network;
  const parts = [
    listeners === null ? "listening sockets not measured" : plural(listeners, "listening socket"),
    connections === null ? "connections not measured" : plural(connections, "connection"),
    ...(findings === null ? [] : [plural(findings, "finding")]),
  ];
  return `${parts.join(", ")}.`;
}

function renderFirstSteps(
  findings: readonly AssessmentFinding[],
  assessment: Assessment,
  { paint, columns }: TextOptions,
): readonly string[] {
  if (findings.length === 0) return [];
  const overdue = new Set(assessment.checks.filter((check) => check.overdue).map((check) => check.check_id));
  const lines = ["", paint.bold("What to do first")];
  for (const [index, finding] of findings.slice(0, MAX_FINDINGS).entries()) {
    const number = `${index + 1}.`.padStart(4);
    const mark = finding.risk.toUpperCase().padEnd(9);
    const [head = "", ...tail] = wrap(clip(finding.title, MAX_CHARS), columns, `${number} ${mark} `);
    const due = describeDate(finding.due_date, overdue.has(finding.check_id));
    lines.push(
      "",
      head.replace(mark, riskPaint(finding.risk, paint)(mark)),
      ...tail,
      ...wrap(clip(finding.evidence, MAX_CHARS), columns, "     Found  "),
      ...wrap(clip(finding.why, MAX_CHARS), columns, "     Why    "),
      ...wrap(clip(finding.mitigation, MAX_CHARS), columns, "     Do     "),
      ...wrap(
        `${due}${clip(finding.owner, 80)} (${finding.check_id})${waiverNote(finding)}`,
        columns,
        "     Who    ",
      ).map(paint.dim),
    );
  }
  const left = findings.length - MAX_FINDINGS;
  return left > 0 ? [...lines, "", `     and ${plural(left, "more open gap")} in the dashboard`] : lines;
}

function waiverNote({ waiver }: AssessmentFinding): string {
  return waiver === undefined ? "" : `, waived by ${clip(waiver, 80)}`;
}

function describeDate(due: string | null, isOverdue: boolean): string {
  if (due === null) return "";
  return isOverdue ? `overdue since ${due}, ` : `due ${due}, `;
}

function renderReasons(
  summary: AssessmentSummary,
  assessment: Assessment,
  { paint, columns }: TextOptions,
): readonly string[] {
  const { not_assessed: missing } = summary;
  if (missing.length === 0) return [];
  const titles = new Map(assessment.checks.map((check) => [check.check_id, check.title]));
  const shown = missing.slice(0, MAX_REASONS).flatMap(({ check_id, reason }) => {
    const title = clip(titles.get(check_id) ?? check_id, MAX_CHARS);
    return wrap(`${title}: ${clip(reason, MAX_CHARS)}`, columns, "  - ");
  });
  const left = missing.length - MAX_REASONS;
  const more = left > 0 ? [`    and ${formatCount(left)} more in the dashboard`] : [];
  return ["", paint.bold(`Not assessed: ${plural(missing.length, "check")}`), ...shown, ...more];
}

function renderProblems({ problems }: AssessmentSummary, { paint, columns }: TextOptions): readonly string[] {
  if (problems.length === 0) return [];
  const shown = problems
    .slice(0, MAX_REASONS)
    .flatMap(({ message }) => wrap(clip(message, MAX_CHARS), columns, "  - "));
  const left = problems.length - MAX_REASONS;
  const more = left > 0 ? [`    and ${formatCount(left)} more`] : [];
  return ["", paint.bold("Problems"), ...shown, ...more];
}

/** A path is never wrapped: it is there to be copied. */
function renderEnd(
  summary: AssessmentSummary,
  { dashboardPath, columns, paint }: AssessmentTextOptions,
): readonly string[] {
  const dashboard =
    dashboardPath === null
      ? paint.yellow("Dashboard: not written, see the problems above")
      : `Dashboard: ${paint.cyan(clip(dashboardPath, 4_096))}`;
  return [dashboard, ...wrap(`Next: ${nextStep(summary)}`, columns)];
}

function nextStep({ findings, not_assessed }: AssessmentSummary): string {
  if (findings.length > 0) return "start with number 1, then run `cse assess` again to see it close.";
  if (not_assessed.length > 0) return "make the unmeasured checks measurable, then run `cse assess` again.";
  return "run `cse assess` again after every change to this host.";
}
