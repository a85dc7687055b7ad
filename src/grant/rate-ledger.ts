import type { ClockReading, ContentsDigest } from "../core/elevation.ts";
import type { Refusal } from "../core/refusal.ts";
import {
  decideRequest,
  decideRun,
  RATE_LIMITS,
  type RateLimits,
  rememberEvent,
  type RequestEvent,
} from "./rate-limit.ts";

/** Counts what was asked and run, so that nobody can be flooded with questions. In memory only. */
export interface RateLedger {
  /** Begins a question, or refuses it. The returned function ends it; call it once. */
  startRequest(requestId: string, session: string, contents: ContentsDigest): ((isDenied: boolean) => void) | Refusal;
  /** Begins a run, or refuses it. */
  startRun(requestId: string, session: string, contents: ContentsDigest): (() => void) | Refusal;
}

export function createRateLedger(readClocks: () => ClockReading, limits: RateLimits = RATE_LIMITS): RateLedger {
  let events: readonly RequestEvent[] = [];
  const remember = (event: RequestEvent): void => {
    events = rememberEvent(events, event, limits);
  };
  return {
    startRequest: (requestId, session, contents) => {
      const at = readClocks();
      const verdict = decideRequest(events, { session, contents }, at, limits);
      if (verdict.kind === "refused") return verdict;
      remember({ kind: "asked", requestId, session, contents, at });
      return (isDenied) => remember({ kind: "answered", isDenied, requestId, session, contents, at: readClocks() });
    },
    startRun: (requestId, session, contents) => {
      const verdict = decideRun(events, session, limits);
      if (verdict.kind === "refused") return verdict;
      const at = readClocks();
      remember({ kind: "started", requestId, session, contents, at });
      // Reads no clock: what ran has run, and one that fails now must not say otherwise or keep the session busy.
      return () => remember({ kind: "ended", requestId, session, contents, at });
    },
  };
}
