import { type Endpoint, readEndpoint } from "./endpoint.ts";
import { linuxState } from "./socket-state.ts";
import type { SocketTable } from "./socket-table.ts";
import {
  addSocket,
  closeDraft,
  openDraft,
  readNumber,
  reportLine,
  singleOwner,
  type TableDraft,
} from "./table-draft.ts";

/** MIB_TCP_STATE numbers, and PowerShell's own 100. Source: iprtrmib.h, Get-NetTCPConnection. */
const STATE_NAME: Readonly<Record<number, string>> = {
  1: "Closed",
  2: "Listen",
  3: "SynSent",
  4: "SynReceived",
  5: "Established",
  6: "FinWait1",
  7: "FinWait2",
  8: "CloseWait",
  9: "Closing",
  10: "LastAck",
  11: "TimeWait",
  12: "DeleteTCB",
  100: "Bound",
};

/**
 * Reads `Get-NetTCPConnection | ConvertTo-Json`: a list, or the bare object that PowerShell makes of
 * one row; State as number or word; perhaps a byte order mark. Nothing at all is an empty table;
 * text that is not JSON (an error, in any language) is `not-a-table`.
 */
export function parseGetNetTcpConnection(text: string): SocketTable {
  const draft = openDraft();
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  if (source.trim() === "") return closeDraft(draft, "");
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return closeDraft(draft, source);
  }
  const isList = Array.isArray(value);
  const rows: readonly unknown[] = Array.isArray(value) ? value : [value];
  // An empty list is an answer; a number or a string is not.
  draft.recognised = isList && rows.length === 0;
  for (const [index, row] of rows.entries()) {
    const wrong = addRow(draft, row);
    // A row has no line of its own in JSON; its place in the list is what can be found again.
    if (wrong !== null) reportLine(draft, "bad-row", index + 1, show(row), wrong);
  }
  return closeDraft(draft, source);
}

function addRow(draft: TableDraft, row: unknown): string | null {
  if (typeof row !== "object" || row === null) return "not an object";
  const fields = new Map<string, unknown>(Object.entries(row));
  const local = endpointOf(fields.get("LocalAddress"), fields.get("LocalPort"));
  const remote = endpointOf(fields.get("RemoteAddress"), fields.get("RemotePort"));
  const state = stateOf(fields.get("State"));
  if (local === null || remote === null) return "an address or port is missing or not numeric";
  if (state === null) return "no state";
  draft.recognised = true;
  const pid = fields.get("OwningProcess");
  return addSocket(draft, {
    protocol: "tcp",
    local,
    remote: remote.port === 0 ? null : remote,
    state,
    owner: singleOwner({ pid: readNumber(typeof pid === "number" ? String(pid) : undefined), name: null }),
  });
}

function endpointOf(address: unknown, port: unknown): Endpoint | null {
  if (typeof address !== "string" || typeof port !== "number") return null;
  return readEndpoint(address, String(port), null);
}

function stateOf(state: unknown): string | null {
  if (typeof state === "number") return linuxState(STATE_NAME[state] ?? "");
  return typeof state === "string" && state !== "" ? linuxState(STATE_NAME[Number(state)] ?? state) : null;
}

function show(row: unknown): string {
  try {
    return JSON.stringify(row);
  } catch {
    return "(nested too deeply to show)";
  }
}
