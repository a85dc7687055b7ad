import { readArguments, readConstants } from "./code-literals.ts";
import { blankStrings } from "./inline-code.ts";
import { type Call, within } from "./machine.ts";
import { HOLE, isKnown, literally, ON_DISK } from "./marks.ts";
import { readOptions, valuesOf } from "./options.ts";
import { spendOnText } from "./budget.ts";
import { contentOf } from "./redirects.ts";

/** awk runs what is given to `system`, and each end of a pipe to or from a string. */
export function runAwk(call: Call): string {
  const { machine, frame, args } = call;
  const read = readOptions(args, {
    short: "FvfeiElW",
    long: ["field-separator", "assign", "file", "source", "include", "load", "exec"],
  });
  const files = valuesOf(read, "-f", "--file", "-E", "--exec", "-i").map((file) => contentOf(machine, file, frame));
  const programs = [...valuesOf(read, "-e", "--source"), ...files];
  const operands = programs.length === 0 ? read.operands.slice(1) : read.operands;
  if (programs.length === 0) programs.push(read.operands[0] ?? "");
  const given = new Map<string, readonly string[]>();
  for (const assignment of [...valuesOf(read, "-v", "--assign"), ...operands]) {
    const equals = assignment.indexOf("=");
    if (equals > 0) given.set(assignment.slice(0, equals), [literally(assignment.slice(equals + 1))]);
  }
  for (const program of programs)
    if (program !== ON_DISK) followProgram({ ...call, frame: within(frame, "awk code") }, literally(program), given);
  return HOLE;
}

function followProgram(call: Call, program: string, given: ReadonlyMap<string, readonly string[]>): void {
  const { machine } = call;
  if (program.trim() === HOLE) {
    machine.opaque.add("the awk program is known only when it runs");
    return;
  }
  spendOnText(machine.budget, program.length * 2);
  machine.codes.push({ language: "awk", code: program, via: call.frame.via, at: machine.commands.length });
  const blanked = blankStrings(program, { quotes: '"' });
  const constants = new Map([...given, ...readConstants(program, blanked)]);
  for (const match of blanked.matchAll(/\bsystem\s*\(/g)) {
    runExpression(call, readArguments(withoutFields(program), match.index + match[0].length, constants).items.join(""));
  }
  // print ... | "cmd", print ... |& "cmd"
  for (const match of blanked.matchAll(/(?<!\|)\|&?(?!\|)\s*(?=["($A-Za-z_])/g)) {
    const rest = blanked.slice(match.index + match[0].length, match.index + match[0].length + 12);
    const before = expressionBefore(program, blanked, match.index, constants);
    if (/^getline\b/.test(rest)) {
      runExpression(call, before);
    } else {
      // What is printed is what the command reads.
      const { items } = readArguments(withoutFields(program), match.index + match[0].length, constants);
      runExpression(call, items.join(""), before.replace(/^\ufdd0/, ""));
    }
  }
}

/** `$1` and `$0` are names to a reader of constants; in awk they are input. */
function withoutFields(program: string): string {
  return program.replace(/\$(?=[\w(])/g, "\ufdd0");
}

/** What stands before `| getline`, back to the start of its statement. */
function expressionBefore(
  program: string,
  blanked: string,
  end: number,
  constants: ReadonlyMap<string, readonly string[]>,
): string {
  let start = end;
  let depth = 0;
  while (start > 0) {
    const char = blanked.charAt(start - 1);
    if (char === ")") depth += 1;
    if (char === "(") {
      if (depth === 0) break;
      depth -= 1;
    }
    if (depth === 0 && /[{};\n!&|]/.test(char)) break;
    start -= 1;
  }
  return readArguments(withoutFields(program.slice(start, end)), 0, constants).items.join("");
}

function runExpression({ machine, frame: outer }: Call, text: string, stdin: string | null = outer.stdin): void {
  if (text === "") return;
  const frame = { ...outer, stdin };
  const [first = ""] = text.trim().split(/\s/);
  if (isKnown(first)) machine.runText(text, frame);
  else machine.opaque.add("awk runs text that is known only when it runs");
}
