import { describe, expect, it } from "vitest";
import commandTemplate from "../../../references/command-policy.template.json" with { type: "json" };
import portTemplate from "../../../references/approved_ports.template.json" with { type: "json" };
import promptTemplate from "../../../references/prompt-policy.template.json" with { type: "json" };
import { epochFromIso } from "../../../src/core/time.ts";
import { parsePolicy } from "../../../src/policy/command-decision.ts";
import { lintCommandPolicy, lintPolicy } from "../../../src/policy/command-policy-lint.ts";
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
    ["/", ["unanchored-allow allow[0]"]],
    ["^/.+$", ["catch-all allow[0]"]],
    ["^python3\\b", ["never-matches allow[0]"]],
    ["^x*/usr/bin/id$", []],
    ["^apt-get update$", ["never-matches allow[0]"]],
    ["^/usr/bin/python3 .*$", ["allows-interpreter allow[0]"]],
    ["^/bin/(ba)?sh\\b", ["allows-interpreter allow[0]", "unanchored-allow allow[0]"]],
    ["bash", ["never-matches allow[0]"]],
    ["^/usr/bin/apt\\b", ["root-equivalent allow[0]", "unanchored-allow allow[0]"]],
    ["^/usr/bin/apt|/usr/bin/dpkg$", ["root-equivalent allow[0]", "unanchored-allow allow[0]"]],
    ["^/usr/bin/apt-get( -y)? install nginx$", []],
    ["^/usr/bin/systemctl [a-z-]+ web$", []],
    ["^/usr/bin/systemctl [a-z-]+$", ["root-equivalent allow[0]"]],
    ["^/usr/bin/tar xf .*$", ["root-equivalent allow[0]"]],
    ["^/usr/bin/find /srv .*$", ["root-equivalent allow[0]"]],
    ["^/usr/bin/find /srv -name [a-z]+$", []],
    ["^/opt/app-[0-9.]+/bin/run$", ["wildcard-path allow[0]"]],
    ["^/opt/.*/run$", ["wildcard-path allow[0]"]],
    ["^/opt/a\\.b*/run$", []],
    ["^/usr/bin/apt-get update$", []],
    ["^(/usr/bin/apt-get update|/usr/bin/apt update)$", []],
    ["(", ["invalid-pattern allow[0]"]],
    ["(?=x)", ["invalid-pattern allow[0]"]],
  ])("judges the allow pattern %j", (pattern, expected) => {
    expect(notesFor({ allow: [pattern] })).toEqual(expected);
  });

  it("does not mind a broad deny pattern, but one that is broken or easily walked around", () => {
    expect(notesFor({ deny: [".*", "^rm ", "[", "\\brm\\s+-rf\\b", "rm --recursive"] })).toEqual([
      "invalid-pattern deny[2]",
      "evadable-deny deny[3]",
      "evadable-deny deny[4]",
    ]);
  });

  it("judges a pattern that would hang a backtracking engine", () => {
    expect(notesFor({ allow: ["^/usr/bin/id (a+)+$"], deny: ["(a+)+$"] })).toEqual([]);
  });

  it("knows exact commands that cannot match or are bare interpreters", () => {
    const value = {
      allow_exact: ["id -u", "/usr/bin/id -u", ["/usr/bin/python3.11"], ["/usr/bin/python3", "/opt/job.py"]],
      deny_exact: ["id", ["/bin/sh"]],
    };
    expect(notesFor(value)).toEqual(["never-matches allow_exact[0]", "allows-interpreter allow_exact[2]"]);
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
    [{ binary: "/usr/bin/systemctl" }, ["root-equivalent r0"]],
    [{ binary: "/opt/tool" }, ["any-arguments r0"]],
    [{ binary: "/opt/tool", args: ["x", { rest: "any" }] }, ["any-arguments r0"]],
    [{ binary: "/opt/tool", flags: { required: [["-n"]] } }, []],
    [{ binary: "/usr/bin/systemctl", args: ["restart", { one_of: ["web", "db"] }] }, []],
    [{ binary: "/usr/bin/systemctl", args: [{ one_of: ["restart", "edit"] }, "web"] }, ["root-equivalent r0"]],
    [{ binary: "/usr/bin/systemctl", args: [{ regex: "[a-z]+" }, "web"] }, ["root-equivalent r0"]],
    [{ binary: "/usr/bin/apt-get", args: ["update", { rest: "any" }] }, ["root-equivalent r0"]],
    [{ binary: "/usr/bin/apt-get", args: ["install", "-y", "nginx"] }, []],
    [{ binary: "/usr/bin/find", args: ["/srv", { rest: { regex: "-name|[a-z]+" } }] }, []],
    [{ binary: "/usr/bin/find", args: ["/srv", { rest: { regex: "-?[a-z]+" } }] }, ["root-equivalent r0"]],
    [{ binary: "/usr/bin/cp", args: [{ path_under: "/srv/a" }, { path_under: "/srv/b" }] }, ["root-equivalent r0"]],
    [{ binary: "/usr/bin/cp", args: ["/srv/a", "/srv/b"] }, []],
    [{ binary: "/usr/bin/tar", flags: { required: [["-t"]], optional: ["-f"] }, args: ["x"] }, ["root-equivalent r0"]],
    [{ binary: "/usr/bin/sort", flags: { optional: ["-u"] }, args: "any" }, []],
    [{ binary: "/usr/bin/sort", flags: { optional: ["-u", "-o"] }, args: "any" }, ["root-equivalent r0"]],
    [{ binary: "/usr/bin/*" }, ["wildcard-path r0"]],
    [{ binary: "/usr/bin/python3.11" }, ["allows-interpreter r0"]],
    [{ binary: "/bin/sh", args: [] }, ["allows-interpreter r0"]],
    [{ binary: "/usr/bin/systemctl", expires: "2026-06-15" }, ["expired r0"]],
    [{ binary: "bash", effect: "deny" }, []],
  ])("judges the rule %j", (rule, expected) => {
    expect(notesFor(policyOf(rule))).toEqual(expected);
  });

  it("names an allow rule that a deny rule makes void", () => {
    const allow = { binary: "/usr/bin/python3.11", args: ["/opt/job.py"] };
    expect(notesFor(policyOf(allow, { binary: "python", effect: "deny" }))).toEqual(["never-matches r0"]);
    expect(notesFor(policyOf(allow, { binary: "/bin/python3.11", effect: "deny" }))).toEqual(["never-matches r0"]);
    expect(notesFor(policyOf(allow, { binary: "python", effect: "deny", run_as: "bob" }))).toEqual([]);
  });

  it("says so when there is no rule", () => {
    expect(notesFor(policyOf())).toEqual(["empty-policy"]);
  });
});

