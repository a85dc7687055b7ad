import type { NetworkFinding, ScanProblem } from "../core/network.ts";
import { clip } from "../core/text.ts";
import type { Fact } from "./weigh.ts";

/** What a scan says it was hindered by, without its remarks about missing policy files: those are gaps of their own. */
export function hindrances(report: { readonly problems: readonly ScanProblem[] }): string {
  return report.problems
    .filter((problem) => problem.code !== "baseline-missing" && problem.code !== "no-allowlist")
    .map((problem) => problem.message)
    .join("; ");
}

/** "; 3 processes in 2 other network namespaces (containers) not looked at"; empty when there is no other network here. */
export function otherNetworks(report: { readonly problems: readonly ScanProblem[] }): string {
  return report.problems
    .filter((problem) => problem.code === "other-network-namespaces")
    .map((problem) => `; ${clip(problem.message, 200)}`)
    .join("");
}

/**
 * Findings of the port scan as facts, with the risk the scan gave them. What only this host can reach
 * is partial: for the scan every unapproved listener is a finding to act on, for a control it matters
 * who can get there.
 */
export function listenerFacts(findings: readonly NetworkFinding[]): readonly Fact[] {
  return findingFacts(
    findings.map((finding) =>
      finding.status === "violation" && finding.scope === "loopback" ? { ...finding, status: "partial" } : finding,
    ),
  );
}

/** Network findings as facts, with the status and risk the scan gave them. */
export function findingFacts(findings: readonly NetworkFinding[]): readonly Fact[] {
  return findings.map((finding) => {
    if (finding.status === "not_assessed") {
      return { kind: "unknown", reason: titled(finding), remedy: finding.mitigation };
    }
    return {
      kind: finding.status,
      seen: finding.target,
      gap: titled(finding),
      fix: finding.mitigation,
      risk: finding.risk,
    };
  });
}

function titled(finding: NetworkFinding): string {
  const { exe, name } = finding.process;
  return `${finding.title} (${clip(exe ?? name ?? "unknown process", 120)})`;
}
