import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeControl } from "../../src/core/text.ts";
import { parseSocketTable } from "../../src/scan/parse-socket-table.ts";
import type { SocketTable, SocketTableFormat } from "../../src/scan/socket-table.ts";
import { socketSample } from "../helpers/socket-samples.ts";

const SAMPLES: Readonly<Record<SocketTableFormat, readonly string[]>> = {
  ss: ["ss-all.txt", "ss-established.txt"],
  lsof: ["lsof-linux.txt", "lsof-darwin.txt"],
  "lsof-F": ["lsof-fields-linux.txt", "lsof-fields-darwin.txt"],
  "netstat-linux": ["netstat-linux-wide.txt", "netstat-linux-narrow.txt"],
  "netstat-darwin": ["netstat-darwin-modern.txt", "netstat-darwin-legacy.txt"],
  "netstat-windows": ["netstat-windows-en.txt", "netstat-windows-de.txt"],
  "get-nettcpconnection": ["get-nettcpconnection.json.txt"],
};
const FORMATS = Object.keys(SAMPLES) as SocketTableFormat[];

function assertSound(table: SocketTable): void {
  const ports = [
    ...table.listeners.map((row) => row.port),
    ...table.connections.flatMap((row) => [row.local_port, row.remote_port]),
  ];
  expect(ports.filter((port) => !Number.isInteger(port) || port < 0 || port > 65_535)).toEqual([]);
  for (const row of [...table.listeners, ...table.connections]) {
    expect(row.pid === null || row.owners.some((owner) => owner.pid === row.pid)).toBe(true);
    expect(row.owners.every((owner) => Number.isSafeInteger(owner.pid) && owner.pid > 0)).toBe(true);
  }
  expect(
    table.problems.filter(({ code, message }) => !/^[a-z-]+$/.test(code) || escapeControl(message) !== message),
  ).toEqual([]);
}

/** Text near to real output: pieces of a real sample, cut, doubled and mixed with other text. */
function damaged(format: SocketTableFormat): fc.Arbitrary<string> {
  const text = SAMPLES[format].map(socketSample).join("\n");
  const piece = fc.tuple(fc.nat(text.length), fc.nat(200)).map(([start, length]) => text.slice(start, start + length));
  const alien = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom("\n", "\0", " ", '"', ":", "::1", "*:*", '",pid=1,fd=2)'),
  );
  return fc.array(fc.oneof({ weight: 3, arbitrary: piece }, alien), { maxLength: 12 }).map((parts) => parts.join(""));
}

describe("parseSocketTable", () => {
  it.each(FORMATS)("never throws and gives sound rows for any text as %s", (format) => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), damaged(format)), (text) => {
        assertSound(parseSocketTable(format, text));
      }),
    );
  });

  it.each(FORMATS)("says something about text of which it makes nothing as %s", (format) => {
    const words = fc.array(fc.stringMatching(/^[g-oq-z]{2,8}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(words, (parts) => {
        expect(parseSocketTable(format, parts.join(" ")).problems.map((problem) => problem.code)).toEqual([
          "not-a-table",
        ]);
      }),
    );
  });

  it("never names a process in ss output that is not a real holder, whatever the holders call themselves", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 15 }).filter((text) => Buffer.byteLength(text) <= 15),
      fc
        .array(fc.constantFrom('"', ",", "(", ")", "\n", " ", "pid=1", ",fd=2", '",pid=1', '",pid=1,fd=2)', '("'), {
          maxLength: 8,
        })
        .map((parts) => parts.join("").slice(0, 15)),
    );
    const holders = fc.array(fc.record({ name, pid: fc.integer({ min: 2, max: 99_999 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(holders, (list) => {
        const users = list.map((holder) => `("${holder.name}",pid=${holder.pid},fd=3)`).join(",");
        const text = `LISTEN 0 5 10.0.0.1:80 0.0.0.0:* users:(${users})\nLISTEN 0 5 10.0.0.1:81 0.0.0.0:*\n`;
        const table = parseSocketTable("ss", text);
        expect(table.listeners.map((row) => row.port)).toEqual([80, 81]);
        expect(table.connections).toEqual([]);
        const [row] = table.listeners;
        const isToldUnclear = table.problems.some((problem) => problem.code === "ambiguous-owner");
        expect(row?.owners.map((owner) => owner.pid)).toEqual(
          isToldUnclear ? [] : [...new Set(list.map((holder) => holder.pid))],
        );
      }),
      { numRuns: 1000 },
    );
  });

  it.each(FORMATS)("reads ten thousand rows as %s", (format) => {
    const rows = Array.from({ length: 10_000 }, (_, index) => manyRows(format, index));
    const text = format === "get-nettcpconnection" ? `[${rows.join(",")}]` : rows.join("\n");
    const table = parseSocketTable(format, text);
    expect([table.listeners.length, table.problems]).toEqual([10_000, []]);
  });

  it("reads a listener with ten thousand holders", () => {
    const users = Array.from({ length: 10_000 }, (_, index) => `("nginx",pid=${index + 1},fd=6)`).join(",");
    const [row] = parseSocketTable("ss", `LISTEN 0 5 10.0.0.1:80 0.0.0.0:* users:(${users})`).listeners;
    expect(row?.owners.length).toBe(10_000);
  });
});

function manyRows(format: SocketTableFormat, index: number): string {
  const port = index + 1000;
  switch (format) {
    case "ss":
      return `tcp LISTEN 0 5 10.0.0.1:${port} 0.0.0.0:* users:(("a",pid=${index + 1},fd=3)) ino:${index + 1} sk:1 cgroup:/ <->`;
    case "lsof":
      return `a ${index + 1} root 3u IPv4 ${index + 1} 0t0 TCP 10.0.0.1:${port} (LISTEN)`;
    case "lsof-F":
      return `p${index + 1}\0ca\0\nf3\0tIPv4\0PTCP\0n10.0.0.1:${port}\0TST=LISTEN\0`;
    case "netstat-linux":
      return `tcp 0 0 10.0.0.1:${port} 0.0.0.0:* LISTEN ${index + 1}/a`;
    case "netstat-darwin":
      return `tcp4 0 0 10.0.0.1.${port} *.* LISTEN`;
    case "netstat-windows":
      return `  TCP    10.0.0.1:${port}    0.0.0.0:0    LISTENING    ${index + 1}`;
    case "get-nettcpconnection":
      return `{"LocalAddress":"10.0.0.1","LocalPort":${port},"RemoteAddress":"0.0.0.0","RemotePort":0,"State":2,"OwningProcess":${index + 1}}`;
  }
}
