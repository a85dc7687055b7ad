import { link, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect } from "vitest";
import type { AllowlistCheck, AllowlistSuggestion } from "../../src/app/allowlist.ts";
import type { EgressReport } from "../../src/core/network.ts";
import type { EgressRuleRecord } from "../../src/schema/egress-allowlist.ts";
import { controlsIn, makeUserHome, reportOf, type UserHome, writeUserFile } from "../helpers/cli.ts";
import { itWithNetworks, makeTwoNetworks, REMOTE, REMOTE_NAME, type TwoNetworks } from "../helpers/two-networks.ts";
import { copyPackageForUser, makeUserFolder, ordinaryUser } from "../helpers/unprivileged.ts";

let user: UserHome;

beforeEach(async () => {
  user = await makeUserHome();
});

async function allow(...rules: readonly EgressRuleRecord[]): Promise<void> {
  await writeUserFile(user.allowlist, JSON.stringify({ schemaVersion: 2, rules }));
}

async function scan(networks: TwoNetworks): Promise<EgressReport> {
  return reportOf(await networks.cse(["scan", "egress", "--json"], user.home)) as EgressReport;
}

function findings(report: EgressReport): string[] {
  return report.findings.map(({ type, remote_ip, remote_port }) => `${type} ${remote_ip}:${remote_port}`);
}

/** Without the one about other namespaces: whatever else runs on this machine may have some. */
function problems(report: EgressReport): string[] {
  return report.problems.map(({ code }) => code).filter((code) => code !== "other-network-namespaces");
}

describe("a connection to another host", () => {
  itWithNetworks("is unapproved without an allowlist, with its program, user and direction", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    const report = await scan(networks);
    const { node } = await copyPackageForUser();
    const { name, uid } = await ordinaryUser();
    expect(report.connections).toEqual([
      expect.objectContaining({
        protocol: "tcp",
        direction: "outbound",
        remote_ip: REMOTE,
        remote_port: 443,
        remote_host: null,
        host_source: null,
        state: "ESTABLISHED",
        category: "public",
        exe: node,
        user: name,
        uid,
      }),
    ]);
    expect(findings(report)).toEqual([`unapproved-egress ${REMOTE}:443`]);
    expect(report.findings[0]).toMatchObject({ check_id: "egress_connections_approved", status: "violation" });
    expect(problems(report)).toEqual(["no-allowlist"]);
  });

  itWithNetworks("is unapproved also from a port on which another process listens by now", async () => {
    const networks = await makeTwoNetworks([8443]);
    await networks.dial(8443, { from: 8080 });
    await networks.listen(8080);
    const report = await scan(networks);
    expect(report.connections).toMatchObject([{ local_port: 8080, direction: "unknown", state: "ESTABLISHED" }]);
    expect(findings(report)).toEqual([`unapproved-egress ${REMOTE}:8443`]);
  });

  itWithNetworks("is approved by a rule for its host name, and says that the name came from DNS", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    await allow({ host: REMOTE_NAME, protocol: "tcp", port: 443, reviewed: true });
    const report = await scan(networks);
    expect(report.connections).toMatchObject([{ remote_host: REMOTE_NAME, host_source: "dns" }]);
    expect({ findings: findings(report), status: report.status, problems: problems(report) }).toEqual({
      findings: [],
      status: "ok",
      problems: [],
    });
  });

  itWithNetworks("is approved by a rule of the original's form", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    await writeUserFile(
      user.allowlist,
      JSON.stringify([{ protocol: "tcp", host_regex: "^api\\.example\\.test$", port: 443 }]),
    );
    expect(findings(await scan(networks))).toEqual([]);
  });

  itWithNetworks("stays unapproved when the rule has another port, program or review", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    const wrong: EgressRuleRecord[] = [
      { host: REMOTE_NAME, protocol: "tcp", port: 8443, reviewed: true },
      { host: REMOTE_NAME, protocol: "udp", port: 443, reviewed: true },
      { host: REMOTE_NAME, protocol: "tcp", port: 443, exe: "/usr/bin/curl", reviewed: true },
      { host: REMOTE_NAME, protocol: "tcp", port: 443, reviewed: false },
      { host: REMOTE_NAME, protocol: "tcp", port: 443, expires: "2020-01-01", reviewed: true },
    ];
    const seen: string[][] = [];
    for (const rule of wrong) {
      await allow(rule);
      seen.push(findings(await scan(networks)));
    }
    expect(seen).toEqual(wrong.map(() => [`unapproved-egress ${REMOTE}:443`]));
  });

  itWithNetworks("is unverifiable, not approved, when the rule's name cannot be resolved", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    await allow({ host: `${REMOTE_NAME}.elsewhere.test`, protocol: "tcp", port: 443, reviewed: true });
    const report = await scan(networks);
    expect(findings(report)).toEqual([`unverifiable ${REMOTE}:443`]);
    expect({ status: report.status, notes: report.rule_notes.map(({ kind }) => kind) }).toEqual({
      status: "incomplete",
      notes: ["unresolvable"],
    });
  });

  itWithNetworks("is no finding of the approved one beside it", async () => {
    const networks = await makeTwoNetworks([443, 8443]);
    await networks.dial(443);
    await networks.dial(8443);
    await allow({ host: REMOTE_NAME, protocol: "tcp", port: 443, reviewed: true });
    const report = await scan(networks);
    expect(report.connections).toHaveLength(2);
    expect(findings(report)).toEqual([`unapproved-egress ${REMOTE}:8443`]);
    const failing = await networks.cse(["scan", "egress", "--json", "--fail-on", "low"], user.home);
    expect(failing.exitCode).toBe(1);
  });
});

