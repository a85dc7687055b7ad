import { Type } from "@sinclair/typebox";
import { SecurityError } from "../core/error.ts";
import { parseWith } from "./validate.ts";

/**
 * `prompt-policy.json`: the original's `{require_confirmation_for_untrusted}` or the same with
 * `schemaVersion: 2`. The key is required: leaving it out would switch the confirmation off silently.
 */
export interface PromptPolicy {
  readonly form: "original" | "v2";
  readonly requireConfirmationForUntrusted: boolean;
}

const WHAT = "prompt-policy.json";
const closed = { additionalProperties: false } as const;
const ORIGINAL = Type.Object({ require_confirmation_for_untrusted: Type.Boolean() }, closed);
const V2 = Type.Object({ schemaVersion: Type.Literal(2), require_confirmation_for_untrusted: Type.Boolean() }, closed);

/**
 * Reads either form of the prompt policy.
 * @throws {SecurityError} policy-invalid with every issue in `details.issues`, schema-version-unsupported
 */
export function parsePromptPolicy(value: unknown): PromptPolicy {
  const versioned = typeof value === "object" && value !== null && "schemaVersion" in value;
  if (!versioned) {
    const policy = parseWith(ORIGINAL, value, WHAT, "policy-invalid");
    return { form: "original", requireConfirmationForUntrusted: policy.require_confirmation_for_untrusted };
  }
  if (typeof value.schemaVersion === "number" && value.schemaVersion !== 2) {
    throw new SecurityError(
      "schema-version-unsupported",
      `${WHAT} has schemaVersion ${value.schemaVersion}; this release reads 2`,
      { hint: "Use the release that wrote it, or create the file again with `cse init`." },
    );
  }
  const policy = parseWith(V2, value, WHAT, "policy-invalid");
  return { form: "v2", requireConfirmationForUntrusted: policy.require_confirmation_for_untrusted };
}
