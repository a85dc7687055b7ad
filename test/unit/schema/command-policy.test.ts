import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import { parseCommandPolicy } from "../../../src/schema/command-policy.ts";

const RULE = { id: "restart-web", effect: "allow", binary: "/usr/bin/systemctl", args: ["restart", "web"] } as const;

describe("the original form", () => {
  it("loads patterns and exact commands, word by word or as one line", () => {
    const value = {
      allow: ["^/usr/bin/apt\\b"],
      deny: ["rm"],
      allow_exact: [["/usr/bin/id", "-u"]],
      deny_exact: ["/usr/bin/id"],
    };
    expect(parseCommandPolicy(value)).toEqual({
      form: "original",
      allow: ["^/usr/bin/apt\\b"],
      deny: ["rm"],
      allowExact: [{ kind: "argv", argv: ["/usr/bin/id", "-u"] }],
      denyExact: [{ kind: "line", line: "/usr/bin/id" }],
    });
  });

  it("reads an absent list as an empty one", () => {
    expect(parseCommandPolicy({ deny: ["."] })).toEqual({
      form: "original",
      allow: [],
      deny: ["."],
      allowExact: [],
      denyExact: [],
    });
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["an array", []],
    ["a deny list that is text", { deny: "." }],
    ["a misspelt key", { Deny: ["."] }],
    ["a null pattern", { deny: [null] }],
    ["an empty pattern", { allow: [""] }],
    ["a null list", { deny: null }],
    ["an exact command without a word", { allow_exact: [[]] }],
    ["an exact command with a number", { allow_exact: [["/usr/bin/kill", 9]] }],
  ])("refuses %s", (_what, value) => {
    expect(codeOf(value)).toBe("policy-invalid");
  });
});

describe("the v2 form", () => {
  it("loads every field of a rule", () => {
    const value = {
      schemaVersion: 2,
      unmatched: "deny",
      run_as: ["root", "deploy"],
      rules: [{ ...RULE, run_as: "root", cwd: "/srv", reason: "deploys", owner: "ops", expires: "2027-01-31" }],
    };
    expect(parseCommandPolicy(value)).toEqual({
      form: "v2",
      unmatched: "deny",
      runAs: ["root", "deploy"],
      rules: [
        {
          id: "restart-web",
          effect: "allow",
          binary: "/usr/bin/systemctl",
          args: [
            { kind: "literal", text: "restart" },
            { kind: "literal", text: "web" },
          ],
          flags: null,
          runAs: "root",
          cwd: "/srv",
          reason: "deploys",
          owner: "ops",
          expiresAt: epochFromIso("2027-01-31"),
        },
      ],
    });
  });

  it("loads every kind of argument and flags", () => {
    const flags = { required: [["-n", "--dry-run"]], optional: ["-v"] };
    const args = ["a", { one_of: ["b", "c"] }, { path_under: "/srv" }, { regex: "d+" }, { rest: { regex: "e" } }];
    const policy = parseCommandPolicy({ schemaVersion: 2, unmatched: "ask", rules: [{ ...RULE, flags, args }] });
    expect(policy).toMatchObject({
      runAs: ["root"],
      rules: [
        {
          args: [
            { kind: "literal", text: "a" },
            { kind: "one-of", texts: ["b", "c"] },
            { kind: "path-under", folder: "/srv" },
            { kind: "regex", pattern: "d+" },
            { kind: "rest", each: { kind: "regex", pattern: "e" } },
          ],
          flags,
        },
      ],
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ["an unknown kind of argument", { args: [{ prefix: "x" }] }],
    ["an argument of two kinds", { args: [{ regex: "x", path_under: "/x" }] }],
    ["a relative folder", { args: [{ path_under: "srv" }] }],
    ["rest before the end", { args: [{ rest: "any" }, "x"] }],
    ["flags without a dash", { flags: { required: [["r"]] } }],
    ["a flag with a value", { flags: { required: [["--a=b"]] } }],
    ["a group without a spelling", { flags: { required: [[]] } }],
    ["a deny rule with flags and arguments", { effect: "deny", flags: { required: [["-r"]] } }],
    [
      "a deny rule with optional flags",
      { effect: "deny", args: "any", flags: { required: [["-r"]], optional: ["-v"] } },
    ],
    ["a deny rule with flags of which none is required", { effect: "deny", args: "any", flags: {} }],
    ["a misspelt effect", { effect: "Deny" }],
    ["no effect", { effect: undefined }],
    ["no arguments", { args: undefined }],
    ["arguments that are text other than any", { args: "*" }],
    ["an id with a space", { id: "restart web" }],
    ["an unknown key", { when: "always" }],
    ["an allow rule for a base name", { binary: "systemctl" }],
    ["a path with dots", { binary: "/usr/bin/../bin/systemctl" }],
    ["a relative working folder", { cwd: "srv" }],
    ["a date that does not exist", { expires: "2027-13-01" }],
    ["a deny rule that expires", { effect: "deny", expires: "2027-01-31" }],
  ])("refuses %s", (_what, change) => {
    const rule = Object.fromEntries(Object.entries({ ...RULE, ...change }).filter(([, value]) => value !== undefined));
    expect(codeOf({ schemaVersion: 2, unmatched: "ask", rules: [rule] })).toBe("policy-invalid");
  });

  it("takes a base name in a deny rule", () => {
    expect(codeOf({ schemaVersion: 2, unmatched: "ask", rules: [{ ...RULE, effect: "deny", binary: "su" }] })).toBe(
      "no error",
    );
  });

  it.each<[string, unknown, string]>([
    ["no answer for unmatched commands", { schemaVersion: 2, rules: [] }, "policy-invalid"],
    ["unmatched commands allowed", { schemaVersion: 2, unmatched: "allow", rules: [] }, "policy-invalid"],
    ["two rules with one id", { schemaVersion: 2, unmatched: "ask", rules: [RULE, RULE] }, "policy-invalid"],
    ["a version of the future", { schemaVersion: 3, unmatched: "ask", rules: [] }, "schema-version-unsupported"],
    ["the original's lists under version 2", { schemaVersion: 2, allow: [], deny: [] }, "policy-invalid"],
  ])("refuses %s", (_what, value, code) => {
    expect(codeOf(value)).toBe(code);
  });
});

function codeOf(value: unknown): string {
  try {
    parseCommandPolicy(value);
  } catch (error) {
    return error instanceof SecurityError ? error.code : "not a SecurityError";
  }
  return "no error";
}
