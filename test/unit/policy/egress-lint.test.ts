import { describe, expect, it } from "vitest";
import { lintEgressAllowlist, reportableNotes } from "../../../src/policy/egress-lint.ts";
import { prepareRules } from "../../../src/policy/egress-rule.ts";
import { compileHostPattern } from "../../../src/policy/host-pattern.ts";
import { parseEgressAllowlist } from "../../../src/schema/egress-allowlist.ts";

const NOW = 1_800_000_000_000;

function prepare(...rules: readonly unknown[]): ReturnType<typeof prepareRules> {
  return prepareRules(parseEgressAllowlist({ schemaVersion: 2, rules }).rules, compileHostPattern);
}

function kindsOf(rule: unknown): string[] {
  return lintEgressAllowlist(prepare(rule), NOW).map((note) => note.kind);
}

it.each([
  [{ host: "api.example.com" }],
  [{ host_suffix: "example.com" }],
  [{ cidr: "10.0.0.0/8" }],
  [{ cidr: "2001:db8::/32" }],
  [{ host_regex: "^api\\.example\\.com$" }],
  [{ host_regex: "^.*\\.example\\.com$" }],
  [{ host: "a.example", expires: "2027-01-16" }],
])("has nothing to say about %j", (rule) => {
  expect(kindsOf(rule)).toEqual([]);
});

it("says that a command is satisfied by any file of that name", () => {
  expect(lintEgressAllowlist(prepare({ host: "a.example", command: "node" }), NOW)).toEqual([
    {
      rule: 0,
      kind: "advice",
      message: "`command` is satisfied by any file of that name, wherever it lies; use `exe`",
    },
  ]);
});

describe("a rule that approves too much", () => {
  it.each([
    [{ cidr: "0.0.0.0/0" }, "0.0.0.0/0 is every address"],
    [{ cidr: "::/0" }, "::/0 is every address"],
    [{ cidr: "0.0.0.0/1" }, "0.0.0.0/1 holds networks of many organisations"],
    [{ cidr: "2000::/3" }, "2000::/3 holds networks of many organisations"],
    [{ host_suffix: "co.uk" }, "Anyone can get a name below co.uk"],
    [{ host_suffix: ".workers.dev" }, "Anyone can get a name below workers.dev"],
    [{ host_regex: "^.*$" }, "The pattern matches every host name"],
    [{ host_regex: "^[a-z0-9.-]+$" }, "The pattern matches every host name"],
    [{ host_regex: "^(?s:.)+$" }, "The pattern matches every host name"],
    [{ host_regex: "^.*\\.com$" }, "The pattern matches every name in .com"],
    [{ host_regex: "^[a-z]{3,}\\.(io|ai)$" }, "The pattern matches every name in .io, .ai"],
    [{ host_regex: "^[^.]+\\.github\\.io$" }, "Anyone can get a name below github.io"],
  ])("is named: %j", (rule, message) => {
    expect(lintEgressAllowlist(prepare(rule), NOW)).toEqual([{ rule: 0, kind: "too-broad", message }]);
  });
});

describe("a rule that approves nothing", () => {
  it.each([
    [{ host: "a.example", reviewed: false }, "unreviewed", "Not reviewed yet, so it approves nothing"],
    [{ host: "a.example", expires: "2027-01-15" }, "expired", "Expired on 2027-01-15, so it approves nothing"],
    [
      { host_regex: "^(?!a).*$" },
      "invalid-pattern",
      "The pattern cannot be used (lookaround is not supported), so the rule matches nothing",
    ],
  ])("is named: %j", (rule, kind, message) => {
    expect(lintEgressAllowlist(prepare(rule), NOW)).toEqual([{ rule: 0, kind, message }]);
  });
});

describe("a pattern that reads otherwise than it works", () => {
  it("is explained when it looks as if part of the name were enough", () => {
    expect(lintEgressAllowlist(prepare({ host_regex: "api\\.example\\.com" }), NOW)).toEqual([
      {
        rule: 0,
        kind: "advice",
        message: "The pattern must match the whole host name, as if it stood between ^ and $",
      },
    ]);
  });

  it("is explained when a dot was not escaped", () => {
    expect(lintEgressAllowlist(prepare({ host_regex: "^api.example\\.com$" }), NOW)).toEqual([
      {
        rule: 0,
        kind: "advice",
        message: "A dot without a backslash stands for any character; write \\. or use `host`",
      },
    ]);
  });

  it("E8: is explained when it seems to mean addresses", () => {
    expect(lintEgressAllowlist(prepare({ host_regex: "^10." }), NOW).map((note) => note.message)).toContain(
      "Patterns are never matched against addresses; use `cidr`",
    );
  });
});

it("reports with a scan what approves nothing or too much, without advice and without rules that are off", () => {
  const rules = prepare(
    { host_regex: "api.example.com" },
    { cidr: "0.0.0.0/0" },
    { cidr: "0.0.0.0/0", reviewed: false },
    { host_regex: "(" },
  );
  expect(reportableNotes(rules, NOW).map(({ rule, kind }) => [rule, kind])).toEqual([
    [1, "too-broad"],
    [2, "unreviewed"],
    [3, "invalid-pattern"],
  ]);
});
