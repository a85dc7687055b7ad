import { RE2JS } from "re2js";
import { clip } from "../core/text.ts";

/** Longer patterns are refused: nobody can review them. */
const MAX_PATTERN_CHARS = 1000;

/** A pattern ready to use, or why it can never be. Matching takes time linear in the text (RE2). */
export type TextPattern =
  | { readonly kind: "matcher"; readonly matches: (text: string) => boolean }
  | { readonly kind: "invalid"; readonly message: string };

/** For a deny list: found anywhere in the text. */
export function compileSearch(pattern: string): TextPattern {
  const compiled = compile(pattern);
  if (typeof compiled === "string") return { kind: "invalid", message: compiled };
  return matcherOf(pattern, (text) => compiled.matcher(text).find());
}

/**
 * For an allow list: from the start of the command line to the end of one of its words, so that
 * `^/usr/bin/apt\b` is not also a yes to /usr/bin/apt-get. Needs a text made by `lineOf`.
 */
export function compileCommandStart(pattern: string): TextPattern {
  // Alone first: parentheses of the pattern must not pair up with ours.
  const alone = compile(pattern);
  if (typeof alone === "string") return { kind: "invalid", message: alone };
  if (pattern.includes("\\Q")) return { kind: "invalid", message: "\\Q is not supported" };
  let whole: RE2JS | null = null;
  return matcherOf(pattern, (text) => {
    whole ??= RE2JS.compile(`^(?:${pattern})(?s: .*)?$`);
    return whole.matcher(text).matches();
  });
}

/** For one argument: the whole word. */
export function compileWord(pattern: string): TextPattern {
  const compiled = compile(pattern);
  if (typeof compiled === "string") return { kind: "invalid", message: compiled };
  return matcherOf(pattern, (text) => compiled.matcher(text).matches());
}

/** Looks for the text that a match must contain before the pattern is run: thousands of rules must stay quick. */
function matcherOf(pattern: string, matches: (text: string) => boolean): TextPattern {
  const needs = neededText(pattern);
  return { kind: "matcher", matches: (text) => text.includes(needs) && matches(text) };
}

/**
 * The words joined by spaces, with every space within a word replaced by a character that neither a
 * space nor `\s` in a pattern matches: otherwise one word could pass for two.
 */
export function lineOf(words: readonly string[]): string {
  return words.map((word) => word.replace(/\s/gu, "\u001f")).join(" ");
}

/**
 * Plain text that is in whatever the pattern matches: its longest run of literal characters outside
 * groups. "" where that is not certain from a simple look.
 */
export function neededText(pattern: string): string {
  // A flag may change what letters mean; a choice outside groups makes either side optional.
  if (pattern.includes("(?") || hasOuterChoice(pattern)) return "";
  let best = "";
  let run = "";
  let depth = 0;
  const endRun = (): void => {
    if (run.length > best.length) best = run;
    run = "";
  };
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern.charAt(index);
    if (char === "\\") {
      index += 1;
      const next = pattern.charAt(index);
      if (depth === 0 && /[!-/:-@[-`{-~]/.test(next)) run += next;
      else if (/[bBsSdDwWAz]/.test(next)) endRun();
      else if (!/[!-/:-@[-`{-~]/.test(next)) break;
    } else if (char === "[" || char === "{") {
      // What follows is not literal, and where it ends is not a simple question.
      if (char === "{") run = run.slice(0, -1);
      break;
    } else if (char === "(") {
      if (depth === 0) endRun();
      depth += 1;
    } else if (char === ")") {
      depth -= 1;
    } else if (depth > 0) {
      continue;
    } else if ("*+?".includes(char)) {
      // A quantifier is about the character before it.
      run = run.slice(0, -1);
      endRun();
    } else if (".^$".includes(char)) {
      endRun();
    } else {
      run += char;
    }
  }
  endRun();
  return best;
}

/** True unless every | is certainly inside a group. */
function hasOuterChoice(pattern: string): boolean {
  if (!pattern.includes("|")) return false;
  if (pattern.includes("[") || pattern.includes("\\Q")) return true;
  let depth = 0;
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern.charAt(index);
    if (char === "\\") index += 1;
    else if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    else if (char === "|" && depth === 0) return true;
  }
  return false;
}

function compile(pattern: string): RE2JS | string {
  if (pattern.length > MAX_PATTERN_CHARS) return `longer than ${MAX_PATTERN_CHARS} characters`;
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    // Whatever the compiler throws, the pattern is unusable.
    return clip(reasonOf(error), 160);
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/\(\?<?[=!]/.test(text)) return "lookaround is not supported";
  if (/invalid escape sequence: `\\[0-9k]/.test(text)) return "back-references are not supported";
  return text.replace(/^error parsing regexp: /, "");
}
