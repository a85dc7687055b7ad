/**
 * What every text that a pattern matches must look like, so that thousands of patterns need not all be run.
 * It says too much rather than too little: a text that does not fit cannot match, one that fits may. Only
 * plain patterns have a shape; the engine alone judges any other.
 */

/** ASCII characters, one bit each, and whether characters beyond ASCII are among them. */
export interface CharSet {
  readonly bits: readonly [number, number, number, number];
  readonly hasOther: boolean;
}

export interface PatternShape {
  /** In UTF-16 units. */
  readonly min: number;
  readonly max: number;
  /** Characters a match can begin with, end with, and hold. A match of length 0 is not asked. */
  readonly first: CharSet;
  readonly last: CharSet;
  readonly all: CharSet;
  /** What is in every match; the first are the least likely to be. */
  readonly needs: readonly Need[];
  /** The only text it matches. */
  readonly exact: string | null;
}

/** One of several texts, or one of several characters. */
type Need = readonly string[] | CharSet;

/** A pattern as a literal beginning, which many have in common, and the rest. */
export interface PlainPattern {
  readonly isAtStart: boolean;
  readonly isAtEnd: boolean;
  readonly prefix: string;
  readonly rest: PatternShape;
}

/** More alternatives are not looked for one by one. */
const MAX_TEXTS = 16;
const MAX_NEEDS = 6;
const NONE: CharSet = { bits: [0, 0, 0, 0], hasOther: false };
export const ANY: CharSet = { bits: [-1, -1, -1, -1], hasOther: true };
const EMPTY: PatternShape = { min: 0, max: 0, first: NONE, last: NONE, all: NONE, needs: [], exact: "" };
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const ZERO_WIDTH = "bBAz";

