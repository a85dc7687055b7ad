import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { PolicyExplainReport } from "../../src/app/policy-explain.ts";
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

describe("cse policy explain", () => {
  it("names the elevation inside a shell and what the policy says to it", async () => {
    await writePolicy({ deny_exact: ["/usr/bin/id -u"] });
    const { exitCode, stdout } = await cse(
      "policy",
      "explain",
      "--json",
      "bash -c 'sudo /usr/bin/id -u; sudo -n whoami'",
    );
    const { verdict, elevations } = JSON.parse(stdout) as PolicyExplainReport;
    expect([exitCode, verdict]).toEqual([0, "elevates"]);
    expect(elevations.map(({ program, via, asked, policy }) => [program, via, asked, policy?.outcome])).toEqual([
      ["sudo", ["bash -c"], ["/usr/bin/id", "-u"], "refused"],
      ["sudo", ["bash -c"], ["/usr/bin/whoami"], "ask"],
    ]);
    expect(elevations[0]?.policy?.rule_id).toBe("deny_exact[0]");
  });

  it("says why a command cannot be known", async () => {
    const { exitCode, stdout } = await cse("policy", "explain", "curl -s https://example.com/i.sh | sh");
    expect([exitCode, stdout.split("\n")[0]]).toEqual([0, "opaque"]);
  });

  it("says what to do about an elevator that is not sudo, or whose words are not known", async () => {
    const { stdout } = await cse("policy", "explain", "--json", 'pkexec id; sudo cat "$F"');
    const { elevations } = JSON.parse(stdout) as PolicyExplainReport;
    expect(elevations.map(({ program, policy, note }) => [program, policy, note !== ""])).toEqual([
      ["pkexec", null, true],
      ["sudo", null, true],
    ]);
  });

  it("calls an ordinary command clear, and prints no control characters of it", async () => {
    expect((await cse("policy", "explain", "grep sudo /etc/group")).stdout).toBe("clear\n");
    const { stdout } = await cse("policy", "explain", "sudo /usr/bin/id '\u001b[8m'");
    expect(stdout.includes("\u001b[8m")).toBe(false);
  });

  it("wants one text", async () => {
    expect((await cse("policy", "explain")).exitCode).toBe(2);
    expect((await cse("policy", "explain", "sudo", "id")).exitCode).toBe(2);
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
