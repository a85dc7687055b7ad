import { describe, expect, it } from "vitest";
import type { RunAnswer, Trail } from "../../../src/app/elevate.ts";
import { exitedEvent, intentEvent, requestEvent } from "../../../src/app/elevation-record.ts";
import { elevationResult, runResult } from "../../../src/app/elevation-result.ts";
import type { GrantId, RunOutcome } from "../../../src/core/elevation.ts";
import { helpFor, REFUSAL_CODES, refuse, type RefusalCode } from "../../../src/core/refusal.ts";
import type { Grant } from "../../../src/grant/grant.ts";
import { EXITED } from "../../helpers/elevation-world.ts";
import { CONTENTS, DIGEST, sampleCommand, SESSION, sha256Hex, START } from "../../helpers/sample-question.ts";

const TRAIL: Trail = { ...SESSION, requestId: "request-1", digest: DIGEST };
const GRANT: Grant = {
  id: "grant-1" as GrantId,
  digest: DIGEST,
  contents: CONTENTS,
  session: SESSION,
  by: { kind: "device", id: "phone" },
  isKept: false,
  openedAt: START,
  lastUsedAt: START,
  idleMs: 30 * 60_000,
  state: { kind: "open" },
};
const EXIT = { ...EXITED } as Extract<RunOutcome, { kind: "exited" }>;
const ORPHANED: RunOutcome = { kind: "orphaned", pid: 4711, startTime: "99", output: EXIT.output, durationMs: 5000 };
const FAILED: RunOutcome = { kind: "spawn-failed", errno: "EAGAIN", message: "no process" };

const ran = (outcome: RunOutcome, isRecorded = true): RunAnswer => ({
  kind: "ran",
  outcome,
  trail: TRAIL,
  seq: 17,
  isRecorded,
});
const refusedWith = (code: RefusalCode, trail = TRAIL): Extract<RunAnswer, { kind: "refused" }> => ({
  kind: "refused",
  refusal: refuse(code, "because"),
  trail,
});

const DENIED: readonly RefusalCode[] = ["denied", "code-wrong", "token-wrong", "untrusted-not-confirmed"];
const EXPIRED: readonly RefusalCode[] = ["approval-expired", "grant-expired"];

describe("what requestElevation returns", () => {
  it.each([
    [false, "Approved for one run."],
    [true, "Approved, and kept for this session."],
  ])("tells of a grant (kept: %j) and its end", (isKept, message) => {
    const answer = { kind: "granted", grant: { ...GRANT, isKept }, expiresAt: 1_795_000_000_000 } as const;
    expect(elevationResult(answer)).toEqual({
      status: "granted",
      grantId: "grant-1",
      digest: DIGEST,
      expiresAt: "2026-11-18T11:06:40Z",
      message,
    });
  });

  it.each(REFUSAL_CODES)("R-72: %s has a status, its code and a way out, and no grant", (code) => {
    expect(elevationResult(refusedWith(code))).toEqual({
      status: DENIED.includes(code) ? "denied" : EXPIRED.includes(code) ? "expired" : "refused",
      digest: DIGEST,
      code,
      message: "because",
      mitigation: helpFor(code),
    });
  });
});

