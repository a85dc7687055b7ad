/**
 * Brace expansion works on source text before anything else is looked at, so it does here: one written word
 * becomes several written words. Quotes, escapes and `${...}` protect what is in them.
 */

const MAX_WORDS = 64;
const MAX_RESULT = 16_384;

/** Null where it becomes too much to follow. */
export function expandBraces(text: string): string[] | null {
  const results: string[] = [];
  const queue: string[] = [text];
  let size = 0;
  while (queue.length > 0) {
    const next = queue.shift() ?? "";
    size += next.length;
    if (results.length + queue.length > MAX_WORDS || size > MAX_RESULT) return null;
    const group = firstGroup(next);
    if (group === null) results.push(next);
    else queue.unshift(...group.items.map((item) => next.slice(0, group.start) + item + next.slice(group.end)));
  }
  return results;
}

interface Group {
  readonly start: number;
  readonly end: number;
  readonly items: readonly string[];
}

function firstGroup(text: string): Group | null {
  for (let start = 0; start < text.length; start = skipOne(text, start)) {
    if (text.charAt(start) !== "{") continue;
    const group = readGroup(text, start);
    if (group !== null) return group;
  }
  return null;
}

/** The place after the character at `at`, or after all that it protects. */
function skipOne(text: string, at: number): number {
  const char = text.charAt(at);
  if (char === "\\") return at + 2;
  if (char === "'" || char === '"' || char === "`") return closing(text, at + 1, char) + 1;
  if (char === "$" && (text.charAt(at + 1) === "{" || text.charAt(at + 1) === "(")) {
    return skipNested(text, at + 1);
  }
  return at + 1;
}

function closing(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.charAt(at) === "\\" && quote !== "'") at += 1;
    else if (text.charAt(at) === quote) return at;
  }
  return text.length;
}

function skipNested(text: string, open: number): number {
  const [opens, closes] = text.charAt(open) === "{" ? ["{", "}"] : ["(", ")"];
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text.charAt(at) === opens) depth += 1;
    else if (text.charAt(at) === closes) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

function readGroup(text: string, start: number): Group | null {
  const commas: number[] = [];
  let depth = 0;
  for (let at = start; at < text.length; at = skipOne(text, at)) {
    const char = text.charAt(at);
    if (char === "{") depth += 1;
    else if (char === "," && depth === 1) commas.push(at);
    else if (char === "}") {
      depth -= 1;
      if (depth > 0) continue;
      const items = itemsOf(text, start, at, commas);
      return items === null ? null : { start, end: at + 1, items };
    }
  }
  return null;
}

function itemsOf(text: string, start: number, end: number, commas: readonly number[]): string[] | null {
  if (commas.length === 0) return range(text.slice(start + 1, end));
  const edges = [start, ...commas, end];
  return edges.slice(1).map((edge, index) => text.slice((edges[index] ?? 0) + 1, edge));
}

/** `a..e` and `1..9..2`. */
function range(body: string): string[] | null {
  const match = /^(?:(-?\d{1,6})\.\.(-?\d{1,6})|([A-Za-z])\.\.([A-Za-z]))(?:\.\.(-?\d{1,6}))?$/.exec(body);
  if (match === null) return null;
  const [, fromNumber, toNumber, fromLetter, toLetter, by] = match;
  const isNumeric = fromNumber !== undefined;
  const from = isNumeric ? Number(fromNumber) : (fromLetter ?? "").charCodeAt(0);
  const to = isNumeric ? Number(toNumber) : (toLetter ?? "").charCodeAt(0);
  const step = Math.max(1, Math.abs(Number(by ?? 1)));
  const items: string[] = [];
  for (let at = from; from <= to ? at <= to : at >= to; at += from <= to ? step : -step) {
    // One more than may be used is enough to see that it is too much.
    if (items.length > MAX_WORDS) break;
    items.push(isNumeric ? String(at) : String.fromCharCode(at));
  }
  return items;
}
