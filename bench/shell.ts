/**
 * Measures how long `analyzeCommand` takes for each command of the test table, beside a bare parse of the same
 * text taken in turns, and what it finds of a labelled set: `node bench/shell.ts [labelled.json]`.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { parse } from "unbash";
import { analyzeCommand } from "../src/shell/analyze-command.ts";
import { judge, type LabelledCommand } from "../test/helpers/labelled-commands.ts";
import { SHELL_COMMANDS } from "../test/helpers/shell-commands.ts";

const ROUNDS = 15;
const WARM_ROUNDS = 5;
const MEDIAN_LIMIT_US = 100;
const P99_LIMIT_US = 2_000;

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

function microseconds(work: () => unknown): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1_000;
}

function row(what: string, value: string, limit: string, isOk: boolean | null): void {
  console.log(`  ${isOk === null ? "    " : isOk ? "ok  " : "MISS"}  ${what.padEnd(44)} ${value.padEnd(26)} ${limit}`);
}

function benchTable(commands: readonly string[]): void {
  const [ours, bare]: [number[], number[]] = [[], []];
  for (const command of commands) {
    const [mine, plain]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS + WARM_ROUNDS; round += 1) {
      const [parsed, analyzed] = [microseconds(() => parse(command)), microseconds(() => analyzeCommand(command))];
      if (round < WARM_ROUNDS) continue;
      plain.push(parsed);
      mine.push(analyzed);
    }
    // The median of one command's rounds: what else runs on the machine is not its cost.
    ours.push(quantile(mine, 0.5));
    bare.push(quantile(plain, 0.5));
  }
  const [median, p99] = [quantile(ours, 0.5), quantile(ours, 0.99)];
  console.log(`\nanalyzeCommand over ${commands.length} commands, each the median of ${ROUNDS} rounds`);
  row("median", `${median.toFixed(1)} us`, `limit ${MEDIAN_LIMIT_US} us`, median <= MEDIAN_LIMIT_US);
  row("p99", `${p99.toFixed(1)} us`, `limit ${P99_LIMIT_US} us`, p99 <= P99_LIMIT_US);
  row("the slowest", `${Math.max(...ours).toFixed(1)} us`, "", null);
  row("a bare parse, median", `${quantile(bare, 0.5).toFixed(1)} us`, "", null);
  row("ratio to the bare parse, median", `${(median / quantile(bare, 0.5)).toFixed(1)} x`, "", null);
}

function benchLong(): void {
  console.log("\nLong texts, once each");
  const texts: Readonly<Record<string, string>> = {
    "1 MB of nested quotes": `echo ${"\"'".repeat(500_000)}`,
    "100,000 nested parentheses": "(".repeat(100_000),
    "1 MB here-document into a file": `cat > f <<'EOF'\n${"some words here\n".repeat(65_000)}EOF`,
    "100,000 commands": "ls;".repeat(100_000),
  };
  for (const [name, text] of Object.entries(texts)) {
    let verdict = "";
    const taken = microseconds(() => {
      ({ verdict } = analyzeCommand(text));
    });
    row(name, `${(taken / 1_000).toFixed(0)} ms, ${verdict}`, "", null);
  }
}

function benchLabelled(path: string): void {
  const rows = JSON.parse(readFileSync(path, "utf8")) as LabelledCommand[];
  const { foundShare, falseAlarmShare, opaqueShareOfElevations, opaqueShareOfHarmless, missed, falseAlarms } =
    judge(rows);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  console.log(`\n${rows.length} labelled commands of ${path}`);
  row("elevations found (elevates or opaque)", percent(foundShare), "limit 99 %", foundShare >= 0.99);
  row("  of all elevations, opaque", percent(opaqueShareOfElevations), "", null);
  row("false alarms (elevates or opaque)", percent(falseAlarmShare), "limit 5 %", falseAlarmShare <= 0.05);
  row("  of all harmless, opaque", percent(opaqueShareOfHarmless), "", null);
  for (const command of missed) console.log(`        missed: ${JSON.stringify(command)}`);
  for (const command of falseAlarms) console.log(`        false alarm, ${JSON.stringify(command)}`);
}

console.log(`Node ${process.version}; load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores`);
benchTable(Object.values(SHELL_COMMANDS).flatMap((groups) => Object.values(groups).flat()));
benchLong();
const [, , labelled] = process.argv;
if (labelled !== undefined) benchLabelled(labelled);
