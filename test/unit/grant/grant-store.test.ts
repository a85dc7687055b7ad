import { beforeEach, describe, expect, it } from "vitest";
import type { ClockReading, ContentsDigest, GrantId, SessionIdentity } from "../../../src/core/elevation.ts";
import type { Approval } from "../../../src/grant/approval.ts";
import { createGrantStore, type GrantDrop, type GrantStore } from "../../../src/grant/grant-store.ts";
import { ABSOLUTE_MS, expiresAt, type Grant, IDLE_MS } from "../../../src/grant/grant.ts";
import { CONTENTS, DIGEST, later, SESSION, sha256Hex, START } from "../../helpers/sample-question.ts";

const OTHER = sha256Hex("other") as ContentsDigest;
const MINUTE = 60_000;

let now: ClockReading;
let drops: GrantDrop[];
let timers: { at: number; callback: () => void }[];
let store: GrantStore;
let ids: number;

beforeEach(() => {
  now = START;
  drops = [];
  timers = [];
  ids = 0;
  store = makeStore();
});

function makeStore(readClocks: () => ClockReading = () => now, idleMs = IDLE_MS): GrantStore {
  return createGrantStore({
    readClocks,
    idleMs,
    setTimer: (callback, delayMs) => {
      const timer = { at: now.monotonicMs + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    onDrop: (drop) => drops.push(drop),
    newId: () => `grant-${(ids += 1)}`,
  });
}

/** Lets time pass, with every timer called when it is due and nobody asking anything. */
function pass(ms: number): void {
  const end = later(ms, now);
  for (;;) {
    const [next] = timers.filter((timer) => timer.at <= end.monotonicMs).sort((a, b) => a.at - b.at);
    if (next === undefined) break;
    now = later(next.at - now.monotonicMs, now);
    timers = timers.filter((timer) => timer !== next);
    next.callback();
  }
  now = end;
}

function approval(changes: Partial<Approval> = {}): Approval {
  return {
    kind: "approval",
    digest: DIGEST,
    contents: CONTENTS,
    by: { kind: "device", id: "phone" },
    at: now.wallMs,
    keep: false,
    ...changes,
  };
}

function open(changes: Partial<Approval> = {}, session: SessionIdentity = SESSION): Grant {
  const given = approval(changes);
  const grant = store.open(given, given.contents, session);
  if ("kind" in grant) throw new Error(`refused: ${grant.code}`);
  return grant;
}

function use(grantId: GrantId | null = null, contents = CONTENTS, session = SESSION): string {
  const used = store.consume({ grantId, contents, session });
  return "kind" in used ? used.code : "ran";
}

const reasons = (): readonly string[] => drops.map((drop) => drop.reason);

describe("a grant", () => {
  it("runs once", () => {
    const { id } = open();
    expect([use(id), use(id), use()]).toEqual(["ran", "grant-used", "grant-unknown"]);
    expect(store.list()).toEqual([]);
    expect(drops).toEqual([]);
  });

  it("H14: cannot run a second time while the first is in flight: of 20 parallel uses one gets it", async () => {
    const { id } = open();
    const uses = await Promise.all(Array.from({ length: 20 }, async () => use(id)));
    expect(uses.filter((result) => result === "ran")).toHaveLength(1);
    expect(uses.filter((result) => result === "grant-used")).toHaveLength(19);
  });

  it("H30: is for its own contents only, and is not lost by asking for others", () => {
    const { id } = open();
    expect([use(id, OTHER), use(null, OTHER), use(id)]).toEqual(["grant-mismatch", "grant-unknown", "ran"]);
  });

  it("H17, H18: is for its own session only, the agent and the way in included", () => {
    const { id } = open();
    const others: SessionIdentity[] = [
      { ...SESSION, session: "task-b" },
      { ...SESSION, agent: null },
      { ...SESSION, channel: "shim" },
    ];
    for (const other of others) expect(use(id, CONTENTS, other)).toBe("session-mismatch");
    for (const other of others) expect(use(null, CONTENTS, other)).toBe("grant-unknown");
    expect(use(id)).toBe("ran");
  });

  it("opens once for each approval, and only for what was approved", () => {
    const given = approval();
    expect(store.open(given, OTHER, SESSION)).toMatchObject({ code: "request-changed" });
    expect(store.open(given, CONTENTS, SESSION)).toMatchObject({ id: "grant-1" });
    expect(store.open(given, CONTENTS, SESSION)).toMatchObject({ code: "approval-invalid" });
  });

  it("does not take the id of another", () => {
    open();
    ids = 0;
    expect(store.open(approval(), CONTENTS, SESSION)).toMatchObject({ code: "approval-invalid" });
    use();
    ids = 0;
    expect(store.open(approval(), CONTENTS, SESSION)).toMatchObject({ code: "approval-invalid" });
  });

  it("is unknown when nobody gave it", () => {
    expect(use("grant-1" as GrantId)).toBe("grant-unknown");
  });

  it("is not in a new store: nothing survives a restart", () => {
    const { id } = open();
    store = makeStore();
    expect([use(id), use()]).toEqual(["grant-unknown", "grant-unknown"]);
  });
});

describe("a kept grant", () => {
  it("runs again until it was idle for 30 minutes", () => {
    const { id } = open({ keep: true });
    for (let run = 0; run < 3; run += 1) {
      pass(IDLE_MS - 1);
      expect(use()).toBe("ran");
    }
    pass(IDLE_MS);
    expect([use(id), use()]).toEqual(["grant-expired", "grant-unknown"]);
    expect(reasons()).toEqual(["idle"]);
  });

  it("ends sooner where the owner said so, by a timer and without being asked, and never later", () => {
    store = makeStore(undefined, 5 * MINUTE);
    const { id } = open({ keep: true });
    pass(5 * MINUTE - 1);
    expect([use(), expiresAt(store.list()[0] ?? open()) - now.wallMs]).toEqual(["ran", 5 * MINUTE]);
    pass(5 * MINUTE);
    expect([use(id), reasons()]).toEqual(["grant-expired", ["idle"]]);
    store = makeStore(undefined, 10 * IDLE_MS);
    open({ keep: true });
    pass(IDLE_MS);
    expect(use()).toBe("grant-unknown");
  });

  it("ends after two hours however much it is used", () => {
    open({ keep: true });
    for (let run = 0; run < 11; run += 1) {
      pass(10 * MINUTE);
      expect(use()).toBe("ran");
    }
    pass(10 * MINUTE);
    expect(use()).toBe("grant-unknown");
    expect(reasons()).toEqual(["absolute"]);
  });

  it("says when it ends: by idleness or by its age, whichever is first", () => {
    const grant = open({ keep: true });
    expect(expiresAt(grant)).toBe(START.wallMs + IDLE_MS);
    for (let run = 0; run < 5; run += 1) {
      pass(20 * MINUTE);
      use();
    }
    expect(store.list().map(expiresAt)).toEqual([START.wallMs + ABSOLUTE_MS]);
  });
});

describe("the clocks", () => {
  it("T43: end an unused grant after 30 minutes by a timer, without anybody asking", () => {
    open();
    pass(IDLE_MS - 1);
    expect(drops).toEqual([]);
    pass(1);
    expect(drops).toEqual([{ grantId: "grant-1", session: SESSION, contents: CONTENTS, reason: "idle" }]);
    expect(timers).toEqual([]);
  });

  it.each([
    ["wallMs", { wallMs: 61_000 }],
    ["suspend, which the timer does not count", { wallMs: IDLE_MS, uptimeMs: IDLE_MS }],
    ["uptimeMs only", { uptimeMs: 61_000 }],
  ])("are looked at every half minute: a jump of %s ends grants", (_title, jump: Partial<ClockReading>) => {
    open();
    now = {
      wallMs: now.wallMs + (jump.wallMs ?? 0),
      monotonicMs: now.monotonicMs,
      uptimeMs: now.uptimeMs + (jump.uptimeMs ?? 0),
    };
    pass(30_000);
    expect(drops).toHaveLength(1);
    expect(use()).toBe("grant-unknown");
  });

  it("end a grant when any one of them says so", () => {
    const { id } = open();
    now = { wallMs: now.wallMs + IDLE_MS, monotonicMs: now.monotonicMs + 1, uptimeMs: now.uptimeMs + IDLE_MS };
    expect(use(id)).toBe("grant-expired");
    expect(reasons()).toEqual(["idle"]);
  });

  it.each([
    ["H20: the wall clock goes back by more than 2 s", { wallMs: -2_001 }],
    ["the wall clock is set ahead by more than a minute", { wallMs: 60_001 }],
    ["the monotonic clock goes back", { monotonicMs: -1 }],
    ["the time since boot goes back", { uptimeMs: -1 }],
    ["a clock gives no number", { wallMs: Number.NaN }],
    ["the time since boot is no number", { uptimeMs: Number.NaN }],
    ["a clock gives infinity", { monotonicMs: Number.POSITIVE_INFINITY }],
  ])("end every grant when %s", (_title, jump: Partial<ClockReading>) => {
    const { id } = open({ keep: true });
    open({ contents: OTHER }, { ...SESSION, session: "task-b" });
    now = {
      wallMs: now.wallMs + (jump.wallMs ?? 0),
      monotonicMs: now.monotonicMs + (jump.monotonicMs ?? 0),
      uptimeMs: now.uptimeMs + (jump.uptimeMs ?? 0),
    };
    // Infinity is also an age.
    expect(["clock-anomaly", "grant-expired"]).toContain(use(id));
    expect(drops).toHaveLength(2);
    now = START;
    expect(store.list()).toEqual([]);
  });

  it("H20: end every grant when the wall clock creeps back in small steps", () => {
    open({ keep: true });
    for (let step = 0; step < 2; step += 1) {
      now = { ...later(1, now), wallMs: now.wallMs - 1_500 };
      store.list();
    }
    expect(reasons()).toEqual(["clock-anomaly"]);
  });

  it("H20: end every grant when the wall clock goes back to where it had been before", () => {
    open({ keep: true });
    now = { ...later(1, now), wallMs: now.wallMs + 30_000 };
    store.list();
    now = { ...later(1, now), wallMs: now.wallMs - 3_000 };
    expect(use()).toBe("grant-unknown");
    expect(reasons()).toEqual(["clock-anomaly"]);
  });

  it("may be corrected by a little", () => {
    open({ keep: true });
    now = { ...later(10, now), wallMs: now.wallMs - 2_000 };
    expect(use()).toBe("ran");
  });

  it("make no grant when they cannot be read, and end those there are", () => {
    let isBroken = false;
    store = makeStore(() => {
      if (isBroken) throw new Error("no clock");
      return now;
    });
    const { id } = open();
    isBroken = true;
    expect(use(id)).toBe("clock-anomaly");
    expect(store.open(approval(), CONTENTS, SESSION)).toMatchObject({ code: "clock-anomaly" });
    isBroken = false;
    expect(use(id)).toBe("clock-anomaly");
    expect(reasons()).toEqual(["clock-anomaly"]);
  });

  it("make no grant when they give no number", () => {
    now = { ...START, uptimeMs: Number.NaN };
    expect(store.open(approval(), CONTENTS, SESSION)).toMatchObject({ code: "clock-anomaly" });
  });
});

describe("dropping", () => {
  it("T46: ends the grants of one session, whatever agent or way in", () => {
    open();
    open({}, { ...SESSION, agent: "other", channel: "shim" });
    const { id } = open({}, { ...SESSION, session: "task-b" });
    expect(store.dropSession("task-a", "session-ended")).toBe(2);
    expect(reasons()).toEqual(["session-ended", "session-ended"]);
    expect(store.list().map((grant) => grant.id)).toEqual([id]);
  });

  it("H21: ends grants for good: a later yes does not bring them back", () => {
    const { id } = open({ keep: true });
    store.dropSession("task-a", "denied");
    open({ contents: OTHER });
    expect([use(id), use()]).toEqual(["denied", "grant-unknown"]);
  });

  it.each(["policy-changed", "inspector-open", "audit-unavailable"] as const)("ends all grants on %s", (reason) => {
    const { id } = open();
    expect(store.dropAll(reason)).toBe(1);
    expect(use(id)).toBe(reason);
    expect(timers).toEqual([]);
  });

  it("ends all at the end of the program and gives no more", () => {
    const { id } = open();
    store.close();
    expect([use(id), use()]).toEqual(["stopped", "stopped"]);
    expect(store.open(approval(), CONTENTS, SESSION)).toMatchObject({ code: "stopped" });
    expect(reasons()).toEqual(["stopped"]);
    expect(timers).toEqual([]);
  });

  it("is done before anybody hears of it, and also when the listener throws", () => {
    const seen: number[] = [];
    store = createGrantStore({
      readClocks: () => now,
      setTimer: () => () => undefined,
      onDrop: () => {
        seen.push(store.list().length);
        throw new Error("no listener");
      },
      newId: () => `grant-${(ids += 1)}`,
    });
    open();
    open();
    expect(store.dropAll("denied")).toBe(2);
    expect(seen).toEqual([0, 0]);
  });

  it("keeps no timer when nothing is open", () => {
    open();
    expect(timers).toHaveLength(1);
    use();
    expect(timers).toEqual([]);
  });

  it("remembers only so many used grants", () => {
    const { id } = open();
    use(id);
    for (let more = 0; more < 200; more += 1) {
      open();
      use();
    }
    expect(use(id)).toBe("grant-unknown");
  });
});
