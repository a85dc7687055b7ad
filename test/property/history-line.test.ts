import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SecurityError } from "../../src/core/error.ts";
import { parseAssessmentRun } from "../../src/schema/assessment-history.ts";

const AT = "2026-11-23T08:00:00Z";
const time = fc.constantFrom<unknown>(AT, "2026-11-23", "", "never", "x".repeat(101), 5, null, undefined);
const field = (...values: readonly unknown[]) => fc.constantFrom<unknown>(...values, undefined, null, 7, "", [], {});

const row = fc.record(
  {
    check_id: field("a", "b", "UPPER", "x".repeat(81)),
    status: field("violation", "partial", "not_assessed", "compliant", "not_applicable", "passed"),
    risk: field("critical", "high", "medium", "low", "none"),
    first_seen: time,
    due_date: time,
    last_changed: time,
    reopened: field(1, 3, 0, -1, 1.5, "1"),
    waiver: field("w-1", "x".repeat(101)),
    closed: fc.oneof(
      fc.constant(undefined),
      fc.record({ at: time, first_seen: time, due_date: time }, { requiredKeys: [] }),
    ),
    extra: fc.constantFrom<unknown>(undefined, undefined, undefined, 1),
  },
  { requiredKeys: ["check_id", "status", "risk", "first_seen"] },
);
const line = fc.record(
  {
    schemaVersion: fc.constantFrom<unknown>(1, 1, 1, 2, "1"),
    run_id: fc.constantFrom<unknown>("r", "r", "", 5),
    at: fc.constantFrom<unknown>(AT, AT, "never"),
    after: fc.constantFrom<unknown>(undefined, "q", "", 5),
    checks: fc.oneof(fc.array(row, { maxLength: 3 }), field("none")),
  },
  { requiredKeys: ["schemaVersion", "run_id", "at", "checks"] },
);

function verdict(text: string): string {
  try {
    parseAssessmentRun(text);
    return "accepted";
  } catch (thrown) {
    return thrown instanceof SecurityError ? thrown.code : "crashed";
  }
}

describe("a line of the history", () => {
  it("is judged alike on the short way and by the general validation", () => {
    fc.assert(
      fc.property(line, (value) => {
        const text = JSON.stringify(value);
        // A byte order mark is no JSON to the short way, and nothing to the general one.
        expect(verdict(`\ufeff${text}`)).toBe(verdict(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it("is accepted or refused, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(["accepted", "history-invalid", "json-invalid", "json-duplicate-key"]).toContain(verdict(text));
      }),
    );
  });
});
