import type { AuditEvent, OpenIntent } from "../audit/audit-event.ts";
import { SecurityError } from "../core/error.ts";
import type { EpochMs } from "../core/time.ts";

export interface AuditLogDeps {
  /** `<state>/security`; made when missing. */
  readonly folder: string;
  readonly now: () => EpochMs;
  readonly monotonicMs: () => number;
  /** Names the time since the machine started. */
  readonly bootId: string;
  /** This process; the start time, in clock ticks since boot, tells it from a later one of the same pid. */
  readonly self: { readonly pid: number; readonly startTime: string | null };
  /** Whether that process still lives; it will then close its own intents. */
  readonly isRunning: (process: { readonly pid: number; readonly startTime: string | null }) => boolean;
  readonly sha256Hex: (data: string | Uint8Array) => string;
  readonly hmacSha256Hex: (keyHex: string, text: string) => string;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Puts one line where this account cannot erase it; true when it was taken. Null: there is no such place. */
  readonly anchor: ((text: string) => Promise<boolean>) | null;
  /** A file this big is followed by the next one. Default 4 MiB. */
  readonly maxBytes?: number;
}

/** The open log. Every method is durable when it resolves. */
export interface AuditLog {
  /**
   * Adds one record and waits until the disk has it. When this throws, nothing privileged may run.
   * @throws {SecurityError} audit-broken, audit-unavailable
   */
  append(event: AuditEvent): Promise<{ readonly seq: number }>;
  /**
   * Fixes what was recorded so far in the head file and in the external anchor. To be called every
   * 15 minutes, also when nothing happened.
   * @throws {SecurityError} as append
   */
  checkpoint(): Promise<void>;
  /** A last checkpoint; afterwards nothing can be appended. Safe to call twice. */
  close(): Promise<void>;
  /** Intents of processes that ended without recording an outcome, as found (and closed) at opening. */
  danglingIntents(): readonly OpenIntent[];
}

/**
 * Opens or begins the log and verifies what is there.
 * @throws {SecurityError} audit-broken, audit-unavailable
 */
export async function openAuditLog(deps: AuditLogDeps): Promise<AuditLog> {
  throw new SecurityError("audit-unavailable", `The audit log of ${deps.folder} cannot be opened yet`);
}
