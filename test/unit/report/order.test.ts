import { expect, it } from "vitest";
import type { CheckStatus } from "../../../src/assess/assessment.ts";
import type { Risk } from "../../../src/core/risk.ts";
import { countRisks, groupFindings, worstFirst } from "../../../src/report/order.ts";
import { cleanChecks, portFinding, sampleListener } from "../../helpers/sample-assessment.ts";

it("puts gaps first by risk, then what was not assessed, then the rest", () => {
  const [base] = cleanChecks();
  if (base === undefined) throw new Error("the sample has checks");
  const rows: readonly (readonly [string, CheckStatus, Risk, boolean])[] = [
    ["fine", "compliant", "critical", false],
    ["absent", "not_applicable", "critical", false],
    ["blind", "not_assessed", "critical", false],
    ["half-high", "partial", "high", false],
    ["late-low", "violation", "low", true],
    ["low", "violation", "low", false],
    ["high", "violation", "high", false],
    ["half-critical", "partial", "critical", false],
  ];
  const checks = rows.map(([check_id, status, risk, overdue]) => ({ ...base, check_id, status, risk, overdue }));
  expect(worstFirst(checks).map((check) => check.check_id)).toEqual([
    "half-critical",
    "high",
    "half-high",
    "late-low",
    "low",
    "blind",
    "fine",
    "absent",
  ]);
});

it("groups findings only when type, risk, status, reason and advice are the same", () => {
  const listener = sampleListener();
  const findings = [
    portFinding(listener),
    portFinding(listener, { risk: "high" }),
    portFinding(listener, { why: "another reason" }),
    portFinding(listener, { title: "another title", target: "another place" }),
    portFinding(listener, { type: "public-bind" }),
    portFinding(listener, { mitigation: "another remedy" }),
    portFinding(listener, { status: "partial" }),
  ];
  expect(groupFindings(findings).map(({ members }) => members.map((member) => findings.indexOf(member)))).toEqual([
    [1],
    [0, 3],
    [2],
    [4],
    [5],
    [6],
  ]);
  expect(countRisks(findings)).toEqual({ critical: 0, high: 1, medium: 6, low: 0 });
});
