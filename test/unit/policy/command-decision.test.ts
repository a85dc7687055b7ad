import { describe, expect, it } from "vitest";
import commandTemplate from "../../../references/command-policy.template.json" with { type: "json" };
import { SecurityError } from "../../../src/core/error.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import type { CommandContext } from "../../../src/policy/command-case.ts";
import { compilePolicy, evaluateCommand, parsePolicy } from "../../../src/policy/command-decision.ts";

const DAY = epochFromIso("2026-06-15") ?? 0;

function decide(policy: unknown, line: string | readonly string[], context?: CommandContext): string {
  const argv = typeof line === "string" ? line.split(" ") : line;
  const verdict = evaluateCommand(argv, parsePolicy(policy), context);
  return verdict.ruleId === null ? verdict.code : `${verdict.kind} ${verdict.ruleId}`;
}

const v2 = (...rules: Record<string, unknown>[]): Record<string, unknown> => ({
  schemaVersion: 2,
  unmatched: "ask",
  rules: rules.map((rule, index) => ({ id: `r${index}`, effect: "allow", args: "any", ...rule })),
});
const strict = (...rules: Record<string, unknown>[]): Record<string, unknown> => ({
  ...v2(...rules),
  unmatched: "deny",
});

describe("a policy without a matching rule", () => {
  it("lets a human be asked, unless it refuses what it does not name", () => {
    expect(evaluateCommand(["/usr/bin/id"], parsePolicy({}))).toEqual({
      kind: "permit",
      ruleId: null,
      code: "no-rule",
      reason: "No rule speaks about this command",
    });
    expect(decide(v2(), "/usr/bin/id")).toBe("no-rule");
    expect(decide(strict(), "/usr/bin/id")).toBe("policy-unmatched");
    expect(decide({ allow: ["^/usr/bin/apt$"] }, "/usr/bin/id")).toBe("policy-unmatched");
    expect(decide({ allow_exact: ["/usr/bin/apt"] }, "/usr/bin/id")).toBe("policy-unmatched");
    expect(decide({ deny: ["rm"] }, "/usr/bin/id")).toBe("no-rule");
  });

  it("refuses other accounts than root that nobody named", () => {
    expect(decide(v2(), "/usr/bin/id", { runAs: "bob" })).toBe("policy-unmatched");
    expect(decide({ ...v2(), run_as: ["root", "bob"] }, "/usr/bin/id", { runAs: "bob" })).toBe("no-rule");
    expect(decide(v2({ binary: "/usr/bin/id", run_as: "bob" }), "/usr/bin/id", { runAs: "bob" })).toBe("permit r0");
    expect(decide(v2({ binary: "/usr/bin/id" }), "/usr/bin/id", { runAs: "bob" })).toBe("policy-unmatched");
  });
});

describe("H38: a broken policy denies", () => {
  const broken: unknown[] = [
    null,
    [],
    "x",
    7,
    { deny: "." },
    { Deny: ["."] },
    { deny: ["("] },
    { schemaVersion: 3 },
    undefined,
  ];

  it.each(broken)("everything, when it is %j", (value) => {
    const verdict = evaluateCommand(["/usr/bin/id"], value as never);
    expect([verdict.kind, verdict.code]).toEqual(["deny", "policy-broken"]);
  });

  it("and names the place of each pattern that is no regular expression", () => {
    const policies = [
      { deny: ["ok", "("], allow: ["(?=x)"] },
      v2({ binary: "/usr/bin/id", args: ["x", { regex: "a**(" }, { rest: { regex: "[" } }] }),
    ];
    const places = policies.map((policy) => {
      try {
        parsePolicy(policy);
      } catch (thrown) {
        if (!(thrown instanceof SecurityError)) throw thrown;
        const issues = thrown.details?.["issues"] as { path: string }[];
        return [thrown.code, ...issues.map(({ path }) => path)];
      }
      return [];
    });
    expect(places).toEqual([
      ["policy-invalid", "/deny/1", "/allow/0"],
      ["policy-invalid", "/rules/0/args/1/regex", "/rules/0/args/2/rest/regex"],
    ]);
  });

  it("also when a pattern is longer than anybody reads", () => {
    expect(() => parsePolicy({ deny: ["a".repeat(1001)] })).toThrow("longer than 1000 characters");
  });
});

