import { CHECKS } from "../assess/checks.ts";
import type { ChangeKind } from "../core/change-kind.ts";
import type { Change, Score, TrendPoint } from "../assess/over-time.ts";
import { plural } from "../core/text.ts";
import { type Column, renderTable, type TextOptions, wrap } from "./terminal-layout.ts";
import { describeChange, describeScore, formatTime, STATUS_LABEL } from "./wording.ts";

/** The changes of a run, worst first, each on a line of its own. */
export function renderChanges(changes: readonly Change[], options: TextOptions, max: number): readonly string[] {
  const { paint, columns } = options;
  const lines = changes.slice(0, max).flatMap((change) => {
    const mark = describeChange(change.kind).padEnd(16);
    const title = CHECKS.find(({ meta }) => meta.check_id === change.check_id)?.meta.title ?? change.check_id;
    const [head = "", ...tail] = wrap(`${title} (${statusText(change)})`, columns, `  ${mark} `);
    return [head.replace(mark, colourOf(change.kind, options)(mark)), ...tail];
  });
  const left = changes.length - max;
  return left > 0 ? [...lines, paint.dim(`  and ${plural(left, "more change")}`)] : lines;
}

/** The score with what belongs beside it. */
export function renderScore(score: Score, { columns }: TextOptions): readonly string[] {
  return wrap(describeScore(score), columns);
}

/** Runs as a table, the newest last. */
export function renderTrend(points: readonly TrendPoint[], options: TextOptions): readonly string[] {
  const heads: readonly Column[] = [
    { head: "Time", flex: 0 },
    { head: "Score", flex: 0 },
    { head: "Coverage", flex: 0 },
    { head: "Open", flex: 0 },
    { head: "Waived", flex: 0, leaveOut: 1 },
    { head: "Not assessed", flex: 0, leaveOut: 2 },
    { head: "Run", flex: 1 },
  ];
  const rows = points.map((point) => [
    { text: formatTime(point.at) },
    { text: point.points === null ? "-" : String(point.points) },
    { text: `${Math.floor(point.coverage * 100)}%` },
    { text: String(point.open) },
    { text: String(point.waived) },
    { text: String(point.not_assessed) },
    { text: point.run_id },
  ]);
  return renderTable(heads, rows, options);
}

function statusText({ status_before: before, status, risk }: Change): string {
  const now = `${STATUS_LABEL[status].toLowerCase()}, ${risk} risk`;
  return before === null || before === status ? now : `${STATUS_LABEL[before].toLowerCase()} to ${now}`;
}

function colourOf(kind: ChangeKind, { paint }: TextOptions): (text: string) => string {
  switch (kind) {
    case "new":
    case "reopened":
    case "escalated":
    case "waiver-expired":
      return paint.red;
    case "became-unassessed":
    case "waived":
      return paint.yellow;
    case "improved":
    case "resolved":
      return paint.green;
  }
}
