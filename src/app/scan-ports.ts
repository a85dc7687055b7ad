import { parseStrictJson } from "../core/json.ts";
import type { Listener, PortReport, Protocol, ScanProblem, SocketInventory } from "../core/network.ts";
import { type EpochMs } from "../core/time.ts";
import { decideListener, ruleNotes } from "../policy/port-rule.ts";
import { checkPorts, type JudgedListener } from "../scan/port-findings.ts";
import { parseApprovedPorts, type PortBaseline } from "../schema/approved-ports.ts";
import { INSECURE_PORTS } from "../schema/insecure-ports.ts";

/** A policy file as it was read. */
export interface BaselineFile {
  readonly path: string;
  readonly text: string;
}

/** What a port scan asks of a collector. */
export interface PortScanWant {
  readonly udp: boolean;
}

export interface ScanPortsDeps {
  /** Null when the file does not exist; any other failure to read it is thrown. */
  readonly loadBaseline: () => Promise<BaselineFile | null>;
  readonly collect: (want: PortScanWant) => Promise<SocketInventory>;
  readonly now: () => EpochMs;
}

export interface ScanPortsOptions {
  readonly includeUdp: boolean;
}

/**
 * Lists what listens and compares it with the baseline. The baseline is read first: a broken one
 * ends the scan with its own error, because judging by half a baseline would mislead.
 * @throws {SecurityError} baseline-invalid, json-invalid, json-duplicate-key, schema-version-unsupported, what the effects throw
 */
export async function scanPorts(deps: ScanPortsDeps, options: ScanPortsOptions): Promise<PortReport> {
  const file = await deps.loadBaseline();
  const baseline = file === null ? null : parseBaselineFile(file);
  const inventory = await deps.collect({ udp: options.includeUdp });
  return reportPorts(
    inventory,
    baseline,
    file?.path ?? null,
    deps.now(),
    options.includeUdp ? ["tcp", "udp"] : ["tcp"],
  );
}

/** @throws {SecurityError} baseline-invalid, json-invalid, json-duplicate-key, schema-version-unsupported */
export function parseBaselineFile(file: BaselineFile): PortBaseline {
  return parseApprovedPorts(parseStrictJson(file.text, file.path));
}

/** The verdict of the baseline on each listener, in a stable order. */
export function judgeListeners(
  listeners: readonly Listener[],
  baseline: PortBaseline | null,
  now: EpochMs,
): JudgedListener[] {
  return listeners
    .toSorted(compareListeners)
    .map((listener) => ({ listener, verdict: decideListener(baseline, listener, now) }));
}

/** Judges a finished inventory. `protocols` are those that were looked at; rules for others are not called unused. */
export function reportPorts(
  inventory: SocketInventory,
  baseline: PortBaseline | null,
  path: string | null,
  now: EpochMs,
  protocols: readonly Protocol[] = ["tcp", "udp"],
): PortReport {
  const judged = judgeListeners(inventory.listeners, baseline, now);
  const used = new Set(judged.flatMap(({ verdict }) => (verdict.kind === "unapproved" ? [] : [verdict.rule.index])));
  return {
    schemaVersion: 1,
    status: inventory.complete ? "ok" : "incomplete",
    collected_at: inventory.collected_at,
    collector: inventory.collector,
    complete: inventory.complete,
    unresolved: inventory.unresolved,
    denied: inventory.denied,
    approved_file: baseline === null ? null : path,
    approved_rules: baseline?.rules.length ?? 0,
    listening_services: judged.map(({ listener }) => listener),
    findings: checkPorts(judged, INSECURE_PORTS),
    rule_notes: baseline === null ? [] : ruleNotes(baseline, used, now, protocols),
    problems: baseline === null ? [...inventory.problems, NO_BASELINE] : inventory.problems,
  };
}

const NO_BASELINE: ScanProblem = {
  code: "baseline-missing",
  message: "There is no port baseline, so every listener counts as unapproved. Next step: `cse baseline generate`.",
};

function compareListeners(a: Listener, b: Listener): number {
  return (
    compareText(a.protocol, b.protocol) ||
    a.port - b.port ||
    compareText(a.address, b.address) ||
    compareText(a.device ?? "", b.device ?? "") ||
    compareText(a.exe ?? a.name ?? "", b.exe ?? b.name ?? "") ||
    (a.pid ?? 0) - (b.pid ?? 0)
  );
}

/** By code unit, so that the order is the same in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
