import { describe, expect, it } from "vitest";
import { type ElevateDeps, requestElevation, type RunAnswer, runPrivileged } from "../../../src/app/elevate.ts";
import { createDenyApprover } from "../../../src/approve/deny.ts";
import type { SessionIdentity } from "../../../src/core/elevation.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { refuse } from "../../../src/core/refusal.ts";
import {
  COMMAND,
  elevationWorld,
  EXITED,
  NO,
  runsOf,
  WHOLE_LIFE,
  type World,
  yes,
} from "../../helpers/elevation-world.ts";
import { later, SESSION, START } from "../../helpers/sample-question.ts";

const KEPT = { ...COMMAND, keepSession: true };
const no = refuse("sudo-denied", "the fake says no");

const run = async (world: World, raw: unknown = COMMAND, session: SessionIdentity = SESSION): Promise<RunAnswer> =>
  await runPrivileged(world.deps, raw, session);

function codeOf(answer: Awaited<ReturnType<typeof runPrivileged | typeof requestElevation>>): string {
  return answer.kind === "refused" ? answer.refusal.code : answer.kind;
}

const asked = (world: World): number => world.questions.length;
const lastEvent = (world: World): unknown => world.events.at(-1);

/** A grant that a human gave beforehand. */
async function approved(world: World, raw: unknown = COMMAND, session = SESSION): Promise<string> {
  const answer = await requestElevation(world.deps, raw, session);
  if (answer.kind !== "granted") throw new Error(`refused: ${answer.refusal.code}`);
  return answer.grant.id;
}

/** A world in which the human agreed to keep the session. */
function keepingWorld(changes: Partial<ElevateDeps> = {}): World {
  const world = elevationWorld(changes);
  world.answer = () => yes(world, true);
  return world;
}

describe("the life of a privileged action", () => {
  it("R-01, R-11, R-52: records, decides, asks, consumes, records the intent, checks again, runs, records", async () => {
    const world = elevationWorld();
    const answer = await run(world);
    expect(world.trace).toEqual(WHOLE_LIFE);
    expect(answer).toMatchObject({ kind: "ran", outcome: EXITED, isRecorded: true, trail: { ...SESSION } });
    expect(lastEvent(world)).toMatchObject({ event: "exec-finish", outcome: "exited", exitCode: 0 });
  });

  it("R-01: the record names one request and one digest from the first record to the last", async () => {
    const world = elevationWorld();
    const answer = await run(world);
    const [question] = world.questions;
    expect(question?.digest).not.toBe(question?.contents);
    expect(answer).toMatchObject({ trail: { requestId: question?.requestId, digest: question?.digest } });
    expect(world.events.every((event) => "requestId" in event && event.requestId === question?.requestId)).toBe(true);
    const decided = world.events.slice(1);
    expect(decided.every((event) => "digest" in event && event.digest === question?.digest)).toBe(true);
  });

  it("two digests: equal commands share the contents and never the digest that is approved", async () => {
    const world = elevationWorld();
    await run(world);
    await run(world);
    const [first, second] = world.questions;
    expect(second?.contents).toBe(first?.contents);
    expect(second?.digest).not.toBe(first?.digest);
  });

  it("the exec-intent is durable before anything after it starts", async () => {
    let isDurable = false;
    const seen: boolean[] = [];
    const world = elevationWorld({
      record: async ({ event }) => {
        if (event !== "exec-intent") return { seq: 1 };
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        isDurable = true;
        return { seq: 7 };
      },
      recheckCommand: async () => (seen.push(isDurable), null),
      run: async () => (seen.push(isDurable), EXITED),
    });
    expect(await run(world)).toMatchObject({ kind: "ran", seq: 7 });
    expect(seen).toEqual([true, true]);
    expect(lastEvent(world)).toMatchObject({ event: "exec-finish", intentSeq: 7 });
  });

  it("requestElevation asks and runs nothing", async () => {
    const world = elevationWorld();
    const answer = await requestElevation(world.deps, COMMAND, SESSION);
    expect(answer).toMatchObject({ kind: "granted", expiresAt: START.wallMs + 30 * 60_000 });
    expect(world.trace).toEqual(WHOLE_LIFE.slice(0, WHOLE_LIFE.indexOf("consume")));
  });

  it("requestElevation takes no grant id", async () => {
    const world = elevationWorld();
    expect(codeOf(await requestElevation(world.deps, { ...COMMAND, grantId: "id-1" }, SESSION))).toBe(
      "invalid-request",
    );
    expect(asked(world)).toBe(0);
  });
});

