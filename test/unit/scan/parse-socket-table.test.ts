import { describe, expect, it } from "vitest";
import { mergeTables } from "../../../src/scan/merge-tables.ts";
import { parseNetstatLinux } from "../../../src/scan/parse-netstat-linux.ts";
import { parseSocketTable } from "../../../src/scan/parse-socket-table.ts";
import type { SocketTable, SocketTableFormat } from "../../../src/scan/socket-table.ts";
import { connectionLines, listenerLines, socketSample } from "../../helpers/socket-samples.ts";

const FORMATS: readonly SocketTableFormat[] = [
  "ss",
  "lsof",
  "lsof-F",
  "netstat-linux",
  "netstat-darwin",
  "netstat-windows",
  "get-nettcpconnection",
];
const EMPTY: SocketTable = { listeners: [], connections: [], problems: [] };
const codes = (table: SocketTable): string[] => table.problems.map((problem) => problem.code);
const read = (format: SocketTableFormat, sample: string): SocketTable => parseSocketTable(format, socketSample(sample));

describe("parseSocketTable in every format", () => {
  it.each(FORMATS)("takes blank %s output for an empty table", (format) => {
    expect([parseSocketTable(format, ""), parseSocketTable(format, " \n\r\n")]).toEqual([EMPTY, EMPTY]);
  });

  it.each(FORMATS)("says not-a-table for an error message where %s output should be", (format) => {
    const table = parseSocketTable(format, "Get-NetTCPConnection : Zugriff verweigert\n  + Zeile:1\u001b[2J\n");
    expect(table).toEqual({
      listeners: [],
      connections: [],
      problems: [
        {
          code: "not-a-table",
          message:
            "this is not the output of the expected tool; it begins with: Get-NetTCPConnection : Zugriff verweigert",
        },
      ],
    });
  });

  it.each<[SocketTableFormat, string]>([
    ["ss", "Netid State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"],
    ["lsof", "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n"],
    [
      "netstat-linux",
      "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address Foreign Address State\n",
    ],
    ["netstat-darwin", "Active Internet connections\nProto Recv-Q Send-Q  Local Address  Foreign Address  (state)\n"],
    [
      "netstat-windows",
      "\r\nАктивные подключения\r\n\r\n  Имя    Локальный адрес   Внешний адрес   Состояние   PID\r\n",
    ],
    ["get-nettcpconnection", "[]"],
  ])("takes %s output with a header and no rows for an empty table", (format, text) => {
    expect(parseSocketTable(format, text)).toEqual(EMPTY);
  });

  it("says unknown-format for a format nobody knows, instead of throwing", () => {
    expect(codes(parseSocketTable("toString" as SocketTableFormat, "x"))).toEqual(["unknown-format"]);
  });

  it("lists at most a hundred bad lines, clipped and escaped, and counts the rest", () => {
    const text = `tcp LISTEN 0 5 1.2.3.4:5 *:*\n${`\u001b[31m${"x".repeat(5000)}\n`.repeat(150)}`;
    const { problems } = parseSocketTable("ss", text);
    expect(problems).toHaveLength(101);
    expect(problems[0]?.message).toMatch(/^line 2: not a row of ss: \\u\{1b\}\[31mx{100,160}…$/);
    expect(problems[100]).toEqual({ code: "more-problems", message: "50 more lines have problems" });
  });

  it("reports a line that is too long to be a row", () => {
    const text = `${socketSample("netstat-linux-wide.txt")}tcp ${"1".repeat(100_000)}\n`;
    expect(codes(parseSocketTable("netstat-linux", text))).toEqual(["line-too-long"]);
  });
});

describe("parseSocketTable of captures taken in one moment", () => {
  const ss = read("ss", "ss-all.txt");
  /** What only ss tells: the zone, the family of "*", and the sockets without an owner. */
  const plain = (lines: readonly string[]): string[] =>
    lines.map((line) => line.replace(/ \S+$| \d+\/[^]*$/, "").replace("%lo:", ":"));

  it("finds in lsof -F what ss shows, with the same holders, but for TIME_WAIT", () => {
    const table = read("lsof-F", "lsof-fields-linux.txt");
    expect(table.problems).toEqual([]);
    expect(plain(listenerLines(table))).toEqual([
      "tcp/4 *:8089 LISTEN",
      "tcp/4 127.0.0.1:8090 LISTEN",
      "tcp/4 127.0.0.1:8300 LISTEN",
      "tcp/4 127.0.0.1:8401 LISTEN",
      "tcp/4 127.0.0.1:8402 LISTEN",
      "tcp/4 127.0.0.1:8403 LISTEN",
      "tcp/4 127.0.0.1:8404 LISTEN",
      "tcp/6 *:8087 LISTEN",
      "tcp/6 *:8088 LISTEN",
      "tcp/6 2001:db8:1234:5678:9abc::12:8086 LISTEN",
      "tcp/6 fe80::1815:3ff:feba:1:8085 LISTEN",
      "udp/4 *:8091 UNCONN",
      "udp/6 *:8092 UNCONN",
    ]);
    expect(connectionLines(table)).toEqual(connectionLines(ss).filter((line) => !line.includes("TIME_WAIT")));
    const byInode = new Map(ss.listeners.map((row) => [row.inode, row]));
    for (const row of table.listeners) {
      const same = byInode.get(row.inode);
      const order = (a: { pid: number }, b: { pid: number }): number => a.pid - b.pid;
      expect([row.port, row.owners.toSorted(order)]).toEqual([same?.port, same?.owners.toSorted(order)]);
      expect([row.uid, row.user]).toEqual([0, "root"]);
    }
  });

  it("reads lsof columns like its fields, but for the cut names", () => {
    const cut = ({ listeners, connections }: SocketTable): unknown =>
      [...listeners, ...connections].map((row) => ({
        ...row,
        name: null,
        uid: null,
        owners: row.owners.map((owner) => owner.pid),
      }));
    const table = read("lsof", "lsof-linux.txt");
    expect(table.problems).toEqual([]);
    expect(cut(table)).toEqual(cut(read("lsof-F", "lsof-fields-linux.txt")));
    expect(table.listeners.find((row) => row.port === 8402)?.name).toBe("a\nb c");
    expect(table.listeners.find((row) => row.port === 8401)?.name).toBe('sshd",pid');
  });

  it("finds in netstat -W what ss shows", () => {
    const table = read("netstat-linux", "netstat-linux-wide.txt");
    expect(table.problems).toEqual([]);
    expect(plain(listenerLines(table)).toSorted()).toEqual(
      plain(listenerLines(ss).map((line) => line.replace("/46 *:", "/6 :::"))).toSorted(),
    );
    expect(plain(connectionLines(table))).toEqual(plain(connectionLines(ss)));
    expect(table.listeners.find((row) => row.port === 8300)).toMatchObject({
      pid: 17_179,
      name: "node",
      uid: 0,
      inode: 38_144,
    });
    expect(table.connections.find((row) => row.state === "TIME_WAIT")).toMatchObject({
      pid: null,
      uid: null,
      inode: null,
    });
  });

  it("never shows an address that netstat without -W may have cut", () => {
    const table = read("netstat-linux", "netstat-linux-narrow.txt");
    expect(codes(table)).toEqual(Array.from({ length: 4 }, () => "truncated-address"));
    expect(listenerLines(table).filter((line) => line.startsWith("tcp/6"))).toEqual([
      "tcp/6 :::8087 LISTEN 17178/node",
      "tcp/6 :::8088 LISTEN 17178/node",
    ]);
  });

  it("merges the tools into exactly what ss shows, with the users that only lsof knows", () => {
    const merged = mergeTables([
      ss,
      read("lsof-F", "lsof-fields-linux.txt"),
      parseNetstatLinux(socketSample("netstat-linux-wide.txt"), { isWide: true }),
    ]);
    expect(listenerLines(merged)).toEqual(listenerLines(ss));
    expect(connectionLines(merged)).toEqual(connectionLines(ss));
    expect(merged.listeners.every((row) => row.user === "root")).toBe(true);
  });
});

describe("parseSocketTable of lsof", () => {
  it("reads the macOS columns: scope inside the address, twin rows, escapes, closed and unbound sockets", () => {
    const table = read("lsof", "lsof-darwin.txt");
    expect(table.problems).toEqual([]);
    expect(listenerLines(table)).toEqual([
      "tcp/4 *:50200 LISTEN 733/sharing",
      "tcp/4 127.0.0.1:5600 LISTEN 1900/Edit P",
      "tcp/6 *:50200 LISTEN 733/sharing",
      "tcp/6 fe80::1c2d:3e4f:5a6b:7c8d%14:49200 LISTEN 91/linkd",
    ]);
    expect(connectionLines(table)).toEqual([
      "tcp/4 198.51.100.7:60100 > 203.0.113.8:443 ESTABLISHED 801/mail",
      "tcp/6 fe80::1c2d:3e4f:5a6b:7c8d%14:49201 > fe80::1%14:60001 ESTABLISHED 91/linkd",
    ]);
  });

  it("reads the macOS fields", () => {
    const table = read("lsof-F", "lsof-fields-darwin.txt");
    expect(table.problems).toEqual([]);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 *:50200 LISTEN 733/sharing",
      "tcp/6 *:50200 LISTEN 733/sharing",
      "tcp/6 fe80::1c2d:3e4f:5a6b:7c8d%14:49200 LISTEN 91/linkd",
      "udp/4 198.51.100.7:61000 > 203.0.113.99:443 ESTABLISHED 1900/Edit Pad Helper",
    ]);
    expect(table.listeners[0]).toMatchObject({ uid: 502, user: "dora" });
  });

  it("counts columns from the right, so that a name with spaces forges nothing", () => {
    const row = "x 1 root 3u IPv4 1 0t0 4242 mallory 9u IPv4 77 0t0 TCP 10.0.0.1:80 (LISTEN)";
    const [listener] = parseSocketTable("lsof", row).listeners;
    expect([listener?.pid, listener?.user, listener?.name]).toEqual([4242, "mallory", "x 1 root 3u IPv4 1 0t0"]);
  });

  it("passes over open files and reports rows it cannot read", () => {
    const head = "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n";
    const text = `${head}a 7 root cwd DIR 8,1 4096 2 /\na 7 root 3u IPv4 5 0t0 TCP nohost:http (LISTEN)\na 7 root 3u IPv4 5 0t0 TCP\n`;
    expect(parseSocketTable("lsof", text).problems).toEqual([
      {
        code: "bad-address",
        message: "line 3: an address or port is not numeric: a 7 root 3u IPv4 5 0t0 TCP nohost:http (LISTEN)",
      },
      {
        code: "bad-row",
        message: "line 4: not a row of an internet socket: a 7 root 3u IPv4 5 0t0 TCP",
      },
    ]);
  });

  it("keeps a TCP socket without a state as a listener whose state is unknown", () => {
    const table = parseSocketTable("lsof-F", "p7\ncx\nf3\ntIPv4\nPTCP\nn*:80\n");
    expect(listenerLines(table)).toEqual(["tcp/4 *:80 UNKNOWN 7/x"]);
  });

  it("reports messages of lsof and fields out of place between the fields", () => {
    const text = "p7\ncx\nn*:80\nlsof: WARNING: can't stat() fuse\nf3\ntIPv4\nPTCP\nn*:81\nTST=LISTEN\npx\nf4\n";
    const table = parseSocketTable("lsof-F", text);
    expect(codes(table)).toEqual(["bad-row", "tool-message", "bad-row", "bad-row"]);
    expect(listenerLines(table)).toEqual(["tcp/4 *:81 LISTEN 7/x"]);
  });
});

