import { expect } from "vitest";
import { runAsUser, type RunResult } from "./unprivileged.ts";

/** What every program about the audit log begins with; `folder` is its first argument. */
const PREAMBLE = `
import { openAuditLog } from "#src/state/audit-log.ts";
import { verifyAuditLog } from "#src/deps/audit.ts";
import { createHmac, hash, randomBytes } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const [folder, ...args] = process.argv.slice(2);
const file = join(folder, "privileged-audit.jsonl");
const startTimeOf = (pid) => {
  try {
    const stat = fs.readFileSync("/proc/" + pid + "/stat", "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return null;
  }
};
const open = async (more = {}) => await openAuditLog({
  folder,
  now: Date.now,
  monotonicMs: () => performance.now(),
  bootId: "boot-1",
  self: { pid: process.pid, startTime: startTimeOf(process.pid) },
  isRunning: async ({ pid, startTime }) => startTimeOf(pid) === startTime,
  sha256Hex: (data) => hash("sha256", data),
  hmacSha256Hex: (key, text) => createHmac("sha256", Buffer.from(key, "hex")).update(text).digest("hex"),
  randomBytes,
  anchor: null,
  ...more,
});
const verify = async (options) => {
  const { message, ...verdict } = await verifyAuditLog(file, options);
  return verdict;
};
const subject = { requestId: "r-1", digest: "d1", session: "s", agent: null, channel: "terminal" };
const word = (text) => ({ ...subject, event: "passthrough", argv: [String(text)] });
const intent = { ...subject, event: "exec-intent", grantId: "g", contents: "c", argv: ["/usr/bin/id"], runAs: "root", runAsUid: 0, cwd: "/", env: {}, binary: { path: "/usr/bin/id", realPath: "/usr/bin/id", sha256: "x" }, stdinBytes: null, stdinSha256: null, timeoutMs: 1000 };
const linesOf = (path = file) => fs.readFileSync(path, "latin1").split("\\n").slice(0, -1);
const records = (path = file) => linesOf(path).map((line) => JSON.parse(line));
const eventsOf = (path = file) => records(path).map(({ event }) => event);
const outcome = async (work) => {
  try {
    return { value: (await work()) ?? null };
  } catch (error) {
    return error.name === "SecurityError" ? { code: error.code } : { code: "not-ours", text: String(error.stack) };
  }
};
const print = (value) => process.stdout.write(JSON.stringify(value));
/** Another process of this program, which gets the folder and these words. */
const start = (...words) => spawn(process.execPath, [process.argv[1], folder, ...words], { stdio: ["ignore", "pipe", "inherit"] });
`;

/** Runs a program about the audit log in \`folder\` as the ordinary user; it gives its result to \`print\`. */
export async function runAuditProgram(body: string, folder: string, args: readonly string[] = []): Promise<RunResult> {
  return await runAsUser(`${PREAMBLE}\n${body}`, { args: [folder, ...args], env: { NODE_NO_WARNINGS: "0" } });
}

/** The same for the body of an async function: its value, or the code of its error. */
export async function auditOutcome(body: string, folder: string): Promise<unknown> {
  const run = await runAuditProgram(`print(await outcome(async () => {\n${body}\n}));`, folder);
  expect({ exitCode: run.exitCode, signal: run.signal, stderr: run.stderr }).toEqual({
    exitCode: 0,
    signal: null,
    stderr: "",
  });
  return JSON.parse(run.stdout);
}
