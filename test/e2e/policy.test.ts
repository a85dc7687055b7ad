import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { PolicyCheckReport, PolicyLintReport } from "../../src/app/policy-check.ts";
import { makeUserHome, type UserHome, writeUserFile } from "../helpers/cli.ts";
import { type RunResult, runCliAsUser } from "../helpers/unprivileged.ts";

let user: UserHome;

beforeEach(async () => {
  user = await makeUserHome();
});

async function cse(...args: readonly string[]): Promise<RunResult> {
  return await runCliAsUser(args, { home: user.home });
}

async function writePolicy(policy: unknown): Promise<void> {
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  await writeUserFile(join(user.securityDir, "command-policy.json"), text);
}

describe("cse policy check", () => {
  it("says that a person would be asked where there is no policy", async () => {
    const { exitCode, stdout } = await cse("policy", "check", "--json", "--", "/usr/bin/id", "-u", "--json");
    const report = JSON.parse(stdout) as PolicyCheckReport;
    expect(exitCode).toBe(0);
    expect([report.outcome, report.code, report.argv]).toEqual(["ask", "no-rule", ["/usr/bin/id", "-u", "--json"]]);
  });

  it("H40: names the rule that denies another spelling, and still exits 0", async () => {
    await writePolicy({ deny_exact: ["/usr/bin/id"] });
    const { exitCode, stdout } = await cse("policy", "check", "--", "/usr/bin/../bin//id");
    expect(exitCode).toBe(0);
    expect(stdout.split("\n")[0]).toBe("refused (policy-denied, rule deny_exact[0]): A rule denies this command");
  });

  it("H38: says that a broken policy refuses everything", async () => {
    await writePolicy({ deny: ["("] });
    const { exitCode, stdout } = await cse("policy", "check", "--json", "--", "/usr/bin/id");
    const report = JSON.parse(stdout) as PolicyCheckReport;
    expect([exitCode, report.outcome, report.code]).toEqual([0, "refused", "policy-broken"]);
  });

  it("wants a command", async () => {
    const { exitCode, stdout } = await cse("policy", "check");
    expect([exitCode, stdout]).toEqual([2, ""]);
  });
});

describe("cse policy lint", () => {
  it("T79: calls an open rule critical, and fails only when told to", async () => {
    await writePolicy({ allow: ["^/usr/bin/find .*$"] });
    const { exitCode, stdout } = await cse("policy", "lint", "--json");
    const report = JSON.parse(stdout) as PolicyLintReport;
    expect([exitCode, report.rules, report.findings.map(({ type, risk }) => [type, risk])]).toEqual([
      0,
      1,
      [["root-equivalent", "critical"]],
    ]);
    expect((await cse("policy", "lint", "--fail-on", "critical")).exitCode).toBe(1);
  });

  it("has nothing to say about the shipped template", async () => {
    await cse("init");
    const { exitCode, stdout } = await cse("policy", "lint", "--fail-on", "low");
    expect([exitCode, stdout.trim().endsWith("32 rules, 0 findings")]).toEqual([0, true]);
  });

  it("exits 3 and says where when the file is broken", async () => {
    await writePolicy({ deny: ["ok", "("] });
    const { exitCode, stdout, stderr } = await cse("policy", "lint");
    expect([exitCode, stdout, stderr.includes("/deny/1")]).toEqual([3, "", true]);
  });
});
