import { SecurityError, asSecurityError } from "../core/error.ts";
import { clip } from "../core/text.ts";
import type { CheckMeta, CheckResult } from "./assessment.ts";
import { CHECKS, type Check } from "./checks.ts";
import type { AssessEvidence } from "./evidence.ts";
import { NATIVE_MAP } from "./native-map.ts";
import { worsen } from "./native-worsen.ts";

export interface CheckAnswer {
  readonly meta: CheckMeta;
  readonly result: CheckResult;
}

/**
 * The checks with these ids in the order of the reports, or all of them.
 * @throws {SecurityError} unknown-check when an id is not one of ours; an empty list is none of them
 */
export function chooseChecks(ids: readonly string[] | undefined, all: readonly Check[] = CHECKS): readonly Check[] {
  if (ids === undefined) return all;
  const unknown = ids.filter((id) => !all.some(({ meta }) => meta.check_id === id));
  if (unknown.length > 0 || ids.length === 0) {
    const what = unknown.length > 0 ? `There is no check ${clip(unknown.join(", "), 200)}` : "No check was named";
    throw new SecurityError("unknown-check", what, {
      hint: `The checks are: ${all.map(({ meta }) => meta.check_id).join(", ")}.`,
      details: { unknown },
    });
  }
  return all.filter(({ meta }) => ids.includes(meta.check_id));
}

/** The kinds of evidence that these checks read; no other needs to be gathered. */
export function evidenceFor(checks: readonly Check[]): readonly (keyof AssessEvidence)[] {
  const isNative = checks.some(({ meta }) => Object.hasOwn(NATIVE_MAP, meta.check_id));
  return [...new Set([...checks.flatMap(({ meta }) => meta.uses), ...(isNative ? (["native"] as const) : [])])];
}

/** Answers each check, with what OpenClaw itself found about it. A check that fails is not_assessed and says so; the others still answer. */
export function runChecks(checks: readonly Check[], evidence: AssessEvidence, at: string): readonly CheckAnswer[] {
  return checks.map(({ meta, check }) => {
    try {
      return { meta, result: worsen(meta, check(evidence), evidence.native) };
    } catch (thrown) {
      const message = clip(asSecurityError(thrown).message, 300);
      return {
        meta,
        result: {
          status: "not_assessed",
          observed_state: "Nothing could be observed.",
          evidence: [{ source: `check ${meta.check_id}`, at, detail: `collector-failed: ${message}` }],
          gap: `The check failed (collector-failed): ${message}`,
          mitigation: "This is a bug; please report it with this message.",
        },
      };
    }
  });
}
