/**
 * Characters that could change what a reader sees: C0 and C1 controls, DEL, bidirectional and
 * zero-width format characters, line separators, and lone surrogates.
 */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- matching control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** Escapes everything in `text` that is not plainly visible as `\n`, `\t` or `\u{hex}`; safe for one line of a terminal. */
export function escapeControl(text: string): string {
  return text.replace(UNSAFE, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** `escapeControl`, then cut to `maxChars` with a visible mark, for values from outside. */
export function clip(text: string, maxChars: number): string {
  const safe = escapeControl(text);
  return safe.length <= maxChars ? safe : `${safe.slice(0, Math.max(0, maxChars - 1))}…`;
}

/** "1 listener", "3 listeners". */
export function plural(count: number, noun: string, pluralNoun: string = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : pluralNoun}`;
}
