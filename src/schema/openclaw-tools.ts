import type {
  AgentConfig,
  ElevatedConfig,
  ExecAsk,
  ExecConfig,
  ExecSecurity,
  SandboxConfig,
  Setting,
  ToolsConfig,
} from "./openclaw-config.ts";
import type { Reader } from "./openclaw-reader.ts";

const EXEC_MODES = ["deny", "allowlist", "ask", "auto", "full"] as const;
const SECURITY: readonly ExecSecurity[] = ["deny", "allowlist", "full"];
const ASK: readonly ExecAsk[] = ["off", "on-miss", "always"];

/** What a `mode` stands for. */
const MODE_POLICY: Readonly<Record<(typeof EXEC_MODES)[number], { security: ExecSecurity; ask: ExecAsk }>> = {
  deny: { security: "deny", ask: "off" },
  allowlist: { security: "allowlist", ask: "off" },
  ask: { security: "allowlist", ask: "on-miss" },
  auto: { security: "allowlist", ask: "on-miss" },
  full: { security: "full", ask: "off" },
};

export interface Agents {
  readonly tools: ToolsConfig;
  readonly agents: readonly AgentConfig[];
}

/** Global tool settings, and every agent with what it inherits. @param expand turns "~/x" into a path */
export function readAgents(root: Reader, expand: (path: string) => string): Agents {
  const agents = root.object("agents");
  const defaults = agents.object("defaults");
  const sandbox = readSandbox([defaults.object("sandbox")]);
  const tools = readTools([root.object("tools")], sandbox);

  const listed = (agents.items("list") ?? []).flatMap((agent) => {
    const id = agent.text("id");
    return id === undefined ? [] : [[id, agent] as const];
  });
  const entries = agents.entries("entries") ?? [];
  const all = entries.length > 0 ? entries : listed;
  const chosen =
    defaults.object("systemAgent").text("agentId") ??
    all.find(([, agent]) => agent.flag("default") === true)?.[0] ??
    all[0]?.[0];
  if (all.length === 0) {
    const workspace = pathOf(defaults, "workspace", expand);
    return { tools, agents: [{ id: "main", is_default: true, workspace, agent_dir: null, sandbox, tools }] };
  }
  return {
    tools,
    agents: all.map(([id, agent]) => {
      const own = readSandbox([agent.object("sandbox"), defaults.object("sandbox")]);
      return {
        id,
        is_default: id === chosen,
        workspace: pathOf(agent, "workspace", expand) ?? pathOf(defaults, "workspace", expand),
        agent_dir: pathOf(agent, "agentDir", expand),
        sandbox: own,
        tools: readTools([agent.object("tools"), root.object("tools")], own),
      };
    }),
  };
}

function pathOf(reader: Reader, key: string, expand: (path: string) => string): string | null {
  const text = reader.text(key);
  return text === undefined || text.trim() === "" ? null : expand(text.trim());
}

/** @param layers the agent's own settings before the shared ones */
function readSandbox(layers: readonly Reader[]): SandboxConfig {
  return {
    mode: pick(layers, (layer) => layer.word("mode", ["off", "non-main", "all"]), "off"),
    workspace_access: pick(layers, (layer) => layer.word("workspaceAccess", ["none", "ro", "rw"]), "none"),
    backend: first(layers, (layer) => layer.text("backend")) ?? null,
    network: pick(layers, (layer) => layer.object("docker").text("network"), "none"),
    // An agent's mounts come on top of the shared ones.
    weaknesses: layers.flatMap((layer) => weaknesses(layer.object("docker"))),
    writable_binds: layers.toReversed().flatMap((layer) => writable(layer.object("docker").texts("binds") ?? [])),
  };
}

const NAMESPACE_KEYS = ["pidMode", "ipcMode", "usernsMode"] as const;
const SOCKETS = /(?:^|\/)(?:docker|podman|containerd|crio)\.sock$/;

function weaknesses(docker: Reader): readonly string[] {
  const found: string[] = [];
  const network = docker.text("network");
  if (network === "host" || network?.startsWith("container:") === true) found.push(`docker.network ${network}`);
  for (const key of ["seccompProfile", "apparmorProfile"]) {
    if (docker.text(key)?.trim().toLowerCase() === "unconfined") found.push(`docker.${key} unconfined`);
  }
  for (const key of NAMESPACE_KEYS) if (docker.text(key) === "host") found.push(`docker.${key} host`);
  if (docker.raw("privileged") === true) found.push("docker.privileged");
  for (const bind of docker.texts("binds") ?? []) {
    const [host = ""] = bind.split(":");
    if (SOCKETS.test(host)) found.push(`the container engine's socket ${host} mounted`);
    else if (/^\/(?:etc|root|proc|sys|dev|boot)?$/.test(host)) found.push(`${host} mounted`);
  }
  return found;
}

