import { describe, expect, it } from "vitest";
import {
  createAddressTexts,
  createProcTableParser,
  type ProcTable,
  parseProcTable,
} from "../../../src/scan/proc-net.ts";

const HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const LISTEN =
  "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0\n";
const ESTABLISHED =
  "  12: 0A00020F:A4D2 2EA2A28C:01BB 01 00000000:00000000 02:00000123 00000000    33        0 815 2 0000000000000000 20 4 30 10 -1\n";
const TIME_WAIT =
  "10000: 0A00020F:A4D3 2EA2A28C:01BB 06 00000000:00000000 03:00000123 00000000     0        0 0 3 0000000000000000\n";

function parse(
  text: string,
  name: Parameters<typeof parseProcTable>[0] = "tcp",
  wanted?: "all" | "listening",
): ProcTable {
  return parseProcTable(name, Buffer.from(text), wanted);
}

function six(local: string, state = "0A", inode = 7): string {
  return `${HEADER}   0: ${local}:0050 00000000000000000000000000000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;
}

describe("parseProcTable", () => {
  it("reads a listener with its uid and inode", () => {
    expect(parse(HEADER + LISTEN)).toEqual({
      hasHeader: true,
      malformed: 0,
      dropped: 0,
      sockets: [
        {
          protocol: "tcp",
          localAddress: "127.0.0.1",
          localPort: 8080,
          remoteAddress: "0.0.0.0",
          remotePort: 0,
          state: "LISTEN",
          uid: 1000,
          inode: 4711,
        },
      ],
    });
  });

  it("reads connections, also in a row whose number is wider than the column", () => {
    const { sockets } = parse(HEADER + ESTABLISHED + TIME_WAIT);
    expect(
      sockets.map((one) => [one.localAddress, one.localPort, one.remoteAddress, one.remotePort, one.state, one.inode]),
    ).toEqual([
      ["15.2.0.10", 42_194, "140.162.162.46", 443, "ESTABLISHED", 815],
      ["15.2.0.10", 42_195, "140.162.162.46", 443, "TIME_WAIT", 0],
    ]);
  });

  it("gives only listeners when only listeners are wanted", () => {
    const { sockets } = parse(HEADER + ESTABLISHED + LISTEN + TIME_WAIT, "tcp", "listening");
    expect(sockets.map((one) => one.inode)).toEqual([4711]);
  });

  it.each([
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000001000000", "::1"],
    ["0000000000000000FFFF00000100007F", "127.0.0.1"],
    ["0000000000000000FFFF000000000000", "0.0.0.0"],
    ["B80D0120000000000000000001000000", "2001:db8::1"],
    ["000080FE00000000FF005450B6AD1DFE", "fe80::5054:ff:fe1d:adb6"],
  ])("reads the IPv6 address %s as %s", (hex, text) => {
    expect(parse(six(hex), "tcp6").sockets[0]?.localAddress).toBe(text);
  });

  it("tells a connected UDP socket from one that only has an address", () => {
    const row = (state: string): string =>
      `  1: 0100007F:0035 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000   101        0 99 2 0000000000000000 0\n`;
    const { sockets } = parse(HEADER + row("07") + row("01"), "udp");
    expect(sockets.map((one) => one.state)).toEqual(["UNCONN", "ESTABLISHED"]);
  });

  it("reads addresses of a big-endian kernel when told so", () => {
    const parser = createProcTableParser("tcp", "all", createAddressTexts(), false);
    const bytes = Buffer.from(HEADER + LISTEN.replace("0100007F", "7F000001"));
    parser.push(bytes, bytes.length);
    expect(parser.end().sockets[0]?.localAddress).toBe("127.0.0.1");
  });

  it.each([
    ["an empty file", ""],
    ["rows without a header", LISTEN],
    ["text that is no table", "no such thing\nat all\n"],
    ["a header that only begins like one", `slx local\n${LISTEN}`],
  ])("says that %s has no header and takes no row from it", (_what, text) => {
    expect(parse(text)).toMatchObject({ hasHeader: false, sockets: [] });
  });

  it("says that a table with a header and no row is a table", () => {
    expect(parse(HEADER)).toEqual({ hasHeader: true, sockets: [], malformed: 0, dropped: 0 });
  });

  it.each([
    ["cut inside the addresses", "   0: 0100007F:1F9"],
    ["cut before the inode", LISTEN.slice(0, 80)],
    ["with a letter in a number", LISTEN.replace("4711", "47x1")],
    ["with an address that is no hex", LISTEN.replace("0100007F", "010000ZZ")],
    ["with a port that is no hex", LISTEN.replace("1F90", "1G90")],
    ["with a state that is no hex", LISTEN.replace(" 0A ", " ?A ")],
    ["without a colon", "nonsense"],
    ["of endless digits", "9".repeat(100_000)],
  ])("counts a row %s as malformed and keeps the rows around it", (_what, row) => {
    const table = parse(`${HEADER + LISTEN}${row.replace(/\n$/, "")}\n${ESTABLISHED}`);
    expect(table.malformed).toBeGreaterThan(0);
    expect(table.sockets.map((one) => one.inode)).toEqual([4711, 815]);
  });

  it("gives an unknown state number a name of its own", () => {
    expect(parse(HEADER + LISTEN.replace(" 0A ", " 3F ")).sockets[0]?.state).toBe("UNKNOWN");
  });
});
