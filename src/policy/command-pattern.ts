import { RE2JS } from "re2js";
import { clip } from "../core/text.ts";
import { mayBegin, mayBeIn, mayBeWhole, type PlainPattern, readPlain } from "./pattern-shape.ts";

/** Longer patterns are refused: nobody can review them. */
const MAX_PATTERN_CHARS = 1000;

/** A pattern ready to use, or why it can never be. Matching takes time linear in the text (RE2). */
export type TextPattern =
  | {
      readonly kind: "matcher";
      readonly matches: (text: string) => boolean;
      /** What a match must look like, for a first look at many patterns; null where that cannot be told. */
      readonly plain: PlainPattern | null;
    }
  | { readonly kind: "invalid"; readonly message: string };

/** For a deny list: found anywhere in the text. */
export function compileSearch(pattern: string): TextPattern {
  const compiled = compile(pattern);
  if (typeof compiled === "string") return { kind: "invalid", message: compiled };
  return matcherOf(pattern, mayBeIn, (text) => compiled.matcher(text).find());
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
  return matcherOf(pattern, mayBegin, (text) => {
    whole ??= RE2JS.compile(`^(?:${pattern})(?s: .*)?$`);
    return whole.matcher(text).matches();
  });
}

/** For one argument: the whole word. */
export function compileWord(pattern: string): TextPattern {
  const compiled = compile(pattern);
  if (typeof compiled === "string") return { kind: "invalid", message: compiled };
  return matcherOf(pattern, mayBeWhole, (text) => compiled.matcher(text).matches());
}

/** Looks at what a match must look like before the pattern is run: thousands of rules must stay quick. */
function matcherOf(
  pattern: string,
  mayMatch: (plain: PlainPattern, text: string) => boolean,
  matches: (text: string) => boolean,
): TextPattern {
  const plain = readPlain(pattern);
  if (plain === null) return { kind: "matcher", matches, plain };
  return { kind: "matcher", plain, matches: (text) => mayMatch(plain, text) && matches(text) };
}

/**
 * The words joined by spaces, with every space within a word replaced by a character that neither a
 * space nor `\s` in a pattern matches: otherwise one word could pass for two.
 */
export function lineOf(words: readonly string[]): string {
  return words.map((word) => word.replace(/\s/gu, "\u001f")).join(" ");
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