describe("cse allowlist", () => {
  itWithNetworks("suggests a rule that approves nothing before it is reviewed, and everything after", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    const { node } = await copyPackageForUser();
    const suggestion = reportOf(
      await networks.cse(["allowlist", "suggest", "--json"], user.home),
    ) as AllowlistSuggestion;
    expect(suggestion.proposed).toEqual([
      expect.objectContaining({ cidr: `${REMOTE}/32`, protocol: "tcp", port: 443, exe: node, reviewed: false }),
    ]);

    const { stdout } = await networks.cse(["allowlist", "suggest"], user.home);
    await writeUserFile(user.allowlist, stdout);
    expect(findings(await scan(networks))).toEqual([`unapproved-egress ${REMOTE}:443`]);
    await writeUserFile(user.allowlist, stdout.replace('"reviewed": false', '"reviewed": true'));
    expect(findings(await scan(networks))).toEqual([]);
  });

  itWithNetworks("suggests nothing that could act on a terminal, whatever the program is called", async () => {
    const networks = await makeTwoNetworks([443]);
    const exe = join(await makeUserFolder(), "no\nde\u001b[31m\u009b\u202e");
    await link((await copyPackageForUser()).node, exe);
    await networks.dial(443, { exe });
    const { stdout, stderr } = await networks.cse(["allowlist", "suggest"], user.home);
    expect(controlsIn(stdout + stderr)).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({ rules: [{ exe, reviewed: false }] });
  });

  itWithNetworks("suggests by name what an unfinished rule has a name for", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    await allow({ host: REMOTE_NAME, protocol: "tcp", port: 8443, reviewed: true });
    const suggestion = reportOf(
      await networks.cse(["allowlist", "suggest", "--json"], user.home),
    ) as AllowlistSuggestion;
    expect(suggestion.proposed).toMatchObject([{ host: REMOTE_NAME, port: 443, reviewed: false }]);
  });

  itWithNetworks("shows what each rule resolves to and approves", async () => {
    const networks = await makeTwoNetworks([443]);
    await networks.dial(443);
    await allow(
      { host: REMOTE_NAME, protocol: "tcp", port: 443, reviewed: true },
      { cidr: "10.0.0.0/8", protocol: "tcp", port: 443, reviewed: false },
    );
    const before = await readFile(user.allowlist, "utf8");
    const check = reportOf(await networks.cse(["allowlist", "check", "--json"], user.home)) as AllowlistCheck;
    expect(check.rules).toMatchObject([
      { rule: 0, active: true, resolves_to: { [REMOTE_NAME]: [REMOTE] }, approves: 1 },
      { rule: 1, active: false, approves: 0 },
    ]);
    const { stdout } = await networks.cse(["allowlist", "check"], user.home);
    expect(stdout).toContain(`${REMOTE_NAME}: ${REMOTE}`);
    expect(await readFile(user.allowlist, "utf8")).toBe(before);
  });
});
