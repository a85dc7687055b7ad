import type { AuditLogState, SudoComparison } from "../assess/evidence.ts";
import { DAY_MS, type EpochMs, isoFromEpoch } from "../core/time.ts";
import { parseAuditEntry } from "../schema/audit-entry.ts";
import { type AuditReadDeps, type AuditVerifyDeps, verifyLog } from "./audit.ts";
import { reconcileWithSudo, type SudoLog } from "./reconcile.ts";

export interface AuditEvidenceDeps extends AuditVerifyDeps {
  /** Of the log's present file. */
  readonly path: string;
  readonly now: EpochMs;
  /** The gateway's account, whose executions count; null when it is not known. */
  readonly user: string | null;
  readonly loadSudoLog: (since: EpochMs) => Promise<SudoLog>;
}

/** Without a log, sudo's records are looked at this far back. */
const NO_LOG_MS = 30 * DAY_MS;

/**
 * What the log is worth: as a chain, beside its checkpoints in the system's log, and beside sudo's records.
 * @throws {SecurityError} when the records of one of the two cannot be compared
 */
export async function examineAuditLog(deps: AuditEvidenceDeps): Promise<AuditLogState> {
  const { path } = deps;
  const anchors = await deps.loadAnchors();
  const verdict = await verifyLog({ ...deps, loadAnchors: () => Promise.resolve(anchors) }, null);
  const { status, message, records, code } = verdict;
  const base = { path, present: true, status, message, records, dangling: 0, anchored: false };
  // What was tampered with, or cannot be read, can neither be counted nor compared.
  if (status === "tampered" || code === "unreadable") return { ...base, sudo: { kind: "skipped", reason: message } };
  const head = await deps.loadHead();
  if (code === "log-missing") {
    const absent = { ...base, present: false, sudo: await lookWithoutLog(deps) };
    if (head === null && anchors.length === 0) return { ...absent, message: "There is no log of privileged actions" };
    const gone = "The log was here, as its head file or the system's log shows, and it is gone";
    return { ...absent, status: "tampered", message: gone };
  }
  return {
    ...base,
    dangling: countOpenRuns(deps),
    anchored: head !== null && anchors.some(({ logId, seq }) => logId === head.logId && seq >= head.seq),
    sudo: await compare(deps),
  };
}

async function compare(deps: AuditEvidenceDeps): Promise<SudoComparison> {
  const { user } = deps;
  if (user === null) return NO_ACCOUNT;
  const { status, message, source, since, executions, bypasses } = await reconcileWithSudo({ ...deps, user });
  if (status === "inconclusive" || source === null || since === null) return { kind: "skipped", reason: message };
  return { kind: "compared", source, since, executions, bypasses: bypasses.length };
}

async function lookWithoutLog({ user, now, loadSudoLog }: AuditEvidenceDeps): Promise<SudoComparison> {
  if (user === null) return NO_ACCOUNT;
  const begin = now - NO_LOG_MS;
  const log = await loadSudoLog(begin);
  if (log.kind === "unreadable") return { kind: "skipped", reason: log.reason };
  const recent = log.executions.filter(({ at }) => at >= begin);
  // A place where nothing new is found may be one where sudo no longer writes.
  if (recent.length === 0) {
    return { kind: "skipped", reason: `${log.source} shows nothing of late that sudo ran: sudo may write elsewhere` };
  }
  const theirs = recent.filter((execution) => execution.user === user).length;
  const since = isoFromEpoch(Math.max(begin, log.from ?? begin));
  return { kind: "compared", source: log.source, since, executions: theirs, bypasses: theirs };
}

const NO_ACCOUNT: SudoComparison = { kind: "skipped", reason: "the gateway's account is not known" };

/** How many announced runs have no recorded end. */
function countOpenRuns({ readFiles }: AuditReadDeps): number {
  const open = new Set<number>();
  for (const { text } of readFiles()) {
    for (const line of text.split("\n")) {
      // Most records are of other events; reading them all would take long.
      if (!line.includes('"event":"exec-') && !line.includes('"event":"outcome-unknown"')) continue;
      const { seq, event, fields } = parseAuditEntry(line);
      if (event === "exec-intent") open.add(seq);
      else open.delete(Number(fields["intentSeq"]));
    }
  }
  return open.size;
}