describe("words that are no command", () => {
  it("are denied when there are too many of them", () => {
    const lines = [
      Array.from({ length: 257 }, () => "/x"),
      ["/usr/bin/id", "x".repeat(200_000)],
      ["/usr/bin/env", "x".repeat(9000)],
    ];
    const codes = lines.map((argv) => evaluateCommand(argv, parsePolicy({})).code);
    expect(codes).toEqual(["invalid-request", "invalid-request", "invalid-request"]);
  });

  it.each<[unknown, string]>([
    [[], "invalid-request"],
    [null, "invalid-request"],
    ["id", "invalid-request"],
    [["/usr/bin/id", 1], "invalid-request"],
    [["/usr/bin/i\0d"], "invalid-request"],
    [["id"], "command-not-absolute"],
    [["./id"], "command-not-absolute"],
    [["/"], "command-not-absolute"],
    [["/.."], "command-not-absolute"],
    [[""], "command-not-absolute"],
  ])("are denied: %j", (argv, code) => {
    expect(evaluateCommand(argv as string[], parsePolicy({}))).toMatchObject({ kind: "deny", ruleId: null, code });
  });
});

describe("H40: rm by other spellings", () => {
  const policy = v2(
    {
      id: "no-rm",
      effect: "deny",
      binary: "rm",
      flags: {
        required: [
          ["-r", "-R", "--recursive"],
          ["-f", "--force"],
        ],
      },
    },
    { id: "no-find-delete", effect: "deny", binary: "find", flags: { required: [["-delete"]] } },
    { id: "no-sh", effect: "deny", binary: "sh" },
  );

  it.each([
    "/usr/bin/rm -rf /srv/x",
    "/usr/bin/rm -r -f /srv/x",
    "/usr/bin/rm -fr /srv/x",
    "/bin/rm -Rf /srv/x",
    "/usr/bin/rm -rfv /srv/x",
    "/usr/bin/rm --recursive --force /srv/x",
    "/usr/bin/rm --rec --forc /srv/x",
    "/usr/bin/rm /srv/x -v -r --force",
    "/usr/bin/rm -- -rf",
    "/usr/bin/busybox rm -r -f /srv/x",
    "/usr/bin/env A=1 rm -rf /srv/x",
    "/usr/bin/nice -n 5 /bin/rm -fr /srv/x",
    "/usr/bin/find / -exec rm -rf {} ;",
  ])("denies %s", (line) => {
    expect(decide(policy, line)).toBe("deny no-rm");
  });

  it("denies what is not rm by its own rule", () => {
    expect(decide(policy, "/usr/bin/find / -delete")).toBe("deny no-find-delete");
    expect(decide(policy, ["/bin/sh", "-c", "r''m -rf /"])).toBe("deny no-sh");
  });

  it("denies a launcher's bare operand by a rule with a path", () => {
    const byPath = v2({ binary: "/usr/bin/rm", effect: "deny" });
    expect(decide(byPath, "/usr/bin/env rm x")).toBe("deny r0");
    expect(decide(byPath, "/usr/bin/env /bin/rm x")).toBe("deny r0");
    expect(decide(byPath, "/usr/bin/env /opt/rm x")).toBe("no-rule");
  });

  it("leaves rm without both flags to the human", () => {
    expect(
      ["/usr/bin/rm -r x", "/usr/bin/rm -f x", "/usr/bin/rm rf", "/usr/bin/rmdir -rf"].map((line) =>
        decide(policy, line),
      ),
    ).toEqual(["no-rule", "no-rule", "no-rule", "no-rule"]);
  });
});

