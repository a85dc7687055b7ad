import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import type { Risk } from "../core/risk.ts";
import { epochFromIso } from "../core/time.ts";
import { invalid, parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const word = Type.String({ minLength: 1, maxLength: 100 });
const date = Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" });

const RUN_CHECK = Type.Object(
  {
    check_id: Type.String({ pattern: "^[a-z0-9_]{1,80}$" }),
    status: Type.Union([
      Type.Literal("violation"),
      Type.Literal("partial"),
      Type.Literal("not_assessed"),
      Type.Literal("compliant"),
      Type.Literal("not_applicable"),
    ]),
    risk: Type.Union([Type.Literal("critical"), Type.Literal("high"), Type.Literal("medium"), Type.Literal("low")]),
    first_seen: Type.Union([Type.String(), Type.Null()]),
    due_date: Type.Optional(date),
    last_changed: Type.Optional(word),
    reopened: Type.Optional(Type.Integer({ minimum: 1 })),
    waiver: Type.Optional(word),
    closed: Type.Optional(Type.Object({ at: word, first_seen: word, due_date: date }, closed)),
  },
  closed,
);
const RUN = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    run_id: word,
    at: word,
    after: Type.Optional(word),
    checks: Type.Array(RUN_CHECK, { maxItems: 500 }),
  },
  closed,
);

/** What one run left behind for the next. */
export interface AssessmentRun {
  readonly schemaVersion: 1;
  readonly run_id: string;
  /** ISO-8601 UTC. */
  readonly at: string;
  readonly checks: readonly RunCheck[];
}

/** A line of assessment-history.jsonl: a run, or only what it changed. */
export interface HistoryLine extends AssessmentRun {
  /** The run of the line before, whose rows stand unless they are in this line; without it the line is whole. */
  readonly after?: string;
}

/** What is remembered of one check. */
export interface RunCheck {
  readonly check_id: string;
  readonly status: "violation" | "partial" | "not_assessed" | "compliant" | "not_applicable";
  /** Of the gap, also while it cannot be measured. */
  readonly risk: Risk;
  /** ISO-8601 UTC; null without a known gap. */
  readonly first_seen: string | null;
  /** ISO date; there exactly when first_seen is. */
  readonly due_date?: string;
  /** ISO-8601 UTC of the last run in which status or risk differed from the run before. */
  readonly last_changed?: string;
  /** How often the gap came back soon after it was closed. */
  readonly reopened?: number;
  /** Id of the waiver that was in force. */
  readonly waiver?: string;
  /** A gap that was closed not long ago: when, and what its dates were. */
  readonly closed?: { readonly at: string; readonly first_seen: string; readonly due_date: string };
}

const WHAT = "A line of assessment-history.jsonl";

/**
 * Reads one line of the history. Its lines are many and written by us alone, so those that are as we write
 * them are accepted without the general validation, which takes a hundred times as long.
 * @throws {SecurityError} history-invalid, json-invalid, json-duplicate-key
 */
export function parseAssessmentRun(text: string): HistoryLine {
  const run = quickRun(text) ?? parseWith(RUN, parseStrictJson(text, WHAT), WHAT, "history-invalid");
  if (epochFromIso(run.at) === null) throw bad("/at", "Expected an ISO-8601 time");
  const seen = new Set<string>();
  for (const [index, check] of run.checks.entries()) {
    const obstacle = obstacleOf(check, seen);
    if (obstacle !== null) throw bad(`/checks/${index}`, obstacle);
    seen.add(check.check_id);
  }
  return run;
}

function obstacleOf(check: RunCheck, seen: ReadonlySet<string>): string | null {
  const { first_seen: first, due_date: due, closed: ended, last_changed: changed } = check;
  if (seen.has(check.check_id)) return "Expected each check once";
  const isDated = due !== undefined && epochFromIso(due) !== null;
  const isSeen = first !== null && epochFromIso(first) !== null;
  if (isDated !== isSeen || (first !== null && !isSeen)) return "Expected first_seen and due_date together, as dates";
  const times = ended === undefined ? [changed] : [changed, ended.at, ended.first_seen, ended.due_date];
  return times.some((time) => time !== undefined && epochFromIso(time) === null) ? "Expected times" : null;
}

