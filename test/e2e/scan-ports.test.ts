import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Listener, NetworkFinding, PortReport } from "../../src/core/network.ts";
import type { PortRuleRecord } from "../../src/schema/approved-ports.ts";
import {
  cseInTerminal,
  listenAsUser,
  makeUserHome,
  readJson,
  reportOf,
  type RunningListener,
  type TerminalStep,
  type UserHome,
} from "../helpers/cli.ts";
import { itWith } from "../helpers/requires.ts";
import { collect, copyPackageForUser, ordinaryUser, runCliAsUser, startAsUser } from "../helpers/unprivileged.ts";

interface BaselineText {
  readonly schemaVersion: number;
  readonly rules: PortRuleRecord[];
}

let user: UserHome;

beforeEach(async () => {
  user = await makeUserHome();
});

async function scan(): Promise<PortReport> {
  return reportOf(await runCliAsUser(["scan", "ports", "--json"], { home: user.home })) as PortReport;
}

async function generate(): Promise<void> {
  reportOf(await runCliAsUser(["baseline", "generate", "--json"], { home: user.home }));
}

async function baseline(): Promise<BaselineText> {
  return (await readJson(user.baseline)) as BaselineText;
}

function at(report: PortReport, port: number): { listeners: Listener[]; findings: NetworkFinding[] } {
  return {
    listeners: report.listening_services.filter((listener) => listener.port === port),
    findings: report.findings.filter((finding) => finding.port === port),
  };
}

/** Approves the entries of the given ports and keeps every other one for later. */
async function stepsFor(ports: readonly number[]): Promise<TerminalStep[]> {
  const pending = (await baseline()).rules.filter((rule) => !rule.reviewed);
  return pending.flatMap((rule): TerminalStep[] =>
    ports.includes(rule.port ?? 0)
      ? [
          ["[a/d/k/q]", "a\n"],
          ["owner", "platform team\n"],
          ["why", "end-to-end test\n"],
          ["expires", "\n"],
        ]
      : [["[a/d/k/q]", "k\n"]],
  );
}

/** Puts a reviewed rule for this listener into a baseline of its own. */
async function approve(listener: RunningListener, over: Partial<PortRuleRecord> = {}): Promise<void> {
  await generate();
  const file = await baseline();
  const rules = file.rules.map((rule) => (rule.port === listener.port ? { ...rule, reviewed: true, ...over } : rule));
  await writeFile(user.baseline, JSON.stringify({ ...file, rules }));
}

async function restart(listener: RunningListener, host: string): Promise<RunningListener> {
  await listener.stop();
  return await listenAsUser({ host, port: listener.port });
}

describe("a listener that nobody approved", () => {
  it("shows up with its executable, user and scope", async () => {
    const listener = await listenAsUser();
    const { listeners, findings } = at(await scan(), listener.port);
    const { name, uid } = await ordinaryUser();
    expect(listeners).toEqual([
      expect.objectContaining({
        protocol: "tcp",
        address: "127.0.0.1",
        port: listener.port,
        scope: "loopback",
        pid: listener.pid,
        exe: listener.exe,
        exe_deleted: false,
        user: name,
        uid,
        owners: 1,
        unknown_reason: null,
      }),
    ]);
    expect(findings).toEqual([
      expect.objectContaining({
        check_id: "open_ports_approved",
        type: "unapproved-port",
        status: "violation",
        risk: "low",
        scope: "loopback",
        bind_address: "127.0.0.1",
        process: expect.objectContaining({ pid: listener.pid, exe: listener.exe, user: name }),
      }),
    ]);
  });

  it("shows up over UDP, and does not with --no-udp", async () => {
    const listener = await listenAsUser({ protocol: "udp", port: "low" });
    expect(at(await scan(), listener.port).findings.map(({ type, protocol }) => [type, protocol])).toEqual([
      ["unapproved-port", "udp"],
    ]);
    const run = await runCliAsUser(["scan", "ports", "--no-udp", "--json"], { home: user.home });
    expect(at(reportOf(run) as PortReport, listener.port)).toEqual({ listeners: [], findings: [] });
  });

  it("is named in the text for people", async () => {
    const listener = await listenAsUser();
    const run = await runCliAsUser(["scan", "ports"], { home: user.home });
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(run.stdout).toContain(`127.0.0.1:${listener.port}`);
  });

  it("is a higher risk on all interfaces, and is public besides", async () => {
    const listener = await listenAsUser({ host: "0.0.0.0" });
    const { findings } = at(await scan(), listener.port);
    expect(findings.map(({ type, risk, scope }) => `${risk} ${type} ${scope}`).toSorted()).toEqual([
      "high unapproved-port all-interfaces",
      "medium public-bind all-interfaces",
    ]);
  });
});

