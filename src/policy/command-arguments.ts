import type { ArgumentMatcher, CommandRule, FlagMatcher } from "../schema/command-policy.ts";
import { isExactlyOptions, mayGiveOption } from "./command-option.ts";
import { canonicalCommandPath } from "./command-identity.ts";
import { compileWord } from "./command-pattern.ts";
import type { Gate } from "./pattern-gate.ts";
import type { PlainPattern } from "./pattern-shape.ts";

/** Whether the words after a command meet a rule. */
export type ArgumentTest = (args: readonly string[]) => boolean;
type WordTest = (word: string) => boolean;

export interface CompiledArguments {
  readonly meets: ArgumentTest;
  /** A first look at the words, by the rule's first pattern; null where there is none. */
  readonly gate: Gate | null;
}

interface CompiledWord {
  readonly test: WordTest;
  readonly plain: PlainPattern | null;
}

type Report = (place: string, message: string) => void;
type WordMatcher = Exclude<ArgumentMatcher, { kind: "rest" }>;

/**
 * The test of one rule's `args` and `flags`. For an allow rule every word must be accounted for; for
 * a deny rule it is enough that the forbidden flags may be there.
 * @param report is told about a pattern that cannot be used, with the place inside the rule
 */
export function compileArguments(rule: CommandRule, report: Report): CompiledArguments {
  const { args, flags } = rule;
  const gates: Gate[] = [];
  const onGate = (gate: Gate): void => void gates.push(gate);
  const meets = args === "any" ? () => true : compileSequence(args, rule.effect, { report, onGate });
  // With flags the matchers are about the operands, whose places are not those of the words.
  return flags === null
    ? { meets, gate: gates[0] ?? null }
    : { meets: withFlags(rule.effect, flags, meets), gate: null };
}

function withFlags(effect: CommandRule["effect"], flags: FlagMatcher, meets: ArgumentTest): ArgumentTest {
  if (effect === "deny") {
    return (words) => meets(words) && flags.required.every((group) => words.some((word) => mayGive(word, group)));
  }
  const permitted = [...flags.required.flat(), ...flags.optional];
  return (words) => {
    const { options, operands } = splitOptions(words);
    return (
      options.every((word) => isExactlyOptions(word, permitted)) &&
      flags.required.every((group) => options.some((word) => mayGive(word, group))) &&
      meets(operands)
    );
  };
}

function mayGive(word: string, group: readonly string[]): boolean {
  return group.some((spelling) => mayGiveOption(word, spelling));
}

/** As getopt_long(3) does: options anywhere before the first `--`. */
function splitOptions(words: readonly string[]): { options: string[]; operands: string[] } {
  const options: string[] = [];
  const operands: string[] = [];
  const end = words.indexOf("--");
  for (const [index, word] of words.entries()) {
    if (index === end) continue;
    const isOption = word.startsWith("-") && word.length > 1 && (end === -1 || index < end);
    (isOption ? options : operands).push(word);
  }
  return { options, operands };
}

function compileSequence(
  matchers: readonly ArgumentMatcher[],
  effect: CommandRule["effect"],
  { report, onGate }: { readonly report: Report; readonly onGate: (gate: Gate) => void },
): ArgumentTest {
  const tests: WordTest[] = [];
  let rest: WordTest | null = null;
  for (const [index, matcher] of matchers.entries()) {
    if (matcher.kind !== "rest") {
      const { test, plain } = compileWordTest(matcher, effect, `args/${index}`, report);
      tests.push(test);
      if (plain !== null) onGate({ at: index, pattern: plain, match: "whole" });
    } else if (matcher.each === "any") rest = () => true;
    else rest = compileWordTest(matcher.each, effect, `args/${index}/rest`, report).test;
  }
  return (words) => {
    if (rest === null ? words.length !== tests.length : words.length < tests.length) return false;
    return words.every((word, index) => (tests[index] ?? rest)?.(word) === true);
  };
}

function compileWordTest(
  matcher: WordMatcher,
  effect: CommandRule["effect"],
  place: string,
  report: Report,
): CompiledWord {
  const isSame = effect === "deny" ? isSameOrSamePath : (word: string, text: string) => word === text;
  switch (matcher.kind) {
    case "literal":
      return { test: (word) => isSame(word, matcher.text), plain: null };
    case "one-of":
      return { test: (word) => matcher.texts.some((text) => isSame(word, text)), plain: null };
    case "path-under":
      return {
        test: (word) => (effect === "deny" ? mayBeUnder(word, matcher.folder) : isUnder(word, matcher.folder)),
        plain: null,
      };
    case "regex": {
      const pattern = compileWord(matcher.pattern);
      if (pattern.kind === "matcher") return { test: pattern.matches, plain: pattern.plain };
      report(`${place}/regex`, pattern.message);
      return { test: () => false, plain: null };
    }
  }
}

/** For deny rules: another spelling of a path is the same path. */
function isSameOrSamePath(word: string, text: string): boolean {
  if (word === text) return true;
  return word.startsWith("/") && text.startsWith("/") && canonicalCommandPath(word) === canonicalCommandPath(text);
}

/** By the text of the path, and a path with `..` is under nothing. Links on the disk are not followed. */
function isUnder(word: string, folder: string): boolean {
  return word.startsWith("/") && !word.split("/").includes("..") && startsWithFolder(word, folder);
}

/** For deny rules: with `..` resolved or not, alone or behind an option's `=`. */
function mayBeUnder(word: string, folder: string): boolean {
  const path = word.slice(Math.max(0, word.indexOf("/")));
  return path.startsWith("/") && [path, canonicalCommandPath(path)].some((each) => startsWithFolder(each, folder));
}

function startsWithFolder(path: string, folder: string): boolean {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const spellings = [folder, canonicalCommandPath(folder)].map((each) => each.split("/").filter((part) => part !== ""));
  return spellings.some((wanted) => wanted.every((part, index) => parts[index] === part));
}
