import { hasEnvReference } from "./openclaw-env.ts";
import type { Setting } from "./openclaw-setting.ts";
import { type Reader } from "./openclaw-reader.ts";
import { isConfigRecord } from "./openclaw-text.ts";

/** What the configuration lets in, sends out, keeps and switches off, beside the settings of tools and channels. */
export interface ConfigSurface {
  /** Switches that OpenClaw itself calls dangerous, as `path=value`; those that plugins declare are not known here. */
  readonly dangerous_flags: readonly string[];
  /** Plugins with settings of their own, which may hold dangerous switches that only OpenClaw knows. */
  readonly configured_plugins: readonly string[];
  /** Paths in the config of secrets that are written there in clear. */
  readonly plaintext_secrets: readonly string[];
  /** Null when one of the two secrets cannot be seen. */
  readonly hooks_token_is_gateway_secret: boolean | null;
  readonly hooks: {
    readonly default_session_key: boolean;
    readonly session_key_prefixes: readonly string[];
  };
  readonly nodes: {
    readonly auto_approve_cidrs: readonly string[];
    readonly allow_commands: readonly string[];
    readonly deny_commands: readonly string[];
  };
  readonly session_maintenance: Setting<"enforce" | "warn">;
  readonly execution_identity: Setting<boolean>;
  readonly telemetry: {
    readonly enabled: Setting<boolean>;
    /** True when any kind of content is captured. */
    readonly captures_content: Setting<boolean>;
    /** Host and port of where it goes; null when not set, which is this host. */
    readonly endpoints: readonly string[];
    readonly indexes_transcripts: boolean;
  };
  readonly mcp_servers: readonly McpServer[];
  readonly model_providers: readonly string[];
  readonly suppressions: readonly Suppression[];
  readonly has_install_policy: boolean;
  /** Path of the requirements file of OpenClaw's Policy plugin; null when its settings name none. */
  readonly policy_path: string | null;
}

export interface McpServer {
  readonly name: string;
  readonly enabled: boolean;
  /** Command line or host, without secrets. */
  readonly what: string;
  /** A package that is run by name without a version can be another one tomorrow. Null for a remote server. */
  readonly is_pinned: boolean | null;
}

export interface Suppression {
  readonly check_id: string;
  readonly has_reason: boolean;
  /** It also names words of the title or detail that must match. */
  readonly is_narrowed: boolean;
}

/** @param authored the same tree before variables were put in */
export function readSurface(root: Reader, authored: unknown, substituted: unknown): ConfigSurface {
  const hooks = root.object("hooks");
  const nodes = root.object("gateway").object("nodes");
  const commands = nodes.object("commands");
  const maintenance = root.object("session").object("maintenance").word("mode", ["enforce", "warn"]);
  const identity = root.object("logging").object("audit").flag("executionIdentity");
  const policyPath = root.object("plugins").object("entries").object("policy").object("config").text("path");
  return {
    dangerous_flags: dangerousFlags(root),
    configured_plugins: (root.object("plugins").entries("entries") ?? [])
      .filter(([, entry]) => isConfigRecord(entry.raw("config")))
      .map(([id]) => id),
    plaintext_secrets: plaintextSecrets(authored, []),
    hooks_token_is_gateway_secret: isReused(substituted),
    hooks: {
      default_session_key: (hooks.text("defaultSessionKey") ?? "").trim() !== "",
      session_key_prefixes: (hooks.texts("allowedSessionKeyPrefixes") ?? []).filter((prefix) => prefix.trim() !== ""),
    },
    nodes: {
      auto_approve_cidrs: nodes.object("pairing").texts("autoApproveCidrs") ?? [],
      allow_commands: [...(commands.texts("allow") ?? []), ...(nodes.texts("allowCommands") ?? [])],
      deny_commands: [...(commands.texts("deny") ?? []), ...(nodes.texts("denyCommands") ?? [])],
    },
    session_maintenance: { value: maintenance ?? "enforce", explicit: maintenance !== undefined },
    execution_identity: { value: identity ?? false, explicit: identity !== undefined },
    telemetry: readTelemetry(root),
    mcp_servers: readMcpServers(root),
    model_providers: readProviders(root),
    suppressions: (root.object("security").object("audit").items("suppressions") ?? []).map((item) => ({
      check_id: item.text("checkId") ?? "",
      has_reason: (item.text("reason") ?? "").trim() !== "",
      is_narrowed: item.raw("titleIncludes") !== undefined || item.raw("detailIncludes") !== undefined,
    })),
    has_install_policy: isConfigRecord(root.object("security").raw("installPolicy")),
    policy_path: policyPath ?? null,
  };
}

const DOCKER_FLAGS = [
  "dangerouslyAllowReservedContainerTargets",
  "dangerouslyAllowExternalBindSources",
  "dangerouslyAllowContainerNamespaceJoin",
] as const;