describe("a refusal of any step ends the action, is recorded and nothing runs", () => {
  // The number is how many steps of a whole life were taken.
  it.each<[string, number, Partial<ElevateDeps>]>([
    ["checkHost", 2, { checkHost: async () => no }],
    ["resolveCommand", 3, { resolveCommand: async () => no }],
    ["loadPolicy", 4, { loadPolicy: async () => no }],
    ["preflightSudo, before a human is troubled,", 7, { preflightSudo: async () => no }],
    ["the ledger for a question", 7, { ledger: { startRequest: () => no, startRun: () => () => undefined } }],
    ["the ledger for a run", 11, { ledger: { startRequest: () => () => undefined, startRun: () => no } }],
  ])("%s refuses", async (_title, steps, changes) => {
    const world = elevationWorld(changes);
    expect(await run(world)).toMatchObject({ kind: "refused", refusal: no });
    expect(world.trace).toEqual([...WHOLE_LIFE.slice(0, steps), "record refused"]);
    expect(lastEvent(world)).toMatchObject({ event: "refused", code: no.code, message: no.message });
  });

  it("recheckCommand refuses: the intent is closed as never started, and the refusal recorded", async () => {
    const world = elevationWorld({ recheckCommand: async () => no });
    expect(await run(world)).toMatchObject({ kind: "refused", refusal: no });
    const taken = WHOLE_LIFE.slice(0, WHOLE_LIFE.indexOf("run"));
    expect(world.trace).toEqual([...taken, "record exec-finish", "record refused"]);
    expect(world.events.at(-2)).toMatchObject({ event: "exec-finish", outcome: "spawn-failed", errno: "not-started" });
    expect(lastEvent(world)).toMatchObject({ event: "refused", code: no.code, message: no.message });
  });

  it("a request that cannot be read is refused and recorded", async () => {
    const world = elevationWorld();
    expect(codeOf(await run(world, { argv: "id" }))).toBe("invalid-request");
    expect(world.trace).toEqual(["record refused"]);
  });

  it("H38: a deny of the policy asks nobody", async () => {
    const world = elevationWorld();
    world.verdict = { kind: "deny", ruleId: "no-apt", refusal: refuse("policy-denied", "forbidden") };
    expect(codeOf(await run(world))).toBe("policy-denied");
    expect(world.trace).toEqual([...WHOLE_LIFE.slice(0, 6), "record refused"]);
    expect(world.events[1]).toMatchObject({ event: "policy-verdict", verdict: "deny", ruleId: "no-apt" });
  });

  it.each(["allow", "rule-allows", "", null, undefined])("H38: a verdict of kind %j is no permit", async (kind) => {
    const world = elevationWorld();
    world.verdict = { kind, ruleId: null, risks: [], refusal: no } as never;
    expect(codeOf(await run(world))).toBe("sudo-denied");
    expect([asked(world), runsOf(world)]).toEqual([0, 0]);
  });

  it("R-45: the same policy that denies by the time of the run stops it", async () => {
    const world = elevationWorld();
    world.answer = () => {
      world.verdict = { kind: "deny", ruleId: null, refusal: refuse("policy-unmatched", "the rule has expired") };
      return yes(world);
    };
    expect(codeOf(await run(world))).toBe("policy-unmatched");
    expect(runsOf(world)).toBe(0);
  });

  it("R-43, T80: a policy changed between the yes and the run refuses and drops every grant", async () => {
    const world = keepingWorld();
    await approved(world, KEPT);
    world.answer = () => {
      world.policySha256 = "other";
      return yes(world);
    };
    expect(codeOf(await run(world, { ...COMMAND, argv: ["/usr/bin/id"] }))).toBe("policy-changed");
    expect([runsOf(world), world.store.list().length]).toEqual([0, 0]);
    expect(world.drops.map(({ reason }) => reason)).toEqual(["policy-changed"]);
  });

  it("R-43: a grant given under another policy does not match", async () => {
    const world = keepingWorld();
    const grantId = await approved(world, KEPT);
    world.policySha256 = "other";
    expect(codeOf(await run(world, { ...KEPT, grantId }))).toBe("grant-mismatch");
    expect(runsOf(world)).toBe(0);
  });

  it("a command changed between the yes and the run is refused and its grant is used up", async () => {
    const world = elevationWorld({ recheckCommand: async () => refuse("request-changed", "another file") });
    expect(codeOf(await run(world))).toBe("request-changed");
    expect([runsOf(world), world.store.list().length]).toEqual([0, 0]);
  });

  it("a host that cannot elevate any more after the yes is refused", async () => {
    let checks = 0;
    const world = elevationWorld({
      checkHost: async () => ((checks += 1) === 1 ? null : refuse("inspector-open", "a debugger")),
    });
    expect(codeOf(await run(world))).toBe("inspector-open");
    expect(runsOf(world)).toBe(0);
  });
});

