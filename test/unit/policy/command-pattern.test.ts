import { describe, expect, it } from "vitest";
import { lineOf, neededText } from "../../../src/policy/command-pattern.ts";

describe("neededText", () => {
  it.each<[string, string]>([
    ["^/usr/bin/apt\\b", "/usr/bin/apt"],
    ["\\brm\\s+-rf\\b", "-rf"],
    ["/opt/a\\.b/run", "/opt/a.b/run"],
    ["rm?", "r"],
    ["rm{0,1}", "r"],
    ["rm{2}x", "r"],
    ["ab[cd]ef", "ab"],
    ["(a|b)tool5$", "tool5"],
    ["x(a|b)?longer", "longer"],
    ["a|b", ""],
    ["a\\|b", "a|b"],
    ["[)]|(x", ""],
    ["(?i)rm", ""],
    ["rm\\x41", "rm"],
    ["\\Qa*b\\E", ""],
    [".*", ""],
  ])("of %s is %j", (pattern, expected) => {
    expect(neededText(pattern)).toBe(expected);
  });
});

it("lineOf keeps the words of a command line apart", () => {
  expect(lineOf(["/usr/bin/x", "a b", "\t", ""])).toBe("/usr/bin/x a\u001fb \u001f ");
});
