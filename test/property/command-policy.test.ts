import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";
import type { CommandContext } from "../../src/policy/command-case.ts";
import { evaluateCommand, parsePolicy } from "../../src/policy/command-decision.ts";
import { compileCommandStart, compileSearch, compileWord, lineOf } from "../../src/policy/command-pattern.ts";
import { createGates } from "../../src/policy/pattern-gate.ts";

const runs = (numRuns: number): fc.Parameters<unknown> => ({ seed: 20_261_123, numRuns });

// Few values, so that rules and commands often meet.
const program = fc.constantFrom("/usr/bin/rm", "/bin/id", "/usr/bin/env", "/usr/sbin/../bin/find", "/opt/x");
const word = fc.constantFrom("-r", "-rf", "--force", "rm", "id", "/etc/x", "/etc/../etc/x", "a b", "", "--", "x");
const argv = fc.tuple(program, fc.array(word, { maxLength: 4 })).map(([first, rest]) => [first, ...rest]);
const context: fc.Arbitrary<CommandContext> = fc.record(
  {
    realPath: fc.constantFrom("/usr/bin/rm", "/usr/bin/busybox"),
    runAs: fc.constantFrom("root", "bob"),
    cwd: fc.constantFrom("/", "/srv"),
    now: fc.constantFrom(0, 1_900_000_000_000),
  },
  { requiredKeys: [] },
);

const matcher = fc.oneof(
  word,
  fc.record({ one_of: fc.array(word, { minLength: 1, maxLength: 2 }) }),
  fc.constantFrom({ path_under: "/etc" }, { regex: "-.*" }, { regex: ".*" }),
);
const args = fc.oneof(
  fc.constant("any"),
  fc
    .tuple(fc.array(matcher, { maxLength: 3 }), fc.boolean())
    .map(([all, open]) => (open ? [...all, { rest: "any" }] : all)),
);
const required = fc.constantFrom([["-r", "--recursive"]], [["-r"], ["-f", "--force"]]);
const allowRule = fc.record(
  {
    effect: fc.constant("allow"),
    binary: fc.constantFrom("/usr/bin/rm", "/usr/bin/id", "/bin/rm", "/opt/x"),
    args,
    flags: fc.record({ required, optional: fc.constant(["-v", "-f"]) }),
    run_as: fc.constantFrom("root", "bob"),
    cwd: fc.constant("/srv"),
    expires: fc.constant("2027-01-31"),
  },
  { requiredKeys: ["effect", "binary", "args"] },
);
const denyRule = fc.oneof(
  fc.record({ effect: fc.constant("deny"), binary: fc.constantFrom("rm", "id", "/bin/id", "busybox"), args }),
  fc.record({
    effect: fc.constant("deny"),
    binary: fc.constantFrom("rm", "find"),
    args: fc.constant("any"),
    flags: fc.record({ required }),
  }),
);
const rules = fc
  .array(fc.oneof(allowRule, denyRule), { maxLength: 5 })
  .map((all) => all.map((rule, index) => ({ id: `r${index}`, ...rule })));
const structured = fc.record({ schemaVersion: fc.constant(2), unmatched: fc.constantFrom("ask", "deny"), rules });

const pattern = fc.constantFrom(
  "^/usr/bin/rm\\b",
  "rm",
  "\\brm\\s+-rf",
  "^/bin/id$",
  ".*",
  "(a|b) x?",
  "/etc/\\.*x",
  "id *$",
  "(?i)RM",
);
const exact = fc.oneof(
  argv,
  argv.map((words) => words.join(" ")),
);
const original = fc.record(
  { allow: fc.array(pattern), deny: fc.array(pattern), allow_exact: fc.array(exact), deny_exact: fc.array(exact) },
  { requiredKeys: [] },
);
const anyPolicy = fc.oneof(structured, original);

