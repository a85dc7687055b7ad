import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { GatewayProcess } from "../core/host-evidence.ts";
import type { GatewayUnit } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { parseCgroup } from "../scan/cgroup.ts";
import { parseUnitProperties, parseExposure } from "../scan/systemd-unit.ts";
import { createProcFiles } from "./proc-file.ts";

export interface UnitOptions {
  readonly now: () => EpochMs;
  readonly procRoot: string;
  readonly gateway: Evidence<GatewayProcess>;
  readonly currentUid: number;
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
}

const LIMITS = { timeoutMs: 4_000, maxBytes: 1_048_576 } as const;
const PROPERTIES = [
  "User",
  "NoNewPrivileges",
  "ProtectSystem",
  "PrivateTmp",
  "Restart",
  "StartLimitBurst",
  "LoadState",
];

/** How the service manager that started the gateway confines it. */
export async function collectGatewayUnit(options: UnitOptions): Promise<Evidence<GatewayUnit>> {
  const { now, procRoot, gateway, runTool, locateTool } = options;
  const at = isoFromEpoch(now());
  if (gateway.kind === "unmeasured") return gateway;
  const { pid, running, uid } = gateway.value;
  if (!running || pid === null) {
    return unmeasured("proc-unusable", "No running gateway was found whose service could be looked at", "gateway", at);
  }
  const source = `${procRoot}/${pid}/cgroup`;
  const text = createProcFiles(procRoot).text(`${pid}/cgroup`);
  if (typeof text !== "string") return unmeasured("proc-unusable", "The gateway's unit could not be read", source, at);
  const { unit: found, container } = parseCgroup(text);
  if (found === null || !found.endsWith(".service")) {
    const how = container === null ? "no service manager started it" : "it runs in a container";
    return unmeasured("proc-unusable", `The gateway (pid ${pid}) belongs to no service: ${how}`, source, at);
  }
  const manager = found.startsWith("user@") ? "user" : "system";
  const unit = found.slice(found.lastIndexOf("/") + 1);
  if (manager === "user" && uid !== options.currentUid) {
    return unmeasured("permission-denied", `Only uid ${uid} can ask its own service manager about ${unit}`, unit, at);
  }
  const [systemctl, analyze] = await Promise.all(
    ["systemctl", "systemd-analyze"].map(async (name) => await locateTool(name)),
  );
  if (systemctl === undefined || systemctl === null) {
    return unmeasured("tool-missing", "systemctl is not installed", "systemctl", at);
  }
  // A user's manager is found by this folder and nothing else of the environment.
  const scope = manager === "user" ? ["--user"] : [];
  const env = manager === "user" ? { XDG_RUNTIME_DIR: `/run/user/${uid}` } : {};
  const ask = async (file: string, args: readonly string[]): Promise<string | null> => {
    const result = await runTool({ file, args: [...scope, "--no-pager", ...args], env, ...LIMITS });
    return result.kind === "done" && result.exitCode === 0 ? result.stdout : null;
  };
  const shown = await ask(systemctl, ["show", `--property=${PROPERTIES.join(",")}`, "--", unit]);
  const properties = shown === null ? null : parseUnitProperties(shown);
  if (properties === null) {
    return unmeasured("tool-failed", `systemctl said nothing about ${unit}`, `systemctl show ${unit}`, at);
  }
  const table = analyze === undefined || analyze === null ? null : await ask(analyze, ["security", "--", unit]);
  const exposure = table === null ? null : parseExposure(table);
  return measured({ unit, manager, ...properties, exposure }, `systemctl show ${unit}; systemd-analyze security`, at);
}
