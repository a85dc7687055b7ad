import { baseName } from "../core/path.ts";
import { clip } from "../core/text.ts";
import { type RootClass, ROOT_EQUIVALENT_PROGRAMS, type RootEquivalentProgram } from "../schema/root-equivalent.ts";
import { mayGiveOption } from "./command-option.ts";

export interface RootEquivalence {
  /** True: as root this gives a shell, another program, any file, code or rights beyond what it says. */
  readonly rootEquivalent: boolean;
  readonly classes: readonly RootClass[];
  readonly why: string;
}

/** No program has a longer name, and what follows is not linear in it. */
const MAX_NAME = 80;
const BY_NAME: ReadonlyMap<string, readonly RootEquivalentProgram[]> = indexByName(ROOT_EQUIVALENT_PROGRAMS.programs);

/**
 * What a command amounts to when root runs it, as far as the table knows. A program alone stands for
 * any use of it. Warns and never allows: an unknown program may be anything. Total.
 */
export function isRootEquivalent(argv: readonly string[]): RootEquivalence {
  const words = plainWords(argv);
  const [program, ...args] = words ?? [];
  if (program === undefined) {
    return { rootEquivalent: true, classes: [], why: "This is no command line, so the worst is assumed." };
  }
  const known = rootEquivalentEntries(program);
  const shown = clip(baseName(program), 60);
  if (known.length === 0) {
    return { rootEquivalent: false, classes: [], why: `Nothing is known about ${shown}; that is no proof of safety.` };
  }
  const hits = known.filter((entry) => args.length === 0 || applies(entry, args));
  if (hits.length === 0) {
    return { rootEquivalent: false, classes: [], why: `Nothing is known against ${shown} with these arguments.` };
  }
  const classes = [...new Set(hits.flatMap((entry) => entry.classes))];
  return {
    rootEquivalent: classes.some((each) => each !== "file-read"),
    classes,
    why: hits.map((entry) => entry.why).join(" "),
  };
}

/** True for programs that start the command their operands name, such as env or xargs. */
export function runsOperands(program: string): boolean {
  return rootEquivalentEntries(program).some((entry) => entry.runs_operands === true);
}

function applies(entry: RootEquivalentProgram, args: readonly string[]): boolean {
  if (entry.unless?.some((spelling) => args.includes(spelling)) === true) return false;
  return entry.when === undefined || entry.when.some((spelling) => args.some((arg) => isGiven(arg, spelling)));
}

function isGiven(arg: string, spelling: string): boolean {
  if (spelling.includes("*")) return isLike(arg, spelling);
  return arg === spelling || mayGiveOption(arg, spelling);
}

/** `pattern` has one or two *, each for any text. */
function isLike(text: string, pattern: string): boolean {
  const [head = "", ...tails] = pattern.split("*");
  if (!text.startsWith(head)) return false;
  const last = tails.pop() ?? "";
  let at = head.length;
  for (const part of tails) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

export function rootEquivalentEntries(program: string): readonly RootEquivalentProgram[] {
  for (const name of programNames(program)) {
    const entries = BY_NAME.get(name);
    if (entries !== undefined) return entries;
  }
  return [];
}

/** The names a program goes by, the most specific first: as it is, without flavour, without version; lower case. */
export function programNames(program: string): readonly string[] {
  const name = baseName(program).toLowerCase();
  if (name.length > MAX_NAME) return [name];
  // x86_64-linux-gnu-gcc-12, vim.basic, python3.11, perl5.36-x86_64-linux-gnu, qemu-system-x86_64.
  const bare = name
    .replace(/^[a-z0-9_]+-linux-[a-z0-9]+-/, "")
    .replace(/-(?:x86_64|aarch64|i386|arm\w*)(?:-linux-\w+)?$/, "");
  const flavourless = bare.replace(/(?<=[a-z])\.(?!so\b)[a-z][a-z0-9_-]*$/, "");
  return [...new Set([name, bare, flavourless, ...[name, bare, flavourless].map(withoutVersion)])];
}

function withoutVersion(name: string): string {
  return name.replace(/[-_.]?v?\d[\d._-]*$/, "");
}

function indexByName(
  programs: readonly RootEquivalentProgram[],
): ReadonlyMap<string, readonly RootEquivalentProgram[]> {
  const index = new Map<string, RootEquivalentProgram[]>();
  for (const program of programs) {
    for (const name of program.names) {
      const key = name.toLowerCase();
      index.set(key, [...(index.get(key) ?? []), program]);
    }
  }
  return index;
}

function plainWords(argv: unknown): readonly string[] | null {
  try {
    if (!Array.isArray(argv)) return null;
    const words: unknown[] = Array.from(argv);
    return words.every((word) => typeof word === "string") ? words : null;
  } catch {
    // A list that cannot be read, such as a revoked proxy.
    return null;
  }
}
