import { dirname } from "node:path";
import {
  type AllowlistCheck,
  type AllowlistSuggestion,
  checkEgressAllowlist,
  suggestEgressAllowlist,
} from "../app/allowlist.ts";
import {
  diffBaselineFile,
  type DiffReport,
  generateBaselineFile,
  type GenerateReport,
  reviewBaselineFile,
  type ReviewDeps,
  type ReviewReport,
} from "../app/baseline.ts";
import { scanEgress, type ScanEgressDeps } from "../app/scan-egress.ts";
import { scanPorts } from "../app/scan-ports.ts";
import { SecurityError } from "../core/error.ts";
import type { EgressReport, PortReport } from "../core/network.ts";
import { ensurePrivateFolder, writeFileAtomic } from "../state/write-file.ts";
import { type Effects, MAX_POLICY_BYTES } from "./effects.ts";

/** Path of a baseline or allowlist to use instead of the one in the state folder. */
type GivenFile = string | undefined;

export async function runScanPorts(effects: Effects, baseline: GivenFile, includeUdp: boolean): Promise<PortReport> {
  const deps = portDeps(effects, baseline);
  return await scanPorts({ ...deps, loadBaseline: deps.load }, { includeUdp });
}

export async function runScanEgress(
  effects: Effects,
  allowlist: GivenFile,
  includeLoopback: boolean,
): Promise<EgressReport> {
  return await scanEgress(egressDeps(effects, allowlist, includeLoopback), { includeLoopback, includeUdp: true });
}

/** The one command that makes the file, so one named by hand need not be there yet. */
export async function runGenerateBaseline(effects: Effects, baseline: GivenFile): Promise<GenerateReport> {
  const deps = portDeps(effects, baseline);
  return await generateBaselineFile({
    ...deps,
    load: async () => {
      try {
        return await deps.load();
      } catch (thrown) {
        if (thrown instanceof SecurityError && thrown.code === "file-missing") return null;
        throw thrown;
      }
    },
  });
}

export async function runDiffBaseline(effects: Effects, baseline: GivenFile): Promise<DiffReport> {
  return await diffBaselineFile(portDeps(effects, baseline));
}

export async function runReviewBaseline(
  effects: Effects,
  baseline: GivenFile,
  ask: ReviewDeps["ask"],
): Promise<ReviewReport> {
  return await reviewBaselineFile({ ...portDeps(effects, baseline), ask });
}

export async function runSuggestAllowlist(effects: Effects, allowlist: GivenFile): Promise<AllowlistSuggestion> {
  return await suggestEgressAllowlist(egressDeps(effects, allowlist, false));
}

export async function runCheckAllowlist(effects: Effects, allowlist: GivenFile): Promise<AllowlistCheck> {
  return await checkEgressAllowlist(egressDeps(effects, allowlist, false));
}

function portDeps(effects: Effects, baseline: GivenFile) {
  const { now, loadPolicy, policyPath, collect } = effects;
  const pathOf = (): string => baseline ?? policyPath("approved_ports.json");
  return {
    now,
    load: async () => await loadPolicy("approved_ports.json", baseline),
    save: async (text: string) => {
      const path = pathOf();
      if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
        // Some program may have opened ports by the thousand, just to have this happen.
        throw new SecurityError("file-too-large", `The port baseline would be larger than ${MAX_POLICY_BYTES} bytes`, {
          hint: "Nothing was saved. Look at `cse scan ports`: something opens very many ports.",
        });
      }
      await writeFileAtomic(path, text);
      return path;
    },
    exclusively: async (work: () => Promise<string>) => {
      const path = pathOf();
      await ensurePrivateFolder(dirname(path));
      // Loaded when something is saved: most commands only look.
      const { withLock } = await import("../state/lock.ts");
      return await withLock(path, work);
    },
    collect: async ({ udp }: { udp: boolean }) =>
      await collect({ listeners: true, connections: false, includeUdp: udp }),
  };
}

/** Shared with the assessment, which judges connections it has already collected. */
export function egressDeps(effects: Effects, allowlist: GivenFile, includeLoopback: boolean): ScanEgressDeps {
  const { now, loadPolicy, resolveHosts, collect } = effects;
  return {
    now,
    loadAllowlist: async () => await loadPolicy("egress_allowlist.json", allowlist),
    resolveHosts,
    collect: async () => await collect({ listeners: false, connections: true, includeUdp: true, includeLoopback }),
  };
}
