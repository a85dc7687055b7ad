import { plural } from "../../core/text.ts";
import type { PortReport } from "../../core/network.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { listenerFacts, otherNetworks } from "../network-fact.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "insecure_ports_remediated",
  title: "No service that speaks in clear text is reachable",
  iso27001: ["A.8.20", "A.8.21", "A.8.24", "A.5.14"],
  nist_csf: ["PR.DS-02", "PR.PS-01"],
  nist_800_53: ["SC-8", "SC-8(1)", "CM-7", "AC-17(2)"],
  cis: ["3.10", "4.6", "4.8"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "Nothing that speaks an unencrypted legacy protocol (telnet, FTP, TFTP, r-services, POP3, IMAP, LDAP, plain HTTP administration) listens beyond loopback.",
  mitigation: "Switch the service off, or move it to its encrypted variant",
  owner: "Network Security",
  uses: ["ports"],
  status_rules: {
    compliant:
      "The TCP and UDP sockets of the host's own network were all seen (the evidence names containers with one of their own), and none has the port of a service on the list. A service on an unusual port is not recognised.",
    partial: "Such a service listens on loopback only.",
    violation: "Such a service listens where other machines can reach it.",
    not_assessed: "The scan failed, or did not see every socket.",
  },
  needs: [],
};

/** Remarks of the scan that hide no socket of this host. */
const HARMLESS = new Set(["baseline-missing", "udp-client-sockets", "other-network-namespaces"]);

export function check({ ports }: AssessEvidence): CheckResult {
  if (ports.kind === "unmeasured") return weigh([missing(ports)], [line(ports, "")]);
  const report = ports.value;
  const tcp = report.listening_services.filter((listener) => listener.protocol === "tcp").length;
  const udp = report.listening_services.length - tcp;
  const seen = `${plural(tcp, "TCP listener")} and ${plural(udp, "UDP listener")} were compared, by their ports, with the list of services that should not be reachable${otherNetworks(report)}`;
  const findings = listenerFacts(
    report.findings.filter((finding) => finding.check_id === meta.check_id && finding.type !== "unverifiable"),
  );
  return weigh([{ kind: "good", seen }, ...findings, ...blindness(report)], [line(ports, seen)]);
}

/** Who owns a socket does not matter here, only that every socket was seen. */
function blindness(report: PortReport): readonly Fact[] {
  const hindrances = report.problems.filter((problem) => !HARMLESS.has(problem.code)).map((problem) => problem.message);
  const lacksOnlyOwners = report.unresolved > 0 && hindrances.length === 0;
  if (report.complete || lacksOnlyOwners) return [];
  const why = hindrances.length === 0 ? "the scan does not say why" : hindrances.join("; ");
  return [
    {
      kind: "unknown",
      reason: `not every socket could be seen: ${why}`,
      remedy: "Correct what hindered the port scan and run the assessment again",
    },
  ];
}