/** Null for a pattern that is not plain: with flags, other groups, other escapes, or beyond printable ASCII. */
export function readPlain(pattern: string): PlainPattern | null {
  if (/[^ -~]/.test(pattern)) return null;
  const reader: Reader = { text: pattern, at: 0 };
  const sequence = readSequence(reader);
  if (sequence !== null && reader.at === pattern.length) {
    const { prefix, rest } = sequence;
    return { isAtStart: /^\^(?![*+?{])/.test(pattern), isAtEnd: /(?:^|[^\\])\$$/.test(pattern), prefix, rest };
  }
  // A choice at the outermost level: each side has anchors and a beginning of its own.
  const whole: Reader = { text: pattern, at: 0 };
  const rest = readChoice(whole);
  if (rest === null || whole.at !== pattern.length) return null;
  return { isAtStart: false, isAtEnd: false, prefix: "", rest };
}

/** Whether the pattern may match the whole text. */
export function mayBeWhole({ prefix, rest }: PlainPattern, text: string): boolean {
  const from = prefix.length;
  const length = text.length - from;
  if (length < rest.min || length > rest.max || !text.startsWith(prefix)) return false;
  if (length === 0) return true;
  if (!has(rest.first, text.charCodeAt(from)) || !has(rest.last, text.charCodeAt(text.length - 1))) return false;
  for (let at = from; at < text.length; at += 1) if (!has(rest.all, text.charCodeAt(at))) return false;
  return isGiven(rest.needs, text, from);
}

/** Whether it may match from the start of the text up to some point. */
export function mayBegin(pattern: PlainPattern, text: string): boolean {
  if (pattern.isAtEnd) return mayBeWhole(pattern, text);
  const { prefix, rest } = pattern;
  const from = prefix.length;
  if (text.length - from < rest.min || !text.startsWith(prefix)) return false;
  return (rest.min === 0 || has(rest.first, text.charCodeAt(from))) && isGiven(rest.needs, text, from);
}

/** Whether it may match somewhere in the text. */
export function mayBeIn(pattern: PlainPattern, text: string): boolean {
  if (pattern.isAtStart) return mayBegin(pattern, text);
  const { prefix, rest } = pattern;
  const from = text.indexOf(prefix);
  return from !== -1 && text.length - from - prefix.length >= rest.min && isGiven(rest.needs, text, from);
}

function isGiven(needs: readonly Need[], text: string, from: number): boolean {
  return needs.every((need) =>
    "bits" in need ? holds(text, from, need) : need.some((one) => text.includes(one, from)),
  );
}

function holds(text: string, from: number, set: CharSet): boolean {
  for (let at = from; at < text.length; at += 1) if (has(set, text.charCodeAt(at))) return true;
  return false;
}

interface Reader {
  readonly text: string;
  at: number;
}

/** Null: not plain. Ends before a closing parenthesis or at the end. */
function readChoice(reader: Reader): PatternShape | null {
  let choice: PatternShape | null = null;
  for (;;) {
    const sequence = readSequence(reader);
    if (sequence === null) return null;
    const next = then(exactly(sequence.prefix), sequence.rest);
    choice = choice === null ? next : either(choice, next);
    if (reader.text[reader.at] !== "|") return choice;
    reader.at += 1;
  }
}

/** The literal beginning and what follows it. */
function readSequence(reader: Reader): { prefix: string; rest: PatternShape } | null {
  let prefix: string | null = null;
  let whole = EMPTY;
  /** Literals in a row, which are looked for together. */
  let run = "";
  while (reader.at < reader.text.length && !"|)".includes(reader.text.charAt(reader.at))) {
    const one = readRepeated(reader);
    if (one === null) return null;
    if (one.exact !== null) {
      run += one.exact;
      continue;
    }
    if (prefix === null) prefix = run;
    else whole = then(whole, exactly(run));
    whole = then(whole, one);
    run = "";
  }
  return prefix === null ? { prefix: run, rest: EMPTY } : { prefix, rest: then(whole, exactly(run)) };
}

function readRepeated(reader: Reader): PatternShape | null {
  let shape = readOne(reader);
  for (;;) {
    if (shape === null) return null;
    const [whole, least, comma, most] =
      /^(?:[*+?]|\{(\d{1,4})(,?)(\d{0,4})\})/.exec(reader.text.slice(reader.at)) ?? [];
    if (whole === undefined) return shape;
    reader.at += whole.length;
    if (whole === "*") shape = repeat(shape, 0, Infinity);
    else if (whole === "+") shape = repeat(shape, 1, Infinity);
    // Also what makes a repetition lazy: then it only says too much.
    else if (whole === "?") shape = repeat(shape, 0, 1);
    else shape = repeat(shape, Number(least), comma === "" ? Number(least) : most === "" ? Infinity : Number(most));
  }
}

function readOne(reader: Reader): PatternShape | null {
  const char = reader.text.charAt(reader.at);
  reader.at += 1;
  switch (char) {
    case "(": {
      if (reader.text[reader.at] === "?") {
        if (reader.text[reader.at + 1] !== ":") return null;
        reader.at += 2;
      }
      const inner = readChoice(reader);
      if (reader.text[reader.at] !== ")") return null;
      reader.at += 1;
      return inner;
    }
    case "[":
      return readClass(reader);
    case "\\":
      return readEscape(reader);
    case ".":
      return oneOf(ANY);
    case "^":
    case "$":
      return EMPTY;
    case "*":
    case "+":
    case "?":
    case "{":
      return null;
    default:
      return exactly(char);
  }
}

function readEscape(reader: Reader): PatternShape | null {
  const char = reader.text.charAt(reader.at);
  reader.at += 1;
  if (char !== "" && ZERO_WIDTH.includes(char)) return EMPTY;
  const named = namedSet(char);
  if (named !== null) return oneOf(named);
  return PUNCTUATION.test(char) ? exactly(char) : null;
}

/** After the opening bracket. */
function readClass(reader: Reader): PatternShape | null {
  const { text } = reader;
  const isNegated = text[reader.at] === "^";
  if (isNegated) reader.at += 1;
  let set = NONE;
  for (let isFirst = true; ; isFirst = false) {
    const char = text.charAt(reader.at);
    if (char === "" || (char === "[" && text[reader.at + 1] === ":")) return null;
    if (char === "]" && !isFirst) break;
    const from = readMember(reader);
    if (from === null) return null;
    if (typeof from !== "string") {
      set = union(set, from);
      continue;
    }
    let to: CharSet | string | null = from;
    if (text[reader.at] === "-" && text[reader.at + 1] !== "]") {
      reader.at += 1;
      to = readMember(reader);
    }
    if (typeof to !== "string") return null;
    set = union(set, range(from.charCodeAt(0), to.charCodeAt(0)));
  }
  reader.at += 1;
  return oneOf(isNegated ? complement(set) : set);
}

/** A character of a class, or a class of its own within it. */
function readMember(reader: Reader): CharSet | string | null {
  const char = reader.text.charAt(reader.at);
  reader.at += 1;
  if (char !== "\\") return char;
  const next = reader.text.charAt(reader.at);
  reader.at += 1;
  return namedSet(next) ?? (PUNCTUATION.test(next) ? next : null);
}

function namedSet(letter: string): CharSet | null {
  switch (letter) {
    case "d":
      return DIGITS;
    case "w":
      return WORD;
    case "s":
      return SPACE;
    case "D":
      return complement(DIGITS);
    case "W":
      return complement(WORD);
    case "S":
      return complement(SPACE);
    default:
      return null;
  }
}

function exactly(text: string): PatternShape {
  if (text === "") return EMPTY;
  const set = (from: number, to: number): CharSet =>
    text
      .slice(from, to)
      .split("")
      .reduce((all, char) => union(all, range(char.charCodeAt(0), char.charCodeAt(0))), NONE);
  const { length } = text;
  return {
    min: length,
    max: length,
    first: set(0, 1),
    last: set(length - 1, length),
    all: set(0, length),
    needs: [[text]],
    exact: text,
  };
}

/** One character beyond ASCII may take two units. */
function oneOf(set: CharSet): PatternShape {
  return { min: 1, max: set.hasOther ? 2 : 1, first: set, last: set, all: set, needs: [set], exact: null };
}

function then(a: PatternShape, b: PatternShape): PatternShape {
  if (a.exact === "") return b;
  if (b.exact === "") return a;
  const texts = [...a.needs, ...b.needs].filter((need) => !("bits" in need));
  const sets = [...a.needs, ...b.needs].filter((need) => "bits" in need && need !== ANY);
  return {
    min: a.min + b.min,
    max: a.max + b.max,
    first: a.min === 0 ? union(a.first, b.first) : a.first,
    last: b.min === 0 ? union(a.last, b.last) : b.last,
    all: union(a.all, b.all),
    needs: [...texts, ...sets].slice(0, MAX_NEEDS),
    exact: null,
  };
}

function either(a: PatternShape, b: PatternShape): PatternShape {
  return {
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    first: union(a.first, b.first),
    last: union(a.last, b.last),
    all: union(a.all, b.all),
    needs: eitherNeed(a.needs[0], b.needs[0]),
    exact: null,
  };
}

function eitherNeed(a: Need | undefined, b: Need | undefined): readonly Need[] {
  if (a === undefined || b === undefined) return [];
  if ("bits" in a) return "bits" in b ? [union(a, b)] : [];
  const texts = "bits" in b ? [] : [...new Set([...a, ...b])];
  return texts.length > 0 && texts.length <= MAX_TEXTS ? [texts] : [];
}

function repeat(shape: PatternShape, least: number, most: number): PatternShape {
  // Nothing repeated without end is still nothing.
  const max = shape.max === 0 || most === 0 ? 0 : shape.max * most;
  return { ...shape, min: shape.min * least, max, needs: least === 0 ? [] : shape.needs, exact: null };
}

function range(from: number, to: number): CharSet {
  const bits: [number, number, number, number] = [0, 0, 0, 0];
  for (let code = from; code <= to; code += 1) bits[code >> 5] = (bits[code >> 5] ?? 0) | (1 << (code & 31));
  return { bits, hasOther: false };
}

function union(a: CharSet, b: CharSet): CharSet {
  const [p, q] = [a.bits, b.bits];
  return {
    bits: [p[0] | q[0], p[1] | q[1], p[2] | q[2], p[3] | q[3]],
    hasOther: a.hasOther || b.hasOther,
  };
}

function complement({ bits, hasOther }: CharSet): CharSet {
  return { bits: [~bits[0], ~bits[1], ~bits[2], ~bits[3]], hasOther: !hasOther };
}

function has({ bits, hasOther }: CharSet, code: number): boolean {
  return code < 128 ? ((bits[code >> 5] ?? 0) & (1 << (code & 31))) !== 0 : hasOther;
}

const DIGITS = range(48, 57);
const WORD = union(union(DIGITS, range(65, 90)), union(range(97, 122), range(95, 95)));
const SPACE = union(range(9, 10), union(range(12, 13), range(32, 32)));
