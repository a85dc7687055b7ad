import { SecurityError } from "../core/error.ts";
import { MAX_QUESTION_MS } from "./ask.ts";
import { IDLE_MS } from "./grant.ts";
import { RATE_LIMITS, type RateLimits } from "./rate-limit.ts";

/** What an owner may set about elevation. Every value only makes it stricter than it is without. */
export interface OwnerLimits {
  /** Whole minutes until a grant that nobody uses ends, 1 to 30. */
  readonly idleMinutes?: number;
  /** How long a question waits for its answer, from 10 s to 10 min. */
  readonly questionMs?: number;
  /** Longest time limit that a request may ask for, from 1 s to 1 h. */
  readonly maxTimeoutMs?: number;
  /** Of one session: questions that wait (1 to 3) and questions in ten minutes (1 to 10). */
  readonly maxPending?: number;
  readonly maxRequests?: number;
  /** The same of all sessions together (1 to 6, 1 to 30). */
  readonly maxPendingOfAll?: number;
  readonly maxRequestsOfAll?: number;
  /** Privileged commands of all sessions that run at a time, 1 to 8. */
  readonly maxRunningOfAll?: number;
  /** How long the same request is refused after a no, from 5 min to 24 h. */
  readonly coolDownMs?: number;
}

export interface ElevationLimits {
  readonly idleMs: number;
  readonly questionMs: number;
  readonly maxTimeoutMs: number;
  readonly rates: RateLimits;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

/** What may be set, from and to; both ends included. */
const BOUNDS: Readonly<Record<keyof OwnerLimits, readonly [number, number]>> = {
  idleMinutes: [1, IDLE_MS / MINUTE_MS],
  questionMs: [10_000, MAX_QUESTION_MS],
  maxTimeoutMs: [1_000, 3_600_000],
  maxPending: [1, RATE_LIMITS.maxPending],
  maxRequests: [1, RATE_LIMITS.maxRequests],
  maxPendingOfAll: [1, RATE_LIMITS.maxPendingOfAll],
  maxRequestsOfAll: [1, RATE_LIMITS.maxRequestsOfAll],
  maxRunningOfAll: [1, RATE_LIMITS.maxRunningOfAll],
  coolDownMs: [RATE_LIMITS.coolDownMs, DAY_MS],
};

/**
 * The limits that hold. A value out of bounds is an error and not brought into them: an owner who
 * wrote it believes that something else holds.
 * @throws {SecurityError} invalid-input, unknown-key
 */
export function elevationLimits(given: OwnerLimits = {}): ElevationLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!isLimitName(name)) {
      throw new SecurityError("unknown-key", `There is no limit of elevation called ${name}`, {
        hint: `Known are ${Object.keys(BOUNDS).join(", ")}.`,
      });
    }
    const [least, most] = BOUNDS[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
      throw new SecurityError("invalid-input", `${name} must be a whole number from ${least} to ${most}`, {
        hint: "Limits of elevation can only be made stricter.",
      });
    }
  }
  const { idleMinutes, questionMs, maxTimeoutMs, ...rates } = given;
  const set = Object.fromEntries(Object.entries(rates).filter(([, value]) => value !== undefined));
  return {
    idleMs: idleMinutes === undefined ? IDLE_MS : idleMinutes * MINUTE_MS,
    questionMs: questionMs ?? MAX_QUESTION_MS,
    maxTimeoutMs: maxTimeoutMs ?? BOUNDS.maxTimeoutMs[1],
    rates: { ...RATE_LIMITS, ...set },
  };
}

function isLimitName(name: string): name is keyof OwnerLimits {
  return Object.hasOwn(BOUNDS, name);
}
