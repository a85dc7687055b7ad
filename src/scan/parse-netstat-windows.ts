import { type Endpoint, readColonEndpoint } from "./endpoint.ts";
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
  tableLines,
} from "./table-draft.ts";

const ROW = /^\s*(TCP|UDP)\s+(\S+)\s+(\S+)(.*)$/;
/** The title and the column names, in the language of the system. */
const HEADER_LINES = 2;

/**
 * Reads Windows `netstat -ano` in any language: a TCP listener is the row whose foreign end is
 * 0.0.0.0:0 or [::]:0, whatever word stands for its state; UDP rows have no state.
 */
export function parseNetstatWindows(text: string): SocketTable {
  const draft = openDraft();
  let headerLines = 0;
  for (const [line, number] of tableLines(draft, text)) {
    if (line.trim() === "") continue;
    const match = ROW.exec(line);
    if (match !== null) {
      const wrong = addRow(draft, match);
      if (wrong !== null) reportLine(draft, wrong.code, number, line, wrong.why);
    } else if (draft.listeners.length + draft.connections.length > 0 || headerLines === HEADER_LINES) {
      reportLine(draft, "bad-row", number, line, "not a row of netstat");
    } else {
      headerLines += 1;
      // "PID" ends the column names in every language; without -o "Proto" begins them in most.
      if (/\sPID\s*$/.test(line) || /^\s*Proto\s/.test(line)) draft.recognised = true;
    }
  }
  return closeDraft(draft, text);
}

function addRow(draft: TableDraft, match: RegExpExecArray): { readonly code: string; readonly why: string } | null {
  const [, protocol, localText = "", remoteText = "", tail = ""] = match;
  const local = readColonEndpoint(localText, null);
  const remote = readColonEndpoint(remoteText, null);
  if (local === null || remote === null) return { code: "bad-address", why: "an address or port is not numeric" };
  draft.recognised = true;
  const words = tail.trim() === "" ? [] : tail.trim().split(/\s+/);
  const pid = readNumber(words.at(-1));
  const word = words.slice(0, pid === null ? undefined : -1).join(" ");
  const wrong = addSocket(draft, {
    protocol: protocol === "TCP" ? "tcp" : "udp",
    local,
    remote,
    state: stateOf(word, remote),
    owner: singleOwner({ pid, name: null }),
  });
  return wrong === null ? null : { code: "bad-row", why: wrong };
}

function stateOf(word: string, remote: Endpoint): string {
  const state = linuxState(word);
  if (remote.port !== 0 || (remote.address !== "0.0.0.0" && remote.address !== "::")) return state;
  // -q also lists sockets that are bound only; they have the same foreign end.
  return state === "BOUND" ? state : "LISTEN";
}
