/**
 * The plugin's entry. The host calls `register` several times and in several copies of this module,
 * also to learn only what there is: nothing is read or started here but by the service.
 */
import type { GatewayEngine } from "../deps/gateway.ts";
import { readPluginConfig } from "../schema/plugin-config.ts";
import { AGENT_TOOL_NAMES } from "../schema/agent-tool.ts";
import { securityCommand } from "./chat-command.ts";
import { registerCliDoor } from "./cli-door.ts";
import { type Decide, registerHooks } from "./hooks.ts";
import type { HostApi, HostPluginEntry } from "./host-api.ts";
import { dashboardRoute, ROUTE } from "./http-route.ts";
import { PLUGIN_ID } from "./identity.ts";
import { sharedEngine } from "./registry.ts";
import { collectAuditFindings } from "./security-audit.ts";
import { ownNames, securityService, workspacesOf } from "./service.ts";
import { createTools } from "./tools.ts";

function register(api: HostApi): void {
  const engineNow = (): GatewayEngine | null => sharedEngine();
  api.registerTool((context) => createTools(engineNow, context), { names: [...AGENT_TOOL_NAMES] });
  registerHooks(
    api,
    engineNow,
    onFirstUse(async () => await openLoneGate(api)),
  );
  api.registerService(securityService(api));
  api.registerHttpRoute(dashboardRoute(engineNow));
  api.registerCommand(securityCommand(engineNow));
  registerCliDoor(api);
  api.registerSecurityAuditCollector(async () => await collectAuditFindings(engineNow()));
  api.session?.controls?.registerControlUiDescriptor({
    surface: "tab",
    id: "security",
    label: "Security",
    description: "The last security assessment of this host",
    icon: "shield",
    group: "control",
    path: ROUTE,
    requiredScopes: ["operator.read"],
  });
}

/** The gate where no service runs: it refuses what it would refuse or ask about, and lets clear commands pass. */
async function openLoneGate(api: HostApi): Promise<Decide> {
  const { openLoneGate: open } = await import("../deps/exec-gate.ts");
  const gate = open({
    own: ownNames(api.config),
    config: readPluginConfig(api.pluginConfig),
    rootDir: api.rootDir ?? "",
    workspaces: workspacesOf(api.config),
  });
  return gate;
}

function onFirstUse<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return async () => await (made ??= make());
}

const entry: HostPluginEntry = {
  id: PLUGIN_ID,
  name: "Cyber Security Engineer",
  description: "Approval-first privilege, network scans and honest compliance for the host OpenClaw runs on.",
  register,
};

export default entry;
