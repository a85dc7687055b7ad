import { asSecurityError, type ErrorReport } from "./core/error.ts";
import type { EgressReport, PortReport } from "./core/network.ts";
import { type EngineOptions, wire } from "./deps.ts";
import {
  parseScanEgressParams,
  parseScanPortsParams,
  type ScanEgressParams,
  type ScanPortsParams,
} from "./schema/tool-params.ts";

export type { EngineOptions } from "./deps.ts";
export type { ScanEgressParams, ScanPortsParams } from "./schema/tool-params.ts";
export type { ErrorReport } from "./core/error.ts";
export type { Connection, EgressReport, Listener, NetworkFinding, PortReport } from "./core/network.ts";
export type { SocketTable } from "./scan/socket-table.ts";
export { parseSocketTable } from "./scan/parse-socket-table.ts";

/** The tools over one set of effects. Failures come back as values; none of these rejects. */
export interface SecurityEngineer {
  /** What listens, compared with the approved baseline. Source: /proc, else ss, lsof, netstat. */
  scanPorts(params?: ScanPortsParams): Promise<PortReport | ErrorReport>;
  /** What talks out, compared with the allowlist. */
  scanEgress(params?: ScanEgressParams): Promise<EgressReport | ErrorReport>;
}

/** An engineer whose outside world can be replaced piece by piece. */
export function createSecurityEngineer(options: EngineOptions = {}): SecurityEngineer {
  const useCases = wire(options);
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
  };
}

const defaultEngineer = onFirstUse(() => createSecurityEngineer());

/** `scanPorts` of a default engineer made on first use. */
export const scanPorts: SecurityEngineer["scanPorts"] = async (params) => await defaultEngineer().scanPorts(params);

/** `scanEgress` of a default engineer made on first use. */
export const scanEgress: SecurityEngineer["scanEgress"] = async (params) => await defaultEngineer().scanEgress(params);

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
