/**
 * How an option may be written. The loose reading finds every spelling that a program might take for
 * the option, and some that it would not: right for what forbids or warns, never for what allows.
 */

/** True when `word` may give the option `spelling` (`-x`, `-word` or `--long`) to some program. */
export function mayGiveOption(word: string, spelling: string): boolean {
  if (!word.startsWith("-") || word.length < 2) return false;
  if (spelling.startsWith("--")) {
    const name = word.split("=", 1)[0] ?? word;
    // GNU programs take any unambiguous beginning of a long option. Source: getopt_long(3).
    return name.startsWith("--") && name.length > 2 && spelling.startsWith(name);
  }
  if (spelling.length > 2) return word === spelling || word.startsWith(`${spelling}=`);
  return !word.startsWith("--") && word.includes(spelling.charAt(1), 1);
}

/** True when `word` is made of `spellings` alone, written in full; a value after = must be part of one. */
export function isExactlyOptions(word: string, spellings: readonly string[]): boolean {
  if (spellings.includes(word)) return true;
  if (word.startsWith("--") || !word.startsWith("-") || word.length < 2) return false;
  return word
    .slice(1)
    .split("")
    .every((letter) => spellings.includes(`-${letter}`));
}
