import { type OpenApprovalsClient, openApprovalsClient } from "./approvals-client.ts";
import { asSecurityError } from "../core/error.ts";
import type { GatewayEngine, GatewayOptions } from "../deps/gateway.ts";
import { readPluginConfig } from "../schema/plugin-config.ts";
import type { HostApi, HostService, HostServiceContext } from "./host-api.ts";
import { PLUGIN_ID } from "./identity.ts";
import { shareEngine, unshareEngine } from "./registry.ts";

/** How long the host waits for a service to stop. */
const STOP_MS = 2_000;
const HEALTH_EVERY_MS = 60_000;

/** Owns everything that runs: there is one of it in a gateway, whatever number of copies this module has. */
export function securityService(api: HostApi): HostService {
  let running: { readonly engine: GatewayEngine; readonly stopWatch: () => void } | null = null;
  return {
    id: PLUGIN_ID,
    start: async (context) => {
      process.on("SIGUSR1", ignoreSignal);
      try {
        const engine = await shareEngine(async () => await openEngine(api, context));
        running = { engine, stopWatch: watchHealth(engine, context) };
      } catch (thrown) {
        // Nothing is shared, so everything privileged is refused, and the gate asks nobody.
        context.serviceHealth?.reportFailure(asSecurityError(thrown));
        context.logger.error(`security service: ${asSecurityError(thrown).message}`);
      }
    },
    stop: async () => {
      if (running === null) return;
      const { engine, stopWatch } = running;
      running = null;
      stopWatch();
      unshareEngine(engine);
      await Promise.race([engine.close(), new Promise((done) => setTimeout(done, STOP_MS).unref())]);
    },
  };
}

/**
 * By Node's default this signal opens the debugger, through which any process of this account could
 * run code in the gateway. It stays when the service stops: without it the default would be back.
 */
function ignoreSignal(): void {
  // There is nothing to do.
}

async function openEngine(api: HostApi, context: HostServiceContext): Promise<GatewayEngine> {
  const { openGateway } = await import("../deps/gateway.ts");
  const config = readPluginConfig(api.pluginConfig);
  const options: GatewayOptions = {
    stateDir: context.stateDir,
    config,
    own: ownNames(context.config),
    rootDir: api.rootDir ?? "",
    workspaces: workspacesOf(context.config),
    client: clientInBackground(context),
    logger: (line) => context.logger.info(line),
  };
  return await openGateway(options);
}

/** The gateway lets nobody in before its services have started, so this service must not wait for its own client. */
function clientInBackground({ config, logger }: HostServiceContext): GatewayOptions["client"] {
  let opened: OpenApprovalsClient | null = null;
  let isClosed = false;
  const opening = openApprovalsClient(config, () => logger.info("approvals: people can be asked"));
  opening.then(
    (client) => {
      if (isClosed) client.close();
      else opened = client;
    },
    (thrown: unknown) => logger.error(`approvals: ${asSecurityError(thrown).message}`),
  );
  return {
    isConnected: () => opened?.isConnected() ?? false,
    request: async (question, options) => await (await opening).request(question, options),
    waitDecision: async (id) => await (await opening).waitDecision(id),
    history: async () => await (await opening).history(),
    withdraw: async (id) => await (await opening).withdraw(id),
    close: () => {
      isClosed = true;
      opened?.close();
    },
  };
}

/** Says what does not work, as long as it does not. */
function watchHealth(engine: GatewayEngine, { serviceHealth }: HostServiceContext): () => void {
  const look = async (): Promise<void> => {
    const { problems } = await engine.status();
    if (problems.length > 0) serviceHealth?.reportFailure(new Error(problems.join("; ")));
    else serviceHealth?.clearFailure();
  };
  const tell = (): void => {
    look().catch((thrown: unknown) => serviceHealth?.reportFailure(thrown));
  };
  tell();
  const timer = setInterval(tell, HEALTH_EVERY_MS).unref();
  return () => clearInterval(timer);
}

export function ownNames(config: unknown): GatewayOptions["own"] {
  const port = valueAt(config, ["gateway", "port"]);
  return { pluginId: PLUGIN_ID, gatewayPort: typeof port === "number" ? port : 18_789 };
}

/** Where agents' relative paths start, as far as the config says. */
export function workspacesOf(config: unknown): readonly string[] {
  const agents = valueAt(config, ["agents", "entries"]);
  const entries = typeof agents === "object" && agents !== null ? Object.values(agents) : [];
  const named = [valueAt(config, ["agents", "defaults"]), ...entries].map((agent) => valueAt(agent, ["workspace"]));
  return named.filter((path) => typeof path === "string");
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Readonly<Record<string, unknown>>)[key] : undefined),
    value,
  );
}
