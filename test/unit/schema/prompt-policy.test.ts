import { expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { parsePromptPolicy } from "../../../src/schema/prompt-policy.ts";

it.each([
  [{ require_confirmation_for_untrusted: true }, { form: "original", requireConfirmationForUntrusted: true }],
  [{ require_confirmation_for_untrusted: false }, { form: "original", requireConfirmationForUntrusted: false }],
  [
    { schemaVersion: 2, require_confirmation_for_untrusted: true },
    { form: "v2", requireConfirmationForUntrusted: true },
  ],
])("reads %j in its own form", (value, expected) => {
  expect(parsePromptPolicy(value)).toEqual(expected);
});

it.each<[string, unknown, string]>([
  ["null", null, "policy-invalid"],
  ["an array", [], "policy-invalid"],
  ["a string", "true", "policy-invalid"],
  ["an empty object", {}, "policy-invalid"],
  ["a string where a boolean belongs", { require_confirmation_for_untrusted: "true" }, "policy-invalid"],
  ["a misspelt key", { require_confirmation_for_untrusted: true, Require: true }, "policy-invalid"],
  ["a version given as text", { schemaVersion: "2", require_confirmation_for_untrusted: true }, "policy-invalid"],
  [
    "a version of the future",
    { schemaVersion: 3, require_confirmation_for_untrusted: true },
    "schema-version-unsupported",
  ],
])("refuses %s", (_what, value, code) => {
  expect(codeOf(() => parsePromptPolicy(value))).toBe(code);
});

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof SecurityError ? error.code : "not a SecurityError";
  }
  return "no error";
}
