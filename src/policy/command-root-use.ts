import { baseName } from "../core/path.ts";
import { clip } from "../core/text.ts";
import type { ArgumentMatcher, CommandRule } from "../schema/command-policy.ts";
import { ROOT_EQUIVALENT_PROGRAMS, type RootEquivalentProgram } from "../schema/root-equivalent.ts";
import { compileArguments } from "./command-arguments.ts";
import { isRootEquivalent, rootEquivalentEntries } from "./root-equivalent.ts";

/** How an allow rule amounts to root. */
export interface RootUse {
  readonly kind: "allows-interpreter" | "root-equivalent";
  readonly message: string;
}

const FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin"] as const;

/** How names in the table look on disks, where they carry a version or a flavour. */
const VERSIONED = "python3 python2 python3.11 perl5.36 lua5.4 ruby3.1 php8.2 tclsh8.6 vim.basic vim.tiny nc.openbsd";

/** Command lines by which one program of the table amounts to root. */
export interface RootProbe {
  readonly name: string;
  readonly kind: RootUse["kind"];
  readonly lines: readonly string[];
}

/** The table as command lines, to hold many patterns against. Interpreters first. */
export function rootProbes(): readonly RootProbe[] {
  const names = [...ROOT_EQUIVALENT_PROGRAMS.programs.flatMap((entry) => entry.names), ...VERSIONED.split(" ")];
  const probes = [...new Set(names)].map((name): RootProbe => {
    const entries = rootEquivalentEntries(name).filter(isRoot);
    const tails = entries.flatMap(({ when }) => when?.map((word) => ` ${sampleOf(word)}`) ?? ["", " x"]);
    const lines = tails.flatMap((tail) => FOLDERS.map((folder) => `${folder}/${name}${tail}`));
    return { name, kind: kindOf(entries), lines };
  });
  return probes.sort((a, b) => Number(a.kind === "root-equivalent") - Number(b.kind === "root-equivalent"));
}

/** What a pattern lets through that amounts to root, the worst first; null when nothing is found. */
export function rootUseOfPattern(
  pattern: string,
  matches: (line: string) => boolean,
  probes: readonly RootProbe[],
): RootUse | null {
  const found = probes.find(({ lines }) => lines.some(matches));
  if (found !== undefined) return useOf(found.kind, found.name);
  // A pattern may spell out some words and leave open what follows them.
  const start = /^\^?((?:[A-Za-z0-9 /_,:=@-]|\\[.+-])*)/.exec(pattern)?.[1]?.replaceAll("\\", "") ?? "";
  const [program = ""] = start.split(" ", 1);
  const entries = rootEquivalentEntries(program).filter(isRoot);
  const words = ["x", ...entries.flatMap(({ when }) => when?.map(sampleOf) ?? [])];
  const isRisky = words
    .map((word) => start + word)
    .some((line) => matches(line) && isRootEquivalent(line.split(" ")).rootEquivalent);
  return isRisky ? useOf(kindOf(entries), program) : null;
}

/** Whether a program without arguments, as a pinned command, runs whatever it reads. */
export function rootUseOfBare(binary: string): RootUse | null {
  const kind = kindOf(rootEquivalentEntries(binary).filter(isRoot));
  return kind === "allows-interpreter" ? useOf(kind, binary) : null;
}

/**
 * Whether a structured allow rule lets its program do what amounts to root. A rule that fixes every
 * word is what its author meant, but for an interpreter without a program.
 */
export function rootUseOfRule(rule: CommandRule): RootUse | null {
  const entries = rootEquivalentEntries(rule.binary).filter(isRoot);
  if (entries.length === 0) return null;
  const kind = kindOf(entries);
  const { args } = rule;
  if (args === "any") {
    const words = rule.flags === null ? [] : ["x", ...rule.flags.required.flat(), ...rule.flags.optional];
    return isRootEquivalent([rule.binary, ...words]).rootEquivalent ? useOf(kind, rule.binary) : null;
  }
  if (args.length === 0) return rootUseOfBare(rule.binary);
  if (rule.flags === null && args.every((each) => each.kind === "literal")) return null;
  const { meets } = compileArguments({ ...rule, flags: null }, () => undefined);
  const spellings = entries.flatMap(({ when }) => (when ?? []).map(sampleOf));
  const sample = args.map((matcher) => sampleWord(matcher, spellings));
  const flags = rule.flags === null ? [] : [...rule.flags.required.flat(), ...rule.flags.optional];
  const variants = [
    sample,
    ...sample.flatMap((_, index) => spellings.map((spelling) => sample.toSpliced(index, 1, spelling))),
  ];
  const isRisky = variants.some(
    (words) => meets(words) && isRootEquivalent([rule.binary, ...flags, ...words]).rootEquivalent,
  );
  return isRisky ? useOf(kind, rule.binary) : null;
}

function isRoot(entry: RootEquivalentProgram): boolean {
  return entry.classes.some((each) => each !== "file-read");
}

/** A word that meets the matcher, if one is easily found. */
function sampleWord(matcher: ArgumentMatcher, spellings: readonly string[]): string {
  switch (matcher.kind) {
    case "literal":
      return matcher.text;
    case "one-of":
      return matcher.texts.find((text) => spellings.includes(text)) ?? matcher.texts[0] ?? "";
    case "path-under":
      return `${matcher.folder}/x`;
    case "regex":
      return "x";
    case "rest":
      return matcher.each === "any" ? "x" : sampleWord(matcher.each, spellings);
  }
}

/** A word for a spelling of the table, which may hold *. */
function sampleOf(spelling: string): string {
  return spelling.replaceAll("*", "x");
}

/** Shells, and programs that start what they are told or change who one is, are interpreters. */
function kindOf(entries: readonly RootEquivalentProgram[]): RootUse["kind"] {
  const isInterpreter = entries.some(
    ({ classes, when, runs_operands }) => when === undefined && (classes.includes("shell") || runs_operands === true),
  );
  return isInterpreter ? "allows-interpreter" : "root-equivalent";
}

function useOf(kind: RootUse["kind"], program: string): RootUse {
  const name = clip(program.startsWith("/") ? program : baseName(program), 120);
  const { classes } = isRootEquivalent([program]);
  const message =
    kind === "allows-interpreter"
      ? `It allows ${name}, which runs whatever it is given.`
      : `It allows ${name} in a way that amounts to root (${classes.join(", ")}).`;
  return { kind, message };
}
