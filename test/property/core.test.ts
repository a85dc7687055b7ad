import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBits, cidrHolds, parseAddress, parseCidr } from "../../src/core/address.ts";
import { SecurityError } from "../../src/core/error.ts";
import { parseStrictJson } from "../../src/core/json.ts";
import { clip, escapeControl } from "../../src/core/text.ts";
import { epochFromIso, isoFromEpoch } from "../../src/core/time.ts";

describe("parseStrictJson", () => {
  it("agrees with JSON.parse on the text of any value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseStrictJson(text, "x")).toEqual(JSON.parse(text));
      }),
    );
  });

  it("reads what JSON.parse reads or refuses with a documented code, for any text of JSON's characters", () => {
    const token = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"b"',
      '"\\u0061"',
      '"{"',
      "1",
      "null",
      " ",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
        const text = tokens.join("");
        try {
          expect(parseStrictJson(text, "x")).toEqual(JSON.parse(text));
        } catch (thrown) {
          if (!(thrown instanceof SecurityError)) throw thrown;
          if (thrown.code === "json-duplicate-key") JSON.parse(text);
          else expect(() => JSON.parse(text)).toThrow(SyntaxError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses any object in which one key is written twice", () => {
    const key = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat(), (keys, pick, place) => {
        const twice = keys[pick % keys.length] ?? "";
        const members = keys.map((name) => `${JSON.stringify(name)}:{"${"x".repeat(3)}":[]}`);
        const escaped = [...Array(twice.length).keys()].map(
          (index) => `\\u${twice.charCodeAt(index).toString(16).padStart(4, "0")}`,
        );
        members.splice(place % (members.length + 1), 0, `"${escaped.join("")}":0`);
        expect(() => parseStrictJson(`[{${members.join(",")}}]`, "x")).toThrow(
          expect.objectContaining({ code: "json-duplicate-key" }),
        );
      }),
    );
  });
});

