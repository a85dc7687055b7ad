import { describe, expect, it } from "vitest";
import { mergeTables } from "../../../src/scan/merge-tables.ts";
import type { SocketTable, TableConnection, TableListener } from "../../../src/scan/socket-table.ts";

const LISTENER: TableListener = {
  protocol: "tcp",
  family: 4,
  address: "0.0.0.0",
  zone: null,
  port: 80,
  state: "LISTEN",
  pid: null,
  name: null,
  uid: null,
  user: null,
  owners: [],
  inode: null,
};
const { address: _address, port: _port, ...SHARED } = LISTENER;
const CONNECTION: TableConnection = {
  ...SHARED,
  local_address: "10.0.0.1",
  local_port: 5000,
  remote_address: "10.0.0.2",
  remote_zone: null,
  remote_port: 443,
  state: "ESTABLISHED",
};

function table(
  listeners: readonly Partial<TableListener>[],
  connections: readonly Partial<TableConnection>[] = [],
): SocketTable {
  return {
    listeners: listeners.map((row) => ({ ...LISTENER, ...row })),
    connections: connections.map((row) => ({ ...CONNECTION, ...row })),
    problems: [],
  };
}

const owned = (pid: number, name: string): Partial<TableListener> => ({ pid, name, owners: [{ pid, name }] });

describe("mergeTables", () => {
  it("keeps every row of a fuller table beside one that shows less, in any order", () => {
    const full = table([{}, { port: 81 }, { protocol: "udp" }], [{}, { local_port: 5001 }]);
    const less = table([{ port: 82 }], [{}]);
    for (const tables of [
      [full, less],
      [less, full],
    ]) {
      const merged = mergeTables(tables);
      expect(merged.listeners.map((row) => `${row.protocol} ${row.port}`).toSorted()).toEqual([
        "tcp 80",
        "tcp 81",
        "tcp 82",
        "udp 80",
      ]);
      expect(merged.connections.map((row) => row.local_port).toSorted((a, b) => a - b)).toEqual([5000, 5001]);
    }
  });

  it("fills owner facts from whichever table knows them", () => {
    const merged = mergeTables([
      table([{ inode: 5 }], [{ pid: 3, name: null, owners: [{ pid: 3, name: null }] }]),
      table([{ ...owned(7, "web"), uid: 33 }], [{ pid: 3, name: "curl", owners: [{ pid: 3, name: "curl" }] }]),
      table([{ ...owned(7, "web-long"), uid: 33, user: "www" }]),
    ]);
    expect(merged.listeners).toEqual([
      { ...LISTENER, pid: 7, name: "web", uid: 33, user: "www", owners: [{ pid: 7, name: "web" }], inode: 5 },
    ]);
    expect(merged.connections).toEqual([{ ...CONNECTION, pid: 3, name: "curl", owners: [{ pid: 3, name: "curl" }] }]);
  });

  it("keeps both owners when tools name different processes, and mixes no facts of the two", () => {
    const merged = mergeTables([
      table([{ pid: 7, owners: [{ pid: 7, name: null }] }]),
      table([{ ...owned(8, "other"), uid: 5, user: "eve" }]),
    ]);
    expect(merged.listeners).toEqual([
      {
        ...LISTENER,
        pid: 7,
        owners: [
          { pid: 7, name: null },
          { pid: 8, name: "other" },
        ],
      },
    ]);
  });

  it("puts no user name beside the uid of somebody else", () => {
    const merged = mergeTables([
      table([{ ...owned(7, "a"), uid: 0 }]),
      table([{ ...owned(7, "a"), uid: 33, user: "www" }]),
    ]);
    expect(merged.listeners.map(({ uid, user }) => [uid, user])).toEqual([[0, null]]);
  });

  it("knows one wildcard in its spellings, and keeps the families apart", () => {
    const merged = mergeTables([
      table([
        { address: "*", family: 46 },
        { address: "0.0.0.0", family: 4 },
      ]),
      table([
        { address: "*", family: 6 },
        { address: "*", family: 4 },
      ]),
      table([{ address: "::", family: 6 }]),
    ]);
    expect(merged.listeners.map(({ address, family }) => [address, family])).toEqual([
      ["*", 46],
      ["0.0.0.0", 4],
    ]);
  });

  it("joins a row without a zone to a zoned row only where the inode proves that they are one", () => {
    const zoned = table([{ zone: "eth0", inode: 9 }], [{ zone: "eth0", remote_zone: "eth0", inode: 10 }]);
    const proven = mergeTables([zoned, table([{ inode: 9, ...owned(7, "a") }], [{ inode: 10 }])]);
    expect(proven.listeners.map(({ zone, pid }) => [zone, pid])).toEqual([["eth0", 7]]);
    expect(proven.connections).toHaveLength(1);
    const unproven = mergeTables([zoned, table([{ inode: 11 }, { port: 81 }], [{}])]);
    expect(unproven.listeners.map(({ zone, port }) => [zone, port])).toEqual([
      ["eth0", 80],
      [null, 80],
      [null, 81],
    ]);
    expect(unproven.connections).toHaveLength(2);
  });

  it("makes one listener with several holders of rows for one address and port", () => {
    const merged = mergeTables([table([owned(1, "a"), owned(2, "b"), owned(1, "a")])]);
    expect(merged.listeners.map((row) => row.owners)).toEqual([
      [
        { pid: 1, name: "a" },
        { pid: 2, name: "b" },
      ],
    ]);
  });

  it("takes a known state over an unknown one and keeps all problems", () => {
    const problem = { code: "bad-row", message: "line 1" };
    const merged = mergeTables([
      { ...table([], [{ state: "UNKNOWN" }]), problems: [problem] },
      { ...table([], [{ state: "CLOSE_WAIT" }]), problems: [problem] },
    ]);
    expect([merged.connections.map((row) => row.state), merged.problems]).toEqual([["CLOSE_WAIT"], [problem, problem]]);
  });
});
