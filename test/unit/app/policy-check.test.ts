import { describe, expect, it } from "vitest";
import {
  checkPolicy,
  lintPolicyFile,
  type PolicyCheckDeps,
  type PolicyCheckReport,
} from "../../../src/app/policy-check.ts";
import { refuse } from "../../../src/core/refusal.ts";

const PATH = "/state/command-policy.json";

function depsWith(policy: unknown, change: Partial<PolicyCheckDeps> = {}): PolicyCheckDeps {
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  return {
    load: async () => (policy === null ? null : { path: PATH, text }),
    resolve: async (program) => ({ path: program.replace(/^\/bin\//, "/usr/bin/"), realPath: "/usr/bin/real" }),
    isRequired: false,
    now: () => 0,
    ...change,
  };
}

async function check(policy: unknown, line: string, change?: Partial<PolicyCheckDeps>): Promise<PolicyCheckReport> {
  return await checkPolicy(depsWith(policy, change), { argv: line.split(" "), runAs: "root", cwd: "/" });
}

describe("checkPolicy", () => {
  it("tells everything about a command that a person would be asked about", async () => {
    expect(await check({ allow: ["^/usr/bin/systemctl restart web$"] }, "/bin/systemctl restart web")).toEqual({
      schemaVersion: 1,
      outcome: "ask",
      argv: ["/bin/systemctl", "restart", "web"],
      run_as: "root",
      program: "/usr/bin/systemctl",
      policy_file: PATH,
      rule_id: "allow[0]",
      code: "rule-allows",
      reason: "A rule allows this command",
      help: "",
      root_equivalent: {
        rootEquivalent: false,
        classes: [],
        why: "Nothing is known against systemctl with these arguments.",
      },
    });
  });

  it.each<[string, unknown, string, Partial<PolicyCheckDeps>, unknown[]]>([
    ["no policy", null, "/usr/bin/id", {}, ["ask", "no-rule", null]],
    ["no policy where one is required", null, "/usr/bin/id", { isRequired: true }, ["refused", "policy-missing", null]],
    ["a denial", { deny_exact: ["/usr/bin/id"] }, "/bin/id", {}, ["refused", "policy-denied", "deny_exact[0]"]],
    ["a denial of the real file", { deny: ["^real$"] }, "/usr/bin/id", {}, ["refused", "policy-denied", "deny[0]"]],
    ["an allow list without it", { allow: ["^/x$"] }, "/usr/bin/id", {}, ["refused", "policy-unmatched", null]],
    ["a policy that is no JSON", "{", "/usr/bin/id", {}, ["refused", "policy-broken", null]],
    ["a pattern that does not compile", { deny: ["("] }, "/usr/bin/id", {}, ["refused", "policy-broken", null]],
    [
      "a relative command",
      {},
      "id",
      { resolve: async () => refuse("command-not-absolute", "x") },
      ["refused", "command-not-absolute", null],
    ],
    [
      "a file that is never run",
      {},
      "/usr/bin/id",
      { resolve: async () => refuse("command-not-root-owned", "it is mine") },
      ["refused", "command-not-root-owned", null],
    ],
    [
      "a denied file that is never run",
      { deny: ["id"] },
      "/usr/bin/id",
      { resolve: async () => refuse("command-not-found", "gone") },
      ["refused", "policy-denied", "deny[0]"],
    ],
  ])("answers for %s", async (_what, policy, line, change, expected) => {
    const { outcome, code, rule_id, help } = await check(policy, line, change);
    expect([outcome, code, rule_id]).toEqual(expected);
    expect(help === "").toBe(outcome === "ask");
  });

  it("calls a policy broken that cannot be read", async () => {
    const { code, policy_file } = await check({}, "/usr/bin/id", {
      load: async () => {
        throw new Error("no");
      },
    });
    expect([code, policy_file]).toEqual(["policy-broken", null]);
  });
});

describe("lintPolicyFile", () => {
  it("counts rules and lists findings", async () => {
    const report = await lintPolicyFile(depsWith({ allow: ["^/usr/bin/find .*$"], deny_exact: ["/usr/bin/id"] }));
    expect(report).toMatchObject({ policy_file: PATH, rules: 2, findings: [{ type: "root-equivalent" }] });
    const structured = {
      schemaVersion: 2,
      unmatched: "ask",
      rules: [{ id: "a", effect: "deny", binary: "x", args: "any" }],
    };
    expect(await lintPolicyFile(depsWith(structured))).toEqual({
      schemaVersion: 1,
      policy_file: PATH,
      rules: 1,
      findings: [],
    });
    expect(await lintPolicyFile(depsWith(null))).toEqual({
      schemaVersion: 1,
      policy_file: null,
      rules: 0,
      findings: [],
    });
  });

  it("fails with the code of a broken file", async () => {
    await expect(lintPolicyFile(depsWith({ deny: ["("] }))).rejects.toMatchObject({ code: "policy-invalid" });
  });
});
