import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import { type EpochMs, epochFromIso } from "../core/time.ts";
import { invalid, parseWith } from "./validate.ts";

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const text = Type.String();

const ENTRY = Type.Object({
  v: Type.Literal(1),
  seq: count,
  ts: text,
  event: text,
  pid: count,
  boot: text,
});
const INTENT = Type.Object({
  argv: Type.Array(text, { minItems: 1 }),
  binary: Type.Object({ path: text }),
  runAs: text,
});

/** One record of the log, for readers; whether it is genuine is for verifyChain to say. */
export interface AuditEntry {
  readonly seq: number;
  readonly at: EpochMs;
  readonly event: string;
  /** Everything in the record, secrets masked. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What an exec-intent says of the command. */
export interface IntentEntry {
  readonly seq: number;
  readonly at: EpochMs;
  /** Masked words contain three asterisks. */
  readonly argv: readonly string[];
  readonly path: string;
  readonly runAs: string;
}

const WHAT = "A line of the audit log";

/** @throws {SecurityError} audit-broken, json-invalid, json-duplicate-key */
export function parseAuditEntry(line: string): AuditEntry {
  const fields = parseStrictJson(line, WHAT);
  const { seq, ts, event } = parseWith(ENTRY, fields, WHAT, "audit-broken");
  const at = epochFromIso(ts);
  if (at === null) throw invalid(WHAT, "audit-broken", [{ path: "/ts", message: "Expected an ISO-8601 time" }]);
  return { seq, at, event, fields: fields as Readonly<Record<string, unknown>> };
}

/**
 * Null for a record of another event.
 * @throws {SecurityError} audit-broken
 */
export function parseIntentEntry({ seq, at, event, fields }: AuditEntry): IntentEntry | null {
  if (event !== "exec-intent") return null;
  const { argv, binary, runAs } = parseWith(INTENT, fields, WHAT, "audit-broken");
  return { seq, at, argv, path: binary.path, runAs };
}
