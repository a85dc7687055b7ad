import type { Problem } from "../app/assess.ts";
import { clip, escapeControl, plural } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import { renderChanges, renderTrend } from "../report/terminal-change.ts";
import { formatTime } from "../report/wording.ts";
import type { Terminal } from "./terminal.ts";

interface ReportFlags {
  readonly json?: boolean;
}

const MAX_CHANGES = 100;

export async function runReportOpen(terminal: Terminal, flags: ReportFlags): Promise<number> {
  const report = await wire().openReport();
  if (flags.json === true) terminal.out(renderJson(report));
  else terminal.out(`${escapeControl(report.path)}\n`);
  if (report.obstacle !== null && flags.json !== true) terminal.note(escapeControl(report.obstacle));
  return 0;
}

export async function runReportDiff(terminal: Terminal, from: string, to: string, flags: ReportFlags): Promise<number> {
  const report = await wire().reportDiff(from, to);
  tellProblems(terminal, report.problems);
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  const score = (points: number | null): string => (points === null ? "no score" : `score ${points}`);
  const side = (point: typeof report.from): string =>
    `${formatTime(point.at)} (${score(point.points)}, ${Math.floor(point.coverage * 100)}% measured)`;
  terminal.out(`${paint.bold(escapeControl(`From ${side(report.from)} to ${side(report.to)}`))}\n`);
  if (report.changes.length === 0) terminal.out("  Nothing changed.\n");
  for (const line of renderChanges(report.changes, terminal, MAX_CHANGES)) terminal.out(`${line}\n`);
  return 0;
}

export async function runReportHistory(
  terminal: Terminal,
  flags: ReportFlags & { readonly last: number },
): Promise<number> {
  const report = await wire().reportHistory(flags.last);
  tellProblems(terminal, report.problems);
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  if (report.runs === 0) {
    terminal.out("No assessment is on record. Run `cse assess`.\n");
    return 0;
  }
  for (const line of renderTrend(report.points, terminal)) terminal.out(`${line}\n`);
  terminal.note(`${plural(report.runs, "run")} on record; \`cse report diff\` compares two of them.`);
  return 0;
}

function tellProblems(terminal: Terminal, problems: readonly Problem[]): void {
  for (const problem of problems) terminal.note(`${problem.code}: ${clip(problem.message, 500)}`);
}
