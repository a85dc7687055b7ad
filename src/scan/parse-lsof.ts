import { linuxState } from "./socket-state.ts";
import type { SocketTable } from "./socket-table.ts";
import { mergeTables } from "./merge-tables.ts";
import { readLsofName, unescapeLsof } from "./lsof-name.ts";
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

const HEADER = /^COMMAND +PID .*\bUSER +FD +TYPE +DEVICE +SIZE\/OFF +NODE +NAME *$/;

/**
 * Reads `lsof -nP -i` in columns. Columns are counted from the right, where no process has a say;
 * holders of one socket become one row. Source: lsof(8), 4.91 (macOS) and 4.95 (Linux).
 */
export function parseLsof(text: string): SocketTable {
  const draft = openDraft();
  for (const [line, number] of tableLines(draft, text)) {
    if (HEADER.test(line)) {
      draft.recognised = true;
    } else if (line.trim() !== "") {
      const wrong = addRow(draft, line);
      if (wrong !== null) reportLine(draft, wrong.code, number, line, wrong.why);
    }
  }
  return mergeTables([closeDraft(draft, text)]);
}

function addRow(draft: TableDraft, line: string): { readonly code: string; readonly why: string } | null {
  const tokens = line.trim().split(/\s+/);
  const state = /^\(([A-Z_0-9]+)\)$/.exec(tokens.at(-1) ?? "")?.[1];
  if (state !== undefined) tokens.pop();
  const [name, protocol, , device, type, , user, pidText] = tokens.slice(-8).toReversed();
  const pid = readNumber(pidText);
  if (
    name === undefined ||
    user === undefined ||
    pid === null ||
    tokens.length < 9 ||
    (type !== "IPv4" && type !== "IPv6") ||
    (protocol !== "TCP" && protocol !== "UDP")
  ) {
    // Files, pipes and unix sockets have no IPv4 or IPv6 in their row.
    return draft.recognised && /^\S+ +\d+ /.test(line) && !/ IPv[46] /.test(line)
      ? null
      : { code: "bad-row", why: "not a row of an internet socket" };
  }
  const ends = readLsofName(name, type);
  if (ends === null) return { code: "bad-address", why: "an address or port is not numeric" };
  draft.recognised = true;
  const uid = readNumber(user);
  const wrong = addSocket(draft, {
    protocol: protocol === "TCP" ? "tcp" : "udp",
    ...ends,
    state: state === undefined ? "UNKNOWN" : linuxState(state),
    owner: singleOwner({
      pid,
      name: unescapeLsof(tokens.slice(0, -8).join(" ")),
      uid,
      user: uid === null ? unescapeLsof(user) : null,
      // Linux shows the inode as DEVICE, macOS a kernel address.
      inode: readNumber(device),
    }),
  });
  return wrong === null ? null : { code: "bad-row", why: wrong };
}
