import type { Assignment, Command, Word } from "unbash";
import { putInEnvironment } from "./environment-table.ts";
import { foldFields, type Folding, foldText } from "./fold-word.ts";
import type { Frame, Machine } from "./machine.ts";
import { HOLE, literally } from "./marks.ts";
import { foldRedirects, type ReadRedirects, readRedirects, writeOutput } from "./redirects.ts";
import { assign, findVariable, lookup, type Scope, subshell } from "./scope.ts";

/** Builtins whose `name=value` words are assignments. */
const DECLARES: ReadonlySet<string> = new Set(["export", "declare", "typeset", "local", "readonly"]);

type Assigned = readonly [name: string, value: string];

/** Runs one simple command; gives back what it prints to the next in the pipe. */
export function runCommand(machine: Machine, node: Command, folding: Folding, frame: Frame): string {
  const read = readRedirects(machine, foldRedirects(folding, node.redirects), frame);
  const words = node.name === undefined ? [] : foldFields(folding, node.name);
  const isDeclaring = DECLARES.has(words[0] ?? "");
  for (const argument of node.args) {
    if (argument.type === "Word") words.push(...foldFields(folding, argument));
    else if (isDeclaring) words.push(declared(folding, argument));
    else words.push(assignmentText(folding, argument));
  }
  const isBare = words.length === 0;
  // `NAME=value command` sets it for the command only.
  const scope = isBare || node.prefix.length === 0 ? frame.scope : commandScope(frame.scope);
  const assignments: Assigned[] = [];
  for (const prefix of node.prefix) {
    if (prefix.type !== "Assignment") continue;
    const value = assignTo({ ...folding, scope }, prefix);
    assignments.push([prefix.name, value]);
    if (!isBare) putInEnvironment(machine, scope, prefix.name);
  }
  machine.commands.push({
    words,
    assignments,
    redirects: read.redirects,
    via: frame.via,
    cwd: frame.scope.cwd,
    stdin: read.stdin,
  });
  if (isBare) return writeOutput(machine, read, "");
  const printed = machine.execute(words, {
    ...frame,
    scope,
    stdin: read.stdin ?? lookup(scope, "descriptors", 0) ?? null,
  });
  leaveCommand(frame.scope, scope, words);
  if (words[0] === "exec" && words.length === 1) keepStdin(frame.scope, read);
  return writeOutput(machine, read, printed);
}

/** `exec 0<file` and the like change the shell's own input. */
function keepStdin(scope: Scope, read: ReadRedirects): void {
  if (read.stdin !== null) scope.descriptors.set(0, read.stdin);
}

/** The prefix assignments are the command's own; all else that it changes (a function, `cd`) is the shell's. */
function commandScope(parent: Scope): Scope {
  const scope = subshell(parent);
  return {
    ...scope,
    functions: parent.functions,
    aliases: parent.aliases,
    hashed: parent.hashed,
    descriptors: parent.descriptors,
  };
}

function leaveCommand(outer: Scope, inner: Scope, words: readonly string[]): void {
  outer.lastWord = words.at(-1) ?? "";
  if (inner === outer) return;
  outer.cwd = inner.cwd;
  outer.positional = inner.positional;
  // `IFS= read x` sets x in the shell.
  if (words[0] !== "read" && words[0] !== "mapfile" && words[0] !== "eval") return;
  for (const [name, variable] of inner.variables) if (!variable.isExported) outer.variables.set(name, variable);
}

function assignTo(folding: Folding, { name, value, append, index }: Assignment): string {
  const { scope } = folding;
  if (value.type === "ArrayValue") {
    assignArray(folding, name, value.elements, append === true);
    return HOLE;
  }
  const text = literally(foldText(folding, value));
  const before = findVariable(scope, name)?.values[0] ?? [];
  if (index === undefined) {
    // A subscript with a substitution is text that only arithmetic, now or later, makes something of.
    if (/^\w+\[[^\]]*(?:\$\(|`)/.test(text)) folding.arithmeticText(text);
    const all = append === true ? [(before[0] ?? "") + text, ...before.slice(1)] : [text];
    assign(scope, name, all);
    return all[0] ?? "";
  }
  assignElement(folding, { name, key: literally(foldText(folding, index)), text, before });
  return text;
}

function assignElement(
  folding: Folding,
  { name, key, text, before }: { name: string; key: string; text: string; before: readonly string[] },
): void {
  const { scope } = folding;
  folding.arithmeticText(key);
  // The tables of hashed programs and aliases can be written like any other.
  if (name === "BASH_CMDS") scope.hashed.set(key, text);
  if (name === "BASH_ALIASES") scope.aliases.set(key, text);
  if (/^\d{1,3}$/.test(key)) {
    const list = [...before];
    while (list.length < Number(key)) list.push("");
    list[Number(key)] = text;
    assign(scope, name, list);
  } else {
    assign(scope, `${name}[${key}]`, [text]);
    assign(scope, name, [...before, text]);
  }
}

function assignArray(folding: Folding, name: string, elements: readonly Word[], isAppended: boolean): void {
  const before = isAppended ? (findVariable(folding.scope, name)?.values[0] ?? []) : [];
  const list = [...before];
  for (const element of elements) {
    const keyed = /^\[([^\]]*)\]=/.exec(element.text);
    if (keyed === null) {
      list.push(...foldFields(folding, element).map((field) => literally(field)));
      continue;
    }
    const text = literally(foldText(folding, element));
    const value = text.slice(text.indexOf("]=") + 2);
    assignElement(folding, { name, key: text.slice(1, text.indexOf("]=")), text: value, before: [] });
    list.push(value);
  }
  assign(folding.scope, name, list);
}

/** A word of `declare`, which has taken effect already. */
function declared(folding: Folding, assignment: Assignment): string {
  const value = assignTo(folding, assignment);
  return `${assignment.name}=${value}`;
}

function assignmentText(folding: Folding, { name, value, append, index }: Assignment): string {
  const key = index === undefined ? "" : `[${foldText(folding, index)}]`;
  const text = value.type === "ArrayValue" ? HOLE : foldText(folding, value);
  return `${name}${key}${append === true ? "+=" : "="}${text}`;
}
