import type { ElevateDeps, PolicyAnswer, PolicyNow } from "../../src/app/elevate.ts";
import type { AuditEvent } from "../../src/audit/audit-event.ts";
import type { ApprovalQuestion, ClockReading, RunOutcome } from "../../src/core/elevation.ts";
import { createGrantStore, type GrantDrop, type GrantStore } from "../../src/grant/grant-store.ts";
import { createRateLedger } from "../../src/grant/rate-ledger.ts";
import { sampleCommand, sha256Hex, START } from "./sample-question.ts";

export const COMMAND = { argv: ["/usr/bin/apt-get", "update"], reason: "refresh the package lists" } as const;

export const EXITED: RunOutcome = {
  kind: "exited",
  exitCode: 0,
  signal: null,
  output: {
    stdout: "done\n",
    stderr: "",
    truncated: false,
    stdoutBytes: 5,
    stderrBytes: 0,
    stdoutSha256: sha256Hex("done\n"),
    stderrSha256: sha256Hex(""),
  },
  durationMs: 12,
  pipeHeld: false,
  timedOut: false,
};

/** Names of the steps of one approved run, as `World.trace` shows them. */
export const WHOLE_LIFE: readonly string[] = [
  "record request",
  "checkHost",
  "resolveCommand",
  "loadPolicy",
  "decide",
  "record policy-verdict",
  "preflightSudo",
  "ask",
  "record decision",
  "open",
  "record granted",
  "consume",
  "record exec-intent",
  "checkHost",
  "loadPolicy",
  "decide",
  "recheckCommand",
  "run",
  "record exec-finish",
];

/** Shown in the trace; the rest (clocks, digests, ids) is only counted. */
const SHOWN: readonly string[] = [...WHOLE_LIFE, "record refused", "record error", "record late-decision"];

export interface World {
  readonly deps: ElevateDeps;
  /** Steps in order. */
  readonly trace: string[];
  /** What the audit log took; a record that failed is not among it. */
  readonly events: AuditEvent[];
  readonly questions: ApprovalQuestion[];
  readonly drops: GrantDrop[];
  /** Calls of every effect so far, by name. */
  readonly calls: Map<string, number>;
  readonly store: GrantStore;
  now: ClockReading;
  /** Called before every effect, with its name and the number of its call; what it throws, the effect throws. */
  before: (name: string, call: number) => void;
  /** What the approver answers; a yes unless set. */
  answer: (question: ApprovalQuestion, signal: AbortSignal) => unknown;
  hasRoute: () => unknown;
  policySha256: string;
  verdict: PolicyAnswer;
  /** Calls every timer that is set. */
  fireTimers(): void;
}

export function yes(world: World, keep = false): unknown {
  return { kind: "allow-once", by: { kind: "device", id: "phone" }, at: world.now.wallMs, keep };
}

export const NO: unknown = { kind: "deny", by: { kind: "device", id: "phone" }, at: START.wallMs, code: "denied" };

/** Plain fakes around the real grant store and ledger. `changes` replaces single effects, which are still counted. */
export function elevationWorld(changes: Partial<ElevateDeps> = {}): World {
  const timers = new Set<() => void>();
  let ids = 0;
  const tell = (name: string): void => {
    const call = (world.calls.get(name) ?? 0) + 1;
    world.calls.set(name, call);
    if (SHOWN.includes(name)) world.trace.push(name);
    world.before(name, call);
  };
  const setTimer = (callback: () => void): (() => void) => {
    tell("setTimer");
    timers.add(callback);
    return () => {
      timers.delete(callback);
    };
  };
  const newId = (): string => {
    tell("newId");
    return `id-${(ids += 1)}`;
  };
  const store = createGrantStore({
    readClocks: () => world.now,
    setTimer,
    newId,
    onDrop: (drop) => world.drops.push(drop),
  });
  const ledger = createRateLedger(() => {
    tell("ledger clocks");
    return world.now;
  });
  const policy = (): PolicyNow => ({
    sha256: world.policySha256,
    decide: () => {
      tell("decide");
      return world.verdict;
    },
    confirmsUntrusted: true,
  });
  const plain: ElevateDeps = {
    now: () => world.now.wallMs,
    setTimer,
    defaults: { cwd: "/srv", timeoutMs: 120_000, maxTimeoutMs: 3_600_000 },
    questionMs: 600_000,
    checkHost: async () => null,
    resolveCommand: async (request) => sampleCommand(request),
    recheckCommand: async () => null,
    preflightSudo: async () => null,
    loadPolicy: async () => policy(),
    isUntrusted: () => false,
    approver: {
      name: "test",
      hasRoute: async () => {
        tell("hasRoute");
        return world.hasRoute() as boolean;
      },
      ask: async (question, signal) => {
        tell("ask");
        world.questions.push(question);
        return (await world.answer(question, signal)) as never;
      },
    },
    accept: ["device", "terminal"],
    grants: {
      ...store,
      open: (...given) => (tell("open"), store.open(...given)),
      consume: (wanted) => (tell("consume"), store.consume(wanted)),
      list: () => (tell("list"), store.list()),
    },
    ledger: {
      startRequest: (...given) => (tell("startRequest"), ledger.startRequest(...given)),
      startRun: (...given) => (tell("startRun"), ledger.startRun(...given)),
    },
    onGrant: () => undefined,
    record: async () => ({ seq: world.events.length }),
    run: async () => EXITED,
    readClocks: () => world.now,
    bootId: "boot-1",
    sha256Hex,
    newId,
    signal: new AbortController().signal,
    ...changes,
  };
  const world: World = {
    trace: [],
    events: [],
    questions: [],
    drops: [],
    calls: new Map(),
    store,
    now: START,
    before: () => undefined,
    answer: () => yes(world),
    hasRoute: () => true,
    policySha256: sha256Hex("policy"),
    verdict: { kind: "permit", ruleId: "apt", risks: [] },
    fireTimers: () => {
      for (const callback of timers) callback();
    },
    deps: {
      ...plain,
      now: () => (tell("now"), plain.now()),
      checkHost: async (session) => (tell("checkHost"), await plain.checkHost(session)),
      resolveCommand: async (request) => (tell("resolveCommand"), await plain.resolveCommand(request)),
      recheckCommand: async (resolved) => (tell("recheckCommand"), await plain.recheckCommand(resolved)),
      preflightSudo: async (resolved) => (tell("preflightSudo"), await plain.preflightSudo(resolved)),
      loadPolicy: async () => (tell("loadPolicy"), await plain.loadPolicy()),
      isUntrusted: (session) => (tell("isUntrusted"), plain.isUntrusted(session)),
      onGrant: (...given) => (tell("onGrant"), plain.onGrant(...given)),
      record: async (event) => {
        tell(`record ${event.event}`);
        const recorded = await plain.record(event);
        world.events.push(event);
        return recorded;
      },
      run: async (resolved) => (tell("run"), await plain.run(resolved)),
      sha256Hex: (bytes) => (tell("sha256Hex"), plain.sha256Hex(bytes)),
    },
  };
  return world;
}

export function runsOf(world: World): number {
  return world.calls.get("run") ?? 0;
}
