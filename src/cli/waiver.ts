import type { WaiverReport, WaiverRow } from "../app/waiver.ts";
import type { WaiverAction } from "../deps/over-time.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import { wrap } from "../report/terminal-layout.ts";
import type { Terminal } from "./terminal.ts";

interface WaiverFlags {
  readonly json?: boolean;
  readonly check: string;
  readonly reason: string;
  readonly owner: string;
  readonly approver: string;
  readonly expires: string;
  readonly ticket?: string;
}

export async function runWaiverAdd(terminal: Terminal, flags: WaiverFlags): Promise<number> {
  const { json, check, ...rest } = flags;
  const action: WaiverAction = { kind: "add", wish: { checkId: check, ...rest } };
  return await runWaiverAction(terminal, action, json === undefined ? {} : { json });
}

export async function runWaiverAction(
  terminal: Terminal,
  action: WaiverAction,
  flags: { readonly json?: boolean },
): Promise<number> {
  const report = await wire().waiver(action);
  terminal.out(flags.json === true ? renderJson(report) : renderWaivers(report, terminal));
  return 0;
}

const STATE_TEXT: Readonly<Record<WaiverRow["state"], string>> = {
  active: "active",
  expired: "over",
  unconfirmed: "not confirmed: without effect until a person confirms it",
  "other-host": "for another host",
  "unknown-check": "for a check that does not exist",
};

function renderWaivers({ waivers }: WaiverReport, { paint, columns }: Terminal): string {
  if (waivers.length === 0) return "There are no waivers.\n";
  const lines = waivers.flatMap((waiver) => [
    ...wrap(`${waiver.id}  ${waiver.title ?? waiver.check_id}`, columns).map(paint.bold),
    ...wrap(`until ${waiver.expires}, ${STATE_TEXT[waiver.state]}`, columns, "  "),
    ...wrap(`owner ${waiver.owner}, approved by ${waiver.approver}: ${waiver.reason}`, columns, "  "),
  ]);
  return `${lines.join("\n")}\n`;
}
