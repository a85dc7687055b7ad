import { parseAddress } from "../core/address.ts";
import type { ScanProblem } from "../core/network.ts";
import { plural } from "../core/text.ts";
import {
  DEFAULT_EPHEMERAL_PORTS,
  type PortRange,
  parseOwnIpv4,
  parseOwnIpv6,
  parsePortRange,
} from "../scan/direction.ts";
import {
  type AddressTexts,
  createProcTableParser,
  type ProcSocket,
  type ProcTable,
  type ProcTableName,
  type ProcTableParser,
  type WantedRows,
} from "../scan/proc-net.ts";
import { GONE, type ProcDenial, type ProcFiles, type ProcPieces, REFUSED } from "./proc-file.ts";
import type { Slice } from "./proc-slice.ts";

/** Rows handled between two looks at the clock; far less than a slice, and the look costs nothing then. */
const ROWS_PER_CHECK = 256;

export type TablesResult =
  | {
      readonly kind: "read";
      readonly sockets: readonly ProcSocket[];
      /** Tables and rows that should have been readable and were not. With any, the scan is incomplete. */
      readonly gaps: readonly ScanProblem[];
    }
  | { readonly kind: "unusable"; readonly why: string };

/**
 * Rows of the TCP tables and, when wanted, the UDP ones. A missing tcp6 or udp6 only means that IPv6 is
 * off. A tcp table that is missing, refused or without the kernel's header makes the whole source
 * unusable, because "no rows" would read as "nothing listens"; trouble with another table is a gap.
 */
export async function readTables(
  files: ProcFiles,
  want: { readonly rows: WantedRows; readonly includeUdp: boolean },
  texts: AddressTexts,
  slice: Slice,
): Promise<TablesResult> {
  const names: readonly ProcTableName[] = want.includeUdp ? ["tcp", "tcp6", "udp", "udp6"] : ["tcp", "tcp6"];
  const sockets: ProcSocket[] = [];
  const gaps: ScanProblem[] = [];
  for (const name of names) {
    const table = await readTable(files, name, createProcTableParser(name, want.rows, texts), slice);
    if (table === GONE && name.endsWith("6")) continue;
    if (table === GONE || table === REFUSED || !table.hasHeader) {
      const why = table === GONE ? "is missing" : table === REFUSED ? "cannot be read" : "has no header line";
      if (name === "tcp") return { kind: "unusable", why: `the tcp table ${why}` };
      gaps.push({
        code: "proc-table-unreadable",
        message: `The ${name} table of /proc ${why}; its sockets are not shown`,
      });
      continue;
    }
    for (const socket of table.sockets) sockets.push(socket);
    if (table.malformed > 0) {
      gaps.push({
        code: "proc-row-malformed",
        message: `${plural(table.malformed, "row")} of the ${name} table could not be understood`,
      });
    }
    if (table.dropped > 0) {
      gaps.push({
        code: "too-many-sockets",
        message: `The ${name} table has ${plural(table.dropped, "row")} more than a scan can read`,
      });
    }
    if (slice.isOver()) await slice.rest();
  }
  return { kind: "read", sockets: await withoutRepeats(sockets, slice), gaps };
}

async function readTable(
  files: ProcFiles,
  name: ProcTableName,
  parser: ProcTableParser,
  slice: Slice,
): Promise<ProcTable | ProcDenial> {
  const pieces = openNet(files, name);
  if (pieces === GONE || pieces === REFUSED) return pieces;
  try {
    for (;;) {
      const length = pieces.next();
      if (length === REFUSED) return REFUSED;
      if (length === 0) return parser.end();
      // The buffer is used again by the next read of any file, so it is used up before resting.
      parser.push(pieces.buffer, length);
      if (slice.isOver()) await slice.rest();
    }
  } finally {
    pieces.close();
  }
}

/** Tables of what is neither TCP nor UDP; each has one header line. */
const OTHER_TABLES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "other-transports": { "UDP-Lite": ["udplite", "udplite6"], SCTP: ["sctp/eps", "sctp/assocs"] },
  "other-protocols": { ICMP: ["icmp", "icmp6"], "raw IP": ["raw", "raw6"] },
};

