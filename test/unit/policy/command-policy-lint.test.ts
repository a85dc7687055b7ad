import { describe, expect, it } from "vitest";
import commandTemplate from "../../../references/command-policy.template.json" with { type: "json" };
import portTemplate from "../../../references/approved_ports.template.json" with { type: "json" };
import promptTemplate from "../../../references/prompt-policy.template.json" with { type: "json" };
import { epochFromIso } from "../../../src/core/time.ts";
import { lintCommandPolicy } from "../../../src/policy/command-policy-lint.ts";
import { parseApprovedPorts } from "../../../src/schema/approved-ports.ts";
import { parseCommandPolicy } from "../../../src/schema/command-policy.ts";
import { parsePromptPolicy } from "../../../src/schema/prompt-policy.ts";

const NOW = epochFromIso("2026-06-15T12:00:00Z") ?? 0;

function notesFor(value: unknown): string[] {
  return lintCommandPolicy(parseCommandPolicy(value), NOW).map((note) => `${note.kind} ${note.rule}`.trim());
}

describe("the original form", () => {
  it.each<[string, string[]]>([
    [".*", ["catch-all allow[0]"]],
    ["/", ["catch-all allow[0]"]],
    ["^/.+$", ["catch-all allow[0]"]],
    ["^python3\\b", ["never-matches allow[0]"]],
    ["^x*/usr/bin/id$", []],
    ["^apt-get update$", ["never-matches allow[0]"]],
    ["^/usr/bin/python3 .*$", ["allows-interpreter allow[0]"]],
    ["^/bin/(ba)?sh\\b", ["allows-interpreter allow[0]", "unanchored-allow allow[0]"]],
    ["bash", ["allows-interpreter allow[0]", "unanchored-allow allow[0]"]],
    ["^/usr/bin/apt\\b", ["unanchored-allow allow[0]"]],
    ["^/usr/bin/apt|/usr/bin/dpkg$", ["unanchored-allow allow[0]"]],
    ["^/usr/bin/apt-get update$", []],
    ["^(/usr/bin/apt-get update|/usr/bin/apt update)$", []],
    ["(", ["invalid-pattern allow[0]"]],
    ["(?=x)", ["invalid-pattern allow[0]"]],
  ])("judges the allow pattern %j", (pattern, expected) => {
    expect(notesFor({ allow: [pattern] })).toEqual(expected);
  });

  it("does not mind a broad deny pattern, but one that is broken or can never match", () => {
    expect(notesFor({ deny: [".*", "^rm ", "["] })).toEqual(["never-matches deny[1]", "invalid-pattern deny[2]"]);
  });

  it("judges a pattern that would hang a backtracking engine", () => {
    expect(notesFor({ allow: ["^/usr/bin/id (a+)+$"], deny: ["(a+)+$"] })).toEqual([]);
  });

  it("knows exact commands that cannot match or are bare interpreters", () => {
    const value = {
      allow_exact: ["id -u", "/usr/bin/id -u", ["/usr/bin/python3.11"], ["/usr/bin/python3", "/opt/job.py"]],
      deny_exact: ["id", ["/bin/sh"]],
    };
    expect(notesFor(value)).toEqual([
      "never-matches allow_exact[0]",
      "allows-interpreter allow_exact[2]",
      "never-matches deny_exact[0]",
    ]);
  });

  it("says so when there is no rule", () => {
    expect(notesFor({})).toEqual(["empty-policy"]);
  });
});

describe("the v2 form", () => {
  const policyOf = (...rules: Record<string, unknown>[]): unknown => ({
    schemaVersion: 2,
    unmatched: "ask",
    rules: rules.map((rule, index) => ({ id: `r${index}`, effect: "allow", args: "any", ...rule })),
  });

  it.each<[Record<string, unknown>, string[]]>([
    [{ binary: "/usr/bin/systemctl", args: ["restart", "web"] }, []],
    [{ binary: "/usr/bin/systemctl" }, ["any-arguments r0"]],
    [{ binary: "/usr/bin/python3.11" }, ["allows-interpreter r0"]],
    [{ binary: "/bin/sh", args: [] }, ["allows-interpreter r0"]],
    [{ binary: "/usr/bin/systemctl", expires: "2026-06-15" }, ["expired r0"]],
    [{ binary: "bash", effect: "deny" }, []],
  ])("judges the rule %j", (rule, expected) => {
    expect(notesFor(policyOf(rule))).toEqual(expected);
  });

  it("says so when there is no rule", () => {
    expect(notesFor(policyOf())).toEqual(["empty-policy"]);
  });
});

describe("the shipped templates", () => {
  it("has a command policy without a note, which allows nothing beyond asking", () => {
    const policy = parseCommandPolicy(commandTemplate);
    expect(lintCommandPolicy(policy, NOW)).toEqual([]);
    expect(policy.form === "v2" && policy.rules.every((rule) => rule.effect === "deny")).toBe(true);
  });

  it("has a port baseline that approves nothing", () => {
    expect(parseApprovedPorts(portTemplate).rules.some((rule) => rule.reviewed)).toBe(false);
  });

  it("has a prompt policy that asks about untrusted sources", () => {
    expect(parsePromptPolicy(promptTemplate)).toEqual({ form: "v2", requireConfirmationForUntrusted: true });
  });
});
