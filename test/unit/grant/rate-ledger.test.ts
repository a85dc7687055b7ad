import { describe, expect, it } from "vitest";
import type { ClockReading, ContentsDigest } from "../../../src/core/elevation.ts";
import type { Refusal } from "../../../src/core/refusal.ts";
import { createRateLedger, type RateLedger } from "../../../src/grant/rate-ledger.ts";
import { RATE_LIMITS, type RateLimits } from "../../../src/grant/rate-limit.ts";
import { CONTENTS, later, sha256Hex, START } from "../../helpers/sample-question.ts";

const MINUTE = 60_000;
const other = (index: number): ContentsDigest => sha256Hex(`other ${index}`) as ContentsDigest;

function ledgerAt(limits?: RateLimits): {
  readonly ledger: RateLedger;
  readonly set: (reading: ClockReading | null) => void;
} {
  let now: ClockReading | null = START;
  const ledger = createRateLedger(() => {
    if (now === null) throw new Error("no clock");
    return now;
  }, limits);
  return { ledger, set: (reading) => (now = reading) };
}

const codeOf = (value: ((isDenied: boolean) => void) | (() => void) | Refusal): string =>
  typeof value === "function" ? "begun" : value.code;

function begun<T extends (isDenied: boolean) => void>(value: T | Refusal): T {
  if (typeof value !== "function") throw new Error(`refused: ${value.code}`);
  return value;
}

describe("H12, T33: the ledger of questions", () => {
  it("refuses what waits already, and no more once it was answered", () => {
    const { ledger } = ledgerAt();
    const end = begun(ledger.startRequest("r1", "task-a", CONTENTS));
    expect(codeOf(ledger.startRequest("r2", "task-a", CONTENTS))).toBe("too-many-pending");
    end(false);
    expect(codeOf(ledger.startRequest("r3", "task-a", CONTENTS))).toBe("begun");
  });

  it("does not count a question that it refused", () => {
    const { ledger } = ledgerAt();
    const ends = [0, 1, 2].map((index) => begun(ledger.startRequest(`r${index}`, "task-a", other(index))));
    for (let index = 3; index < 30; index += 1) {
      expect(codeOf(ledger.startRequest(`r${index}`, "task-a", other(index)))).toBe("too-many-pending");
    }
    for (const end of ends) end(false);
    expect(codeOf(ledger.startRequest("r30", "task-a", other(30)))).toBe("begun");
  });

  it("cools down from the moment of the denial, not of the question", () => {
    const { ledger, set } = ledgerAt();
    const end = begun(ledger.startRequest("r1", "task-a", CONTENTS));
    set(later(4 * MINUTE));
    end(true);
    set(later(9 * MINUTE - 1));
    expect(codeOf(ledger.startRequest("r2", "task-a", CONTENTS))).toBe("cooling-down");
    set(later(9 * MINUTE));
    expect(codeOf(ledger.startRequest("r3", "task-a", CONTENTS))).toBe("begun");
  });

  it("refuses the eleventh in ten minutes in this session, not in another", () => {
    const { ledger } = ledgerAt();
    for (let index = 0; index < 10; index += 1) begun(ledger.startRequest(`r${index}`, "task-a", other(index)))(false);
    expect(codeOf(ledger.startRequest("r10", "task-a", other(10)))).toBe("rate-limited");
    expect(codeOf(ledger.startRequest("r11", "task-b", other(10)))).toBe("begun");
  });

  it("R-06: cannot be got around with a session for each question", () => {
    const { ledger } = ledgerAt();
    const codes = Array.from({ length: 40 }, (_, index) => {
      const begin = ledger.startRequest(`r${index}`, `made-up-${index}`, other(index));
      if (typeof begin === "function") begin(false);
      return codeOf(begin);
    });
    expect(codes.slice(0, 30).every((code) => code === "begun")).toBe(true);
    expect(new Set(codes.slice(30))).toEqual(new Set(["rate-limited"]));
  });

  it("keeps to the limits that it was given", () => {
    const { ledger, set } = ledgerAt({
      ...RATE_LIMITS,
      maxRequestsOfAll: 1,
      coolDownMs: 20 * MINUTE,
      maxRunningOfAll: 1,
    });
    begun(ledger.startRequest("r1", "task-a", CONTENTS))(true);
    expect(codeOf(ledger.startRequest("r2", "task-b", CONTENTS))).toBe("rate-limited");
    set(later(20 * MINUTE - 1));
    expect(codeOf(ledger.startRequest("r3", "task-a", CONTENTS))).toBe("cooling-down");
    begun(ledger.startRun("r4", "task-a", CONTENTS));
    expect(codeOf(ledger.startRun("r5", "task-b", CONTENTS))).toBe("busy");
  });

  it("begins no question without a clock", () => {
    const { ledger, set } = ledgerAt();
    set(null);
    expect(() => ledger.startRequest("r1", "task-a", CONTENTS)).toThrow("no clock");
    set(START);
    expect(codeOf(ledger.startRequest("r2", "task-a", CONTENTS))).toBe("begun");
  });

  it("keeps a question open whose end no clock could date", () => {
    const { ledger, set } = ledgerAt();
    const end = begun(ledger.startRequest("r1", "task-a", CONTENTS));
    set(null);
    expect(() => end(true)).toThrow("no clock");
    set(later(1));
    expect(codeOf(ledger.startRequest("r2", "task-a", CONTENTS))).toBe("too-many-pending");
  });
});

describe("H14: the ledger of runs", () => {
  it("lets one run of a session start at a time", () => {
    const { ledger } = ledgerAt();
    const end = begun(ledger.startRun("r1", "task-a", CONTENTS));
    expect(codeOf(ledger.startRun("r2", "task-a", other(1)))).toBe("busy");
    expect(codeOf(ledger.startRun("r3", "task-b", CONTENTS))).toBe("begun");
    end();
    expect(codeOf(ledger.startRun("r4", "task-a", CONTENTS))).toBe("begun");
  });

  it("remembers a run for as long as it takes", () => {
    const { ledger, set } = ledgerAt();
    begun(ledger.startRun("r1", "task-a", CONTENTS));
    set(later(24 * 60 * MINUTE));
    begun(ledger.startRequest("r2", "task-a", other(1)))(false);
    expect(codeOf(ledger.startRun("r3", "task-a", CONTENTS))).toBe("busy");
  });

  it("ends a run though no clock can be read by then", () => {
    const { ledger, set } = ledgerAt();
    const end = begun(ledger.startRun("r1", "task-a", CONTENTS));
    set(null);
    end();
    set(later(1));
    expect(codeOf(ledger.startRun("r2", "task-a", CONTENTS))).toBe("begun");
  });
});
