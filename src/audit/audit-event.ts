/**
 * What the audit log is told. Callers hand over the truth as they have it: the log masks secrets,
 * cuts what is too long and adds sequence, time, boot and process by itself.
 */
import type { ApproverIdentity, SessionIdentity } from "../core/elevation.ts";
import type { RefusalCode } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";

/** Which request a record is about. A null means that it was not known yet. */
export interface AuditSubject extends SessionIdentity {
  readonly requestId: string | null;
  readonly digest: string | null;
}

/** Everything asked for, before anything of it was looked at. */
export interface RequestEvent extends AuditSubject {
  readonly event: "request";
  readonly argv: readonly string[];
  readonly reason: string;
  readonly runAs: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdinBytes: number | null;
  readonly timeoutMs: number;
  readonly keepSession: boolean;
  readonly isNonInteractive: boolean;
}

/** No by ourselves: parsing, resolving, policy, limits, preflight, recheck, a broken clock. */
export interface RefusedEvent extends AuditSubject {
  readonly event: "refused";
  readonly code: RefusalCode;
  readonly message: string;
  /** Null when no argument list could be read from the request. */
  readonly argv: readonly string[] | null;
}

/** What the policy says; `permit` only lets a human be asked. */
export interface PolicyVerdictEvent extends AuditSubject {
  readonly event: "policy-verdict";
  readonly verdict: "permit" | "deny";
  readonly ruleId: string | null;
  readonly policySha256: string | null;
}

/** Yes or no of a human, or of the approver in their place. */
export interface DecisionEvent extends AuditSubject {
  readonly event: "decision";
  readonly approver: string;
  readonly decision: "allow-once" | "deny";
  readonly by: ApproverIdentity;
  /** Of a denial. */
  readonly code: RefusalCode | null;
  readonly keep: boolean;
}

/** An answer that came after expiry, abort or restart and has no effect. */
export interface LateDecisionEvent extends AuditSubject {
  readonly event: "late-decision";
  readonly approver: string;
  readonly decision: string;
  readonly by: ApproverIdentity | null;
}

export interface GrantedEvent extends AuditSubject {
  readonly event: "granted";
  readonly grantId: string;
  readonly contents: string;
  readonly keep: boolean;
  readonly expiresAt: EpochMs;
}

/** Durable before the spawn; closed by exec-finish or, after a crash, by outcome-unknown. */
export interface ExecIntentEvent extends AuditSubject {
  readonly event: "exec-intent";
  readonly grantId: string;
  readonly contents: string;
  readonly argv: readonly string[];
  readonly runAs: string;
  readonly runAsUid: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What is executed, its real file, and that file's content. */
  readonly binary: { readonly path: string; readonly realPath: string; readonly sha256: string };
  readonly stdinBytes: number | null;
  readonly stdinSha256: string | null;
  readonly timeoutMs: number;
}

/** How the run of an intent ended; fields that do not fit the kind are null. */
export interface ExecFinishEvent extends AuditSubject {
  readonly event: "exec-finish";
  /** `seq` of the exec-intent. */
  readonly intentSeq: number;
  readonly outcome: "exited" | "orphaned" | "spawn-failed";
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly pipeHeld: boolean;
  readonly durationMs: number | null;
  /** Of an orphan: what may still run. */
  readonly childPid: number | null;
  readonly childStartTime: string | null;
  readonly errno: string | null;
  readonly message: string | null;
  /** The output itself is never recorded. */
  readonly output: {
    readonly stdoutBytes: number;
    readonly stderrBytes: number;
    readonly stdoutSha256: string;
    readonly stderrSha256: string;
    readonly truncated: boolean;
  } | null;
}

/** A grant ended by its clocks, without anybody asking. */
export interface ExpiredEvent extends AuditSubject {
  readonly event: "expired";
  readonly grantId: string;
  /** Which rule ended it: "idle", "absolute", "clock-anomaly". */
  readonly why: string;
}

/** Grants were given back or taken away: session end, policy change, denial, stop. */
export interface DroppedEvent {
  readonly event: "dropped";
  /** Null: those of every session. */
  readonly session: string | null;
  readonly agent: string | null;
  readonly channel: SessionIdentity["channel"] | null;
  readonly grants: number;
  readonly why: string;
}

/** A word that real sudo answers itself, such as `sudo -V`. */
export interface PassthroughEvent extends AuditSubject {
  readonly event: "passthrough";
  readonly argv: readonly string[];
}

/** Somebody's yes is about to count from now on, or not any more. Recorded before the list is changed. */
export interface ApproverEvent {
  readonly event: "approver-enrolled" | "approver-revoked";
  readonly kind: "device" | "channel";
  readonly id: string;
  readonly name: string;
  readonly proof: "password" | "none";
}

/** The policy cannot be used, so everything is refused. */
export interface PolicyBrokenEvent {
  readonly event: "policy-broken";
  readonly code: string;
  readonly message: string;
}

/** Something threw that should not; whatever was under way was refused. */
export interface ErrorEvent {
  readonly event: "error";
  readonly requestId: string | null;
  readonly digest: string | null;
  readonly session: string | null;
  readonly agent: string | null;
  /** The step that failed. */
  readonly step: string;
  readonly code: string;
  readonly message: string;
}

/** What callers append. */
export type AuditEvent =
  | RequestEvent
  | RefusedEvent
  | PolicyVerdictEvent
  | DecisionEvent
  | LateDecisionEvent
  | GrantedEvent
  | ExecIntentEvent
  | ExecFinishEvent
  | ExpiredEvent
  | DroppedEvent
  | PassthroughEvent
  | ApproverEvent
  | PolicyBrokenEvent
  | ErrorEvent;

/** Why a checkpoint was made. */
export type CheckpointCause = "start" | "count" | "interval" | "stop" | "rotation" | "rekey";

/** What only the log itself writes. */
export type LogEvent =
  | { readonly event: "created"; readonly logId: string; readonly lineage: string }
  /** `root` is the hash of the record before, which fixes everything up to here. */
  | {
      readonly event: "checkpoint";
      readonly cause: CheckpointCause;
      readonly root: string;
      readonly prevCheckpoint: string | null;
    }
  /** Bytes after the last whole record that a crash left; they stay in the file. */
  | { readonly event: "recovered"; readonly tornBytes: number; readonly tornSha256: string }
  /** Last record of a full file, and the name that file gets. */
  | { readonly event: "rotated"; readonly to: string }
  /** First record of the next file; carries over what is not over yet. */
  | {
      readonly event: "continued";
      readonly from: string;
      readonly logId: string;
      readonly lineage: string;
      readonly checkpoint: { readonly seq: number; readonly hash: string };
      readonly open: readonly OpenIntent[];
    }
  /** From the next record on a new key counts, whose owner keeps a copy elsewhere. */
  | { readonly event: "rekeyed"; readonly fingerprint: string }
  /** The process that recorded the intent is gone and nobody knows how the run ended. */
  | {
      readonly event: "outcome-unknown";
      readonly intentSeq: number;
      readonly requestId: string | null;
      readonly digest: string | null;
      readonly session: string | null;
      readonly agent: string | null;
      readonly why: "process-gone" | "reboot";
    };

/** An exec-intent without an end so far, and the process that has to record that end. */
export interface OpenIntent {
  readonly intentSeq: number;
  readonly requestId: string | null;
  readonly digest: string | null;
  readonly session: string | null;
  readonly agent: string | null;
  readonly boot: string;
  readonly pid: number;
  /** Clock ticks since boot; null where the system does not tell. */
  readonly startTime: string | null;
}
