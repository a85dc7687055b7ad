import type { SecurityErrorCode } from "./error.ts";

/**
 * A raw fact with where and when it was taken, or the reason it could not be taken.
 * "Could not look" is a value of its own so that no check can mistake it for "nothing there".
 */
export type Evidence<T> = Measured<T> | Unmeasured;

export interface Measured<T> {
  readonly kind: "measured";
  readonly value: T;
  /** What was read or run, e.g. a path or a command; never a secret. */
  readonly source: string;
  /** ISO-8601 UTC. */
  readonly at: string;
}

export interface Unmeasured {
  readonly kind: "unmeasured";
  readonly code: SecurityErrorCode | "not-built" | "not-applicable" | "not-asked";
  /** One sentence a person can act on. */
  readonly reason: string;
  readonly source: string;
  readonly at: string;
}

export function measured<T>(value: T, source: string, at: string): Measured<T> {
  return { kind: "measured", value, source, at };
}

export function unmeasured(code: Unmeasured["code"], reason: string, source: string, at: string): Unmeasured {
  return { kind: "unmeasured", code, reason, source, at };
}
