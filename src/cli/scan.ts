import { EXIT_FINDINGS } from "../core/error.ts";
import type { NetworkFinding } from "../core/network.ts";
import { isAtLeast, type Risk } from "../core/risk.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import { renderEgressReportText, renderPortReportText } from "../report/terminal-network.ts";
import type { Terminal } from "./terminal.ts";

interface ScanFlags {
  readonly json?: boolean;
  readonly failOn?: Risk;
}

export async function runScanPorts(
  terminal: Terminal,
  flags: ScanFlags & { readonly baseline?: string; readonly udp: boolean },
): Promise<number> {
  const { baseline } = flags;
  const report = await wire().scanPorts({ includeUdp: flags.udp, ...(baseline === undefined ? {} : { baseline }) });
  terminal.out(flags.json === true ? renderJson(report) : renderPortReportText(report, terminal));
  return exitCodeFor(report.findings, flags.failOn);
}

export async function runScanEgress(
  terminal: Terminal,
  flags: ScanFlags & { readonly allowlist?: string; readonly includeLoopback?: boolean },
): Promise<number> {
  const { allowlist } = flags;
  const includeLoopback = flags.includeLoopback === true;
  const report = await wire().scanEgress({ includeLoopback, ...(allowlist === undefined ? {} : { allowlist }) });
  terminal.out(flags.json === true ? renderJson(report) : renderEgressReportText(report, terminal));
  return exitCodeFor(report.findings, flags.failOn);
}

/** Unverifiable findings count too: with a threshold, what could not be looked at must not pass. */
function exitCodeFor(findings: readonly NetworkFinding[], threshold: Risk | undefined): number {
  if (threshold === undefined) return 0;
  return findings.some((finding) => isAtLeast(finding.risk, threshold)) ? EXIT_FINDINGS : 0;
}