const STATUSES: ReadonlySet<unknown> = new Set(["violation", "partial", "not_assessed", "compliant", "not_applicable"]);
const RISKS: ReadonlySet<unknown> = new Set(["critical", "high", "medium", "low"]);
const RUN_KEYS: ReadonlySet<string> = new Set(["schemaVersion", "run_id", "at", "after", "checks"]);
const ROW_KEYS: ReadonlySet<string> = new Set([
  "check_id",
  "status",
  "risk",
  "first_seen",
  "due_date",
  "last_changed",
  "reopened",
  "waiver",
  "closed",
]);
const CLOSED_KEYS: ReadonlySet<string> = new Set(["at", "first_seen", "due_date"]);
const CHECK_ID = /^[a-z0-9_]{1,80}$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

/** The line where it surely has the shape of RUN, else null: then the general validation says what is wrong. */
function quickRun(text: string): HistoryLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isPlain(value, RUN_KEYS) || value["schemaVersion"] !== 1 || !isWord(value["run_id"]) || !isWord(value["at"])) {
    return null;
  }
  const { after, checks } = value;
  const isGood = (after === undefined || isWord(after)) && Array.isArray(checks) && checks.length <= 500;
  return isGood && checks.every(isRow) ? (value as unknown as HistoryLine) : null;
}

function isRow(row: unknown): boolean {
  if (!isPlain(row, ROW_KEYS)) return false;
  const { check_id: id, status, risk, first_seen: first, due_date: due, last_changed: changed } = row;
  const { reopened, waiver, closed: ended } = row;
  return (
    typeof id === "string" &&
    CHECK_ID.test(id) &&
    STATUSES.has(status) &&
    RISKS.has(risk) &&
    (first === null || typeof first === "string") &&
    (due === undefined || isDate(due)) &&
    (changed === undefined || isWord(changed)) &&
    (reopened === undefined || (Number.isInteger(reopened) && Number(reopened) >= 1)) &&
    (waiver === undefined || isWord(waiver)) &&
    (ended === undefined ||
      (isPlain(ended, CLOSED_KEYS) && isWord(ended["at"]) && isWord(ended["first_seen"]) && isDate(ended["due_date"])))
  );
}

function isPlain(value: unknown, keys: ReadonlySet<string>): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const key of Object.keys(value)) if (!keys.has(key)) return false;
  return true;
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && value.length >= 1 && value.length <= 100;
}

function isDate(value: unknown): boolean {
  return typeof value === "string" && DATE.test(value);
}

function bad(path: string, message: string): Error {
  return invalid(WHAT, "history-invalid", [{ path, message }]);
}

/** The line of one run, without its line end. */
export function formatAssessmentRun(run: HistoryLine): string {
  return JSON.stringify(run);
}

/** The run as a line that holds only the rows in which it differs from the one before. */
export function shortenRun(run: AssessmentRun, before: AssessmentRun): HistoryLine {
  const known = new Map(before.checks.map((check) => [check.check_id, JSON.stringify(check)]));
  const checks = run.checks.filter((check) => known.get(check.check_id) !== JSON.stringify(check));
  // A row that is gone cannot be told in a short line.
  const ids = new Set(run.checks.map((check) => check.check_id));
  if (before.checks.some((check) => !ids.has(check.check_id))) return run;
  return { schemaVersion: 1, run_id: run.run_id, at: run.at, after: before.run_id, checks };
}

/** The whole run of a line; null when the line goes on from another run than the one before it. */
export function completeRun(line: HistoryLine, before: AssessmentRun | null): AssessmentRun | null {
  const { after, ...run } = line;
  if (after === undefined) return run;
  if (before === null || before.run_id !== after) return null;
  if (run.checks.length === 0) return { ...run, checks: before.checks };
  const changed = new Map(run.checks.map((check) => [check.check_id, check]));
  const kept = before.checks.map((check) => {
    const now = changed.get(check.check_id);
    changed.delete(check.check_id);
    return now ?? check;
  });
  return { ...run, checks: [...kept, ...changed.values()] };
}
