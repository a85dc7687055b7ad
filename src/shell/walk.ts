import type {
  ArithmeticExpression,
  AndOr,
  Case,
  Command,
  CommandNode,
  CompoundList,
  Coproc,
  For,
  Pipeline,
  PipelineNode,
  Script,
  Select,
  Statement,
  TestExpression,
} from "unbash";
import { assertDepth, spend, spendOnText } from "./budget.ts";
import { evaluate, foldFields, type Folding, foldText, type Pass } from "./fold-word.ts";
import type { FoundRedirect, Frame, Machine } from "./machine.ts";
import { bounded, HOLE, isKnown, literally } from "./marks.ts";
import { foldRedirects, readRedirects, writeOutput } from "./redirects.ts";
import { assign, assignAny, type Scope, subshell } from "./scope.ts";
import { runCommand } from "./simple-command.ts";

/** A loop over a known list is walked once for each of so many words, where its body can tell them apart. */
const MAX_ROUNDS = 12;
/** A subshell costs as much as so many characters. */
const FORK_CHARS = 200;

/** Runs a script in its frame; gives back what it prints. */
export function walkScript(machine: Machine, script: Pick<Script, "commands">, frame: Frame): string {
  return walkStatements(machine, script.commands, frame);
}

function walkStatements(machine: Machine, statements: readonly Statement[], frame: Frame): string {
  assertDepth(frame.depth);
  let printed = "";
  for (const { command } of statements) printed = joined(printed, walkPipelineNode(machine, command, frame));
  return printed;
}

function joined(before: string, more: string): string {
  return before === "" ? more : more === "" ? before : bounded(before + more);
}

function walkPipelineNode(machine: Machine, node: PipelineNode | AndOr, frame: Frame): string {
  if (node.type === "AndOr") return walkAndOr(machine, node, frame);
  if (node.type === "Pipeline") return walkPipeline(machine, node, frame);
  return walkCommand(machine, node, frame);
}

/** What follows `&&` runs only if what came before it succeeds, so an earlier value stays possible after it. */
function walkAndOr(machine: Machine, { commands }: AndOr, frame: Frame): string {
  const [first, ...rest] = commands;
  let printed = first === undefined ? "" : walkPipelineNode(machine, first, frame);
  frame.scope.conditions += 1;
  for (const command of rest) printed = joined(printed, walkPipelineNode(machine, command, frame));
  frame.scope.conditions -= 1;
  return printed;
}

function walkPipeline(machine: Machine, { commands }: Pipeline, frame: Frame): string {
  if (commands.length === 1) {
    const [only] = commands;
    return only === undefined ? "" : walkPipelineNode(machine, only, frame);
  }
  let { stdin } = frame;
  for (const command of commands) {
    const scope = subshell(frame.scope);
    stdin = walkCommand(machine, command, { ...frame, scope, stdin, depth: frame.depth + 1 });
  }
  return stdin ?? HOLE;
}

