/**
 * How a word of a command is put before a human: in quotes, on one line, with an escape for
 * everything that is not plainly the character it seems to be. Two different words never look alike.
 */

/** Printable ASCII, and letters of scripts that are written left to right and stand for themselves. */
const SHOWN =
  /[\x20-\x7e]|[\p{L}&&[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]]/v;

/**
 * `"word"`; with characters beyond ASCII also the same in ASCII, because letters of different
 * scripts can look the same: `"é" = "\u{e9}"`.
 */
export function quoteWord(word: string): string {
  const exact = `"${escapeWord(word, (char) => /[\x20-\x7e]/.test(char))}"`;
  const readable = quoteText(word);
  return exact === readable ? exact : `${readable} = ${exact}`;
}

/** The readable form alone, for prose in which a look-alike letter changes nothing. */
export function quoteText(text: string): string {
  return `"${escapeWord(text, (char) => SHOWN.test(char))}"`;
}

function escapeWord(word: string, isShown: (char: string) => boolean): string {
  let text = "";
  // By code point; half a pair comes as itself and is escaped.
  for (const char of word) text += escapeChar(char, isShown);
  return text;
}

function escapeChar(char: string, isShown: (char: string) => boolean): string {
  if (char === "\\" || char === '"') return `\\${char}`;
  if (char === "\n") return "\\n";
  if (char === "\t") return "\\t";
  return isShown(char) ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
