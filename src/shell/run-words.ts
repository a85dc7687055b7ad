import { assertDepth, spend } from "./budget.ts";
import { BUILTINS } from "./builtins.ts";
import { CARRIERS } from "./carriers.ts";
import { commandUnder, elevation, ELEVATOR_NAMES, isElevatorName } from "./elevators.ts";
import { followEnvironment } from "./environment.ts";
import { programsMatching } from "./glob.ts";
import { INTERPRETERS } from "./interpreters.ts";
import { resolvePath } from "./made-files.ts";
import { type Call, type Frame, type Handler, type Machine, within } from "./machine.ts";
import { EMITTED, hasWildcard, HOLE, isKnown, literally, withWildcards } from "./marks.ts";
import { isOrdinary } from "./ordinary.ts";
import { OUTPUTS } from "./outputs.ts";
import { findVariable, lookup } from "./scope.ts";
import { quoteWord } from "./quote-word.ts";
import { SHELLS } from "./shells.ts";
import { STARTERS } from "./starters.ts";
import { WRAPPERS } from "./wrapper-table.ts";
import { runWrapper } from "./wrappers.ts";

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ...Object.keys(WRAPPERS).map((name): [string, Handler] => [name, runWrapper]),
  ...Object.entries(CARRIERS),
  ...Object.entries(STARTERS),
  ...Object.entries(INTERPRETERS),
  ...Object.entries(SHELLS),
  ...Object.entries(BUILTINS),
]);

/** What a word with wildcards in command position may stand for. */
const NAMES_OF_INTEREST: readonly string[] = [
  ...ELEVATOR_NAMES,
  ...Object.keys(SHELLS),
  "env",
  "xargs",
  "find",
  "nohup",
  "nice",
  "timeout",
  "setsid",
  "stdbuf",
  "time",
  "script",
  "busybox",
  "python3",
  "python",
  "perl",
];

/** A command started by another one: recorded, then followed. */
export function recordAndRun(machine: Machine, words: readonly string[], frame: Frame): string {
  if (words.length === 0) return "";
  machine.commands.push({
    words,
    assignments: [],
    redirects: [],
    via: frame.via,
    cwd: frame.scope.cwd,
    stdin: frame.stdin,
  });
  return runWords(machine, words, frame);
}

/** Follows one command, by its words; gives back what it prints. */
export function runWords(machine: Machine, words: readonly string[], frame: Frame): string {
  spend(machine.budget, 1 + words.length);
  assertDepth(frame.depth);
  const [written = "", ...args] = words;
  if (written === "") return "";
  const names = resolveProgram(machine, written, frame);
  if (names === null) {
    machine.opaque.add("the name of a program is known only when it runs");
    return HOLE;
  }
  let printed = HOLE;
  for (const name of names) printed = runNamed(machine, { machine, frame, name, args }, words);
  return printed;
}

