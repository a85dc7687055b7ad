import type { ApprovalQuestion, ApproverIdentity, ContentsDigest, RequestDigest } from "../core/elevation.ts";
import { REFUSAL_CODES, refuse, type Refusal, type RefusalCode } from "../core/refusal.ts";
import { clip } from "../core/text.ts";
import type { EpochMs } from "../core/time.ts";

/** A human's yes to one question. Only `checkAnswer` makes one, and one opens one grant. */
export interface Approval {
  readonly kind: "approval";
  readonly digest: RequestDigest;
  readonly contents: ContentsDigest;
  readonly by: ApproverIdentity;
  readonly at: EpochMs;
  /** The human was asked to keep the session and agreed. */
  readonly keep: boolean;
}

/** How an approver may be known for its yes to count; "none" never does. */
export type AcceptedKinds = readonly Exclude<ApproverIdentity["kind"], "none">[];

/**
 * Judges what an approver returned. Anything but a timely, complete `allow-once` of an accepted
 * kind is a refusal, whatever its type: the answer may have crossed a network.
 * @param now when the answer was received
 */
export function checkAnswer(
  answer: unknown,
  question: ApprovalQuestion,
  accept: AcceptedKinds,
  now: EpochMs,
): Approval | Refusal {
  const read = readAnswer(answer);
  if (read === null) return refuse("approval-invalid", "the approver's answer has an unknown form");
  if (read.kind === "deny") return refuse(read.code, deniedBy(read.by));
  if (!(now < question.expiresAt && read.at < question.expiresAt)) {
    return refuse("approval-expired", "the answer came after the question had expired");
  }
  const kind = accept.find((accepted) => accepted === read.by.kind);
  if (kind === undefined) {
    return refuse("untrusted-resolver", `an approval of kind "${read.by.kind}" does not count`);
  }
  return Object.freeze({
    kind: "approval",
    digest: question.digest,
    contents: question.contents,
    by: Object.freeze({ kind, id: read.by.id }),
    at: read.at,
    // Nobody can keep what nobody was asked to keep.
    keep: read.keep && question.asksToKeep,
  });
}

/** What somebody decided after the question was over. It has no effect and is recorded. */
export interface LateAnswer {
  readonly decision: "allow-once" | "deny" | "unreadable";
  /** Null where the answer does not say. */
  readonly by: ApproverIdentity | null;
}

/** How an approver says that it took a question away or could not put it; nobody decided anything. */
const NOBODY_DECIDED: readonly RefusalCode[] = ["approval-expired", "no-route", "too-many-pending"];

/** Null when the late answer is no decision but the end of the question. */
export function lateAnswer(answer: unknown): LateAnswer | null {
  const read = readAnswer(answer);
  if (read === null) return { decision: "unreadable", by: null };
  if (read.kind === "deny") return NOBODY_DECIDED.includes(read.code) ? null : { decision: "deny", by: read.by };
  return { decision: "allow-once", by: read.by };
}

/** Who answered goes into the record, also where the answer does not count. */
function deniedBy(by: ApproverIdentity | null): string {
  const isNamed = by !== null && by.kind !== "none" && by.id !== "";
  return isNamed ? `the request was not approved (${by.kind} ${clip(by.id, 100)})` : "the request was not approved";
}

type Answer =
  | { readonly kind: "allow-once"; readonly by: ApproverIdentity; readonly at: EpochMs; readonly keep: boolean }
  | { readonly kind: "deny"; readonly by: ApproverIdentity | null; readonly code: RefusalCode };

/** Each property is read once. Null: not an answer. */
function readAnswer(answer: unknown): Answer | null {
  try {
    const { kind, by, at, keep, code } = Object(answer) as Readonly<Record<string, unknown>>;
    const { kind: byKind, id } = Object(by) as Readonly<Record<string, unknown>>;
    const who = isApproverKind(byKind) && typeof id === "string" ? { kind: byKind, id } : null;
    if (kind === "deny") return { kind, by: who, code: asRefusalCode(code) };
    const isWhole =
      kind === "allow-once" &&
      who !== null &&
      typeof at === "number" &&
      Number.isFinite(at) &&
      typeof keep === "boolean";
    return isWhole ? { kind, by: who, at, keep } : null;
  } catch {
    // A getter or proxy of the answer threw: there is no answer.
    return null;
  }
}

function asRefusalCode(code: unknown): RefusalCode {
  return REFUSAL_CODES.find((known) => known === code) ?? "approval-invalid";
}

const APPROVER_KINDS: readonly ApproverIdentity["kind"][] = [
  "terminal",
  "device",
  "channel",
  "runtime",
  "system",
  "none",
];

function isApproverKind(value: unknown): value is ApproverIdentity["kind"] {
  return APPROVER_KINDS.some((kind) => kind === value);
}
