import type { SudoersReport } from "../app/posture.ts";
import { escapeControl } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import { renderPosture } from "../report/terminal-posture.ts";
import type { Terminal } from "./terminal.ts";

export interface PostureFlags {
  readonly json?: boolean;
  readonly sudoers?: boolean;
  readonly digests?: boolean;
  readonly allowRootEquivalent?: boolean;
}

/** Exits 0 whatever the level is. */
export async function runPosture(terminal: Terminal, flags: PostureFlags): Promise<number> {
  if (flags.sudoers === true) return await runSudoers(terminal, flags);
  const report = await wire().posture();
  terminal.out(flags.json === true ? renderJson(report) : renderPosture(report, terminal));
  return 0;
}

async function runSudoers(terminal: Terminal, flags: PostureFlags): Promise<number> {
  const report = await wire().sudoersFragment({
    digests: flags.digests === true,
    allowRootEquivalent: flags.allowRootEquivalent === true,
  });
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  if (report.text !== null) terminal.out(report.text);
  noteRefused(terminal, report);
  return 0;
}

function noteRefused(terminal: Terminal, { written, refused, path }: SudoersReport): void {
  for (const { id, code, message } of refused) {
    terminal.note(`left out ${escapeControl(id)} (${code}): ${escapeControl(message)}`);
  }
  if (written.length === 0) {
    terminal.note("No rule of the command policy can be given to sudo.");
  } else {
    terminal.note(`visudo accepts these lines. Nothing was installed; an administrator would put them at ${path}.`);
  }
}