describe("parseSocketTable of netstat", () => {
  it("reads program names with spaces and slashes, unknown programs, and timers on Linux", () => {
    const head = "Proto Recv-Q Send-Q Local Address Foreign Address State User Inode PID/Program name Timer\n";
    const text = [
      "tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN 0 100 1/my server: a/b off (0.00/0/0)",
      "udp 0 0 10.0.0.1:68 0.0.0.0:* 33 101 2/LISTEN 5 off (0.00/0/0)",
      "tcp 0 0 10.0.0.1:9 10.0.0.2:8 ESTABLISHED www-data 102 - keepalive (1.00/0/0)",
      "udp 0 0 10.0.0.1:67 0.0.0.0:* 0 103 what is this off (0.00/0/0)",
    ].join("\n");
    const table = parseSocketTable("netstat-linux", head + text);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 0.0.0.0:22 LISTEN 1/my server: a/b",
      "udp/4 10.0.0.1:67 UNCONN -",
      "udp/4 10.0.0.1:68 UNCONN 2/LISTEN 5",
      "tcp/4 10.0.0.1:9 > 10.0.0.2:8 ESTABLISHED -",
    ]);
    expect(codes(table)).toEqual(["owner-unreadable"]);
    expect(table.connections[0]).toMatchObject({ user: "www-data", uid: null, inode: 102 });
  });

  it.each([
    ["tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN 7/node 5", 7, "node 5", null],
    ["tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN 0 1060 7/node", 7, "node", 1060],
    ["tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN -", null, null, null],
    ["tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN", null, null, null],
  ])("reads a Linux row without its header: %s", (line, pid, name, inode) => {
    const [row] = parseSocketTable("netstat-linux", line).listeners;
    expect([row?.pid, row?.name, row?.inode]).toEqual([pid, name, inode]);
  });

  it("goes on after a program name that forges the title of another list", () => {
    const text =
      "tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN 7/x\nActive UNIX domain sockets\ntcp 0 0 0.0.0.0:23 0.0.0.0:* LISTEN 8/y\n";
    expect(parseSocketTable("netstat-linux", text).listeners.map((row) => row.port)).toEqual([22, 23]);
    const darwin = "tcp4 0 0 *.22 *.* LISTEN\nActive LOCAL (UNIX) domain sockets\ntcp4 0 0 *.23 *.* LISTEN\n";
    expect(parseSocketTable("netstat-darwin", darwin).listeners.map((row) => row.port)).toEqual([22, 23]);
  });

  it("reads the modern macOS columns from the right, whatever the process calls itself", () => {
    const table = read("netstat-darwin", "netstat-darwin-modern.txt");
    expect(table.problems).toEqual([]);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 *:6100 LISTEN 777/a:1 00100 0000000",
      "tcp/46 *:18789 LISTEN 2301/openclaw-gateway",
      "tcp/6 ::1:5433 LISTEN 310/database",
      "tcp/6 fe80::77%en0:3100 LISTEN 2400/node",
      "udp/4 *:5353 UNCONN 201/responder",
      "tcp/4 198.51.100.7:50110 > 203.0.113.40:993 ESTABLISHED 1420/Postbox Beta",
      "tcp/6 2001:db8:aa:bb:1c2d:3e4f:5a6b:7c8d:51200 > 2001:db8:ffff::443:1:443 CLOSE_WAIT 2400/node",
      "udp/4 198.51.100.7:61000 > 203.0.113.99:443 ESTABLISHED 990/Web Content Hel",
    ]);
  });

  it("reads the legacy macOS columns, where the buffer size is not the pid", () => {
    const table = read("netstat-darwin", "netstat-darwin-legacy.txt");
    expect(table.problems).toEqual([]);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 *:4000 LISTEN 22110",
      "tcp/46 *:8443 LISTEN 22111",
      "udp/6 *:5353 UNCONN 201",
      "tcp/4 198.51.100.7:52000 > 203.0.113.8:443 SYN_SENT 811",
    ]);
  });

  it("never shows an address that macOS netstat without -W may have cut", () => {
    const table = read("netstat-darwin", "netstat-darwin-truncated.txt");
    expect(codes(table)).toEqual(["truncated-address", "truncated-address"]);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 *:22 LISTEN -",
      "tcp/4 198.51.100.7:52001 > 203.0.113.8:443 ESTABLISHED -",
    ]);
  });

  it("keeps a macOS row whose process column is missing, without an owner", () => {
    const text = socketSample("netstat-darwin-legacy.txt").replace(/131072 131072 {2}22110.*/, "131072 x");
    const table = parseSocketTable("netstat-darwin", text);
    expect([codes(table), listenerLines(table)[0]]).toEqual([["owner-unreadable"], "tcp/4 *:4000 LISTEN -"]);
  });

  it("reads Windows rows in English: zones, v4-mapped ends, UDP without a state, TIME_WAIT without an owner", () => {
    const table = read("netstat-windows", "netstat-windows-en.txt");
    expect(table.problems).toEqual([]);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 0.0.0.0:445 LISTEN 4",
      "tcp/4 127.0.0.1:18789 LISTEN 8120",
      "tcp/6 :::445 LISTEN 4",
      "tcp/6 fe80::1c2d:3e4f%6:53 LISTEN 2900",
      "udp/4 0.0.0.0:500 UNCONN 3300",
      "udp/6 fe80::1c2d:3e4f%6:1900 UNCONN 3301",
      "tcp/4 198.51.100.7:50001 > 203.0.113.8:443 ESTABLISHED 8120",
      "tcp/4 198.51.100.7:50002 > 203.0.113.9:443 TIME_WAIT -",
      "tcp/4 198.51.100.7:8000 > 203.0.113.5:50102 CLOSE_WAIT 100",
    ]);
  });

  it("recognises Windows listeners by their foreign end and not by a word, and reads German states", () => {
    const table = read("netstat-windows", "netstat-windows-de.txt");
    expect(table.problems).toEqual([]);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 0.0.0.0:8181 LISTEN 2345",
      "tcp/6 :::8181 LISTEN 2345",
      "udp/4 0.0.0.0:5353 UNCONN 2400",
      "tcp/4 198.51.100.7:50003 > 203.0.113.8:443 CLOSE_WAIT 6100",
      "tcp/4 198.51.100.7:50004 > 203.0.113.8:443 TIME_WAIT -",
      "tcp/4 198.51.100.7:8181 > 203.0.113.50:51000 ESTABLISHED 2345",
    ]);
  });

  it("shows a state in an unknown language as UNKNOWN and leaves bound-only sockets out", () => {
    const text = "TCP 10.0.0.1:5 10.0.0.2:6 ПОДКЛЮЧЕНО 7\nTCP 0.0.0.0:9 0.0.0.0:0 BOUND 7\n";
    const table = parseSocketTable("netstat-windows", text);
    expect([listenerLines(table), connectionLines(table)]).toEqual([[], ["tcp/4 10.0.0.1:5 > 10.0.0.2:6 UNKNOWN 7"]]);
  });
});

