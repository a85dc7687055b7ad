import { readEndpoint, splitEndpoint } from "./endpoint.ts";
import { isKnownState, linuxState } from "./socket-state.ts";
import type { SocketTable, TableOwnerFacts } from "./socket-table.ts";
import {
  addSocket,
  closeDraft,
  NO_OWNER,
  openDraft,
  readNumber,
  reportLine,
  singleOwner,
  type TableDraft,
  tableLines,
} from "./table-draft.ts";

/** Where the process column is: `after` columns follow it, and `before` stand between state and it. */
interface ProcessColumn {
  readonly kind: "pid" | "process:pid";
  readonly before: number;
  readonly after: number;
}

const TITLE = /^(?:Active |Registered kernel control modules)/;
const HEADER = /^Proto +Recv-Q +Send-Q +Local Address +Foreign Address +\(state\)(.*)$/;
const ROW = /^(tcp|udp)(4|6|46) +\d+ +\d+ +(\S+) +(\S+)(.*)$/;
/** Without -W or -l an address is cut to this many characters. */
const ADDRESS_CHARS = 16;

/**
 * Reads macOS `netstat -an`, `-anv` and `-anvW`. The process column is found by the header and
 * counted from the right, because names hold spaces and the columns changed between releases.
 * @param options.isWide true when asked for with -W or -l, so that no address is cut. Otherwise
 *   that is taken from the widths, and an IPv6 address that may be cut is a problem, not a row.
 */
export function parseNetstatDarwin(text: string, options: { readonly isWide?: boolean } = {}): SocketTable {
  const draft = openDraft();
  const rows: {
    readonly match: RegExpExecArray;
    readonly column: ProcessColumn | null;
    readonly line: string;
    readonly number: number;
  }[] = [];
  let column: ProcessColumn | null = null;
  let isInternet = true;
  for (const [line, number] of tableLines(draft, text)) {
    const match = ROW.exec(line);
    const header = match === null ? HEADER.exec(line) : null;
    if (match !== null) {
      rows.push({ match, column, line, number });
    } else if (header !== null) {
      column = findProcessColumn(header[1] ?? "");
      draft.recognised = true;
    } else if (TITLE.test(line)) {
      isInternet = line.startsWith("Active Internet");
      draft.recognised = true;
    } else if (line.trim() !== "" && isInternet && !/^(?:icm[46p]|ip|raw|div|mptcp)\S* /.test(line)) {
      // Lists of unix and kernel sockets follow under titles of their own.
      reportLine(draft, "bad-row", number, line, "not a row of netstat");
    }
  }
  const isWide =
    options.isWide ??
    rows.some(({ match }) => hostChars(match[3]) > ADDRESS_CHARS || hostChars(match[4]) > ADDRESS_CHARS);
  for (const row of rows) {
    const wrong = addRow(draft, row.match, row.column, isWide);
    if (wrong !== null) reportLine(draft, wrong.code, row.number, row.line, wrong.why);
  }
  return closeDraft(draft, text);
}

function findProcessColumn(columns: string): ProcessColumn | null {
  const names = columns.trim().split(/ +/);
  for (const kind of ["process:pid", "pid"] as const) {
    const before = names.indexOf(kind);
    if (before !== -1) return { kind, before, after: names.length - before - 1 };
  }
  return null;
}

function addRow(
  draft: TableDraft,
  match: RegExpExecArray,
  column: ProcessColumn | null,
  isWide: boolean,
): { readonly code: string; readonly why: string } | null {
  const [, protocol, families, localText = "", remoteText = "", tail = ""] = match;
  draft.recognised = true;
  if (!isWide && [localText, remoteText].some((text) => text.includes(":") && hostChars(text) === ADDRESS_CHARS)) {
    return { code: "truncated-address", why: "an IPv6 address may be cut off (netstat without -W)" };
  }
  const family = families === "46" ? 46 : families === "6" ? 6 : 4;
  const [local, remote] = [localText, remoteText].map((text) => {
    const parts = splitEndpoint(text, ".");
    return parts === null ? null : readEndpoint(parts[0], parts[1], family);
  });
  if (local === undefined || local === null || remote === undefined || remote === null) {
    return { code: "bad-address", why: "an address or port is not numeric" };
  }
  const word = /^ +([A-Z][A-Z0-9_]*)(?= |$)/.exec(tail);
  const hasState = word?.[1] !== undefined && isKnownState(word[1]);
  const owner = readOwner(hasState ? tail.slice(word[0].length) : tail, column);
  const wrong = addSocket(draft, {
    protocol: protocol === "tcp" ? "tcp" : "udp",
    local,
    remote,
    state: hasState ? linuxState(word[1] ?? "") : "UNKNOWN",
    owner: owner ?? NO_OWNER,
  });
  if (wrong !== null) return { code: "bad-row", why: wrong };
  return owner === null ? { code: "owner-unreadable", why: "the process column cannot be read" } : null;
}

/** Null when the header promises a process column that this row does not have. */
function readOwner(tail: string, column: ProcessColumn | null): TableOwnerFacts | null {
  if (column === null) return NO_OWNER;
  const tokens = [...tail.matchAll(/\S+/g)];
  const last = tokens[tokens.length - 1 - column.after];
  const first = tokens[column.before];
  if (last === undefined || first === undefined || last.index < first.index) return null;
  // What stands before the process are counts; anything else means that the columns are others.
  if (tokens.slice(0, column.before).some((token) => readNumber(token[0]) === null)) return null;
  if (column.kind === "pid") {
    const pid = last === first ? readNumber(last[0]) : null;
    return pid === null ? null : singleOwner({ pid, name: null });
  }
  const process = /^(.*):(\d{1,10})$/s.exec(tail.slice(first.index, last.index + last[0].length));
  const pid = readNumber(process?.[2]);
  return pid === null ? null : singleOwner({ pid, name: process?.[1] ?? null });
}

function hostChars(text: string | undefined): number {
  return text === undefined ? 0 : text.lastIndexOf(".");
}
