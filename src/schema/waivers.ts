import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import { epochFromIso } from "../core/time.ts";
import type { Issue } from "./issue.ts";
import { invalid, parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const name = Type.String({ minLength: 2, maxLength: 200 });
const time = Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$" });

const WAIVER = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z0-9-]{1,60}$" }),
    // One check of one host: no pattern and no star.
    check_id: Type.String({ pattern: "^[a-z0-9_]{1,80}$" }),
    target: Type.String({ minLength: 1, maxLength: 255, pattern: "^[^*?\\s]+$" }),
    reason: Type.String({ minLength: 20, maxLength: 2_000 }),
    owner: name,
    approver: name,
    created: time,
    expires: Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
    ticket: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    ended: Type.Optional(time),
    seal: Type.Optional(Type.String({ pattern: "^[0-9a-f]{64}$" })),
  },
  closed,
);
const WAIVERS = Type.Object(
  { schemaVersion: Type.Literal(1), waivers: Type.Array(WAIVER, { maxItems: 1_000 }) },
  closed,
);

/** A gap that somebody answers for, for a while. It stays visible and goes on being measured. */
export interface Waiver {
  readonly id: string;
  readonly check_id: string;
  /** Name of the one host it is for. */
  readonly target: string;
  readonly reason: string;
  readonly owner: string;
  /** Somebody else than the owner. */
  readonly approver: string;
  /** ISO-8601 UTC. */
  readonly created: string;
  /** ISO date; the last day. */
  readonly expires: string;
  readonly ticket?: string;
  /** ISO-8601 UTC; there once it was ended before its time. */
  readonly ended?: string;
}

/** As stored, with what shows that a human agreed to exactly this. */
export interface StoredWaiver extends Waiver {
  readonly seal?: string;
}

const WHAT = "The waiver file";

/**
 * Reads waivers.json. Any defect in it is an error: an unread waiver would raise an alarm, and a misread one
 * would silence it.
 * @throws {SecurityError} waivers-invalid, json-invalid, json-duplicate-key
 */
export function parseWaivers(text: string): readonly StoredWaiver[] {
  const { waivers } = parseWith(WAIVERS, parseStrictJson(text, WHAT), WHAT, "waivers-invalid");
  const issues = waivers.flatMap((waiver, index) => issuesOf(waiver, waivers.slice(0, index), `/waivers/${index}`));
  if (issues.length > 0) throw invalid(WHAT, "waivers-invalid", issues);
  return waivers;
}

export function formatWaivers(waivers: readonly StoredWaiver[]): string {
  return `${JSON.stringify({ schemaVersion: 1, waivers }, null, 2)}\n`;
}

/** What makes a well-formed waiver unacceptable; the same for one that is about to be added. */
export function issuesOf(waiver: Waiver, others: readonly Waiver[], path: string): readonly Issue[] {
  const times = [waiver.created, waiver.expires, ...(waiver.ended === undefined ? [] : [waiver.ended])];
  return [
    ...(times.some((text) => epochFromIso(text) === null) ? [{ path, message: "Expected real dates" }] : []),
    ...(others.some(({ id }) => id === waiver.id) ? [{ path: `${path}/id`, message: "Expected each id once" }] : []),
    ...(nameKey(waiver.owner) === nameKey(waiver.approver)
      ? [{ path: `${path}/approver`, message: "Expected an approver who is not the owner" }]
      : []),
    ...(waiver.reason.trim().length < 20
      ? [{ path: `${path}/reason`, message: "Expected a reason of at least 20 characters" }]
      : []),
    ...(waiver.expires < waiver.created.slice(0, 10)
      ? [{ path: `${path}/expires`, message: "Expected an end after the beginning" }]
      : []),
  ];
}

/** One name, however it is written. */
function nameKey(text: string): string {
  return text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
}

/** Everything that a human agreed to, as one text. */
export function sealedText(waiver: Waiver): string {
  const { id, check_id, target, reason, owner, approver, created, expires, ticket, ended } = waiver;
  return JSON.stringify([
    "waiver",
    1,
    id,
    check_id,
    target,
    reason,
    owner,
    approver,
    created,
    expires,
    ticket ?? "",
    ended ?? "",
  ]);
}
