import { describe, expect, it } from "vitest";
import { createGates, type Gate } from "../../../src/policy/pattern-gate.ts";
import { mayBegin, mayBeIn, mayBeWhole, readPlain } from "../../../src/policy/pattern-shape.ts";

describe("what a match must look like", () => {
  it.each<[string, string, string[], string[]]>([
    ["literals", "/opt/a\\.b", ["/opt/a.b"], ["/opt/a.b ", "/opt/acb", ""]],
    ["a class", "[a-c-]x", ["ax", "-x"], ["dx", "x", "axx"]],
    ["a class that begins with its bracket", "[]a]", ["]", "a"], ["b"]],
    ["all but a class", "[^\\d]", ["a", "é"], ["1", "aaa"]],
    ["names of classes", "\\w\\s\\D", ["a b"], ["-.b", "aab", "a 1"]],
    ["an option", "ab?c", ["ac", "abc"], ["abbc", "ab"]],
    ["repetitions", "a{2}b{1,2}c{2,}", ["aabcc", "aabbccc"], ["abcc", "aab", "ab"]],
    ["a choice in a group", "x(?:foo|ba)y", ["xfooy", "xbay"], ["xby", "xfay"]],
    ["a choice outside", "ab|cd", ["ab", "cd"], ["ef", "abc", "a"]],
    ["many choices", "(a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q)x", ["qx", "ax"], ["rx", "q"]],
    ["a choice of a text and a class", "(a|[0-9])x", ["ax", "1x"], ["bx"]],
    ["a choice of classes", "([0-4]|[5-9])", ["1", "9"], ["x"]],
    ["a choice with nothing", "(ab|)c", ["abc", "c"], ["ab", "bd"]],
    ["nothing, repeated", "(?:)*a{0}b", ["b"], ["a", "ab"]],
    ["anything", ".*", ["", "x", "é"], []],
  ])("%s", (_title, pattern, may, cannot) => {
    const plain = readPlain(pattern);
    if (plain === null) throw new Error("not plain");
    expect(may.filter((text) => !mayBeWhole(plain, text))).toEqual([]);
    expect(cannot.filter((text) => mayBeWhole(plain, text))).toEqual([]);
  });

  it.each([
    "(?i)rm",
    "(?P<x>a)",
    "\\x41",
    "\\Qa\\E",
    "a\\",
    "[a",
    "[a-",
    "[",
    "[[:alpha:]]",
    "[\\x41]",
    "[a-\\d]",
    "(a",
    "a)",
    "(a|",
    "a|b)",
    "*a",
    "+",
    "x(?:*)",
    "a{,3}",
    "(a|*)",
    "é",
  ])("is not told of %s", (pattern) => {
    expect(readPlain(pattern)).toBeNull();
  });

  it("looks for every text that must be there, wherever it is", () => {
    const plain = readPlain("\\brm\\s+-[a-z]*f\\b.*--no-preserve");
    if (plain === null) throw new Error("not plain");
    expect(mayBeIn(plain, "/bin/rm -rf / --no-preserve-root")).toBe(true);
    expect(["rm -rf /", "--no-preserve f", "rm", ""].filter((text) => mayBeIn(plain, text))).toEqual([]);
  });

  it.each<[string, boolean, boolean]>([
    ["^/usr/bin/apt\\b", true, false],
    ["^/usr/bin/apt$", true, true],
    ["/usr/bin/apt$", false, true],
    ["^*/usr/bin/apt", false, false],
    ["/usr/bin/apt\\$", false, false],
    ["^a|b$", false, false],
  ])("knows where %s is bound", (pattern, isAtStart, isAtEnd) => {
    expect(readPlain(pattern)).toMatchObject({ isAtStart, isAtEnd });
  });

  it("holds a bound pattern against the start, or the whole, of a text", () => {
    const [open, shut] = ["^/bin/x [a-z]", "^/bin/x [a-z]+$"].map((pattern) => readPlain(pattern));
    if (!open || !shut) throw new Error("not plain");
    expect(["/bin/x ab1", "/bin/x a"].map((text) => [mayBegin(open, text), mayBeIn(open, text)])).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(["/bin/x 1", " /bin/x a", "/bin/x "].filter((text) => mayBegin(open, text) || mayBeIn(open, text))).toEqual(
      [],
    );
    expect([mayBegin(shut, "/bin/x ab"), mayBegin(shut, "/bin/x ab1"), mayBeIn(shut, "/bin/x ab1")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("a first look at many rules", () => {
  const gate = (pattern: string, at: number | null = 0, match: Gate["match"] = "whole"): Gate => {
    const plain = readPlain(pattern);
    if (plain === null) throw new Error("not plain");
    return { at, pattern: plain, match };
  };

  it("asks those that may meet, in order, until one does", () => {
    const find = createGates([gate("a+"), null, gate("[0-9]+"), gate("x+", 1), gate("12")]);
    const asked: number[] = [];
    const found = find(["12"], (index) => (asked.push(index), index === 4));
    expect([found, asked]).toEqual([4, [1, 2, 4]]);
    expect(find(["?"], (index) => index !== 1)).toBe(-1);
    expect(find([], (index) => index !== 1)).toBe(-1);
  });

  it("looks at each text where any of them may do", () => {
    const find = createGates([gate("b", null, "search"), gate("^a", null, "search"), gate("^a$", null, "start")]);
    expect(["xx", "xyz"].map((text) => find([text], () => true))).toEqual([0, 0]);
    const asked: number[] = [];
    find(["", "ab"], (index) => (asked.push(index), false));
    expect(asked).toEqual([0, 1]);
  });
});