describe("T79: the findings of a policy", () => {
  it("have every field, the worst first", () => {
    const policy = parsePolicy({ allow: ["^/usr/bin/find .*$", "^python3\\b"], deny: ["rm -rf"] });
    const [first, ...others] = lintPolicy(policy, NOW);
    expect(first).toEqual({
      check_id: "command_policy_enforced",
      type: "root-equivalent",
      status: "violation",
      risk: "critical",
      title: "An allow rule amounts to root",
      evidence: "It allows find in a way that amounts to root (command, file-write, file-read).",
      why: "Whoever gets a yes to it can do anything as root, whatever the question says.",
      mitigation: "Fix the arguments to those that are needed, or use a narrower tool.",
      target: "command-policy.json allow[0]",
    });
    expect(others.map(({ type, risk, status }) => [type, risk, status])).toEqual([
      ["evadable-deny", "medium", "partial"],
      ["never-matches", "low", "partial"],
    ]);
  });

  it.each(["find", "tar", "vim", "apt-get"])("call an open rule for %s critical", (name) => {
    const rule = { id: "r", effect: "allow", binary: `/usr/bin/${name}`, args: "any" };
    const policies = [{ allow: [`^/usr/bin/${name}\\b.*$`] }, { schemaVersion: 2, unmatched: "deny", rules: [rule] }];
    expect(policies.map((policy) => lintPolicy(parsePolicy(policy))[0]?.risk)).toEqual(["critical", "critical"]);
  });

  it("are none about dates without a clock, and take a parsed policy too", () => {
    const rule = { id: "r", effect: "allow", binary: "/usr/bin/id", args: [], expires: "2020-01-01" };
    const policy = parsePolicy({ schemaVersion: 2, unmatched: "deny", rules: [rule] });
    expect(lintPolicy(policy)).toEqual([]);
    expect(lintPolicy(policy.policy, NOW).map(({ type, target }) => [type, target])).toEqual([
      ["expired", "command-policy.json r"],
    ]);
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
