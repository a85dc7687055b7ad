import { helpFor, type RefusalCode } from "../core/refusal.ts";
import { isoFromEpoch } from "../core/time.ts";
import type { ElevationAnswer, RunAnswer } from "./elevate.ts";

/** What `requestElevation` returns. */
export interface ElevationResult {
  readonly status: "granted" | "denied" | "refused" | "expired";
  readonly grantId?: string;
  /** Null where the request was refused before it could be pinned down. */
  readonly digest: string | null;
  /** ISO-8601 UTC. */
  readonly expiresAt?: string;
  readonly code?: RefusalCode;
  readonly message: string;
  readonly mitigation?: string;
}

/** What `runPrivileged` returns. */
export interface RunResult {
  readonly status: "completed" | "denied" | "refused" | "failed" | "orphaned";
  readonly exitCode?: number;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly durationMs: number;
  readonly digest: string | null;
  /** Number of the record that announced the run; null when nothing ran. */
  readonly auditSeq: number | null;
  readonly code?: RefusalCode;
  readonly message: string;
  readonly mitigation?: string;
}

/** A person was asked and did not agree. */
const DENIALS: readonly RefusalCode[] = ["denied", "code-wrong", "token-wrong", "untrusted-not-confirmed"];
const EXPIRIES: readonly RefusalCode[] = ["approval-expired", "grant-expired"];

export function elevationResult(answer: ElevationAnswer): ElevationResult {
  if (answer.kind === "granted") {
    const { grant } = answer;
    return {
      status: "granted",
      grantId: grant.id,
      digest: grant.digest,
      expiresAt: isoFromEpoch(answer.expiresAt),
      message: grant.isKept ? "Approved, and kept for this session." : "Approved for one run.",
    };
  }
  const { code, message } = answer.refusal;
  const status = DENIALS.includes(code) ? "denied" : EXPIRIES.includes(code) ? "expired" : "refused";
  return { status, digest: answer.trail.digest, code, message, mitigation: helpFor(code) };
}

const NOTHING_RAN = { stdout: "", stderr: "", truncated: false, durationMs: 0, auditSeq: null } as const;

export function runResult(answer: RunAnswer): RunResult {
  if (answer.kind === "refused") {
    const { code, message } = answer.refusal;
    const status = DENIALS.includes(code) ? "denied" : "refused";
    return { ...NOTHING_RAN, status, digest: answer.trail.digest, code, message, mitigation: helpFor(code) };
  }
  const { outcome, seq, trail } = answer;
  const unrecorded = answer.isRecorded ? "" : " The outcome could not be recorded.";
  const base = { digest: trail.digest, auditSeq: seq };
  switch (outcome.kind) {
    case "exited": {
      const { stdout, stderr, truncated } = outcome.output;
      const how = outcome.timedOut ? "ran into its time limit and was ended" : "ended";
      const held = outcome.pipeHeld ? " A process it started still runs." : "";
      return {
        ...base,
        status: "completed",
        ...(outcome.exitCode === null ? {} : { exitCode: outcome.exitCode }),
        ...(outcome.signal === null ? {} : { signal: outcome.signal }),
        stdout,
        stderr,
        truncated,
        durationMs: outcome.durationMs,
        message: `The command ${how}.${held}${unrecorded}`,
      };
    }
    case "orphaned": {
      const { stdout, stderr, truncated } = outcome.output;
      const message = `The command did not end when asked to; process ${outcome.pid} may still run as root and cannot be ended from here.${unrecorded}`;
      return { ...base, status: "orphaned", stdout, stderr, truncated, durationMs: outcome.durationMs, message };
    }
    case "spawn-failed": {
      const message = `sudo could not be started (${outcome.errno}): ${outcome.message}${unrecorded}`;
      return { ...NOTHING_RAN, ...base, status: "failed", message };
    }
  }
}
