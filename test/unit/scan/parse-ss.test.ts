import { describe, expect, it } from "vitest";
import { parseSocketTable } from "../../../src/scan/parse-socket-table.ts";
import type { SocketTable } from "../../../src/scan/socket-table.ts";
import { connectionLines, listenerLines, socketSample } from "../../helpers/socket-samples.ts";

const ss = (text: string): SocketTable => parseSocketTable("ss", text);
const codes = (table: SocketTable): string[] => table.problems.map((problem) => problem.code);
const LISTEN = "LISTEN 0 511 127.0.0.1:8400 0.0.0.0:*    ";

describe("parseSocketTable of ss", () => {
  it("reads listeners of a real capture with their holders, zones and hostile names", () => {
    const table = ss(socketSample("ss-all.txt"));
    expect(table.problems).toEqual([]);
    expect(listenerLines(table)).toEqual([
      "tcp/4 0.0.0.0:8089 LISTEN 17178/demo server",
      "tcp/4 127.0.0.1:8090 LISTEN 17178/demo server",
      "tcp/4 127.0.0.1:8300 LISTEN 17223/prefork-w3",
      'tcp/4 127.0.0.1:8401 LISTEN 17180/sshd",pid=1,x',
      "tcp/4 127.0.0.1:8402 LISTEN 17181/a\nb c",
      'tcp/4 127.0.0.1:8403 LISTEN 17182/x",pid=1,fd=3',
      "tcp/4 127.0.0.1:8404 LISTEN 17183/tab\t\\\\é",
      "tcp/46 *:8087 LISTEN 17178/demo server",
      "tcp/6 2001:db8:1234:5678:9abc::12:8086 LISTEN 17178/demo server",
      "tcp/6 :::8088 LISTEN 17178/demo server",
      "tcp/6 fe80::1815:3ff:feba:1%lo:8085 LISTEN 17178/demo server",
      "udp/4 0.0.0.0:8091 UNCONN 17178/demo server",
      "udp/46 *:8092 UNCONN 17178/demo server",
    ]);
    expect(table.listeners.find((row) => row.port === 8300)).toEqual({
      protocol: "tcp",
      family: 4,
      address: "127.0.0.1",
      zone: null,
      port: 8300,
      state: "LISTEN",
      pid: 17223,
      name: "prefork-w3",
      uid: 0,
      user: null,
      owners: [
        { pid: 17223, name: "prefork-w3" },
        { pid: 17222, name: "prefork-w2" },
        { pid: 17221, name: "prefork-w1" },
        { pid: 17179, name: "prefork-main" },
      ],
      inode: 38144,
    });
  });

  it("reads connections of a real capture with states in Linux words and v4-mapped ends as IPv4", () => {
    expect(connectionLines(ss(socketSample("ss-all.txt")))).toEqual([
      "tcp/4 127.0.0.1:49932 > 127.0.0.1:8089 FIN_WAIT2 17178/demo server",
      "tcp/4 127.0.0.1:54374 > 127.0.0.1:8087 ESTABLISHED 17178/demo server",
      "tcp/4 127.0.0.1:8087 > 127.0.0.1:54374 ESTABLISHED 17178/demo server",
      "tcp/4 127.0.0.1:8089 > 127.0.0.1:49932 CLOSE_WAIT 17178/demo server",
      "tcp/4 127.0.0.1:8090 > 127.0.0.1:56094 TIME_WAIT -",
      "tcp/4 192.0.2.2:36706 > 198.51.100.9:443 SYN_SENT 17178/demo server",
      "tcp/6 2001:db8:1234:5678:9abc::12:59448 > 2001:db8:1234:5678:9abc::12:8086 ESTABLISHED 17178/demo server",
      "tcp/6 2001:db8:1234:5678:9abc::12:8086 > 2001:db8:1234:5678:9abc::12:59448 ESTABLISHED 17178/demo server",
      "udp/4 127.0.0.1:46585 > 127.0.0.1:8091 ESTABLISHED 17178/demo server",
    ]);
  });

  it("knows no uid and no inode where the kernel keeps no owner (TIME_WAIT)", () => {
    const [row] = ss(socketSample("ss-all.txt")).connections.filter(({ state }) => state === "TIME_WAIT");
    expect(row).toMatchObject({ uid: null, inode: null, pid: null, owners: [] });
  });

  it("reads the same with and without the header", () => {
    expect(ss(socketSample("ss-all-no-header.txt"))).toEqual(ss(socketSample("ss-all.txt")));
  });

  it("reads -ltnp, which has no Netid column", () => {
    const lines = listenerLines(ss(socketSample("ss-all.txt"))).filter((line) => line.startsWith("tcp"));
    const table = ss(socketSample("ss-tcp-listeners.txt"));
    expect(table.problems).toEqual([]);
    // Without -e nothing tells whether "*" takes IPv4 too.
    expect(listenerLines(table)).toEqual(lines.map((line) => line.replace("tcp/46 *", "tcp/null *")).toSorted());
  });

  it("reads -lntup with its Netid column", () => {
    const table = ss(socketSample("ss-listeners.txt"));
    expect([table.listeners.length, table.connections.length, codes(table)]).toEqual([13, 0, []]);
  });

  it("reads -lunp as UDP, although no column says so", () => {
    expect(listenerLines(ss(socketSample("ss-udp-listeners.txt")))).toEqual([
      "udp/4 0.0.0.0:8091 UNCONN 17178/demo server",
      "udp/null *:8092 UNCONN 17178/demo server",
    ]);
  });

  it("reads `state established`, which leaves the State column out", () => {
    const all = connectionLines(ss(socketSample("ss-all.txt")));
    expect(connectionLines(ss(socketSample("ss-established.txt")))).toEqual(
      all.filter((line) => line.startsWith("tcp") && line.includes("ESTABLISHED")),
    );
  });

  it.each([
    ["[fe80::1]%eth0:8085", "fe80::1", "eth0", 8085],
    ["0.0.0.0%eth0:68", "0.0.0.0", "eth0", 68],
    ["*%eth0:68", "*", "eth0", 68],
    ["*:80", "*", null, 80],
    [":::22", "::", null, 22],
    ["fe80::1%eth0:546", "fe80::1", "eth0", 546],
    ["[::ffff:10.0.0.1]:81", "10.0.0.1", null, 81],
  ])("reads the local address %s", (local, address, zone, port) => {
    const [row] = ss(`UNCONN 0 0 ${local} *:*`).listeners;
    expect([row?.address, row?.zone, row?.port, row?.protocol]).toEqual([address, zone, port, "udp"]);
  });

  it("reads uid, inode and family from -e, and uid 0 where ss leaves it out", () => {
    const text = [
      'tcp LISTEN 0 128 *:80 *:* users:(("a",pid=7,fd=3)) uid:33 ino:500 sk:1 cgroup:/x v6only:0 <->',
      "tcp LISTEN 0 128 *:81 *:* ino:501 sk:2 cgroup:/ uid:5 ino:9 v6only:1 <->",
      "tcp LISTEN 0 128 *:82 *:*",
    ].join("\n");
    expect(ss(text).listeners.map(({ uid, inode, family }) => [uid, inode, family])).toEqual([
      [33, 500, 46],
      [0, 501, 6],
      [null, null, null],
    ]);
  });

  it("names each holder once when it holds the socket several times", () => {
    const [row] = ss(`${LISTEN}users:(("a",pid=7,fd=3),("a",pid=7,fd=4),("b",pid=8,fd=3))`).listeners;
    expect(row?.owners).toEqual([
      { pid: 7, name: "a" },
      { pid: 8, name: "b" },
    ]);
  });

  it.each([
    'sshd",pid=1,x',
    'x",pid=1,fd=3',
    '",pid=1,fd=3)',
    '",pid=1,fd=3))',
    '",pid=1,fd=3)) ',
    '",pid=1,fd=3),(',
    '"),("q',
    "a)b(c",
    "a\nLISTEN 0 1 *",
    "\n0 0 *:1 *:2 ",
    "\n\n\n",
    "",
  ])("believes only the real pid when a process calls itself %j", (name) => {
    const table = ss(`${LISTEN}users:(("${name}",pid=4242,fd=22))\n${LISTEN.replace("8400", "8500")}\n`);
    expect(table.problems).toEqual([]);
    expect(table.listeners.map((row) => [row.port, row.pid, row.name])).toEqual([
      [8400, 4242, name],
      [8500, null, null],
    ]);
  });

  it("ends, and counts the lines of names, when the text stops right after a name with newlines", () => {
    const table = ss(`x\n${LISTEN}users:(("a\n\nb",pid=7,fd=3))\nx\n${LISTEN}users:(("a\nb",pid=8,fd=3))`);
    expect(table.listeners.map((row) => row.pid)).toEqual([7, 8]);
    expect(table.problems.map((problem) => problem.message)).toEqual([
      "line 1: not a row of ss: x",
      "line 5: not a row of ss: x",
    ]);
  });

  it("believes no pid when a name makes two readings possible, and keeps the row", () => {
    const closed = `${LISTEN}users:(("",pid=1,fd=3))\n",pid=4242,fd=22))\n`;
    const chained = `${LISTEN}users:(("",pid=1,fd=3),(",pid=5,fd=3),("",pid=6,fd=4))\n`;
    const goesOn = chained.replace("))", '),("z",pid=7,fd=4))');
    for (const text of [closed, chained, goesOn]) {
      const table = ss(text);
      expect(codes(table)).toEqual(["ambiguous-owner"]);
      expect(table.listeners.map(({ port, pid, name, owners }) => ({ port, pid, name, owners }))).toEqual([
        { port: 8400, pid: null, name: null, owners: [] },
      ]);
    }
  });

  it("takes no process from a cgroup path", () => {
    const forged = ' cgroup:/a users:(("sshd",pid=1,fd=3)) <->';
    const free = ss(`${LISTEN}ino:5 sk:1${forged}`);
    const owned = ss(`${LISTEN}users:(("x",pid=9,fd=3)) ino:5 sk:1 cgroup:/a",pid=1,fd=3)) <->`);
    expect([free.listeners[0]?.pid, free.problems]).toEqual([null, []]);
    expect([owned.listeners[0]?.pid, owned.problems]).toEqual([9, []]);
  });

  it("keeps a row whose process part cannot be read, without an owner", () => {
    const table = ss(`${LISTEN}users:(("longer than any comm",pid=4,fd=1))`);
    expect(codes(table)).toEqual(["owner-unreadable"]);
    expect(listenerLines(table)).toEqual(["tcp/4 127.0.0.1:8400 LISTEN -"]);
  });

  it("makes no row of the second half of a broken name", () => {
    const table = ss(`${LISTEN}\n0 0 *:1 *:2 ",pid=5,fd=22))\nX 0 0 *:1 *:2 ",pid=5,fd=22))\n`);
    expect(codes(table)).toEqual(["bad-row", "bad-row"]);
    expect([table.listeners.length, table.connections.length]).toEqual([1, 0]);
  });

  it("reports names in place of numbers, with the line", () => {
    const table = ss(`${LISTEN}\nLISTEN 0 128 0.0.0.0:ssh 0.0.0.0:*\n`);
    expect(table.problems).toEqual([
      {
        code: "bad-address",
        message: "line 2: an address or port is not numeric: LISTEN 0 128 0.0.0.0:ssh 0.0.0.0:*",
      },
    ]);
  });

  it("passes over other kinds of sockets and the detail lines of -i", () => {
    const table = ss(`u_str ESTAB 0 0 /run/x.sock 12 * 13\nnl UNCONN 0 0 4:11911 *\n${LISTEN}\n\t cubic wscale:7,7\n`);
    expect([table.listeners.length, table.problems]).toEqual([1, []]);
  });

  it("understands unbound and bound-only sockets and lists neither", () => {
    expect(ss("udp UNCONN 0 0 *:* *:*\ntcp CLOSE 0 0 *:5 *:*\n")).toEqual({
      listeners: [],
      connections: [],
      problems: [],
    });
  });
});
