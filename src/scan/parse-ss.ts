import type { Protocol } from "../core/network.ts";
import { type Endpoint, readColonEndpoint } from "./endpoint.ts";
import { isKnownState, linuxState } from "./socket-state.ts";
import type { SocketTable, TableOwnerFacts } from "./socket-table.ts";
import { readSsUsers, type SsUsers } from "./ss-users.ts";
import { addSocket, closeDraft, NO_OWNER, openDraft, readNumber, reportLine, type TableDraft } from "./table-draft.ts";

interface SsRow {
  readonly line: string;
  readonly number: number;
  readonly netid: string | null;
  readonly state: string | null;
  readonly local: string;
  readonly peer: string;
  readonly users: SsUsers;
}

const HEADER = /^(?:Netid +)?(?:State +)?Recv-Q +Send-Q +Local Address:Port +Peer Address:Port/;
const OTHER_NETID =
  /^(?:mptcp|sctp|dccp|raw|p_raw|p_dgr|icmp6?|u_str|u_dgr|u_seq|u_seqp|nl|ti_\w+|tipc|v_str|v_dgr|vsock|xdp|\?\?\?|unix|ip|udplite)$/;

/**
 * Reads the output of `ss -n` with any of -t -u -l -a -p -e -H -4 -6 -O, also where ss leaves out the
 * Netid column (one protocol asked for) or the State column (one state asked for, as in
 * `state established`, which a row with a peer is then taken to be). Source: ss(8), iproute2 6.1.
 */
export function parseSs(text: string): SocketTable {
  const draft = openDraft();
  const rows = readRows(draft, text);
  // Without Netid all rows are of one protocol, and only UDP has the state UNCONN.
  const unnamed: Protocol = rows.some((row) => row.netid === null && row.state === "UNCONN") ? "udp" : "tcp";
  for (const row of rows) addRow(draft, row, unnamed);
  return closeDraft(draft, text);
}

/** Rows are found in the whole text, not line by line: a process name may hold a newline. */
function readRows(draft: TableDraft, text: string): SsRow[] {
  const rows: SsRow[] = [];
  const prefix = /(?:([a-z?][a-z0-9_?]*) +)?(?:([A-Z][A-Z0-9-]*) +)?(\d+) +(\d+) +(\S+) +(\S+)/y;
  let number = 0;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    let end = newline === -1 ? text.length : newline;
    number += 1;
    const line = text.slice(at, end);
    prefix.lastIndex = at;
    const match = prefix.exec(text);
    if (match !== null && prefix.lastIndex <= end) {
      const users = readSsUsers(text, prefix.lastIndex);
      const [, netid, state, , , local, peer] = match;
      rows.push({
        line,
        number,
        netid: netid ?? null,
        state: state ?? null,
        local: local ?? "",
        peer: peer ?? "",
        users,
      });
      if (users.kind !== "unreadable") {
        // Newlines inside of names count as lines of the text.
        number += text.slice(end, users.end).split("\n").length - 1;
        end = users.end;
      }
    } else if (HEADER.test(line)) {
      draft.recognised = true;
    } else if (line.trim() !== "" && !(line.startsWith("\t") && rows.length > 0)) {
      // A line that begins with a tab is what -i and -m add below a row.
      reportLine(draft, "bad-row", number, line, "not a row of ss");
    }
    at = end + 1;
  }
  return rows;
}

function addRow(draft: TableDraft, row: SsRow, unnamed: Protocol): void {
  const { line, number, netid, users } = row;
  const hasPort = /:(?:\d+|\*)$/;
  if (netid !== null && netid !== "tcp" && netid !== "udp") {
    if (OTHER_NETID.test(netid)) draft.recognised = true;
    else reportLine(draft, "bad-row", number, line, "unknown kind of socket");
    return;
  }
  const details = users.kind === "unreadable" ? "" : users.rest;
  const v6only = / v6only:([01])(?: [<-]-[->])? *\r?$/.exec(details)?.[1];
  const wildcardFamily = v6only === "0" ? 46 : v6only === "1" ? 6 : null;
  const local = readColonEndpoint(row.local, wildcardFamily);
  const remote = readColonEndpoint(row.peer, wildcardFamily);
  if (local === null || remote === null) {
    // Text with neither a state nor a port only looks like a row; sockets have both.
    if (row.state !== null || (hasPort.test(row.local) && hasPort.test(row.peer))) draft.recognised = true;
    reportLine(draft, "bad-address", number, line, "an address or port is not numeric");
    return;
  }
  if (users.kind === "unreadable" && netid === null && !isKnownState(row.state ?? "")) {
    // The second half of a name with a newline can look like a bare row: it is none.
    reportLine(draft, "bad-row", number, line, "the end of the row cannot be read");
    return;
  }
  draft.recognised = true;
  if (users.kind === "unreadable") {
    reportLine(draft, "owner-unreadable", number, line, "the process part cannot be read");
  } else if (users.kind === "ambiguous") {
    reportLine(
      draft,
      "ambiguous-owner",
      number,
      line,
      "a process name makes the process part readable in several ways",
    );
  }
  const wrong = addSocket(draft, {
    protocol: netid ?? unnamed,
    local,
    remote,
    state: stateOf(row.state, remote),
    owner: ownerOf(users, details),
  });
  if (wrong !== null) reportLine(draft, "bad-row", number, line, wrong);
}

function stateOf(word: string | null, remote: Endpoint): string {
  if (word !== null) return linuxState(word);
  return remote.port === null ? "LISTEN" : "ESTABLISHED";
}

function ownerOf(users: SsUsers, details: string): TableOwnerFacts {
  const own = details.split(" cgroup:", 1)[0] ?? "";
  const inode = readNumber(/ ino:(\d+)/.exec(own)?.[1]);
  // Inode 0 is a socket without an owner (TIME_WAIT). ss leaves uid out when it is 0.
  const hasOwner = inode !== null && inode !== 0;
  const facts = {
    ...NO_OWNER,
    uid: hasOwner ? (readNumber(/ uid:(\d+)/.exec(own)?.[1]) ?? 0) : null,
    inode: hasOwner ? inode : null,
  };
  if (users.kind !== "read") return facts;
  const first = users.owners[0];
  return { ...facts, pid: first?.pid ?? null, name: first?.name ?? null, owners: users.owners };
}
