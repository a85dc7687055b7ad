/**
 * Measures the scans beside the tools that people would use instead, in one run on one machine, so
 * that ratios mean something. Prints medians; needs ss, and dist/ for the whole-process rows.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createSocketCollector, type SocketCollector, type SocketWant } from "../src/collect/sockets.ts";
import { locateTool } from "../src/exec/locate-tool.ts";
import { runTool } from "../src/exec/run-tool.ts";
import { type LoadSize, startLoad } from "./load.ts";

const RUNS = 21;

const SMALL: LoadSize = { processes: 150, listeners: 10, pairs: 100, holders: 3, files: 20 };
const MIDDLE: LoadSize = { processes: 300, listeners: 10, pairs: 100, holders: 3, files: 20 };
const LARGE: LoadSize = { processes: 400, listeners: 1000, pairs: 5000, holders: 8, files: 20 };

const TCP_LISTENERS: SocketWant = { listeners: true, connections: false, includeUdp: false };
const ALL_LISTENERS: SocketWant = { listeners: true, connections: false, includeUdp: true };
const EGRESS: SocketWant = { listeners: false, connections: true, includeUdp: false };
const EGRESS_WITH_LOOPBACK: SocketWant = { ...EGRESS, includeLoopback: true };

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

interface Rest {
  at: number;
  longest: number;
}

/** A collector that notes how long it held the event loop in one piece. */
function newCollector(rest: Rest): SocketCollector {
  return createSocketCollector({
    procRoot: "/proc",
    now: Date.now,
    monotonicMs: () => performance.now(),
    runTool,
    locateTool,
    ownPid: process.pid,
    ownUid: process.getuid?.() ?? null,
    yieldToLoop: async () => {
      rest.longest = Math.max(rest.longest, performance.now() - rest.at);
      await new Promise<void>((resolve) => setImmediate(resolve));
      rest.at = performance.now();
    },
  });
}

async function timeScan(collector: SocketCollector, want: SocketWant, rest: Rest): Promise<number> {
  const start = performance.now();
  rest.at = start;
  await collector.collect(want);
  const end = performance.now();
  rest.longest = Math.max(rest.longest, end - rest.at);
  return end - start;
}

