import type { Connection, EgressReport, Listener, PortReport, ProcessFacts, RuleNote, Scope } from "../core/network.ts";
import { clip, plural } from "../core/text.ts";
import { APPROVAL_LABEL, type ApprovalState, reviewConnections, reviewListeners, type Reviewed } from "./approval.ts";
import { renderFindingsText } from "./terminal-finding.ts";
import { type Cell, type Column, type Paint, renderTable, type TextOptions, wrap } from "./terminal-layout.ts";
import { CATEGORY_LABEL, formatCount, formatEndpoint, formatProgram, formatTime, SCOPE_LABEL } from "./wording.ts";

const MAX_ROWS = 100;
const MAX_NOTES = 10;
const MAX_NOTE_CHARS = 300;
/** The longest IPv6 address with a device and a port. */
const MAX_ENDPOINT_CHARS = 64;

const LISTENER_COLUMNS: readonly Column[] = [
  { head: "PROTO", flex: 0 },
  { head: "ADDRESS", flex: 0 },
  { head: "OPEN TO", flex: 0, leaveOut: 2 },
  { head: "PROGRAM", flex: 3, cut: "start" },
  { head: "USER", flex: 1, leaveOut: 1 },
  { head: "APPROVED", flex: 0 },
];

const CONNECTION_COLUMNS: readonly Column[] = [
  { head: "PROTO", flex: 0 },
  { head: "REMOTE", flex: 0 },
  { head: "HOST", flex: 2, leaveOut: 4 },
  { head: "WHERE", flex: 0, leaveOut: 3 },
  { head: "STATE", flex: 0, leaveOut: 1 },
  { head: "PROGRAM", flex: 3, cut: "start" },
  { head: "USER", flex: 1, leaveOut: 2 },
  { head: "APPROVED", flex: 0 },
];

/** What listens, whether it is approved, and what to do about what is not. Ends with a newline. */
export function renderPortReportText(report: PortReport, options: TextOptions): string {
  const { paint, columns } = options;
  const rows = reviewListeners(report);
  const head = `${plural(rows.length, "listening socket")}${describeReach(report.listening_services)}`;
  const cells = rows.slice(0, MAX_ROWS).map((row) => listenerCells(row, paint));
  return renderReport([
    ...wrap(head, columns).map(paint.bold),
    ...renderBasis(report, "baseline", report.approved_file, report.approved_rules, options),
    ...(rows.length === 0 ? [] : ["", ...renderTable(LISTENER_COLUMNS, cells, options)]),
    ...describeRest(rows.length, options),
    "",
    ...renderFindingsText(report.findings, options),
    ...renderNotes(report.rule_notes, options),
  ]);
}

/** What talks out, whether it is approved, and what to do about what is not. Ends with a newline. */
export function renderEgressReportText(report: EgressReport, options: TextOptions): string {
  const { paint } = options;
  const rows = reviewConnections(report);
  const cells = rows.slice(0, MAX_ROWS).map((row) => connectionCells(row, paint));
  return renderReport([
    paint.bold(plural(rows.length, "connection")),
    ...renderBasis(report, "allowlist", report.allowlist_file, report.allowlist_rules, options),
    ...(rows.length === 0 ? [] : ["", ...renderTable(CONNECTION_COLUMNS, cells, options)]),
    ...describeRest(rows.length, options),
    "",
    ...renderFindingsText(report.findings, options),
    ...renderNotes(report.rule_notes, options),
  ]);
}

function renderReport(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** ": 3 open to every network, 1 open to this host only". */
function describeReach(listeners: readonly Listener[]): string {
  const scopes: readonly Scope[] = ["all-interfaces", "public", "private", "loopback"];
  const parts = scopes
    .map((scope) => ({ scope, count: listeners.filter((listener) => listener.scope === scope).length }))
    .filter(({ count }) => count > 0)
    .map(({ scope, count }) => `${formatCount(count)} open to ${SCOPE_LABEL[scope]}`);
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

function renderBasis(
  report: PortReport | EgressReport,
  kind: "baseline" | "allowlist",
  file: string | null,
  rules: number,
  { paint, columns }: TextOptions,
): readonly string[] {
  const rulebook =
    file === null
      ? `There is no ${kind}, so nothing counts as approved.`
      : `Compared with ${plural(rules, "rule")} in ${file}.`;
  const lines = wrap(`Taken ${formatTime(report.collected_at)} from ${report.collector}. ${rulebook}`, columns).map(
    paint.dim,
  );
  if (report.complete && report.status === "ok") return lines;
  const hidden =
    report.unresolved + report.denied === 0
      ? ""
      : ` ${plural(report.unresolved, "socket")} without a known owner, ${plural(report.denied, "process", "processes")} that could not be looked into. Run as root to see them.`;
  const problems = report.problems
    .slice(0, MAX_NOTES)
    .flatMap(({ message }) => wrap(clip(message, MAX_NOTE_CHARS), columns, "  - "));
  const left = report.problems.length - MAX_NOTES;
  const more = left > 0 ? wrap(`and ${plural(left, "more problem")}; --json lists them all`, columns, "  ") : [];
  return [...lines, ...wrap(`Incomplete.${hidden}`, columns).map(paint.yellow), ...problems, ...more];
}

function listenerCells({ socket, approval }: Reviewed<Listener>, paint: Paint): readonly Cell[] {
  const times = socket.owners > 1 ? ` x ${formatCount(socket.owners)}` : "";
  return [
    { text: socket.protocol },
    { text: clip(formatEndpoint(socket.address, socket.port, socket.device), MAX_ENDPOINT_CHARS) },
    { text: SCOPE_LABEL[socket.scope] },
    { text: `${formatProgram(socket)}${times}` },
    { text: userOf(socket) },
    approvalCell(approval, paint),
  ];
}

function connectionCells({ socket, approval }: Reviewed<Connection>, paint: Paint): readonly Cell[] {
  return [
    { text: socket.protocol },
    { text: clip(formatEndpoint(socket.remote_ip, socket.remote_port), MAX_ENDPOINT_CHARS) },
    { text: socket.remote_host ?? "no known name" },
    { text: CATEGORY_LABEL[socket.category] },
    { text: clip(socket.state, 16) },
    { text: formatProgram(socket) },
    { text: userOf(socket) },
    approvalCell(approval, paint),
  ];
}

function userOf(process: ProcessFacts): string {
  return process.user ?? (process.uid === null ? "unknown" : `uid ${process.uid}`);
}

function approvalCell(approval: ApprovalState, paint: Paint): Cell {
  const colour = { no: paint.red, unknown: paint.yellow, yes: paint.green, "none-needed": paint.dim }[approval];
  return { text: APPROVAL_LABEL[approval], paint: colour };
}

function describeRest(count: number, { columns }: TextOptions): readonly string[] {
  if (count <= MAX_ROWS) return [];
  return wrap(
    `and ${formatCount(count - MAX_ROWS)} more, unapproved ones shown first; --json lists them all`,
    columns,
    "  ",
  );
}

function renderNotes(notes: readonly RuleNote[], { paint, columns }: TextOptions): readonly string[] {
  if (notes.length === 0) return [];
  const shown = notes
    .slice(0, MAX_NOTES)
    .flatMap((note) => wrap(`Rule ${note.rule}: ${clip(note.message, MAX_NOTE_CHARS)}`, columns, "  - "));
  const left = notes.length - MAX_NOTES;
  const more = left > 0 ? [`  and ${plural(left, "more note")}; --json lists them all`] : [];
  return ["", paint.bold("Rules that want attention"), ...shown, ...more];
}