describe("H40: one program, several paths", () => {
  it.each(["/bin/id", "/usr/bin//id", "/usr/bin/../bin/id", "/usr/bin/./id", "/bin/../bin/id", "/usr//./bin/id"])(
    "denies and allows %s like /usr/bin/id",
    (program) => {
      expect(decide({ deny_exact: ["/usr/bin/id"] }, program)).toBe("deny deny_exact[0]");
      expect(decide({ deny_exact: [["/bin/id"]] }, program)).toBe("deny deny_exact[0]");
      expect(decide({ deny: ["^/usr/bin/id$"] }, program)).toBe("deny deny[0]");
      expect(decide({ deny: ["^/bin/id$"] }, program)).toBe("deny deny[0]");
      expect(decide({ allow: ["^/usr/bin/id$"] }, program)).toBe("permit allow[0]");
      expect(decide({ allow: ["^/bin/id$"] }, program)).toBe("permit allow[0]");
      expect(decide({ allow_exact: ["/bin/id"] }, program)).toBe("permit allow_exact[0]");
      expect(decide(strict({ binary: "/bin/id" }), program)).toBe("permit r0");
      expect(decide(v2({ binary: "/bin/id", effect: "deny" }), program)).toBe("deny r0");
    },
  );

  it("denies by the file behind a link, but does not allow by it", () => {
    const realPath = "/usr/bin/vim.basic";
    expect(decide(v2({ binary: "/usr/bin/vim.basic", effect: "deny" }), "/usr/bin/view", { realPath })).toBe("deny r0");
    expect(decide(v2({ binary: "vim", effect: "deny" }), "/usr/bin/view", { realPath })).toBe("deny r0");
    expect(decide({ deny: ["vim\\.basic"] }, "/usr/bin/view", { realPath })).toBe("deny deny[0]");
    expect(decide(strict({ binary: "/usr/bin/vim.basic" }), "/usr/bin/view", { realPath })).toBe("policy-unmatched");
  });

  it("does not allow by the text of a path whose .. may follow a link", () => {
    const policy = strict({ binary: "/opt/bin/tool" });
    expect(decide(policy, "/opt/link/../bin/tool", { realPath: "/srv/bin/tool" })).toBe("policy-unmatched");
    expect(decide(policy, "/opt/link/../bin/tool", { realPath: "/opt/bin/tool" })).toBe("permit r0");
  });

  it("knows a program with a version by its name, for deny rules", () => {
    expect(decide(v2({ binary: "python", effect: "deny" }), "/usr/bin/python3.11")).toBe("deny r0");
    expect(decide(v2({ binary: "mkfs", effect: "deny" }), "/sbin/mkfs.ext4 /dev/sda1")).toBe("deny r0");
    expect(decide(strict({ binary: "/usr/bin/python3" }), "/usr/bin/python3.11")).toBe("policy-unmatched");
  });
});

describe("T77: an allow pattern of the original's form", () => {
  it.each<[string, string | string[], string]>([
    ["^/usr/bin/apt\\b", "/usr/bin/apt update", "permit allow[0]"],
    ["^/usr/bin/apt\\b", "/usr/bin/apt", "permit allow[0]"],
    ["^/usr/bin/apt\\b", "/usr/bin/apt-get update", "policy-unmatched"],
    ["^/usr/bin/apt\\b", "/usr/bin/apt.evil", "policy-unmatched"],
    ["^/usr/bin/apt\\b", "/usr/bin/apt/../bash -c id", "policy-unmatched"],
    ["^/usr/bin/apt\\b", ["/usr/bin/apt evil/x"], "policy-unmatched"],
    ["/usr/bin/apt", "/opt/usr/bin/apt", "policy-unmatched"],
    ["/usr/bin/apt", "/usr/bin/apt update", "permit allow[0]"],
    ["^/usr/bin/systemctl restart web", "/usr/bin/systemctl restart webserver", "policy-unmatched"],
    ["^/usr/bin/systemctl restart web", ["/usr/bin/systemctl", "restart web"], "policy-unmatched"],
    ["^/usr/bin/systemctl restart \\S+$", "/usr/bin/systemctl restart web db", "policy-unmatched"],
    ["^/usr/bin/echo \\S+$", ["/usr/bin/echo", "a b"], "permit allow[0]"],
    ["a)(b", "/usr/bin/id", "policy-broken"],
    ["^python3\\b", "/usr/bin/python3", "policy-unmatched"],
  ])("%s and %j give %s", (pattern, line, expected) => {
    const argv = typeof line === "string" ? line.split(" ") : line;
    const verdict = evaluateCommand(argv, { allow: [pattern] } as never);
    expect(verdict.ruleId === null ? verdict.code : `${verdict.kind} ${verdict.ruleId}`).toBe(expected);
  });

  it("loses against a deny pattern that is found anywhere", () => {
    const policy = { allow: [".*"], deny: ["\\brm\\s+-rf\\b"] };
    expect(decide(policy, "/usr/bin/env rm -rf /x")).toBe("deny deny[0]");
    expect(decide({ deny: ["^rm "] }, "/usr/bin/rm x")).toBe("deny deny[0]");
    expect(decide({ deny_exact: ["rm -f x"] }, "/usr/bin/rm -f x")).toBe("deny deny_exact[0]");
    expect(decide({ deny_exact: [["/usr/bin/rm", "x"]] }, "/usr/bin/nice rm x")).toBe("deny deny_exact[0]");
    expect(decide(policy, "/usr/bin/id")).toBe("permit allow[0]");
  });
});