/** Any command that is not itself a list of commands. */
function walkCommand(machine: Machine, node: CommandNode, frame: Frame): string {
  spend(machine.budget, 1);
  assertDepth(frame.depth);
  const inner: Frame = { ...frame, depth: frame.depth + 1 };
  const { scope } = frame;
  switch (node.type) {
    case "Command":
      return walkSimple(machine, node, inner);
    case "Redirected": {
      const folding = foldingOf(machine, frame);
      const read = readRedirects(machine, foldRedirects(folding, node.redirects), inner);
      recordRedirects(machine, read.redirects, frame);
      return writeOutput(machine, read, walkCommand(machine, node.command, { ...inner, stdin: read.stdin }));
    }
    case "BraceGroup":
      return walkList(machine, node.body, inner);
    case "Subshell":
      return walkList(machine, node.body, { ...inner, scope: subshell(scope) });
    case "If": {
      let printed = walkList(machine, node.clause, inner);
      const branches = [node.then, ...node.elif.flatMap((each) => [each.clause, each.then])];
      for (const branch of branches) printed = joined(printed, conditionally(machine, branch, inner));
      return node.else === undefined ? printed : joined(printed, conditionally(machine, node.else, inner));
    }
    case "While":
      return joined(walkList(machine, node.clause, inner), conditionally(machine, node.body, inner));
    case "For":
    case "Select":
      return walkLoop(machine, node, inner);
    case "ArithmeticFor":
      for (const part of [node.initialize, node.test, node.update])
        if (part !== undefined) number(machine, part, frame);
      return conditionally(machine, node.body, inner);
    case "Case":
      return walkCase(machine, node, inner);
    case "TestCommand":
      walkTest(machine, node.expression, inner);
      return "";
    case "ArithmeticCommand":
      if (node.expression !== undefined) number(machine, node.expression, frame);
      return "";
    case "Function":
      scope.functions.set(node.name.value, node.body);
      machine.functions.add(node.name.value);
      return "";
    case "Coproc":
      return walkCoproc(machine, node, inner);
  }
}

function walkList(machine: Machine, list: CompoundList, frame: Frame): string {
  return walkStatements(machine, list.commands, frame);
}

function conditionally(machine: Machine, list: CompoundList, frame: Frame): string {
  frame.scope.conditions += 1;
  const printed = walkList(machine, list, frame);
  frame.scope.conditions -= 1;
  return printed;
}

function walkLoop(machine: Machine, node: For | Select, frame: Frame): string {
  const { scope } = frame;
  const name = node.name.value;
  const folding = foldingOf(machine, frame);
  const items = node.wordlist?.flatMap((word) => foldFields(folding, word)) ?? scope.positional.slice(1);
  const rounds = frame.rounds * items.length;
  const isFollowed = items.length > 0 && rounds <= MAX_ROUNDS && items.every((item) => isKnown(item));
  // Where the rounds would multiply, the variable holds any of the items at once.
  if (!isFollowed || node.type === "Select") {
    assignAny(scope, name, items.length === 0 ? [HOLE] : items.map((item) => literally(item)));
    return conditionally(machine, node.body, frame);
  }
  let printed = "";
  for (const item of items) {
    assign(scope, name, [literally(item)]);
    printed = joined(printed, walkList(machine, node.body, { ...frame, rounds }));
  }
  return printed;
}

/** Each branch is walked; for a subject of several values that is what matters. */
function walkCase(machine: Machine, { word, items }: Case, frame: Frame): string {
  const folding = foldingOf(machine, frame);
  foldText(folding, word);
  let printed = "";
  for (const { pattern, body } of items) {
    for (const each of pattern) foldText(folding, each);
    printed = joined(printed, conditionally(machine, body, frame));
  }
  return printed;
}

/** What is written to a coprocess comes through a descriptor that is not followed. */
function walkCoproc(machine: Machine, { body }: Coproc, frame: Frame): string {
  const inner: Frame = { ...frame, scope: subshell(frame.scope), stdin: HOLE };
  if (body.type === "CompoundList") walkList(machine, body, inner);
  else walkCommand(machine, body, inner);
  return "";
}

function walkTest(machine: Machine, node: TestExpression, frame: Frame): void {
  assertDepth(frame.depth);
  const folding = foldingOf(machine, frame);
  switch (node.type) {
    case "TestUnary": {
      const operand = foldText(folding, node.operand);
      // `-v name[subscript]` and `-R` evaluate the subscript.
      if (node.operator === "-v" || node.operator === "-R") folding.arithmeticText(operand);
      return;
    }
    case "TestBinary":
      for (const side of [foldText(folding, node.left), foldText(folding, node.right)]) {
        if (/^-(?:eq|ne|lt|le|gt|ge)$/.test(node.operator)) evaluateHeld(folding, side);
      }
      return;
    case "TestLogical":
      for (const operand of node.operands) walkTest(machine, operand, { ...frame, depth: frame.depth + 1 });
      return;
    case "TestNot":
      walkTest(machine, node.operand, { ...frame, depth: frame.depth + 1 });
      return;
    case "TestGroup":
      walkTest(machine, node.expression, { ...frame, depth: frame.depth + 1 });
      return;
  }
}

