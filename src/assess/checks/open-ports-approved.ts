import { plural } from "../../core/text.ts";
import type { PortReport } from "../../core/network.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { hindrances, listenerFacts, otherNetworks } from "../network-fact.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "open_ports_approved",
  title: "Everything that listens is on the reviewed baseline",
  iso27001: ["A.8.20", "A.8.21", "A.8.9"],
  nist_csf: ["PR.PS-01", "PR.IR-01", "DE.CM-01", "ID.AM-03"],
  nist_800_53: ["CM-7", "CM-7(1)", "SC-7", "SI-4(4)"],
  cis: ["4.8", "4.4"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "Each TCP and UDP listener matches a reviewed rule by protocol, port, bind scope, executable and owner, with a reason and an end date.",
  mitigation:
    "Stop the service, bind it to loopback, or approve it: `cse baseline generate`, then `cse baseline review`",
  owner: "Network Security",
  uses: ["ports"],
  status_rules: {
    compliant: "A reviewed baseline is there and every listener, with its owner known, matches it.",
    partial:
      "Only listeners on loopback are unapproved; or there is no baseline; or approvals are expired or not yet reviewed.",
    violation: "A listener that other machines can reach is not approved.",
    not_assessed: "The scan failed, or it could not see the owner of every socket.",
  },
  needs: [],
};

export function check({ ports }: AssessEvidence): CheckResult {
  if (ports.kind === "unmeasured") return weigh([missing(ports)], [line(ports, "")]);
  const report = ports.value;
  const seen = `${plural(report.listening_services.length, "listener")} (${report.collector}), ${plural(report.approved_rules, "baseline rule")}${otherNetworks(report)}`;
  const findings = listenerFacts(report.findings.filter((finding) => finding.check_id === meta.check_id));
  return weigh(
    [{ kind: "good", seen }, ...findings, ...completeness(report), ...baselineFacts(report)],
    [line(ports, seen)],
  );
}

function completeness(report: PortReport): readonly Fact[] {
  if (report.status === "ok" && report.complete) return [];
  const why = hindrances(report);
  return [
    {
      kind: "unknown",
      reason: `the port scan is incomplete: ${plural(report.unresolved, "socket")} without a known owner, ${plural(report.denied, "process", "processes")} that could not be read${why === "" ? "" : ` (${why})`}`,
      remedy: "Run the assessment as root, so that every socket's owner can be seen",
    },
  ];
}

function baselineFacts(report: PortReport): readonly Fact[] {
  if (report.approved_file === null) {
    return [
      { kind: "partial", seen: "no baseline", gap: "there is no baseline to compare with", fix: meta.mitigation },
    ];
  }
  return report.rule_notes
    .filter((note) => note.kind === "expired" || note.kind === "unreviewed" || note.kind === "too-broad")
    .map((note) => ({
      kind: "partial",
      seen: `baseline rule ${note.rule} is ${note.kind}`,
      gap: `baseline rule ${note.rule} is ${note.kind}: ${note.message}`,
      fix: "Go through the baseline with `cse baseline review`",
    }));
}