describe("cse baseline generate", () => {
  it("lists a listener as unreviewed, which approves nothing", async () => {
    const listener = await listenAsUser();
    await generate();
    const { name } = await ordinaryUser();
    expect((await baseline()).rules.filter((rule) => rule.port === listener.port)).toEqual([
      expect.objectContaining({
        protocol: "tcp",
        port: listener.port,
        scope: "loopback",
        exe: listener.exe,
        user: name,
        reviewed: false,
      }),
    ]);
    const report = await scan();
    expect(report.approved_file).toBe(user.baseline);
    expect(at(report, listener.port).findings.map(({ type }) => type)).toEqual(["unapproved-port"]);
    expect(report.rule_notes.map(({ kind }) => kind)).toContain("unreviewed");
  });

  it("writes a file of mode 0600 in folders of mode 0700, whatever the umask is", async () => {
    const { node, folder } = await copyPackageForUser();
    const command = [node, join(folder, "dist/cli.js"), "baseline", "generate", "--json"];
    const child = await startAsUser("/bin/sh", ["-c", 'umask 000; exec "$@"', "sh", ...command], { home: user.home });
    reportOf(await collect(child));
    const modes = await Promise.all(
      [user.baseline, user.securityDir, user.stateDir].map(async (path) =>
        ((await stat(path)).mode & 0o7777).toString(8),
      ),
    );
    expect(modes).toEqual(["600", "700", "700"]);
    expect(await readdir(dirname(user.baseline))).toEqual(["approved_ports.json"]);
  });

  it("makes a file named by hand, for which the other commands then take it", async () => {
    const listener = await listenAsUser();
    const named = join(user.home, "baselines", "mine.json");
    const { home } = user;
    reportOf(await runCliAsUser(["baseline", "generate", "--baseline", named, "--json"], { home }));
    await expect(stat(user.stateDir)).rejects.toThrow("ENOENT");
    const run = await runCliAsUser(["scan", "ports", "--baseline", named, "--json"], { home });
    const report = reportOf(run) as PortReport;
    expect(report.approved_file).toBe(named);
    expect(at(report, listener.port).findings.map(({ evidence }) => evidence)).toEqual([
      expect.stringContaining("not reviewed"),
    ]);
  });

  it("never stores a process id", async () => {
    const listener = await listenAsUser();
    await generate();
    const values = (await baseline()).rules.flatMap((rule) => Object.entries(rule));
    expect(values.filter(([key]) => /pid/i.test(key))).toEqual([]);
    const others = values.filter(([key]) => key !== "port").map(([, value]) => String(value));
    expect(others).not.toContain(String(listener.pid));
  });

  it("keeps reviewed entries and comments when it runs again", async () => {
    const listener = await listenAsUser();
    await approve(listener, { comment: "ask Kim before closing", owner: "ops", expires: "2099-01-01" });
    const kept = (await baseline()).rules.find((rule) => rule.port === listener.port);
    const second = await listenAsUser();
    await generate();
    const rules = (await baseline()).rules;
    expect(rules.filter((rule) => rule.port === listener.port)).toEqual([kept]);
    expect(rules.find((rule) => rule.port === second.port)?.reviewed).toBe(false);
    expect(at(await scan(), listener.port).findings).toEqual([]);
  });

  it("keeps an entry of the original's form, with its comment", async () => {
    const listener = await listenAsUser();
    await generate();
    await writeFile(
      user.baseline,
      JSON.stringify([{ port: listener.port, protocol: "tcp", command: "node", comment: "gateway" }]),
    );
    expect(at(await scan(), listener.port).findings).toEqual([]);
    await generate();
    expect((await baseline()).rules.filter((rule) => rule.port === listener.port)).toEqual([
      { protocol: "tcp", port: listener.port, scope: "any", command: "node", reviewed: true, comment: "gateway" },
    ]);
  });
});

