import { describe, expect, it } from "vitest";
import type { ApprovalAnswer, ApprovalQuestion, Approver, ApproverIdentity } from "../../../src/core/elevation.ts";
import { checkAnswer, type LateAnswer, lateAnswer } from "../../../src/grant/approval.ts";
import { askOnce, MAX_QUESTION_MS } from "../../../src/grant/ask.ts";
import { CONTENTS, DIGEST, sampleQuestion, START } from "../../helpers/sample-question.ts";

const NOW = START.wallMs;
const QUESTION = sampleQuestion();
const BY: ApproverIdentity = { kind: "device", id: "phone" };
const YES: ApprovalAnswer = { kind: "allow-once", by: BY, at: NOW, keep: false };

function codeOf(answer: unknown, question: ApprovalQuestion = QUESTION, now = NOW): string {
  const result = checkAnswer(answer, question, ["device", "channel"], now);
  return result.kind === "refused" ? result.code : "approved";
}

describe("checkAnswer", () => {
  it("binds a yes to the question that was asked", () => {
    expect(checkAnswer(YES, QUESTION, ["device"], NOW)).toEqual({
      kind: "approval",
      digest: DIGEST,
      contents: CONTENTS,
      by: BY,
      at: NOW,
      keep: false,
    });
  });

  it.each([
    "allow-once",
    "allow-always",
    "Allow-Once",
    true,
    1,
    null,
    undefined,
    {},
    [],
    { ...YES, kind: "allow-always" },
    { ...YES, kind: "Allow-Once" },
    { ...YES, kind: "allow" },
    { ...YES, kind: ["allow-once"] },
    { ...YES, by: undefined },
    { ...YES, by: null },
    { ...YES, by: "device" },
    { ...YES, by: { kind: "device" } },
    { ...YES, by: { kind: "root", id: "x" } },
    { ...YES, at: undefined },
    { ...YES, at: "now" },
    { ...YES, at: Number.NaN },
    { ...YES, at: Number.NEGATIVE_INFINITY },
    { ...YES, keep: undefined },
    { ...YES, keep: "true" },
    { ...YES, keep: 1 },
    { kind: "deny", code: "no-such-code" },
    { kind: "deny" },
    { kind: "deny", code: "toString" },
  ])("T28: takes %j for no", (answer) => {
    expect(codeOf(answer)).toBe("approval-invalid");
  });

  it("T28: takes an answer that throws when it is read for no", () => {
    const answer = new Proxy(YES, {
      get: () => {
        throw new Error("no");
      },
    });
    expect(codeOf(answer)).toBe("approval-invalid");
  });

  it("reads an answer once, so that it cannot change", () => {
    let reads = 0;
    const answer = {
      ...YES,
      get by(): unknown {
        reads += 1;
        return reads === 1 ? { kind: "runtime", id: "gateway-client" } : BY;
      },
    };
    expect(codeOf(answer)).toBe("untrusted-resolver");
    expect(reads).toBe(1);
  });

  it("passes the reason of a no on", () => {
    expect(codeOf({ kind: "deny", by: BY, at: NOW, code: "code-wrong" })).toBe("code-wrong");
  });

  it("R-03: takes a yes from approvers that count only", () => {
    const from = (kind: string): string => codeOf({ ...YES, by: { kind, id: "x" } });
    expect(["device", "channel", "runtime", "system", "terminal", "none"].map(from)).toEqual([
      "approved",
      "approved",
      "untrusted-resolver",
      "untrusted-resolver",
      "untrusted-resolver",
      "untrusted-resolver",
    ]);
    expect(checkAnswer(YES, QUESTION, [], NOW)).toMatchObject({ code: "untrusted-resolver" });
  });

  it("T29: takes no yes after the question has expired", () => {
    const { expiresAt } = QUESTION;
    expect(codeOf({ ...YES, at: expiresAt - 1 }, QUESTION, expiresAt - 1)).toBe("approved");
    expect(codeOf(YES, QUESTION, expiresAt)).toBe("approval-expired");
    expect(codeOf({ ...YES, at: expiresAt }, QUESTION, NOW)).toBe("approval-expired");
    expect(codeOf(YES, QUESTION, Number.NaN)).toBe("approval-expired");
    expect(codeOf(YES, sampleQuestion({ expiresAt: Number.NaN }))).toBe("approval-expired");
  });

  it("keeps only what the human was asked to keep", () => {
    const yes = { ...YES, keep: true };
    expect(checkAnswer(yes, QUESTION, ["device"], NOW)).toMatchObject({ keep: false });
    expect(checkAnswer(yes, sampleQuestion({ asksToKeep: true }), ["device"], NOW)).toMatchObject({ keep: true });
  });
});

