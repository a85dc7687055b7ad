import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/core/address.ts";
import { createProcTableParser, parseProcTable, type ProcTableName } from "../../src/scan/proc-net.ts";
import { PROC_HEADER, procRow } from "../helpers/proc-tree.ts";

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

/** Words of four bytes, each turned around, as a little-endian kernel prints them. */
function kernelHex(bytes: Uint8Array): string {
  return Array.from({ length: bytes.length / 4 }, (_, word) =>
    Buffer.from(bytes.slice(word * 4, word * 4 + 4).toReversed()).toString("hex"),
  )
    .join("")
    .toUpperCase();
}

/** The address as plain text, for the reader that the rest of the project uses. */
function plainText(bytes: Uint8Array): string | undefined {
  const text =
    bytes.length === 4 ? bytes.join(".") : (Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? []).join(":");
  return parseAddress(text)?.address;
}

const row = (length: number) =>
  fc.record({
    local: bytesOf(length),
    remote: bytesOf(length),
    localPort: fc.nat(65_535),
    remotePort: fc.nat(65_535),
    state: fc.integer({ min: 1, max: 12 }),
    uid: fc.nat(4_294_967_294),
    inode: fc.nat(4_294_967_295),
    slot: fc.nat(200_000),
  });
const table = fc
  .constantFrom<ProcTableName>("tcp", "tcp6", "udp", "udp6")
  .chain((name) => fc.tuple(fc.constant(name), fc.array(row(name.endsWith("6") ? 16 : 4), { maxLength: 30 })));

type Row = ReturnType<typeof row> extends fc.Arbitrary<infer T> ? T : never;

function print(rows: readonly Row[]): string {
  const port = (value: number): string => value.toString(16).toUpperCase().padStart(4, "0");
  const lines = rows.map((one) =>
    procRow({
      local: `${kernelHex(one.local)}:${port(one.localPort)}`,
      remote: `${kernelHex(one.remote)}:${port(one.remotePort)}`,
      state: one.state.toString(16).toUpperCase().padStart(2, "0"),
      uid: one.uid,
      inode: one.inode,
      slot: one.slot,
    }),
  );
  return PROC_HEADER + lines.join("");
}

describe("the parser of the kernel's socket tables", () => {
  it("reads back every row that was printed", () => {
    fc.assert(
      fc.property(table, ([name, rows]) => {
        const parsed = parseProcTable(name, Buffer.from(print(rows)));
        expect(parsed.malformed).toBe(0);
        expect(
          parsed.sockets.map((one) => [
            one.localAddress,
            one.localPort,
            one.remoteAddress,
            one.remotePort,
            one.uid,
            one.inode,
          ]),
        ).toEqual(
          rows.map((one) => [
            plainText(one.local),
            one.localPort,
            plainText(one.remote),
            one.remotePort,
            one.uid,
            one.inode,
          ]),
        );
      }),
    );
  });

  it("reads the same however the table is cut into pieces, through one buffer used again", () => {
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 400 }), ([name, rows], size) => {
        const bytes = Buffer.from(print(rows));
        const parser = createProcTableParser(name, "all");
        const buffer = Buffer.alloc(size);
        for (let at = 0; at < bytes.length; at += size) {
          buffer.fill(0x0a);
          parser.push(buffer, bytes.copy(buffer, 0, at, at + size));
        }
        expect(parser.end()).toEqual(parseProcTable(name, bytes));
      }),
    );
  });

  it("takes any bytes without throwing and says when they are no table", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (noise, withHeader) => {
        const bytes = Buffer.concat([Buffer.from(withHeader ? PROC_HEADER : ""), noise]);
        const parsed = parseProcTable("tcp", bytes);
        expect(parsed.hasHeader || parsed.sockets.length === 0).toBe(true);
      }),
    );
  });

  it("finds among all rows exactly the listeners it finds when only they are wanted", () => {
    fc.assert(
      fc.property(table, ([name, rows]) => {
        const bytes = Buffer.from(print(rows));
        const all = parseProcTable(name, bytes).sockets.filter(
          (one) => one.state === "LISTEN" || one.state === "UNCONN",
        );
        const listening = parseProcTable(name, bytes, "listening").sockets;
        expect(listening).toEqual(all);
      }),
    );
  });
});
