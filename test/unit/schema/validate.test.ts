import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { invalid, parseWith } from "../../../src/schema/validate.ts";

const RULE = Type.Object(
  { port: Type.Integer({ minimum: 0, maximum: 65_535 }), note: Type.Optional(Type.String({ default: "none" })) },
  { additionalProperties: false },
);
const RULES = Type.Array(RULE);

function refusal(value: unknown): SecurityError {
  try {
    parseWith(RULES, value, "the baseline", "baseline-invalid");
  } catch (thrown) {
    if (thrown instanceof SecurityError) return thrown;
    throw thrown;
  }
  throw new Error("accepted");
}

describe("parseWith", () => {
  it("gives the same value back, with no default filled in", () => {
    const value = [{ port: 80 }, { port: 443, note: "web" }];
    const before = structuredClone(value);
    expect(parseWith(RULES, value, "the baseline", "baseline-invalid")).toBe(value);
    expect(value).toEqual(before);
  });

  it.each([
    ["a text that looks like a number", [{ port: "80" }], "/0/port"],
    ["a number out of range", [{ port: 65_536 }], "/0/port"],
    ["a fraction", [{ port: 80.5 }], "/0/port"],
    ["NaN", [{ port: Number.NaN }], "/0/port"],
    ["a missing key", [{ port: 80 }, {}], "/1/port"],
    ["an unknown key", [{ port: 80, prot: "tcp" }], "/0/prot"],
    ["null where a text belongs", [{ port: 80, note: null }], "/0/note"],
    ["the wrong kind of value", { port: 80 }, ""],
    ["nothing", undefined, ""],
  ])("refuses %s and says where", (_title, value, path) => {
    const error = refusal(value);
    expect(error).toMatchObject({
      code: "baseline-invalid",
      details: { issues: expect.arrayContaining([expect.objectContaining({ path })]) },
    });
  });

  it("carries every issue, but at most twenty of them", () => {
    expect(refusal([{ port: -1 }, { port: -2 }, { port: -3 }]).details?.["issues"]).toHaveLength(3);
    expect(refusal(Array.from({ length: 100_000 }, () => ({ port: -1 }))).details?.["issues"]).toHaveLength(20);
  });

  it("escapes and cuts a hostile key in its message", () => {
    const { message } = refusal([{ port: 80, [`\u001b[2J\n${"k".repeat(10_000)}`]: 1 }]);
    expect(message).toContain("/0/\\u{1b}[2J\\nkkk");
    expect(message.length).toBeLessThan(400);
  });
});

describe("invalid", () => {
  it.each([
    ["no issue", [], "the file is not valid: wrong shape"],
    ["one at the root", [{ path: "", message: "Expected array" }], "the file is not valid: Expected array"],
    ["one below", [{ path: "/0", message: "Expected object" }], "the file is not valid at /0: Expected object"],
    [
      "several",
      [
        { path: "/0", message: "Expected object" },
        { path: "/1", message: "Expected object" },
      ],
      "the file is not valid at /0: Expected object (and 1 more)",
    ],
  ])("words %s", (_title, issues, message) => {
    const error = invalid("the file", "policy-invalid", issues);
    expect([error.code, error.message, error.details]).toEqual(["policy-invalid", message, { issues }]);
  });
});
