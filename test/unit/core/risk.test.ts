import { describe, expect, it } from "vitest";
import { compareRisk, DUE_DAYS, isAtLeast, RISKS } from "../../../src/core/risk.ts";

describe("risk", () => {
  it("sorts the worst first", () => {
    expect((["low", "critical", "medium", "high", "low"] as const).toSorted(compareRisk)).toEqual([
      "critical",
      "high",
      "medium",
      "low",
      "low",
    ]);
  });

  it("reaches a threshold when it is equal or higher", () => {
    expect(RISKS.map((risk) => isAtLeast(risk, "high"))).toEqual([true, true, false, false]);
    expect(RISKS.map((risk) => isAtLeast(risk, "low"))).toEqual([true, true, true, true]);
    expect(RISKS.map((risk) => isAtLeast(risk, "critical"))).toEqual([true, false, false, false]);
  });

  it("leaves less time the higher it is", () => {
    expect(RISKS.map((risk) => DUE_DAYS[risk])).toEqual([2, 7, 30, 90]);
  });
});
