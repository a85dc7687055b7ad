import { describe, expect, it } from "vitest";
import type { ClockReading, ContentsDigest } from "../../../src/core/elevation.ts";
import { decideRequest, decideRun, rememberEvent, type RequestEvent } from "../../../src/grant/rate-limit.ts";
import { CONTENTS, later, sha256Hex, START } from "../../helpers/sample-question.ts";

const MINUTE = 60_000;
const contentsOf = (text: string): ContentsDigest => sha256Hex(text) as ContentsDigest;
const base = (requestId: string, at: ClockReading = START, contents = contentsOf(requestId)) => ({
  requestId,
  session: "task-a",
  contents,
  at,
});
const asked = (requestId: string, at?: ClockReading, contents?: ContentsDigest): RequestEvent => ({
  kind: "asked",
  ...base(requestId, at, contents),
});
const answered = (
  requestId: string,
  isDenied: boolean,
  at?: ClockReading,
  contents?: ContentsDigest,
): RequestEvent => ({ kind: "answered", isDenied, ...base(requestId, at, contents) });

function decide(events: readonly RequestEvent[], now: ClockReading, contents = CONTENTS, session = "task-a"): string {
  const verdict = decideRequest(events, { session, contents }, now);
  return verdict.kind === "refused" ? verdict.code : verdict.kind;
}

const allowedTimes = (count: number): readonly RequestEvent[] =>
  Array.from({ length: count }, (_, index) => [asked(`r${index}`), answered(`r${index}`, false)]).flat();

describe("H12, T33: how often a human may be asked", () => {
  it("lets the first request through", () => {
    expect(decide([], START)).toBe("within-limits");
  });

  it("refuses the fourth that waits, in this session only", () => {
    const waiting = [asked("a"), asked("b"), asked("c")];
    expect(decide(waiting.slice(1), START)).toBe("within-limits");
    expect(decide(waiting, START)).toBe("too-many-pending");
    expect(decide(waiting, START, CONTENTS, "task-b")).toBe("within-limits");
    expect(decide([...waiting, answered("b", false)], START)).toBe("within-limits");
  });

  it("refuses a second question for what already waits for an answer", () => {
    expect(decide([asked("a", START, CONTENTS)], START)).toBe("too-many-pending");
  });

  it("refuses the eleventh in ten minutes, and no more once they are over", () => {
    expect(decide(allowedTimes(9), later(MINUTE))).toBe("within-limits");
    expect(decide(allowedTimes(10), later(MINUTE))).toBe("rate-limited");
    expect(decide(allowedTimes(10), later(10 * MINUTE - 1))).toBe("rate-limited");
    expect(decide(allowedTimes(10), later(10 * MINUTE))).toBe("within-limits");
  });

  it("R-06: refuses the seventh that waits in all sessions together, however many sessions there are", () => {
    const waiting = (count: number): readonly RequestEvent[] =>
      Array.from({ length: count }, (_, index) => ({ ...asked(`r${index}`), session: `made-up-${index}` }));
    expect(decide(waiting(5), START)).toBe("within-limits");
    expect(decide(waiting(6), START)).toBe("too-many-pending");
    expect(decide([...waiting(6), { ...answered("r3", false), session: "made-up-3" }], START)).toBe("within-limits");
  });

  it("R-06: refuses the thirty-first in ten minutes in all sessions together", () => {
    const questions = (count: number): readonly RequestEvent[] =>
      allowedTimes(count).map((event) => ({ ...event, session: `of ${event.requestId}` }));
    expect(decide(questions(29), later(MINUTE))).toBe("within-limits");
    expect(decide(questions(30), later(MINUTE))).toBe("rate-limited");
    expect(decide(questions(30), later(10 * MINUTE))).toBe("within-limits");
  });

  it("refuses for five minutes what was denied, and nothing else", () => {
    const denied = [asked("a", START, CONTENTS), answered("a", true, START, CONTENTS)];
    expect(decide(denied, later(5 * MINUTE - 1))).toBe("cooling-down");
    expect(decide(denied, later(5 * MINUTE))).toBe("within-limits");
    expect(decide(denied, later(1), contentsOf("other"))).toBe("within-limits");
    expect(decide([asked("a", START, CONTENTS), answered("a", false, START, CONTENTS)], later(1))).toBe(
      "within-limits",
    );
  });

  it("lasts until every clock says that the time is over", () => {
    const denied = [answered("a", true, START, CONTENTS)];
    const suspended = { ...later(5 * MINUTE), monotonicMs: START.monotonicMs + 1 };
    expect(decide(denied, suspended)).toBe("cooling-down");
  });

  it.each([
    ["the wall clock went back", { wallMs: START.wallMs - 2_001 }],
    ["the wall clock was set ahead", { wallMs: START.wallMs + 60_001 }],
    ["the monotonic clock went back", { monotonicMs: START.monotonicMs - 1 }],
    ["the time since boot went back", { uptimeMs: START.uptimeMs - 1 }],
    ["a clock gives no number", { uptimeMs: Number.NaN }],
  ])("refuses when %s", (_title, changes) => {
    expect(decide([asked("a"), answered("a", false)], { ...START, ...changes })).toBe("clock-anomaly");
  });

  it("refuses when a clock gives no number and nothing was asked yet", () => {
    expect(decide([], { ...START, wallMs: Number.NaN })).toBe("clock-anomaly");
  });
});

describe("how many commands may run", () => {
  const run = (kind: "started" | "ended", requestId: string): RequestEvent => ({ kind, ...base(requestId) });
  const decideNow = (events: readonly RequestEvent[], session = "task-a"): string => {
    const verdict = decideRun(events, session);
    return verdict.kind === "refused" ? verdict.code : verdict.kind;
  };

  it("is one for each session", () => {
    expect(decideNow([])).toBe("within-limits");
    expect(decideNow([run("started", "a")])).toBe("busy");
    expect(decideNow([run("started", "a")], "task-b")).toBe("within-limits");
    expect(decideNow([run("started", "a"), run("ended", "a")])).toBe("within-limits");
    expect(decideNow([run("started", "a"), run("started", "b"), run("ended", "a")])).toBe("busy");
  });

  it("is eight for all sessions together", () => {
    const running = (count: number): readonly RequestEvent[] =>
      Array.from({ length: count }, (_, index) => ({ ...run("started", `r${index}`), session: `s${index}` }));
    expect(decideNow(running(7))).toBe("within-limits");
    expect(decideNow(running(8))).toBe("busy");
    expect(decideNow([...running(8), { ...run("ended", "r5"), session: "s5" }])).toBe("within-limits");
  });
});

describe("rememberEvent", () => {
  it("keeps what still counts and what is not over, and forgets the rest", () => {
    const old = [asked("a"), answered("a", true), asked("waiting"), { kind: "started", ...base("running") } as const];
    const event = asked("new", later(10 * MINUTE));
    expect(rememberEvent(old, event)).toEqual([old[2], old[3], event]);
    const sooner = asked("new", later(10 * MINUTE - 1));
    expect(rememberEvent(old, sooner)).toEqual([...old, sooner]);
  });

  it("forgets by the clocks that nobody can set, so that a wall clock set back costs one window at most", () => {
    const events = [asked("a"), answered("a", false)];
    const setBack = { ...later(10 * MINUTE), wallMs: START.wallMs - 3_600_000 };
    expect(decide(events, { ...setBack, uptimeMs: setBack.uptimeMs - 1 })).toBe("clock-anomaly");
    expect(decide(events, setBack)).toBe("within-limits");
    expect(rememberEvent(events, asked("b", setBack))).toEqual([asked("b", setBack)]);
  });
});
