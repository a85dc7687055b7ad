import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runAuditProgram } from "../helpers/audit-program.ts";
import { controlsIn, makeUserFolders, makeUserHome, reportOf, type UserHome, writeUserFile } from "../helpers/cli.ts";
import { ordinaryUser, type RunResult, runCliAsUser } from "../helpers/unprivileged.ts";

interface Cse extends UserHome {
  readonly log: string;
  readonly cse: (...args: string[]) => Promise<RunResult>;
}

/** A home whose log holds a refused request with text made to deceive, and one finished command. */
async function homeWithLog(): Promise<Cse> {
  const home = await makeUserHome();
  await makeUserFolders(home.stateDir);
  const program = `
    const log = await open();
    await log.append({ ...subject, event: "refused", code: "denied", message: "no\\u001b[8m\\n\\u202e", argv: ["/bin/x", "--token=SECRET"] });
    const { seq } = await log.append(intent);
    await log.append({ ...subject, event: "exec-finish", intentSeq: seq, outcome: "exited", exitCode: 0, signal: null, timedOut: false, pipeHeld: false, durationMs: 1, childPid: null, childStartTime: null, errno: null, message: null, output: null });
    await log.close();
    print(seq);`;
  const run = await runAuditProgram(program, home.securityDir);
  expect(run).toMatchObject({ stdout: "4", stderr: "" });
  return {
    ...home,
    log: join(home.securityDir, "privileged-audit.jsonl"),
    cse: async (...args) => await runCliAsUser(["audit", ...args], { home: home.home }),
  };
}

describe("cse audit verify", () => {
  it("exits 0 and says intact for a log as it was written", async () => {
    const { cse } = await homeWithLog();
    expect(reportOf(await cse("verify", "--json"))).toMatchObject({ status: "intact", records: 6 });
    expect(await cse("verify")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^intact: All 6 records are as they were written\n/),
      stderr: "",
    });
  });

  it("H45: exits 4 and says where for an edited log, and for a forged line at its end", async () => {
    const { cse, log } = await homeWithLog();
    const text = await readFile(log, "utf8");
    await writeFile(log, text.replace('"code":"denied"', '"code":"stopped"'));
    expect(reportOf(await cse("verify", "--json"), 4)).toMatchObject({
      status: "tampered",
      code: "chain-broken",
      first_bad_seq: 3,
      records: 3,
    });
    expect((await cse("verify")).stdout).toMatch(/^tampered chain-broken: .*\n {2}first bad record: 3;/);
    await writeFile(log, text);
    await appendFile(log, '{"event":"decision","decision":"allow-once"}\n');
    expect(reportOf(await cse("verify", "--json"), 4)).toMatchObject({ code: "not-canonical", first_bad_seq: 7 });
  });

  it("exits 6 when nobody can tell: no log, and a cut last line", async () => {
    const none = await makeUserHome();
    const run = await runCliAsUser(["audit", "verify", "--json"], { home: none.home });
    expect(reportOf(run, 6)).toMatchObject({ status: "unknown", code: "log-missing", records: 0 });
    const { cse, log } = await homeWithLog();
    await appendFile(log, '{"agent"');
    expect(reportOf(await cse("verify", "--json"), 6)).toMatchObject({ status: "unknown", code: "torn" });
  });

  it("R-55: checks every seal with a key that was taken away, and exits 3 for a file that holds none", async () => {
    const { cse, home } = await homeWithLog();
    const exported = await cse("export", "--key");
    expect(exported).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/) });
    expect(exported.stderr).toContain("it is not shown again");
    const file = join(home, "key");
    await writeUserFile(file, exported.stdout);
    expect((await cse("verify", "--key-file", file)).stdout).toContain("the verification key vouches for records 9 to");
    await writeUserFile(file, "hello");
    expect(await cse("verify", "--key-file", file, "--json")).toMatchObject({ exitCode: 3 });
  });
});

describe("cse audit show and export", () => {
  it("shows the last records without anything that acts on a terminal, and no secret", async () => {
    const { cse } = await homeWithLog();
    const shown = await cse("show", "--last", "4");
    expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
    expect(shown.stdout.trimEnd().split("\n").length).toBe(4);
    expect(shown.stdout).toContain('code=denied "/bin/x" "--token=***"');
    expect(controlsIn(shown.stdout)).toEqual([]);
    const report = reportOf(await cse("show", "--json", "--last", "2")) as { records: { event: string }[] };
    expect(report.records.map(({ event }) => event)).toEqual(["exec-finish", "checkpoint"]);
  });

  it("exports the whole record as it stands", async () => {
    const { cse, log } = await homeWithLog();
    const text = await readFile(log, "utf8");
    expect(await cse("export")).toMatchObject({ exitCode: 0, stdout: text, stderr: "" });
    expect(reportOf(await cse("export", "--json"))).toEqual({ lines: text.trimEnd().split("\n") });
  });

  it("refuses a number of records that is none", async () => {
    const { cse } = await homeWithLog();
    expect(await cse("show", "--last", "0")).toMatchObject({ exitCode: 2 });
  });
});

describe("cse audit reconcile (R-61)", () => {
  it("exits 0 when sudo ran what was announced, 4 when it ran more, 6 when its log cannot be read", async () => {
    const { cse, home } = await homeWithLog();
    const { name } = await ordinaryUser();
    const stamp = new Date(Date.now() + 500).toISOString();
    const line = (command: string): string => `${stamp} vm sudo[7]: ${name} : PWD=/ ; USER=root ; COMMAND=${command}\n`;
    const file = join(home, "auth.log");
    await writeUserFile(file, line("/usr/bin/id"));
    expect(reportOf(await cse("reconcile", "--json", "--sudo-log", file))).toMatchObject({
      status: "agrees",
      matched: 1,
    });
    await writeUserFile(file, line("/usr/bin/id") + line("/usr/bin/true --token=SECRET"));
    expect(reportOf(await cse("reconcile", "--json", "--sudo-log", file), 4)).toMatchObject({
      status: "bypass-detected",
      bypasses: [{ run_as: "root", command: "/usr/bin/true --token=***" }],
    });
    expect((await cse("reconcile", "--sudo-log", file)).stdout).toMatch(
      /^bypass-detected: [^]* as root: \/usr\/bin\/true/,
    );
    expect(reportOf(await cse("reconcile", "--json", "--sudo-log", join(home, "none")), 6)).toMatchObject({
      status: "inconclusive",
    });
  });
});
