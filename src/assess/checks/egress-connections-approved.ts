import { plural } from "../../core/text.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { findingFacts, hindrances, otherNetworks } from "../network-fact.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "egress_connections_approved",
  title: "What is contacted is what was approved",
  iso27001: ["A.8.16", "A.8.20", "A.8.23"],
  nist_csf: ["DE.CM-01", "PR.IR-01"],
  nist_800_53: ["SI-4(4)", "SC-7", "AC-4"],
  cis: ["13.6"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "Over at least 60 seconds of watching, every outbound connection belongs to a known program and matches the allowlist.",
  mitigation:
    "Find out what contacts it, then approve it with owner and end date (`cse allowlist suggest`) or block it",
  owner: "Network Security",
  uses: ["egress"],
  status_rules: {
    partial: "One look found connections and all of them are approved; a single look is never more than partial.",
    violation: "An outbound connection does not match the allowlist.",
    not_assessed: "The scan failed or was incomplete, or it saw no connection at all.",
  },
  needs: ["egress-journal"],
};

export function check({ egress }: AssessEvidence): CheckResult {
  if (egress.kind === "unmeasured") return weigh([missing(egress)], [line(egress, "")]);
  const report = egress.value;
  const outbound = report.connections.filter(
    ({ direction }) => direction === "outbound" || direction === "unknown",
  ).length;
  const seen = `${plural(outbound, "connection")} in one look (${report.collector}), ${plural(report.allowlist_rules, "allowlist rule")}${otherNetworks(report)}`;
  const facts: Fact[] = [
    { kind: "good", seen },
    ...findingFacts(report.findings.filter((finding) => finding.check_id === meta.check_id)),
  ];
  if (report.status !== "ok" || !report.complete) {
    const why = hindrances(report);
    facts.push({
      kind: "unknown",
      reason: `the egress scan is incomplete: ${plural(report.unresolved, "connection")} without a known owner, ${plural(report.denied, "process", "processes")} that could not be read${why === "" ? "" : ` (${why})`}`,
      remedy: "Run the assessment as root, so that every connection's owner can be seen",
    });
  }
  if (outbound === 0) {
    facts.push({
      kind: "unknown",
      reason: "no outbound connection was open at that moment, which shows nothing about other moments",
      remedy: "Run the assessment again while OpenClaw is at work",
    });
  } else {
    facts.push({
      kind: "partial",
      seen,
      gap: "one look shows only what is open at that moment",
      fix: "Run `cse scan egress` now and then while OpenClaw is at work; watching over time is not possible yet",
    });
  }
  return weigh(facts, [line(egress, seen)]);
}