describe("H42: a pattern that would hang a backtracking engine", () => {
  it("is decided", () => {
    const argv = ["/usr/bin/id", `${"a".repeat(200)}b`];
    expect(decide({ deny: ["(a+)+$"] }, argv)).toBe("no-rule");
    expect(decide({ allow: ["^/usr/bin/id (a+)+"] }, argv)).toBe("policy-unmatched");
    expect(decide(strict({ binary: "/usr/bin/id", args: [{ regex: "(a+)+" }] }), argv)).toBe("policy-unmatched");
  });
});

describe("the arguments of a rule", () => {
  it.each<[unknown, string[], boolean]>([
    [["restart", "web"], ["restart", "web"], true],
    [["restart", "web"], ["restart", "web", "x"], false],
    [["restart", "web"], ["restart"], false],
    [[], [], true],
    [[], [""], false],
    [[{ one_of: ["start", "stop"] }, "web"], ["stop", "web"], true],
    [[{ one_of: ["start", "stop"] }, "web"], ["reload", "web"], false],
    [[{ path_under: "/srv/www" }], ["/srv/www/a/b"], true],
    [[{ path_under: "/srv/www" }], ["/srv/www"], true],
    [[{ path_under: "/srv/www" }], ["/srv/www2"], false],
    [[{ path_under: "/srv/www" }], ["/srv/www/../x"], false],
    [[{ path_under: "/srv/www" }], ["srv/www/x"], false],
    [[{ regex: "web[0-9]+" }], ["web12"], true],
    [[{ regex: "web[0-9]+" }], ["xweb12"], false],
    [[{ regex: "a|b" }], ["ab"], false],
    [["-y", { rest: { regex: "[a-z]+" } }], ["-y", "a", "b"], true],
    [["-y", { rest: { regex: "[a-z]+" } }], ["-y"], true],
    [["-y", { rest: { regex: "[a-z]+" } }], ["-y", "a", "-o"], false],
    [[{ rest: "any" }], ["x", "y"], true],
    [["a", { rest: "any" }], ["b"], false],
  ])("%j and %j: %s", (args, words, expected) => {
    expect(decide(strict({ binary: "/usr/bin/x", args }), ["/usr/bin/x", ...words])).toBe(
      expected ? "permit r0" : "policy-unmatched",
    );
  });

  it.each<[Record<string, unknown>, unknown, string[], boolean]>([
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["-n", "x"], true],
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["x", "-vn"], true],
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["--dry-run", "--", "x"], true],
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["-v", "x"], false],
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["-nf", "x"], false],
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["--dry", "x"], false],
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["--dry-run=no", "x"], false],
    [{ required: [["-n", "--dry-run"]], optional: ["-v"] }, ["x"], ["--", "-n", "x"], false],
    [{ optional: ["-v"] }, ["x"], ["x"], true],
    [{ optional: ["-v"] }, "any", ["x", "-"], true],
    [{ optional: ["-v"] }, "any", ["-o", "x"], false],
  ])("with the flags %j and %j, %j: %s", (flags, args, words, expected) => {
    expect(decide(strict({ binary: "/usr/bin/x", flags, args }), ["/usr/bin/x", ...words])).toBe(
      expected ? "permit r0" : "policy-unmatched",
    );
  });

  it.each<[unknown, string]>([
    [["/etc/shadow"], "/etc//shadow"],
    [["/etc/shadow"], "/etc/x/../shadow"],
    [[{ one_of: ["/etc/shadow"] }], "/etc/./shadow"],
    [[{ path_under: "/etc" }], "/srv/../etc/shadow"],
    [[{ path_under: "/etc" }], "--file=/etc/shadow"],
    [[{ path_under: "/etc/x" }], "/etc/x/../shadow"],
  ])("of a deny rule %j also meet %s", (args, word) => {
    expect(decide(v2({ binary: "cat", effect: "deny", args }), ["/usr/bin/cat", word])).toBe("deny r0");
  });
});

