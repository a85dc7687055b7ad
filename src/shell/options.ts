import { HOLE } from "./marks.ts";

/** How a program reads its options: only what is needed to tell an option's value from an operand. */
export interface OptionSpec {
  /** Letters of short options that take a value, attached or as the next word. */
  readonly short?: string;
  /** Long options (without dashes) whose value may be the next word. */
  readonly long?: readonly string[];
  /** Long options without a value that are the beginning of one with a value. */
  readonly plain?: readonly string[];
  /** Options go on after operands, as with most GNU programs. */
  readonly isPermuted?: boolean;
  /** Long options begin with one dash, as with find, gdb or java. */
  readonly hasSingleDash?: boolean;
}

export interface GivenOption {
  /** `-c` or `--command`. */
  readonly name: string;
  readonly value: string | null;
}

export interface ReadOptions {
  readonly options: readonly GivenOption[];
  readonly operands: readonly string[];
}

/** Splits arguments into options and operands. An option that is not known takes no value. */
export function readOptions(args: readonly string[], spec: OptionSpec): ReadOptions {
  const options: GivenOption[] = [];
  const operands: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (word === "--") return { options, operands: [...operands, ...args.slice(at + 1)] };
    if (!word.startsWith("-") || word === "-") {
      if (spec.isPermuted !== true) return { options, operands: args.slice(at) };
      operands.push(word);
    } else if (word.startsWith("--") || spec.hasSingleDash === true) {
      at += takeLong(options, word, args[at + 1], spec);
    } else {
      at += takeShort(options, word, args[at + 1], spec.short ?? "");
    }
  }
  return { options, operands };
}

/** Returns how many further words were used. */
function takeLong(options: GivenOption[], word: string, next: string | undefined, { long = [], plain = [] }: OptionSpec): number {
  const equals = word.indexOf("=");
  const name = equals === -1 ? word : word.slice(0, equals);
  if (equals !== -1) {
    options.push({ name, value: word.slice(equals + 1) });
    return 0;
  }
  const bare = name.replace(/^--?/, "");
  // getopt takes any beginning of a name.
  const full = long.find((each) => each === bare) ?? (bare.length > 2 && !plain.includes(bare) ? long.find((each) => each.startsWith(bare)) : undefined);
  const takesValue = full !== undefined;
  options.push({ name: takesValue ? name.replace(bare, full) : name, value: takesValue ? (next ?? HOLE) : null });
  return takesValue ? 1 : 0;
}

function takeShort(options: GivenOption[], word: string, next: string | undefined, valued: string): number {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    if (!valued.includes(letter)) {
      options.push({ name: `-${letter}`, value: null });
      continue;
    }
    const attached = word.slice(at + 1);
    options.push({ name: `-${letter}`, value: attached === "" ? (next ?? HOLE) : attached });
    return attached === "" ? 1 : 0;
  }
  return 0;
}

/** The values of an option in the order given. */
export function valuesOf(read: ReadOptions, ...names: readonly string[]): string[] {
  return read.options.flatMap(({ name, value }) => (names.includes(name) && value !== null ? [value] : []));
}

export function hasOption(read: ReadOptions, ...names: readonly string[]): boolean {
  return read.options.some(({ name }) => names.includes(name));
}
