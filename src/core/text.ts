/**
 * Characters that could change what a reader sees: controls, bidirectional and other format
 * characters, lone surrogates, line and paragraph separators, and whatever is drawn as nothing
 * (zero-width, fillers, variation selectors, tags).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes everything in `text` that is not plainly visible as `\n`, `\t` or `\u{hex}`; safe for one line of a terminal. */
export function escapeControl(text: string): string {
  return text.replace(UNSAFE, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** The same JSON value in text that is safe for a terminal; only line breaks between the parts stay. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, (char) => {
    if (char === "\n") return char;
    return char
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join("");
  });
}

/** `escapeControl`, then cut to `maxChars` (at least 1) with a visible mark, for values from outside. */
export function clip(text: string, maxChars: number): string {
  const safe = escapeControl(text);
  if (safe.length <= maxChars) return safe;
  // A cut through a surrogate pair would leave half of it.
  return `${safe.slice(0, Math.max(0, maxChars - 1)).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** "1 listener", "3 listeners". */
export function plural(count: number, noun: string, pluralNoun: string = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : pluralNoun}`;
}
