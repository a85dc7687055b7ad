import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  ClockReading,
  ContentsDigest,
  GrantId,
  ResolvedCommand,
  SessionIdentity,
} from "../../src/core/elevation.ts";
import { type Canonical, canonicalBytes } from "../../src/grant/canonical.ts";
import { contentsDigest, requestDigest } from "../../src/grant/digest.ts";
import { createGrantStore } from "../../src/grant/grant-store.ts";
import { ABSOLUTE_MS, IDLE_MS } from "../../src/grant/grant.ts";
import { GATEWAY_LIMITS, renderQuestion, TERMINAL_LIMITS } from "../../src/grant/question-text.ts";
import { quoteWord } from "../../src/grant/quote.ts";
import { parseElevationRequest } from "../../src/schema/elevation-request.ts";
import {
  CONTENTS,
  DIGEST,
  later,
  sampleBinary,
  sampleCommand,
  sampleFile,
  sampleQuestion,
  SESSION,
  sha256Hex,
  START,
} from "../helpers/sample-question.ts";

/** Words with what an attacker would put in: controls, quotes, marks, halves of characters. */
const word = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc
    .array(
      fc.constantFrom("a", "\\", '"', "\n", " ", "\u{202e}", "\u200b", "{", "}", "u", "0", "é", "\ud800", "\u0430"),
      {
        maxLength: 8,
      },
    )
    .map((parts) => parts.join("")),
);
const argv = fc.array(word, { minLength: 1, maxLength: 5 }) as fc.Arbitrary<[string, ...string[]]>;

/** Every place in a value that holds something, as a path of keys. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [path];
  return Object.entries(value).flatMap(([key, part]) => placesOf(part, [...path, key]));
}

function changedAt(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key !== undefined) {
    const parts = Object.entries(value as object).map(([name, part]) => [
      name,
      name === key ? changedAt(part, rest) : (part as unknown),
    ]);
    return Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
  }
  if (typeof value === "string") return `${value}!`;
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  return value === null ? "!" : new Uint8Array([1]);
}

interface Bound {
  readonly command: ResolvedCommand;
  readonly session: SessionIdentity;
  readonly policyHash: string;
  readonly bootId: string;
}

const BOUND: Bound = {
  command: sampleCommand(
    { env: { LANG: "C" }, stdin: new Uint8Array([0]) },
    { interpreter: sampleBinary("/bin/sh"), operands: [{ ...sampleFile("/tmp/x"), index: 1 }] },
  ),
  session: SESSION,
  policyHash: "p",
  bootId: "b",
};

const digestOf = ({ command, session, policyHash, bootId }: Bound): string =>
  contentsDigest(command, session, policyHash, bootId, sha256Hex);

/** What a yes is not about: the words around the command. */
const UNBOUND = ["command.request.reason", "command.request.keepSession", "command.request.isNonInteractive"];