describe("parseSocketTable of Get-NetTCPConnection", () => {
  it("reads numeric and worded states, zones, TIME_WAIT without an owner, and leaves bound sockets out", () => {
    const table = read("get-nettcpconnection", "get-nettcpconnection.json.txt");
    expect(table.problems).toEqual([]);
    expect([...listenerLines(table), ...connectionLines(table)]).toEqual([
      "tcp/4 0.0.0.0:8182 LISTEN 6001",
      "tcp/6 fe80::77%6:8182 LISTEN 6001",
      "tcp/4 198.51.100.7:52000 > 203.0.113.8:443 ESTABLISHED 6002",
      "tcp/4 198.51.100.7:52001 > 203.0.113.8:443 TIME_WAIT -",
    ]);
  });

  it("reads the single object that PowerShell prints for one row, after a byte order mark", () => {
    const text =
      '\uFEFF{"LocalAddress":"::1","LocalPort":6000,"RemoteAddress":"::","RemotePort":0,"State":2,"OwningProcess":12}\r\n';
    expect(listenerLines(parseSocketTable("get-nettcpconnection", text))).toEqual(["tcp/6 ::1:6000 LISTEN 12"]);
  });

  it.each(["null", "3", '"text"', "{}", "[3]", "{", "[".repeat(200_000)])("says not-a-table for %.20s", (text) => {
    expect(codes(parseSocketTable("get-nettcpconnection", text))).toEqual(["not-a-table"]);
  });

  it("reports entries it cannot read beside those it can", () => {
    const good = '{"LocalAddress":"::1","LocalPort":1,"RemoteAddress":"::","RemotePort":0,"State":2,"OwningProcess":1}';
    const text = `[${good},${good.replace("1,", "70000,")},${good.replace('"State":2,', "")},4]`;
    const table = parseSocketTable("get-nettcpconnection", text);
    expect([table.listeners.length, codes(table)]).toEqual([1, ["bad-row", "bad-row", "bad-row"]]);
  });
});
