/**
 * Measures what the gate adds to an ordinary command of the agent, beside a hook that does nothing, in turns.
 * Prints medians.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { openLoneGate } from "../src/deps/exec-gate.ts";

const ROUNDS = 400;
const LIMIT_MS = 1;
const ORDINARY = [
  "ls -la",
  "git status --short && git diff --stat",
  "npm test -- --run test/unit",
  "grep -rn 'TODO' src | head -20",
  "cd src && python3 -m pytest -q tests/test_app.py",
  "curl -s https://example.org/api | jq '.items[] | .name'",
  "find . -name '*.ts' -not -path './node_modules/*' | xargs wc -l | sort -n | tail",
  'for f in *.json; do echo "$f"; node -e "JSON.parse(process.argv[1])" "$f"; done',
];

const state = mkdtempSync(join(tmpdir(), "bench-gate-"));
process.env["OPENCLAW_STATE_DIR"] = state;
const gate = openLoneGate({
  own: { pluginId: "cyber-security-engineer", gatewayPort: null },
  config: { kind: "broken", message: "defaults" },
  rootDir: "/opt/plugin",
  workspaces: [],
});
const { signal } = new AbortController();
const through = async (command: string): Promise<unknown> =>
  await gate({ tool: "exec", params: { command }, toolKind: null, derivedPaths: [] }, null, signal);
const empty = async (_command: string): Promise<unknown> => await Promise.resolve(undefined);

async function timeOf(hook: typeof empty, command: string): Promise<number> {
  const start = performance.now();
  await hook(command);
  return performance.now() - start;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

// The first calls load and warm what all later ones use.
for (let round = 0; round < 50; round += 1) for (const command of ORDINARY) await through(command);
console.log(
  `Node ${process.version}, load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores; medians of ${ROUNDS} rounds in turns`,
);
for (const command of ORDINARY) {
  const added: number[] = [];
  const none: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    none.push(await timeOf(empty, command));
    added.push(await timeOf(through, command));
  }
  const median = quantile(added, 0.5) - quantile(none, 0.5);
  const mark = median <= LIMIT_MS ? "ok  " : "MISS";
  console.log(
    `  ${mark}  ${command.slice(0, 60).padEnd(60)} ${median.toFixed(3)} ms, p95 ${quantile(added, 0.95).toFixed(2)} ms   limit ${LIMIT_MS} ms`,
  );
}
rmSync(state, { recursive: true });
