/**
 * The quick way to see that a text is canonical: one pass over it that makes no values. It may give up on a
 * text that is canonical, and then the slow way decides; it never accepts one that is not.
 */

/** Records are flat; what is nested deeper is left to the slow way. */
const MAX_DEPTH = 8;
/** Any so long is a safe integer; the few longer ones are left to the slow way. */
const MAX_DIGITS = 15;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const HAS_OTHER = /[^\u0020-\u007e]/;
/** A string, with each escape in the only form that it may have. */
const ESCAPED =
  /"(?:[ !#-[\]-~]|\\(?:["\\bfnrt]|u(?:00(?:0[0-7bef]|1[0-9a-f]|7f|[89a-f][0-9a-f])|(?:0[1-9a-f]|[1-9a-f][0-9a-f])[0-9a-f]{2})))*"/y;

interface Scan {
  readonly text: string;
  readonly hasEscapes: boolean;
}

/**
 * Where the members of a canonical object stand in its text, in order: for each the start of its key (without
 * the quote), the end of its key, and the end of its value, which begins two characters after its key. Null
 * when the text is no object or is not certainly canonical.
 */
export function scanCanonical(text: string): readonly number[] | null {
  if (text.charCodeAt(0) !== OPEN_OBJECT || HAS_OTHER.test(text)) return null;
  const members: number[] = [];
  const end = endOfObject({ text, hasEscapes: text.includes("\\") }, 1, MAX_DEPTH, members);
  return end === text.length ? members : null;
}

/** The end of the value that begins at `at`; -1 when it is none. */
function endOfValue(scan: Scan, at: number, depth: number): number {
  switch (scan.text.charCodeAt(at)) {
    case QUOTE:
      return endOfString(scan, at);
    case OPEN_OBJECT:
      return depth === 0 ? -1 : endOfObject(scan, at + 1, depth - 1, null);
    case OPEN_LIST:
      return depth === 0 ? -1 : endOfList(scan, at + 1, depth - 1);
    default:
      return endOfOther(scan.text, at);
  }
}

function endOfObject(scan: Scan, start: number, depth: number, members: number[] | null): number {
  const { text } = scan;
  if (text.charCodeAt(start) === CLOSE_OBJECT) return start + 1;
  let lastKey = 0;
  let lastKeyEnd = -1;
  for (let at = start; ; at += 1) {
    const key = at + 1;
    // The order of keys is that of their characters, not of the escapes for them.
    const keyEnd = text.charCodeAt(at) === QUOTE ? text.indexOf('"', key) : -1;
    if (keyEnd === -1 || (scan.hasEscapes && text.slice(key, keyEnd).includes("\\"))) return -1;
    if (lastKeyEnd !== -1 && !isBefore(text, lastKey, lastKeyEnd, key, keyEnd)) return -1;
    if (text.charCodeAt(keyEnd + 1) !== COLON) return -1;
    const end = endOfValue(scan, keyEnd + 2, depth);
    if (end === -1) return -1;
    members?.push(key, keyEnd, end);
    const next = text.charCodeAt(end);
    if (next === CLOSE_OBJECT) return end + 1;
    if (next !== COMMA) return -1;
    lastKey = key;
    lastKeyEnd = keyEnd;
    at = end;
  }
}

function endOfList(scan: Scan, start: number, depth: number): number {
  const { text } = scan;
  if (text.charCodeAt(start) === CLOSE_LIST) return start + 1;
  for (let at = start; ; at += 1) {
    at = endOfValue(scan, at, depth);
    if (at === -1) return -1;
    const next = text.charCodeAt(at);
    if (next === CLOSE_LIST) return at + 1;
    if (next !== COMMA) return -1;
  }
}

function endOfString({ text, hasEscapes }: Scan, at: number): number {
  // Without a backslash in the whole text, a string ends with the next quote.
  if (!hasEscapes) return text.indexOf('"', at + 1) + 1 || -1;
  ESCAPED.lastIndex = at;
  return ESCAPED.test(text) ? ESCAPED.lastIndex : -1;
}

/** Of a whole number, true, false or null. */
function endOfOther(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first > NINE) {
    if (text.startsWith("null", start) || text.startsWith("true", start)) return start + 4;
    return text.startsWith("false", start) ? start + 5 : -1;
  }
  const digits = first === MINUS ? start + 1 : start;
  let at = digits;
  while (text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= NINE) at += 1;
  if (at === digits || at - digits > MAX_DIGITS) return -1;
  // No other spelling: neither 01 nor -0.
  return text.charCodeAt(digits) === ZERO && (at > digits + 1 || digits > start) ? -1 : at;
}

/** Whether one key stands before another by UTF-16 code units; equal keys do not. */
function isBefore(text: string, a: number, aEnd: number, b: number, bEnd: number): boolean {
  const length = Math.min(aEnd - a, bEnd - b);
  for (let index = 0; index < length; index += 1) {
    const difference = text.charCodeAt(a + index) - text.charCodeAt(b + index);
    if (difference !== 0) return difference < 0;
  }
  return aEnd - a < bEnd - b;
}
