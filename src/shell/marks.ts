/**
 * Words as far as they are known. A word is a plain string in which a few code points that no text may contain
 * stand for what only running would tell. They are Unicode noncharacters; a text that comes with them loses them at the door.
 */

/** Any text, not known. */
export const HOLE = "\ufdd0";
/** What a program printed that is made to be evaluated, such as `ssh-agent -s`: not known, and harmless as code. */
export const EMITTED = "\ufdd1";
/** The content of a file that this text did not write. Files on disk are not read. */
export const ON_DISK = "\ufdd2";
/** Unquoted `*`, `?` and `[`, which the shell replaces by the names that match. */
export const STAR = "\ufdd3";
export const ANY = "\ufdd4";
export const OPEN = "\ufdd5";

const NONCHARACTERS = /[\ufdd0-\ufdef]/g;
const UNKNOWN = /[\ufdd0-\ufdd2]/;
const WILD = /[\ufdd3-\ufdd5]/;

/** Longer values are not followed, so that `x=$x$x` cannot grow without end. */
const MAX_VALUE = 262_144;

export function withoutMarks(text: string): string {
  return text.replace(NONCHARACTERS, "\ufffd");
}

export function isKnown(word: string): boolean {
  return !UNKNOWN.test(word);
}

export function hasWildcard(word: string): boolean {
  return WILD.test(word);
}

/** The word as text, or null where a part of it is not known. A wildcard is its own text. */
export function plainText(word: string): string | null {
  return isKnown(word) ? literally(word) : null;
}

/** The word with its wildcards as the characters they were written as. */
export function literally(word: string): string {
  if (!WILD.test(word)) return word;
  return word.replaceAll(STAR, "*").replaceAll(ANY, "?").replaceAll(OPEN, "[");
}

/** The opposite: what an unquoted expansion makes of a value. */
export function withWildcards(value: string): string {
  if (!/[*?[]/.test(value)) return value;
  return value.replaceAll("*", STAR).replaceAll("?", ANY).replaceAll("[", OPEN);
}

/** The value, or a hole where it has become too long to follow. */
export function bounded(value: string): string {
  return value.length > MAX_VALUE ? HOLE : value;
}
