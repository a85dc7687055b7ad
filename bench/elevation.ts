/**
 * Measures one run through sudo from inside this process beside the same sudo started bare, taking
 * turns, and how long it takes to pin down a program of some 10 MB. Prints medians; needs a sudo
 * that asks for no password, which root has anyway.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { RE2JS } from "re2js";
import type { ElevationRequest, ResolvedCommand, UsableSudo } from "../src/core/elevation.ts";
import { createEffects } from "../src/deps/effects.ts";
import { createElevation } from "../src/deps/elevate.ts";
import { lookupUser } from "../src/exec/passwd-user.ts";
import { recheckCommand, resolveCommand } from "../src/exec/resolve-command.ts";
import { runPrivileged } from "../src/exec/run-privileged.ts";
import { runTool } from "../src/exec/run-tool.ts";
import { checkSudo } from "../src/exec/sudo-binary.ts";
import { preflightSudo } from "../src/exec/sudo-preflight.ts";
import { evaluateCommand, parsePolicy } from "../src/policy/command-decision.ts";

const RUNS = 41;
const RUN_LIMIT_MS = 15;
const HASH_LIMIT_MS = 25;
const WANTED_BYTES = 10_000_000;
const RULES = 10_000;
const POLICY_LIMIT_MS = 5;

function request(command: string): ElevationRequest {
  return {
    argv: [command],
    reason: "a measurement",
    runAs: "root",
    cwd: "/",
    env: {},
    stdin: null,
    timeoutMs: 10_000,
    keepSession: false,
    isNonInteractive: true,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(what: string, value: string, limitMs: number | null, ms: number): void {
  const verdict = limitMs === null ? "    " : ms <= limitMs ? "ok  " : "MISS";
  console.log(`  ${verdict}  ${what.padEnd(52)} ${value.padEnd(34)} ${limitMs === null ? "" : `limit ${limitMs} ms`}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function resolved(command: string, hashes: Map<string, string>): Promise<ResolvedCommand> {
  const found = await resolveCommand(request(command), { lookupUser, hashes });
  if ("code" in found) throw new Error(`${found.code}: ${found.message}`);
  return found;
}

async function benchRun(sudo: UsableSudo): Promise<void> {
  const hashes = new Map<string, string>();
  const command = await resolved("/usr/bin/true", hashes);
  const [ours, bare, before]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < RUNS; run += 1) {
    const start = performance.now();
    spawnSync(sudo.identity.path, ["-k", "-n", "--", "/usr/bin/true"]);
    bare.push(performance.now() - start);
    const ran = async (): Promise<void> => {
      const again = await resolved("/usr/bin/true", hashes);
      const changed = await recheckCommand(again, { lookupUser, hashes });
      const outcome = await runPrivileged(again, { sudo, maxOutputBytes: 262_144, graceMs: 1_000 });
      if (changed !== null || outcome.kind !== "exited" || outcome.exitCode !== 0) throw new Error("the run failed");
    };
    ours.push(await timed(ran));
    before.push(await timed(() => preflightSudo(command, sudo, runTool)));
  }
  const difference = median(ours) - median(bare);
  const parts = `${median(ours).toFixed(1)} - ${median(bare).toFixed(1)} = ${difference.toFixed(1)} ms`;
  row("resolve, recheck and run, over sudo -k -n -- true", parts, RUN_LIMIT_MS, difference);
  row("preflight, which also starts sudo once", `${median(before).toFixed(1)} ms`, null, 0);
}

/** The whole of runPrivileged, audit log and all, on a grant that is held and with somebody who says yes at once. */
async function benchWhole(sudo: UsableSudo): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "bench-elevation-"));
  const session = { session: "bench", agent: null, channel: "gateway" } as const;
  const elevation = createElevation(
    { ...createEffects({ stateDir, env: {} }), locateTool: async () => null },
    {
      approver: {
        name: "bench",
        hasRoute: async () => true,
        ask: async ({ asksToKeep }) => {
          return { kind: "allow-once", by: { kind: "device", id: "bench" }, at: Date.now(), keep: asksToKeep };
        },
      },
    },
  );
  const run = async (argv: readonly string[], keepSession: boolean): Promise<number> => {
    const start = performance.now();
    const result = await elevation.runPrivileged({ argv, reason: "a measurement", keepSession }, session);
    if (result.exitCode !== 0) throw new Error(`the run failed: ${result.code ?? ""} ${result.message}`);
    return performance.now() - start;
  };
  const [bare, held, asked]: [number[], number[], number[]] = [[], [], []];
  await run(["/usr/bin/true"], true);
  for (let turn = 0; turn < RUNS; turn += 1) {
    const start = performance.now();
    spawnSync(sudo.identity.path, ["-k", "-n", "--", "/usr/bin/true"]);
    bare.push(performance.now() - start);
    held.push(await run(["/usr/bin/true"], true));
    // More questions than that are not put within ten minutes.
    if (turn < 9) asked.push(await run(["/usr/bin/true", String(turn)], false));
  }
  await elevation.close();
  rmSync(stateDir, { recursive: true });
  for (const [what, times] of [
    ["whole run on a grant that is held, over bare sudo", held],
    ["whole run with a question, which starts sudo twice", asked],
  ] as const) {
    const difference = median(times) - median(bare);
    const parts = `${median(times).toFixed(1)} - ${median(bare).toFixed(1)} = ${difference.toFixed(1)} ms`;
    row(what, parts, times === held ? RUN_LIMIT_MS : null, difference);
  }
}

