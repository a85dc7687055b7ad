import { type Endpoint, readColonEndpoint } from "./endpoint.ts";
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

const TITLE = /^Active (?:Internet|UNIX domain|Bluetooth|IPX|AX\.25|X\.25) /;
const HEADER = /^Proto +Recv-Q +Send-Q +Local Address +Foreign Address/;
const ROW = /^(tcp6?|udp6?) +\d+ +\d+ +(\S+) +(\S+)(.*)$/;
const OTHER_ROW = /^(?:Proto +RefCnt|(?:unix|raw6?|icmp6?|sctp|udpl6?|udplite6?|l2cap|rfcomm|igmp) )/;
const TIMER = /(?<= )(?:off|on|keepalive|timewait|probe|unkn-\d+) \(\d+\.\d+\/\d+\/\d+\) *$/;
/** Without -W an IPv6 address is cut so that address, colon and port fill the column. */
const COLUMN_CHARS = 23;

/**
 * Reads `netstat -n` of net-tools or BusyBox with any of -t -u -l -a -p -e -o -W.
 * @param options.isWide true when the output was asked for with -W, so that no address is cut.
 *   Otherwise that is taken from the widths, and an IPv6 address that may be cut is a problem, not a row.
 */
export function parseNetstatLinux(text: string, options: { readonly isWide?: boolean } = {}): SocketTable {
  const draft = openDraft();
  const rows: { readonly match: RegExpExecArray; readonly line: string; readonly number: number }[] = [];
  let header = "";
  for (const [line, number] of tableLines(draft, text)) {
    const match = ROW.exec(line);
    if (match !== null) {
      rows.push({ match, line, number });
    } else if (HEADER.test(line)) {
      header = line;
      draft.recognised = true;
    } else if (TITLE.test(line)) {
      draft.recognised = true;
    } else if (line.trim() !== "" && !OTHER_ROW.test(line)) {
      reportLine(draft, "bad-row", number, line, "not a row of netstat");
    }
  }
  const isWide =
    options.isWide ??
    rows.some(({ match }) => (match[2] ?? "").length > COLUMN_CHARS || (match[3] ?? "").length > COLUMN_CHARS);
  for (const { match, line, number } of rows) {
    const wrong = addRow(draft, match, header, isWide);
    if (wrong !== null) reportLine(draft, wrong.code, number, line, wrong.why);
  }
  return closeDraft(draft, text);
}

function addRow(
  draft: TableDraft,
  match: RegExpExecArray,
  header: string,
  isWide: boolean,
): { readonly code: string; readonly why: string } | null {
  const [, proto = "", localText = "", remoteText = "", tail = ""] = match;
  const cut = [localText, remoteText].find((text) => !isWide && isMaybeCut(text));
  if (cut !== undefined) {
    draft.recognised = true;
    return { code: "truncated-address", why: "an IPv6 address may be cut off (netstat without -W)" };
  }
  const local: Endpoint | null = readColonEndpoint(localText, null);
  const remote = readColonEndpoint(remoteText, null);
  if (local === null || remote === null) {
    return { code: "bad-address", why: "an address or port is not numeric" };
  }
  draft.recognised = true;
  const { state, owner, isOwnerUnreadable } = readTail(tail, header);
  const wrong = addSocket(draft, {
    protocol: proto.startsWith("tcp") ? "tcp" : "udp",
    local,
    remote,
    state,
    owner,
  });
  if (wrong !== null) return { code: "bad-row", why: wrong };
  return isOwnerUnreadable ? { code: "owner-unreadable", why: "the process column cannot be read" } : null;
}

function isMaybeCut(text: string): boolean {
  return text.length === COLUMN_CHARS && text.split(":").length > 2;
}

/** Columns after the addresses, read from the left: the program name comes last and may hold anything. */
function readTail(
  tail: string,
  header: string,
): { readonly state: string; readonly owner: TableOwnerFacts; readonly isOwnerUnreadable: boolean } {
  let rest = header.endsWith("Timer") || / Timer *$/.test(header) ? tail.replace(TIMER, "") : tail;
  const word = /^ +([A-Z][A-Z0-9_]*)(?= |$)/.exec(rest);
  const hasState = word?.[1] !== undefined && isKnownState(word[1]);
  if (hasState) rest = rest.slice(word[0].length);
  const state = hasState ? linuxState(word[1] ?? "") : "UNKNOWN";

  // Without a header (grep cut it off) two words before the process column are User and Inode.
  const extended = (header === "" || / User +Inode/.test(header)) && /^ +([^\s/]+) +(\d+)(?= |$)/.exec(rest);
  const user = extended ? (extended[1] ?? null) : null;
  const inode = extended ? readNumber(extended[2]) : null;
  if (extended) rest = rest.slice(extended[0].length);

  // Inode 0 is a socket without an owner (TIME_WAIT); the user shown with it means nothing.
  const hasOwner = inode !== null && inode !== 0;
  const uid = hasOwner ? readNumber(user ?? "") : null;
  const socket = { uid, user: hasOwner && uid === null ? user : null, inode: hasOwner ? inode : null };
  const program = rest.trim();
  if (program === "" || program === "-") return { state, owner: { ...NO_OWNER, ...socket }, isOwnerUnreadable: false };
  const process = /^(\d{1,10})\/(.*)$/.exec(program);
  const pid = readNumber(process?.[1]);
  if (process === null || pid === null || pid === 0) {
    return { state, owner: { ...NO_OWNER, ...socket }, isOwnerUnreadable: true };
  }
  return { state, owner: { ...socket, ...pickOwner(pid, process[2] ?? "", socket) }, isOwnerUnreadable: false };
}

function pickOwner(
  pid: number,
  name: string,
  socket: { uid: number | null; user: string | null; inode: number | null },
): TableOwnerFacts {
  return singleOwner({ pid, name: name === "" ? null : name, ...socket });
}
