import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ElevateDeps, requestElevation, runPrivileged } from "../../src/app/elevate.ts";
import type { AuditEvent } from "../../src/audit/audit-event.ts";
import type { RunOutcome, SessionIdentity } from "../../src/core/elevation.ts";
import { SecurityError } from "../../src/core/error.ts";
import { refuse } from "../../src/core/refusal.ts";
import { elevationWorld, EXITED, NO, type World, yes } from "../helpers/elevation-world.ts";
import { later, SESSION } from "../helpers/sample-question.ts";

/** How one call of an effect turns out; mostly well, so that many actions get far. */
type Turn = "good" | "refuse" | "throw" | "audit" | "odd";
const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 24, arbitrary: fc.constant<Turn>("good") },
  { weight: 1, arbitrary: fc.constantFrom<Turn>("refuse", "throw", "audit", "odd") },
);
const answer = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("yes", "keep") },
  { weight: 1, arbitrary: fc.constantFrom("no", "odd", "late", "throw") },
);
const action = fc.record({
  how: fc.constantFrom("run", "run", "run", "request"),
  argv: fc.constantFrom(["/usr/bin/id"], ["/usr/bin/apt-get", "update"]),
  keepSession: fc.boolean(),
  isNonInteractive: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  session: fc.constantFrom("task-a", "task-b"),
  usesGrant: fc.nat({ max: 3 }),
  /** How many of the same start together. */
  parallel: fc.constantFrom(1, 1, 2, 5),
  waitMs: fc.constantFrom(0, 1000, 400_000, 1_800_000),
  policy: fc.constantFrom("one", "one", "one", "two"),
});
const life = fc.record({
  actions: fc.array(action, { minLength: 1, maxLength: 5 }),
  turns: fc.array(turn, { minLength: 1, maxLength: 60 }),
  answers: fc.array(answer, { minLength: 1, maxLength: 5 }),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

/** What happened in which order: the records that were kept, and each start of a command. */
interface Step {
  readonly kind: "event" | "run";
  readonly event: AuditEvent | null;
}

async function live({
  actions,
  turns,
  answers,
}: Life): Promise<{ readonly steps: readonly Step[]; readonly said: number }> {
  const steps: Step[] = [];
  let said = 0;
  let calls = 0;
  const take = <T>(good: T): T => {
    const now = turns[(calls += 1) % turns.length] ?? "good";
    if (now === "throw") throw new Error("fault");
    if (now === "audit") throw new SecurityError("audit-unavailable", "disk full");
    if (now === "refuse") return refuse("sudo-denied", "no") as T;
    return now === "odd" ? (undefined as T) : good;
  };
  const fakes: Partial<ElevateDeps> = {
    checkHost: async () => take(null),
    recheckCommand: async () => take(null),
    preflightSudo: async () => take(null),
    record: async (event) => {
      const now = turns[(calls += 1) % turns.length] ?? "good";
      if (now === "throw" || now === "audit") throw new SecurityError("audit-unavailable", "disk full");
      // Durable only some turns later.
      for (let wait = 0; wait < calls % 4; wait += 1) await Promise.resolve();
      steps.push({ kind: "event", event });
      return { seq: steps.length };
    },
    run: async (): Promise<RunOutcome> => {
      steps.push({ kind: "run", event: null });
      await Promise.resolve();
      const outcome = take<RunOutcome>(EXITED);
      return "kind" in Object(outcome) ? outcome : EXITED;
    },
  };
  const world: World = elevationWorld(fakes);
  world.answer = (_question, _signal) => {
    const now = answers[world.questions.length % answers.length];
    if (now === "throw") throw new Error("fault");
    if (now === "odd") return { kind: "allow-always" };
    if (now === "no") return NO;
    const whole = yes(world, now === "keep");
    if (now === "late") world.now = later(600_000, world.now);
    else said += 1;
    return whole;
  };
  const known: string[] = [];
  for (const { how, session, argv, keepSession, isNonInteractive, usesGrant, parallel, waitMs, policy } of actions) {
    world.now = later(waitMs, world.now);
    world.policySha256 = policy;
    const who: SessionIdentity = { ...SESSION, session };
    const raw = { argv, reason: "a test", keepSession, isNonInteractive };
    const grantId = known.at(-usesGrant);
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        if (how === "request") {
          const given = await requestElevation(world.deps, raw, who);
          if (given.kind === "granted") known.push(given.grant.id);
          return;
        }
        await runPrivileged(world.deps, usesGrant > 0 && grantId !== undefined ? { ...raw, grantId } : raw, who);
      }),
    );
  }
  return { steps, said };
}

type Of<K extends AuditEvent["event"]> = Extract<AuditEvent, { event: K }>;
const eventsOf = <K extends AuditEvent["event"]>(steps: readonly Step[], kind: K): Of<K>[] =>
  steps.flatMap(({ event }) => (event?.event === kind ? [event as Of<K>] : []));

describe("R-01, R-11, R-52: whatever the effects do", () => {
  it("every run has a recorded yes, a recorded grant and a recorded intent of its own before it", async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(life, async (given) => {
        const { steps, said } = await live(given);
        for (const [index, step] of steps.entries()) {
          if (step.kind !== "run") continue;
          ran += 1;
          const before = steps.slice(0, index);
          const intents = eventsOf(before, "exec-intent");
          const runs = before.filter(({ kind }) => kind === "run").length + 1;
          // An intent whose recheck refused has no run, so there can be more of them, never fewer.
          expect(intents.length).toBeGreaterThanOrEqual(runs);
        }
        const intents = eventsOf(steps, "exec-intent");
        const decisions = eventsOf(steps, "decision").filter(({ decision }) => decision === "allow-once");
        expect(decisions.length).toBeLessThanOrEqual(said);
        for (const intent of intents) {
          const before = steps.slice(
            0,
            steps.findIndex(({ event }) => event === intent),
          );
          const grant = eventsOf(before, "granted").find(({ grantId }) => grantId === intent.grantId);
          expect(grant).toMatchObject({ contents: intent.contents, session: intent.session, agent: intent.agent });
          const yesTo = eventsOf(before, "decision").filter(({ digest }) => digest === grant?.digest);
          expect(yesTo).toMatchObject([{ decision: "allow-once", session: intent.session }]);
        }
        const single = eventsOf(steps, "granted").filter(({ keep }) => !keep);
        for (const { grantId } of single) {
          expect(intents.filter((intent) => intent.grantId === grantId).length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 600 },
    );
    // The property would hold for a life in which nothing ever runs.
    expect(ran).toBeGreaterThan(100);
  });

  it("H14: no two commands of a session run at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 12 }), fc.boolean(), async (parallel, keep) => {
        const running = { now: 0, most: 0 };
        const world = elevationWorld({
          run: async () => {
            running.now += 1;
            running.most = Math.max(running.most, running.now);
            for (let wait = 0; wait < 30; wait += 1) await Promise.resolve();
            running.now -= 1;
            return EXITED;
          },
        });
        world.answer = () => yes(world, keep);
        const raw = { argv: ["/usr/bin/id"], reason: "a test", keepSession: keep };
        await requestElevation(world.deps, raw, SESSION);
        await Promise.all(Array.from({ length: parallel }, async () => await runPrivileged(world.deps, raw, SESSION)));
        expect(running).toEqual({ now: 0, most: 1 });
      }),
    );
  });
});