/**
 * Says which open sockets this program neither lists nor judges. What has no table here (vsock,
 * packet sockets) is not known. Tables are read up to 64 KiB, so several hundred stands for more.
 */
export function readOtherProtocols(files: ProcFiles): ScanProblem[] {
  return Object.entries(OTHER_TABLES).flatMap(([code, protocols]) => {
    const counts = Object.entries(protocols).flatMap(([protocol, names]) => {
      const rows = names.reduce((sum, name) => sum + countRows(readNet(files, name)), 0);
      return rows === 0 ? [] : [`${rows} ${protocol}`];
    });
    if (counts.length === 0) return [];
    return [{ code, message: `Sockets other than TCP and UDP are neither listed nor judged: ${counts.join(", ")}` }];
  });
}

function countRows(table: string | null): number {
  const lines = (table ?? "").split("\n").filter((line) => line.trim() !== "").length;
  return Math.max(0, lines - 1);
}

/** What the kernel says about this host's own addresses and client ports. */
export interface HostNet {
  readonly ownAddresses: ReadonlySet<string>;
  /** Device by IPv6 address; an address on two devices (link-local) names neither. */
  readonly deviceByAddress: ReadonlyMap<string, string>;
  readonly ephemeralPorts: PortRange;
}

/** A router's route table can be large; addresses beyond this are simply not known as our own. */
const FIB_MAX_BYTES = 4_194_304;

/** What cannot be read leaves less known as "own", which can only show more egress, never hide some. */
export function readHostNet(files: ProcFiles, want: { readonly ownAddresses: boolean }): HostNet {
  const six = readNet(files, "if_inet6") ?? "";
  const deviceByAddress = new Map<string, string>();
  const ambiguous = new Set<string>();
  const own = new Set<string>();
  for (const entry of parseOwnIpv6(six)) {
    const address = parseAddress(entry.address)?.address;
    if (address === undefined) continue;
    own.add(address);
    if (deviceByAddress.has(address)) ambiguous.add(address);
    deviceByAddress.set(address, entry.device);
  }
  for (const address of ambiguous) deviceByAddress.delete(address);
  if (want.ownAddresses) {
    for (const address of parseOwnIpv4(readNet(files, "fib_trie", FIB_MAX_BYTES) ?? "")) own.add(address);
  }
  const range = files.text("sys/net/ipv4/ip_local_port_range");
  const ephemeralPorts = (typeof range === "string" ? parsePortRange(range) : null) ?? DEFAULT_EPHEMERAL_PORTS;
  return { ownAddresses: own, deviceByAddress, ephemeralPorts };
}

/** `self/net` first: plain `net` is absent where systemd hides the rest of /proc (ProcSubset=pid). */
function openNet(files: ProcFiles, name: string): ProcPieces | ProcDenial {
  const own = files.open(`self/net/${name}`);
  return own === GONE ? files.open(`net/${name}`) : own;
}

function readNet(files: ProcFiles, name: string, maxBytes?: number): string | null {
  const own = files.text(`self/net/${name}`, maxBytes);
  const text = own === GONE ? files.text(`net/${name}`, maxBytes) : own;
  return typeof text === "string" ? text : null;
}

/** A table that changes while it is read may show one socket twice; two subflows of one MPTCP socket differ in their ends. */
async function withoutRepeats(sockets: readonly ProcSocket[], slice: Slice): Promise<readonly ProcSocket[]> {
  const byInode = new Map<number, ProcSocket>();
  const kept: ProcSocket[] = [];
  for (const [index, socket] of sockets.entries()) {
    if (index % ROWS_PER_CHECK === ROWS_PER_CHECK - 1 && slice.isOver()) await slice.rest();
    const earlier = socket.inode === 0 ? undefined : byInode.get(socket.inode);
    if (earlier !== undefined && hasSameEnds(earlier, socket)) continue;
    if (socket.inode !== 0) byInode.set(socket.inode, socket);
    kept.push(socket);
  }
  return kept;
}

function hasSameEnds(a: ProcSocket, b: ProcSocket): boolean {
  return (
    a.protocol === b.protocol &&
    a.localPort === b.localPort &&
    a.remotePort === b.remotePort &&
    a.localAddress === b.localAddress &&
    a.remoteAddress === b.remoteAddress
  );
}
