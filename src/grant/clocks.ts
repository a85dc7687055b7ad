import type { ClockReading } from "../core/elevation.ts";

/** How far the wall clock may be set back without losing trust in it: small corrections of NTP. */
const WALL_BACK_MS = 2_000;
/** How far wall clock and time since boot may drift apart. */
const DRIFT_MS = 60_000;

/**
 * True when time went wrong between two readings: a clock went back, the wall clock was set, or a
 * reading is no number.
 */
export function isClockAnomaly(before: ClockReading, after: ClockReading): boolean {
  const drift = after.wallMs - after.uptimeMs - (before.wallMs - before.uptimeMs);
  // Written as what must hold, because every comparison with NaN is false.
  const isSound =
    before.wallMs - after.wallMs <= WALL_BACK_MS &&
    Math.abs(drift) <= DRIFT_MS &&
    after.monotonicMs >= before.monotonicMs &&
    after.uptimeMs >= before.uptimeMs;
  return !isSound;
}

/** Time passed by the clock that says most: for what ends when any clock says so. */
export function mostElapsedMs(before: ClockReading, after: ClockReading): number {
  return Math.max(...elapsed(before, after));
}

/** Time passed by the clock that says least: for what lasts until every clock says it is over. */
export function leastElapsedMs(before: ClockReading, after: ClockReading): number {
  return Math.min(...elapsed(before, after));
}

function elapsed(before: ClockReading, after: ClockReading): readonly number[] {
  return [after.wallMs - before.wallMs, after.monotonicMs - before.monotonicMs, after.uptimeMs - before.uptimeMs];
}