describe("T99: an effect that throws", () => {
  const faults = async (): Promise<[string, number][]> => {
    const world = elevationWorld();
    await run(world);
    return [...world.calls].flatMap(([name, count]) =>
      Array.from({ length: count }, (_, index): [string, number] => [name, index + 1]),
    );
  };

  it("gives a refusal and no run, whichever it is and whichever call of it", async () => {
    const places = await faults();
    expect(places.length).toBeGreaterThan(35);
    for (const [name, call] of places) {
      const world = elevationWorld();
      world.before = (each, at) => {
        if (each === name && at === call) throw new Error("fault");
      };
      const answer = await run(world);
      const where = `${name} ${call}`;
      if (name === "record exec-finish") {
        expect([where, answer]).toMatchObject([where, { kind: "ran", isRecorded: false }]);
      } else {
        expect([where, answer.kind, runsOf(world)]).toEqual([where, "refused", name === "run" ? 1 : 0]);
        expect([where, lastEvent(world)]).toMatchObject([where, { event: expect.stringMatching(/^(refused|error)$/) }]);
      }
      // What is left was said yes to and recorded as a grant, and no run took it.
      const granted = world.events.flatMap((event) => (event.event === "granted" ? [event.grantId] : []));
      expect([where, world.store.list().every(({ id }) => granted.includes(id))]).toEqual([where, true]);
    }
  });

  it("R-52, H43: nothing runs when the log fails from any record on before the run", async () => {
    const names = ["request", "policy-verdict", "decision", "granted", "exec-intent"];
    for (const first of names) {
      const world = elevationWorld();
      let isBroken = false;
      world.before = (name) => {
        isBroken ||= name === `record ${first}`;
        if (isBroken && name.startsWith("record ")) throw new SecurityError("audit-unavailable", "disk full");
      };
      const answer = await run(world);
      expect([first, codeOf(answer), runsOf(world)]).toEqual([first, "audit-unavailable", 0]);
      expect([first, world.store.list()]).toEqual([first, []]);
    }
  });

  it("H43: a refusal that cannot be recorded says that the log is broken", async () => {
    const world = elevationWorld({ checkHost: async () => no });
    world.before = (name) => {
      if (name === "record refused") throw new SecurityError("audit-broken", "replaced");
    };
    expect(codeOf(await run(world))).toBe("audit-broken");
  });

  it("H43: a grant whose record failed is not there for the next call", async () => {
    const world = elevationWorld();
    world.before = (name, call) => {
      if (name === "record granted" && call === 1) throw new SecurityError("audit-unavailable", "disk full");
    };
    expect(codeOf(await run(world))).toBe("audit-unavailable");
    expect(world.store.list()).toEqual([]);
    world.answer = () => NO;
    expect(codeOf(await run(world))).toBe("denied");
    expect(runsOf(world)).toBe(0);
  });

  it("R-53: an outcome that cannot be recorded is told, and every grant is dropped", async () => {
    const world = keepingWorld();
    world.before = (name) => {
      if (name === "record exec-finish") throw new SecurityError("disk-full", "disk full");
    };
    expect(await run(world, KEPT)).toMatchObject({ kind: "ran", outcome: EXITED, isRecorded: false });
    expect(world.drops.map(({ reason }) => reason)).toEqual(["audit-unavailable"]);
  });

  it("names the step that failed, also when it is the run itself", async () => {
    const world = elevationWorld();
    world.before = (name) => {
      if (name === "run") throw new Error("fault");
    };
    expect(codeOf(await run(world))).toBe("internal-error");
    expect(lastEvent(world)).toMatchObject({ event: "error", step: "run", session: SESSION.session });
  });
});