async function benchHash(): Promise<void> {
  const sizes = readdirSync("/usr/bin").flatMap((name) => {
    const stats = statSync(`/usr/bin/${name}`, { throwIfNoEntry: false });
    const fits = stats?.isFile() === true && (stats.mode & 0o6111) === 0o111;
    return fits ? [{ path: `/usr/bin/${name}`, bytes: stats.size }] : [];
  });
  const distance = (bytes: number): number => Math.abs(bytes - WANTED_BYTES);
  const chosen = sizes.toSorted((a, b) => distance(a.bytes) - distance(b.bytes))[0];
  if (chosen === undefined) throw new Error("no program in /usr/bin");
  const [cold, warm, raw]: [number[], number[], number[]] = [[], [], []];
  const bytes = readFileSync(chosen.path);
  for (let run = 0; run < RUNS; run += 1) {
    const hashes = new Map<string, string>();
    cold.push(await timed(() => resolved(chosen.path, hashes)));
    warm.push(await timed(() => resolved(chosen.path, hashes)));
    raw.push(await timed(async () => createHash("sha256").update(bytes).digest("hex")));
  }
  const size = `${(chosen.bytes / 1e6).toFixed(1)} MB`;
  row(`pin down ${chosen.path} (${size}), first time`, `${median(cold).toFixed(1)} ms`, HASH_LIMIT_MS, median(cold));
  row("the same, hash remembered", `${median(warm).toFixed(1)} ms`, null, 0);
  row("its bytes hashed from memory", `${median(raw).toFixed(1)} ms`, null, 0);
}

/** Patterns about one program: with a name in each, and without any text of their own. */
const PATTERNS: Readonly<Record<string, (index: number) => string>> = {
  "a name in each": (index) => `[a-z]+-${index}(?:=[0-9.]+)?`,
  "no text of their own": (index) =>
    `[a-z]{1,${(index % 50) + 1}}[0-9]{${(index % 7) + 1}}[a-f${String.fromCharCode(103 + (index % 19))}]*`,
};

const WORDS = ["install", "nginx-77", "abcdef1234567", "--only-upgrade", "x".repeat(200)];

/** One decision over 10,000 rules about one program, beside running every pattern of them in turn. */
function benchPolicy(): void {
  for (const [what, pattern] of Object.entries(PATTERNS)) {
    const patterns = Array.from({ length: RULES }, (_, index) => pattern(index));
    const forms: Readonly<Record<string, unknown>> = {
      structured: {
        schemaVersion: 2,
        unmatched: "ask",
        rules: patterns.map((regex, index) => ({
          id: `r${index}`,
          effect: "deny",
          binary: "/usr/bin/apt-get",
          args: [{ regex }, { rest: "any" }],
        })),
      },
      original: { deny: patterns.map((regex) => `^/usr/bin/apt-get ${regex}( |$)`) },
    };
    const engine = patterns.map((regex) => RE2JS.compile(regex));
    for (const [form, policy] of Object.entries(forms)) {
      const start = performance.now();
      const compiled = parsePolicy(policy);
      const compileMs = performance.now() - start;
      const [ours, naive]: [number[], number[]] = [[], []];
      for (let run = 0; run < RUNS; run += 1) {
        const word = WORDS[run % WORDS.length] ?? "";
        const at = performance.now();
        evaluateCommand(["/usr/bin/apt-get", word, "x"], compiled);
        const between = performance.now();
        if (run < WORDS.length) engine.some((each) => each.matcher(word).matches() && false);
        if (run < WORDS.length) naive.push(performance.now() - between);
        ours.push(between - at);
      }
      const [decided, plain] = [median(ours), median(naive)];
      const ratio = `${decided.toFixed(2)} ms = ${(decided / plain).toFixed(3)} x of all in turn`;
      row(`decide, ${RULES} patterns (${what}), ${form}`, ratio, POLICY_LIMIT_MS, decided);
      row("  worst word; compiled once, in", `${Math.max(...ours).toFixed(1)} ms; ${compileMs.toFixed(0)} ms`, null, 0);
    }
  }
}

console.log(
  `Node ${process.version}, medians of ${RUNS}; load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores`,
);
benchPolicy();
await benchHash();
const sudo = await checkSudo({ sudoPath: "/usr/bin/sudo", hashes: new Map(), runTool });
const refusal = "code" in sudo ? sudo : await preflightSudo(await resolved("/usr/bin/true", new Map()), sudo, runTool);
if ("code" in sudo || refusal !== null) {
  console.log(`  runs not measured: ${refusal?.code ?? "unknown"}`);
  process.exitCode = 5;
} else {
  await benchRun(sudo);
  await benchWhole(sudo);
}
