import { describe, expect, it } from "vitest";
import { readLastEntries, verifyLog } from "../../../src/app/audit.ts";
import { type ReconcileDeps, reconcileWithSudo, type SudoLog } from "../../../src/app/reconcile.ts";
import type { ExecIntentEvent } from "../../../src/audit/audit-event.ts";
import { SecurityError } from "../../../src/core/error.ts";
import {
  busyLog,
  filesOf,
  hmacSha256Hex,
  passthrough,
  type SampleFiles,
  type SampleLog,
  sampleLog,
  sha256Hex,
  SUBJECT,
} from "../../helpers/audit-chain.ts";

const AT = 1_790_000_000_000;

function intent(argv: readonly string[]): ExecIntentEvent {
  return {
    ...SUBJECT,
    event: "exec-intent",
    grantId: "g",
    contents: "c",
    argv,
    runAs: "root",
    runAsUid: 0,
    cwd: "/",
    env: {},
    binary: { path: argv[0] ?? "", realPath: argv[0] ?? "", sha256: "x" },
    stdinBytes: null,
    stdinSha256: null,
    timeoutMs: 1_000,
  };
}

function logOf(...commands: readonly (readonly string[])[]): SampleLog {
  const log = sampleLog();
  for (const argv of commands) log.append(intent(argv));
  return log;
}

async function reconcile(log: SampleLog | null, sudoLog: SudoLog) {
  const deps: ReconcileDeps = {
    readFiles: () => (log === null ? [] : filesOf(log)),
    filesState: () => "",
    user: "bob",
    loadSudoLog: async () => sudoLog,
  };
  return await reconcileWithSudo(deps);
}

function sudoRan(...commands: readonly string[]): SudoLog {
  const executions = commands.map((command) => ({ at: AT + 500, user: "bob", runAs: "root", command }));
  return { kind: "read", source: "/var/log/sudo.json", executions, from: null };
}

describe("reconcileWithSudo (R-61)", () => {
  it("agrees when everything that sudo ran was announced", async () => {
    expect(await reconcile(logOf(["/bin/id", "-u"]), sudoRan("/bin/id -u"))).toMatchObject({
      status: "agrees",
      executions: 1,
      matched: 1,
      source: "/var/log/sudo.json",
      bypasses: [],
    });
  });

  it("H10: names what sudo ran and nobody announced, with its secrets masked", async () => {
    const report = await reconcile(logOf(["/bin/id"]), sudoRan("/bin/id", "/bin/x --token=SECRET"));
    expect(report).toMatchObject({
      status: "bypass-detected",
      executions: 2,
      matched: 1,
      bypasses: [{ run_as: "root", command: "/bin/x --token=***", at: "2026-09-21T14:13:20Z" }],
    });
  });

  it("does not count other accounts, nor what was before the log", async () => {
    const log = sudoRan("/bin/id");
    const others =
      log.kind === "read"
        ? [
            { ...log.executions[0]!, user: "eve" },
            { ...log.executions[0]!, at: AT - 60_000 },
          ]
        : [];
    expect(await reconcile(logOf(), { ...sudoRan(), executions: others } as SudoLog)).toMatchObject({
      status: "agrees",
      executions: 0,
    });
  });

  it("pairs the first command of sudo's log with what was announced before that log began", async () => {
    const log = sudoRan("/bin/id");
    const late = log.kind === "read" ? log.executions.map((one) => ({ ...one, at: AT + 2_000 })) : [];
    const endless = logOf(["/bin/ls"], ["/bin/id"]);
    expect(await reconcile(endless, { ...log, executions: late, from: AT + 2_000 } as SudoLog)).toMatchObject({
      status: "agrees",
      matched: 1,
      unconfirmed: [],
    });
  });

  it("H48: says which announced runs sudo does not know, when it knows others", async () => {
    const report = await reconcile(logOf(["/bin/id"], ["/bin/ls"]), sudoRan("/bin/id"));
    expect(report).toMatchObject({ status: "agrees", unconfirmed: [{ seq: 3, command: "/bin/ls" }] });
  });

  it("cannot tell when sudo's log shows none of the announced runs, or nothing at all", async () => {
    const ofOthers = sudoRan("/bin/ls");
    const executions = ofOthers.kind === "read" ? ofOthers.executions.map((one) => ({ ...one, user: "eve" })) : [];
    const log = { ...ofOthers, executions } as SudoLog;
    expect(await reconcile(logOf(["/bin/id"]), log)).toMatchObject({
      status: "inconclusive",
      source: "/var/log/sudo.json",
    });
    expect(await reconcile(logOf(), sudoRan())).toMatchObject({ status: "inconclusive" });
  });

  it("cannot tell without sudo's log, and without an audit log", async () => {
    const unreadable: SudoLog = { kind: "unreadable", reason: "no leave" };
    expect(await reconcile(logOf(), unreadable)).toMatchObject({
      status: "inconclusive",
      message: "no leave",
      source: null,
    });
    expect(await reconcile(null, sudoRan("/bin/id"))).toMatchObject({ status: "inconclusive" });
  });
});

describe("verifyLog", () => {
  const deps = (log: SampleLog, readFiles: () => SampleFiles, filesState: () => string) => ({
    readFiles,
    filesState,
    loadHead: async () => ({ schemaVersion: 1, at: "", anchored: "nowhere", ...log.head! }) as const,
    loadKey: async () => ({ schemaVersion: 1, current: log.key, pending: null }) as const,
    loadAnchors: async () => [],
    sha256Hex,
    hmacSha256Hex,
  });

  it("looks again when a record was being written while it looked", async () => {
    const log = busyLog();
    const whole = filesOf(log);
    const half = whole.map(({ name, text }, index) => ({ name, text: index === 1 ? text.slice(0, -9) : text }));
    const looks = [half, half, whole];
    let state = 0;
    const verdict = await verifyLog(
      deps(
        log,
        () => looks.shift() ?? whole,
        () => String((state += 1)),
      ),
      null,
    );
    expect(verdict.status).toBe("intact");
  });

  it("does not look again at files that stay as they are", async () => {
    const log = busyLog();
    let looks = 0;
    const verdict = await verifyLog(
      deps(
        log,
        () => ((looks += 1), []),
        () => "same",
      ),
      null,
    );
    expect({ code: verdict.code, looks }).toEqual({ code: "log-missing", looks: 1 });
  });

  it.each([
    ["audit-broken", "tampered", "log-replaced"],
    ["audit-unavailable", "unknown", "unreadable"],
  ] as const)("says so when reading ends with %s", async (code, status, verdictCode) => {
    const log = busyLog();
    const fail = (): never => {
      throw new SecurityError(code, "no");
    };
    expect(await verifyLog(deps(log, fail, fail), null)).toMatchObject({ status, code: verdictCode });
  });
});

describe("readLastEntries", () => {
  it("gives the last records over the files, without lines that are none", () => {
    const log = busyLog();
    log.append(passthrough("last"));
    const files = filesOf(log).map(({ name, text }) => ({ name, text: `${text}torn {\n` }));
    const entries = readLastEntries({ readFiles: () => files, filesState: () => "" }, 7);
    expect(entries.map(({ seq }) => seq)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(entries.at(-1)).toMatchObject({ event: "passthrough", at: AT + 10, fields: { argv: ["last"] } });
  });
});
