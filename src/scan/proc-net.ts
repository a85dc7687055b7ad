import { parseAddress } from "../core/address.ts";
import type { Protocol } from "../core/network.ts";

/** The four socket tables a Linux kernel prints under /proc/<pid>/net. */
export type ProcTableName = "tcp" | "tcp6" | "udp" | "udp6";

/** One row of a table, in the words of this project. */
export interface ProcSocket {
  readonly protocol: Protocol;
  /** Canonical text; v4-mapped is IPv4. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Kernel state name; a UDP socket is ESTABLISHED (connected) or UNCONN. */
  readonly state: string;
  /** The uid the kernel keeps with the socket. */
  readonly uid: number;
  /** 0 when the kernel keeps no owner (TIME_WAIT, orphans, not yet accepted). */
  readonly inode: number;
}

export interface ProcTable {
  /** False for a file without the kernel's header line: the table is not supported here (e.g. WSL1), not empty. */
  readonly hasHeader: boolean;
  readonly sockets: readonly ProcSocket[];
  /** Rows that could not be understood; never silently dropped. */
  readonly malformed: number;
  /** Rows beyond MAX_SOCKETS, which were only counted. */
  readonly dropped: number;
}

/** Takes a table in pieces, cut anywhere, so that a big one can be read without holding the thread. */
export interface ProcTableParser {
  push(chunk: Uint8Array, length: number): void;
  end(): ProcTable;
}

/** Address texts already made, shared between tables and scans; the same few addresses fill most rows. */
export interface AddressTexts {
  readonly four: Map<number, string>;
  readonly six: Map<string, string>;
}

export function createAddressTexts(): AddressTexts {
  return { four: new Map(), six: new Map() };
}

/** Source: include/net/tcp_states.h. */
const TCP_STATES: readonly string[] = [
  "UNKNOWN",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "SYN_RECV",
];
const STATE_ESTABLISHED = 0x01;
const STATE_LISTEN = 0x0a;

/** Which rows are worth the text: a port scan of a busy host needs ten rows out of ten thousand. */
export type WantedRows = "all" | "listening";

const NEWLINE = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
/** The kernel pads rows to 127-180 bytes; what is longer without a line break is not its table. */
const MAX_LINE = 4096;
const MAX_TEXTS = 4096;
/** Anyone may open a million sockets; so many rows of one table take some 30 MB. */
const MAX_SOCKETS = 200_000;

const BAD = -1;

/** Values of hex digits by byte, -1 elsewhere. */
const HEX: Int8Array = (() => {
  const values = new Int8Array(256).fill(BAD);
  for (let digit = 0; digit < 10; digit += 1) values[0x30 + digit] = digit;
  for (let digit = 0; digit < 6; digit += 1) {
    values[0x41 + digit] = 10 + digit;
    values[0x61 + digit] = 10 + digit;
  }
  return values;
})();

/**
 * Parser of one table's bytes. The kernel prints addresses as 32-bit words in its own byte order.
 * Source: net/ipv4/tcp_ipv4.c get_tcp4_sock, net/ipv6/tcp_ipv6.c get_tcp6_sock, net/ipv4/udp.c.
 */
