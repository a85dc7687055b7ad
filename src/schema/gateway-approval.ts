import { Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import type { ApproverIdentity } from "../core/elevation.ts";

/**
 * Answers of OpenClaw's approval methods (2026.9), as far as they are used. More may be in them;
 * what is read must have exactly these forms.
 */
const ID = Type.String({ minLength: 1, maxLength: 200 });
const ACCEPTED = Type.Object({ status: Type.Literal("accepted"), id: ID });
const NOBODY = Type.Object({ id: ID, decision: Type.Null() });
const DECIDED = Type.Object({ id: ID, decision: Type.Union([Type.Literal("allow-once"), Type.Literal("deny")]) });
const UNDECIDED = Type.Object({ id: ID, decision: Type.Null() });
const HISTORY = Type.Object({ items: Type.Array(Type.Unknown(), { maxItems: 1_000 }) });
const ENDED = Type.Object({ id: ID, status: Type.String(), decision: Type.String() });
const RESOLVER = Type.Object({
  resolver: Type.Object({
    kind: Type.Union([
      Type.Literal("device"),
      Type.Literal("channel"),
      Type.Literal("runtime"),
      Type.Literal("system"),
    ]),
    id: Type.String({ minLength: 1, maxLength: 500 }),
  }),
});

export type RequestAnswer =
  | { readonly kind: "waiting"; readonly id: string }
  /** Nobody could be asked. */
  | { readonly kind: "no-route" }
  | { readonly kind: "odd" };

export function readRequestAnswer(value: unknown): RequestAnswer {
  if (Check(ACCEPTED, value)) return { kind: "waiting", id: value.id };
  return Check(NOBODY, value) && !("status" in value) ? { kind: "no-route" } : { kind: "odd" };
}

/** The decision about `id`; an answer about another approval is none. */
export function readDecision(value: unknown, id: string): "allow-once" | "deny" | "undecided" | "odd" {
  if (Check(DECIDED, value) && value.id === id) return value.decision;
  return Check(UNDECIDED, value) && value.id === id ? "undecided" : "odd";
}

/**
 * Who decided `id`, as the gateway recorded it. Null: there is no such record, or not exactly one, or
 * it tells of another decision.
 */
export function readResolver(history: unknown, id: string, decision: "allow-once" | "deny"): ApproverIdentity | null {
  if (!Check(HISTORY, history)) return null;
  const records = history.items.filter((item) => Check(ENDED, item) && item.id === id);
  const [record] = records;
  if (records.length !== 1 || !Check(ENDED, record) || !Check(RESOLVER, record)) return null;
  const status = decision === "allow-once" ? "allowed" : "denied";
  return record.status === status && record.decision === decision ? record.resolver : null;
}
