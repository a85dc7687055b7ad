import { clip, escapeControl, escapeJson, plural } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

interface AllowlistFlags {
  readonly json?: boolean;
  readonly allowlist?: string;
}

const MAX_ADDRESSES = 4;

export async function runAllowlistSuggest(terminal: Terminal, flags: AllowlistFlags): Promise<number> {
  const report = await wire().suggestAllowlist(target(flags));
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  if (report.proposed.length === 0) {
    terminal.note("Nothing talks out now that is not already covered.");
    return 0;
  }
  // The proposed file goes to stdout, so that it can be redirected, read and edited.
  terminal.out(escapeJson(report.text));
  terminal.note(
    `${plural(report.proposed.length, "proposed rule")}, each with "reviewed": false, which approves nothing. ` +
      "Keep what you know, set reviewed to true, and save it as egress_allowlist.json.",
  );
  return 0;
}

export async function runAllowlistCheck(terminal: Terminal, flags: AllowlistFlags): Promise<number> {
  const report = await wire().checkAllowlist(target(flags));
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  if (report.allowlist_file === null) {
    terminal.note("There is no allowlist yet. `cse init` writes an empty one, `cse allowlist suggest` proposes rules.");
    return 0;
  }
  terminal.out(`${paint.bold(escapeControl(report.allowlist_file))}: ${plural(report.rules.length, "rule")}\n`);
  for (const rule of report.rules) {
    const state = rule.active ? paint.green("active  ") : paint.yellow("inactive");
    terminal.out(
      `  ${state} ${escapeControl(rule.destination)}, approves ${plural(rule.approves, "connection")} now\n`,
    );
    for (const [name, addresses] of Object.entries(rule.resolves_to ?? {})) {
      const shown = addresses.slice(0, MAX_ADDRESSES).join(", ");
      const more = addresses.length > MAX_ADDRESSES ? ` and ${addresses.length - MAX_ADDRESSES} more` : "";
      terminal.out(`    ${escapeControl(name)}: ${shown === "" ? "no address" : shown}${more}\n`);
    }
    for (const note of rule.notes) terminal.out(`    ${paint.yellow(note.kind)}: ${clip(note.message, 300)}\n`);
  }
  return 0;
}

function target(flags: AllowlistFlags): { allowlist?: string } {
  return flags.allowlist === undefined ? {} : { allowlist: flags.allowlist };
}
