import type { ShimChangeReport } from "../app/shim-install.ts";
import type { WiringReport } from "../app/shim-wiring.ts";
import type { ShimStatusReport } from "../app/shim-status.ts";
import { SecurityError } from "../core/error.ts";
import { escapeControl } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

interface ChangeFlags {
  readonly json?: boolean;
  readonly yes?: boolean;
}

export async function runShimInstall(terminal: Terminal, flags: ChangeFlags): Promise<number> {
  const report = await wire().installShim(confirmer(terminal, flags));
  showChange(terminal, flags, report);
  if (flags.json !== true) {
    terminal.note("Undo: `cse shim uninstall`. What is covered and what not: `cse shim status`.");
  }
  return 0;
}

export async function runShimUninstall(terminal: Terminal, flags: ChangeFlags): Promise<number> {
  const report = await wire().uninstallShim(confirmer(terminal, flags));
  showChange(terminal, flags, report);
  return 0;
}

export async function runShimStatus(terminal: Terminal, flags: { readonly json?: boolean }): Promise<number> {
  const report: ShimStatusReport = await wire().shimStatus();
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  terminal.out(`${paint.bold(report.state)}  ${escapeControl(report.script)}\n`);
  const colours = { ok: paint.green, problem: paint.red, unknown: paint.yellow } as const;
  for (const { id, status, message } of report.checks) {
    terminal.out(`  ${colours[status](status.padEnd(7))} ${id.padEnd(12)} ${escapeControl(message)}\n`);
  }
  for (const line of report.covers) terminal.out(`  covers        ${line}\n`);
  for (const line of report.does_not_cover) terminal.out(`  does not      ${line}\n`);
  return 0;
}

/** A person says yes, or `--yes` has said so in a script of theirs. An agent's exec is neither. */
function confirmer(terminal: Terminal, flags: ChangeFlags): (question: string) => Promise<boolean> {
  return async (question) => {
    const isAgent = process.env["OPENCLAW_SHELL"] === "exec";
    if (flags.yes === true && !isAgent) return true;
    if (!terminal.canAsk || isAgent) {
      throw new SecurityError("not-a-terminal", `Nobody can be asked here: ${question}`, {
        hint: "Run it in a terminal of your own, or give --yes in a script of yours.",
      });
    }
    const answer = await terminal.ask(`${escapeControl(question)}\nChange it? [y/N] `);
    return /^y(?:es)?$/i.test(answer?.trim() ?? "");
  };
}

function showChange(terminal: Terminal, flags: ChangeFlags, report: ShimChangeReport): void {
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return;
  }
  const { paint } = terminal;
  terminal.out(`${paint.bold(report.action.replaceAll("-", " "))}\n`);
  for (const path of report.written) terminal.out(`  ${paint.green("written")} ${escapeControl(path)}\n`);
  for (const path of report.removed) terminal.out(`  ${paint.green("removed")} ${escapeControl(path)}\n`);
  for (const path of report.kept)
    terminal.out(`  ${paint.yellow("kept   ")} ${escapeControl(path)}: not as we wrote it\n`);
  showWiring(terminal, "config", report.config);
  if (report.launch_agent !== null) showWiring(terminal, "launch agent", report.launch_agent);
}

function showWiring(terminal: Terminal, what: string, { state, message, command }: WiringReport): void {
  terminal.out(`  ${what} ${state}: ${escapeControl(message)}\n`);
  if (command !== null) terminal.out(`    by hand: ${escapeControl(command)}\n`);
}
