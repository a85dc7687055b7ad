import { describe, expect, it } from "vitest";
import {
  escapeArguments,
  exactRulesOf,
  type FragmentRule,
  renderSudoersFragment,
} from "../../../src/policy/sudoers-fragment.ts";
import { parseCommandPolicy } from "../../../src/schema/command-policy.ts";

const NOW = Date.UTC(2026, 10, 23, 8);
const ACCOUNT = { user: "claw", uid: 1001 };

function rule(change: Partial<FragmentRule> = {}): FragmentRule {
  return { id: "r", argv: ["/usr/bin/id"], runAs: "root", cwd: null, expiresAt: null, sha256: null, ...change };
}

describe("exactRulesOf", () => {
  it("takes rules of literal words from a v2 policy and refuses the others by name", () => {
    const allow = { effect: "allow", binary: "/usr/bin/x" } as const;
    const policy = parseCommandPolicy({
      schemaVersion: 2,
      unmatched: "ask",
      rules: [
        { id: "bare", ...allow, args: [] },
        { id: "words", ...allow, args: ["a", "b c"], run_as: "bob", cwd: "/srv", expires: "2026-12-24" },
        { id: "any", ...allow, args: "any" },
        { id: "choice", ...allow, args: ["a", { one_of: ["b"] }] },
        { id: "pattern", ...allow, args: [{ regex: "a" }] },
        { id: "flags", ...allow, args: [], flags: { optional: ["-v"] } },
        { id: "over", ...allow, args: [], expires: "2026-11-23" },
        { id: "deny", effect: "deny", binary: "rm", args: [] },
      ],
    });
    const { rules, refused } = exactRulesOf(policy, NOW);
    expect(rules).toEqual([
      { id: "bare", argv: ["/usr/bin/x"], runAs: "root", cwd: null, expiresAt: null },
      { id: "words", argv: ["/usr/bin/x", "a", "b c"], runAs: "bob", cwd: "/srv", expiresAt: Date.UTC(2026, 11, 24) },
    ]);
    expect(refused.map(({ id, code }) => [id, code])).toEqual([
      ["any", "not-exact"],
      ["choice", "not-exact"],
      ["pattern", "not-exact"],
      ["flags", "not-exact"],
      ["over", "expired"],
    ]);
  });

  it("takes whole commands from a policy of the original's form, and no pattern", () => {
    const policy = parseCommandPolicy({
      allow: ["^/usr/bin/apt$"],
      allow_exact: ["/usr/bin/apt-get update", ["/usr/bin/x", "a b"], " x"],
      deny_exact: ["/usr/bin/rm"],
    });
    const { rules, refused } = exactRulesOf(policy, NOW);
    expect(rules.map(({ id, argv }) => [id, argv])).toEqual([
      ["allow_exact[0]", ["/usr/bin/apt-get", "update"]],
      ["allow_exact[1]", ["/usr/bin/x", "a b"]],
    ]);
    expect(refused.map(({ id, code }) => [id, code])).toEqual([
      ["allow[0]", "not-exact"],
      ["allow_exact[2]", "inexpressible"],
    ]);
  });
});

describe("escapeArguments", () => {
  it.each([
    [[], '""'],
    [["a", "-b"], "a -b"],
    [["a,b", "c:d", "e=f", "#g"], "a\\,b c\\:d e\\=f \\#g"],
    [["*", "?", "[a-z]", "!x"], "\\* \\? \\[a-z\\] \\!x"],
    [["a\\b"], "a\\\\\\\\b"],
    [["^a$"], "\\^a$"],
    [["a", "^b$"], "a ^b$"],
    [["a", '""'], 'a ""'],
  ])("writes %j as sudoers reads it", (args, text) => {
    expect(escapeArguments(args)).toEqual({ kind: "escaped", text });
  });

  it.each([
    ["a space", ["a b"]],
    ["a tab", ["a\tb"]],
    ["a line break", ["a\nDefaults !authenticate"]],
    ["a no-break space", ["a\u00a0b"]],
    ["nothing", [""]],
    ["nothing between", ["a", "", "b"]],
    ["an escape sequence", ["\u001b[8m"]],
    ["a direction mark", ["a\u202eb"]],
    ["half a character", ["\ud800"]],
    ["a replacement character", ["\ufffd"]],
    ["two quotation marks alone", ['""']],
  ])("refuses %s", (_title, args) => {
    expect(escapeArguments(args).kind).toBe("impossible");
  });
});

