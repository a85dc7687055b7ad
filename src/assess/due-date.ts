import { DUE_DAYS, type Risk } from "../core/risk.ts";
import { DAY_MS, type EpochMs, epochFromIso, isoDateFromEpoch, isoFromEpoch } from "../core/time.ts";
import type { RunCheck } from "../schema/assessment-history.ts";
import type { CheckStatus } from "./assessment.ts";

/** When a gap was first seen and is due. `risk` is the gap's, also while it cannot be measured. */
export interface GapDates {
  readonly first_seen: string | null;
  readonly due_date: string | null;
  readonly risk: Risk;
  readonly overdue: boolean;
  /** How often it came back soon after it was closed. */
  readonly reopened: number;
}

export type ClosedGap = NonNullable<RunCheck["closed"]>;

/** A gap that comes back within this time is the old one: closing it for a day must not buy it a new date. */
const REOPEN_DAYS = 30;

/**
 * Dates of one check, from what the last run knew about it.
 * A gap is due DUE_DAYS[risk] after it was first seen. When its risk rises it is due that long after
 * the rise, if that is sooner: while a gap stays open its date never moves later. A run that could
 * not look leaves the dates as they are; only an answer without a gap clears them, and for 30 days
 * not for good: a gap that comes back by then has its old dates.
 */
export function dateGap(previous: RunCheck | undefined, status: CheckStatus, risk: Risk, now: EpochMs): GapDates {
  switch (status) {
    case "compliant":
    case "not_applicable":
      return { first_seen: null, due_date: null, risk, overdue: false, reopened: 0 };
    case "not_assessed":
      return previous === undefined || previous.first_seen === null
        ? { first_seen: null, due_date: null, risk, overdue: false, reopened: 0 }
        : kept(previous, previous.risk, now);
    case "violation":
    case "partial":
      if (previous !== undefined && previous.first_seen !== null) return kept(previous, risk, now);
      return reopened(previous, risk, now) ?? dated(now, dueAfter(now, risk), risk, now, 0);
  }
}

function kept(previous: RunCheck, risk: Risk, now: EpochMs): GapDates {
  // A time in the future (a clock set back, an edited file) must not push the date out.
  const firstSeen = Math.min(epochFromIso(previous.first_seen ?? "") ?? now, now);
  const before = previous.due_date ?? dueAfter(firstSeen, previous.risk);
  // Neither a rise of risk nor a date from a clock that was wrong, or from an edited file, gives more
  // time than a gap of this risk that is found just now.
  return dated(firstSeen, sooner(before, dueAfter(now, risk)), risk, now, previous.reopened ?? 0);
}

/** The closed gap with its old dates; null when there was none, or too long ago. */
function reopened(previous: RunCheck | undefined, risk: Risk, now: EpochMs): GapDates | null {
  const closed = closedGap(previous, now);
  if (closed === null) return null;
  const firstSeen = Math.min(epochFromIso(closed.first_seen) ?? now, now);
  const due = sooner(closed.due_date, dueAfter(now, risk));
  return dated(firstSeen, due, risk, now, (previous?.reopened ?? 0) + 1);
}

/** What is still remembered of a gap that was closed. */
export function closedGap(check: RunCheck | undefined, now: EpochMs): ClosedGap | null {
  const closed = check?.closed;
  if (closed === undefined) return null;
  return now - (epochFromIso(closed.at) ?? 0) <= REOPEN_DAYS * DAY_MS ? closed : null;
}

function dated(firstSeen: EpochMs, due: string, risk: Risk, now: EpochMs, times: number): GapDates {
  const overdue = isoDateFromEpoch(now) > due;
  return { first_seen: isoFromEpoch(firstSeen), due_date: due, risk, overdue, reopened: times };
}

function dueAfter(from: EpochMs, risk: Risk): string {
  return isoDateFromEpoch(from + DUE_DAYS[risk] * DAY_MS);
}

/** ISO dates sort as text. */
function sooner(a: string, b: string): string {
  return a < b ? a : b;
}