describe("T29: what a late answer says", () => {
  it.each<[string, unknown, LateAnswer | null]>([
    ["a yes", YES, { decision: "allow-once", by: BY }],
    ["a no", { kind: "deny", by: BY, at: NOW, code: "denied" }, { decision: "deny", by: BY }],
    ["a no of nobody known", { kind: "deny", at: NOW, code: "denied" }, { decision: "deny", by: null }],
    [
      "a no by an odd kind",
      { kind: "deny", by: { kind: "root", id: "x" }, code: "denied" },
      { decision: "deny", by: null },
    ],
    ["no known form", "yes", { decision: "unreadable", by: null }],
    ["the question taken away", { kind: "deny", by: BY, at: NOW, code: "approval-expired" }, null],
    ["nobody to ask", { kind: "deny", by: BY, at: NOW, code: "no-route" }, null],
  ])("%s", (_title, answer, late) => {
    expect(lateAnswer(answer)).toEqual(late);
  });
});

describe("askOnce", () => {
  interface Ask {
    readonly late: readonly LateAnswer[];
    readonly result: Promise<string>;
    readonly delays: readonly number[];
    readonly isTimerSet: () => boolean;
    readonly expire: () => void;
  }

  function ask(
    approver: Partial<Approver>,
    options: { question?: ApprovalQuestion; signal?: AbortSignal; now?: () => number } = {},
  ): Ask {
    const delays: number[] = [];
    const late: LateAnswer[] = [];
    let timer: (() => void) | null = null;
    const deps = {
      onLate: (answer: LateAnswer) => void late.push(answer),
      now: options.now ?? (() => NOW),
      setTimer: (callback: () => void, delayMs: number) => {
        delays.push(delayMs);
        timer = callback;
        return () => {
          timer = null;
        };
      },
    };
    const whole = { name: "test", hasRoute: async () => true, ask: async () => YES, ...approver };
    const signal = options.signal ?? new AbortController().signal;
    const result = askOnce(deps, whole, options.question ?? QUESTION, ["device"], signal).then((answer) =>
      answer.kind === "refused" ? answer.code : "approved",
    );
    return { result, late, delays, isTimerSet: () => timer !== null, expire: () => timer?.() };
  }

  const never = async (): Promise<never> => await new Promise<never>(() => undefined);
  const boom = async (): Promise<never> => await Promise.reject(new Error("\u001b[8m no"));

  it("gives the approval, and leaves no timer", async () => {
    const { result, isTimerSet } = ask({});
    expect(await result).toBe("approved");
    expect(isTimerSet()).toBe(false);
  });

  it("T34: asks nobody where there is no route", async () => {
    let asked = 0;
    const count = async (): Promise<ApprovalAnswer> => {
      asked += 1;
      return YES;
    };
    expect(await ask({ hasRoute: async () => false, ask: count }).result).toBe("no-route");
    expect(await ask({ hasRoute: async () => "yes" as unknown as boolean, ask: count }).result).toBe("no-route");
    expect(asked).toBe(0);
  });

  it("T28: takes whatever is thrown for no", async () => {
    expect(await ask({ ask: boom }).result).toBe("approval-invalid");
    expect(await ask({ hasRoute: boom }).result).toBe("approval-invalid");
    const throwing = (): never => {
      throw new TypeError("not even a promise");
    };
    expect(await ask({ ask: throwing }).result).toBe("approval-invalid");
  });

  it("T28: ends a question that is never answered, and tells the approver", async () => {
    let told: AbortSignal | undefined;
    const asking = ask({
      ask: async (_question, signal) => {
        told = signal;
        return await never();
      },
    });
    await Promise.resolve();
    await Promise.resolve();
    asking.expire();
    expect(await asking.result).toBe("approval-expired");
    expect(told?.aborted).toBe(true);
    expect(asking.delays).toEqual([600_000]);
  });

  it("R-07: waits ten minutes at most, whatever the question says", async () => {
    const asking = ask({ ask: never }, { question: sampleQuestion({ expiresAt: NOW + 10 * MAX_QUESTION_MS }) });
    expect(asking.delays).toEqual([MAX_QUESTION_MS]);
    asking.expire();
    expect(await asking.result).toBe("approval-expired");
  });

  it.each([NOW, NOW - 1, Number.NaN])("does not ask a question that expired (%s)", async (expiresAt) => {
    let asked = 0;
    const hasRoute = async (): Promise<boolean> => {
      asked += 1;
      return true;
    };
    expect(await ask({ hasRoute }, { question: sampleQuestion({ expiresAt }) }).result).toBe("approval-expired");
    expect(asked).toBe(0);
  });

  it("ends with the abort of the caller, before and while asking", async () => {
    expect(await ask({}, { signal: AbortSignal.abort() }).result).toBe("approval-expired");
    const controller = new AbortController();
    const asking = ask({ ask: never }, { signal: controller.signal });
    controller.abort();
    expect(await asking.result).toBe("approval-expired");
  });

  it("T29: has no use for a yes that comes after the abort", async () => {
    const controller = new AbortController();
    const late = Promise.withResolvers<ApprovalAnswer>();
    const asking = ask({ ask: async () => await late.promise }, { signal: controller.signal });
    controller.abort();
    late.resolve(YES);
    expect(await asking.result).toBe("approval-expired");
    expect(asking.late).toEqual([{ decision: "allow-once", by: BY }]);
  });

  it("R-08: takes an approver that puts its question away for nobody's decision", async () => {
    const controller = new AbortController();
    const away = Promise.withResolvers<ApprovalAnswer>();
    const asking = ask({ ask: async () => await away.promise }, { signal: controller.signal });
    await new Promise((done) => setImmediate(done));
    controller.abort();
    away.resolve({ kind: "deny", by: BY, at: NOW, code: "approval-expired" });
    expect(await asking.result).toBe("approval-expired");
    await new Promise((done) => setImmediate(done));
    expect(asking.late).toEqual([]);
  });

  it("R-08: tells of a yes that comes when the question is over, once, and of none that came in time", async () => {
    const late = Promise.withResolvers<ApprovalAnswer>();
    const asking = ask({ ask: async () => await late.promise });
    await Promise.resolve();
    await Promise.resolve();
    asking.expire();
    expect(await asking.result).toBe("approval-expired");
    expect(asking.late).toEqual([]);
    late.resolve(YES);
    await new Promise((done) => setImmediate(done));
    expect(asking.late).toEqual([{ decision: "allow-once", by: BY }]);
    const inTime = ask({});
    await inTime.result;
    expect(inTime.late).toEqual([]);
  });

  it("T29: asks nobody when the route is found after the end", async () => {
    let asked = 0;
    const route = Promise.withResolvers<boolean>();
    const asking = ask({
      hasRoute: async () => await route.promise,
      ask: async () => {
        asked += 1;
        return YES;
      },
    });
    asking.expire();
    expect(await asking.result).toBe("approval-expired");
    route.resolve(true);
    await route.promise;
    await Promise.resolve();
    expect(asked).toBe(0);
  });

  it("takes no yes that came after the time by the wall clock, though the timer has not rung", async () => {
    let now = NOW;
    const asking = ask(
      {
        ask: async () => {
          now = QUESTION.expiresAt;
          return YES;
        },
      },
      { now: () => now },
    );
    expect(await asking.result).toBe("approval-expired");
    expect(asking.late).toEqual([{ decision: "allow-once", by: BY }]);
  });
});
