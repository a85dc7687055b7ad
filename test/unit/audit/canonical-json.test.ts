import { describe, expect, it } from "vitest";
import { parseCanonical, renderCanonical } from "../../../src/audit/canonical-json.ts";
import { scanCanonical } from "../../../src/audit/scan-canonical.ts";

describe("renderCanonical", () => {
  it("sorts keys at every depth and writes no white space", () => {
    expect(renderCanonical({ b: [1, { d: null, c: true }], a: "x" })).toBe('{"a":"x","b":[1,{"c":true,"d":null}]}');
  });

  it("orders keys by UTF-16 code units, as RFC 8785 does", () => {
    const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
    const keys = [...renderCanonical(value).matchAll(/:(\d)/g)].map(([, digit]) => digit);
    expect(keys.join("")).toBe("2467153");
  });

  it("T87: escapes everything outside printable ASCII, half a surrogate pair included", () => {
    expect(renderCanonical("\u001b[8m\n\u007f\u009b\u2028\u202e\ud800é")).toBe(
      String.raw`"\u001b[8m\n\u007f\u009b\u2028\u202e\ud800\u00e9"`,
    );
  });

  it.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("refuses the number %s", (value) => {
    expect(() => renderCanonical({ value })).toThrow(RangeError);
  });
});

describe("parseCanonical", () => {
  it.each([
    '{"a":1,"b":[true,null,"x"]}',
    String.raw`{"a":"\u00e9\ud800\n"}`,
    '{"10":1,"9":2}',
    '{"__proto__":{"a":1}}',
    "[]",
  ])("gives back the value of %s", (text) => {
    expect(renderCanonical(parseCanonical(text) ?? null)).toBe(text);
  });

  it.each([
    ["a duplicate key", '{"a":1,"a":1}'],
    ["a duplicate key in another spelling", String.raw`{"a":1,"\u0061":1}`],
    ["keys out of order", '{"b":1,"a":2}'],
    ["keys out of order inside", '{"a":{"c":1,"b":2}}'],
    ["white space", '{"a": 1}'],
    ["white space around", ' {"a":1}'],
    ["another spelling of a number", '{"a":1.0}'],
    ["an exponent", '{"a":1e3}'],
    ["a fraction", '{"a":1.5}'],
    ["minus zero", '{"a":-0}'],
    ["a leading zero", '{"a":01}'],
    ["a word that is no value", '{"a":nul}'],
    ["something behind the value", '{"a":1}1'],
    ["a number beyond 2^53", '{"a":9007199254740993}'],
    ["a needless escape", String.raw`{"a":"\u0041"}`],
    ["an escape in capitals", String.raw`{"a":"\u00E9"}`],
    ["another escape of a control", String.raw`{"a":"\u000a"}`],
    ["an escaped slash", String.raw`{"a":"\/"}`],
    ["a raw character beyond ASCII", '{"a":"é"}'],
    ["a raw DEL", '{"a":"\u007f"}'],
    ["cut text", '{"a":1'],
    ["nothing", '{"a":}'],
  ])("refuses %s", (_what, text) => {
    expect(parseCanonical(text)).toBeUndefined();
    expect(scanCanonical(text)).toBeNull();
    expect(scanCanonical(`{"v":[${text}]}`)).toBeNull();
  });

  it("refuses a value that is nested too deeply instead of failing", () => {
    expect(parseCanonical("[".repeat(100_000))).toBeUndefined();
    expect(() => parseCanonical(`${"[".repeat(50_000)}${"]".repeat(50_000)}`)).not.toThrow();
  });
});
