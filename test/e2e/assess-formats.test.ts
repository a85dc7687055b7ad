import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Errors } from "@sinclair/typebox/errors";
import { describe, expect, it } from "vitest";
import { ASSESSMENT_SCHEMA } from "../../src/schema/assessment-report.ts";
import { assessWith, cseIn, makeHomeOfUser } from "../helpers/assess-run.ts";

const FILES = [
  "openclaw-assessment.sarif",
  "openclaw-assessment.ocsf.ndjson",
  "openclaw-assessment.oscal.json",
  "openclaw-assessment.junit.xml",
  "openclaw-assessment.md",
];

describe("cse assess --format", () => {
  it("writes each format beside the reports and names it; all carry what was not assessed", async () => {
    const { home } = await makeHomeOfUser("weak");
    const list = "json,html,sarif,ocsf,oscal,junit,md";
    const { summary, assessment, outDir } = await assessWith(cseIn(home), join(home, "out"), ["--format", list]);
    expect(FILES.map((name) => summary.files[name])).toEqual(FILES.map((name) => join(outDir, name)));
    const unseen = assessment.checks.filter(({ status }) => status === "not_assessed");
    expect(unseen.length).toBeGreaterThan(0);
    for (const name of FILES) {
      const text = await readFile(join(outDir, name), "utf8");
      for (const check of unseen) {
        const isNamed = text.includes(check.check_id) || text.includes(check.title);
        expect([name, check.check_id, isNamed]).toEqual([name, check.check_id, true]);
      }
    }
    expect([...Errors(ASSESSMENT_SCHEMA, assessment)].map(({ path, message }) => [path, message])).toEqual([]);
  });

  it("refuses a format it does not have, before it looks at anything", async () => {
    const { home } = await makeHomeOfUser("weak");
    const run = await cseIn(home)(["assess", "--format", "sarif,pdf", "--json"]);
    expect([run.exitCode, JSON.parse(run.stdout)]).toEqual([2, expect.objectContaining({ code: "invalid-argument" })]);
  });
});
