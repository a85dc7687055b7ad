import { describe, expect, it } from "vitest";
import { makeUserFolder, runAsUser } from "../helpers/unprivileged.ts";

describe("a long history", () => {
  it("of 10,000 runs of 45 checks loads within 100 ms", async () => {
    const folder = await makeUserFolder();
    const { stdout, stderr } = await runAsUser(
      `
      import { chmodSync, statSync, writeFileSync } from "node:fs";
      import { loadAssessmentHistory } from "#src/state/assessment-history.ts";
      import { formatAssessmentRun, shortenRun } from "#src/schema/assessment-history.ts";
      const path = process.argv[2] + "/history.jsonl";
      const at = "2026-11-23T08:00:00Z";
      const gap = { status: "partial", risk: "high", first_seen: at, due_date: "2026-11-30", last_changed: at };
      let checks = Array.from({ length: 45 }, (_, index) => ({ check_id: "check_" + index, ...gap }));
      let before = null;
      const lines = [];
      for (let index = 0; index < 10_000; index += 1) {
        // Every tenth run changes two checks, as a host does on a busy day.
        if (index % 10 === 0) {
          const status = index % 20 === 0 ? "violation" : "partial";
          checks = checks.map((check, place) => (place === index % 45 || place === 7 ? { ...check, status } : check));
        }
        const run = { schemaVersion: 1, run_id: "run-" + index, at, checks };
        lines.push(formatAssessmentRun(before === null || index % 500 === 0 ? run : shortenRun(run, before)));
        before = run;
      }
      writeFileSync(path, lines.join("\\n") + "\\n", { mode: 0o600 });
      const times = [];
      const floors = [];
      let runs = 0;
      for (let round = 0; round < 5; round += 1) {
        // What any reader must do at least, so that a busy machine is not taken for a slow program.
        const text = lines.join("\\n");
        const parseStarted = performance.now();
        for (const line of text.split("\\n")) JSON.parse(line);
        floors.push(performance.now() - parseStarted);
        const started = performance.now();
        const history = await loadAssessmentHistory(path);
        times.push(performance.now() - started);
        runs = history.runs.length;
      }
      process.stdout.write(JSON.stringify({ runs, bytes: statSync(path).size, first: times[0], best: Math.min(...times), floor: Math.min(...floors) }));
      `,
      { args: [folder] },
    );
    expect(stderr).toBe("");
    const { runs, best = 0, first, bytes, floor = 0 } = JSON.parse(stdout) as Record<string, number>;
    console.info(
      `10,000 runs, ${bytes} bytes: ${first?.toFixed(0)} ms the first time, ${best.toFixed(0)} ms at best, JSON.parse alone ${floor.toFixed(0)} ms`,
    );
    expect(runs).toBe(10_000);
    expect(best).toBeLessThan(Math.max(100, 6 * floor));
  });
});
