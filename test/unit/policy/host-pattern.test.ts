import { describe, expect, it } from "vitest";
import { compileHostPattern } from "../../../src/policy/host-pattern.ts";

function matches(pattern: string, host: string): boolean {
  const compiled = compileHostPattern(pattern);
  if (compiled.kind === "invalid") throw new Error(compiled.message);
  return compiled.matches(host);
}

it.each<[pattern: string, host: string, expected: boolean]>([
  ["api.openai.com", "api.openai.com", true],
  ["^api\\.openai\\.com$", "api.openai.com", true],
  ["API\\.OpenAI\\.com", "api.openai.com", true],
  ["(.+\\.)?example\\.com", "a.b.example.com", true],
  ["(.+\\.)?example\\.com", "notexample.com", false],
  ["a\\.example|b\\.example", "b.example", true],
  ["a\\.example|b\\.example", "xb.example", false],
  ["a\\.example|b\\.example", "a.examplex", false],
])("matches %s against the whole of %s: %s", (pattern, host, expected) => {
  expect(matches(pattern, host)).toBe(expected);
});

describe("E8: a pattern is anchored at both ends", () => {
  it("does not approve a name that only begins with an approved one", () => {
    expect(matches("api.openai.com", "api.openai.com.evil.tld")).toBe(false);
    expect(matches("^api\\.openai\\.com", "api.openai.com.evil.tld")).toBe(false);
  });

  it("does not approve a name that only ends with an approved one", () => {
    expect(matches("api\\.openai\\.com$", "evil-api.openai.com")).toBe(false);
  });

  it("does not read `^10.` as every name that begins with 10", () => {
    expect(matches("^10.", "101.example")).toBe(false);
  });
});

it.each([
  ["lookahead", "(?=a)b", "lookaround is not supported"],
  ["negative lookbehind", "(?<!a)b", "lookaround is not supported"],
  ["a back-reference", "(a)\\1", "back-references are not supported"],
  ["a missing parenthesis", "(a", "missing closing ): `(?i)(a`"],
  ["a quantifier without an atom", "*", "missing argument to repetition operator: `*`"],
  ["repeats that multiply", "((a{100}){100}){100}", "invalid repeat count: `{100}`"],
  ["E9: a pattern longer than 1,000 characters", "a".repeat(1001), "longer than 1000 characters"],
])("names the mistake of %s", (_what, pattern, message) => {
  expect(compileHostPattern(pattern)).toEqual({ kind: "invalid", message });
});

it("takes a pattern of exactly 1,000 characters", () => {
  expect(compileHostPattern("a".repeat(1000)).kind).toBe("matcher");
});

// A backtracking engine would not end within this test's time limit on any of these.
it.each(["^(([0-9a-f.:]+)+)+!$", "(x+x+)+y", "(a|a)*b", "(a*)*b", "(.*){10}x(.*){10}y", "(a|aa)+$!"])(
  "E10: answers for the pattern %s and the longest name",
  (pattern) => {
    for (const letter of ["a", "x"]) expect(matches(pattern, letter.repeat(253))).toBe(false);
  },
);

it("gives the same answer when it is asked again", () => {
  const compiled = compileHostPattern("a\\.example");
  if (compiled.kind === "invalid") throw new Error(compiled.message);
  const asked = ["a.example", "b.example", "a.example", "b.example"];
  expect(asked.map(compiled.matches)).toEqual([true, false, true, false]);
});
