import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { POLICY_FILES } from "../../src/app/init.ts";
import type { PreflightReport } from "../../src/app/preflight.ts";
import type { PortReport } from "../../src/core/network.ts";
import { RISKS } from "../../src/core/risk.ts";
import {
  controlsIn,
  cseInTerminal,
  listenAsUser,
  makeUserHome,
  reportOf,
  type UserHome,
  writeUserFile,
} from "../helpers/cli.ts";
import { itWith } from "../helpers/requires.ts";
import { collect, copyPackageForUser, runCliAsUser, type RunResult, startAsUser } from "../helpers/unprivileged.ts";

const ROOT = join(import.meta.dirname, "../..");

let user: UserHome;

beforeEach(async () => {
  user = await makeUserHome();
});

async function cse(...args: readonly string[]): Promise<RunResult> {
  return await runCliAsUser(args, { home: user.home });
}

/** Runs the command where a script says `cse`, as the ordinary user. */
async function inShell(script: string, args: readonly string[]): Promise<RunResult> {
  const { node, folder } = await copyPackageForUser();
  const shell = `cse() { ${node} ${join(folder, "dist/cli.js")} "$@"; }\n${script}`;
  const child = await startAsUser("/bin/sh", ["-c", shell, "sh", ...args], { home: user.home });
  child.stdin.end();
  return await collect(child);
}

const GROUPS = [
  ["scan"],
  ["baseline"],
  ["allowlist"],
  ["session"],
  ["audit"],
  ["policy"],
  ["approvers"],
  ["shim"],
  ["schedule"],
  ["waiver"],
  ["report"],
];
const COMMANDS = [
  ["assess"],
  ["scan", "ports"],
  ["scan", "egress"],
  ["baseline", "generate"],
  ["baseline", "diff"],
  ["baseline", "review"],
  ["allowlist", "suggest"],
  ["allowlist", "check"],
  ["run"],
  ["session", "status"],
  ["session", "drop"],
  ["audit", "verify"],
  ["audit", "show"],
  ["audit", "export"],
  ["audit", "reconcile"],
  ["policy", "check"],
  ["policy", "explain"],
  ["policy", "lint"],
  ["approvers", "list"],
  ["approvers", "enroll"],
  ["approvers", "revoke"],
  ["approvers", "confirm"],
  ["shim", "install"],
  ["shim", "status"],
  ["shim", "uninstall"],
  ["posture"],
  ["preflight"],
  ["notify"],
  ["cycle"],
  ["schedule", "enable"],
  ["schedule", "disable"],
  ["schedule", "status"],
  ["waiver", "add"],
  ["waiver", "list"],
  ["waiver", "expire"],
  ["waiver", "confirm"],
  ["report", "open"],
  ["report", "diff"],
  ["report", "history"],
  ["init"],
];

