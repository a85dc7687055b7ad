import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import type { Risk } from "../core/risk.ts";
import { epochFromIso } from "../core/time.ts";
import { type AssessmentRun, formatAssessmentRun, parseAssessmentRun } from "./assessment-history.ts";
import { invalid, parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const text = Type.String({ maxLength: 20_000 });
const word = Type.String({ minLength: 1, maxLength: 300 });
const orNull = Type.Union([word, Type.Null()]);

const ITEM = Type.Object(
  {
    kind: word,
    check_id: word,
    title: word,
    status: word,
    risk: Type.Union([Type.Literal("critical"), Type.Literal("high"), Type.Literal("medium"), Type.Literal("low")]),
    first_seen: orNull,
    due_date: orNull,
    owner: word,
    mitigation: text,
  },
  closed,
);
const MESSAGE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    id: word,
    kind: Type.Union([Type.Literal("summary"), Type.Literal("alert"), Type.Literal("digest")]),
    at: word,
    host: word,
    run_id: word,
    text,
    items: Type.Array(ITEM, { maxItems: 1_000 }),
  },
  closed,
);
const ENTRY = Type.Object(
  {
    sink: Type.Union([Type.Literal("command"), Type.Literal("webhook")]),
    attempts: Type.Integer({ minimum: 0, maximum: 100 }),
    next_at: word,
    last_error: Type.Union([text, Type.Null()]),
    message: MESSAGE,
  },
  closed,
);
const STATE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    last: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
    resolved: Type.Array(ITEM, { maxItems: 1_000 }),
    overdue_told: Type.Array(word, { maxItems: 1_000 }),
    digest_at: orNull,
    outbox: Type.Array(ENTRY, { maxItems: 1_000 }),
    dead: Type.Array(ENTRY, { maxItems: 1_000 }),
  },
  closed,
);

/** One line of a message. */
export interface NotifyItem {
  /** A change's kind, or `open` or `overdue`. */
  readonly kind: string;
  readonly check_id: string;
  readonly title: string;
  readonly status: string;
  readonly risk: Risk;
  readonly first_seen: string | null;
  readonly due_date: string | null;
  readonly owner: string;
  readonly mitigation: string;
}

/** What a sink gets, as JSON. */
export interface NotifyMessage {
  readonly schemaVersion: 1;
  /** The same for each attempt; a receiver that has seen it can drop it. */
  readonly id: string;
  readonly kind: "summary" | "alert" | "digest";
  readonly at: string;
  readonly host: string;
  readonly run_id: string;
  /** For a person. */
  readonly text: string;
  readonly items: readonly NotifyItem[];
}

export type SinkName = "command" | "webhook";

/** A message that a sink has not taken yet. */
export interface OutboxEntry {
  readonly sink: SinkName;
  readonly attempts: number;
  /** ISO-8601 UTC; not before. */
  readonly next_at: string;
  readonly last_error: string | null;
  readonly message: NotifyMessage;
}

/** violation-notify-state.json. */
export interface NotifyState {
  readonly schemaVersion: 1;
  /** The run up to which messages were made. */
  readonly last: AssessmentRun | null;
  /** Closed gaps for the next digest. */
  readonly resolved: readonly NotifyItem[];
  /** Overdue gaps that were told, each with its date. */
  readonly overdue_told: readonly string[];
  readonly digest_at: string | null;
  readonly outbox: readonly OutboxEntry[];
  /** Given up after the last attempt. */
  readonly dead: readonly OutboxEntry[];
}

const WHAT = "The state of the notifications";

/** @throws {SecurityError} notify-state-invalid, json-invalid, json-duplicate-key */
export function parseNotifyState(content: string): NotifyState {
  const state = parseWith(STATE, parseStrictJson(content, WHAT), WHAT, "notify-state-invalid");
  const times = [state.digest_at, ...[...state.outbox, ...state.dead].map((entry) => entry.next_at)];
  if (times.some((time) => time !== null && epochFromIso(time) === null)) {
    throw invalid(WHAT, "notify-state-invalid", [{ path: "", message: "Expected ISO-8601 times" }]);
  }
  return { ...state, last: state.last === null ? null : parseAssessmentRun(JSON.stringify(state.last)) };
}

export function formatNotifyState(state: NotifyState): string {
  const last = state.last === null ? null : (JSON.parse(formatAssessmentRun(state.last)) as unknown);
  return `${JSON.stringify({ ...state, last }, null, 2)}\n`;
}
