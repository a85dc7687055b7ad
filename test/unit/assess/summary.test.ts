import { worstFirst } from "../../../src/report/order.ts";
import { describe, expect, it } from "vitest";
import type { AssessedCheck } from "../../../src/assess/assessment.ts";
import { limitsOf } from "../../../src/assess/limits.ts";
import { summarize } from "../../../src/assess/summary.ts";
import { totalChecks } from "../../../src/assess/totals.ts";
import { sampleAssessment, sampleEgressReport, samplePortReport } from "../../helpers/sample-assessment.ts";

const [base] = sampleAssessment().checks;

function row(check_id: string, change: Partial<AssessedCheck>): AssessedCheck {
  if (base === undefined) throw new Error("no sample");
  return { ...base, check_id, overdue: false, first_seen: null, due_date: null, ...change };
}

const NOTHING = { ports: null, egress: null, files: {}, problems: [] };

function summaryOf(checks: readonly AssessedCheck[], parts: Partial<Parameters<typeof summarize>[1]> = {}) {
  return summarize({ ...sampleAssessment(checks), totals: totalChecks(checks) }, { ...NOTHING, ...parts });
}

describe("totals", () => {
  it("count open gaps by risk without what is compliant or could not be measured", () => {
    const totals = totalChecks([
      row("a", { status: "violation", risk: "high", overdue: true }),
      row("b", { status: "partial", risk: "low" }),
      row("c", { status: "compliant", risk: "high" }),
      row("d", { status: "not_assessed", risk: "high" }),
      row("e", { status: "not_applicable", risk: "high" }),
    ]);
    expect(totals).toEqual({
      by_status: { violation: 1, partial: 1, not_assessed: 1, compliant: 1, not_applicable: 1 },
      open_by_risk: { critical: 0, high: 1, medium: 0, low: 1 },
      applicable: 4,
      assessed: 3,
      coverage: 0.75,
      overdue: 1,
    });
  });

  it("have no coverage when nothing was applicable, because nothing was shown", () => {
    expect(totalChecks([row("a", { status: "not_applicable" })]).coverage).toBe(0);
    expect(totalChecks([]).coverage).toBe(0);
  });
});

describe("the summary", () => {
  it("lists gaps by risk, violations first, overdue ones before others, then in the order of the report", () => {
    const summary = summaryOf([
      row("a", { status: "partial", risk: "high" }),
      row("b", { status: "violation", risk: "low" }),
      row("d", { status: "violation", risk: "high" }),
      row("c", { status: "violation", risk: "high" }),
      row("e", { status: "violation", risk: "high", overdue: true }),
      row("f", { status: "compliant", risk: "critical" }),
      row("g", { status: "not_assessed", risk: "critical", gap: "could not look" }),
    ]);
    expect(summary.findings.map((finding) => finding.check_id)).toEqual(["e", "d", "c", "a", "b"]);
    expect(summary.not_assessed).toEqual([{ check_id: "g", reason: "could not look" }]);
  });

  it("has the order of the dashboard's first steps", () => {
    const checks = (["c", "a", "b"] as const).map((id) => row(id, { status: "violation", risk: "high" }));
    const shown = summaryOf(checks).findings.map((finding) => finding.check_id);
    expect(shown).toEqual(worstFirst(checks).map((check) => check.check_id));
  });

  it("gives a finding in the shape of the output contract", () => {
    const check = row("a", {
      status: "violation",
      risk: "high",
      due_date: "2026-11-30",
      gap: "why",
      observed_state: "seen",
    });
    expect(summaryOf([check]).findings).toEqual([
      {
        check_id: "a",
        type: "control-gap",
        status: "violation",
        risk: "high",
        title: check.title,
        evidence: "seen",
        why: "why",
        mitigation: check.mitigation,
        owner: check.owner,
        due_date: "2026-11-30",
        target: sampleAssessment().host.hostname,
      },
    ]);
  });

  it.each([
    ["ok when everything was measured, gaps or not", [row("a", { status: "violation" })], {}, "ok"],
    ["incomplete when a check could not be measured", [row("a", { status: "not_assessed" })], {}, "incomplete"],
    ["incomplete when nothing was applicable", [row("a", { status: "not_applicable" })], {}, "incomplete"],
    [
      "incomplete when something went wrong on the way",
      [row("a", { status: "compliant" })],
      { problems: [{ code: "disk-full", message: "full" }] },
      "incomplete",
    ],
  ] as const)("is %s", (_when, checks, parts, status) => {
    expect(summaryOf(checks, parts).status).toBe(status);
  });

  it("counts what the scans saw, and nothing where they did not look", () => {
    const ports = samplePortReport();
    const egress = sampleEgressReport();
    expect(summaryOf([]).network).toEqual({ listeners: null, connections: null, findings: null });
    expect(summaryOf([], { ports, egress }).network).toEqual({
      listeners: ports.listening_services.length,
      connections: egress.connections.length,
      findings: ports.findings.length + egress.findings.length,
    });
  });
});

describe("limits", () => {
  const { host } = sampleAssessment();
  it("say when only some checks ran and as whom", () => {
    expect(limitsOf({ ...host, uid: 998, user: "openclaw" }, 3, 20).slice(0, 2)).toEqual([
      "Only 3 of 20 checks were run.",
      "The assessment ran as openclaw (uid 998), not as root: what belongs to other accounts may be out of sight.",
    ]);
    expect(limitsOf({ ...host, uid: 0 }, 20, 20)[0]).toContain("ran as root");
  });

  it("always say that this is no certification", () => {
    expect(limitsOf({ ...host, uid: null }, 20, 20)[0]).toContain("no certification");
  });
});