export function createProcTableParser(
  name: ProcTableName,
  wanted: WantedRows,
  texts: AddressTexts = createAddressTexts(),
  littleEndian: boolean = isLittleEndian(),
): ProcTableParser {
  const protocol: Protocol = name === "tcp" || name === "tcp6" ? "tcp" : "udp";
  const addressLength = name === "tcp" || name === "udp" ? 8 : 32;
  const sockets: ProcSocket[] = [];
  let malformed = 0;
  let dropped = 0;
  let hasHeader: boolean | null = null;
  let rest = new Uint8Array(0);

  const takeLine = (bytes: Uint8Array, start: number, end: number): void => {
    if (hasHeader === null) {
      hasHeader = isHeader(bytes, start, end);
      return;
    }
    if (end === start || !hasHeader) return;
    const row = parseRow(bytes, start, end);
    if (row === "malformed") malformed += 1;
    else if (row !== "skipped" && sockets.length < MAX_SOCKETS) sockets.push(row);
    else if (row !== "skipped") dropped += 1;
  };

  const parseRow = (bytes: Uint8Array, start: number, end: number): ProcSocket | "skipped" | "malformed" => {
    // "  12: 0100007F:1F90 00000000:0000 0A tx:rx tr:when retrnsmt uid timeout inode ..."
    let at = skipSpaces(bytes, start, end);
    while (at < end && bytes[at] !== COLON) at += 1;
    const local = at + 2;
    const remote = local + addressLength + 6;
    const state = remote + addressLength + 6;
    if (state + 2 > end) return "malformed";
    const code = parseHex(bytes, state, state + 2);
    if (code === BAD) return "malformed";
    const isListening = protocol === "tcp" ? code === STATE_LISTEN : code !== STATE_ESTABLISHED;
    if (wanted === "listening" && !isListening) return "skipped";
    const remotePort = parseHex(bytes, remote + addressLength + 1, remote + addressLength + 5);
    const localPort = parseHex(bytes, local + addressLength + 1, local + addressLength + 5);
    at = skipSpaces(bytes, state + 2, end);
    for (let field = 0; field < 3; field += 1) at = skipSpaces(bytes, skipWord(bytes, at, end), end);
    const uidEnd = skipWord(bytes, at, end);
    const uid = parseDecimal(bytes, at, uidEnd);
    at = skipSpaces(bytes, skipWord(bytes, skipSpaces(bytes, uidEnd, end), end), end);
    const inode = parseDecimal(bytes, at, skipWord(bytes, at, end));
    const localAddress = addressText(bytes, local);
    const remoteAddress = addressText(bytes, remote);
    if (localPort === BAD || remotePort === BAD || uid === BAD || inode === BAD) return "malformed";
    if (localAddress === null || remoteAddress === null) return "malformed";
    const stateName = protocol === "udp" && isListening ? "UNCONN" : (TCP_STATES[code] ?? "UNKNOWN");
    return { protocol, localAddress, localPort, remoteAddress, remotePort, state: stateName, uid, inode };
  };

  const addressText = (bytes: Uint8Array, start: number): string | null => {
    if (addressLength === 8) return fourText(wordAt(bytes, start));
    const first = wordAt(bytes, start);
    const second = wordAt(bytes, start + 8);
    const third = wordAt(bytes, start + 16);
    const fourth = wordAt(bytes, start + 24);
    if (first === BAD || second === BAD || third === BAD || fourth === BAD) return null;
    if (first === 0 && second === 0 && third === 0xffff) return fourText(fourth);
    return sixText(first, second, third, fourth);
  };

  /** 32 bits in network order, whatever the kernel's order. */
  const wordAt = (bytes: Uint8Array, start: number): number => {
    const word = parseHex(bytes, start, start + 8);
    if (word === BAD || !littleEndian) return word;
    return ((word & 0xff) * 0x1000000 + ((word & 0xff00) << 8) + ((word >>> 8) & 0xff00) + (word >>> 24)) >>> 0;
  };

  const fourText = (word: number): string | null => {
    if (word === BAD) return null;
    const known = texts.four.get(word);
    if (known !== undefined) return known;
    const text = `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
    if (texts.four.size >= MAX_TEXTS) texts.four.clear();
    texts.four.set(word, text);
    return text;
  };

  const sixText = (...words: readonly [number, number, number, number]): string | null => {
    const key = words.map((word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(":");
    const known = texts.six.get(key);
    if (known !== undefined) return known;
    const text = parseAddress(key)?.address ?? null;
    if (text === null) return null;
    if (texts.six.size >= MAX_TEXTS) texts.six.clear();
    texts.six.set(key, text);
    return text;
  };

  const push = (chunk: Uint8Array, length: number): void => {
    let start = 0;
    if (rest.length > 0) {
      const lineEnd = chunk.subarray(0, length).indexOf(NEWLINE);
      const piece = chunk.subarray(0, lineEnd === -1 ? length : lineEnd);
      const joined = new Uint8Array(rest.length + piece.length);
      joined.set(rest);
      joined.set(piece, rest.length);
      rest = joined;
      if (lineEnd === -1) return dropOverlong();
      takeLine(rest, 0, rest.length);
      rest = new Uint8Array(0);
      start = lineEnd + 1;
    }
    while (start < length) {
      const lineEnd = chunk.indexOf(NEWLINE, start);
      if (lineEnd === -1 || lineEnd >= length) break;
      takeLine(chunk, start, lineEnd);
      start = lineEnd + 1;
    }
    if (start < length) {
      // A copy: the caller fills the same chunk again, and slice() of a Node Buffer is only a view.
      rest = Uint8Array.from(chunk.subarray(start, length));
      dropOverlong();
    }
  };

  const dropOverlong = (): void => {
    if (rest.length <= MAX_LINE) return;
    hasHeader ??= false;
    malformed += 1;
    rest = new Uint8Array(0);
  };

  const end = (): ProcTable => {
    // The last row counts without a line break too; one that was cut shows as malformed.
    if (rest.length > 0) takeLine(rest, 0, rest.length);
    return { hasHeader: hasHeader === true, sockets, malformed, dropped };
  };

  return { push, end };
}

/** `createProcTableParser` for a whole table at once. */
export function parseProcTable(name: ProcTableName, bytes: Uint8Array, wanted: WantedRows = "all"): ProcTable {
  const parser = createProcTableParser(name, wanted);
  parser.push(bytes, bytes.length);
  return parser.end();
}

function isLittleEndian(): boolean {
  return new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
}

/** The header's first word is "sl" in all four tables. */
function isHeader(bytes: Uint8Array, start: number, end: number): boolean {
  const at = skipSpaces(bytes, start, end);
  return bytes[at] === 0x73 && bytes[at + 1] === 0x6c && bytes[at + 2] === SPACE;
}

function skipSpaces(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === SPACE) at += 1;
  return at;
}

function skipWord(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== SPACE) at += 1;
  return at;
}

function parseHex(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = HEX[bytes[at] ?? 0] ?? BAD;
    if (digit === BAD) return BAD;
    value = value * 16 + digit;
  }
  return value;
}

function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return BAD;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return BAD;
    value = value * 10 + digit;
  }
  return value;
}
