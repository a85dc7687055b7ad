import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "multi_factor_approval",
  title: "Risky approvals take a second factor that the agent cannot read",
  iso27001: ["A.8.5", "A.5.17"],
  nist_csf: ["PR.AA-03", "PR.AA-01"],
  nist_800_53: ["IA-2(1)", "IA-11", "AC-3(2)"],
  cis: ["6.5"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "A high-risk approval takes a second factor that another account verifies and the gateway's account cannot read, or two people.",
  mitigation: "Enrol a second factor on a separate device and keep what verifies it with root",
  owner: "Security Engineering",
  uses: ["config"],
  status_rules: {
    not_assessed:
      "Whether a second factor is out of the reach of the gateway's account is not examined. A static token that the agent can read would not be one.",
  },
  needs: ["second-factor", "approval-probe"],
};

export function check({ config }: AssessEvidence): CheckResult {
  const seen =
    config.kind === "measured"
      ? `approvals.exec enabled ${config.value.approvals.exec_enabled.value}, approvals.plugin enabled ${config.value.approvals.plugin_enabled.value}; neither holds a second factor`
      : "";
  return weigh(
    [
      config.kind === "measured" ? { kind: "good", seen } : missing(config),
      { kind: "unbuilt", part: "second-factor" },
      { kind: "unbuilt", part: "approval-probe" },
    ],
    [line(config, seen)],
  );
}
