import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "audit_log_forwarded",
  title: "Security records leave this machine",
  iso27001: ["A.8.15", "A.8.16"],
  nist_csf: ["PR.PS-04", "DE.AE-03"],
  nist_800_53: ["AU-4(1)", "AU-6(4)", "AU-9(2)"],
  cis: ["8.9", "8.10"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state: "Another machine has received the security records of the last 24 hours and said so.",
  mitigation: "Have the system's log, in which the audit log leaves its checkpoints, collected by another machine",
  owner: "SecOps",
  uses: ["auditLog"],
  status_rules: {
    not_assessed: "Nothing yet sends the records and waits for an answer, so that they have arrived cannot be shown.",
  },
  needs: ["audit-sink"],
};

export function check({ auditLog }: AssessEvidence): CheckResult {
  const said =
    auditLog.kind === "measured"
      ? `checkpoints of ${auditLog.value.path} in the system's own log: ${auditLog.value.anchored ? "yes" : "no"}; whether another machine collects that log is not known`
      : "";
  return weigh(
    [
      auditLog.kind === "measured" ? { kind: "good", seen: said } : missing(auditLog),
      { kind: "unbuilt", part: "audit-sink" },
    ],
    [line(auditLog, said)],
  );
}