describe("R-02, T28: the human's answer", () => {
  it("a permit of the policy without a yes never runs", async () => {
    const world = elevationWorld();
    world.answer = () => NO;
    expect(codeOf(await run(world))).toBe("denied");
    expect(world.trace).toEqual([...WHOLE_LIFE.slice(0, 9), "record refused"]);
    expect(world.events.at(-2)).toMatchObject({ event: "decision", decision: "deny", code: "denied" });
  });

  it("T34: the deny approver refuses at once, with no question", async () => {
    const world = elevationWorld({ approver: createDenyApprover(() => START.wallMs) });
    expect(codeOf(await run(world))).toBe("no-route");
    expect(runsOf(world)).toBe(0);
  });

  it.each<[string, unknown]>([
    ["allow-always", { kind: "allow-always" }],
    ["another case", { kind: "Allow-Once" }],
    ["true", true],
    ["1", 1],
    ["null", null],
    ["undefined", undefined],
    ["an empty object", {}],
    ["a bare kind", { kind: "allow-once" }],
    ["a yes without who", { kind: "allow-once", at: START.wallMs, keep: false }],
    ["an unknown resolver", { kind: "allow-once", by: { kind: "root", id: "x" }, at: START.wallMs, keep: false }],
    ["a yes at no time", { kind: "allow-once", by: { kind: "device", id: "x" }, at: Number.NaN, keep: false }],
  ])("%s is no yes", async (_title, answer) => {
    const world = elevationWorld();
    world.answer = () => answer;
    expect(codeOf(await run(world))).toBe("approval-invalid");
    expect([runsOf(world), world.store.list().length]).toEqual([0, 0]);
  });

  it.each(["runtime", "system", "channel", "none"])("R-03: a yes of kind %s is not accepted here", async (kind) => {
    const world = elevationWorld();
    world.answer = () => ({ kind: "allow-once", by: { kind, id: "gateway-client" }, at: START.wallMs, keep: false });
    expect(codeOf(await run(world))).toBe("untrusted-resolver");
    expect(runsOf(world)).toBe(0);
  });

  it("an approver that never settles is a refusal once its time is over", async () => {
    const world = elevationWorld();
    world.answer = async () => {
      world.fireTimers();
      return await new Promise(() => undefined);
    };
    expect(codeOf(await run(world))).toBe("approval-expired");
    expect(runsOf(world)).toBe(0);
  });

  it("T29: a yes after its time has no effect, then and afterwards", async () => {
    const world = elevationWorld();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    world.answer = async () => {
      world.fireTimers();
      return await promise;
    };
    expect(codeOf(await run(world))).toBe("approval-expired");
    resolve(yes(world));
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect([runsOf(world), world.store.list().length]).toEqual([0, 0]);
    const [question] = world.questions;
    expect(lastEvent(world)).toMatchObject({
      event: "late-decision",
      requestId: question?.requestId,
      digest: question?.digest,
      session: SESSION.session,
      approver: "test",
      decision: "allow-once",
      by: { kind: "device", id: "phone" },
    });
  });

  it("T29: a late yes that cannot be recorded changes nothing either", async () => {
    const world = elevationWorld();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    world.answer = async () => {
      world.fireTimers();
      return await promise;
    };
    world.before = (name) => {
      if (name === "record late-decision") throw new SecurityError("audit-unavailable", "disk full");
    };
    expect(codeOf(await run(world))).toBe("approval-expired");
    resolve(yes(world));
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect([runsOf(world), world.store.list().length]).toEqual([0, 0]);
    expect(world.trace.at(-1)).toBe("record late-decision");
  });

  it("T29: a yes that the clock calls late is refused even if no timer fired", async () => {
    const world = elevationWorld();
    world.answer = () => {
      const early = yes(world);
      world.now = later(600_000);
      return early;
    };
    expect(codeOf(await run(world))).toBe("approval-expired");
    expect(runsOf(world)).toBe(0);
  });

  it("a stop while the question is open withdraws it", async () => {
    const stop = new AbortController();
    const world = elevationWorld({ signal: stop.signal });
    world.answer = async (_question, signal) => {
      stop.abort();
      return await new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(yes(world)));
      });
    };
    expect(codeOf(await run(world))).toBe("approval-expired");
    expect(runsOf(world)).toBe(0);
  });

  it.each(["hasRoute", "ask"])("an approver whose %s throws has not said yes", async (name) => {
    const world = elevationWorld();
    world.before = (each) => {
      if (each === name) throw new Error("gone");
    };
    expect(codeOf(await run(world))).toBe("approval-invalid");
    expect(runsOf(world)).toBe(0);
  });

  it.each([false, 1, "yes", undefined])("T34: a route of %j is none", async (route) => {
    const world = elevationWorld();
    world.hasRoute = () => route;
    expect(codeOf(await run(world))).toBe("no-route");
    expect(asked(world)).toBe(0);
  });

  it("H21, R-16: a denial drops everything the session holds and nothing of others", async () => {
    const world = keepingWorld();
    const other = { ...SESSION, session: "task-b" };
    await approved(world, KEPT);
    await approved(world, KEPT, other);
    world.answer = () => NO;
    expect(codeOf(await run(world, { ...COMMAND, argv: ["/usr/bin/id"] }))).toBe("denied");
    expect(world.store.list().map(({ session }) => session.session)).toEqual(["task-b"]);
  });

  it("H21: a denial drops the session's grants also where it cannot be recorded", async () => {
    const world = keepingWorld();
    await approved(world, KEPT);
    world.answer = () => NO;
    world.before = (name) => {
      if (name.startsWith("record decision")) throw new SecurityError("audit-unavailable", "disk full");
    };
    expect(codeOf(await run(world, { ...COMMAND, argv: ["/usr/bin/id"] }))).toBe("audit-unavailable");
    expect(world.store.list()).toEqual([]);
  });

  it("T17: a call that may not wait asks nobody", async () => {
    const world = elevationWorld();
    expect(codeOf(await run(world, { ...COMMAND, isNonInteractive: true }))).toBe("non-interactive");
    expect([asked(world), runsOf(world), world.calls.get("hasRoute")]).toEqual([0, 0, undefined]);
  });

  it("asks sudo beforehand where a human will be asked, and not for a grant that is held", async () => {
    const world = keepingWorld();
    await approved(world, KEPT);
    expect(world.calls.get("preflightSudo")).toBe(1);
    expect(codeOf(await run(world, KEPT))).toBe("ran");
    expect([world.calls.get("preflightSudo"), world.calls.get("recheckCommand"), asked(world)]).toEqual([1, 1, 1]);
  });

  it("T17: a call that may not wait runs on a grant that is held", async () => {
    const world = elevationWorld();
    await approved(world);
    expect(codeOf(await run(world, { ...COMMAND, isNonInteractive: true }))).toBe("ran");
    expect(asked(world)).toBe(1);
  });

  it.each([
    [true, true],
    [false, false],
  ])("marks the question as untrusted when the session is: %j", async (isUntrusted, shown) => {
    const world = elevationWorld({ isUntrusted: () => isUntrusted });
    await run(world);
    expect(world.questions[0]?.isUntrusted).toBe(shown);
  });
});

