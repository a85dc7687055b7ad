import type {
  ApproverIdentity,
  ClockReading,
  ContentsDigest,
  GrantId,
  RequestDigest,
  SessionIdentity,
} from "../core/elevation.ts";
import { REFUSAL_CODES, refuse, type Refusal, type RefusalCode } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";
import type { Approval } from "./approval.ts";
import { isClockAnomaly, mostElapsedMs } from "./clocks.ts";

/** An unused grant and a kept one that nobody uses die after this. */
export const IDLE_MS: number = 30 * 60_000;
/** No grant lives longer. */
export const ABSOLUTE_MS: number = 2 * 3_600_000;

/** Why a grant was taken away. */
export type RevokeReason = RefusalCode | "session-ended";
export type DropReason = RevokeReason | "idle" | "absolute";

/** open -> used | expired | revoked, and no way back. */
export type GrantState =
  | { readonly kind: "open" }
  | { readonly kind: "used" }
  | { readonly kind: "expired"; readonly reason: "idle" | "absolute" }
  | { readonly kind: "revoked"; readonly reason: RevokeReason };

/** Bounded authority born of one approval: to run these contents in this session, once unless kept. */
export interface Grant {
  readonly id: GrantId;
  /** What the human said yes to. */
  readonly digest: RequestDigest;
  readonly contents: ContentsDigest;
  readonly session: SessionIdentity;
  readonly by: ApproverIdentity;
  /** May run again until it is idle too long. */
  readonly isKept: boolean;
  readonly openedAt: ClockReading;
  readonly lastUsedAt: ClockReading;
  /** Unused for so long, it ends. */
  readonly idleMs: number;
  readonly state: GrantState;
}

/** @param idleMs at most `IDLE_MS`: an owner can only shorten it */
export function openGrant(
  approval: Approval,
  session: SessionIdentity,
  id: GrantId,
  now: ClockReading,
  idleMs: number = IDLE_MS,
): Grant {
  const { digest, contents, by, keep } = approval;
  return {
    idleMs: Math.min(idleMs, IDLE_MS),
    id,
    digest,
    contents,
    session,
    by,
    isKept: keep,
    openedAt: now,
    lastUsedAt: now,
    state: { kind: "open" },
  };
}

/** What the clocks say about an open grant. */
export function ageOf(grant: Grant, now: ClockReading): "fresh" | "idle" | "absolute" | "clock-anomaly" {
  if (isClockAnomaly(grant.openedAt, now) || isClockAnomaly(grant.lastUsedAt, now)) return "clock-anomaly";
  if (mostElapsedMs(grant.openedAt, now) >= ABSOLUTE_MS) return "absolute";
  return mostElapsedMs(grant.lastUsedAt, now) >= grant.idleMs ? "idle" : "fresh";
}

/** Milliseconds until the clocks will have ended the grant if nobody uses it; 0 or less when they have. */
export function remainingMs(grant: Grant, now: ClockReading): number {
  return Math.min(
    ABSOLUTE_MS - mostElapsedMs(grant.openedAt, now),
    grant.idleMs - mostElapsedMs(grant.lastUsedAt, now),
  );
}

/** When the grant ends by the wall clock, for people. */
export function expiresAt(grant: Grant): EpochMs {
  return Math.min(grant.openedAt.wallMs + ABSOLUTE_MS, grant.lastUsedAt.wallMs + grant.idleMs);
}

/** What somebody wants to run, as it is now. */
export interface WantedRun {
  readonly contents: ContentsDigest;
  readonly session: SessionIdentity;
}

/** One step of the state machine: the grant after this use, or why it cannot be used. */
export function useGrant(grant: Grant, wanted: WantedRun, now: ClockReading): Grant | Refusal {
  if (!isSameSession(grant.session, wanted.session)) {
    return refuse("session-mismatch", "the grant was given to another session");
  }
  switch (grant.state.kind) {
    case "used":
      return refuse("grant-used", "the grant was used");
    case "expired":
      return refuse("grant-expired", "the grant has expired");
    case "revoked":
      return refuse(codeOf(grant.state.reason), "the grant was taken away");
    case "open":
      break;
  }
  const age = ageOf(grant, now);
  if (age === "clock-anomaly") return refuse("clock-anomaly", "the clock jumped since the approval");
  if (age !== "fresh") return refuse("grant-expired", "the grant has expired");
  if (grant.contents !== wanted.contents) return refuse("grant-mismatch", "the grant is for something else");
  return grant.isKept ? { ...grant, lastUsedAt: now } : { ...grant, state: { kind: "used" } };
}

/** Ends an open grant; any other stays what it is. */
export function endGrant(grant: Grant, reason: DropReason): Grant {
  if (grant.state.kind !== "open") return grant;
  if (reason === "idle" || reason === "absolute") return { ...grant, state: { kind: "expired", reason } };
  return { ...grant, state: { kind: "revoked", reason } };
}

/** Sessions are the same when nothing about them differs, the agent and the way in included. */
export function isSameSession(a: SessionIdentity, b: SessionIdentity): boolean {
  return a.session === b.session && a.agent === b.agent && a.channel === b.channel;
}

function codeOf(reason: RevokeReason): RefusalCode {
  return REFUSAL_CODES.find((code) => code === reason) ?? "grant-unknown";
}
