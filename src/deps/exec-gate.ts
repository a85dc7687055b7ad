import { hash, randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decideToolCall, type ExecGateDeps, type GateAnswer, type GateEvent } from "../app/exec-gate.ts";
import { protectedPaths } from "../app/protected-path.ts";
import { type ProtectedThings, readCommand } from "../app/read-command.ts";
import type { OwnNames, ToolCall } from "../app/tool-use.ts";
import { createTypedText } from "../app/typed-text.ts";
import type { ClockReading, ContentsDigest } from "../core/elevation.ts";
import type { GatewayAsker } from "../core/gateway-question.ts";
import { createRateLedger } from "../grant/rate-ledger.ts";
import { DEFAULT_PLUGIN_CONFIG, type PluginConfig, type PluginConfigState } from "../schema/plugin-config.ts";
import { resolvePlaces } from "../state/resolve-place.ts";
import { createEffects, type Effects } from "./effects.ts";

export interface GateParts {
  readonly own: OwnNames;
  readonly config: PluginConfig;
  /** Folder the plugin is installed in. */
  readonly rootDir: string;
  /** Folders that the agents' relative paths may start from. */
  readonly workspaces: readonly string[];
  /** Null: the service does not run, so nobody can be asked and no shim answers. */
  readonly live: {
    readonly asker: GatewayAsker;
    readonly shim: ExecGateDeps["shim"];
    readonly readClocks: () => ClockReading;
    readonly record: (event: GateEvent) => Promise<void>;
  } | null;
}

/** The gate over real effects. Without a service it still refuses what it would refuse, and asks nobody. */
export function gateDeps(effects: Effects, parts: GateParts): ExecGateDeps {
  const { own, config, rootDir, workspaces, live } = parts;
  const { stateDir, configPath, home } = effects.paths();
  const ledger = live === null ? null : createRateLedger(live.readClocks);
  const paths = protectedPaths({ stateDir, configPath, packageRoot: rootDir, more: config.protectedPaths });
  const bases = [process.cwd(), join(stateDir, "workspace"), ...workspaces];
  const outer = [...new Set(paths.unchanged.flatMap(foldersAbove))];
  const things: ProtectedThings = {
    paths: paths.unnamed,
    home: home ?? homedir(),
    gatewayPids: [process.pid],
    gatewayPorts: own.gatewayPort === null ? [] : [own.gatewayPort],
    secretVariables: ["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD", "OPENCLAW_APPROVAL_TOKEN"],
  };
  return {
    own,
    settings: config.execGate,
    paths,
    readCommand: (text) => readCommand(text, things),
    resolvePath: async (path) => await resolvePlaces(hostPath(path, home ?? homedir()), bases, outer),
    typed: createTypedText(),
    asker: live?.asker ?? null,
    shim: live?.shim ?? null,
    startQuestion: (text, { session }) =>
      ledger === null
        ? () => undefined
        : ledger.startRequest(randomUUID(), session, hash("sha256", text, "hex") as ContentsDigest),
    record: async (event) => await live?.record(event),
    now: effects.now,
  };
}

/** Without a service there is no session to ask for and nothing to ask with. */
export function openLoneGate(
  parts: Omit<GateParts, "config" | "live"> & { readonly config: PluginConfigState },
): (call: ToolCall, caller: unknown, signal: AbortSignal) => Promise<GateAnswer> {
  const config = parts.config.kind === "valid" ? parts.config.config : DEFAULT_PLUGIN_CONFIG;
  const deps = gateDeps(createEffects({}), { ...parts, config, live: null });
  const session = { session: "unknown", agent: null, channel: "gateway" } as const;
  return async (call, _caller, signal) => await decideToolCall(deps, call, session, signal);
}

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

/** As the host's own tools read a path. */
function hostPath(path: string, home: string): string {
  const bare = path.replace(/^@/, "").replaceAll(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, " ");
  if (bare === "~" || bare.startsWith("~/")) return home + bare.slice(1);
  if (!bare.startsWith("file://")) return bare;
  try {
    return fileURLToPath(bare);
  } catch {
    return bare;
  }
}
