import fc from "fast-check";
import { describe, expect, it } from "vitest";
import recorded from "../fixtures/sudo-args/recorded.json" with { type: "json" };
import { parseSudoArgs } from "../../src/shell/parse-sudo-args.ts";
import { INFORMATIVE_WORDS } from "../../src/shell/sudo-option.ts";
import { SUDO_REFUSAL_CODES } from "../../src/shell/sudo-refusal.ts";
import { disagreement } from "../helpers/sudo-judge.ts";
import { sudoWords } from "../helpers/sudo-oracle.ts";

const runs = (numRuns: number): fc.Parameters<unknown> => ({ seed: 20_261_123, numRuns });

describe("parseSudoArgs", () => {
  it("agrees with what real sudo was seen to do with each recorded line", () => {
    const uids: Readonly<Record<string, string>> = recorded.uids;
    const wrong = recorded.lines.flatMap((run) => {
      const env = Object.fromEntries(Object.entries(run.ran?.env ?? {}));
      const seen = { argv: run.argv, ran: run.ran === null ? null : { ...run.ran, env } };
      const difference = disagreement(seen, recorded.callerCwd, (account) => uids[account] ?? null);
      return difference === null ? [] : [`${JSON.stringify(run.argv)}: ${difference}`];
    });
    expect(wrong).toEqual([]);
    expect(recorded.lines.length).toBeGreaterThan(500);
  });

  it("gives one of three answers to anything, twice the same", () => {
    const anything = fc.oneof(sudoWords, fc.array(fc.string({ unit: "binary" })), fc.anything());
    fc.assert(
      fc.property(anything, (value) => {
        const parsed = parseSudoArgs(value as string[]);
        expect(parseSudoArgs(value as string[])).toEqual(parsed);
        switch (parsed.kind) {
          case "passthrough":
            return INFORMATIVE_WORDS.includes(parsed.argv[0]) && Array.isArray(value) && value.length === 1;
          case "request":
            return (
              Array.isArray(value) && value.slice(-parsed.argv.length).every((word, at) => word === parsed.argv[at])
            );
          case "refuse":
            return SUDO_REFUSAL_CODES.includes(parsed.code);
        }
      }),
      runs(5000),
    );
  });
});
