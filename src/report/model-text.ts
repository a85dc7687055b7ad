/**
 * Results in the words a model reads: what matters first, then data as JSON. Everything that comes
 * from outside stands in JSON, where it cannot pass for words of ours, and is cut to what a
 * conversation can carry; the whole is in the reports.
 */
import type { AssessmentSummary } from "../assess/assessment.ts";
import type { EgressReport, NetworkFinding, PortReport } from "../core/network.ts";
import { clip, escapeJson, plural } from "../core/text.ts";
import { describeVerdict } from "./wording.ts";

const MAX_FINDINGS = 20;
const MAX_SOCKETS = 60;
const MAX_CHARS = 300;

export function renderPortsForModel(report: PortReport): string {
  const { listening_services: listeners, findings } = report;
  const open = listeners.filter(({ scope }) => scope !== "loopback").length;
  const words = [
    `${plural(listeners.length, "listening socket")}, ${open} of them reachable from other machines. ${plural(findings.length, "finding")}.`,
    report.approved_file === null
      ? "There is no approved baseline yet, so nothing is approved: have the person run `cse baseline generate` and `cse baseline review`."
      : `Compared with ${plural(report.approved_rules, "approved rule")}.`,
    ...limitWords(report),
  ];
  const data = {
    findings: findings.slice(0, MAX_FINDINGS).map(findingData),
    listening: listeners.slice(0, MAX_SOCKETS).map(({ protocol, address, port, scope, name, exe, user }) => ({
      protocol,
      address,
      port,
      scope,
      name,
      exe,
      user,
    })),
  };
  return join(words, data);
}

export function renderEgressForModel(report: EgressReport): string {
  const { connections, findings } = report;
  const outbound = connections.filter(({ direction }) => direction === "outbound");
  const words = [
    `${plural(outbound.length, "outbound connection")} of ${plural(connections.length, "connection")}. ${plural(findings.length, "finding")}.`,
    report.allowlist_file === null
      ? "There is no allowlist yet, so no destination is approved: `cse allowlist suggest` proposes rules for the person to review."
      : `Compared with ${plural(report.allowlist_rules, "allowlist rule")}.`,
    ...limitWords(report),
  ];
  const data = {
    findings: findings.slice(0, MAX_FINDINGS).map(findingData),
    outbound: outbound
      .slice(0, MAX_SOCKETS)
      .map(({ protocol, remote_ip, remote_port, remote_host, state, name, user }) => ({
        protocol,
        remote_ip,
        remote_port,
        remote_host,
        state,
        name,
        user,
      })),
  };
  return join(words, data);
}

export function renderAssessmentForModel(summary: AssessmentSummary): string {
  const { totals, findings } = summary;
  const verdict = describeVerdict(totals);
  const counts = Object.entries(totals.by_status).map(([status, count]) => `${count} ${status}`);
  const words = [
    verdict.headline,
    ...(verdict.caveat === "" ? [] : [verdict.caveat]),
    `Checks: ${counts.join(", ")}. What is not_assessed counts as unknown, never as compliant.`,
    ...summary.problems.slice(0, 5).map(({ code, message }) => `Problem ${code}: ${clip(message, MAX_CHARS)}`),
  ];
  const data = {
    assessed_at: summary.assessed_at,
    findings: findings
      .slice(0, MAX_FINDINGS)
      .map(({ check_id, status, risk, title, evidence, mitigation, due_date }) => ({
        check_id,
        status,
        risk,
        title,
        evidence: clip(evidence, MAX_CHARS),
        mitigation: clip(mitigation, MAX_CHARS),
        due_date,
      })),
    more_findings: Math.max(0, findings.length - MAX_FINDINGS),
    not_assessed: summary.not_assessed.map(({ check_id, reason }) => ({ check_id, reason: clip(reason, MAX_CHARS) })),
    network: summary.network,
    files: summary.files,
  };
  return join(words, data);
}

function findingData({ type, risk, title, target, evidence, mitigation, more }: NetworkFinding) {
  const rest = more === undefined ? {} : { more };
  return {
    type,
    risk,
    title,
    target,
    evidence: clip(evidence, MAX_CHARS),
    mitigation: clip(mitigation, MAX_CHARS),
    ...rest,
  };
}

function limitWords(report: PortReport | EgressReport): readonly string[] {
  if (report.status === "ok") return [];
  const hidden = `${report.unresolved} sockets without a known owner, ${report.denied} processes that could not be looked into`;
  return [`INCOMPLETE: ${hidden}. Running the scan as root in a terminal would see more.`];
}

function join(words: readonly string[], data: unknown): string {
  return `${words.join("\n")}\n\n${escapeJson(JSON.stringify(data, null, 1))}`;
}
