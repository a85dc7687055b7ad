import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeUserHome, writeUserFile } from "../helpers/cli.ts";
import { itWith } from "../helpers/requires.ts";
import { ordinaryUser, runCliAsUser } from "../helpers/unprivileged.ts";

const POLICY = {
  schemaVersion: 2,
  unmatched: "deny",
  rules: [
    { id: "uptime", effect: "allow", binary: "/usr/bin/true", args: ["-p"] },
    { id: "any", effect: "allow", binary: "/usr/bin/true", args: "any" },
  ],
};

describe("cse posture", () => {
  it("shows a person the level with its reasons and the next step, and exits 0", async () => {
    const { home } = await makeUserHome();
    const { exitCode, stdout, stderr } = await runCliAsUser(["posture"], { home });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^Posture of \S+: L[01]\n/);
    for (const head of ["Why not more, worst first", "Not guaranteed at L", "Next: L"]) expect(stdout).toContain(head);
  });

  it("prints the same as JSON, with the source of every fact", async () => {
    const { home } = await makeUserHome();
    const { exitCode, stdout } = await runCliAsUser(["posture", "--json"], { home });
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as { evidence: Record<string, { source: string; at: string }> };
    expect(report).toMatchObject({ schemaVersion: 1, status: "ok" });
    expect(Object.values(report.evidence).filter(({ source, at }) => source === "" || at === "")).toEqual([]);
  });

  it("has no sudoers lines without a policy to take them from", async () => {
    const { home } = await makeUserHome();
    const { exitCode, stdout } = await runCliAsUser(["posture", "--sudoers", "--json"], { home });
    expect(exitCode).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ status: "error", code: "file-missing" });
  });

  itWith(["visudo"], "prints nothing but the sudoers lines on stdout, and what was left out beside it", async () => {
    const { home, securityDir } = await makeUserHome();
    await writeUserFile(join(securityDir, "command-policy.json"), JSON.stringify(POLICY));
    const { exitCode, stdout, stderr } = await runCliAsUser(["posture", "--sudoers"], { home });
    expect(exitCode).toBe(0);
    const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const { name } = await ordinaryUser();
    expect(lines.map((line) => line.split(/[ !]/, 1)[0])).toEqual([`Defaults:${name}`, "Cmnd_Alias", "Defaults", name]);
    expect(stderr).toContain("left out any (not-exact)");
    expect(stderr).toContain("Nothing was installed");
  });
});
