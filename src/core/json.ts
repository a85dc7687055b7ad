import { SecurityError } from "./error.ts";
import { clip } from "./text.ts";

/**
 * Parses strict JSON and refuses duplicate keys: with two `deny` keys JSON.parse silently keeps
 * the last, and an author who wrote both believes both hold. A leading byte order mark is ignored
 * (RFC 8259 section 8.1).
 * @throws {SecurityError} json-invalid, json-duplicate-key
 */
export function parseStrictJson(text: string, what: string): unknown {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (cause) {
    const reason = source.trim() === "" ? "the file is empty" : withoutExcerpt(cause);
    throw new SecurityError("json-invalid", `${what} is not valid JSON: ${reason}`, {
      cause,
      hint: "Repair the file, or move it away and create it again with `cse init`.",
    });
  }
  const duplicate = findDuplicateKey(source);
  if (duplicate !== null) {
    throw new SecurityError(
      "json-duplicate-key",
      `${what} has the key "${clip(duplicate.key, 80)}" twice in one object (line ${duplicate.line})`,
      { hint: "Keep one of the two; JSON readers would silently use only the last." },
    );
  }
  return value;
}

/** The parser's reason without the excerpt of the text it may end in: that could hold a secret. */
function withoutExcerpt(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : "it cannot be parsed";
  return clip(message.replace(/, (?:\.\.\.)?".*$/s, ""), 120);
}

/** One linear pass over text that JSON.parse has already accepted. */
function findDuplicateKey(source: string): { key: string; line: number } | null {
  const open: (Set<string> | null)[] = [];
  let line = 1;
  let expectKey = false;
  for (let index = 0; index < source.length; index += 1) {
    switch (source[index]) {
      case "\n":
        line += 1;
        break;
      case "{":
        open.push(new Set());
        expectKey = true;
        break;
      case "[":
        open.push(null);
        expectKey = false;
        break;
      case "}":
      case "]":
        open.pop();
        expectKey = false;
        break;
      case ",":
        expectKey = (open.at(-1) ?? null) !== null;
        break;
      case '"': {
        const start = index;
        index += 1;
        while (source[index] !== '"') index += source[index] === "\\" ? 2 : 1;
        const keys = open.at(-1);
        if (!expectKey || keys === undefined || keys === null) break;
        // Compare decoded keys: "deny" and "\u0064eny" are the same key.
        const key = JSON.parse(source.slice(start, index + 1)) as string;
        if (keys.has(key)) return { key, line };
        keys.add(key);
        expectKey = false;
        break;
      }
      default:
    }
  }
  return null;
}