function timeProcess(file: string, args: readonly string[]): number {
  const start = performance.now();
  spawnSync(file, args, { stdio: "ignore" });
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function row(what: string, value: string, limit: string, isOk: boolean): void {
  console.log(`  ${isOk ? "ok  " : "MISS"}  ${what.padEnd(52)} ${value.padEnd(30)} limit ${limit}`);
}

function ratioRow(what: string, oursMs: readonly number[], theirsMs: readonly number[], limit: number): void {
  const ours = median(oursMs);
  const theirs = median(theirsMs);
  const ratio = ours / theirs;
  row(
    what,
    `${ours.toFixed(1)} / ${theirs.toFixed(1)} ms = ${ratio.toFixed(2)} x`,
    `${limit.toFixed(1)} x`,
    ratio <= limit,
  );
}

interface Comparison {
  readonly cold: number[];
  readonly warm: number[];
  readonly theirs: number[];
  readonly blocks: number[];
}

/** Turns are taken within one loop, so that a busy moment of the machine hits all sides. */
async function compare(want: SocketWant, ss: string, args: string): Promise<Comparison> {
  const result: Comparison = { cold: [], warm: [], theirs: [], blocks: [] };
  const rest: Rest = { at: 0, longest: 0 };
  const warm = newCollector(rest);
  await timeScan(warm, want, rest);
  for (let run = 0; run < RUNS; run += 1) {
    result.theirs.push(timeProcess(ss, [args]));
    rest.longest = 0;
    result.cold.push(await timeScan(newCollector(rest), want, rest));
    result.warm.push(await timeScan(warm, want, rest));
    result.blocks.push(rest.longest);
  }
  return result;
}

/** Heap that one collector and its last result keep alive after `RUNS` scans. */
async function heapGrowthMb(want: SocketWant): Promise<number> {
  const rest: Rest = { at: 0, longest: 0 };
  await newCollector(rest).collect(want);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const collector = newCollector(rest);
  let last = await collector.collect(want);
  for (let run = 1; run < RUNS; run += 1) last = await collector.collect(want);
  collectGarbage();
  const grown = (process.memoryUsage().heapUsed - before) / 1_048_576;
  // Reading both afterwards keeps them alive until here.
  return last.complete || collector !== undefined ? grown : Number.NaN;
}

function describe(size: LoadSize): string {
  return `${size.processes} processes, ${size.listeners} listeners, ${size.pairs} loopback connections (${size.pairs * 2} rows)`;
}

async function benchSize(
  name: string,
  size: LoadSize,
  ss: string,
  limits: { cold: number; warm: number; heap: number },
): Promise<void> {
  const stop = await startLoad(size);
  try {
    console.log(`\n${name}: ${describe(size)}`);
    const first: Rest = { at: 0, longest: 0 };
    const firstMs = await timeScan(newCollector(first), TCP_LISTENERS, first);
    console.log(`        first scan at this size in this process: ${firstMs.toFixed(1)} ms`);
    const tcp = await compare(TCP_LISTENERS, ss, "-ltnp");
    ratioRow("TCP listeners, cold (new collector), ss -ltnp", tcp.cold, tcp.theirs, limits.cold);
    ratioRow("TCP listeners, warm, ss -ltnp", tcp.warm, tcp.theirs, limits.warm);
    const all = await compare(ALL_LISTENERS, ss, "-lntup");
    ratioRow("TCP and UDP listeners, warm, ss -lntup", all.warm, all.theirs, 1);
    const egress = await compare(EGRESS, ss, "-tnp");
    ratioRow("egress, warm, ss -tnp", egress.warm, egress.theirs, 1);
    const loopback = await compare(EGRESS_WITH_LOOPBACK, ss, "-tnp");
    ratioRow("egress with loopback, warm, ss -tnp", loopback.warm, loopback.theirs, 1);
    for (const [what, blocks] of [
      ["listeners", tcp.blocks],
      ["egress with loopback", loopback.blocks],
    ] as const) {
      const block = median(blocks);
      row(
        `longest hold of the event loop, ${what}`,
        `${block.toFixed(1)} ms (worst ${Math.max(...blocks).toFixed(1)})`,
        "8.0 ms",
        block <= 8,
      );
    }
    for (const [what, want] of [
      ["TCP listeners", TCP_LISTENERS],
      ["egress with loopback", EGRESS_WITH_LOOPBACK],
    ] as const) {
      const heap = await heapGrowthMb(want);
      row(`heap growth, ${what}`, `${heap.toFixed(1)} MB`, `${limits.heap} MB`, heap <= limits.heap);
    }
  } finally {
    await stop();
  }
}

function benchCommands(): void {
  const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
  console.log("\nWhole processes");
  if (!existsSync(cli)) {
    console.log("  skipped: dist/cli.js is missing; run `npm run build` first");
    return;
  }
  const startups: number[] = [];
  const scans: number[] = [];
  const assessments: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    startups.push(timeProcess(process.execPath, ["-e", "0"]));
    scans.push(timeProcess(process.execPath, [cli, "scan", "ports", "--json"]));
  }
  for (let run = 0; run < 15; run += 1) assessments.push(timeProcess(process.execPath, [cli, "assess", "--no-native"]));
  // The limits are stated for a machine on which an empty Node starts in 30 ms.
  ratioRow("cse scan ports --json, node -e 0", scans, startups, 110 / 30);
  ratioRow("cse assess --no-native, node -e 0", assessments, startups, 700 / 30);
}

const ss = await locateTool("ss");
if (ss === null) {
  console.log("The bench compares with ss, which is not installed (Debian: apt install iproute2).");
  process.exitCode = 5;
} else {
  console.log(`Node ${process.version}, medians of ${RUNS}; "cold" is a new collector in a running process`);
  console.log(
    `load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores; above one per core, absolute times say little`,
  );
  const rest: Rest = { at: 0, longest: 0 };
  const firstMs = await timeScan(newCollector(rest), TCP_LISTENERS, rest);
  console.log(`very first scan of this process, before any load: ${firstMs.toFixed(1)} ms`);
  await benchSize("Small", SMALL, ss, { cold: 1.5, warm: 1, heap: 10 });
  await benchSize("Middle", MIDDLE, ss, { cold: 1.5, warm: 1, heap: 10 });
  await benchSize("Large", LARGE, ss, { cold: 1.2, warm: 0.6, heap: 60 });
  benchCommands();
}
