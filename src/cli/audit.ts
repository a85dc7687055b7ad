import type { ReconcileReport } from "../app/reconcile.ts";
import { exitCodeOf, SecurityError, type SecurityErrorCode } from "../core/error.ts";
import { clip, escapeControl, plural } from "../core/text.ts";
import { isoFromEpoch } from "../core/time.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { AuditEntry } from "../schema/audit-entry.ts";
import type { Terminal } from "./terminal.ts";

interface JsonFlag {
  readonly json?: boolean;
}

const TAMPERED = exitOf("audit-broken");
/** Of the category inconclusive. */
const CANNOT_TELL = exitOf("collector-failed");

function exitOf(code: SecurityErrorCode): number {
  return exitCodeOf(new SecurityError(code, ""));
}

/** Exit 0 intact, 4 tampered, 6 cannot tell. */
export async function runAuditVerify(
  terminal: Terminal,
  flags: JsonFlag & { readonly keyFile?: string },
): Promise<number> {
  const audit = await wire().audit();
  const verdict = await audit.verify(flags.keyFile === undefined ? {} : { keyFile: flags.keyFile });
  const { status, records, firstBadSeq, code, message, notes } = verdict;
  if (flags.json === true) {
    const where = firstBadSeq === undefined ? {} : { first_bad_seq: firstBadSeq };
    terminal.out(renderJson({ status, records, ...where, ...(code === undefined ? {} : { code }), message, notes }));
  } else {
    const { paint } = terminal;
    const word = { intact: paint.green("intact"), tampered: paint.red("tampered"), unknown: paint.yellow("unknown") };
    terminal.out(`${word[status]}${code === undefined ? "" : ` ${code}`}: ${escapeControl(message)}\n`);
    if (firstBadSeq !== undefined) {
      terminal.out(`  first bad record: ${firstBadSeq}; ${plural(records, "record")} before it fit together\n`);
    }
    for (const note of notes) terminal.out(`  ${escapeControl(note)}\n`);
  }
  return { intact: 0, tampered: TAMPERED, unknown: CANNOT_TELL }[status];
}

export async function runAuditShow(terminal: Terminal, flags: JsonFlag & { readonly last: number }): Promise<number> {
  const audit = await wire().audit();
  const entries = audit.show({ last: flags.last });
  if (flags.json === true) {
    terminal.out(renderJson({ records: entries.map(({ fields }) => fields) }));
    return 0;
  }
  for (const entry of entries) terminal.out(`${describeEntry(entry, terminal)}\n`);
  if (entries.length === 0) terminal.note("There are no records yet.");
  return 0;
}

function describeEntry(entry: AuditEntry, { paint }: Terminal): string {
  const { seq, at, event, fields } = entry;
  const request = typeof fields["requestId"] === "string" ? ` ${paint.dim(clip(fields["requestId"], 12))}` : "";
  return `${String(seq).padStart(6)} ${isoFromEpoch(at)} ${clip(event, 20).padEnd(15)}${request} ${summarise(fields)}`;
}

/** The few fields that tell an event apart; `--json` has them all. */
function summarise(fields: AuditEntry["fields"]): string {
  const words: string[] = [];
  for (const name of [
    "decision",
    "verdict",
    "code",
    "why",
    "outcome",
    "exitCode",
    "signal",
    "errno",
    "intentSeq",
    "cause",
  ]) {
    const value = fields[name];
    if (typeof value === "string" || typeof value === "number") words.push(`${name}=${clip(String(value), 60)}`);
  }
  const { argv, reason, message } = fields;
  if (Array.isArray(argv)) words.push(clip(argv.map((word) => JSON.stringify(word)).join(" "), 200));
  if (typeof reason === "string") words.push(`(claimed reason: ${clip(reason, 100)})`);
  if (typeof message === "string") words.push(clip(message, 200));
  return words.join(" ");
}

export async function runAuditExport(
  terminal: Terminal,
  flags: JsonFlag & { readonly key?: boolean },
): Promise<number> {
  const audit = await wire().audit();
  if (flags.key === true) {
    const { keyHex, fromSeq } = await audit.rekey();
    terminal.out(flags.json === true ? renderJson({ verification_key: keyHex, from_seq: fromSeq }) : `${keyHex}\n`);
    terminal.note(
      `Keep this key away from this machine; it is not shown again. It verifies the records from ${fromSeq} on.`,
    );
    return 0;
  }
  if (flags.json === true) {
    const records = [...audit.files()].flatMap(({ text }) => text.split("\n").filter((line) => line !== ""));
    terminal.out(renderJson({ lines: records }));
    return 0;
  }
  // Byte for byte, but for remains of a crash, which could hold anything.
  for (const { text } of audit.files()) terminal.out(text.replace(/[^\n]+/g, (line) => escapeControl(line)));
  return 0;
}

/** Exit 0 when both records agree, 4 when sudo ran something unannounced, 6 when sudo's record cannot be read. */
export async function runAuditReconcile(
  terminal: Terminal,
  flags: JsonFlag & { readonly sudoLog?: string },
): Promise<number> {
  const audit = await wire().audit();
  const report = await audit.reconcile(flags.sudoLog === undefined ? {} : { sudoLog: flags.sudoLog });
  if (flags.json === true) terminal.out(renderJson(report));
  else showReconciliation(terminal, report);
  return { agrees: 0, "bypass-detected": TAMPERED, inconclusive: CANNOT_TELL }[report.status];
}

function showReconciliation(terminal: Terminal, report: ReconcileReport): void {
  const { paint } = terminal;
  const word = {
    agrees: paint.green("agrees"),
    "bypass-detected": paint.red("bypass-detected"),
    inconclusive: paint.yellow("inconclusive"),
  };
  terminal.out(`${word[report.status]}: ${escapeControl(report.message)}\n`);
  if (report.source !== null) terminal.out(`  compared with ${escapeControl(report.source)} since ${report.since}\n`);
  for (const { at, run_as, command } of report.bypasses)
    terminal.out(`  ${at} as ${clip(run_as, 40)}: ${clip(command, 300)}\n`);
  for (const { seq, at, command } of report.unconfirmed) {
    terminal.out(`  ${at} record ${seq} is not in sudo's log: ${clip(command, 300)}\n`);
  }
}