describe("a command policy", () => {
  it("answers anything, twice the same", () => {
    fc.assert(
      fc.property(
        fc.oneof(argv, fc.anything()),
        fc.oneof(anyPolicy, fc.anything()),
        context,
        (words, policy, around) => {
          const once = evaluateCommand(words as string[], policy as never, around);
          expect(evaluateCommand(words as string[], policy as never, around)).toEqual(once);
          expect(["permit", "deny"]).toContain(once.kind);
        },
      ),
      runs(3000),
    );
  });

  it("never turns a denial into a permission when a deny rule is added", () => {
    fc.assert(
      fc.property(structured, denyRule, argv, context, (policy, extra, words, around) => {
        const before = evaluateCommand(words, parsePolicy(policy), around);
        const added = { ...policy, rules: [...policy.rules, { id: "extra", ...extra }] };
        const after = evaluateCommand(words, parsePolicy(added), around);
        return before.kind === "permit" || after.kind === "deny";
      }),
      runs(3000),
    );
    fc.assert(
      fc.property(original, pattern, exact, argv, context, (policy, text, line, words, around) => {
        const before = evaluateCommand(words, parsePolicy(policy), around);
        const deny = [...(policy.deny ?? []), text];
        const deny_exact = [...(policy.deny_exact ?? []), line];
        const after = evaluateCommand(words, parsePolicy({ ...policy, deny, deny_exact }), around);
        return before.kind === "permit" || after.kind === "deny";
      }),
      runs(3000),
    );
  });

  it("decides the same whatever the order of its rules", () => {
    fc.assert(
      fc.property(structured, argv, context, (policy, words, around) => {
        const turned = { ...policy, rules: policy.rules.toReversed() };
        expect(evaluateCommand(words, parsePolicy(turned), around)).toEqual(
          evaluateCommand(words, parsePolicy(policy), around),
        );
      }),
      runs(3000),
    );
    fc.assert(
      fc.property(original, argv, context, (policy, words, around) => {
        const turned = Object.fromEntries(Object.entries(policy).map(([key, list]) => [key, list?.toReversed()]));
        const [one, other] = [policy, turned].map((each) => evaluateCommand(words, parsePolicy(each), around));
        expect([one?.kind, one?.code]).toEqual([other?.kind, other?.code]);
      }),
      runs(3000),
    );
  });

  it("decides every spelling of a path equally", () => {
    const spelling = fc.constantFrom(
      "/bin/%",
      "/usr/bin//%",
      "/usr/bin/../bin/%",
      "/usr/bin/./%",
      "//usr/bin/%",
      "/bin/../bin/%",
    );
    fc.assert(
      fc.property(
        anyPolicy,
        fc.constantFrom("rm", "id", "env"),
        spelling,
        fc.array(word),
        context,
        (policy, name, form, rest, around) => {
          const { realPath: _, ...here } = around;
          const compiled = parsePolicy(policy);
          expect(evaluateCommand([form.replace("%", name), ...rest], compiled, here)).toEqual(
            evaluateCommand([`/usr/bin/${name}`, ...rest], compiled, here),
          );
        },
      ),
      runs(3000),
    );
  });
});

const part = fc.constantFrom(
  ..."a b rm . - | ^ $ * + ? ( ) ] { [ab] [^a] [a-f-] []a] [^\\W] [\\s-] {0,1} {2} {2,} {,3} (a) (?:b|rm) (?i) \\. \\$ \\b \\B \\s+ \\d \\D \\w \\S".split(
    " ",
  ),
  " ",
  "(a|)",
  "\\x41",
  "\\",
  "é",
  "😀",
);
const patternText = fc.array(part, { maxLength: 7 }).map((parts) => parts.join(""));
const text = fc
  .array(fc.constantFrom(...Array.from("abfrmAB -.^$1_|\n\t\v\u001fé😀\ud83d]")), { maxLength: 8 })
  .map((all) => all.join(""));

