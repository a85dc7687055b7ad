import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import type { Risk } from "../core/risk.ts";
import { epochFromIso } from "../core/time.ts";
import { invalid, parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const word = Type.String({ minLength: 1, maxLength: 100 });

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
    due_date: Type.Optional(Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })),
  },
  closed,
);
const RUN = Type.Object(
  { schemaVersion: Type.Literal(1), run_id: word, at: word, checks: Type.Array(RUN_CHECK, { maxItems: 500 }) },
  closed,
);

/** What one run left behind for the next: a line of assessment-history.jsonl. */
export interface AssessmentRun {
  readonly schemaVersion: 1;
  readonly run_id: string;
  /** ISO-8601 UTC. */
  readonly at: string;
  readonly checks: readonly RunCheck[];
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
}

const WHAT = "A line of assessment-history.jsonl";

/**
 * Reads one line of the history.
 * @throws {SecurityError} history-invalid, json-invalid, json-duplicate-key
 */
export function parseAssessmentRun(text: string): AssessmentRun {
  const run = parseWith(RUN, parseStrictJson(text, WHAT), WHAT, "history-invalid");
  if (epochFromIso(run.at) === null) throw bad("/at", "Expected an ISO-8601 time");
  const seen = new Set<string>();
  for (const [index, check] of run.checks.entries()) {
    const at = `/checks/${index}`;
    if (seen.has(check.check_id)) throw bad(at, "Expected each check once");
    seen.add(check.check_id);
    const isDated = check.due_date !== undefined && epochFromIso(check.due_date) !== null;
    const isSeen = check.first_seen !== null && epochFromIso(check.first_seen) !== null;
    if (isDated !== isSeen || (check.first_seen !== null && !isSeen)) {
      throw bad(at, "Expected first_seen and due_date together, as dates");
    }
  }
  return run;
}

function bad(path: string, message: string): Error {
  return invalid(WHAT, "history-invalid", [{ path, message }]);
}

/** The line of one run, without its line end. */
export function formatAssessmentRun(run: AssessmentRun): string {
  return JSON.stringify(run);
}
