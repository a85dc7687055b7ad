import { escapeControl, plural } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

/** What the last process that elevated wrote about itself. It decides nothing. */
export async function runSessionStatus(terminal: Terminal, flags: { readonly json?: boolean }): Promise<number> {
  const report = await wire().sessionRecord();
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  if (report.record === null) {
    terminal.out("Nothing is elevated, and nothing was recorded.\n");
    return 0;
  }
  const { privilege_mode: mode, written_at: at, grants } = report.record;
  terminal.out(`${terminal.paint.bold(mode)} as of ${escapeControl(at)}, ${plural(grants.length, "live grant")}\n`);
  for (const grant of grants) {
    terminal.out(`  session ${escapeControl(grant.session)}, until ${escapeControl(grant.expires_at)}\n`);
  }
  terminal.note("This is a record. Grants live in the memory of the process that holds them and end with it.");
  return 0;
}

/** Ends what this program could hold. Grants of a `cse run` end with it; a running gateway drops its own. */
export async function runSessionDrop(terminal: Terminal, flags: { readonly json?: boolean }): Promise<number> {
  const elevation = await wire().elevation({ at: "terminal" });
  try {
    const dropped = await elevation.dropElevation();
    if (flags.json === true) terminal.out(renderJson({ schemaVersion: 1, dropped }));
    else terminal.out("Nothing is elevated any more.\n");
    return 0;
  } finally {
    await elevation.close();
  }
}
