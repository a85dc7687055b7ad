import type { ApproverChange } from "../app/approvers.ts";
import { clip, plural } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

interface Flags {
  readonly json?: boolean;
}

/** Who counts, and which devices OpenClaw knows that could. */
export async function runApproversList(terminal: Terminal, flags: Flags): Promise<number> {
  const report = await (await wire().approvers()).list();
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  const seal = report.sealed ? "written by root" : "of this account's own";
  terminal.out(`${paint.bold(plural(report.enrolled.length, "enrolled approver"))}, ${seal}\n`);
  for (const { kind, id, name, enrolledAt, proof } of report.enrolled) {
    const how = proof === "password" ? paint.green("a password was given") : paint.yellow("no proof (L0)");
    terminal.out(`  ${kind} ${clip(name, 60)}, since ${enrolledAt}, ${how}\n    ${clip(id, 160)}\n`);
  }
  terminal.out(`${paint.bold(plural(report.devices.length, "paired device"))}\n`);
  for (const device of report.devices) {
    const name = device.name === "" ? "(no name)" : clip(device.name, 60);
    const from = device.from === null ? "this machine" : clip(device.from, 60);
    const via = device.pairedVia === "silent" ? "let in by itself" : clip(device.pairedVia, 40);
    const notes = [
      device.isEnrolled ? paint.green("enrolled") : "not enrolled",
      ...(device.canApprove ? [] : ["may not approve"]),
      ...(device.isKeyHere ? [paint.yellow("key on this machine: cannot be enrolled")] : []),
    ];
    terminal.out(`  ${name} (${clip(device.client, 40)}, ${clip(device.platform, 40)}): ${notes.join(", ")}\n`);
    terminal.out(`    ${device.id}\n    paired ${device.pairedAt} from ${from}, ${via}\n`);
  }
  if (report.devices_unknown !== null) terminal.note(`Not listed: ${clip(report.devices_unknown, 300)}`);
  if (report.enrolled.length === 0) terminal.note("No device counts yet. Next: `cse approvers enroll <id>`.");
  return 0;
}

interface EnrolFlags extends Flags {
  readonly name?: string;
  readonly proof?: boolean;
}

export async function runApproversEnroll(terminal: Terminal, id: string, flags: EnrolFlags): Promise<number> {
  const approvers = await wire().approvers();
  const change = await approvers.enrol({ id, name: flags.name ?? null, wantsProof: flags.proof !== false });
  return tell(terminal, change, flags);
}

export async function runApproversRevoke(terminal: Terminal, id: string, flags: Flags): Promise<number> {
  return tell(terminal, await (await wire().approvers()).revoke(id), flags);
}

/** Completes a yes that was given through the gateway. */
export async function runApproversConfirm(
  terminal: Terminal,
  id: string | undefined,
  { json }: Flags,
): Promise<number> {
  const report = await (await wire().approvers()).confirm(id ?? null);
  if (json === true) terminal.out(renderJson(report));
  else terminal.out(`${report.id}: handed over. Where it was asked for shows what came of it.\n`);
  return 0;
}

function tell(terminal: Terminal, change: ApproverChange, { json }: Flags): number {
  if (json === true) {
    terminal.out(renderJson(change));
    return 0;
  }
  const { kind, name, proof } = change.approver;
  terminal.out(`${kind} ${clip(name, 60)} ${change.changed}\n`);
  if (change.changed === "enrolled" && proof === "none") {
    terminal.note("Level L0: no password stands behind it, so an agent of this account could enroll itself too.");
  }
  return 0;
}
