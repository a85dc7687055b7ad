import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { elevationLimits, type OwnerLimits } from "../../../src/grant/owner-limits.ts";
import { RATE_LIMITS } from "../../../src/grant/rate-limit.ts";

function codeOf(given: unknown): string {
  try {
    elevationLimits(given as OwnerLimits);
    return "taken";
  } catch (thrown) {
    return thrown instanceof SecurityError ? thrown.code : String(thrown);
  }
}

describe("elevationLimits", () => {
  it("gives the limits that hold without any wish", () => {
    const whole = { idleMs: 30 * 60_000, questionMs: 600_000, maxTimeoutMs: 3_600_000, rates: RATE_LIMITS };
    expect(elevationLimits()).toEqual(whole);
    expect(elevationLimits({ maxPending: undefined } as unknown as OwnerLimits)).toEqual(whole);
  });

  it("takes what is stricter", () => {
    const given = {
      idleMinutes: 5,
      questionMs: 20_000,
      maxTimeoutMs: 60_000,
      maxPending: 1,
      maxRequestsOfAll: 4,
      coolDownMs: 3_600_000,
    };
    expect(elevationLimits(given)).toEqual({
      idleMs: 300_000,
      questionMs: 20_000,
      maxTimeoutMs: 60_000,
      rates: { ...RATE_LIMITS, maxPending: 1, maxRequestsOfAll: 4, coolDownMs: 3_600_000 },
    });
  });

  it.each<[keyof OwnerLimits, number, number]>([
    ["idleMinutes", 1, 30],
    ["questionMs", 10_000, 600_000],
    ["maxTimeoutMs", 1_000, 3_600_000],
    ["maxPending", 1, 3],
    ["maxRequests", 1, 10],
    ["maxPendingOfAll", 1, 6],
    ["maxRequestsOfAll", 1, 30],
    ["maxRunningOfAll", 1, 8],
    ["coolDownMs", 300_000, 86_400_000],
  ])("refuses %s outside of %d to %d, rather than to bring it in", (name, least, most) => {
    const codes = [least - 1, least, most, most + 1, least + 0.5, Number.NaN, Infinity, "5", null, [least]].map(
      (value) => codeOf({ [name]: value }),
    );
    const no = "invalid-input";
    expect(codes).toEqual([no, "taken", "taken", no, no, no, no, no, no, no]);
  });

  it.each(["idleMinute", "windowMs", "maxRunning", "__proto__x", "toString"])("refuses a limit called %s", (name) => {
    expect(codeOf({ [name]: 1 })).toBe("unknown-key");
  });
});