/** Any key that is called dangerous counts, and those that OpenClaw's own audit calls so by another name. */
function dangerousFlags(root: Reader): readonly string[] {
  const found = new Set<string>();
  const on = (reader: Reader, key: string, path: string, value = true): void => {
    if (reader.raw(key) === value) found.add(`${path}.${key}=${String(value)}`);
  };
  const ui = root.object("gateway").object("controlUi");
  for (const key of ["dangerouslyAllowHostHeaderOriginFallback", "dangerouslyDisableDeviceAuth", "allowInsecureAuth"]) {
    on(ui, key, "gateway.controlUi");
  }
  const hooks = root.object("hooks");
  on(hooks, "allowRequestSessionKey", "hooks");
  on(hooks.object("gmail"), "allowUnsafeExternalContent", "hooks.gmail");
  for (const [index, mapping] of (hooks.items("mappings") ?? []).entries()) {
    on(mapping, "allowUnsafeExternalContent", `hooks.mappings[${index}]`);
  }
  on(root.object("browser").object("ssrfPolicy"), "dangerouslyAllowPrivateNetwork", "browser.ssrfPolicy");
  on(root.object("tools").object("fs"), "workspaceOnly", "tools.fs", false);
  on(root.object("tools").object("exec").object("applyPatch"), "workspaceOnly", "tools.exec.applyPatch", false);
  const agents = root.object("agents");
  const shared: readonly (readonly [string, Reader])[] = [["agents.defaults", agents.object("defaults")]];
  const own = (agents.entries("entries") ?? []).map(([id, agent]) => [`agents.entries.${id}`, agent] as const);
  const listed = (agents.items("list") ?? []).map((agent, index) => [`agents.list[${index}]`, agent] as const);
  for (const [path, agent] of [...shared, ...own, ...listed]) {
    const docker = agent.object("sandbox").object("docker");
    for (const key of DOCKER_FLAGS) on(docker, key, `${path}.sandbox.docker`);
  }
  return [...found];
}

const SECRET_KEY =
  /^(?:.*(?:token|password|passphrase|secret|api_?key|private_?key|access_?key|signing_?key)|authorization)$/i;
/** These end like a secret and are numbers, names or places. */
const NO_SECRET_KEY = /^(?:max|min|context|budget|reserve|default|total|num|use|allow|require).*token|^tokenizer$/i;

/** Paths of strings that stand in clear where a secret belongs; a reference is none. */
function plaintextSecrets(value: unknown, path: readonly string[]): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => plaintextSecrets(item, [...path, String(index)]));
  }
  if (!isConfigRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const here = [...path, key];
    if (typeof item !== "string") return plaintextSecrets(item, here);
    const isSecret = isSecretKey(key) && item.trim() !== "" && !hasEnvReference(item);
    return isSecret ? [here.join(".")] : [];
  });
}

export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) && !NO_SECRET_KEY.test(key);
}

function isReused(substituted: unknown): boolean | null {
  const root = isConfigRecord(substituted) ? substituted : {};
  const part = (value: unknown, key: string): unknown =>
    isConfigRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  const token = part(part(root, "hooks"), "token");
  const auth = part(part(root, "gateway"), "auth");
  const secrets = [part(auth, "token"), part(auth, "password")].filter((secret) => secret !== undefined);
  if (token === undefined) return false;
  if (typeof token !== "string" || hasEnvReference(token)) return null;
  if (secrets.some((secret) => secret === token)) return true;
  const isSeen =
    secrets.length > 0 && secrets.every((secret) => typeof secret === "string" && !hasEnvReference(secret));
  return isSeen ? false : null;
}

function readTelemetry(root: Reader): ConfigSurface["telemetry"] {
  const diagnostics = root.object("diagnostics");
  const otel = diagnostics.object("otel");
  const enabled = otel.flag("enabled");
  const capture = otel.raw("captureContent");
  const parts = isConfigRecord(capture) ? Object.values(capture) : [capture];
  const urls = ["endpoint", "tracesEndpoint", "metricsEndpoint", "logsEndpoint"].flatMap((key) => otel.text(key) ?? []);
  const memory = root.object("agents").object("defaults").object("memorySearch");
  return {
    enabled: { value: enabled ?? false, explicit: enabled !== undefined },
    captures_content: { value: parts.some((part) => part === true), explicit: capture !== undefined },
    endpoints: urls.map(
      (url) => /^[a-z+]+:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(url.trim())?.[1] ?? "an address that is not a URL",
    ),
    indexes_transcripts: (memory.texts("sources") ?? []).includes("sessions"),
  };
}

const RUNNERS: ReadonlySet<string> = new Set(["npx", "bunx", "pnpm", "pnpx", "yarn", "uvx", "pipx", "uv", "bun"]);

function readMcpServers(root: Reader): readonly McpServer[] {
  return (root.object("mcp").entries("servers") ?? []).map(([name, server]) => {
    const command = server.text("command");
    const args = server.texts("args") ?? [];
    const url = server.text("url");
    const host = /^[a-z+]+:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(url?.trim() ?? "")?.[1];
    const program = command?.split("/").at(-1) ?? "";
    const isVersioned = args.some((arg) => /^(?:@[^/]+\/)?[^@/]+(?:@|==)v?\d[\w.+-]*$/.test(arg));
    return {
      name,
      enabled: server.flag("enabled") !== false,
      what: command === undefined ? (host ?? "an unknown transport") : command,
      is_pinned:
        command === undefined ? null : RUNNERS.has(program) ? isVersioned : program !== "docker" || hasDigest(args),
    };
  });
}

function hasDigest(args: readonly string[]): boolean {
  return args.some((arg) => /@sha256:[0-9a-f]{64}$/.test(arg));
}

/** Providers that are set up, and those that the chosen models name. */
function readProviders(root: Reader): readonly string[] {
  const models = [
    root.object("agents").object("defaults"),
    ...(root.object("agents").entries("entries") ?? []).map(([, agent]) => agent),
  ]
    .map((agent) => agent.raw("model"))
    .flatMap((model) => {
      if (typeof model === "string") return [model];
      if (!isConfigRecord(model)) return [];
      const fallbacks = Array.isArray(model["fallbacks"]) ? (model["fallbacks"] as readonly unknown[]) : [];
      return [model["primary"], ...fallbacks].filter((name) => typeof name === "string");
    })
    .flatMap((name) => (name.includes("/") ? [name.slice(0, name.indexOf("/"))] : []));
  const named = (root.object("models").entries("providers") ?? []).map(([name]) => name);
  return [...new Set([...named, ...models])].toSorted();
}
