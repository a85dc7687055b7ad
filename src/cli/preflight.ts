import { exitCodeOf, SecurityError } from "../core/error.ts";
import { escapeControl } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

/** Exits with the code that the first problem would give any other command. */
export async function runPreflight(terminal: Terminal, flags: { readonly json?: boolean }): Promise<number> {
  const report = await wire().preflight();
  const { paint } = terminal;
  if (flags.json === true) {
    terminal.out(renderJson(report));
  } else {
    const marks = { ok: paint.green("ok     "), note: paint.cyan("note   "), problem: paint.red("problem") };
    for (const item of report.items) {
      terminal.out(`${marks[item.state]} ${escapeControl(item.message)}\n`);
      if (item.hint !== "") terminal.out(`        ${escapeControl(item.hint)}\n`);
    }
  }
  const first = report.items.find((item) => item.state === "problem");
  return first?.code === undefined || first.code === null
    ? 0
    : exitCodeOf(new SecurityError(first.code, first.message));
}
