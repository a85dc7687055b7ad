import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Assessment, AssessedCheck } from "../../../src/assess/assessment.ts";
import type { Change } from "../../../src/assess/over-time.ts";
import type { FormatInput } from "../../../src/report/format-input.ts";
import { type Format, FORMATS } from "../../../src/report/formats.ts";
import { goldenPath } from "../../helpers/golden.ts";
import { hostileReports, sampleAssessment } from "../../helpers/sample-assessment.ts";

const NAMES = Object.keys(FORMATS) as readonly Format[];

/** The sample with a waived gap and a run before it. */
function waivedAssessment(): Assessment {
  const base = sampleAssessment();
  const checks = base.checks.map((check): AssessedCheck => {
    if (check.check_id !== "update_hygiene") return check;
    const reason = "The update waits for the freeze to end.";
    const names = { owner: "Operations", approver: "Head of security" };
    return { ...check, waiver: { id: "w-1a2b3c4d", state: "active", reason, ...names, expires: "2026-12-31" } };
  });
  const change = (kind: Change["kind"], check_id: string): Change => {
    const { status, risk, first_seen, due_date } = checks.find((check) => check.check_id === check_id)!;
    return { kind, check_id, status_before: null, status, risk_before: null, risk, first_seen, due_date };
  };
  const changes = [change("new", "gateway_loopback_only"), change("waived", "update_hygiene")];
  const point = { points: 40, coverage: 0.8, open: 9, waived: 0, not_assessed: 3 };
  const trend = [
    { run_id: "before", at: "2026-11-22T08:00:00Z", ...point },
    { run_id: base.run_id, at: base.assessed_at, ...point },
  ];
  return { ...base, checks, changes, trend };
}

