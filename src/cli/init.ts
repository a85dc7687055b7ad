import { escapeControl } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

export async function runInit(terminal: Terminal, flags: { readonly json?: boolean }): Promise<number> {
  const report = await wire().init();
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  for (const path of report.created) terminal.out(`${paint.green("created")} ${escapeControl(path)}\n`);
  for (const path of report.kept) terminal.out(`${paint.dim("kept   ")} ${escapeControl(path)}\n`);
  terminal.note("The templates approve nothing. Next: `cse baseline generate`, then `cse baseline review`.");
  return 0;
}