describe("what a grant is good for", () => {
  it("asks anew where that is wished, also with a kept grant for the same, and not with a grant's id", async () => {
    const world = keepingWorld();
    await run(world, KEPT);
    await run(world, KEPT);
    expect(asked(world)).toBe(1);
    expect(codeOf(await run(world, { ...KEPT, isFresh: true }))).toBe("ran");
    expect([asked(world), runsOf(world)]).toEqual([2, 3]);
    expect(codeOf(await run(world, { ...KEPT, isFresh: true, grantId: "id-1" }))).toBe("invalid-request");
  });

  it("T39, H14: one approval runs once", async () => {
    const world = elevationWorld();
    const grantId = await approved(world);
    expect(codeOf(await run(world, { ...COMMAND, grantId }))).toBe("ran");
    expect(codeOf(await run(world, { ...COMMAND, grantId }))).toBe("grant-used");
    expect(runsOf(world)).toBe(1);
  });

  it("T39, H14: of 20 parallel runs of one approval exactly one executes", async () => {
    const world = elevationWorld();
    const grantId = await approved(world);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await run(world, { ...COMMAND, grantId })),
    );
    expect(answers.filter(({ kind }) => kind === "ran")).toHaveLength(1);
    expect(runsOf(world)).toBe(1);
  });

  it("T39, H14: of 20 parallel runs without a grant id exactly one executes when nobody says yes again", async () => {
    const world = elevationWorld();
    await approved(world);
    world.answer = () => NO;
    await Promise.all(Array.from({ length: 20 }, async () => await run(world)));
    expect(runsOf(world)).toBe(1);
  });

  it("H14: a grant in flight cannot run a second time", async () => {
    const { promise, resolve } = Promise.withResolvers<typeof EXITED>();
    const started = Promise.withResolvers<boolean>();
    const world = elevationWorld({ run: async () => (started.resolve(true), await promise) });
    const grantId = await approved(world);
    const first = run(world, { ...COMMAND, grantId });
    await started.promise;
    expect(codeOf(await run(world, { ...COMMAND, grantId }))).toBe("busy");
    resolve(EXITED);
    expect(codeOf(await first)).toBe("ran");
    expect(runsOf(world)).toBe(1);
  });

  it("R-11: a grant stays used when the spawn failed", async () => {
    const world = elevationWorld({
      run: async () => ({ kind: "spawn-failed", errno: "EAGAIN", message: "no process" }),
    });
    const grantId = await approved(world);
    expect(await run(world, { ...COMMAND, grantId })).toMatchObject({ outcome: { kind: "spawn-failed" } });
    expect(codeOf(await run(world, { ...COMMAND, grantId }))).toBe("grant-used");
  });

  it("without being kept the next run asks again", async () => {
    const world = elevationWorld();
    await run(world, KEPT);
    await run(world, KEPT);
    expect([asked(world), runsOf(world)]).toEqual([2, 2]);
  });

  it("nobody keeps what the human was not asked to keep", async () => {
    const world = keepingWorld();
    await run(world);
    await run(world);
    expect(asked(world)).toBe(2);
  });

  it("a kept session runs the same contents again without asking, each time with its own records", async () => {
    const world = keepingWorld();
    await run(world, KEPT);
    const before = world.trace.length;
    expect(codeOf(await run(world, { ...KEPT, reason: "once more" }))).toBe("ran");
    expect(asked(world)).toBe(1);
    const asking = ["preflightSudo", "ask", "record decision", "open", "record granted"];
    expect(world.trace.slice(before)).toEqual(WHOLE_LIFE.filter((step) => !asking.includes(step)));
  });

  it.each<[string, object]>([
    ["another word", { argv: ["/usr/bin/apt-get", "upgrade"] }],
    ["one word more", { argv: ["/usr/bin/apt-get", "update", ""] }],
    ["one word less", { argv: ["/usr/bin/apt-get"] }],
    ["another folder", { cwd: "/tmp" }],
    ["another user", { runAs: "bob" }],
    ["other input", { stdin: "abd" }],
    ["another variable", { env: { LANG: "C" } }],
    ["another time limit", { timeoutMs: 1000 }],
  ])("T40: a kept grant does not cover %s", async (_title, changes) => {
    const world = keepingWorld();
    const grantId = await approved(world, KEPT);
    expect(codeOf(await run(world, { ...KEPT, ...changes, grantId }))).toBe("grant-mismatch");
    world.answer = () => NO;
    expect(codeOf(await run(world, { ...KEPT, ...changes }))).toBe("denied");
    expect(runsOf(world)).toBe(0);
  });

  it.each<[string, Partial<SessionIdentity>]>([
    ["another session", { session: "task-b" }],
    ["no session", { session: "" }],
    ["another agent", { agent: "other" }],
    ["no agent", { agent: null }],
    ["another way in", { channel: "shim" }],
  ])("H17, H18, T35: a grant does not serve %s", async (_title, changes) => {
    const world = keepingWorld();
    const grantId = await approved(world, KEPT);
    const other = { ...SESSION, ...changes };
    expect(codeOf(await run(world, { ...KEPT, grantId }, other))).toBe("session-mismatch");
    world.answer = () => NO;
    expect(codeOf(await run(world, KEPT, other))).toBe("denied");
    expect(runsOf(world)).toBe(0);
  });

  it("H19: a kept grant dies after 30 idle minutes", async () => {
    const world = keepingWorld();
    const grantId = await approved(world, KEPT);
    world.now = later(30 * 60_000);
    expect(codeOf(await run(world, { ...KEPT, grantId }))).toBe("grant-expired");
    expect(runsOf(world)).toBe(0);
  });

  it("H20: a clock set back ends a grant", async () => {
    const world = keepingWorld();
    const grantId = await approved(world, KEPT);
    world.now = { ...later(1000), wallMs: START.wallMs - 3_600_000 };
    expect(codeOf(await run(world, { ...KEPT, grantId }))).toBe("clock-anomaly");
    expect(runsOf(world)).toBe(0);
  });

  it("an unknown grant id runs nothing and asks nobody", async () => {
    const world = elevationWorld();
    expect(codeOf(await run(world, { ...COMMAND, grantId: "made-up" }))).toBe("grant-unknown");
    expect([asked(world), runsOf(world)]).toEqual([0, 0]);
  });
});

