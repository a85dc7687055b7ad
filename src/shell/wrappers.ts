import { putInEnvironment } from "./environment-table.ts";
import { type Call, within } from "./machine.ts";
import { hasOption, readOptions, valuesOf } from "./options.ts";
import { assign, subshell } from "./scope.ts";
import { runShell } from "./shells.ts";
import { type Wrapper, WRAPPERS } from "./wrapper-table.ts";
import { HOLE, literally } from "./marks.ts";

/** Follows a program of the table to the command that its operands name. */
export function runWrapper(call: Call): string {
  const spec = WRAPPERS[call.name];
  if (spec === undefined) return "";
  return followWrapper(call, spec);
}

function followWrapper({ machine, frame, name, args }: Call, spec: Wrapper): string {
  const rest = spec.after === undefined ? args : wordsAfter(args, spec.after);
  if (rest === null) return HOLE;
  const read = readOptions(rest, spec);
  const inner = within(frame, name);
  let printed = "";
  for (const code of valuesOf(read, ...(spec.code ?? []))) printed = machine.runText(code, inner);
  if (spec.code !== undefined && hasOption(read, ...spec.code) && spec.isShellText !== true) return printed;
  const operands = afterDashes(read.operands.slice(spec.skip ?? 0));
  // `flock file -c text`: the option comes after what is skipped.
  if (spec.code?.includes(operands[0] ?? "") === true) return machine.runText(operands.slice(1).join(" "), inner);
  if (operands.length === 0)
    return spec.startsShell === true ? runShell({ machine, frame: inner, name: "sh", args: [] }) : printed;
  if (spec.isShellText === true) return machine.runText(shellText(operands, spec), inner);
  if (spec.takesAssignments === true) return runWithAssignments({ machine, frame: inner, name, args: operands });
  return machine.runWords(operands, inner);
}

/** Programs whose operands are whole commands, each for itself, permute; the others join theirs. */
function shellText(operands: readonly string[], { isPermuted }: Wrapper): string {
  return operands.join(isPermuted === true ? "\n" : " ");
}

function afterDashes(words: readonly string[]): readonly string[] {
  return words[0] === "--" ? words.slice(1) : words;
}

function wordsAfter(args: readonly string[], marks: readonly string[]): readonly string[] | null {
  const at = args.findIndex((arg) => marks.includes(arg));
  return at === -1 ? null : args.slice(at + 1);
}

/** `NAME=value ... command`, as env takes it. */
export function runWithAssignments({ machine, frame, args }: Call): string {
  const start = args.findIndex((arg) => !/^[^=/\s]+=/.test(arg));
  const assignments = start === -1 ? args : args.slice(0, start);
  if (start === -1) return "";
  const scope = subshell(frame.scope);
  for (const assignment of assignments) {
    const equals = assignment.indexOf("=");
    const name = assignment.slice(0, equals);
    const value = literally(assignment.slice(equals + 1));
    assign(scope, name, [value]);
    putInEnvironment(machine, scope, name);
    // An exported function comes to the next shell as a variable.
    const exported = /^BASH_FUNC_(.+?)(?:%%|\(\))$/.exec(name);
    if (exported !== null) machine.runText(`${exported[1] ?? ""} ${value}`, { ...frame, scope });
  }
  return machine.runWords(args.slice(start), { ...frame, scope });
}