describe("help", () => {
  it.each([[], ...GROUPS, ...COMMANDS].map((args) => ({ args, name: ["cse", ...args].join(" ") })))(
    "of $name is on stdout and exits 0",
    async ({ args, name }) => {
      const run = await cse(...args, "--help");
      expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(run.stdout).toContain(`Usage: ${name} `);
    },
  );

  it.each([[], ...GROUPS].map((args) => ({ args, name: ["cse", ...args].join(" ") })))(
    "of $name is on stderr and exits 2 when no command is given",
    async ({ args, name }) => {
      const run = await cse(...args);
      expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(run.stderr).toContain(`Usage: ${name} `);
      expect(run.stderr).toContain("error missing-argument: No command given");
    },
  );

  it("knows every flag that the README names", async () => {
    const rows = (await readFile(join(ROOT, "README.md"), "utf8")).matchAll(/^\| `cse (.+?)` \|/gm);
    const documented = [...rows].map(([, row = ""]) => ({
      command: (/^[a-z]+(?: [a-z]+)*/.exec(row)?.[0] ?? "").split(" "),
      flags: row.match(/--[a-z-]+/g) ?? [],
    }));
    expect(documented.map(({ command }) => command)).toEqual(COMMANDS);
    for (const { command, flags } of documented) {
      const { stdout } = await cse(...command, "--help");
      expect({ command, missing: flags.filter((flag) => !stdout.includes(flag)) }).toEqual({ command, missing: [] });
    }
  });

  it("gives the version of the package", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await cse("--version")).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("a command line that is wrong", () => {
  it.each([
    { args: ["frobnicate"], code: "unknown-command" },
    { args: ["scan", "portz"], code: "unknown-command" },
    { args: ["scan", "ports", "--frobnicate"], code: "unknown-flag" },
    { args: ["scan", "ports", "everything"], code: "invalid-argument" },
    { args: ["scan", "ports", "--baseline"], code: "missing-argument" },
    { args: ["scan", "ports", "--fail-on", "bogus"], code: "invalid-argument" },
    { args: ["scan", "egress", "--fail-on", "HIGH"], code: "invalid-argument" },
    { args: ["scan", "egress", "--fail-on", ""], code: "invalid-argument" },
    { args: ["assess", "--fail-on"], code: "missing-argument" },
    { args: ["scan", "\u001b[31m\n\u202e"], code: "unknown-command" },
  ])("$args exits 2 with $code, in words and as JSON", async ({ args, code }) => {
    const words = await cse(...args);
    expect({ exitCode: words.exitCode, stdout: words.stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(words.stderr).toMatch(new RegExp(`^error ${code}: .+\\n {2}.+\\n$`));
    const leaf = COMMANDS.find((command) => command.every((word, index) => word === args[index])) ?? [];
    const asJson = await cse(...leaf, "--json", ...args.slice(leaf.length));
    expect({ exitCode: asJson.exitCode, stderr: asJson.stderr }).toEqual({ exitCode: 2, stderr: "" });
    expect(JSON.parse(asJson.stdout)).toEqual({
      status: "error",
      // Where there is no command yet, the flag is the first thing that is not known.
      code: leaf.length === 0 ? "unknown-flag" : code,
      message: expect.any(String),
      hint: expect.any(String),
    });
    expect(controlsIn(words.stderr + asJson.stdout)).toEqual([]);
  });

  it("writes nothing", async () => {
    await cse("init", "--frobnicate");
    expect(await readdir(user.home)).toEqual([]);
  });
});

describe("--json", () => {
  it("puts one JSON value on stdout and nothing on stderr", async () => {
    const runs: [string, RunResult][] = [];
    // Those of elevation and assess have tests of their own, with what they need to succeed.
    const others = ["assess", "cycle", "run", "session", "audit", "policy", "posture"];
    // Of these groups only what looks: the rest asks a person, or needs something to work on.
    const looks = ["approvers list", "shim status", "schedule status", "waiver list", "report history"];
    const isTried = ([first = "", second = ""]: readonly string[]): boolean =>
      looks.some((name) => name.startsWith(`${first} `))
        ? looks.includes(`${first} ${second}`)
        : !others.includes(first) && second !== "review";
    for (const args of COMMANDS.filter(isTried)) {
      runs.push([args.join(" "), await cse(...args, "--json")]);
      if (args[1] === "egress") await cse("baseline", "generate");
    }
    expect(
      runs.map(([name, { exitCode, stdout, stderr }]) => ({
        name,
        exitCode,
        stderr,
        schemaVersion: (JSON.parse(stdout) as { schemaVersion: number }).schemaVersion,
      })),
    ).toEqual(runs.map(([name]) => ({ name, exitCode: 0, stderr: "", schemaVersion: 1 })));
  });

  it("of a large result is whole, however slowly it is read", async () => {
    const { ports } = await listenAsUser({ count: 300 });
    const run = await inShell("cse scan ports --json | { sleep 1; cat; }", []);
    const report = reportOf(run) as PortReport;
    const seen = new Set(report.listening_services.map(({ port }) => port));
    expect(ports.filter((port) => !seen.has(port))).toEqual([]);
    expect(run.stdout.length).toBeGreaterThan(65_536);
  });
});

describe("--fail-on", () => {
  it("exits 1 exactly when a finding has at least that risk", async () => {
    await listenAsUser({ host: "0.0.0.0" });
    for (const threshold of RISKS) {
      const run = await cse("scan", "ports", "--json", "--fail-on", threshold);
      const report = JSON.parse(run.stdout) as PortReport;
      const reaching = RISKS.slice(0, RISKS.indexOf(threshold) + 1);
      const isReached = report.findings.some(({ risk }) => reaching.includes(risk));
      expect({ threshold, exitCode: run.exitCode }).toEqual({ threshold, exitCode: isReached ? 1 : 0 });
      expect(report.findings.some(({ risk }) => risk === "high")).toBe(true);
    }
    expect((await cse("scan", "ports", "--fail-on", "high")).exitCode).toBe(1);
    expect((await cse("scan", "ports")).exitCode).toBe(0);
  });
});

describe("the terminal", () => {
  it("gets no colour when it is none, even if it says so", async () => {
    const run = await runCliAsUser(["scan", "ports"], { home: user.home, env: { TERM: "xterm-256color" } });
    expect(run.stdout).not.toBe("");
    expect(controlsIn(run.stdout + run.stderr)).toEqual([]);
  });

  itWith(["python3"], "gets colour, and none with NO_COLOR or TERM=dumb", async () => {
    await listenAsUser();
    const { home } = user;
    const transcripts = await Promise.all(
      [{}, { NO_COLOR: "1" }, { TERM: "dumb" }].map(
        async (env) => (await cseInTerminal(["scan", "ports"], { home, env })).transcript,
      ),
    );
    expect(transcripts.map((transcript) => transcript.includes("\u001b["))).toEqual([true, false, false]);
    expect(transcripts.every((transcript) => transcript.includes("listening socket"))).toBe(true);
  });

  it("that goes away is no error, and the exit code stays", async () => {
    await listenAsUser({ host: "0.0.0.0" });
    const script = '{ cse scan ports --json --fail-on high; echo "exit $?" >&2; } | "$@"';
    const runs = [await inShell(script, ["head", "-1"]), await inShell(script, ["true"])];
    expect(runs.map(({ stdout, stderr }) => ({ stdout, stderr }))).toEqual([
      { stdout: "{\n", stderr: "exit 1\n" },
      { stdout: "", stderr: "exit 1\n" },
    ]);
  });
});

describe("a signal", () => {
  itWith(["strace"], "lets a write finish, leaves no temporary file and exits 130", async () => {
    const { node, folder } = await copyPackageForUser();
    await writeUserFile(user.baseline, "[]");
    // Every fsync takes so long that the signal comes before the file is in its place.
    const slow = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=100ms"];
    const command = [node, join(folder, "dist/cli.js"), "baseline", "generate"];
    const child = await startAsUser("/usr/bin/strace", [...slow, ...command], { home: user.home });
    const ended = collect(child);
    while (!(await readdir(user.securityDir)).some((name) => name.endsWith(".tmp"))) expect(child.exitCode).toBeNull();
    const traced = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    process.kill(Number(traced.trim().split(" ")[0]), "SIGINT");
    expect((await ended).exitCode).toBe(130);
    expect(await readdir(user.securityDir)).toEqual(["approved_ports.json"]);
    expect(await readFile(user.baseline, "utf8")).toContain('"schemaVersion": 2');
  });

  itWith(["python3"], "ends a command that waits for a person, with nothing saved", async () => {
    await listenAsUser();
    await cse("baseline", "generate");
    const before = await readFile(user.baseline, "utf8");
    const run = await cseInTerminal(["baseline", "review"], {
      home: user.home,
      steps: [["[a/d/k/q]", { signal: "SIGTERM" }]],
    });
    expect(run).toMatchObject({ exitCode: 143, timedOut: false });
    expect(await readFile(user.baseline, "utf8")).toBe(before);
  });
});

describe("cse init", () => {
  it("writes the four files, and keeps them all the second time", async () => {
    const paths = POLICY_FILES.map((name) => join(user.securityDir, name));
    expect(reportOf(await cse("init", "--json"))).toEqual({ schemaVersion: 1, created: paths, kept: [] });
    const first = await Promise.all(paths.map(async (path) => await readFile(path, "utf8")));
    expect(reportOf(await cse("init", "--json"))).toEqual({ schemaVersion: 1, created: [], kept: paths });
    expect(await Promise.all(paths.map(async (path) => await readFile(path, "utf8")))).toEqual(first);
    expect((await readdir(user.securityDir)).toSorted()).toEqual([...POLICY_FILES].toSorted());
  });

  it("keeps what a person wrote and adds what is missing", async () => {
    await writeUserFile(user.baseline, "mine, not even JSON");
    expect(reportOf(await cse("init", "--json"))).toMatchObject({
      created: [expect.any(String), expect.any(String), expect.any(String)],
      kept: [user.baseline],
    });
    expect(await readFile(user.baseline, "utf8")).toBe("mine, not even JSON");
  });

  it("writes templates that preflight accepts and that approve nothing", async () => {
    const listener = await listenAsUser();
    await cse("init");
    const { items, status } = reportOf(await cse("preflight", "--json")) as PreflightReport;
    expect(status).toBe("ok");
    const policies = items.filter(({ subject }) => subject.startsWith("policy:"));
    expect(policies.map(({ subject, state }) => [subject, state])).toEqual(
      POLICY_FILES.map((name) => [`policy:${name}`, "ok"]),
    );
    const report = reportOf(await cse("scan", "ports", "--json")) as PortReport;
    expect(report.findings.some(({ port, type }) => port === listener.port && type === "unapproved-port")).toBe(true);
  });
});

describe("cse preflight", () => {
  it("fails when policy files are required and missing", async () => {
    const env = { OPENCLAW_REQUIRE_POLICY_FILES: "1" };
    const run = await runCliAsUser(["preflight", "--json"], { home: user.home, env });
    const { items } = reportOf(run, 5) as PreflightReport;
    expect(items.filter(({ state }) => state === "problem").map(({ subject, code }) => [subject, code])).toEqual([
      ["policy:approved_ports.json", "file-missing"],
      ["policy:command-policy.json", "file-missing"],
      ["policy:egress_allowlist.json", "file-missing"],
    ]);
    expect((await runCliAsUser(["preflight", "--json"], { home: user.home })).exitCode).toBe(0);
  });
});
