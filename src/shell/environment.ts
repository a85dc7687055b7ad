import { RISKY_VARIABLES } from "./environment-table.ts";
import { type Call, within } from "./machine.ts";
import { HOLE, isKnown } from "./marks.ts";
import { contentOf } from "./redirects.ts";
import { exportedValue } from "./scope.ts";
import { runCode } from "./shells.ts";
import { runInline } from "./inline-code.ts";

/** Follows what a program runs because of its environment. */
export function followEnvironment(call: Call): void {
  const { machine, frame, name } = call;
  if (machine.riskyVariables.size === 0) return;
  for (const variable of Array.from(machine.riskyVariables)) {
    const value = exportedValue(frame.scope, variable);
    const risky = RISKY_VARIABLES[variable];
    // What comes from elsewhere is not the text's doing.
    if (value === null || value === "" || value === HOLE || risky === undefined) continue;
    if (risky.programs !== null && !risky.programs.includes(name)) continue;
    const inner = within(frame, `${name}, by ${variable}`);
    switch (risky.kind) {
      case "command":
        // Only a prompt runs it.
        if (variable === "PROMPT_COMMAND" && !call.args.some((arg) => /^-\w*i/.test(arg))) break;
        if (isKnown(value)) machine.runText(value.replace(/^\|/, ""), inner);
        break;
      case "file":
        runCode({ ...call, frame: inner }, contentOf(machine, value, frame), `the file of ${variable}`, {
          isFile: true,
        });
        break;
      case "perl":
        runInline({ ...call, frame: inner }, "perl", value);
        break;
      case "options": {
        // The variable is read by the program each time, so it must not come back to itself.
        machine.riskyVariables.delete(variable);
        machine.runWords([name, ...optionWords(value)], inner);
        machine.riskyVariables.add(variable);
        break;
      }
    }
  }
}

/** Spaces separate, but not after a backslash. */
function optionWords(value: string): string[] {
  return value
    .split(/(?<!\\)\s+/)
    .filter((word) => word !== "")
    .map((word) => word.replace(/\\(.)/g, "$1"));
}