describe("a rule with conditions", () => {
  it("allows from its folder only, and denies from an unknown one", () => {
    const allow = strict({ binary: "/usr/bin/make", cwd: "/srv/app" });
    expect(decide(allow, "/usr/bin/make", { cwd: "/srv/app" })).toBe("permit r0");
    expect(decide(allow, "/usr/bin/make", { cwd: "/srv" })).toBe("policy-unmatched");
    expect(decide(allow, "/usr/bin/make")).toBe("policy-unmatched");
    const deny = v2({ binary: "make", cwd: "/srv/app", effect: "deny" });
    expect(decide(deny, "/usr/bin/make", { cwd: "/srv/./app" })).toBe("deny r0");
    expect(decide(deny, "/usr/bin/make")).toBe("deny r0");
    expect(decide(deny, "/usr/bin/make", { cwd: "/srv" })).toBe("no-rule");
  });

  it("allows until its day begins, and not without a clock", () => {
    const policy = strict({ binary: "/usr/bin/id", expires: "2026-06-15" });
    expect(decide(policy, "/usr/bin/id", { now: DAY - 1 })).toBe("permit r0");
    expect(decide(policy, "/usr/bin/id", { now: DAY })).toBe("policy-unmatched");
    expect(decide(policy, "/usr/bin/id")).toBe("policy-unmatched");
  });

  it("denies as the named account only", () => {
    const policy = { ...v2({ binary: "id", effect: "deny", run_as: "bob" }), run_as: ["root", "bob"] };
    expect(decide(policy, "/usr/bin/id", { runAs: "bob" })).toBe("deny r0");
    expect(decide(policy, "/usr/bin/id")).toBe("no-rule");
  });

  it("shows its reason, and the first of several by id", () => {
    const policy = v2(
      { id: "b", binary: "id", effect: "deny", reason: "second" },
      { id: "a", binary: "id", effect: "deny", reason: "first" },
      { id: "c", binary: "/usr/bin/id" },
    );
    expect(evaluateCommand(["/usr/bin/id"], parsePolicy(policy))).toEqual({
      kind: "deny",
      ruleId: "a",
      code: "policy-denied",
      reason: "first",
    });
  });
});

describe("the shipped template", () => {
  it.each([
    "/usr/bin/python3.11 x",
    "/bin/sh",
    "/usr/bin/env bash",
    "/usr/sbin/mkfs.ext4 /dev/sda1",
    "/usr/bin/perl5.36",
    "/usr/bin/rm --force -vR /srv/x",
    "/usr/bin/env rm -rf /srv/x",
    "/usr/bin/find /srv -delete",
  ])("denies %s", (line) => {
    expect(decide(commandTemplate, line)).toMatch(/^deny /);
  });

  it("lets a human be asked about an ordinary command", () => {
    expect(decide(commandTemplate, "/usr/bin/systemctl restart web")).toBe("no-rule");
  });
});

it("takes a parsed policy, a compiled one and plain JSON alike", () => {
  const value = { deny_exact: ["/usr/bin/id"] };
  const compiled = parsePolicy(value);
  const all = [compiled, compiled.policy, compilePolicy(compiled.policy), value as never];
  expect(new Set(all.map((policy) => evaluateCommand(["/bin/id"], policy).ruleId))).toEqual(new Set(["deny_exact[0]"]));
});