describe("times", () => {
  const epoch = fc
    .integer({ min: Date.UTC(0, 0, 1) - 1_900 * 366 * 86_400_000, max: Date.UTC(9999, 11, 31) })
    .filter((at) => new Date(at).getUTCFullYear() >= 0);

  it("are written as Date writes them, without the fraction", () => {
    fc.assert(
      fc.property(epoch, (at) => {
        expect(isoFromEpoch(at)).toBe(new Date(at).toISOString().replace(/\.\d{3}/, ""));
      }),
    );
  });

  it("are read as Date reads them, with any offset and fraction", () => {
    fc.assert(
      fc.property(epoch, fc.integer({ min: -1439, max: 1439 }), (at, offsetMinutes) => {
        const size = Math.abs(offsetMinutes);
        const two = (value: number): string => String(value).padStart(2, "0");
        const zone = `${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
        const text = new Date(at).toISOString().replace("Z", zone);
        expect(epochFromIso(text)).toBe(Date.parse(text));
      }),
    );
  });

  it("come back after writing and reading, to the second", () => {
    fc.assert(
      fc.property(epoch, (at) => {
        expect(epochFromIso(isoFromEpoch(at))).toBe(Math.floor(at / 1000) * 1000);
      }),
    );
  });

  it("are null or what Date reads, for any text that looks like a date", () => {
    const text = fc.stringMatching(
      /^\d{4}-[0-1]\d-[0-3]\d(T[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,3})?(Z|[+-][0-2]\d:[0-6]\d))?$/,
    );
    fc.assert(
      fc.property(text, (value) => {
        const expected = Date.parse(value);
        const calendarDay = new Date(`${value.slice(0, 10)}T00:00:00Z`);
        // Date rolls 30 February over into March and takes 24:00; both are refused here.
        const rollsOver =
          Number.isNaN(calendarDay.getTime()) || !calendarDay.toISOString().startsWith(value.slice(0, 10));
        const refused = Number.isNaN(expected) || rollsOver || value.includes("T24:");
        expect(epochFromIso(value)).toBe(refused ? null : expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("escapeControl", () => {
  // Written out by hand, so that a mistake in the expression under test cannot hide here.
  const isUnsafe = (char: string): boolean => {
    const point = char.codePointAt(0) ?? 0;
    const ranges: readonly (readonly [number, number])[] = [
      [0, 0x1f],
      [0x7f, 0x9f],
      [0xad, 0xad],
      [0x34f, 0x34f],
      [0x61c, 0x61c],
      [0x115f, 0x1160],
      [0x17b4, 0x17b5],
      [0x180b, 0x180f],
      [0x200b, 0x200f],
      [0x2028, 0x202e],
      [0x2060, 0x206f],
      [0x3164, 0x3164],
      [0xd800, 0xdfff],
      [0xfe00, 0xfe0f],
      [0xfeff, 0xfeff],
      [0xffa0, 0xffa0],
      [0xfff9, 0xfffb],
      [0xe0000, 0xe0fff],
    ];
    return ranges.some(([from, to]) => point >= from && point <= to);
  };
  const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
  const hostileText = fc
    .array(
      fc.oneof(
        fc.constantFrom(0x1b, 0x0a, 0x202e, 0x200b, 0xd83d, 0xde00, 0xdb40, 0xdc41, 0x5c, 0x61),
        fc.integer({ min: 0, max: 0xffff }),
      ),
    )
    .map((units) => String.fromCharCode(...units));

  it("leaves nothing unsafe, and nothing more to escape", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostileText, fc.string({ unit: "binary" })), (text) => {
        const escaped = escapeControl(text);
        expect(Array.from(escaped).filter(isUnsafe)).toEqual([]);
        expect(escapeControl(escaped)).toBe(escaped);
      }),
      { numRuns: 1_000 },
    );
  });

  it("leaves nothing unsafe after a cut either, and keeps within the limit", () => {
    fc.assert(
      fc.property(
        fc.oneof(hostileText, fc.string({ unit: "grapheme" })),
        fc.integer({ min: 1, max: 20 }),
        (text, max) => {
          const cut = clip(text, max);
          expect(Array.from(cut).filter(isUnsafe)).toEqual([]);
          expect(cut.length).toBeLessThanOrEqual(max);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("cidrHolds", () => {
  const naive = (network: bigint, prefix: number, address: bigint, bits: number): boolean => {
    const shift = BigInt(bits - prefix);
    return network >> shift === address >> shift;
  };
  const textOf = (value: bigint, bits: number): string => {
    if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
    return [...Array(8).keys()].map((group) => ((value >> BigInt(112 - group * 16)) & 0xffffn).toString(16)).join(":");
  };
  const pair = fc.constantFrom(32, 128).chain((bits) =>
    fc.record({
      bits: fc.constant(bits),
      prefix: fc.integer({ min: 0, max: bits }),
      network: fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }),
      other: fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }),
      // Random addresses almost never share a long prefix, so flip one bit instead.
      flip: fc.option(fc.integer({ min: 0, max: bits - 1 })),
    }),
  );

  it("agrees with arithmetic on big integers", () => {
    fc.assert(
      fc.property(pair, ({ bits, prefix, network, other, flip }) => {
        const hostBits = BigInt(bits - prefix);
        const base = (network >> hostBits) << hostBits;
        const address = flip === null ? other : network ^ (1n << BigInt(flip));
        // v4-mapped addresses are IPv4 here, on purpose.
        fc.pre(bits === 32 || (base >> 32n !== 0xffffn && address >> 32n !== 0xffffn));
        const cidr = parseCidr(`${textOf(base, bits)}/${prefix}`);
        const found = addressBits(textOf(address, bits));
        expect(cidr !== null && found !== null && cidrHolds(cidr, found)).toBe(naive(base, prefix, address, bits));
        expect([cidr, found]).not.toContain(null);
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses every network with a host bit set", () => {
    fc.assert(
      fc.property(pair, ({ bits, prefix, network }) => {
        fc.pre(prefix < bits && (bits === 32 || network >> 32n !== 0xffffn));
        const hostBits = BigInt(bits - prefix);
        const hasHostBits = (network >> hostBits) << hostBits !== network;
        expect(parseCidr(`${textOf(network, bits)}/${prefix}`) === null).toBe(hasHostBits);
      }),
    );
  });
});

describe("parseAddress", () => {
  it("gives a text that it reads as the same address again", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), (text) => {
        const first = parseAddress(text);
        if (first === null) return;
        expect(parseAddress(first.address)).toEqual(first);
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads every dotted IPv4 and every IPv6 address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        expect(parseAddress(text)).not.toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-fx:.%/]*$/)), (text) => {
        parseAddress(text);
        parseCidr(text);
      }),
      { numRuns: 2_000 },
    );
  });
});
