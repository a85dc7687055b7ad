/** Where a failure belongs; decides the exit code of a command. */
export type ErrorCategory = "usage" | "invalid-input" | "integrity" | "environment" | "inconclusive" | "internal";

/** Every code this project reports, each in exactly one category. A new code is an API change. */
const CATEGORY_OF = {
  "unknown-command": "usage",
  "unknown-flag": "usage",
  "missing-argument": "usage",
  "invalid-argument": "usage",
  "not-a-terminal": "usage",

  "invalid-input": "invalid-input",
  "json-invalid": "invalid-input",
  "json-duplicate-key": "invalid-input",
  "unknown-key": "invalid-input",
  "schema-version-unsupported": "invalid-input",
  "policy-invalid": "invalid-input",
  "baseline-invalid": "invalid-input",
  "allowlist-invalid": "invalid-input",
  "config-invalid": "invalid-input",
  "config-include-loop": "invalid-input",
  "config-too-large": "invalid-input",
  "unknown-check": "invalid-input",
  "unknown-approver": "invalid-input",
  "unknown-run": "invalid-input",
  "unknown-waiver": "invalid-input",
  "waivers-invalid": "invalid-input",
  "waiver-refused": "invalid-input",
  "notify-config-invalid": "invalid-input",
  "file-exists": "invalid-input",

  "state-file-insecure-mode": "integrity",
  "state-owner-mismatch": "integrity",
  "state-file-symlink": "integrity",
  "state-file-not-regular": "integrity",
  "history-invalid": "integrity",
  "approvers-invalid": "integrity",
  "waiver-unconfirmed": "integrity",
  "notify-state-invalid": "integrity",
  "audit-broken": "integrity",
  "audit-torn": "integrity",

  "file-missing": "environment",
  "file-changed": "environment",
  "file-unreadable": "environment",
  "file-too-large": "environment",
  "file-not-text": "environment",
  "write-failed": "environment",
  "disk-full": "environment",
  "read-only": "environment",
  "no-home": "environment",
  "lock-timeout": "environment",
  "notify-failed": "environment",
  "notify-dead-letter": "environment",
  "cycle-failed": "environment",
  "cycle-missed": "environment",
  "audit-unavailable": "environment",
  "broker-in-use": "environment",
  "tool-missing": "environment",
  "tool-failed": "environment",
  "tool-output-too-large": "environment",
  timeout: "environment",
  "enrolment-refused": "environment",
  "platform-unsupported": "environment",

  "proc-unusable": "inconclusive",
  "collector-failed": "inconclusive",
  "config-not-in-use": "inconclusive",
  "permission-denied": "inconclusive",

  internal: "internal",
} as const;

export type SecurityErrorCode = keyof typeof CATEGORY_OF;

/** Exit codes of every command but `run` and the shim. Source: STYLE table in references/ARCHITECTURE.md. */
const EXIT_CODE_OF: Record<ErrorCategory, number> = {
  usage: 2,
  "invalid-input": 3,
  integrity: 4,
  environment: 5,
  inconclusive: 6,
  internal: 70,
};

/** Exit code of `scan` and `assess` when a finding reaches the `--fail-on` threshold. */
export const EXIT_FINDINGS = 1;

export interface SecurityErrorOptions {
  /** One line: what the reader can do about it. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class. Branch on `code`, never on the text. */
export class SecurityError extends Error {
  readonly code: SecurityErrorCode;
  readonly category: ErrorCategory;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: SecurityErrorCode, message: string, options: SecurityErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SecurityError";
    this.code = code;
    this.category = CATEGORY_OF[code];
    this.hint = options.hint ?? "";
    this.details = options.details;
  }
}

export function exitCodeOf(error: SecurityError): number {
  return EXIT_CODE_OF[error.category];
}

/** The shape in which any failure leaves a tool or command. */
export interface ErrorReport {
  readonly status: "error";
  readonly code: SecurityErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** Turns whatever was thrown into a SecurityError; unknown throws become `internal`. */
export function asSecurityError(thrown: unknown): SecurityError {
  if (thrown instanceof SecurityError) return thrown;
  const text = thrown instanceof Error ? thrown.message : describe(thrown);
  return new SecurityError("internal", `Unexpected failure: ${text}`, {
    cause: thrown,
    hint: "This is a bug; please report it with the command you ran.",
  });
}

/** A thrown object may have no string form at all, and the handler of errors must not throw. */
function describe(thrown: unknown): string {
  return typeof thrown === "string" ? thrown : `a thrown ${thrown === null ? "null" : typeof thrown}`;
}
