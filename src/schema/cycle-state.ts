import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import { epochFromIso } from "../core/time.ts";
import { invalid, parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const word = Type.String({ minLength: 1, maxLength: 100 });
const KINDS = ["systemd", "launchd", "cron"] as const;
const STATE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    running_since: Type.Union([word, Type.Null()]),
    last: Type.Union([
      Type.Object(
        {
          finished_at: word,
          outcome: Type.Union([Type.Literal("ok"), Type.Literal("failed")]),
          message: Type.String({ maxLength: 4_000 }),
        },
        closed,
      ),
      Type.Null(),
    ]),
    failures: Type.Integer({ minimum: 0 }),
    schedule: Type.Union([
      Type.Object(
        {
          kind: Type.Union(KINDS.map((kind) => Type.Literal(kind))),
          every_minutes: Type.Integer({ minimum: 5, maximum: 1_440 }),
          since: word,
        },
        closed,
      ),
      Type.Null(),
    ]),
  },
  closed,
);

export type SchedulerKind = (typeof KINDS)[number];

/** cycle-state.json: what became of the last cycle, and how often there should be one. */
export interface CycleState {
  readonly schemaVersion: 1;
  /** ISO-8601 UTC; still there after its end when the run was cut off. */
  readonly running_since: string | null;
  readonly last: { readonly finished_at: string; readonly outcome: "ok" | "failed"; readonly message: string } | null;
  /** Failed cycles in a row. */
  readonly failures: number;
  readonly schedule: { readonly kind: SchedulerKind; readonly every_minutes: number; readonly since: string } | null;
}

const WHAT = "The state of the cycle";

/** @throws {SecurityError} history-invalid, json-invalid, json-duplicate-key */
export function parseCycleState(text: string): CycleState {
  const state = parseWith(STATE, parseStrictJson(text, WHAT), WHAT, "history-invalid");
  const times = [state.running_since, state.last?.finished_at ?? null, state.schedule?.since ?? null];
  if (times.every((time) => time === null || epochFromIso(time) !== null)) return state;
  throw invalid(WHAT, "history-invalid", [{ path: "", message: "Expected ISO-8601 times" }]);
}

export function formatCycleState(state: CycleState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}