/** Host folders of `host:container[:options]` entries that are not read-only. */
function writable(binds: readonly string[]): readonly string[] {
  return binds
    .map((bind) => bind.split(":"))
    .filter(([, , options]) => !(options ?? "").split(",").includes("ro"))
    .map(([host = ""]) => host);
}

function readTools(layers: readonly Reader[], sandbox: SandboxConfig): ToolsConfig {
  const nonEmpty = (key: string): readonly string[] =>
    first(layers, (layer) => {
      const found = layer.texts(key);
      return found === undefined || found.length === 0 ? undefined : found;
    }) ?? [];
  return {
    profile: first(layers, (layer) => layer.word("profile", ["minimal", "coding", "messaging", "full"])) ?? null,
    allow: nonEmpty("allow"),
    also_allow: first(layers, (layer) => layer.texts("alsoAllow")) ?? [],
    // A global deny holds for every agent.
    deny: [...new Set(layers.toReversed().flatMap((layer) => layer.texts("deny") ?? []))],
    exec: readExec(
      layers.map((layer) => layer.object("exec")),
      sandbox,
    ),
    elevated: readElevated(layers.map((layer) => layer.object("elevated"))),
    fs_workspace_only: pick(layers, (layer) => layer.object("fs").flag("workspaceOnly"), false),
  };
}

/** What a layer's `mode` says about both security and ask; an agent's own word comes before the shared mode. */
function modePolicy(layer: Reader): (typeof MODE_POLICY)["deny"] | undefined {
  const mode = layer.word("mode", EXEC_MODES);
  return mode === undefined ? undefined : MODE_POLICY[mode];
}

/** A mode, or a part of the older pair: either takes the place of a mode further out. */
function saysPolicy(layer: Reader): boolean {
  return ["mode", "security", "ask"].some((key) => layer.raw(key) !== undefined);
}

/** OpenClaw's own default is full access without a question, except where the sandbox takes every command. */
function readExec(layers: readonly Reader[], sandbox: SandboxConfig): ExecConfig {
  const host = pick(layers, (layer) => layer.word("host", ["auto", "sandbox", "gateway", "node"]), "auto");
  const isSandboxed = host.value === "sandbox" || (host.value === "auto" && sandbox.mode.value === "all");
  for (const layer of layers) {
    const isMixed = layer.raw("mode") !== undefined && (layer.raw("security") ?? layer.raw("ask")) !== undefined;
    if (isMixed) layer.refuse("mode", "Cannot stand beside security or ask");
  }
  return {
    mode: layers.find(saysPolicy)?.word("mode", EXEC_MODES) ?? null,
    security: pick(
      layers,
      (layer) => modePolicy(layer)?.security ?? layer.word("security", SECURITY),
      isSandboxed ? "deny" : "full",
    ),
    ask: pick(layers, (layer) => modePolicy(layer)?.ask ?? layer.word("ask", ASK), "off"),
    host,
    safe_bins: first(layers, (layer) => layer.texts("safeBins")) ?? [],
    strict_inline_eval: pick(layers, (layer) => layer.flag("strictInlineEval"), false),
    path_prepend: first(layers, (layer) => layer.texts("pathPrepend")) ?? [],
  };
}

function readElevated(layers: readonly Reader[]): ElevatedConfig {
  // Switched off for all cannot be switched on for one.
  const shared = layers.at(-1)?.flag("enabled");
  const enabled: Setting<boolean> =
    shared === false ? { value: false, explicit: true } : pick(layers, (layer) => layer.flag("enabled"), true);
  const allowFrom = new Map<string, readonly string[]>();
  for (const layer of layers.toReversed()) {
    const block = layer.object("allowFrom");
    for (const channel of Object.keys((layer.raw("allowFrom") as object | undefined) ?? {})) {
      const ids = block.ids(channel) ?? [];
      if (ids.length > 0) allowFrom.set(channel, ids);
    }
  }
  return { enabled, allow_from: Object.fromEntries(allowFrom) };
}

function first<T>(layers: readonly Reader[], read: (layer: Reader) => T | undefined): T | undefined {
  for (const layer of layers) {
    const value = read(layer);
    if (value !== undefined) return value;
  }
  return undefined;
}

function pick<T>(layers: readonly Reader[], read: (layer: Reader) => T | undefined, fallback: T): Setting<T> {
  const value = first(layers, read);
  return value === undefined ? { value: fallback, explicit: false } : { value, explicit: true };
}