describe("H12, T33: how often somebody is asked", () => {
  const other = (index: number): object => ({ ...COMMAND, argv: ["/usr/bin/id", String(index)] });

  it("what was denied cools down for five minutes", async () => {
    const world = elevationWorld();
    world.answer = () => NO;
    expect(codeOf(await run(world))).toBe("denied");
    world.answer = () => yes(world);
    expect(codeOf(await run(world))).toBe("cooling-down");
    expect(asked(world)).toBe(1);
    world.now = later(300_000);
    expect(codeOf(await run(world))).toBe("ran");
  });

  it("the eleventh question in ten minutes is not asked", async () => {
    const world = elevationWorld();
    for (let index = 0; index < 10; index += 1) expect(codeOf(await run(world, other(index)))).toBe("ran");
    expect(codeOf(await run(world, other(10)))).toBe("rate-limited");
    expect(asked(world)).toBe(10);
  });

  it("the fourth open question is not asked", async () => {
    const world = elevationWorld();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const third = Promise.withResolvers<boolean>();
    world.answer = async () => {
      if (asked(world) === 3) third.resolve(true);
      return await promise;
    };
    const waiting = [0, 1, 2].map(async (index) => await requestElevation(world.deps, other(index), SESSION));
    await third.promise;
    expect(codeOf(await requestElevation(world.deps, other(3), SESSION))).toBe("too-many-pending");
    resolve(NO);
    expect((await Promise.all(waiting)).map(codeOf)).toEqual(["denied", "denied", "denied"]);
  });

  it("nobody to ask is no denial: no cool-down follows", async () => {
    const world = elevationWorld();
    world.hasRoute = () => false;
    expect(codeOf(await run(world))).toBe("no-route");
    world.hasRoute = () => true;
    expect(codeOf(await run(world))).toBe("ran");
  });
});
