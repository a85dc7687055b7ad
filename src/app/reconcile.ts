import { type AnnouncedRun, matchExecutions } from "../audit/match-executions.ts";
import { maskText } from "../audit/mask-secret.ts";
import type { SudoExecution } from "../audit/sudo-record.ts";
import { asSecurityError } from "../core/error.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { type AuditEntry, parseAuditEntry, parseIntentEntry } from "../schema/audit-entry.ts";
import type { AuditReadDeps } from "./audit.ts";

/** What could be read of sudo's own records. */
export type SudoLog =
  | {
      readonly kind: "read";
      readonly source: string;
      readonly executions: readonly SudoExecution[];
      readonly from: EpochMs | null;
    }
  | { readonly kind: "unreadable"; readonly reason: string };

export interface ReconcileDeps extends AuditReadDeps {
  /** Name of the account whose executions count. */
  readonly user: string;
  readonly loadSudoLog: (since: EpochMs) => Promise<SudoLog>;
}

export interface ReconcileReport {
  readonly status: "agrees" | "bypass-detected" | "inconclusive";
  readonly message: string;
  /** Where sudo's records were read. */
  readonly source: string | null;
  /** ISO-8601 UTC; what happened before was not compared. */
  readonly since: string | null;
  readonly executions: number;
  readonly matched: number;
  /** Executions by sudo for this account that the audit log did not announce. */
  readonly bypasses: readonly { readonly at: string; readonly run_as: string; readonly command: string }[];
  /** Announced runs that sudo's records do not show. */
  readonly unconfirmed: readonly { readonly seq: number; readonly at: string; readonly command: string }[];
}

/** Compares the audit log with sudo's own records of this account. */
export async function reconcileWithSudo(deps: ReconcileDeps): Promise<ReconcileReport> {
  const { begin, runs } = readRuns(deps);
  if (begin === null) return inconclusive("There is no audit log to compare with", null, null);
  const log = await deps.loadSudoLog(begin);
  if (log.kind === "unreadable") return inconclusive(log.reason, null, begin);
  if (log.executions.length === 0) {
    return inconclusive(`${log.source} shows nothing that sudo ran: sudo may write elsewhere`, log.source, begin);
  }
  // Sudo's times have whole seconds.
  const since = Math.floor(Math.max(begin, log.from ?? begin) / 1_000) * 1_000;
  const executions = log.executions.filter(({ user, at }) => user === deps.user && at >= since);
  const { matched, bypasses, unconfirmed: all } = matchExecutions(executions, runs);
  const unconfirmed = all.filter(({ at }) => at >= since);
  const report = {
    source: log.source,
    since: isoFromEpoch(since),
    executions: executions.length,
    matched,
    bypasses: bypasses.map(({ at, runAs, command }) => ({
      at: isoFromEpoch(at),
      run_as: runAs,
      command: maskText(command).text,
    })),
    unconfirmed: unconfirmed.map(({ seq, at, argv }) => ({ seq, at: isoFromEpoch(at), command: argv.join(" ") })),
  };
  if (bypasses.length > 0) {
    const message = `sudo ran ${bypasses.length} of ${executions.length} commands for ${deps.user} that were not announced here: by the person, or by an agent going around`;
    return { ...report, status: "bypass-detected", message };
  }
  if (matched === 0 && unconfirmed.length > 0) {
    const message = `${log.source} shows none of the ${unconfirmed.length} runs that this log announced, so it shows no others either`;
    return { ...report, status: "inconclusive", message };
  }
  return {
    ...report,
    status: "agrees",
    message: `All ${executions.length} commands that sudo ran for ${deps.user} were announced`,
  };
}

function inconclusive(message: string, source: string | null, since: EpochMs | null): ReconcileReport {
  return {
    status: "inconclusive",
    message,
    source,
    since: since === null ? null : isoFromEpoch(since),
    executions: 0,
    matched: 0,
    bypasses: [],
    unconfirmed: [],
  };
}

function readRuns({ readFiles }: AuditReadDeps): {
  readonly begin: EpochMs | null;
  readonly runs: readonly AnnouncedRun[];
} {
  let begin: EpochMs | null = null;
  const runs = new Map<number, AnnouncedRun>();
  for (const { text } of readFiles()) {
    for (const line of text.split("\n")) {
      // Most records are of other events; reading them all would take long.
      const isOfInterest = line.includes('"event":"exec-') || line.includes('"event":"outcome-unknown"');
      if (line === "" || (begin !== null && !isOfInterest)) continue;
      const entry = entryOrNull(line);
      if (entry === null) continue;
      begin ??= entry.at;
      const intent = parseIntentEntry(entry);
      if (intent !== null) runs.set(intent.seq, { ...intent, endedAt: null, isUnstarted: false });
      else noteEnd(runs, entry);
    }
  }
  return { begin, runs: [...runs.values()] };
}

function noteEnd(runs: Map<number, AnnouncedRun>, { at, event, fields }: AuditEntry): void {
  const run = runs.get(Number(fields["intentSeq"]));
  if (run === undefined || event !== "exec-finish") return;
  runs.set(run.seq, { ...run, endedAt: at, isUnstarted: fields["outcome"] === "spawn-failed" });
}

function entryOrNull(line: string): AuditEntry | null {
  try {
    return parseAuditEntry(line);
  } catch (thrown) {
    // A line that is no record announces nothing; verifyLog tells of it.
    if (asSecurityError(thrown).code === "internal") throw thrown;
    return null;
  }
}
