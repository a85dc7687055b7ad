import type { AssessedCheck } from "../assess/assessment.ts";
import { isOpenGap, isWaived } from "../assess/totals.ts";
import { CATALOGUES, type FormatInput, plain } from "./format-input.ts";
import { worstFirst } from "./order.ts";
import { describeChange, describeDue, describeScore, describeVerdict, formatTime, STATUS_LABEL } from "./wording.ts";

/** The report as Markdown, for a ticket or a chat. */
export function renderMarkdown({ assessment, problems }: FormatInput): string {
  const checks = worstFirst(assessment.checks);
  const { host, totals, score, changes, trend, limits } = assessment;
  const verdict = describeVerdict(totals);
  const titles = new Map(checks.map((check) => [check.check_id, check.title]));
  const gaps = checks.filter((check) => isOpenGap(check.status) && !isWaived(check));
  const waived = checks.filter(isWaived);
  const unseen = checks.filter((check) => check.status === "not_assessed");
  const news = trend.length < 2 ? [] : changes;
  return `${[
    `# Security assessment of ${safe(host.hostname)}`,
    "",
    `**${safe(verdict.headline)}** ${safe(verdict.caveat)}`.trim(),
    "",
    `${safe(describeScore(score))} Assessed ${safe(formatTime(assessment.assessed_at))}, run ${safe(assessment.run_id)}.`,
    ...section("Changed since the last run", news, (change) => [
      `- **${describeChange(change.kind)}**: ${safe(titles.get(change.check_id) ?? change.check_id)} (${change.risk} risk)`,
    ]),
    ...section("Open gaps", gaps, gapLines),
    ...section("Waived gaps", waived, (check) => [
      `- ${safe(check.title)}: until ${safe(check.waiver.expires)}, ${safe(check.waiver.reason)} Owner ${safe(check.waiver.owner)}, approved by ${safe(check.waiver.approver)}.`,
    ]),
    ...section("Not assessed", unseen, (check) => [`- ${safe(check.title)}: ${prose(check.gap)}`]),
    "",
    "## All checks",
    "",
    "| Check | Status | Risk | Evidence relevant to |",
    "| --- | --- | --- | --- |",
    ...checks.map(rowOf),
    ...section("Problems", problems, ({ code, message }) => [`- ${safe(code)}: ${safe(message)}`]),
    ...section("Limits", limits, (limit) => [`- ${safe(limit)}`]),
  ].join("\n")}\n`;
}

function section<T>(head: string, items: readonly T[], linesOf: (item: T) => readonly string[]): readonly string[] {
  return items.length === 0 ? [] : ["", `## ${head}`, "", ...items.flatMap(linesOf)];
}

function gapLines(check: AssessedCheck): readonly string[] {
  const due = describeDue(check);
  return [
    `- **${safe(check.title)}** (${check.risk} risk${due === null ? "" : `, ${safe(due.toLowerCase())}`}, ${safe(check.owner)})`,
    `  - Found: ${prose(check.observed_state)}`,
    `  - Why: ${prose(check.gap)}`,
    `  - Do: ${prose(check.mitigation)}`,
  ];
}

function rowOf(check: AssessedCheck): string {
  const status = isWaived(check) ? `${STATUS_LABEL[check.status]}, waived` : STATUS_LABEL[check.status];
  const ids = CATALOGUES.flatMap(({ key }) => check[key]).join(", ");
  return `| ${safe(check.title)} | ${status} | ${check.risk} | ${safe(ids)} |`;
}

/** No markup of its own and no line breaks: what came from outside stays text. */
function safe(text: string): string {
  return text === "" ? "" : escapeMarkdown(plain(text));
}

/** Prose whose `backticked` parts stay code. */
function prose(text: string): string {
  const pieces = plain(text).split("`");
  // An odd number of backticks leaves the last one unpaired: show it as it is.
  const unpaired = pieces.length % 2 === 0 ? `\\\`${escapeMarkdown(pieces.pop() ?? "")}` : "";
  const shown = pieces.map((piece, index) =>
    index % 2 === 1 && piece !== "" ? `\`${piece}\`` : escapeMarkdown(piece),
  );
  return `${shown.join("")}${unpaired}`;
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#|~&]/g, "\\$&").replaceAll("://", "\\://");
}
