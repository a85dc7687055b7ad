import { describe, expect, it } from "vitest";
import { waitForRoute } from "../../../src/approve/wait-for-route.ts";
import type { ApprovalAnswer, Approver } from "../../../src/core/elevation.ts";
import { sampleQuestion, START } from "../../helpers/sample-question.ts";

const YES: ApprovalAnswer = { kind: "allow-once", by: { kind: "device", id: "phone" }, at: START.wallMs, keep: false };

function approverWith(routes: boolean[]): Approver {
  return {
    name: "test",
    hasRoute: async () => routes.shift() ?? false,
    ask: async () => YES,
  };
}

describe("an approver that waits for a route", () => {
  it("asks as soon as there is one", async () => {
    const waiting = waitForRoute(approverWith([false, true]), () => START.wallMs);
    expect(await waiting.hasRoute()).toBe(true);
    expect(await waiting.ask(sampleQuestion(), new AbortController().signal)).toEqual(YES);
  });

  it("says no when the question expires, or is withdrawn", async () => {
    const question = sampleQuestion();
    const late = waitForRoute(approverWith([]), () => question.expiresAt - 500);
    expect(await late.ask(question, new AbortController().signal)).toMatchObject({ kind: "deny", code: "no-route" });
    const withdrawn = waitForRoute(approverWith([]), () => START.wallMs);
    await expect(withdrawn.ask(question, AbortSignal.timeout(20))).rejects.toThrow("aborted");
    expect(await withdrawn.ask(question, AbortSignal.abort())).toMatchObject({ kind: "deny", code: "no-route" });
  });
});
