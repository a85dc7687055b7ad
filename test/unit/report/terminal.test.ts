import { describe, expect, it } from "vitest";
import { renderHeader } from "../../../src/report/dashboard-overview.ts";
import { renderAssessmentText } from "../../../src/report/terminal-assessment.ts";
import { displayWidth } from "../../../src/report/terminal-layout.ts";
import { renderEgressReportText, renderPortReportText } from "../../../src/report/terminal-network.ts";
import { goldenPath, MARKED_PAINT, NO_PAINT } from "../../helpers/golden.ts";
import {
  cleanChecks,
  crowdedReports,
  hostileReports,
  sampleAssessment,
  sampleEgressReport,
  samplePortReport,
  sampleSummary,
} from "../../helpers/sample-assessment.ts";

const DASHBOARD = "/home/openclaw/.openclaw/security/assessments/compliance-dashboard.html";
const PLAIN = { paint: NO_PAINT, columns: 100 };

describe("renderAssessmentText", () => {
  it("tells a person what is wrong and what to do first", async () => {
    const assessment = sampleAssessment();
    const text = renderAssessmentText(sampleSummary(assessment), assessment, { ...PLAIN, dashboardPath: DASHBOARD });
    await expect(text).toMatchFileSnapshot(goldenPath("assessment.txt"));
  });

  it("says that there is no gap only when everything was measured", async () => {
    const assessment = sampleAssessment(cleanChecks());
    const text = renderAssessmentText(sampleSummary(assessment), assessment, { ...PLAIN, dashboardPath: DASHBOARD });
    await expect(text).toMatchFileSnapshot(goldenPath("assessment-clean.txt"));
  });

  it("says so when a scan failed, a file could not be written, and something else went wrong", () => {
    const assessment = sampleAssessment(
      cleanChecks().map((check) => ({ ...check, status: "not_assessed", gap: "No evidence." })),
    );
    const summary = {
      ...sampleSummary(assessment),
      network: { listeners: null, connections: null, findings: null },
      problems: Array.from({ length: 7 }, (_, index) => ({ code: "disk-full", message: `No space for file ${index}` })),
    };
    const lines = renderAssessmentText(summary, assessment, { ...PLAIN, dashboardPath: null }).split("\n");
    expect(lines).toContain("Nothing could be measured.");
    expect(lines).toContain("Network: listening sockets not measured, connections not measured.");
    expect(lines).toContain("    and 15 more in the dashboard");
    expect(lines.slice(-10)).toEqual([
      "  - No space for file 0",
      "  - No space for file 1",
      "  - No space for file 2",
      "  - No space for file 3",
      "  - No space for file 4",
      "    and 2 more",
      "",
      "Dashboard: not written, see the problems above",
      "Next: make the unmeasured checks measurable, then run `cse assess` again.",
      "",
    ]);
  });
});

describe("a report of a few chosen checks", () => {
  it("says beside the verdict how few they are, at the terminal and on the page", () => {
    const note = "Only 1 of 20 checks were run.";
    const assessment = { ...sampleAssessment(cleanChecks().slice(0, 1)), limits: [note, "Something else."] };
    const text = renderAssessmentText(sampleSummary(assessment), assessment, { ...PLAIN, dashboardPath: null });
    expect(text.split("\n").filter((line) => line === note || line === "Something else.")).toEqual([note]);
    expect(renderHeader(assessment).text).toContain(`<p class="caveat">${note}</p>`);
    expect(renderHeader(sampleAssessment()).text).not.toContain("checks were run");
  });
});

describe("renderPortReportText", () => {
  it("shows what listens and what to do about it", async () => {
    await expect(renderPortReportText(samplePortReport(), PLAIN)).toMatchFileSnapshot(goldenPath("ports.txt"));
  });

  it("says so when nothing listens and there is no baseline", () => {
    const report = samplePortReport({
      status: "ok",
      complete: true,
      unresolved: 0,
      denied: 0,
      approved_file: null,
      approved_rules: 0,
      listening_services: [],
      findings: [],
      rule_notes: [],
      problems: [],
    });
    expect(renderPortReportText(report, PLAIN)).toBe(
      "0 listening sockets\nTaken 2026-11-23 08:00 UTC from proc. There is no baseline, so nothing counts as approved.\n\nNo finding.\n",
    );
  });

  it("counts what it leaves out when there are a thousand listeners", () => {
    const lines = renderPortReportText(crowdedReports(1_000).ports, PLAIN).split("\n");
    expect(lines).toContain("  and 900 more, unapproved ones shown first; --json lists them all");
    expect(lines).toContain("          and 992 more; --json lists them all");
    expect(lines.length).toBeLessThan(150);
  });
});

describe("renderEgressReportText", () => {
  it("shows what talks out and what to do about it", async () => {
    await expect(renderEgressReportText(sampleEgressReport(), PLAIN)).toMatchFileSnapshot(goldenPath("egress.txt"));
  });
});

describe("any terminal report", () => {
  const sample = { assessment: sampleAssessment(), ports: samplePortReport(), egress: sampleEgressReport() };
  const render = (
    { assessment, ports, egress }: typeof sample,
    paint: typeof NO_PAINT,
    columns: number,
  ): readonly string[] => [
    renderAssessmentText(sampleSummary(assessment), assessment, { paint, columns, dashboardPath: null }),
    renderPortReportText(ports, { paint, columns }),
    renderEgressReportText(egress, { paint, columns }),
  ];

  it.each([60, 80, 100, 120])("keeps prose within %i columns", (columns) => {
    const lines = render(sample, NO_PAINT, columns).flatMap((text) => text.split("\n"));
    expect(lines.filter((line) => displayWidth(line) > columns && !/^ {2}(?:PROTO|tcp|udp) /.test(line))).toEqual([]);
  });

  it.each([80, 100, 120])("fits its tables into %i columns too", (columns) => {
    const lines = render(sample, NO_PAINT, columns).flatMap((text) => text.split("\n"));
    expect(lines.filter((line) => displayWidth(line) > columns)).toEqual([]);
  });

  it("prints no control, bidirectional or invisible character whatever was found", () => {
    for (const text of render(hostileReports(), NO_PAINT, 80)) {
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
  });

  it("gives no line of its own to text that contains line breaks", () => {
    const hostile = hostileReports();
    for (const text of render(hostile, NO_PAINT, 80)) expect(text).not.toMatch(/^line two/m);
  });

  it("uses colour only through the paint it was given", () => {
    const painted = render(sample, MARKED_PAINT, 100);
    // oxlint-disable-next-line no-control-regex -- the marks are made of escape characters
    expect(painted.map((text) => text.replaceAll(/\u001b\[[a-z/]+\]/g, ""))).toEqual(render(sample, NO_PAINT, 100));
    // oxlint-disable-next-line no-control-regex -- the same
    for (const text of painted) expect(text).toMatch(/\u001b\[red\]/);
  });
});
