import { describe, expect, it } from "vitest";
import { examineAuditLog } from "../../../src/app/audit-evidence.ts";
import type { SudoLog } from "../../../src/app/reconcile.ts";
import type { AuditAnchor } from "../../../src/audit/anchor.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { filesOf, hmacSha256Hex, sampleLog, type SampleLog, sha256Hex, SUBJECT } from "../../helpers/audit-chain.ts";

const NOW = 1_790_000_600_000;
const PATH = "/state/security/privileged-audit.jsonl";

/** One run of /bin/id, with its end unless `open`, under a checkpoint. */
function logOfRun({ open = false } = {}): SampleLog {
  const log = sampleLog();
  const intentSeq = log.append({
    ...SUBJECT,
    event: "exec-intent",
    grantId: "g",
    contents: "c",
    argv: ["/bin/id"],
    runAs: "root",
    runAsUid: 0,
    cwd: "/",
    env: {},
    binary: { path: "/bin/id", realPath: "/bin/id", sha256: "x" },
    stdinBytes: null,
    stdinSha256: null,
    timeoutMs: 1_000,
  });
  if (!open) log.add({ ...SUBJECT, event: "outcome-unknown", intentSeq, why: "process-gone" });
  log.checkpoint();
  return log;
}

function anchorOf({ head }: SampleLog): AuditAnchor {
  if (head === null) throw new Error("no checkpoint");
  return { place: "0".repeat(16), ...head };
}

function sudoRan(user: string, at: number, ...commands: readonly string[]): SudoLog {
  const executions = commands.map((command) => ({ at, user, runAs: "root", command }));
  return { kind: "read", source: "journal", executions, from: null };
}

const RAN = sudoRan("bob", 1_790_000_000_500, "/bin/id");
const CLOSED: SudoLog = { kind: "unreadable", reason: "closed" };

interface Given {
  readonly log?: SampleLog;
  readonly files?: ReturnType<typeof filesOf>;
  readonly anchors?: readonly AuditAnchor[];
  readonly sudo?: SudoLog;
  readonly user?: string | null;
  readonly readFails?: SecurityError;
}

async function examine({ log, files, anchors = [], sudo = CLOSED, user = "bob", readFails }: Given) {
  const head = log?.head ?? null;
  const found = files ?? (log === undefined ? [] : filesOf(log));
  return await examineAuditLog({
    path: PATH,
    now: NOW,
    user,
    readFiles: () => {
      if (readFails !== undefined) throw readFails;
      return found;
    },
    filesState: () => "",
    loadHead: () =>
      Promise.resolve(
        head === null
          ? null
          : { schemaVersion: 1 as const, at: "2026-09-21T00:00:00Z", anchored: "sent" as const, ...head },
      ),
    loadKey: () =>
      Promise.resolve(log === undefined ? null : { schemaVersion: 1 as const, current: log.key, pending: null }),
    loadAnchors: () => Promise.resolve(anchors),
    loadSudoLog: () => Promise.resolve(sudo),
    sha256Hex,
    hmacSha256Hex,
  });
}

describe("examineAuditLog", () => {
  it("tells an intact log that the system's log confirms and sudo's records agree with", async () => {
    const log = logOfRun();
    expect(await examine({ log, anchors: [anchorOf(log)], sudo: RAN })).toEqual({
      path: PATH,
      present: true,
      status: "intact",
      message: expect.any(String) as string,
      records: 4,
      dangling: 0,
      anchored: true,
      sudo: { kind: "compared", source: "journal", since: "2026-09-21T14:13:20Z", executions: 1, bypasses: 0 },
    });
  });

  it("counts what sudo ran and the log did not announce", async () => {
    const sudo = sudoRan("bob", 1_790_000_000_500, "/bin/id", "/bin/sh");
    expect((await examine({ log: logOfRun(), sudo })).sudo).toMatchObject({ executions: 2, bypasses: 1 });
  });

  it("counts runs whose end is not recorded", async () => {
    expect(await examine({ log: logOfRun({ open: true }) })).toMatchObject({ status: "intact", dangling: 1 });
  });

  it("does not take the head file's word for what the system's log holds", async () => {
    const log = logOfRun();
    expect(await examine({ log, sudo: RAN })).toMatchObject({ status: "intact", anchored: false });
    const older = { ...anchorOf(log), seq: 1, sha256: sha256Hex(log.files[0]?.lines[0] ?? "") };
    expect(await examine({ log, anchors: [older] })).toMatchObject({ status: "intact", anchored: false });
  });

  it("says why the log was not compared", async () => {
    expect((await examine({ log: logOfRun() })).sudo).toEqual({ kind: "skipped", reason: "closed" });
    expect((await examine({ log: logOfRun(), sudo: RAN, user: null })).sudo).toMatchObject({ kind: "skipped" });
  });

  it("finds a changed log tampered with, and compares nothing with it", async () => {
    const log = logOfRun();
    const files = filesOf(log).map(({ name, text }) => ({ name, text: text.replace("/bin/id", "/bin/ls") }));
    expect(await examine({ log, files, sudo: RAN })).toMatchObject({ status: "tampered", sudo: { kind: "skipped" } });
  });

  it("finds a log tampered with whose file was replaced by something else", async () => {
    const readFails = new SecurityError("audit-broken", `${PATH} is not a regular file`);
    expect(await examine({ log: logOfRun(), readFails })).toMatchObject({ present: true, status: "tampered" });
  });

  it("claims nothing about a log that cannot be read", async () => {
    const readFails = new SecurityError("file-too-large", "too large");
    expect(await examine({ log: logOfRun(), readFails, sudo: RAN })).toMatchObject({
      present: true,
      status: "unknown",
      sudo: { kind: "skipped" },
    });
  });

  it.each([
    ["the head file", (log: SampleLog): Given => ({ log, files: [] })],
    ["the system's log", (log: SampleLog): Given => ({ anchors: [anchorOf(log)] })],
    [
      "the head file, when an empty file is left",
      (log: SampleLog): Given => ({ log, files: [{ name: "privileged-audit.jsonl", text: "" }] }),
    ],
  ])("knows by %s that a log is gone", async (_what, given) => {
    expect(await examine(given(logOfRun()))).toMatchObject({ present: false, status: "tampered" });
  });

  it("without a log counts everything that sudo ran of late for the account", async () => {
    expect(await examine({ sudo: sudoRan("bob", NOW - 1_000, "/bin/id") })).toMatchObject({
      present: false,
      status: "unknown",
      sudo: { kind: "compared", executions: 1, bypasses: 1 },
    });
    expect((await examine({ sudo: sudoRan("eve", NOW - 1_000, "/bin/id") })).sudo).toMatchObject({ bypasses: 0 });
  });

  it("takes silence of sudo's records for no proof that nothing ran", async () => {
    expect((await examine({ sudo: sudoRan("bob", NOW) })).sudo.kind).toBe("skipped");
    const old = sudoRan("eve", NOW - 31 * 86_400_000, "/bin/id");
    expect((await examine({ sudo: old })).sudo.kind).toBe("skipped");
  });
});
