import { exitCodeOf, SecurityError } from "../core/error.ts";
import { clip, escapeControl } from "../core/text.ts";
import type { ScheduleReport } from "../deps/schedule.ts";
import { wire } from "../deps/wire.ts";
import type { Format } from "../report/formats.ts";
import { renderJson } from "../report/json.ts";
import type { SchedulerKind } from "../schema/cycle-state.ts";
import type { Terminal } from "./terminal.ts";

interface CycleFlags {
  readonly json?: boolean;
  readonly out?: string;
  readonly format?: readonly Format[];
}

/** Ends with the code of the first part that failed, so that a scheduler sees it. */
export async function runCycle(terminal: Terminal, { json, out, format }: CycleFlags): Promise<number> {
  const report = await wire({ logger: (step) => terminal.progress(step) }).cycle({
    ...(out === undefined ? {} : { outDir: out }),
    ...(format === undefined ? {} : { formats: format }),
  });
  terminal.settle();
  const { status, assessment, notify, problems } = report;
  if (json === true) {
    terminal.out(renderJson(report));
  } else if (status === "busy") {
    terminal.out("Another cycle is running; this one leaves.\n");
  } else {
    const open = assessment === null ? "not assessed" : `${assessment.findings.length} open gaps`;
    terminal.out(`Cycle ${status}: ${open}, notifications ${notify?.status ?? "failed"}.\n`);
  }
  for (const problem of problems) terminal.note(`${problem.code}: ${clip(problem.message, 500)}`);
  const [first] = problems;
  return first === undefined ? 0 : exitCodeOf(new SecurityError(first.code, ""));
}

interface ScheduleFlags {
  readonly json?: boolean;
  readonly using?: SchedulerKind;
  readonly every: number;
}

export async function runScheduleEnable(terminal: Terminal, { json, using, every }: ScheduleFlags): Promise<number> {
  const wishes = { everyMinutes: every, ...(using === undefined ? {} : { kind: using }) };
  return show(terminal, await wire().enableSchedule(wishes), json);
}

export async function runScheduleDisable(terminal: Terminal, flags: { readonly json?: boolean }): Promise<number> {
  return show(terminal, await wire().disableSchedule(), flags.json);
}

export async function runScheduleStatus(terminal: Terminal, flags: { readonly json?: boolean }): Promise<number> {
  return show(terminal, await wire().scheduleStatus(), flags.json);
}

function show(terminal: Terminal, report: ScheduleReport, json: boolean | undefined): number {
  if (json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { enabled, kind, every_minutes: every, files, last, log, problems } = report;
  terminal.out(enabled ? `Enabled: ${kind}, every ${every} minutes.\n` : "Not enabled.\n");
  for (const file of files) terminal.out(`  ${escapeControl(file)}\n`);
  if (last !== null) terminal.out(`Last cycle: ${last.outcome}, ${escapeControl(last.finished_at)}.\n`);
  terminal.out(`Log: ${escapeControl(log)}\n`);
  for (const problem of problems) terminal.note(`${problem.code}: ${clip(problem.message, 500)}`);
  return 0;
}