const uuidOf = (name: string): string => {
  const hex = hash("sha256", name, "hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
const PROBLEMS = [{ code: "collector-failed", message: "sockets collector: the collector failed" }];
const SAMPLE: FormatInput = { assessment: waivedAssessment(), problems: PROBLEMS, uuidOf };

interface SarifRun {
  readonly results: readonly {
    ruleId: string;
    kind: string;
    level: string;
    baselineState?: string;
    suppressions?: unknown[];
  }[];
  readonly invocations: readonly { executionSuccessful: boolean; toolExecutionNotifications: unknown[] }[];
  readonly tool: { readonly driver: { readonly rules: readonly { id: string }[] } };
}
const sarifRun = (input: FormatInput): SarifRun =>
  (JSON.parse(FORMATS.sarif.render(input)) as { runs: SarifRun[] }).runs[0]!;

interface OcsfEvent {
  readonly finding_info: { readonly uid: string };
  readonly compliance: { readonly control: string; readonly status_id: number; readonly status_code: string };
  readonly status_id: number;
  readonly activity_id: number;
  readonly type_uid: number;
}
const ocsfEvents = (input: FormatInput): readonly OcsfEvent[] =>
  FORMATS.ocsf
    .render(input)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as OcsfEvent);

interface OscalResult {
  readonly observations: readonly {
    readonly uuid: string;
    readonly props: readonly { name: string; value: string }[];
  }[];
  readonly findings: readonly { readonly target: { "target-id": string; status: { state: string } } }[];
  readonly risks: readonly { readonly status: string; readonly deadline: string }[];
}
const oscalResult = (input: FormatInput): OscalResult =>
  (JSON.parse(FORMATS.oscal.render(input)) as { "assessment-results": { results: OscalResult[] } })[
    "assessment-results"
  ].results[0]!;

describe("the formats", () => {
  it.each(NAMES)("%s renders the sample as reviewed", async (name) => {
    await expect(FORMATS[name].render(SAMPLE)).toMatchFileSnapshot(goldenPath(FORMATS[name].file));
  });

  it.each(NAMES)("%s has every check that could not be measured, with the reason", (name) => {
    const text = FORMATS[name].render(SAMPLE);
    const unseen = SAMPLE.assessment.checks.filter((check) => check.status === "not_assessed");
    expect(unseen.length).toBeGreaterThan(1);
    for (const check of unseen) {
      const words = check.gap.split(" ").slice(0, 3).join(" ");
      expect([check.check_id, text.includes(words)]).toEqual([check.check_id, true]);
    }
  });

  it.each(NAMES)("%s stays whole and inert with hostile text in every place", (name) => {
    const { assessment } = hostileReports();
    const text = FORMATS[name].render({ assessment, problems: [{ code: "<x>", message: "a\u0000b\u202ec" }], uuidOf });
    // eslint-disable-next-line no-control-regex
    expect(text.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g)).toBeNull();
    if (name === "sarif" || name === "oscal") JSON.parse(text);
    if (name === "ocsf") expect(text.trimEnd().split("\n")).toHaveLength(assessment.checks.length);
    if (name === "junit") {
      expect(text).not.toMatch(/<(?:script|img|base|style)/i);
      expect(text.match(/<testcase /g)).toHaveLength(assessment.checks.length);
      expect(text).not.toMatch(/&(?!amp;|lt;|gt;|quot;|apos;)/);
    }
    // Outside of code, which shows what is in it.
    if (name === "md") expect(text.replaceAll(/(?<!\\)`[^`\n]*`/g, "")).not.toMatch(/(?<!\\)<|(?<!\\):\/\//);
  });
});

describe("the mapping to SARIF", () => {
  it.each([
    ["gateway_loopback_only", { kind: "fail", level: "error", baselineState: "new" }],
    ["secrets_permissions_hardened", { kind: "fail", level: "warning", baselineState: "unchanged" }],
    ["update_hygiene", { kind: "fail", level: "note", baselineState: "updated" }],
    ["audit_logging_privileged_actions", { kind: "open", level: "none", baselineState: "unchanged" }],
  ])("of %s", (id, expected) => {
    expect(sarifRun(SAMPLE).results.find((result) => result.ruleId === id)).toMatchObject(expected);
  });

  it("has pass, open and notApplicable, each result with its rule, and a suppression for the waived one only", () => {
    const { results, tool, invocations } = sarifRun(SAMPLE);
    const { by_status: count } = SAMPLE.assessment.totals;
    const kinds = (kind: string): number => results.filter((result) => result.kind === kind).length;
    expect([kinds("pass"), kinds("open"), kinds("notApplicable")]).toEqual([
      count.compliant,
      count.not_assessed,
      count.not_applicable,
    ]);
    expect(results.map((result) => result.ruleId)).toEqual(tool.driver.rules.map((rule) => rule.id));
    expect(results.filter((result) => result.suppressions).map((result) => result.ruleId)).toEqual(["update_hygiene"]);
    expect(invocations).toMatchObject([{ executionSuccessful: false, toolExecutionNotifications: [{}] }]);
  });

  it("does not compare with a run that there was not", () => {
    const first = { ...SAMPLE, assessment: { ...SAMPLE.assessment, trend: SAMPLE.assessment.trend.slice(1) } };
    expect(sarifRun(first).results.some((result) => result.baselineState !== undefined)).toBe(false);
  });
});

describe("the mapping to OCSF", () => {
  it.each([
    ["violation", 3],
    ["partial", 3],
    ["compliant", 1],
    ["not_assessed", 2],
    ["not_applicable", 99],
  ])("of %s is compliance status %d", (status, id) => {
    const events = ocsfEvents(SAMPLE).filter(({ compliance }) => compliance.status_code === status);
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events.map(({ compliance }) => compliance.status_id))).toEqual(new Set([id]));
  });

  it("suppresses what is waived, and knows new from known", () => {
    const of = (id: string): OcsfEvent => ocsfEvents(SAMPLE).find(({ compliance }) => compliance.control === id)!;
    expect([of("update_hygiene").status_id, of("gateway_loopback_only").status_id]).toEqual([3, 1]);
    expect([of("open_ports_approved").status_id, of("open_ports_approved").type_uid]).toEqual([2, 200_302]);
    expect(of("update_hygiene").finding_info.uid).toBe("gateway-7.example.net/update_hygiene");
  });
});

describe("the mapping to OSCAL", () => {
  it("observes every check, finds only on what was assessed, and approves the deviation of the waived one", () => {
    const { observations, findings, risks } = oscalResult(SAMPLE);
    const { checks, totals } = SAMPLE.assessment;
    expect(observations).toHaveLength(checks.length);
    expect(findings).toHaveLength(totals.assessed);
    const open = findings.filter(({ target }) => target.status.state === "not-satisfied");
    expect(open).toHaveLength(totals.by_status.violation + totals.by_status.partial);
    expect(risks.map(({ status }) => status).filter((status) => status === "deviation-approved")).toHaveLength(1);
    expect(risks.every(({ deadline }) => /^2026-\d\d-\d\dT23:59:59Z$|^2027/.test(deadline))).toBe(true);
    expect(new Set(observations.map(({ uuid }) => uuid)).size).toBe(checks.length);
  });
});

describe("the mapping to JUnit", () => {
  it("counts what was not measured as errors and what is waived as a skip", () => {
    const text = FORMATS.junit.render(SAMPLE);
    const { by_status: count } = SAMPLE.assessment.totals;
    expect(text).toContain(`errors="${count.not_assessed}"`);
    expect(text).toContain(`failures="${count.violation + count.partial - 1}"`);
    expect(text).toContain(`skipped="${count.not_applicable + 1}"`);
  });
});
