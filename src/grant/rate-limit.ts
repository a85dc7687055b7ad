import type { ClockReading, ContentsDigest } from "../core/elevation.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { isClockAnomaly, leastElapsedMs } from "./clocks.ts";

/**
 * How often people may be asked, so that nobody is worn down into a yes. A pure function of what
 * happened; the caller keeps the list, in memory.
 */
export type RequestEvent = {
  readonly requestId: string;
  readonly session: string;
  readonly contents: ContentsDigest;
  readonly at: ClockReading;
} & (
  | { readonly kind: "asked" }
  /** The question is over. `isDenied`: somebody was asked and the answer was not a yes. */
  | { readonly kind: "answered"; readonly isDenied: boolean }
  | { readonly kind: "started" }
  | { readonly kind: "ended" }
);

export interface RateLimits {
  /** Of one session. */
  readonly maxPending: number;
  readonly maxRequests: number;
  readonly maxRunning: number;
  /** Of all sessions together: an agent can open as many as it likes. */
  readonly maxPendingOfAll: number;
  readonly maxRequestsOfAll: number;
  readonly maxRunningOfAll: number;
  readonly windowMs: number;
  readonly coolDownMs: number;
}

export const RATE_LIMITS: RateLimits = {
  maxPending: 3,
  maxRequests: 10,
  maxRunning: 1,
  maxPendingOfAll: 6,
  maxRequestsOfAll: 30,
  maxRunningOfAll: 8,
  windowMs: 600_000,
  coolDownMs: 300_000,
};

export interface WithinLimits {
  readonly kind: "within-limits";
}

const WITHIN: WithinLimits = { kind: "within-limits" };

/** Whether a human may be asked for `contents` now. */
export function decideRequest(
  events: readonly RequestEvent[],
  wanted: { readonly session: string; readonly contents: ContentsDigest },
  now: ClockReading,
  limits: RateLimits = RATE_LIMITS,
): WithinLimits | Refusal {
  const current = currentEvents(events, now, limits);
  if (hasAnomaly(current, now)) return refuse("clock-anomaly", "a clock went back, so nothing can be counted");
  const own = current.filter((event) => event.session === wanted.session);
  const isDenied = own.some(
    (event) =>
      event.kind === "answered" &&
      event.isDenied &&
      event.contents === wanted.contents &&
      leastElapsedMs(event.at, now) < limits.coolDownMs,
  );
  if (isDenied) return refuse("cooling-down", "the same request was denied a moment ago");
  const pending = openOf(own, "asked", "answered");
  if (pending.some((event) => event.contents === wanted.contents)) {
    return refuse("too-many-pending", "the same request is already waiting for an answer");
  }
  if (pending.length >= limits.maxPending) {
    return refuse("too-many-pending", `${pending.length} requests of this session wait for an answer`);
  }
  const recent = current.filter((event) => event.kind === "asked" && leastElapsedMs(event.at, now) < limits.windowMs);
  const ownRecent = recent.filter((event) => event.session === wanted.session);
  const minutes = limits.windowMs / 60_000;
  if (ownRecent.length >= limits.maxRequests) {
    return refuse("rate-limited", `${ownRecent.length} requests of this session in the last ${minutes} minutes`);
  }
  const allPending = openOf(current, "asked", "answered");
  if (allPending.length >= limits.maxPendingOfAll) {
    return refuse("too-many-pending", `${allPending.length} requests of all sessions wait for an answer`);
  }
  if (recent.length >= limits.maxRequestsOfAll) {
    return refuse("rate-limited", `${recent.length} requests of all sessions in the last ${minutes} minutes`);
  }
  return WITHIN;
}

/** Whether a privileged command of the session may start now. */
export function decideRun(
  events: readonly RequestEvent[],
  session: string,
  limits: RateLimits = RATE_LIMITS,
): WithinLimits | Refusal {
  const running = openOf(events, "started", "ended");
  const own = running.filter((event) => event.session === session);
  if (own.length >= limits.maxRunning) return refuse("busy", "a privileged command of this session runs");
  return running.length >= limits.maxRunningOfAll
    ? refuse("busy", `${running.length} privileged commands of other sessions run`)
    : WITHIN;
}

/** The list with one more event and without those that no longer count. */
export function rememberEvent(
  events: readonly RequestEvent[],
  event: RequestEvent,
  limits: RateLimits = RATE_LIMITS,
): readonly RequestEvent[] {
  return currentEvents([...events, event], event.at, limits);
}

/**
 * Without questions and runs that are over, and older than the window by both clocks that nobody
 * can set. So a wall clock that was set back costs one window at most.
 */
function currentEvents(
  events: readonly RequestEvent[],
  now: ClockReading,
  limits: RateLimits,
): readonly RequestEvent[] {
  const open = new Set([...openOf(events, "asked", "answered"), ...openOf(events, "started", "ended")]);
  const keepMs = Math.max(limits.windowMs, limits.coolDownMs);
  return events.filter((event) => {
    const isOld = now.monotonicMs - event.at.monotonicMs >= keepMs && now.uptimeMs - event.at.uptimeMs >= keepMs;
    return !isOld || open.has(event);
  });
}

/** Events of the one kind whose request has none of the other. */
function openOf(
  events: readonly RequestEvent[],
  from: RequestEvent["kind"],
  to: RequestEvent["kind"],
): readonly RequestEvent[] {
  const over = new Set(events.filter((event) => event.kind === to).map((event) => event.requestId));
  return events.filter((event) => event.kind === from && !over.has(event.requestId));
}

function hasAnomaly(events: readonly RequestEvent[], now: ClockReading): boolean {
  return isClockAnomaly(now, now) || events.some((event) => isClockAnomaly(event.at, now));
}