describe("what runPrivileged returns", () => {
  it.each(REFUSAL_CODES)("R-72: after %s nothing ran and the result says so", (code) => {
    expect(runResult(refusedWith(code, { ...TRAIL, digest: null }))).toEqual({
      status: DENIED.includes(code) ? "denied" : "refused",
      stdout: "",
      stderr: "",
      truncated: false,
      durationMs: 0,
      auditSeq: null,
      digest: null,
      code,
      message: "because",
      mitigation: helpFor(code),
    });
  });

  it("tells how a command ended", () => {
    expect(runResult(ran(EXIT))).toEqual({
      status: "completed",
      exitCode: 0,
      stdout: "done\n",
      stderr: "",
      truncated: false,
      durationMs: 12,
      digest: DIGEST,
      auditSeq: 17,
      message: "The command ended.",
    });
  });

  it("H49: a signal is no exit code", () => {
    const result = runResult(ran({ ...EXIT, exitCode: null, signal: "SIGKILL" }));
    expect(result).toMatchObject({ status: "completed", signal: "SIGKILL" });
    expect("exitCode" in result).toBe(false);
  });

  it("H37, T66: says that the time limit ended it, and that something still runs", () => {
    expect(runResult(ran({ ...EXIT, timedOut: true, pipeHeld: true })).message).toBe(
      "The command ran into its time limit and was ended. A process it started still runs.",
    );
  });

  it("H15: an orphan is told with its process", () => {
    const result = runResult(ran(ORPHANED));
    expect(result).toMatchObject({ status: "orphaned", stdout: "done\n", durationMs: 5000, auditSeq: 17 });
    expect(result.message).toContain("process 4711 may still run as root");
    expect("exitCode" in result).toBe(false);
  });

  it("T74: a spawn that failed is a failure with its errno", () => {
    expect(runResult(ran(FAILED))).toMatchObject({
      status: "failed",
      stdout: "",
      auditSeq: 17,
      message: "sudo could not be started (EAGAIN): no process",
    });
  });

  it.each([EXIT, ORPHANED, FAILED])("R-53: $kind without a record says so", (outcome) => {
    expect(runResult(ran(outcome, false)).message).toMatch(/ The outcome could not be recorded\.$/);
    expect(runResult(ran(outcome)).message).not.toContain("recorded");
  });
});

describe("what of an action is recorded", () => {
  const resolved = sampleCommand({ stdin: new TextEncoder().encode("abc"), env: { LANG: "C" }, runAs: "bob" });

  it("the request as it was asked, with the size of its input only", () => {
    expect(requestEvent(TRAIL, resolved.request)).toEqual({
      ...TRAIL,
      event: "request",
      argv: ["/usr/bin/apt-get", "update"],
      reason: "refresh the package lists",
      runAs: "bob",
      cwd: "/srv",
      env: { LANG: "C" },
      stdinBytes: 3,
      timeoutMs: 120_000,
      keepSession: false,
      isNonInteractive: false,
    });
  });

  it("the intent with what is executed and the digest of its input", () => {
    expect(intentEvent(TRAIL, resolved, CONTENTS, "grant-1", sha256Hex)).toEqual({
      ...TRAIL,
      event: "exec-intent",
      grantId: "grant-1",
      contents: CONTENTS,
      argv: ["/usr/bin/apt-get", "update"],
      runAs: "bob",
      runAsUid: 0,
      cwd: "/srv",
      env: { LANG: "C" },
      binary: {
        path: "/usr/bin/apt-get",
        realPath: "/usr/bin/apt-get",
        sha256: sha256Hex("/usr/bin/apt-get"),
      },
      stdinBytes: 3,
      stdinSha256: sha256Hex("abc"),
      timeoutMs: 120_000,
    });
    expect(intentEvent(TRAIL, sampleCommand(), CONTENTS, "grant-1", sha256Hex)).toMatchObject({
      stdinBytes: null,
      stdinSha256: null,
    });
  });

  it("the outcome of each kind, never the output itself", () => {
    const none = {
      exitCode: null,
      signal: null,
      timedOut: false,
      pipeHeld: false,
      durationMs: null,
      childPid: null,
      childStartTime: null,
      errno: null,
      message: null,
      output: null,
    };
    const { stdout: _out, stderr: _err, ...output } = EXIT.output;
    const base = { ...TRAIL, event: "exec-finish", intentSeq: 17, ...none };
    expect(exitedEvent(TRAIL, 17, EXIT)).toEqual({ ...base, outcome: "exited", exitCode: 0, durationMs: 12, output });
    expect(exitedEvent(TRAIL, 17, ORPHANED)).toEqual({
      ...base,
      outcome: "orphaned",
      timedOut: true,
      durationMs: 5000,
      childPid: 4711,
      childStartTime: "99",
      output,
    });
    expect(exitedEvent(TRAIL, 17, FAILED)).toEqual({
      ...base,
      outcome: "spawn-failed",
      errno: "EAGAIN",
      message: "no process",
    });
  });
});