describe("R-12: the digest", () => {
  it.each(placesOf(BOUND).map((path) => [path.join("."), path] as const))("covers %s", (name, path) => {
    const changed = digestOf(changedAt(BOUND, path) as Bound);
    if (UNBOUND.includes(name)) expect(changed).toBe(digestOf(BOUND));
    else expect(changed).not.toBe(digestOf(BOUND));
  });

  it("covers what is there and what is not", () => {
    const command = (changes: Partial<ResolvedCommand>): Bound => ({
      ...BOUND,
      command: { ...BOUND.command, ...changes },
    });
    const request = (changes: object): Bound => command({ request: { ...BOUND.command.request, ...changes } });
    const all = [
      BOUND,
      command({ interpreter: null }),
      command({ operands: [] }),
      command({ binary: { ...BOUND.command.binary, hops: [] } }),
      request({ stdin: null }),
      request({ stdin: new Uint8Array() }),
      request({ env: {} }),
      request({ env: { LANG: "" } }),
      request({ env: { TZ: "C" } }),
      request({ argv: ["/usr/bin/apt-get"] }),
      request({ argv: ["/usr/bin/apt-get", "update", ""] }),
      { ...BOUND, session: { ...SESSION, agent: null } },
      { ...BOUND, session: { ...SESSION, agent: "" } },
    ].map(digestOf);
    expect(new Set(all).size).toBe(all.length);
  });

  it("T32: tells any two commands apart", () => {
    const digest = (words: [string, ...string[]]): string =>
      digestOf({ ...BOUND, command: sampleCommand({ argv: words }, { binary: sampleBinary() }) });
    expect(digest(["/bin/echo", "a b"])).not.toBe(digest(["/bin/echo", "a", "b"]));
    fc.assert(
      fc.property(argv, argv, (one, other) => {
        expect(digest(one) === digest(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it("does not depend on the order in which variables were given", () => {
    const request = (env: Record<string, string>): Bound => ({
      ...BOUND,
      command: { ...BOUND.command, request: { ...BOUND.command.request, env } },
    });
    expect(digestOf(request({ TZ: "UTC", LANG: "C" }))).toBe(digestOf(request({ LANG: "C", TZ: "UTC" })));
  });

  it("of a request is new with each id and nonce, and cannot be shifted between them", () => {
    const of = (id: string, nonce: string, contents = CONTENTS): string =>
      requestDigest(contents, id, nonce, sha256Hex);
    const all = [of("a", "b"), of("ab", ""), of("", "ab"), of("a", "c"), of("a", "b", "x" as ContentsDigest)];
    expect(new Set(all).size).toBe(all.length);
    expect(of("a", "b")).toBe(of("a", "b"));
  });
});

describe("canonicalBytes", () => {
  const { value } = fc.letrec<{ value: Canonical }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom("\ud800", "\ud801", "s1:a", ""),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 4 }),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.string({ maxLength: 2 }), tie("value"), { maxKeys: 3 }),
    ),
  }));
  const plain = (part: Canonical): unknown => {
    if (part instanceof Uint8Array) return { bytes: [...part] };
    if (Array.isArray(part)) return part.map((item: Canonical) => plain(item));
    if (typeof part !== "object" || part === null) return part;
    return Object.entries(part)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => ({ key, item: plain(item) }));
  };
  const shape = (part: Canonical): string =>
    Array.isArray(part) || typeof part !== "object" || part === null || part instanceof Uint8Array ? "v" : "o";

  it("are the same for the same value only", () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const isSame = shape(one) === shape(other) && JSON.stringify(plain(one)) === JSON.stringify(plain(other));
        const isEqual = sha256Hex(canonicalBytes(one)) === sha256Hex(canonicalBytes(other));
        // Nested empty lists and objects look the same in `plain`, never in the bytes.
        if (isEqual) expect(isSame).toBe(true);
        expect(sha256Hex(canonicalBytes(structuredClone<Canonical>(one)))).toBe(sha256Hex(canonicalBytes(one)));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[Canonical, Canonical]>([
    ["1", 1],
    [1, true],
    ["", null],
    [[], {}],
    ["a", new Uint8Array([97])],
    ["\ud800", "\ud801"],
    ["\ud800", "\ufffd"],
    [
      ["a", "b"],
      ["ab", ""],
    ],
    [{ a: "b" }, ["a", "b"]],
    [[["a"], []], [["a", []]]],
    [
      ["as", "b"],
      ["a", "sb"],
    ],
    [["a1:b"], ["a", "b"]],
    [{ a: {}, b: "c" }, { a: { b: "c" } }],
    [0, -0],
  ])("tell %j from %j", (one, other) => {
    expect(sha256Hex(canonicalBytes(one))).not.toBe(sha256Hex(canonicalBytes(other)));
  });
});

describe("what a human sees", () => {
  it("T32: shows different words differently, in printable characters of one line", () => {
    fc.assert(
      fc.property(word, word, (one, other) => {
        expect(quoteWord(one) === quoteWord(other)).toBe(one === other);
        expect(quoteWord(one)).not.toMatch(/[[\p{C}\p{Z}\p{M}]--[ ]]/v);
      }),
      { numRuns: 2_000 },
    );
  });

  it("T32: shows different commands, folders, variables and input differently", () => {
    const part = fc.record({
      argv,
      cwd: word,
      env: fc.dictionary(fc.constantFrom("LANG", "TZ"), word, { maxKeys: 2 }),
      stdin: fc.option(fc.uint8Array({ maxLength: 6 })),
    });
    const text = (request: Parameters<typeof sampleCommand>[0]): string => {
      const command = sampleCommand(request, { binary: sampleBinary(request?.argv?.[0]) });
      const question = renderQuestion(sampleQuestion({ command }), TERMINAL_LIMITS, sha256Hex);
      return question.kind === "question" ? question.lines.join("\n") : question.code;
    };
    const key = (request: object): string =>
      JSON.stringify(request, (_name, field: unknown) =>
        field instanceof Uint8Array
          ? [...field]
          : typeof field === "object" && field !== null && !Array.isArray(field)
            ? Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1))
            : field,
      );
    fc.assert(
      fc.property(part, part, (one, other) => {
        expect(text(one) === text(other)).toBe(key(one) === key(other));
      }),
      { numRuns: 500 },
    );
  });

  it("fits its limits or is refused, and always shows every word", () => {
    const long = fc.array(fc.string({ unit: "grapheme", maxLength: 120 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(long, fc.constantFrom(TERMINAL_LIMITS, GATEWAY_LIMITS), (words, limits) => {
        const command = sampleCommand({ argv: words as [string, ...string[]] }, { binary: sampleBinary(words[0]) });
        const text = renderQuestion(sampleQuestion({ command }), limits, sha256Hex);
        if (text.kind === "refused") {
          expect(text.code).toBe("too-long-to-review");
          return;
        }
        expect(text.lines.slice(2, 2 + words.length)).toEqual(words.map((shown) => `  ${quoteWord(shown)}`));
        expect(text.lines.length).toBeLessThanOrEqual(limits.linesMax);
        expect(Math.max(...text.lines.map((line) => line.length))).toBeLessThanOrEqual(limits.lineMax);
        expect(text.lines.join("\n").length).toBeLessThanOrEqual(limits.textMax);
      }),
    );
  });
});

