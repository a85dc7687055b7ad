import { describe, expect, it } from "vitest";
import { asSecurityError, exitCodeOf, SecurityError, type SecurityErrorCode } from "../../../src/core/error.ts";

describe("SecurityError", () => {
  it("carries code, category, hint, details and cause", () => {
    const cause = new Error("below");
    const error = new SecurityError("lock-timeout", "busy", { hint: "wait", details: { pid: 1 }, cause });
    const { name, code, category, hint, details, message } = error;
    expect({ name, code, category, hint, details, message, cause: error.cause }).toEqual({
      name: "SecurityError",
      code: "lock-timeout",
      category: "environment",
      hint: "wait",
      details: { pid: 1 },
      message: "busy",
      cause,
    });
  });

  it("has an empty hint, and no details or cause, when none is given", () => {
    const error = new SecurityError("internal", "bug");
    expect([error.hint, error.details, "cause" in error]).toEqual(["", undefined, false]);
  });
});

describe("exitCodeOf", () => {
  it.each<[SecurityErrorCode, number]>([
    ["unknown-flag", 2],
    ["policy-invalid", 3],
    ["json-duplicate-key", 3],
    ["state-file-insecure-mode", 4],
    ["state-owner-mismatch", 4],
    ["disk-full", 5],
    ["lock-timeout", 5],
    ["tool-missing", 5],
    ["collector-failed", 6],
    ["internal", 70],
  ])("of %s is %d", (code, exit) => {
    expect(exitCodeOf(new SecurityError(code, ""))).toBe(exit);
  });
});

describe("asSecurityError", () => {
  it("returns a SecurityError as it is", () => {
    const error = new SecurityError("timeout", "late");
    expect(asSecurityError(error)).toBe(error);
  });

  it.each([
    ["an error", new RangeError("too deep"), "Unexpected failure: too deep"],
    ["a text", "oops", "Unexpected failure: oops"],
    ["null", null, "Unexpected failure: a thrown null"],
    ["undefined", undefined, "Unexpected failure: a thrown undefined"],
    ["an object without a string form", Object.create(null), "Unexpected failure: a thrown object"],
    ["a symbol", Symbol("s"), "Unexpected failure: a thrown symbol"],
  ])("makes an internal error of %s", (_title, thrown, message) => {
    const error = asSecurityError(thrown);
    expect([error.code, error.message, error.cause]).toEqual(["internal", message, thrown]);
  });
});
