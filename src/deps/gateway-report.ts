import { join } from "node:path";
import type { AssessResult } from "../app/assess.ts";
import type { EgressReport, PortReport } from "../core/network.ts";
import { SecurityError } from "../core/error.ts";
import { readTextFile } from "../state/read-file.ts";
import type { Effects } from "./effects.ts";
import type { UseCases } from "./wire.ts";

type AssessmentSummary = AssessResult["summary"];

/** The gateway's scans, and what the last ones found. */
export interface GatewayReports {
  scanPorts(options: { readonly includeUdp?: boolean }): Promise<PortReport>;
  scanEgress(options: { readonly includeLoopback?: boolean }): Promise<EgressReport>;
  assess(options: { readonly checks?: readonly string[]; readonly refresh?: boolean }): Promise<AssessmentSummary>;
  /** The last summary, of this process or as it was written; null when there is none. Never measures. */
  last(): Promise<AssessmentSummary | null>;
  /** One of the written files; null when there is none. */
  file(name: ReportName): Promise<string | null>;
}

export const REPORT_NAMES = [
  "compliance-dashboard.html",
  "compliance-summary.json",
  "openclaw-assessment.json",
] as const;
export type ReportName = (typeof REPORT_NAMES)[number];

/** A model that asks twice in a row gets the same answer; nothing it did meanwhile takes less time to matter. */
const FRESH_MS = 60_000;
const MAX_REPORT_BYTES = 20_000_000;

export function createReports(effects: Effects, useCases: UseCases): GatewayReports {
  let kept: { readonly at: number; readonly summary: AssessmentSummary } | null = null;
  let running: Promise<AssessmentSummary> | null = null;
  const measure = async (checks: readonly string[] | undefined): Promise<AssessmentSummary> => {
    const { summary } = await useCases.assess(checks === undefined ? {} : { checks });
    if (checks === undefined) kept = { at: effects.monotonicMs(), summary };
    return summary;
  };
  const file: GatewayReports["file"] = async (name) => {
    try {
      const path = join(effects.assessmentsDir(), name);
      return await readTextFile(path, { maxBytes: MAX_REPORT_BYTES, trust: "trusted", what: "report" });
    } catch (thrown) {
      if (thrown instanceof SecurityError && thrown.code === "file-missing") return null;
      throw thrown;
    }
  };
  return {
    scanPorts: async ({ includeUdp = true }) => await useCases.scanPorts({ includeUdp }),
    scanEgress: async ({ includeLoopback = false }) => await useCases.scanEgress({ includeLoopback }),
    assess: async ({ checks, refresh = false }) => {
      if (checks !== undefined) return await measure(checks);
      if (!refresh && kept !== null && effects.monotonicMs() - kept.at < FRESH_MS) return kept.summary;
      // Several agents that ask at once share one measurement.
      running ??= measure(undefined).finally(() => (running = null));
      return await running;
    },
    last: async () => {
      if (kept !== null) return kept.summary;
      const text = await file("compliance-summary.json");
      return text === null ? null : (JSON.parse(text) as AssessmentSummary);
    },
    file,
  };
}