describe("a rule that approves a listener", () => {
  it("does not cover the same program and port on all interfaces", async () => {
    const listener = await listenAsUser();
    await approve(listener);
    expect(at(await scan(), listener.port).findings).toEqual([]);
    await restart(listener, "0.0.0.0");
    const { findings } = at(await scan(), listener.port);
    expect(findings.map(({ type, risk }) => `${risk} ${type}`).toSorted()).toEqual([
      "high unapproved-port",
      "medium public-bind",
    ]);
  });

  it("does not cover another program that calls itself the same", async () => {
    const listener = await listenAsUser();
    await approve(listener, { exe: "/usr/sbin/sshd" });
    await listener.stop();
    await listenAsUser({ port: listener.port, comm: "sshd" });
    expect(at(await scan(), listener.port).findings.map(({ type }) => type)).toEqual(["unapproved-port"]);
  });

  it("approves nothing once it has expired", async () => {
    const listener = await listenAsUser();
    await approve(listener, { expires: "2020-01-01" });
    const report = await scan();
    expect(at(report, listener.port).findings.map(({ type }) => type)).toEqual(["unapproved-port"]);
    expect(report.rule_notes.map(({ kind }) => kind)).toContain("expired");
  });
});

describe("cse baseline diff", () => {
  interface Diff {
    readonly added: readonly Listener[];
    readonly changed: readonly { readonly listener: Listener }[];
    readonly unreviewed: readonly Listener[];
    readonly missing: readonly { readonly ports: { readonly first: number } }[];
  }

  /** Where the port is mentioned. */
  async function diffAt(port: number): Promise<string[]> {
    const run = await runCliAsUser(["baseline", "diff", "--json"], { home: user.home });
    const diff = reportOf(run) as Diff;
    return [
      ...diff.added.map((listener) => ["added", listener.port] as const),
      ...diff.changed.map(({ listener }) => ["changed", listener.port] as const),
      ...diff.unreviewed.map((listener) => ["unreviewed", listener.port] as const),
      ...diff.missing.map((rule) => ["missing", rule.ports.first] as const),
    ]
      .filter(([, seen]) => seen === port)
      .map(([kind]) => kind);
  }

  it("is empty for an approved listener and shows when it stops, moves or comes new", async () => {
    const listener = await listenAsUser();
    await approve(listener);
    expect(await diffAt(listener.port)).toEqual([]);
    await listener.stop();
    expect(await diffAt(listener.port)).toEqual(["missing"]);
    const moved = await listenAsUser({ host: "0.0.0.0", port: listener.port });
    expect(await diffAt(listener.port)).toContain("changed");
    const fresh = await listenAsUser();
    expect(await diffAt(fresh.port)).toEqual(["added"]);
    await moved.stop();
  });

  it("fails by name where there is no baseline yet", async () => {
    const run = await runCliAsUser(["baseline", "diff", "--json"], { home: user.home });
    expect(reportOf(run, 5)).toMatchObject({ status: "error", code: "file-missing" });
  });
});