function evaluateHeld(folding: Folding, text: string): void {
  if (/^[A-Za-z_]\w*$/.test(text))
    folding.parse(`"\${${text}}"`).forEach((word) => folding.arithmeticText(foldText(folding, word)));
  else folding.arithmeticText(text);
}

function number(machine: Machine, expression: ArithmeticExpression, frame: Frame): void {
  evaluate(foldingOf(machine, frame), expression);
}

/** One simple command, once for each set of values that its variables may hold. */
function walkSimple(machine: Machine, node: Command, frame: Frame): string {
  const pass: { index: number; width: number } = { index: 0, width: 1 };
  let printed = "";
  for (; pass.index < Math.min(pass.width, MAX_ROUNDS); pass.index += 1) {
    printed = joined(printed, runCommand(machine, node, foldingOf(machine, frame, pass), frame));
  }
  return printed;
}

function recordRedirects(machine: Machine, redirects: readonly FoundRedirect[], frame: Frame): void {
  if (redirects.length === 0) return;
  machine.commands.push({ words: [], assignments: [], redirects, via: frame.via, cwd: frame.scope.cwd, stdin: null });
}

/** Folding in a frame: substitutions run in a subshell of it. */
function foldingOf(machine: Machine, frame: Frame, pass: Pass = { index: 0, width: 1 }): Folding {
  const { scope } = frame;
  return {
    scope,
    pass,
    spend: (steps) => spend(machine.budget, steps),
    readOutside: (name) => void machine.outsideVariables.add(name),
    parse: machine.parse,
    capture: (script, chars) => {
      if (script === undefined) return HOLE;
      spendOnText(machine.budget, chars + FORK_CHARS);
      return captureScript(machine, script, frame, scope);
    },
    processFile: (part) => {
      if (part.script === undefined) return HOLE;
      spendOnText(machine.budget, part.end - part.pos + FORK_CHARS);
      const isFed = part.operator === ">";
      const inner: Frame = {
        ...frame,
        scope: subshell(scope),
        stdin: isFed ? HOLE : frame.stdin,
        depth: frame.depth + 1,
      };
      const printed = walkScript(machine, part.script, inner);
      const path = `/dev/fd/${isFed ? "to" : "from"}-${machine.files.size}`;
      if (!isFed) machine.files.set(path, { kind: "text", text: printed });
      return path;
    },
    arithmeticText: (text) => {
      if (!/\$\(|`/.test(text)) return;
      machine.runText(`(( ${text} ))`, { ...frame, scope: subshell(scope), depth: frame.depth + 1 });
    },
  };
}

function captureScript(machine: Machine, script: Script, frame: Frame, scope: Scope): string {
  const [only] = script.commands;
  const { command } = only ?? {};
  // `$(< file)` prints the file.
  if (
    script.commands.length === 1 &&
    command?.type === "Command" &&
    command.name === undefined &&
    command.redirects.length > 0
  ) {
    const inner: Frame = { ...frame, scope: subshell(scope), depth: frame.depth + 1 };
    const folded = foldRedirects(foldingOf(machine, inner), command.redirects);
    return readRedirects(machine, folded, inner).stdin ?? HOLE;
  }
  return walkScript(machine, script, {
    ...frame,
    scope: subshell(scope),
    via: [...frame.via, "$(...)"],
    depth: frame.depth + 1,
  });
}

/** The body of a function, with its own positional parameters. */
export function walkFunction(machine: Machine, body: Parameters<Machine["runFunction"]>[0], frame: Frame): string {
  assertDepth(frame.depth);
  if (body.type === "CompoundList") return walkList(machine, body, frame);
  return walkCommand(machine, body, frame);
}
