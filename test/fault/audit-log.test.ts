import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { verifyAuditLog } from "../../src/deps/audit.ts";
import { itWith } from "../helpers/requires.ts";
import { collect } from "../helpers/unprivileged.ts";

const SOURCE = join(import.meta.dirname, "../../src/state/audit-log.ts");

/** Appends as many records as it is told, whatever becomes of each, and prints what became of them. */
const PROGRAM = `
import { createHmac, hash, randomBytes } from "node:crypto";
import { openAuditLog } from ${JSON.stringify(SOURCE)};
const [folder, count, maxBytes] = process.argv.slice(2);
const deps = {
  folder,
  now: Date.now,
  monotonicMs: () => performance.now(),
  bootId: "boot-1",
  self: { pid: process.pid, startTime: null },
  isRunning: async () => false,
  sha256Hex: (data) => hash("sha256", data),
  hmacSha256Hex: (key, text) => createHmac("sha256", Buffer.from(key, "hex")).update(text).digest("hex"),
  randomBytes,
  anchor: null,
  maxBytes: Number(maxBytes),
};
const codeOf = (error) => (error.name === "SecurityError" ? error.code : String(error.stack));
const say = (text) => process.stdout.write(text + " ");
try {
  const log = await openAuditLog(deps);
  for (let index = 0; index < Number(count); index += 1) {
    const event = { event: "passthrough", requestId: "r", digest: null, session: "s", agent: null, channel: "terminal", argv: ["word"] };
    await log.append(event).then(({ seq }) => say(seq), (error) => say(codeOf(error)));
  }
  await log.close().catch((error) => say("close:" + codeOf(error)));
} catch (error) {
  say("open:" + codeOf(error));
}
`;

interface Fault {
  /**
   * A file of the folder; only calls that begin with it, or work on it, count. Without one, as strace does not
   * look at what a file is renamed to, all calls of a thread count: key and head file are begun by the thread for
   * files and later replaced by the main thread, in turn, the key first.
   */
  readonly file?: string;
  readonly call: "write" | "fdatasync" | "fsync" | "rename";
  /** An errno name, or SIGKILL as the call begins. */
  readonly fault: string;
  /** Which of these calls, in strace's words: "2", "2+". */
  readonly when: string;
}

const LOG = "privileged-audit.jsonl";

