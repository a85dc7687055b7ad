import { HOLE, isKnown, withWildcards } from "./marks.ts";
import { mayMatch } from "./glob.ts";

/** What `${name<operator>...}` makes of a known value; HOLE where it cannot be told. Operands are marked words. */

const MAX_CUT = 256;

/** `#`, `##`, `%`, `%%`. */
export function removeMatch(value: string, operator: "#" | "##" | "%" | "%%", pattern: string): string {
  if (!isKnown(value) || !isKnown(pattern)) return HOLE;
  if (value.length > MAX_CUT) return HOLE;
  const isPrefix = operator.startsWith("#");
  const isLongest = operator.length === 2;
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => (isLongest ? value.length - length : length));
  const found = lengths.find((length) =>
    mayMatch(pattern, isPrefix ? value.slice(0, length) : value.slice(value.length - length)),
  );
  if (found === undefined) return value;
  return isPrefix ? value.slice(found) : value.slice(0, value.length - found);
}

/** `/`, `//`, `/#`, `/%`; a pattern with wildcards is tried at each place. */
export function replaceMatch(value: string, operator: string, pattern: string, replacement: string): string {
  if (!isKnown(value) || !isKnown(pattern)) return HOLE;
  if (pattern === "") return value;
  if (value.length > MAX_CUT) return HOLE;
  let result = "";
  let at = 0;
  while (at < value.length) {
    const length = at > 0 && operator === "/#" ? -1 : matchLength(value, at, pattern, operator === "/%");
    if (length <= 0) {
      result += value.charAt(at);
      at += 1;
      continue;
    }
    result += replacement;
    at += length;
    if (operator !== "//") return result + value.slice(at);
  }
  return result;
}

function matchLength(value: string, at: number, pattern: string, mustReachEnd: boolean): number {
  const isPlain = withWildcards(pattern) === pattern && !/[\ufdd3-\ufdd5]/.test(pattern);
  if (isPlain) {
    const isHere = value.startsWith(pattern, at) && (!mustReachEnd || at + pattern.length === value.length);
    return isHere ? pattern.length : -1;
  }
  for (let end = value.length; end > at; end -= 1) {
    if (mayMatch(pattern, value.slice(at, end))) return end - at;
    if (mustReachEnd) return -1;
  }
  return -1;
}

export function slice(value: string, offset: string, length: string | null): string {
  const from = Number(offset);
  const count = length === null ? null : Number(length);
  if (!isKnown(value) || !Number.isInteger(from) || (count !== null && !Number.isInteger(count))) return HOLE;
  const start = from < 0 ? value.length + from : from;
  if (start < 0) return "";
  if (count === null) return value.slice(start);
  return count < 0 ? value.slice(start, value.length + count) : value.slice(start, start + count);
}

/** `^`, `^^`, `,`, `,,` without a pattern, and `@U`, `@L`, `@u`. */
export function changeCase(value: string, operator: string): string {
  switch (operator) {
    case "^^":
    case "U":
      return value.toUpperCase();
    case ",,":
    case "L":
      return value.toLowerCase();
    case "^":
    case "u":
      return value.charAt(0).toUpperCase() + value.slice(1);
    case ",":
      return value.charAt(0).toLowerCase() + value.slice(1);
    default:
      return HOLE;
  }
}
