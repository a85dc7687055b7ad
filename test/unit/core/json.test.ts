import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { parseStrictJson } from "../../../src/core/json.ts";

function refusal(text: string): SecurityError {
  try {
    parseStrictJson(text, "the file");
  } catch (thrown) {
    if (thrown instanceof SecurityError) return thrown;
    throw thrown;
  }
  throw new Error("accepted");
}

describe("parseStrictJson", () => {
  it.each([
    ["null", null],
    ["0", 0],
    ['"text"', "text"],
    ["[]", []],
    ['{"a":[{"a":1},{"a":2}],"b":{"a":3}}', { a: [{ a: 1 }, { a: 2 }], b: { a: 3 } }],
    ['{"a":"{\\"a\\":1,\\"a\\":2}","b":"[,]"}', { a: '{"a":1,"a":2}', b: "[,]" }],
    ['{"a":"a","b":["a","a","a"]}', { a: "a", b: ["a", "a", "a"] }],
    ['{"a":"\\\\","b":"\\\\\\""}', { a: "\\", b: '\\"' }],
    ['{"deny":1,"Deny":2,"":3," ":4}', { deny: 1, Deny: 2, "": 3, " ": 4 }],
    ['\ufeff{"a":1}', { a: 1 }],
    [' \t\r\n{"a" : 1}\n', { a: 1 }],
  ])("accepts %s", (text, expected) => {
    expect(parseStrictJson(text, "the file")).toEqual(expected);
  });

  it("keeps __proto__ as a plain key that changes no prototype", () => {
    const value = parseStrictJson('{"__proto__":{"polluted":true}}', "the file") as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(["__proto__"]);
  });

  it.each([
    ["at the top", '{"a":1,"a":2}', "a", 1],
    ["on another line", '{\n"a":1,\n"b":2,\n"a":3}', "a", 4],
    ["by escape", '{"deny":1,"\\u0064eny":2}', "deny", 1],
    ["by an escaped slash", '{"a/b":1,"a\\/b":2}', "a/b", 1],
    ["in a nested object", '{"x":{"a":1,"b":{},"a":2}}', "a", 1],
    ["in an object of an array", '[1,{"a":1,"c":[1,"a"],"a":2}]', "a", 1],
    ["after a nested object with the same key", '{"a":{"a":1},"a":2}', "a", 1],
    ["that is empty", '{"":1,"":2}', "", 1],
    ["that is __proto__", '{"__proto__":1,"__proto__":2}', "__proto__", 1],
    ["after a byte order mark", '\ufeff{"a":1,"a":2}', "a", 1],
  ])("refuses a duplicate key %s", (_title, text, key, line) => {
    const error = refusal(text);
    expect(error.code).toBe("json-duplicate-key");
    expect(error.message).toBe(`the file has the key "${key}" twice in one object (line ${line})`);
  });

  it("shows a hostile duplicate key escaped and cut", () => {
    const key = `\\u001b[2J\\u202e${"k".repeat(10_000)}`;
    const { message } = refusal(`{"${key}":1,"${key}":2}`);
    expect(message).toContain('"\\u{1b}[2J\\u{202e}kkk');
    expect(message.length).toBeLessThan(200);
  });

  it.each([
    ["empty", "", "the file is empty"],
    ["only white space", " \n\t", "the file is empty"],
    ["only a byte order mark", "\ufeff", "the file is empty"],
  ])("says that a file is empty when it is %s", (_title, text, reason) => {
    expect(refusal(text)).toMatchObject({ code: "json-invalid", message: `the file is not valid JSON: ${reason}` });
  });

  it.each([
    ["a truncated object", '{"a":1'],
    ["a trailing comma", '{"a":1,}'],
    ["a trailing comma in an array", "[1,]"],
    ["a comment", '{"a":1} // no'],
    ["single quotes", "{'a':1}"],
    ["a bare key", "{a:1}"],
    ["two values", "{}{}"],
    ["NaN", "NaN"],
    ["a leading zero", "[01]"],
    ["a raw newline in a string", '"a\nb"'],
    ["an unpaired quote", '{"a'],
    ["two byte order marks", "\ufeff\ufeff{}"],
    ["a byte order mark inside", "{\ufeff}"],
    ["a form feed", "\f{}"],
  ])("refuses %s", (_title, text) => {
    expect(refusal(text).code).toBe("json-invalid");
  });

  it("does not repeat the text of the file, which may be a secret", () => {
    for (const text of ['["hunter2",]', "hunter2", '{"k":"hunter2"]', `${"x".repeat(50)}hunter2`]) {
      expect(refusal(text).message).not.toContain("unter2");
    }
  });

  it("escapes the character it complains about", () => {
    expect(refusal("\u001b[31m").message).toBe("the file is not valid JSON: Unexpected token '\\u{1b}'");
  });

  // Each of these would take minutes in quadratic time.
  it("reads two hundred thousand keys", () => {
    const text = `{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":0`).join(",")}}`;
    expect(Object.keys(parseStrictJson(text, "the file") as object)).toHaveLength(200_000);
  });

  it("reads a string of escapes of several megabytes", () => {
    expect(parseStrictJson(`["${'\\"'.repeat(2_000_000)}"]`, "the file")).toEqual(['"'.repeat(2_000_000)]);
  });

  it("finds a duplicate key below a hundred thousand objects", () => {
    const text = `${'{"a":'.repeat(100_000)}{"b":1,"b":2}${"}".repeat(100_000)}`;
    expect(refusal(text).code).toBe("json-duplicate-key");
  });

  it("either reads or refuses a hundred thousand arrays in each other", () => {
    let value: unknown;
    try {
      value = parseStrictJson(`${"[".repeat(100_000)}${"]".repeat(100_000)}`, "the file");
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "json-invalid" });
      return;
    }
    let depth = 0;
    while (Array.isArray(value)) {
      depth += 1;
      value = value[0];
    }
    expect(depth).toBe(100_000);
  });

  it("refuses a hundred thousand arrays that are never closed", () => {
    expect(refusal("[".repeat(100_000)).code).toBe("json-invalid");
  });
});