describe("cse baseline review", () => {
  itWith(["python3"], "approves at a terminal what a person says, and the finding goes away", async () => {
    const listener = await listenAsUser();
    const other = await listenAsUser();
    await generate();
    const run = await cseInTerminal(["baseline", "review"], {
      home: user.home,
      steps: await stepsFor([listener.port]),
    });
    expect(run).toMatchObject({ exitCode: 0, timedOut: false, stepsLeft: 0 });
    expect(run.transcript).toContain(`tcp ${listener.port} on loopback`);
    expect(run.transcript).toContain("1 approved, 0 dropped");
    expect((await baseline()).rules.find((rule) => rule.port === listener.port)).toMatchObject({
      reviewed: true,
      owner: "platform team",
      justification: "end-to-end test",
    });
    const report = await scan();
    expect(at(report, listener.port).findings).toEqual([]);
    expect(at(report, other.port).findings.map(({ type }) => type)).toEqual(["unapproved-port"]);
  });

  itWith(["python3"], "asks again after an answer it does not know or a date that is none", async () => {
    const listener = await listenAsUser();
    await generate();
    const file = await baseline();
    await writeFile(
      user.baseline,
      JSON.stringify({ ...file, rules: file.rules.filter((rule) => rule.port === listener.port) }),
    );
    const run = await cseInTerminal(["baseline", "review"], {
      home: user.home,
      steps: [
        ["[a/d/k/q]", "yes\n"],
        ["[a/d/k/q]", "a\n"],
        ["owner", "\n"],
        ["owner", "ops\n"],
        ["why", "needed\n"],
        ["expires", "2027-02-30\n"],
        ["expires", "2099-12-31\n"],
      ],
    });
    expect(run).toMatchObject({ exitCode: 0, stepsLeft: 0 });
    expect((await baseline()).rules).toEqual([
      expect.objectContaining({ reviewed: true, owner: "ops", justification: "needed", expires: "2099-12-31" }),
    ]);
  });

  itWith(["python3"], "saves what was decided when the input ends midway", async () => {
    const first = await listenAsUser();
    const second = await listenAsUser();
    await generate();
    const order = (await baseline()).rules.filter((rule) => [first.port, second.port].includes(rule.port ?? 0));
    const [early, late] = order.map((rule) => rule.port ?? 0);
    // Decides up to the earlier of the two, then ends the input at the question for the next entry.
    const steps = await stepsFor([early ?? 0]);
    const until = steps.findIndex(([wait]) => wait === "expires") + 1;
    const run = await cseInTerminal(["baseline", "review"], {
      home: user.home,
      steps: [...steps.slice(0, until), ["[a/d/k/q]", "\u0004"]],
    });
    expect(run).toMatchObject({ exitCode: 0, stepsLeft: 0 });
    expect(run.transcript).toContain("1 approved");
    const rules = (await baseline()).rules;
    expect(rules.find((rule) => rule.port === early)?.reviewed).toBe(true);
    expect(rules.find((rule) => rule.port === late)?.reviewed).toBe(false);
  });

  itWith(["python3"], "saves nothing and exits 130 when it is interrupted with Ctrl-C", async () => {
    const listener = await listenAsUser();
    await listenAsUser();
    await generate();
    const before = await readFile(user.baseline, "utf8");
    const steps = await stepsFor([listener.port]);
    const until = steps.findIndex(([wait]) => wait === "expires") + 1;
    const run = await cseInTerminal(["baseline", "review"], {
      home: user.home,
      steps: [...steps.slice(0, until - 1), ["expires", "\u0003"]],
    });
    expect(run).toMatchObject({ exitCode: 130, stepsLeft: 0 });
    expect(await readFile(user.baseline, "utf8")).toBe(before);
    expect(await readdir(user.securityDir)).toEqual(["approved_ports.json"]);
  });

  it("is refused without a terminal", async () => {
    await listenAsUser();
    await generate();
    const before = await readFile(user.baseline, "utf8");
    const run = await runCliAsUser(["baseline", "review", "--json"], { home: user.home, stdin: "a\nme\nwhy\n\n" });
    expect(reportOf(run, 2)).toMatchObject({ status: "error", code: "not-a-terminal" });
    expect(await readFile(user.baseline, "utf8")).toBe(before);
  });
});