/** The base names that a command word may stand for; null where it may be anything. */
function resolveProgram(machine: Machine, written: string, frame: Frame): readonly string[] | null {
  const { scope } = frame;
  if (written === EMITTED) return [];
  // In zsh `=name` is the path of name.
  if (/^=[a-z]/.test(written)) return resolveProgram(machine, written.slice(1), frame);
  // A pattern that came through a list or a pipe stands for what it was replaced by there.
  if (/^[^*?[]*\/[^/]*[*?[]/.test(written) && isKnown(written)) {
    const matches = programsMatching(withWildcards(written), scope.cwd, ELEVATOR_NAMES);
    if (matches.length > 0) return matches.slice(0, 4);
  }
  if (hasWildcard(written) || !isKnown(written)) {
    const matches = programsMatching(written, scope.cwd, NAMES_OF_INTEREST);
    const base = written.slice(written.lastIndexOf("/") + 1);
    if (isKnown(base) && !hasWildcard(base) && !written.startsWith("=")) return [base];
    if (!isKnown(base)) return base.replaceAll(HOLE, "").length > 1 && matches.length === 0 ? [literally(base)] : null;
    return matches.length > 0 ? matches.slice(0, 4) : [literally(base)];
  }
  const hashed = lookup(scope, "hashed", written);
  const target = hashed ?? madeProgram(machine, written, frame) ?? written;
  return [target.slice(target.lastIndexOf("/") + 1)];
}

/** A link or copy that the text made, under the path or, where it also set PATH, the name by which it is called. */
function madeProgram(machine: Machine, written: string, frame: Frame): string | null {
  if (machine.files.size === 0) return null;
  if (written.includes("/")) {
    const made = machine.files.get(resolvePath(frame.scope.cwd, written));
    return made?.kind === "program" ? made.target : null;
  }
  if (findVariable(frame.scope, "PATH") === undefined) return null;
  for (const [path, made] of machine.files) {
    if (made.kind === "program" && path.endsWith(`/${written}`)) return made.target;
  }
  return null;
}

function runNamed(machine: Machine, call: Call, words: readonly string[]): string {
  const { frame, name, args } = call;
  const { scope } = frame;
  const [written = ""] = words;
  if (written !== frame.bypassed) {
    const body = lookup(scope, "functions", written);
    if (body !== undefined) return runFunction(machine, call, body);
    const alias = lookup(scope, "aliases", written);
    if (alias !== undefined) return runAlias(machine, alias, call);
  }
  const found = elevation(name, args);
  if (found !== null) {
    machine.elevations.push({ program: name, words, via: frame.via, why: found.why });
    const inner = commandUnder(name, args);
    // Read for what it touches; that it elevates is known.
    if (inner.length > 0) machine.runWords(inner, within(frame, name));
    return HOLE;
  }
  runMadeScript(machine, written, frame);
  followEnvironment(call);
  const handler = HANDLERS.get(name);
  const output = Object.hasOwn(OUTPUTS, name) ? OUTPUTS[name] : undefined;
  if (handler !== undefined || output !== undefined) {
    const printed = handler?.(call) ?? HOLE;
    return printed === HOLE ? (output?.(call) ?? HOLE) : printed;
  }
  if (!isOrdinary(name)) {
    if (lookup(scope, "functions", "command_not_found_handle") !== undefined) {
      machine.runWords(["command_not_found_handle", ...words], within(frame, "command_not_found_handle"));
    }
    suspectOperands(machine, call);
  }
  return HOLE;
}

function runFunction(machine: Machine, { frame, args }: Call, body: Parameters<Machine["runFunction"]>[0]): string {
  const { scope } = frame;
  const before = scope.positional;
  scope.positional = ["bash", ...args];
  const printed = machine.runFunction(body, { ...frame, depth: frame.depth + 4 });
  scope.positional = before;
  return printed;
}

/** The rest of the line belongs to the alias; its own name in it is not replaced again. */
function runAlias(machine: Machine, alias: string, { frame, args, name }: Call): string {
  const text = [alias, ...args.map((arg) => quoteWord(arg))].join(" ");
  return machine.runText(text, within(frame, `alias ${name}`, { bypassed: name }));
}

/** A script that the text itself wrote and then starts by its path. */
function runMadeScript(machine: Machine, written: string, frame: Frame): void {
  if (!written.includes("/") && findVariable(frame.scope, "PATH") === undefined) return;
  const made = machine.files.get(resolvePath(frame.scope.cwd, written));
  // A script whose interpreter starts it again comes to an end here.
  if (made?.kind !== "text" || frame.via.includes(written)) return;
  const shebang = /^#!\s*(\S+)(?:[ \t]+(\S+))?/.exec(made.text);
  const program = shebang?.[1] ?? "/bin/sh";
  const words = program.endsWith("/env") && shebang?.[2] !== undefined ? [shebang[2], written] : [program, written];
  if (made.text === "" || words.some((word) => word === undefined)) return;
  machine.runWords(words, within(frame, written));
}

/** A word that names an elevator, with something to run after it. */
const ELEVATING_TEXT = /^(?:\S*\/)?(?:sudo|doas|pkexec|run0|su|sudoedit)\s+\S/;
const CODE_OPTION = /^(?:-[cexX]|--?(?:c|e|exec|command|cmd|run|shell|execute))$/;

/** A program that is not known may start what it is given. */
function suspectOperands(machine: Machine, { name, args }: Call): void {
  const start = args.findIndex((arg) => !arg.startsWith("-"));
  const first = args[start] ?? "";
  const afterDashes = args[args.indexOf("--") + 1] ?? "";
  const isElevator = (word: string): boolean => isElevatorName(word.slice(word.lastIndexOf("/") + 1));
  const suspects =
    (isElevator(first) && start + 1 < args.length) ||
    (args.includes("--") && isElevator(afterDashes)) ||
    args.some((arg, at) => ELEVATING_TEXT.test(arg) && (at === start || CODE_OPTION.test(args[at - 1] ?? ""))) ||
    args.some((arg, at) => CODE_OPTION.test(arg) && isElevator(args[at + 1] ?? ""));
  if (suspects) machine.opaque.add(`${literally(name)} is not known here and is given the name of an elevator`);
}
