/** What OpenClaw itself says about this host: findings of its own audits, taken in as evidence. */
export interface NativeEvidence {
  readonly openclaw_version: string;
  /** ISO-8601 UTC of when the commands were run; older than the run when it comes from the cache. */
  readonly taken_at: string;
  readonly cached: boolean;
  readonly runs: readonly NativeRun[];
  readonly findings: readonly NativeFinding[];
}

/** Commands of OpenClaw that are run, in this order. */
export const NATIVE_COMMANDS = [
  "security audit",
  "secrets audit",
  "policy check",
  "exec-policy show",
  "update status",
  "gateway status",
] as const;
export type NativeCommand = (typeof NATIVE_COMMANDS)[number];

export interface NativeRun {
  readonly command: NativeCommand;
  readonly status: "done" | "failed" | "skipped";
  /** Why it failed or was skipped; what it said in short when it is done. No secret. */
  readonly said: string;
  readonly duration_ms: number;
}

export interface NativeFinding {
  /** As OpenClaw writes it; those of the secrets audit are `secrets:CODE`. */
  readonly id: string;
  readonly severity: "critical" | "warn" | "info";
  readonly command: NativeCommand;
  readonly title: string;
  /** Told by the owner to be left out; it then counts as information only. */
  readonly suppressed: boolean;
}
