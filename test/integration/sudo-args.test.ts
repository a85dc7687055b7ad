import fc from "fast-check";
import { describe, expect } from "vitest";
import { INFORMATIVE_WORDS } from "../../src/shell/sudo-option.ts";
import { parseSudoArgs } from "../../src/shell/parse-sudo-args.ts";
import { itUnless } from "../helpers/requires.ts";
import { disagreement } from "../helpers/sudo-judge.ts";
import { accountOf, askAll, openSudoOracle, PROBE, sudoObstacle, sudoWords } from "../helpers/sudo-oracle.ts";

const SEED = 20_261_123;
const obstacle = sudoObstacle();
const uidOf = (account: string): string | null => accountOf(account)?.uid.toString() ?? null;

describe("parseSudoArgs beside real sudo", () => {
  itUnless(
    obstacle,
    "H01: passes nothing through that runs, and means by each request what sudo does",
    async () => {
      const oracle = openSudoOracle();
      const single = INFORMATIVE_WORDS.flatMap((word) => [[word], [word, PROBE, "x"], ["-n", word, PROBE, "x"]]);
      const runs = await askAll(oracle, [...single, ...fc.sample(sudoWords, { seed: SEED, numRuns: 600 })]);
      const wrong = runs.flatMap((run) => {
        const difference = disagreement(run, oracle.cwd, uidOf);
        return difference === null ? [] : [`${JSON.stringify(run.argv)}: ${difference}`];
      });
      expect(wrong).toEqual([]);
      // The comparison says something only if both sides often ran.
      const both = runs.filter((run) => run.ran !== null && parseSudoArgs(run.argv).kind === "request");
      expect(both.length).toBeGreaterThan(80);
      expect(runs.filter((run) => run.ran !== null).length).toBeGreaterThan(both.length);
    },
    120_000,
  );
});