async function run(folder: string, count: number, maxBytes: number, fault: Fault | null) {
  const program = join(folder, "../program.mjs");
  await writeFile(program, PROGRAM);
  const args = [program, folder, String(count), String(maxBytes)];
  const trace = join(folder, "../strace.log");
  const what = fault?.fault === "SIGKILL" ? "signal=SIGKILL" : `error=${fault?.fault}`;
  const call = fault?.call === "rename" ? "/^rename" : fault?.call;
  const strace =
    fault === null
      ? []
      : [
          "-f",
          "-o",
          trace,
          ...(fault.file === undefined ? [] : ["-P", join(folder, fault.file)]),
          "-e",
          `trace=${call}`,
          "-e",
          `inject=${call}:${what}:when=${fault.when}`,
        ];
  const child = spawn(
    fault === null ? process.execPath : "/usr/bin/strace",
    fault === null ? args : [...strace, process.execPath, ...args],
    {
      env: { NODE_NO_WARNINGS: "1", UV_THREADPOOL_SIZE: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const { stdout, signal } = await collect(child);
  const isHit = fault === null || /\(INJECTED\)|SIGKILL/.test(await readFile(trace, "utf8"));
  return { said: stdout.trim(), signal, isHit };
}

/** Begins a log, lets a run of it fail, and gives what that run said and what is left after a run without faults. */
async function runWithFault(fault: Fault, options: { isNew?: boolean; count?: number; maxBytes?: number } = {}) {
  const { isNew = false, count = 3, maxBytes = 1_000_000 } = options;
  const folder = join(await mkdtemp(join(tmpdir(), "fault-")), "security");
  await mkdir(folder, { mode: 0o700 });
  if (!isNew) expect(await run(folder, 1, maxBytes, null)).toMatchObject({ said: "3" });
  const { said, signal, isHit } = await run(folder, count, maxBytes, fault);
  expect(isHit).toBe(true);
  const between = await verifyAuditLog(join(folder, LOG));
  const next = await run(folder, 1, maxBytes, null);
  const { status } = await verifyAuditLog(join(folder, LOG));
  // Only what the disk is known to have may have been acknowledged.
  const acknowledged = said.split(" ").filter((word) => /^\d+$/.test(word));
  const names = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"));
  const lines = await Promise.all(
    names.map(async (name) => (await readFile(join(folder, name), "latin1")).split("\n")),
  );
  const recorded = lines.flat().flatMap((line) => /"event":"passthrough".*"seq":(\d+)/.exec(line)?.[1] ?? []);
  const lost = acknowledged.filter((seq) => !recorded.includes(seq));
  return { said, signal, wasTampered: between.status === "tampered", next: /^\d+$/.test(next.said), status, lost };
}

const AFTERWARDS = { wasTampered: false, next: true, status: "intact", lost: [] };

describe("a failing disk under the audit log", () => {
  for (const error of ["EIO", "ENOSPC"]) {
    itWith(
      ["strace"],
      `R-52: reports the append whose write fails with ${error}, and goes on with the next`,
      async () => {
        const result = await runWithFault({ file: LOG, call: "write", fault: error, when: "2" });
        expect(result).toEqual({ said: "5 audit-unavailable 6", signal: null, ...AFTERWARDS });
      },
    );

    itWith(
      ["strace"],
      `R-52: reports the append that ${error} keeps from the disk, and everything after it`,
      async () => {
        const result = await runWithFault({ file: LOG, call: "fdatasync", fault: error, when: "1" });
        const said = "audit-unavailable audit-unavailable audit-unavailable close:audit-unavailable";
        expect(result).toEqual({ said, signal: null, ...AFTERWARDS });
      },
    );

    itWith(["strace"], `appends nothing more as long as the head file cannot be replaced (${error})`, async () => {
      const result = await runWithFault({ call: "rename", fault: error, when: "2+" }, { count: 67 });
      expect(result).toMatchObject({ signal: null, ...AFTERWARDS });
      expect(result.said).toMatch(
        /^5 6 .* 68 audit-unavailable audit-unavailable audit-unavailable close:audit-unavailable$/,
      );
    });

    itWith(["strace"], `goes on once the key file can be replaced again (${error})`, async () => {
      const result = await runWithFault({ call: "rename", fault: error, when: "1" }, { count: 67 });
      expect(result).toMatchObject({ signal: null, ...AFTERWARDS });
      expect(result.said).not.toContain("audit");
    });

    itWith(["strace"], `opens nothing when the log cannot be begun (${error})`, async () => {
      for (const fault of [
        { call: "rename", when: "1" },
        { call: "rename", when: "2" },
        { call: "rename", when: "3" },
      ] as const) {
        const result = await runWithFault({ ...fault, fault: error }, { isNew: true });
        expect(result).toEqual({ said: "open:audit-unavailable", signal: null, ...AFTERWARDS });
      }
    });

    itWith(["strace"], `reports the append before which the full file could not be put away (${error})`, async () => {
      const result = await runWithFault(
        { file: LOG, call: "rename", fault: error, when: "1" },
        { count: 5, maxBytes: 2_500 },
      );
      expect(result).toMatchObject({ signal: null, ...AFTERWARDS });
      expect(result.said.split(" ").filter((word) => word === "audit-unavailable").length).toBe(1);
    });

    itWith(["strace"], `reports each append before which the next file could not be begun (${error})`, async () => {
      const options = { count: 6, maxBytes: 2_500 };
      // First the folder after the full file got its name, then the next file itself.
      const result = await runWithFault({ call: "fsync", fault: error, when: "1" }, options);
      expect(result).toMatchObject({ signal: null, ...AFTERWARDS });
      expect(result.said.split(" ").filter((word) => word === "audit-unavailable").length).toBe(2);
    });
  }
});

describe("a kill in the middle of the audit log's work (R-53, R-54)", () => {
  const cases: readonly (readonly [string, Fault, { isNew?: boolean; count?: number; maxBytes?: number }])[] = [
    ["the write of a record", { file: LOG, call: "write", fault: "SIGKILL", when: "2" }, {}],
    ["the synchronisation of a record", { file: LOG, call: "fdatasync", fault: "SIGKILL", when: "1" }, {}],
    ["the write of a checkpoint", { file: LOG, call: "write", fault: "SIGKILL", when: "65" }, { count: 70 }],
    ["the replacement of the key", { call: "rename", fault: "SIGKILL", when: "1" }, { count: 70 }],
    ["the replacement of the head file", { call: "rename", fault: "SIGKILL", when: "2" }, { count: 70 }],
    ["the first key", { call: "rename", fault: "SIGKILL", when: "1" }, { isNew: true }],
    ["the beginning of the log", { call: "rename", fault: "SIGKILL", when: "2" }, { isNew: true }],
    ["the first checkpoint", { file: LOG, call: "write", fault: "SIGKILL", when: "1" }, { isNew: true }],
    ["the first head file", { call: "rename", fault: "SIGKILL", when: "3" }, { isNew: true }],
    [
      "the putting away of a full file",
      { file: LOG, call: "rename", fault: "SIGKILL", when: "1" },
      { count: 9, maxBytes: 2_500 },
    ],
    ["the moment between two files", { call: "fsync", fault: "SIGKILL", when: "1" }, { count: 9, maxBytes: 2_500 }],
    ["the beginning of the next file", { call: "fsync", fault: "SIGKILL", when: "2" }, { count: 9, maxBytes: 2_500 }],
  ];
  for (const [what, fault, options] of cases) {
    itWith(["strace"], `loses nothing acknowledged and verifies after one at ${what}`, async () => {
      expect(await runWithFault(fault, options)).toMatchObject({ signal: "SIGKILL", ...AFTERWARDS });
    });
  }
});

describe("a disk that takes only part of a record", () => {
  itWith(["strace"], "R-54: reports the append, keeps the part, and accounts for it at the next start", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "fault-")), "security");
    await mkdir(folder, { mode: 0o700 });
    await run(folder, 1, 1_000_000, null);
    const script = `trap "" XFSZ; ulimit -f 4; exec "$0" "$@"`;
    const args = ["-c", script, process.execPath, join(folder, "../program.mjs"), folder, "20", "1000000"];
    const child = spawn("/bin/bash", args, { env: { NODE_NO_WARNINGS: "1" }, stdio: ["ignore", "pipe", "inherit"] });
    const { stdout } = await collect(child);
    expect(stdout).toMatch(/^5 6 .*audit-unavailable .*close:audit-unavailable $/);
    expect(await verifyAuditLog(join(folder, LOG))).toMatchObject({ status: "unknown", code: "torn" });
    expect((await run(folder, 1, 1_000_000, null)).said).toMatch(/^\d+$/);
    expect(await verifyAuditLog(join(folder, LOG))).toMatchObject({ status: "intact" });
    expect(await readFile(join(folder, LOG), "utf8")).toContain('"event":"recovered"');
  });
});
