import { parseHostName } from "../core/host-name.ts";

const MAX_NAMES = 64;
const MAX_NAME_CHARS = 253;

/**
 * The host names a pattern can match when they are at most 64, sorted; null when they are more, or
 * when the pattern uses anything but literals, escaped punctuation, groups, alternatives, `?`,
 * `{n}`, `{n,m}` and character classes of ASCII. Patterns match whole names, so `^` and `$` say
 * nothing new at the ends of a top-level alternative; elsewhere they are not understood.
 *
 * One pass, without backtracking; every intermediate set is bounded by the same 64.
 */
export function expandFiniteHost(pattern: string): string[] | null {
  if (pattern.length > 1000) return null;
  const parser = new FiniteParser(pattern);
  const found = parser.parseWhole();
  if (found === null) return null;
  const names = new Set<string>();
  for (const text of found) {
    // What is no host name can never be met, e.g. the empty string or "a..b".
    const name = parseHostName(text);
    if (name !== null && name === text) names.add(name);
  }
  return [...names].toSorted();
}

type Strings = ReadonlySet<string>;

const EMPTY: Strings = new Set([""]);

/** Recursive descent over the pattern; null anywhere means "not finite, or not understood". */
class FiniteParser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parseWhole(): Strings | null {
    const found = this.#alternatives(true);
    return this.#at === this.#source.length ? found : null;
  }

  #alternatives(isTop: boolean): Strings | null {
    let all: Strings | null = new Set<string>();
    for (;;) {
      if (isTop) this.#take("^");
      const branch = this.#sequence();
      if (isTop) this.#take("$");
      all = all === null || branch === null ? null : union(all, branch);
      if (all === null || !this.#take("|")) return all;
    }
  }

  #sequence(): Strings | null {
    let prefixes: Strings = EMPTY;
    while (this.#at < this.#source.length && !"|)$".includes(this.#peek())) {
      const atom = this.#atom();
      const repeated = atom === null ? null : this.#quantified(atom);
      const joined = repeated === null ? null : concatenate(prefixes, repeated);
      if (joined === null) return null;
      prefixes = joined;
    }
    return prefixes;
  }

  #atom(): Strings | null {
    const char = this.#next();
    if (char === "(") return this.#group();
    if (char === "[") return this.#characterClass();
    if (char === "\\") return this.#escaped();
    // A bare dot, an anchor inside, a quantifier without an atom, or text no host name has.
    return isLiteral(char) ? new Set([char.toLowerCase()]) : null;
  }

  #group(): Strings | null {
    if (this.#take("?") && !this.#take(":")) return null;
    const inside = this.#alternatives(false);
    return this.#take(")") ? inside : null;
  }

  /** Only punctuation: `\d`, `\w`, `\b` and `\x2e` have meanings of their own. */
  #escaped(): Strings | null {
    const char = this.#next();
    return char === "." || char === "-" ? new Set([char]) : null;
  }

  #characterClass(): Strings | null {
    const members = new Set<string>();
    while (this.#at < this.#source.length && !this.#take("]")) {
      const first = this.#classMember();
      if (first === null) return null;
      const isRange = this.#peek() === "-" && this.#source[this.#at + 1] !== "]";
      if (isRange) this.#at += 1;
      const last = isRange ? this.#classMember() : first;
      if (last === null || first > last) return null;
      // A range that leaves its kind, such as A-z, holds punctuation too.
      if (isRange && kindOf(first) !== kindOf(last)) return null;
      for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code += 1) {
        members.add(String.fromCharCode(code).toLowerCase());
      }
    }
    return this.#source[this.#at - 1] === "]" && members.size > 0 ? bounded(members) : null;
  }

  #classMember(): string | null {
    const char = this.#next();
    if (char === "\\") {
      const escaped = this.#next();
      return escaped === "." || escaped === "-" ? escaped : null;
    }
    return isLiteral(char) || char === "." ? char : null;
  }

  #quantified(atom: Strings): Strings | null {
    if (this.#take("?")) return this.#atQuantifier() ? null : union(EMPTY, atom);
    if (!this.#atQuantifier()) return atom;
    // `*` and `+` have no counts and end here too.
    const counts = /^\{(\d{1,3})(?:,(\d{1,3}))?\}/.exec(this.#source.slice(this.#at, this.#at + 9));
    if (counts === null) return null;
    this.#at += counts[0].length;
    const least = Number(counts[1]);
    const most = Number(counts[2] ?? counts[1]);
    if (this.#atQuantifier() || least > most) return null;
    return repeat(atom, least, most);
  }

  /** A quantifier on a quantifier (`a??`, `a{2}{3}`) is left to the real engine. */
  #atQuantifier(): boolean {
    return this.#peek() !== "" && "?*+{".includes(this.#peek());
  }

  #peek(): string {
    return this.#source[this.#at] ?? "";
  }

  #next(): string {
    const char = this.#peek();
    this.#at += 1;
    return char;
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }
}

function isLiteral(char: string): boolean {
  return /^[A-Za-z0-9-]$/.test(char);
}

function kindOf(char: string): string {
  if (/[0-9]/.test(char)) return "digit";
  if (/[a-z]/.test(char)) return "lower";
  return /[A-Z]/.test(char) ? "upper" : char;
}

function concatenate(left: Strings, right: Strings): Strings | null {
  const joined = new Set<string>();
  for (const head of left) {
    for (const tail of right) {
      if (head.length + tail.length > MAX_NAME_CHARS) continue;
      joined.add(head + tail);
      if (joined.size > MAX_NAMES) return null;
    }
  }
  return joined;
}

function repeat(atom: Strings, least: number, most: number): Strings | null {
  let power: Strings | null = EMPTY;
  let all: Strings | null = least === 0 ? EMPTY : new Set<string>();
  for (let count = 1; count <= most && all !== null; count += 1) {
    power = concatenate(power, atom);
    if (power === null) return null;
    if (count >= least) all = union(all, power);
  }
  return all;
}

function union(left: Strings, right: Strings): Strings | null {
  return bounded(new Set([...left, ...right]));
}

function bounded(strings: Strings): Strings | null {
  return strings.size > MAX_NAMES ? null : strings;
}
