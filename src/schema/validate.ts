import type { Static, TSchema } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check } from "@sinclair/typebox/value";
import { SecurityError, type SecurityErrorCode } from "../core/error.ts";
import { clip } from "../core/text.ts";
import type { Issue } from "./issue.ts";

const MAX_ISSUES = 20;

/**
 * Checks `value` against `schema` without changing it: no defaults, no conversion, no dropped keys.
 * Interpreted, because the compiled form needs `new Function`.
 * @throws {SecurityError} `code`, with every issue (at most 20) in `details.issues`
 */
export function parseWith<S extends TSchema>(
  schema: S,
  value: unknown,
  what: string,
  code: SecurityErrorCode,
): Static<S> {
  if (Check(schema, value)) return value;
  const issues: Issue[] = [];
  for (const error of Errors(schema, value)) {
    issues.push({ path: error.path, message: error.message });
    if (issues.length === MAX_ISSUES) break;
  }
  throw invalid(what, code, issues);
}

/** The error for a value that is well-formed JSON but not what it should be. */
export function invalid(what: string, code: SecurityErrorCode, issues: readonly Issue[]): SecurityError {
  const first = issues[0];
  const where = first === undefined || first.path === "" ? "" : ` at ${clip(first.path, 120)}`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return new SecurityError(code, `${what} is not valid${where}: ${clip(first?.message ?? "wrong shape", 200)}${more}`, {
    hint: "Correct the named place; `cse preflight` checks all policy files.",
    details: { issues },
  });
}
