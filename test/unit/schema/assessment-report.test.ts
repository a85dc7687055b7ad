import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Errors } from "@sinclair/typebox/errors";
import { Check } from "@sinclair/typebox/value";
import { describe, expect, it } from "vitest";
import { ASSESSMENT_SCHEMA } from "../../../src/schema/assessment-report.ts";
import { sampleAssessment } from "../../helpers/sample-assessment.ts";

const PUBLISHED = join(import.meta.dirname, "../../../references/schemas/openclaw-assessment.schema.json");

describe("the schema of the assessment", () => {
  it("is published as it is", async () => {
    await expect(`${JSON.stringify(ASSESSMENT_SCHEMA, null, 2)}\n`).toMatchFileSnapshot(PUBLISHED);
    expect(await readFile(PUBLISHED, "utf8")).toContain("never a pass");
  });

  it("accepts the sample", () => {
    expect([...Errors(ASSESSMENT_SCHEMA, sampleAssessment())]).toEqual([]);
  });

  it.each([
    ["a key it does not know", { extra: 1 }],
    ["another version", { schemaVersion: 2 }],
    ["a coverage above 1", { score: { ...sampleAssessment().score, coverage: 1.5 } }],
    ["a status that is none", { checks: [{ ...sampleAssessment().checks[0], status: "passed" }] }],
    ["a change that is none", { changes: [{ kind: "better" }] }],
  ])("refuses %s", (_title, change) => {
    expect(Check(ASSESSMENT_SCHEMA, { ...sampleAssessment(), ...change })).toBe(false);
  });
});
