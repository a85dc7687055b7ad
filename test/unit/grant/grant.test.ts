import { describe, expect, it } from "vitest";
import type { ClockReading, ContentsDigest, GrantId } from "../../../src/core/elevation.ts";
import { ABSOLUTE_MS, ageOf, endGrant, type Grant, IDLE_MS, openGrant, useGrant } from "../../../src/grant/grant.ts";
import { CONTENTS, DIGEST, later, SESSION, START } from "../../helpers/sample-question.ts";

function grant(keep = false, changes: Partial<Grant> = {}): Grant {
  const by = { kind: "device", id: "phone" } as const;
  const approval = { kind: "approval", digest: DIGEST, contents: CONTENTS, by, at: START.wallMs, keep } as const;
  return { ...openGrant(approval, SESSION, "g" as GrantId, START), ...changes };
}

const wallSet = (by: number, at: ClockReading): ClockReading => ({ ...at, wallMs: at.wallMs + by });

function use(held: Grant, now: ClockReading = later(1), contents = CONTENTS): unknown {
  const used = useGrant(held, { contents, session: SESSION }, now);
  return "kind" in used ? used.code : used;
}

describe("ageOf", () => {
  it.each([
    ["just opened", START, "fresh"],
    ["a moment before 30 minutes", later(IDLE_MS - 1), "fresh"],
    ["30 minutes", later(IDLE_MS), "idle"],
    ["two hours", later(ABSOLUTE_MS), "absolute"],
    ["the wall clock 2 s back", wallSet(-2_000, START), "fresh"],
    ["the wall clock more than 2 s back", wallSet(-2_001, START), "clock-anomaly"],
    ["a minute of drift", wallSet(60_000, START), "fresh"],
    ["more than a minute of drift", wallSet(60_001, START), "clock-anomaly"],
  ])("after %s", (_title, now, age) => {
    expect(ageOf(grant(), now)).toBe(age);
  });

  it("judges the clocks since the opening and since the last use", () => {
    const used = grant(true, { lastUsedAt: wallSet(50_000, later(10_000)) });
    expect(ageOf(used, wallSet(50_000, later(20_000)))).toBe("fresh");
    // Set back by 70 s since the use, and never before the opening.
    expect(ageOf(used, wallSet(-20_000, later(60_000)))).toBe("clock-anomaly");
    // In order since the use, set by 70 s since the opening.
    const wandered = grant(true, { lastUsedAt: wallSet(70_000, later(10_000)) });
    expect(ageOf(wandered, wallSet(70_000, later(20_000)))).toBe("clock-anomaly");
  });
});

describe("useGrant", () => {
  it("spends a grant for one run, and keeps a kept one with the time of its use", () => {
    expect(use(grant())).toEqual({ ...grant(), state: { kind: "used" } });
    expect(use(grant(true))).toEqual({ ...grant(true), lastUsedAt: later(1) });
  });

  it("looks at the clocks itself", () => {
    expect(use(grant(), later(IDLE_MS))).toBe("grant-expired");
    expect(use(grant(), wallSet(-3_000, START))).toBe("clock-anomaly");
  });

  it("says how a grant ended", () => {
    const after = (reason: Parameters<typeof endGrant>[1]): unknown => use(endGrant(grant(), reason));
    expect([
      after("idle"),
      after("absolute"),
      after("denied"),
      after("policy-changed"),
      after("session-ended"),
    ]).toEqual(["grant-expired", "grant-expired", "denied", "policy-changed", "grant-unknown"]);
  });

  it("compares the contents exactly", () => {
    expect(use(grant(), later(1), CONTENTS.toUpperCase() as ContentsDigest)).toBe("grant-mismatch");
    expect(use(grant(), later(1), CONTENTS.slice(0, 63) as ContentsDigest)).toBe("grant-mismatch");
  });
});

describe("endGrant", () => {
  it("does not change how a grant has ended already", () => {
    const used = grant(false, { state: { kind: "used" } });
    expect(endGrant(used, "denied")).toBe(used);
    const expired = endGrant(grant(), "idle");
    expect(endGrant(expired, "denied")).toBe(expired);
  });
});
