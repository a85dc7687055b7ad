import { parse, type Word } from "unbash";
import { assertDepth, createBudget, spend, spendOnText, WorkLimitReached } from "./budget.ts";
import type { FoundCode, FoundCommand, FoundElevation, Frame, Machine, MadeFile } from "./machine.ts";
import { HOLE, withoutMarks } from "./marks.ts";
import { recordAndRun, runWords } from "./run-words.ts";
import { createScope } from "./scope.ts";
import { suspect } from "./suspicion.ts";
import { walkFunction, walkScript } from "./walk.ts";

export interface ReadOptions {
  readonly dialect?: "bash" | "sh";
  /** The home folder of whoever runs the text; not known when left out. */
  readonly home?: string;
  readonly cwd?: string;
}

/** Everything that a text would do, as far as it can be read. Words carry the marks of marks.ts. */
export interface Reading {
  readonly commands: readonly FoundCommand[];
  readonly elevations: readonly FoundElevation[];
  readonly codes: readonly FoundCode[];
  readonly opaque: readonly string[];
  /** Variables that are read and come from outside. */
  readonly outsideVariables: ReadonlySet<string>;
  /** Steps of work; linear in the length of the text. */
  readonly work: number;
}

/** The parser holds every here-document of a line in a list that it walks for each, so many on one line are slow. */
const MAX_HEREDOCS_OF_LINE = 100;
const MAX_NESTING = 60;
const MAX_TEXT = 4_000_000;

/** Reads a text without running it. Never throws; what is too much to follow is said in `opaque`. */
export function interpret(text: string, options: ReadOptions = {}): Reading {
  const machine = createMachine(options.dialect ?? "bash");
  const scope = createScope(options.home ?? null);
  scope.cwd = options.cwd ?? HOLE;
  const frame: Frame = { scope, stdin: null, via: [], depth: 0, rounds: 1, bypassed: null };
  try {
    machine.runText(withoutMarks(text), frame);
    if (machine.elevations.length === 0 && machine.opaque.size === 0) suspect(machine);
  } catch (thrown) {
    // Whatever goes wrong here must not let a text pass: a stack that is too deep, a limit, a bug.
    machine.opaque.add(thrown instanceof WorkLimitReached ? thrown.message : "it cannot be read");
  }
  return {
    commands: machine.commands,
    elevations: machine.elevations,
    codes: machine.codes,
    opaque: [...machine.opaque],
    outsideVariables: machine.outsideVariables,
    work: machine.budget.used,
  };
}

function createMachine(dialect: "bash" | "sh"): Machine {
  const commands: FoundCommand[] = [];
  const elevations: FoundElevation[] = [];
  const codes: FoundCode[] = [];
  const opaque = new Set<string>();
  const machine: Machine = {
    budget: createBudget(),
    dialect,
    commands,
    elevations,
    codes,
    opaque,
    files: new Map<string, MadeFile>(),
    written: [],
    functions: new Set(),
    gitConfig: [],
    riskyVariables: new Set(),
    outsideVariables: new Set(),
    parse: (text) => parseWords(machine, text),
    runText: (text, frame) => runText(machine, text, frame),
    runWords: (words, frame) => recordAndRun(machine, words, frame),
    execute: (words, frame) => runWords(machine, words, frame),
    runFunction: (body, frame) => walkFunction(machine, body, frame),
  };
  return machine;
}

function runText(machine: Machine, text: string, frame: Frame): string {
  assertDepth(frame.depth);
  spendOnText(machine.budget, text.length);
  assertReadable(text);
  const script = parse(text);
  const printed = walkScript(machine, script, { ...frame, depth: frame.depth + 1 });
  // The shell would refuse the text from there on, or read it in another way than it was read here.
  if (script.errors !== undefined && script.errors.length > 0)
    machine.opaque.add("a part of it is no shell text that can be read");
  return printed;
}

/** The words of a text as the arguments of one command. */
function parseWords(machine: Machine, text: string): readonly Word[] {
  spendOnText(machine.budget, text.length);
  spend(machine.budget, 1);
  const [statement] = parse(`: ${text}`).commands;
  if (statement?.command.type !== "Command") return [];
  return statement.command.args.filter((argument) => argument.type === "Word");
}

/** The parser reads what is nested once more for each level, so the levels are counted first, quotes or not. */
function assertNesting(text: string): void {
  let depth = 0;
  for (const match of text.matchAll(/[$<>][({]|\(\(|[)}]/g)) {
    depth = match[0].length > 1 ? depth + 1 : Math.max(0, depth - 1);
    if (depth > MAX_NESTING) throw new WorkLimitReached("it is nested too deeply to be followed");
  }
}

function assertReadable(text: string): void {
  if (text.length > MAX_TEXT) throw new WorkLimitReached("it is too long to be followed");
  if (text.length > MAX_NESTING) assertNesting(text);
  if (!text.includes("<<")) return;
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 10) count = 0;
    else if (char === 60 && text.charCodeAt(at + 1) === 60) {
      count += 1;
      at += 1;
      if (count > MAX_HEREDOCS_OF_LINE) throw new WorkLimitReached("it has too many here-documents in one line");
    }
  }
}
