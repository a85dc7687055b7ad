/**
 * Measures durable appends beside a plain write and fdatasync of the same bytes, in turns on the same disk, so
 * that ratios mean something; and how fast a log is verified. Prints medians.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AuditEvent } from "../src/audit/audit-event.ts";
import { openAudit, verifyAuditLog } from "../src/deps/audit.ts";
import { createEffects } from "../src/deps/effects.ts";

const ROUNDS = 9;
const ROUND_MS = 700;
const PROCESSES = 4;
const RECORDS = 150_000;

const EVENT: AuditEvent = {
  event: "request",
  requestId: "0b9e2b6e-7a5f-4b0a-9a52-0c1f8d2f6f10",
  digest: "ab".repeat(32),
  session: "agent:main:main",
  agent: "main",
  channel: "gateway",
  argv: ["/usr/bin/apt-get", "install", "-y", "nginx"],
  reason: "install the web server that the task asks for",
  runAs: "root",
  cwd: "/root",
  env: { LANG: "C.UTF-8" },
  stdinBytes: null,
  timeoutMs: 120_000,
  keepSession: false,
  isNonInteractive: false,
};

/** With the real effects, but for the system's log. */
async function openLog(stateDir: string) {
  return await openAudit({ ...createEffects({ stateDir }), locateTool: async () => null });
}

/** Where the log of a state folder is. */
function logOf(stateDir: string): string {
  return join(stateDir, "security/privileged-audit.jsonl");
}

/** Appends one after another until the time is over; gives records per second. */
async function rateOf(append: () => unknown): Promise<number> {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ROUND_MS) {
    await append();
    count += 1;
  }
  return (count / (performance.now() - start)) * 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(what: string, value: string, limit: string, isOk: boolean): void {
  console.log(`  ${isOk ? "ok  " : "MISS"}  ${what.padEnd(50)} ${value.padEnd(34)} limit ${limit}`);
}

/** Appends when told to, for as long as a round takes, and says how many it made in a second. */
async function work(folder: string): Promise<void> {
  const log = await openLog(folder);
  process.stdout.write("ready\n");
  for await (const _go of process.stdin) process.stdout.write(`${await rateOf(async () => await log.append(EVENT))}\n`);
  await log.close();
}

async function benchAppends(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bench-audit-"));
  const log = await openLog(join(folder, "one"));
  await log.append(EVENT);
  const before = statSync(logOf(join(folder, "one"))).size;
  await log.append(EVENT);
  const bytes = Buffer.alloc(statSync(logOf(join(folder, "one"))).size - before, "x");
  const plain = openSync(join(folder, "plain"), "a");
  const self = fileURLToPath(import.meta.url);
  const workers = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, [self, "work", join(folder, "four")], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const raw: number[] = [];
  const one: number[] = [];
  const four: number[] = [];
  try {
    await Promise.all(workers.map(async ({ stdout }) => await once(stdout, "data")));
    for (let round = 0; round < ROUNDS; round += 1) {
      raw.push(
        await rateOf(() => {
          writeSync(plain, bytes);
          fdatasyncSync(plain);
        }),
      );
      one.push(await rateOf(async () => await log.append(EVENT)));
      const rates = workers.map(async ({ stdin, stdout }) => {
        const answer = once(stdout, "data");
        stdin.write("go\n");
        return Number(String((await answer)[0]));
      });
      four.push((await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0));
    }
    await log.close();
  } finally {
    closeSync(plain);
    const ends = workers.map(async (worker) => await once(worker, "exit"));
    for (const { stdin } of workers) stdin.end();
    await Promise.all(ends);
  }
  const per = (rates: readonly number[]): string => `${median(rates).toFixed(0)}/s`;
  const ratio = (rates: readonly number[]): number => median(rates.map((rate, index) => rate / (raw[index] ?? 1)));
  console.log(`\nAppends of ${bytes.length} bytes; write and fdatasync of as many: ${per(raw)}`);
  row("one process, each record durable", `${per(one)} = ${ratio(one).toFixed(2)} x`, "0.60 x", ratio(one) >= 0.6);
  row(
    `${PROCESSES} processes on one log, together`,
    `${per(four)} = ${ratio(four).toFixed(2)} x`,
    "0.30 x",
    ratio(four) >= 0.3,
  );
  for (const name of ["one", "four"]) {
    const { status, records } = await verifyAuditLog(logOf(join(folder, name)));
    row(`what was written verifies (${records} records)`, status, "intact", status === "intact");
  }
  rmSync(folder, { recursive: true });
}

async function benchVerify(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bench-audit-"));
  const log = await openLog(folder);
  // Many at a time share a write, so that making them does not take minutes.
  for (let made = 0; made < RECORDS; made += 5_000) {
    await Promise.all(Array.from({ length: 5_000 }, async () => await log.append(EVENT)));
  }
  await log.close();
  const path = logOf(folder);
  const rates: number[] = [];
  let records = 0;
  for (let round = 0; round < 5; round += 1) {
    const start = performance.now();
    const verdict = await verifyAuditLog(path);
    if (verdict.status !== "intact") throw new Error(`the log does not verify: ${verdict.message}`);
    ({ records } = verdict);
    rates.push((records / (performance.now() - start)) * 1_000);
  }
  console.log(`\nVerifying ${records} records over several files, reading included`);
  row("verifyAuditLog", `${median(rates).toFixed(0)} records/s`, "150000 records/s", median(rates) >= 150_000);
  rmSync(folder, { recursive: true });
}

const [, , mode, folder] = process.argv;
if (mode === "work" && folder !== undefined) {
  await work(folder);
} else {
  console.log(`Node ${process.version}, medians of ${ROUNDS} rounds taken in turns`);
  console.log(
    `load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores; above one per core, absolute rates say little`,
  );
  await benchAppends();
  await benchVerify();
}
