import { clip } from "../core/text.ts";
import type { GatewayEngine } from "../deps/gateway.ts";
import type { HostAuditFinding } from "./host-api.ts";

const SEVERITY = { critical: "critical", high: "critical", medium: "warn", low: "info" } as const;

/** The last assessment's open gaps for `openclaw security audit`; measures nothing. */
export async function collectAuditFindings(engine: GatewayEngine | null): Promise<HostAuditFinding[]> {
  try {
    const summary = (await engine?.reports.last()) ?? null;
    return (summary?.findings ?? []).map(({ check_id, risk, title, evidence, mitigation }) => ({
      checkId: `cyber-security-engineer.${check_id}`,
      severity: SEVERITY[risk],
      title: clip(title, 200),
      detail: clip(evidence, 1_000),
      remediation: clip(mitigation, 1_000),
    }));
  } catch {
    // A report that cannot be read is a finding of `cse preflight`, not a reason to break the host's audit.
    return [];
  }
}
