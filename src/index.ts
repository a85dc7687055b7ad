import { asSecurityError, type ErrorReport } from "./core/error.ts";
import type { EgressReport, PortReport } from "./core/network.ts";
import type { AuditVerification, VerifyAuditOptions } from "./deps/audit.ts";
import type { ElevationResult, RunResult } from "./app/elevation-result.ts";
import type { EngineOptions } from "./deps/effects.ts";
import type { ElevationStatus } from "./deps/elevate.ts";
import { wire } from "./deps/wire.ts";
import type { AssessmentSummary } from "./assess/assessment.ts";
import {
  type AssessParams,
  parseAssessParams,
  parseScanEgressParams,
  parseScanPortsParams,
  type ScanEgressParams,
  type ScanPortsParams,
} from "./schema/tool-params.ts";

export type { AuditVerification, VerifyAuditOptions } from "./deps/audit.ts";
export type { ElevationResult, RunResult } from "./app/elevation-result.ts";
export type { ApprovalAnswer, ApprovalQuestion, Approver } from "./core/elevation.ts";
export type { EngineOptions } from "./deps/effects.ts";
export type { AssessParams, ScanEgressParams, ScanPortsParams } from "./schema/tool-params.ts";
export type { AssessmentFinding, AssessmentSummary } from "./assess/assessment.ts";
export type { ErrorReport } from "./core/error.ts";
export type { Connection, EgressReport, Listener, NetworkFinding, PortReport } from "./core/network.ts";
export type { SocketTable } from "./scan/socket-table.ts";
export { parseSocketTable } from "./scan/parse-socket-table.ts";
export type { CommandContext } from "./policy/command-case.ts";
export { type CompiledPolicy, evaluateCommand, parsePolicy, type Verdict } from "./policy/command-decision.ts";
export { lintPolicy, type PolicyFinding } from "./policy/command-policy-lint.ts";
export { isRootEquivalent, type RootEquivalence } from "./policy/root-equivalent.ts";
export { analyzeCommand, type CommandAnalysis, type Elevation } from "./shell/analyze-command.ts";
export { parseSudoArgs, type SudoArgs, type SudoRequest } from "./shell/parse-sudo-args.ts";

/** The tools over one set of effects. Failures come back as values; none of these rejects. */
export interface SecurityEngineer {
  /** What listens, compared with the approved baseline. Source: /proc, else ss, lsof, netstat. */
  scanPorts(params?: ScanPortsParams): Promise<PortReport | ErrorReport>;
  /** What talks out, compared with the allowlist. */
  scanEgress(params?: ScanEgressParams): Promise<EgressReport | ErrorReport>;
  /** Measures this host against the controls and writes the five reports; what could not be written is in `problems`. */
  assess(params?: AssessParams): Promise<AssessmentSummary | ErrorReport>;
  /** Asks the approver for one exact command; a yes makes a grant. Without an approver all is refused. */
  requestElevation(request: unknown): Promise<ElevationResult | ErrorReport>;
  /** Runs one command as root through real sudo, asking first unless a live grant fits. */
  runPrivileged(request: unknown): Promise<RunResult | ErrorReport>;
  /** Ends every grant; returns how many there were. */
  dropElevation(): Promise<number | ErrorReport>;
  status(): Promise<ElevationStatus | ErrorReport>;
  /** Ends every grant and lets go of what earlier calls learned. Elevation is over; scans stay usable. */
  close(): Promise<void>;
}

/** An engineer whose outside world can be replaced piece by piece. */
export function createSecurityEngineer(options: EngineOptions = {}): SecurityEngineer {
  const useCases = wire(options);
  const opened = openedOnce(async () => await useCases.elevation({ at: "library" }));
  const elevation = opened.get;
  return {
    scanPorts: async (params) =>
      await settle(async () => {
        const { includeUdp = true, ...rest } = parseScanPortsParams(params);
        return await useCases.scanPorts({ ...rest, includeUdp });
      }),
    scanEgress: async (params) =>
      await settle(async () => {
        const { includeLoopback = false, ...rest } = parseScanEgressParams(params);
        return await useCases.scanEgress({ ...rest, includeLoopback });
      }),
    assess: async (params) =>
      await settle(async () => {
        const { checks, outDir, refresh } = parseAssessParams(params);
        const { summary } = await useCases.assess({
          // A caller, such as a gateway, does not wait minutes for OpenClaw's own commands unasked.
          native: "kept",
          ...(checks === undefined ? {} : { checks }),
          ...(outDir === undefined ? {} : { outDir }),
          ...(refresh === undefined ? {} : { refresh }),
        });
        return summary;
      }),
    requestElevation: async (request) => await settle(async () => await (await elevation()).requestElevation(request)),
    runPrivileged: async (request) => await settle(async () => await (await elevation()).runPrivileged(request)),
    dropElevation: async () => await settle(async () => await (await elevation()).dropElevation()),
    status: async () => await settle(async () => (await elevation()).status()),
    close: async () => {
      useCases.forget();
      await opened.close();
    },
  };
}

const defaultEngineer = onFirstUse(() => createSecurityEngineer());

/** `scanPorts` of a default engineer made on first use. */
export const scanPorts: SecurityEngineer["scanPorts"] = async (params) => await defaultEngineer().scanPorts(params);

/** `scanEgress` of a default engineer made on first use. */
export const scanEgress: SecurityEngineer["scanEgress"] = async (params) => await defaultEngineer().scanEgress(params);

/** `assess` of a default engineer made on first use. */
export const assess: SecurityEngineer["assess"] = async (params) => await defaultEngineer().assess(params);

/**
 * Tells whether an audit log (`privileged-audit.jsonl`, with the head file and the key beside it) is as it was
 * written. Never rejects.
 */
export async function verifyAuditLog(path: string, options?: VerifyAuditOptions): Promise<AuditVerification> {
  const audit = await import("./deps/audit.ts");
  return await audit.verifyAuditLog(path, options);
}

/** `requestElevation` of a default engineer: it has nobody to ask, so it refuses. */
export const requestElevation: SecurityEngineer["requestElevation"] = async (request) =>
  await defaultEngineer().requestElevation(request);

/** `runPrivileged` of a default engineer: it has nobody to ask, so it refuses. */
export const runPrivileged: SecurityEngineer["runPrivileged"] = async (request) =>
  await defaultEngineer().runPrivileged(request);

/** Opened at the first call and closed only if it was. */
function openedOnce<T extends { close(): Promise<void> }>(open: () => Promise<T>) {
  let opening: Promise<T> | undefined;
  return {
    get: async (): Promise<T> => await (opening ??= open()),
    close: async (): Promise<void> => {
      if (opening !== undefined) await (await opening).close();
    },
  };
}

function onFirstUse<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

async function settle<T>(work: () => Promise<T>): Promise<T | ErrorReport> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message, hint } = asSecurityError(thrown);
    return { status: "error", code, message, hint };
  }
}