describe("what a match must look like, as a first look at many patterns", () => {
  const kinds = [
    ["search", compileSearch],
    ["start", compileCommandStart],
    ["whole", compileWord],
  ] as const;

  /** The engine alone, without any look before it. */
  function engineSays(kind: string, source: string, subject: string): boolean {
    if (kind === "search") return RE2JS.compile(source).matcher(subject).find();
    const whole = kind === "start" ? `^(?:${source})(?s: .*)?$` : source;
    return RE2JS.compile(whole).matcher(subject).matches();
  }

  it.each(kinds)("never changes an answer: %s", (kind, compile) => {
    let matched = 0;
    fc.assert(
      fc.property(patternText, text, (source, subject) => {
        const compiled = compile(source);
        if (compiled.kind === "invalid") return;
        const expected = engineSays(kind, source, subject);
        matched += Number(expected && compiled.plain !== null);
        expect(compiled.matches(subject)).toBe(expected);
        const gate = compiled.plain === null ? null : { at: null, pattern: compiled.plain, match: kind };
        const find = createGates([gate]);
        expect(find(["no such text", subject], () => expected)).toBe(expected ? 0 : -1);
      }),
      runs(12_000),
    );
    expect(matched).toBeGreaterThan(100);
  });
});

describe("many patterns at once", () => {
  const many = fc.array(patternText, { minLength: 1, maxLength: 12 });
  const usable = (all: readonly string[]): string[] =>
    all.filter((source) => source !== "" && compileCommandStart(source).kind === "matcher");
  /** Short enough that a pattern made by chance may match it. */
  const simple = fc.oneof(text, fc.constantFrom("", "a", "b", "ab", "."));
  const name = (list: string, at: number): string => `${list}[${at}]`;

  it("names the rule that a plain look at each in turn would name", () => {
    const named = { original: 0, structured: 0 };
    fc.assert(
      fc.property(many, many, fc.array(text, { maxLength: 3 }), (first, second, rest) => {
        const [allow, deny] = [usable(first), usable(second)];
        const line = ["/opt/x", ...rest].join(" ");
        const firstById = (ids: string[]): string | null => ids.toSorted()[0] ?? null;
        // What the original's deny list is searched in: as written, and by the program's name alone.
        const lines = [line, ["x", ...rest].join(" ")];
        const denied = deny.flatMap((source, at) => {
          const re = RE2JS.compile(source);
          return lines.some((each) => re.matcher(each).find()) ? [name("deny", at)] : [];
        });
        const allowed = allow.flatMap((source, at) => {
          const re = RE2JS.compile(`^(?:${source})(?s: .*)?$`);
          return re.matcher(lineOf(["/opt/x", ...rest])).matches() ? [name("allow", at)] : [];
        });
        const verdict = evaluateCommand(["/opt/x", ...rest], parsePolicy({ allow, deny }));
        named.original += Number(denied.length + allowed.length > 0);
        if (denied.length > 0) expect(verdict).toMatchObject({ kind: "deny", ruleId: firstById(denied) });
        else if (allowed.length > 0) expect(verdict).toMatchObject({ kind: "permit", ruleId: firstById(allowed) });
        else expect(verdict).toMatchObject({ ruleId: null });
      }),
      runs(400),
    );
    fc.assert(
      fc.property(fc.constantFrom("allow", "deny"), many, simple, fc.nat(2), (effect, sources, subject, place) => {
        const before = Array.from({ length: place }, () => "w");
        const all = usable(sources);
        const listed = all.map((source, at) => {
          return { id: `r${at}`, effect, binary: "/opt/x", args: [...before, { regex: source }, { rest: "any" }] };
        });
        const met = listed.filter((_rule, at) =>
          RE2JS.compile(all[at] ?? "")
            .matcher(subject)
            .matches(),
        );
        const verdict = evaluateCommand(
          ["/opt/x", ...before, subject],
          parsePolicy({ schemaVersion: 2, unmatched: "ask", rules: listed }),
        );
        expect(verdict.ruleId).toBe(met.map(({ id }) => id).toSorted()[0] ?? null);
        named.structured += Number(met.length > 0);
      }),
      runs(1_000),
    );
    expect(named.original).toBeGreaterThan(100);
    expect(named.structured).toBeGreaterThan(100);
  });
});