describe("a request", () => {
  it("is accepted as it was given or refused with a code, whatever it is", () => {
    const defaults = { cwd: "/srv", timeoutMs: 1_000, maxTimeoutMs: 2_000 };
    const anything = fc.oneof(
      fc.anything(),
      fc.record(
        {
          argv: fc.oneof(argv, fc.array(word.map((text) => `/${text}`)), fc.anything()),
          reason: fc.oneof(word, fc.anything()),
          runAs: fc.oneof(fc.constantFrom("root", "www-data", "#0"), fc.anything()),
          cwd: fc.oneof(
            word.map((text) => `/${text}`),
            fc.anything(),
          ),
          env: fc.oneof(fc.dictionary(fc.constantFrom("LANG", "TZ", "LD_PRELOAD"), word), fc.anything()),
          stdin: fc.oneof(word, fc.uint8Array(), fc.anything()),
          timeoutMs: fc.oneof(fc.integer({ max: 3_000 }), fc.anything()),
        },
        { requiredKeys: ["argv", "reason"] },
      ),
    );
    fc.assert(
      fc.property(anything, (value) => {
        const result = parseElevationRequest(value, defaults);
        if ("kind" in result) {
          expect(result.kind).toBe("refused");
          return;
        }
        expect(result.argv).toEqual((value as { argv: unknown }).argv);
        expect(result.argv.every((part) => part.isWellFormed() && !/[\0\ufffd]/.test(part))).toBe(true);
        expect(result.timeoutMs).toBeLessThanOrEqual(2_000);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("an expired or used grant never runs", () => {
  type Step =
    | {
        readonly kind: "open" | "use";
        readonly contents: number;
        readonly session: number;
        readonly keep: boolean;
        readonly pick: number;
      }
    | { readonly kind: "wait"; readonly ms: number; readonly suspendMs: number; readonly setMs: number }
    | { readonly kind: "end"; readonly session: number };

  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom("open" as const, "use" as const),
        contents: fc.nat(1),
        session: fc.nat(1),
        keep: fc.boolean(),
        pick: fc.nat(10),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        ms: fc.constantFrom(0, 1, 60_000, IDLE_MS / 2, IDLE_MS - 1, IDLE_MS),
        suspendMs: fc.constantFrom(0, 0, 0, IDLE_MS / 3, IDLE_MS),
        setMs: fc.constantFrom(0, 0, 0, 0, -1_000, -5_000, 5_000, 70_000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), session: fc.nat(1) }) },
  );

  /** The rules again, in the plainest way. */
  interface Known {
    readonly key: string;
    readonly keep: boolean;
    readonly opened: ClockReading;
    used: ClockReading;
    isEnded: boolean;
  }

  it("in any order of approvals, uses, waiting, suspend, corrections of the clock and ends of sessions", () => {
    let runs = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), (steps) => {
        let now = START;
        let ids = 0;
        const known = new Map<string, Known>();
        const store = createGrantStore({
          readClocks: () => now,
          setTimer: () => () => undefined,
          onDrop: () => undefined,
          newId: () => `grant-${(ids += 1)}`,
        });
        const ageMs = (from: ClockReading): number => now.uptimeMs - from.uptimeMs;
        for (const action of steps) {
          if (action.kind === "wait") {
            now = later(action.ms, now);
            const wallMs = now.wallMs + action.suspendMs + action.setMs;
            now = { ...now, uptimeMs: now.uptimeMs + action.suspendMs, wallMs };
            continue;
          }
          const session = { ...SESSION, session: `task-${action.session}` };
          if (action.kind === "end") {
            store.dropSession(session.session, "session-ended");
            for (const grant of known.values()) if (grant.key.startsWith(`${session.session} `)) grant.isEnded = true;
            continue;
          }
          const contents = sha256Hex(String(action.contents)) as ContentsDigest;
          const key = `${session.session} ${contents}`;
          if (action.kind === "open") {
            const by = { kind: "device", id: "phone" } as const;
            const { keep } = action;
            const approval = { kind: "approval", digest: DIGEST, contents, by, at: now.wallMs, keep } as const;
            const opened = store.open(approval, contents, session);
            if (!("kind" in opened)) known.set(opened.id, { key, keep, opened: now, used: now, isEnded: false });
            continue;
          }
          const anyId = [...known.keys()].at(action.pick) ?? null;
          const result = store.consume({ grantId: action.keep ? (anyId as GrantId | null) : null, contents, session });
          if ("kind" in result) continue;
          // The store may be stricter (a clock that was set), never looser.
          const grant = known.get(result.id);
          expect(grant).toMatchObject({ key, isEnded: false });
          if (grant === undefined) continue;
          expect(ageMs(grant.opened)).toBeLessThan(ABSOLUTE_MS);
          expect(ageMs(grant.used)).toBeLessThan(IDLE_MS);
          if (grant.keep) grant.used = now;
          else grant.isEnded = true;
          runs += 1;
        }
      }),
      { numRuns: 500 },
    );
    expect(runs).toBeGreaterThan(1_000);
  });
});