describe("renderSudoersFragment", () => {
  it("writes an alias, its defaults and its rule for each command, under a log of sudo's own", () => {
    const sha256 = "ab".repeat(32);
    const { text, written, refused } = renderSudoersFragment({
      account: ACCOUNT,
      rules: [
        rule({ id: "plain", argv: ["/usr/bin/apt-get", "update"] }),
        rule({ id: "full", runAs: "bob", cwd: "/srv", expiresAt: Date.UTC(2027, 0, 31), sha256 }),
      ],
      log: "json",
    });
    expect(refused).toEqual([]);
    expect(written).toEqual([
      { id: "plain", alias: "CSE_1001_1", command: "/usr/bin/apt-get update" },
      { id: "full", alias: "CSE_1001_2", command: '/usr/bin/id ""' },
    ]);
    expect(text?.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
      'Defaults:claw logfile="/var/log/sudo.json", log_format=json',
      "Cmnd_Alias CSE_1001_1 = /usr/bin/apt-get update",
      "Defaults!CSE_1001_1 env_reset, !setenv, timestamp_timeout=0",
      "claw ALL=(root) NOPASSWD: NOSETENV: CSE_1001_1",
      `Cmnd_Alias CSE_1001_2 = sha256:${sha256} /usr/bin/id ""`,
      "Defaults!CSE_1001_2 env_reset, !setenv, timestamp_timeout=0",
      "claw ALL=(bob) CWD=/srv NOTAFTER=20270130235959Z NOPASSWD: NOSETENV: CSE_1001_2",
    ]);
  });

  it("names no format of the log that an older sudo does not know", () => {
    const { text } = renderSudoersFragment({ account: ACCOUNT, rules: [rule()], log: "text" });
    expect(text).toContain('Defaults:claw logfile="/var/log/sudo.log"\n');
  });

  it.each<[string, Partial<FragmentRule>]>([
    ["a relative command", { argv: ["id"] }],
    ["a command with a dot folder", { argv: ["/usr/./bin/id"] }],
    ["a command with a parent folder", { argv: ["/usr/lib/../bin/id"] }],
    ["a folder, which sudoers takes for all that is in it", { argv: ["/usr/bin/"] }],
    ["a command with a star", { argv: ["/usr/bin/i*"] }],
    ["a command with a space", { argv: ["/usr/bin/my id"] }],
    ["a command with a comma", { argv: ["/usr/bin/id,ALL"] }],
    ["a target user of sudoers' own", { runAs: "ALL" }],
    ["a target user by number", { runAs: "#0" }],
    ["a list of target users", { runAs: "bob,root" }],
    ["a folder anywhere", { cwd: "*" }],
    ["a folder with a space", { cwd: "/a b" }],
    ["a digest that is none", { sha256: "00, /usr/bin/bash" }],
  ])("refuses %s", (_title, change) => {
    const fragment = renderSudoersFragment({ account: ACCOUNT, rules: [rule(change)], log: "text" });
    expect(fragment.text).toBeNull();
    expect(fragment.refused.map(({ code }) => code)).toEqual(["inexpressible"]);
  });

  it.each(["ALL", "Claw", "claw ALL", "%sudo", "+net", "#1001", "", "a.b"])(
    "writes nothing for the account %j",
    (user) => {
      const fragment = renderSudoersFragment({ account: { user, uid: 1001 }, rules: [rule()], log: "text" });
      expect(fragment.text).toBeNull();
    },
  );

  it("keeps a rule id in its comment", () => {
    const { text } = renderSudoersFragment({
      account: ACCOUNT,
      rules: [rule({ id: "x\nALL ALL=(ALL) ALL" })],
      log: "text",
    });
    expect(text?.split("\n").filter((line) => line.startsWith("ALL"))).toEqual([]);
  });
});
