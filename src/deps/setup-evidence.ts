import { join } from "node:path";
import type { Collectors } from "../app/collect-evidence.ts";
import { collectClockState } from "../collect/clock-state.ts";
import { collectConfigBaseline } from "../collect/config-baseline.ts";
import { collectGatewayUnit } from "../collect/gateway-unit.ts";
import { collectHostFirewall } from "../collect/host-firewall.ts";
import { collectHostPatching } from "../collect/host-patching.ts";
import { collectInstalledExtensions } from "../collect/installed-extensions.ts";
import { collectNativeEvidence } from "../collect/native-evidence.ts";
import type { OpenClawPaths } from "../collect/openclaw-paths.ts";
import { hasOpenClawState, ownerOfState } from "../collect/openclaw-presence.ts";
import { findOpenClawProgram } from "../collect/openclaw-program.ts";
import { collectPairedDevices, collectStandingApprovals } from "../collect/standing-approvals.ts";
import { collectStateVolume } from "../collect/state-volume.ts";
import { collectSupplierPolicy, supplierPolicyPath } from "../collect/supplier-policy.ts";
import type { UpdateOptions } from "../collect/update-state.ts";
import { type Evidence, unmeasured } from "../core/evidence.ts";
import type { GatewayProcess } from "../core/host-evidence.ts";
import type { NativeEvidence } from "../core/native-evidence.ts";
import { isoFromEpoch } from "../core/time.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";
import type { Effects } from "./effects.ts";

interface Known {
  readonly effects: Effects;
  readonly paths: OpenClawPaths;
  readonly config: () => Promise<Evidence<OpenClawConfig>>;
  readonly gateway: () => Promise<Evidence<GatewayProcess>>;
  readonly uid: number;
}

type SetupKind =
  | "approvals"
  | "devices"
  | "extensions"
  | "suppliers"
  | "unit"
  | "firewall"
  | "patching"
  | "volume"
  | "clock"
  | "configBaseline";

/** Collectors of how OpenClaw and the machine below it are set up. */
export function setupCollectors({ effects, paths, config, gateway, uid }: Known): Pick<Collectors, SetupKind> {
  const { now, procRoot, runTool, locateTool } = effects;
  const { stateDir } = paths;
  const { platform } = process;
  return {
    approvals: async () => await collectStandingApprovals(stateDir, { now }),
    devices: async () => await collectPairedDevices(stateDir, { now }),
    extensions: async () => {
      const known = await config();
      const own = known.kind === "measured" ? known.value.agents.flatMap(({ workspace }) => workspace ?? []) : [];
      const workspaces = [...new Set([join(stateDir, "workspace"), ...own])];
      return await collectInstalledExtensions(stateDir, { now, workspaces });
    },
    suppliers: async () => {
      const known = await config();
      return known.kind === "unmeasured"
        ? known
        : await collectSupplierPolicy(supplierPolicyPath(known.value, stateDir), now);
    },
    unit: async () =>
      await collectGatewayUnit({ now, procRoot, gateway: await gateway(), currentUid: uid, runTool, locateTool }),
    firewall: async () => await collectHostFirewall({ now, isRoot: uid === 0, platform, runTool, locateTool }),
    patching: async () => {
      const aptHelper = await locateTool("apt-helper", ["/usr/lib/apt"]);
      return await collectHostPatching({ now, root: "/", runTool, aptHelper });
    },
    volume: async () => await collectStateVolume(stateDir, { now, procRoot, sys: "/sys", platform }),
    clock: async () => await collectClockState({ now, root: "/", runTool, locateTool }),
    configBaseline: async () => {
      const known = await config();
      if (known.kind === "unmeasured") return known;
      const files = [...(known.value.present ? [known.value.path] : []), ...known.value.includes];
      return await collectConfigBaseline(join(effects.securityDir(), "config-baseline.sha256"), files, now);
    },
  };
}

interface Asking {
  readonly uid: number;
  readonly isGatewayRunning: boolean;
  readonly refresh: boolean;
  readonly keptOnly: boolean;
}

/** What OpenClaw itself says, where its program and its state may be used by this account. */
export async function askOpenClaw(
  effects: Effects,
  paths: OpenClawPaths,
  installed: Omit<UpdateOptions, "now">,
  { uid, isGatewayRunning, refresh, keptOnly }: Asking,
): Promise<Evidence<NativeEvidence>> {
  const at = isoFromEpoch(effects.now());
  if (!hasOpenClawState(paths.stateDir) && !isGatewayRunning) {
    return unmeasured(
      "not-applicable",
      `There is no OpenClaw at ${paths.stateDir} that could be asked`,
      "openclaw",
      at,
    );
  }
  const owner = ownerOfState(paths.stateDir);
  if (owner !== null && owner !== uid) {
    const reason = `OpenClaw was not asked, because it would leave files of uid ${uid} in the state of uid ${owner}; run the assessment as that account`;
    return unmeasured("permission-denied", reason, "openclaw", at);
  }
  const program = await findOpenClawProgram(installed, uid, at);
  if (program.kind === "unmeasured") return program;
  return await collectNativeEvidence({
    now: effects.now,
    monotonicMs: effects.monotonicMs,
    paths,
    securityDir: effects.securityDir(),
    program: program.value,
    isGatewayRunning,
    runTool: effects.runTool,
    nodePath: process.execPath,
    progress: effects.options.logger ?? (() => undefined),
    refresh,
    keptOnly,
  });
}
