import fc from "fast-check";
import { describe, expect } from "vitest";
import { escapeArguments, type FragmentRule, renderSudoersFragment } from "../../src/policy/sudoers-fragment.ts";
import { itUnless } from "../helpers/requires.ts";
import { askSudo, checkSudoers, readSudoers, sudoersObstacle } from "../helpers/sudoers-oracle.ts";

const OBSTACLE = sudoersObstacle();
const USER = { user: "nobody", uid: 65_534 };
const PROGRAM = "/usr/bin/printf";
const SEED = { seed: 20_261_123 };

/** Everything that means something to sudoers, its globs, its expressions or a shell, and a little of the rest. */
const piece = fc.constantFrom(
  ..."\\,:=*?[]!^$#\"'()@%+-~{}|&;<>`/.ab0é€".split(""),
  "[a-z]",
  "[!a]",
  "\\a",
  '""',
  "(?i)",
  ".*",
  "ALL",
  "NOPASSWD:",
  "#include",
  "@include",
  "sha256:",
);
const word = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));
const words = fc.array(word, { maxLength: 4 });

function rule(args: readonly string[], index: number): FragmentRule {
  return { id: `r${index}`, argv: [PROGRAM, ...args], runAs: "root", cwd: null, expiresAt: null, sha256: null };
}

/** Other command lines than `args`, as near as can be. */
function near(args: readonly string[]): readonly string[][] {
  const joined = args.join(" ");
  const others = joined
    .split("")
    .flatMap((_, at) => [joined.slice(0, at) + joined.slice(at + 1), `${joined.slice(0, at)}x${joined.slice(at + 1)}`]);
  return [...others, `${joined}x`, `${joined} x`, `x ${joined}`].map((text) => text.split(" "));
}

describe("renderSudoersFragment", () => {
  itUnless(
    OBSTACLE,
    "is accepted by visudo, and real sudo then allows each command of the policy and nothing near it",
    async () => {
      const samples = fc.sample(words, { ...SEED, numRuns: 150 }).filter((args) => {
        return escapeArguments(args).kind === "escaped";
      });
      expect(samples.length).toBeGreaterThan(100);
      const { text, written } = renderSudoersFragment({ account: USER, rules: samples.map(rule), log: "json" });
      expect(written).toHaveLength(samples.length);
      expect(await checkSudoers(text ?? "")).toBeNull();

      const allowed = new Set(samples.map((args) => args.join(" ")));
      const asked = samples.flatMap((args, at) => [args, ...near(args).filter((_, index) => index % 13 === at % 13)]);
      const answers = await askSudo(
        text ?? "",
        USER.user,
        asked.map((args) => [PROGRAM, ...args]),
      );
      const wrong = asked.filter((args, at) => answers[at] !== (allowed.has(args.join(" ")) && !isBlank(args)));
      expect(wrong).toEqual([]);
      expect(answers.filter((answer) => !answer).length).toBeGreaterThan(200);
    },
    120_000,
  );

  itUnless(OBSTACLE, "names exactly the written commands when sudo's own parser reads it back", async () => {
    const samples = fc.sample(words, { ...SEED, numRuns: 300 });
    const { text, written, refused } = renderSudoersFragment({
      account: USER,
      rules: samples.map(rule),
      log: "text",
    });
    expect(written.length + refused.length).toBe(samples.length);
    const aliases = (await readSudoers(text ?? "")).Command_Aliases;
    const shown = written.map(({ alias }) => aliases[alias]?.map(({ command }) => unescapeGlob(command)));
    const meant = written.map(({ id }) => {
      const args = samples[Number(id.slice(1))] ?? [];
      return [`${PROGRAM} ${args.length === 0 ? '""' : args.join(" ")}`];
    });
    expect(shown).toEqual(meant);
  });
});

/** cvtsudoers shows what fnmatch gets. */
function unescapeGlob(pattern: string): string {
  return pattern.replaceAll(/\\(.)/gu, "$1");
}

/** An empty word is no word for the list of samples, but one for sudo. */
function isBlank(args: readonly string[]): boolean {
  return args.length > 0 && args.every((each) => each === "");
}
