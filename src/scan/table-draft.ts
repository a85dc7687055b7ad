import type { Protocol, ScanProblem } from "../core/network.ts";
import { clip } from "../core/text.ts";
import type { Endpoint } from "./endpoint.ts";
import type { SocketTable, TableConnection, TableListener, TableOwnerFacts } from "./socket-table.ts";

/** A table while a parser fills it. */
export interface TableDraft {
  readonly listeners: TableListener[];
  readonly connections: TableConnection[];
  readonly problems: ScanProblem[];
  /** Problems beyond MAX_PROBLEMS, counted only. */
  unreported: number;
  /** True once a header or a row was understood: the text is this tool's output. */
  recognised: boolean;
}

/** One socket as read from one row, before it is told whether it listens. */
export interface SocketRow {
  readonly protocol: Protocol;
  readonly local: Endpoint;
  /** Null where the tool shows no peer. */
  readonly remote: Endpoint | null;
  /** Linux word; ignored for UDP, which has no state of its own. */
  readonly state: string;
  readonly owner: TableOwnerFacts;
}

/** A line longer than this is not examined, only reported. ss lines, which name every holder, are exempt. */
const MAX_LINE_CHARS = 16_384;
const MAX_PROBLEMS = 100;
const SHOWN_CHARS = 160;

export const NO_OWNER: TableOwnerFacts = { pid: null, name: null, uid: null, user: null, owners: [], inode: null };

export function openDraft(): TableDraft {
  return { listeners: [], connections: [], problems: [], unreported: 0, recognised: false };
}

/** Notes what is wrong with a line. The number is 1-based; the line is shown clipped and escaped. */
export function reportLine(draft: TableDraft, code: string, lineNumber: number, line: string, why: string): void {
  if (draft.problems.length >= MAX_PROBLEMS) {
    draft.unreported += 1;
    return;
  }
  // Cut before escaping: a line may be megabytes long.
  const shown = clip(line.slice(0, 4 * SHOWN_CHARS), SHOWN_CHARS);
  draft.problems.push({ code, message: `line ${lineNumber}: ${why}: ${shown}` });
}

/**
 * Files a row under listeners or connections. A socket that can neither be reached nor talks (not
 * bound, or bound only) is understood and left out. Returns what is wrong with the row, else null.
 */
export function addSocket(draft: TableDraft, row: SocketRow): string | null {
  const { protocol, local, remote, owner } = row;
  const hasPeer = remote !== null && remote.port !== null;
  if (protocol === "tcp" && row.state === "BOUND") return null;
  if (protocol === "udp" ? !hasPeer : row.state === "LISTEN" || (!hasPeer && row.state === "UNKNOWN")) {
    if (local.port === null) return protocol === "udp" || row.state === "UNKNOWN" ? null : "a listener without a port";
    draft.listeners.push({
      protocol,
      family: local.family,
      address: local.address,
      zone: local.zone,
      port: local.port,
      state: protocol === "udp" ? "UNCONN" : row.state,
      ...owner,
    });
    return null;
  }
  // Bound or closed without a peer: nothing can come in or go out.
  if (!hasPeer || remote.port === null) return null;
  if (local.port === null) return "a connection without a local port";
  draft.connections.push({
    protocol,
    family: local.family,
    local_address: local.address,
    zone: local.zone,
    local_port: local.port,
    remote_address: remote.address,
    remote_zone: remote.zone,
    remote_port: remote.port,
    state: protocol === "udp" ? "ESTABLISHED" : row.state,
    ...owner,
  });
  return null;
}

/**
 * Ends a draft. Text of which nothing was understood is no table (an error message, another tool's
 * output): that is one problem and never an empty result. Blank text is an empty table.
 */
export function closeDraft(draft: TableDraft, text: string): SocketTable {
  const { listeners, connections } = draft;
  if (!draft.recognised) {
    const first = firstLine(text);
    if (first === null) return { listeners: [], connections: [], problems: [] };
    const message = `this is not the output of the expected tool; it begins with: ${clip(first, SHOWN_CHARS)}`;
    return { listeners: [], connections: [], problems: [{ code: "not-a-table", message }] };
  }
  const problems = [...draft.problems];
  if (draft.unreported > 0) {
    problems.push({ code: "more-problems", message: `${draft.unreported} more lines have problems` });
  }
  return { listeners, connections, problems };
}

/** Lines without their ends, with 1-based numbers; a line over MAX_LINE_CHARS is reported and left out. */
export function* tableLines(draft: TableDraft, text: string): Generator<readonly [line: string, number: number]> {
  let number = 0;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline;
    number += 1;
    if (end - at > MAX_LINE_CHARS) {
      reportLine(draft, "line-too-long", number, text.slice(at, at + 4 * SHOWN_CHARS), "too long to be a row");
    } else {
      yield [text.slice(at, text[end - 1] === "\r" && end > at ? end - 1 : end), number];
    }
    at = end + 1;
  }
}

/** Owner facts of a tool that names at most one process per row. Pid 0 is "nobody". */
export function singleOwner(facts: {
  readonly pid: number | null;
  readonly name: string | null;
  readonly uid?: number | null;
  readonly user?: string | null;
  readonly inode?: number | null;
}): TableOwnerFacts {
  const pid = facts.pid === 0 ? null : facts.pid;
  return {
    pid,
    name: pid === null ? null : facts.name,
    uid: facts.uid ?? null,
    user: facts.user ?? null,
    owners: pid === null ? [] : [{ pid, name: facts.name }],
    inode: facts.inode ?? null,
  };
}

/** A count or id as tools print it: up to 15 digits, so that it is exact as a number. Null for other text. */
export function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function firstLine(text: string): string | null {
  const start = /\S/.exec(text.slice(0, 1_000_000))?.index ?? -1;
  if (start === -1) return text.trim() === "" ? null : text.trim().slice(0, 4 * SHOWN_CHARS);
  const newline = text.indexOf("\n", start);
  return text.slice(start, Math.min(newline === -1 ? text.length : newline, start + 4 * SHOWN_CHARS));
}
