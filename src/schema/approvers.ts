import { Type } from "@sinclair/typebox";
import type { EnrolledApprover } from "../core/approvers.ts";
import { epochFromIso } from "../core/time.ts";
import type { Issue } from "./issue.ts";
import { invalid, parseWith } from "./validate.ts";

/**
 * `approvers.json`: whose yes counts through the gateway. An entry says `proof: "password"` only where
 * root wrote the file: sudo took a password for that, which the account alone cannot give.
 */
const closed = { additionalProperties: false } as const;
const common = {
  name: Type.String({ maxLength: 100 }),
  enrolled_at: Type.String({ maxLength: 40 }),
  proof: Type.Union([Type.Literal("password"), Type.Literal("none")]),
};
const DEVICE = Type.Object(
  { kind: Type.Literal("device"), id: Type.String({ pattern: "^[0-9a-f]{64}$" }), ...common },
  closed,
);
const CHANNEL = Type.Object(
  {
    kind: Type.Literal("channel"),
    id: Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,63}:[^\\s:]{1,128}$" }),
    ...common,
  },
  closed,
);
const FILE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    approvers: Type.Array(Type.Union([DEVICE, CHANNEL]), { maxItems: 100 }),
  },
  closed,
);

const WHAT = "approvers.json";

/**
 * @param isSealed the file is root's alone
 * @throws {SecurityError} approvers-invalid: of another form, an approver named twice, or a proof that a
 *   file of the account's own cannot carry
 */
export function parseApprovers(value: unknown, isSealed: boolean): readonly EnrolledApprover[] {
  const { approvers } = parseWith(FILE, value, WHAT, "approvers-invalid");
  const issues: Issue[] = [];
  const seen = new Set<string>();
  for (const [index, { kind, id, proof, enrolled_at: at }] of approvers.entries()) {
    const path = `/approvers/${index}`;
    if (seen.has(`${kind} ${id}`)) issues.push({ path, message: "Named twice" });
    seen.add(`${kind} ${id}`);
    if (epochFromIso(at) === null) issues.push({ path: `${path}/enrolled_at`, message: "Expected an ISO-8601 time" });
    if (proof === "password" && !isSealed) {
      issues.push({ path: `${path}/proof`, message: "Only a file of root's can say that a password was given" });
    }
  }
  if (issues.length > 0) throw invalid(WHAT, "approvers-invalid", issues);
  return approvers.map(({ kind, id, name, enrolled_at: enrolledAt, proof }) => ({ kind, id, name, enrolledAt, proof }));
}

/** The file's text; `parseApprovers` gives the same list back. */
export function renderApprovers(approvers: readonly EnrolledApprover[]): string {
  const entries = approvers.map(({ kind, id, name, enrolledAt, proof }) => ({
    kind,
    id,
    name,
    enrolled_at: enrolledAt,
    proof,
  }));
  return `${JSON.stringify({ schemaVersion: 1, approvers: entries }, null, 2)}\n`;
}

const CHANNEL_ID = new RegExp(CHANNEL.properties.id.pattern ?? "^$");

/** `channel:account`, such as `telegram:default`. */
export function isChannelId(text: string): boolean {
  return CHANNEL_ID.test(text);
}
