/** Runs as some user of a test: takes the plans in a file, does what its steps say, prints what came of each. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type {
  BinaryIdentity,
  ElevationRequest,
  ResolvedCommand,
  RunOutcome,
  UsableSudo,
} from "../../src/core/elevation.ts";
import type { Refusal } from "../../src/core/refusal.ts";
import { lookupUser } from "../../src/exec/passwd-user.ts";
import { recheckCommand, resolveCommand } from "../../src/exec/resolve-command.ts";
import { runPrivileged } from "../../src/exec/run-privileged.ts";
import { runTool } from "../../src/exec/run-tool.ts";
import { checkAskpass, checkSudo } from "../../src/exec/sudo-binary.ts";
import { preflightSudo } from "../../src/exec/sudo-preflight.ts";

export interface ElevationPlan {
  readonly argv: readonly string[];
  readonly runAs?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdinHex?: string;
  readonly timeoutMs?: number;
  readonly sudoPath?: string;
  readonly askpassPath?: string;
  readonly interactive?: boolean;
  readonly maxOutputBytes?: number;
  readonly maxOperandBytes?: number;
  readonly graceMs?: number;
  readonly abortAfterMs?: number;
  readonly umask?: number;
  readonly aborted?: boolean;
  /** Shell text that the same user runs after the request was pinned down, as an attacker would. */
  readonly between?: string;
  /** The same, after the recheck. */
  readonly afterRecheck?: string;
  /** After the run; its exit code is recorded. */
  readonly after?: string;
  /** Nothing is run: only what comes before. */
  readonly dry?: boolean;
}

export interface ElevationRecord {
  resolved: ResolvedCommand | Refusal;
  resolveMs: number;
  sudo: UsableSudo | Refusal | null;
  preflight: Refusal | null;
  recheck: Refusal | null;
  outcome: RunOutcome | null;
  /** From the call until it was settled. */
  runMs: number;
  /** By how much the run raised the peak of this process. */
  grownMb: number;
  afterExit: number | null;
}

function requestOf(plan: ElevationPlan): ElevationRequest {
  return {
    argv: plan.argv as ElevationRequest["argv"],
    reason: "a test",
    runAs: plan.runAs ?? "root",
    cwd: plan.cwd ?? "/",
    env: plan.env ?? {},
    stdin: plan.stdinHex === undefined ? null : Buffer.from(plan.stdinHex, "hex"),
    timeoutMs: plan.timeoutMs ?? 10_000,
    keepSession: false,
    isNonInteractive: false,
  };
}

function attack(shellText: string | undefined): void {
  if (shellText !== undefined) execFileSync("/bin/sh", ["-ec", shellText], { stdio: "ignore" });
}

async function run(plan: ElevationPlan): Promise<ElevationRecord> {
  const hashes = new Map<string, string>();
  const resolveDeps = {
    lookupUser,
    hashes,
    ...(plan.maxOperandBytes === undefined ? {} : { maxOperandBytes: plan.maxOperandBytes }),
  };
  const start = performance.now();
  const resolved = await resolveCommand(requestOf(plan), resolveDeps);
  const record: ElevationRecord = {
    resolved,
    resolveMs: performance.now() - start,
    sudo: null,
    preflight: null,
    recheck: null,
    outcome: null,
    runMs: 0,
    grownMb: 0,
    afterExit: null,
  };
  const sudo = await checkSudo({ sudoPath: plan.sudoPath ?? "/usr/bin/sudo", hashes, runTool });
  record.sudo = sudo;
  if ("code" in resolved || "code" in sudo) return record;
  record.preflight = await preflightSudo(resolved, sudo, runTool);
  if (plan.dry === true) return record;
  attack(plan.between);
  record.recheck = await recheckCommand(resolved, resolveDeps);
  if (record.recheck !== null) return record;
  attack(plan.afterRecheck);
  let askpass: BinaryIdentity | null = null;
  if (plan.askpassPath !== undefined) {
    const found = await checkAskpass(plan.askpassPath, hashes);
    if ("code" in found) {
      record.preflight = found;
      return record;
    }
    askpass = found;
  }
  const before = plan.umask === undefined ? null : process.umask(plan.umask);
  const peakMb = process.resourceUsage().maxRSS / 1024;
  const runStart = performance.now();
  record.outcome = await runPrivileged(resolved, {
    sudo,
    askpass,
    interactive: plan.interactive ?? false,
    maxOutputBytes: plan.maxOutputBytes ?? 256 * 1024,
    graceMs: plan.graceMs ?? 1_000,
    ...(plan.aborted === true ? { signal: AbortSignal.abort() } : {}),
    ...(plan.abortAfterMs === undefined ? {} : { signal: AbortSignal.timeout(plan.abortAfterMs) }),
  });
  record.runMs = performance.now() - runStart;
  record.grownMb = process.resourceUsage().maxRSS / 1024 - peakMb;
  if (before !== null) process.umask(before);
  if (plan.after !== undefined) record.afterExit = spawnSync("/bin/sh", ["-c", plan.after], { stdio: "ignore" }).status;
  return record;
}

const plans = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as readonly ElevationPlan[];
const records: ElevationRecord[] = [];
for (const plan of plans) records.push(await run(plan));
process.stdout.write(JSON.stringify(records));
