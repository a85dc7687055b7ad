import type { EpochMs } from "../core/time.ts";
import type { SudoExecution } from "./sudo-record.ts";

/** A run that was announced in the audit log. */
export interface AnnouncedRun {
  readonly seq: number;
  readonly at: EpochMs;
  /** When its end was recorded; null when it was not. */
  readonly endedAt: EpochMs | null;
  readonly argv: readonly string[];
  readonly path: string;
  readonly runAs: string;
  /** Nothing was started. */
  readonly isUnstarted: boolean;
}

export interface ExecutionMatch {
  readonly matched: number;
  /** What sudo ran and nobody announced. */
  readonly bypasses: readonly SudoExecution[];
  /** What was announced and sudo does not know. */
  readonly unconfirmed: readonly AnnouncedRun[];
}

/** Times of system logs have whole seconds, and two clocks readings lie apart. */
const SLACK_MS = 2_000;
/** Of a run whose end was never recorded: sudo may have waited for a password before it logged. */
const OPEN_RUN_MS = 3_600_000;

/** Pairs what sudo ran with what was announced; each announcement stands for one execution. */
export function matchExecutions(
  executions: readonly SudoExecution[],
  announced: readonly AnnouncedRun[],
): ExecutionMatch {
  const open = announced.map((run) => ({ run, pattern: patternOf(run) }));
  const bypasses: SudoExecution[] = [];
  for (const execution of executions.toSorted((a, b) => a.at - b.at)) {
    const text = squeeze(execution.command);
    const index = open.findIndex(
      ({ run, pattern }) =>
        run.runAs === execution.runAs &&
        execution.at >= run.at - SLACK_MS &&
        execution.at <= (run.endedAt ?? run.at + OPEN_RUN_MS) + SLACK_MS &&
        pattern.test(text),
    );
    if (index === -1) bypasses.push(execution);
    else open.splice(index, 1);
  }
  return {
    matched: executions.length - bypasses.length,
    bypasses,
    unconfirmed: open.flatMap(({ run }) => (run.isUnstarted ? [] : [run])),
  };
}

/** Versions of sudo differ in quoting, so only what all of them keep is compared. */
function squeeze(command: string): string {
  return command.replace(/#[0-7]{3}|[\s\\'"\p{Cc}]/gu, "");
}

/** The words of the log, where a masked part or one that was cut stands for anything. */
function patternOf({ path, argv }: AnnouncedRun): RegExp {
  const words = [path, ...argv.slice(1)].join(" ");
  const parts = words.split(/\*{3}|\[\+\d+(?: words)?\]/).map((part) => escapeRegExp(squeeze(part)));
  return new RegExp(`^${parts.join(".*")}$`, "su");
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
