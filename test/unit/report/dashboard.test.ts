import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { renderDashboard } from "../../../src/report/dashboard.ts";
import { DASHBOARD_SCRIPT } from "../../../src/report/dashboard-script.ts";
import { DASHBOARD_STYLE } from "../../../src/report/dashboard-style.ts";
import { goldenPath } from "../../helpers/golden.ts";
import {
  cleanChecks,
  crowdedReports,
  hostileReports,
  sampleAssessment,
  sampleEgressReport,
  samplePortReport,
} from "../../helpers/sample-assessment.ts";

const sha256Base64 = (text: string): string => createHash("sha256").update(text, "utf8").digest("base64");
const SAMPLE = {
  assessment: sampleAssessment(),
  ports: samplePortReport(),
  egress: sampleEgressReport(),
  sha256Base64,
};

/** Without the style, the script and their hashes: those change often and are read elsewhere. */
function normalize(page: string): string {
  return page
    .replace(DASHBOARD_STYLE, "…")
    .replace(DASHBOARD_SCRIPT, "…")
    .replaceAll(/'sha256-[A-Za-z0-9+/=]+'/g, "'sha256-…'");
}

describe("renderDashboard", () => {
  it("renders the sample as reviewed", async () => {
    await expect(normalize(renderDashboard(SAMPLE))).toMatchFileSnapshot(goldenPath("dashboard.html"));
  });

  it("gives the same bytes for the same input", () => {
    expect(renderDashboard(SAMPLE)).toBe(renderDashboard(SAMPLE));
  });

  it("admits exactly its one style and one script by hash, whatever the evidence contains", () => {
    const page = renderDashboard({ ...hostileReports(), sha256Base64 });
    const styles = [...page.matchAll(/<style[^>]*>([^]*?)<\/style>/g)].map((match) => match[1]);
    const scripts = [...page.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map((match) => match[1]);
    expect(styles).toEqual([DASHBOARD_STYLE]);
    expect(scripts).toEqual([DASHBOARD_SCRIPT]);
    expect(/<meta http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]).toBe(
      `default-src 'none'; style-src 'sha256-${sha256Base64(DASHBOARD_STYLE)}'; script-src 'sha256-${sha256Base64(DASHBOARD_SCRIPT)}'; base-uri 'none'; form-action 'none'`,
    );
  });

  it("uses nothing that the policy would block or that would make a request", () => {
    const page = normalize(renderDashboard(SAMPLE));
    expect(page).not.toMatch(
      / style=| on[a-z]+="|<(?:img|link|iframe|object|embed|base)\b|\bsrc=|https?:|@import|url\(/,
    );
    expect(DASHBOARD_STYLE).not.toMatch(/@import|url\(|<\//);
    expect(DASHBOARD_SCRIPT).not.toMatch(/innerHTML|eval|<\//);
  });

  it("has one h1, skips no heading level and repeats no id", () => {
    const page = normalize(renderDashboard(SAMPLE));
    const levels = [...page.matchAll(/<h([1-6])/g)].map((match) => Number(match[1]));
    expect(levels.filter((level) => level === 1)).toEqual([1]);
    expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([]);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it("contains no control, bidirectional or invisible character whatever was found", () => {
    const page = renderDashboard({ ...hostileReports(), sha256Base64 });
    expect(page.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it("stays below 400 kB with a thousand sockets and says where the rest is", () => {
    const page = renderDashboard({ assessment: sampleAssessment(), ...crowdedReports(1_000), sha256Base64 });
    expect(page.length).toBeLessThan(400_000);
    expect(page).toContain("800 more are in <code>port-monitor-latest.json</code>");
    expect(page).toContain("800 more are in <code>egress-monitor-latest.json</code>");
    expect(page).toContain("and 988 more in <code>port-monitor-latest.json</code>");
  });

  it("stays below 1 MB when every text is five megabytes long", () => {
    const checks = cleanChecks().map((check) => ({
      ...check,
      observed_state: "x".repeat(5_000_000),
      evidence: check.evidence.map((line) => ({ ...line, detail: "<".repeat(5_000_000) })),
    }));
    const page = renderDashboard({ ...SAMPLE, assessment: sampleAssessment(checks) });
    expect(page.length).toBeLessThan(1_000_000);
  });

  it("says that nothing is known about a scan that gave no report", () => {
    const page = renderDashboard({ ...SAMPLE, ports: null, egress: null });
    expect(page).toContain("The listening sockets could not be measured, so nothing is known about them.");
    expect(page).toContain("The connections could not be measured, so nothing is known about them.");
    expect(page).toContain("The port scan gave no report.");
    expect(page).toContain("The egress scan gave no report.");
  });

  it("counts what it leaves out of evidence, findings, notes and problems", () => {
    const [first, ...rest] = sampleAssessment().checks;
    if (first === undefined) throw new Error("the sample has checks");
    const line = { source: "s", at: "2026-11-23T08:00:00Z", detail: "d" };
    const ports = samplePortReport();
    const [finding] = ports.findings;
    if (finding === undefined) throw new Error("the sample has findings");
    const page = renderDashboard({
      ...SAMPLE,
      assessment: sampleAssessment([{ ...first, evidence: Array.from({ length: 15 }, () => line) }, ...rest]),
      ports: samplePortReport({
        findings: Array.from({ length: 43 }, (_, index) => ({ ...finding, why: `reason ${index}` })),
        rule_notes: Array.from({ length: 24 }, (_, rule) => ({ rule, kind: "unused", message: "unused" })),
        problems: Array.from({ length: 35 }, (_, index) => ({ code: "timeout", message: `problem ${index}` })),
      }),
    });
    expect(page).toContain("3 more evidence lines are in <code>openclaw-assessment.json</code>.");
    expect(page).toContain("3 more findings: see <code>port-monitor-latest.json</code>.");
    expect(page).toContain("and 4 more notes");
    expect(page).toContain("and 6 more in the JSON files");
  });

  it("shows low confidence in a mapping, and only then", () => {
    const note = "Low confidence: no control in these catalogues names this subject directly.";
    const checks = sampleAssessment().checks;
    const low = checks.filter((check) => check.mapping_confidence === "low").length;
    expect(renderDashboard(SAMPLE).split(note).length - 1).toBe(low);
  });
});
