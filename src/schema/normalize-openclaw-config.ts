import type {
  GatewayBind,
  GatewayConfig,
  OpenClawConfig,
  PluginEntry,
  SecretFact,
  Setting,
} from "./openclaw-config.ts";
import { readPluginConfig } from "./plugin-config.ts";
import { readChannels } from "./openclaw-channels.ts";
import { configEnv, type Env, hasEnvReference, substituteEnv } from "./openclaw-env.ts";
import { type Reader, readRecord } from "./openclaw-reader.ts";
import { readSurface } from "./openclaw-surface.ts";
import { isConfigRecord } from "./openclaw-text.ts";
import { readAgents } from "./openclaw-tools.ts";
import type { Issue } from "./issue.ts";
import { invalid } from "./validate.ts";

export interface ConfigSource {
  /** Absolute path of the file that was, or would be, read. */
  readonly path: string;
  /** The parsed file with its includes merged in; undefined when there is no file. */
  readonly authored: unknown;
  readonly includes: readonly string[];
  /** The environment OpenClaw would have, its `.env` files included. */
  readonly env: Env;
  /** Home folder, for "~/..."; null when there is none. */
  readonly home: string | null;
  readonly profile: string | null;
  /** In a container OpenClaw listens on all interfaces when `gateway.bind` is unset. */
  readonly inContainer: boolean;
}

const DEFAULT_PORT = 18_789;
const MAX_PORT = 65_535;

/**
 * OpenClaw's effective settings with the defaults of 2026.9.6.
 * @throws {SecurityError} config-invalid when a key that is read here has a type OpenClaw refuses
 */
export function normalizeOpenClawConfig(source: ConfigSource): OpenClawConfig {
  const issues: Issue[] = [];
  const authoredTree = source.authored === undefined ? {} : source.authored;
  const env: Env = { ...configEnv(authoredTree), ...withoutUnset(source.env) };
  const authored = readRecord(authoredTree, "", []);
  const substituted = substituteEnv(authoredTree, env);
  const root = readRecord(substituted, "", issues);
  const expand = (path: string): string =>
    source.home !== null && (path === "~" || path.startsWith("~/")) ? source.home + path.slice(1) : path;

  const { tools, agents } = readAgents(root, expand);
  const logging = root.object("logging");
  const logFile = logging.text("file");
  const config: OpenClawConfig = {
    path: source.path,
    present: source.authored !== undefined,
    includes: source.includes,
    last_touched_version: root.object("meta").text("lastTouchedVersion") ?? null,
    gateway: readGateway(root.object("gateway"), authored.object("gateway"), source, env),
    channels: readChannels(root, env),
    tools,
    agents,
    session: readSession(root),
    messages: { mention_patterns: root.object("messages").object("groupChat").texts("mentionPatterns") ?? [] },
    logging: {
      file: logFile === undefined ? null : expand(logFile),
      audit_enabled: pick(logging.object("audit").flag("enabled"), true),
    },
    network: readNetwork(root, env),
    hooks: readHooks(root.object("hooks"), authored.object("hooks")),
    plugins: readPlugins(root.object("plugins"), expand),
    approvals: {
      exec_enabled: pick(root.object("approvals").object("exec").flag("enabled"), false),
      plugin_enabled: pick(root.object("approvals").object("plugin").flag("enabled"), false),
    },
    update_channel: root.object("update").text("channel") ?? null,
    surface: readSurface(root, authoredTree, substituted),
  };
  if (issues.length > 0) throw invalid(source.path, "config-invalid", unique(issues));
  return config;
}

function readSession(root: Reader): OpenClawConfig["session"] {
  const session = root.object("session");
  const bound = (root.items("bindings") ?? []).map((binding) => binding.object("session"));
  // One conversation for all is the main one, and one binding is enough to lead somebody into it.
  const isGlobal = session.text("scope") === "global";
  const inMain = { value: "main", explicit: true } as const;
  const scopes = ["main", "per-peer", "per-channel-peer", "per-account-channel-peer"] as const;
  const isBoundToMain = (key: string): boolean => isGlobal || bound.some((own) => own.text(key) === "main");
  return {
    group_scope: isBoundToMain("groupScope")
      ? inMain
      : pick(session.word("groupScope", ["main", "per-group"]), "per-group"),
    dm_scope: isBoundToMain("dmScope") ? inMain : pick(session.word("dmScope", scopes), "main"),
    tools_visibility: pick(
      root.object("tools").object("sessions").word("visibility", ["self", "tree", "agent", "all"]),
      "all",
    ),
    agent_to_agent_enabled: pick(root.object("tools").object("agentToAgent").flag("enabled"), true),
  };
}

function readGateway(gateway: Reader, authored: Reader, source: ConfigSource, env: Env): GatewayConfig {
  const auth = gateway.object("auth");
  const authoredAuth = authored.object("auth");
  const ui = gateway.object("controlUi");
  const tailscale = pick(gateway.object("tailscale").word("mode", ["off", "serve", "funnel"]), "off");
  const unsetBind: GatewayBind = source.inContainer && tailscale.value === "off" ? "auto" : "loopback";
  return {
    mode: gateway.word("mode", ["local", "remote"]) ?? null,
    bind: pick(gateway.word("bind", ["auto", "lan", "loopback", "custom", "tailnet"]), unsetBind),
    custom_bind_host: gateway.text("customBindHost") ?? null,
    port: readPort(gateway, env, source.profile),
    auth: {
      mode: auth.word("mode", ["none", "token", "password", "trusted-proxy"]) ?? null,
      token: readSecret(auth, authoredAuth, "token", env["OPENCLAW_GATEWAY_TOKEN"]),
      password: readSecret(auth, authoredAuth, "password", env["OPENCLAW_GATEWAY_PASSWORD"]),
      rate_limit_set: auth.object("rateLimit").present,
      allow_tailscale: auth.flag("allowTailscale") ?? null,
      trusted_proxy_user_header: auth.object("trustedProxy").text("userHeader") ?? null,
    },
    tls_enabled: pick(gateway.object("tls").flag("enabled"), false),
    tailscale_mode: tailscale,
    trusted_proxies: gateway.texts("trustedProxies") ?? [],
    allow_real_ip_fallback: pick(gateway.flag("allowRealIpFallback"), false),
    control_ui: {
      enabled: pick(ui.flag("enabled"), true),
      allowed_origins: ui.texts("allowedOrigins") ?? [],
      host_header_origin_fallback: pick(ui.flag("dangerouslyAllowHostHeaderOriginFallback"), false),
      disable_device_auth: pick(ui.flag("dangerouslyDisableDeviceAuth"), false),
    },
    http_tools_allow: gateway.object("tools").texts("allow") ?? [],
    http_tools_deny: gateway.object("tools").texts("deny") ?? [],
  };
}

/** The environment comes before the file; a named profile has a port of its own, made from its name. */
function readPort(gateway: Reader, env: Env, profile: string | null): Setting<number> {
  const fromEnv = /^(?:\[[^\]]+\]:|[^:[\]]+:)?(\d{1,5})$/.exec(env["OPENCLAW_GATEWAY_PORT"]?.trim() ?? "")?.[1];
  const fromFile = gateway.count("port", MAX_PORT);
  if (fromEnv !== undefined && Number(fromEnv) >= 1 && Number(fromEnv) <= MAX_PORT) {
    return { value: Number(fromEnv), explicit: true };
  }
  return pick(fromFile, profile === null ? DEFAULT_PORT : profilePort(profile));
}

/** FNV-1a over the name (profile names are ASCII), as OpenClaw spreads its profiles over 20000 to 59999. */
function profilePort(profile: string): number {
  let hash = 2_166_136_261;
  for (const char of profile) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return 20_000 + (hash % 40_000);
}

function readSecret(reader: Reader, authored: Reader, key: string, fromEnv: string | undefined): SecretFact {
  const value = reader.raw(key);
  const written = authored.raw(key);
  if (typeof value === "string" && typeof written === "string" && value.trim() !== "") {
    if (!hasEnvReference(written)) return { kind: "literal", length: value.length, ...guess(value) };
    // A reference that is still there names a variable we cannot see.
    return hasEnvReference(value)
      ? { kind: "env", length: null }
      : { kind: "env", length: value.length, ...guess(value) };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const ref = reader.object(key);
    const store = ref.word("source", ["env", "file", "exec", "store"]);
    if (store === undefined || ref.text("id") === undefined) reader.refuse(key, "Expected a secret reference");
    return { kind: store === "env" ? "env" : "secret-ref", length: null };
  }
  if (value !== undefined && typeof value !== "string") reader.refuse(key, "Expected text or a secret reference");
  const inherited = fromEnv?.trim() ?? "";
  if (inherited === "") return { kind: "missing", length: null };
  return { kind: "env", length: inherited.length, ...guess(inherited) };
}

const PLACEHOLDER =
  /^(?:undefined|null|none|changeme|change-me|replace.?me|placeholder|example|your.*here|<.*>|x+|password|secret|token|test|admin)$/i;
/** A random text of 24 hex digits nearly always has more different characters. */
const MIN_VARIETY = 7;

/** Only ever says that a value is bad: that nothing is said proves nothing. */
function guess(value: string): { readonly is_guessable?: true } {
  return PLACEHOLDER.test(value.trim()) || new Set(value).size < MIN_VARIETY ? { is_guessable: true } : {};
}

function readNetwork(root: Reader, env: Env): OpenClawConfig["network"] {
  const proxy = root.object("proxy");
  const url = proxy.text("proxyUrl") ?? env["OPENCLAW_PROXY_URL"];
  const isOff = proxy.flag("enabled") === false;
  const egress = root.object("secrets").object("egressProxy");
  const hosts = egress.texts("allowedHosts");
  const browser = root.object("browser");
  const ssrf = browser.object("ssrfPolicy");
  return {
    proxy: isOff || url === undefined ? null : hostOf(url),
    egress_proxy_enabled: pick(egress.flag("enabled"), false),
    egress_proxy_allowed_hosts: hosts === undefined ? null : [...hosts, ...(egress.texts("bypassHosts") ?? [])],
    browser_enabled: pick(browser.flag("enabled"), true),
    browser_allows_private_network: pick(ssrf.flag("dangerouslyAllowPrivateNetwork"), false),
    browser_allowed_hosts: ssrf.texts("allowedHostnames") ?? [],
    mdns_mode: pick(root.object("discovery").object("mdns").word("mode", ["off", "minimal", "full"]), "minimal"),
  };
}

/** Host and port of a URL; its user, password and path stay behind. */
function hostOf(url: string): string | null {
  return /^https?:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(url.trim())?.[1] ?? null;
}

function readHooks(hooks: Reader, authored: Reader): OpenClawConfig["hooks"] {
  const unsafe = [...(hooks.items("mappings") ?? []), hooks.object("gmail")].some(
    (source) => source.flag("allowUnsafeExternalContent") === true,
  );
  return {
    enabled: pick(hooks.flag("enabled"), false),
    token: readSecret(hooks, authored, "token", undefined),
    path: hooks.text("path") ?? null,
    allow_request_session_key: pick(hooks.flag("allowRequestSessionKey"), false),
    allowed_agent_ids: hooks.texts("allowedAgentIds") ?? null,
    allows_unsafe_external_content: unsafe,
  };
}

const OWN_ID = "cyber-security-engineer";

function readPlugins(plugins: Reader, expand: (path: string) => string): OpenClawConfig["plugins"] {
  return {
    enabled: pick(plugins.flag("enabled"), true),
    allow: plugins.texts("allow") ?? null,
    deny: plugins.texts("deny") ?? [],
    load_paths: (plugins.object("load").texts("paths") ?? []).map(expand),
    entries: (plugins.entries("entries") ?? []).map(([id, entry]) => ({
      id,
      enabled: entry.flag("enabled") ?? null,
      allow_prompt_injection: entry.object("hooks").flag("allowPromptInjection") ?? null,
      allow_runtime: id === OWN_ID ? allowsRuntime(entry.raw("config")) : null,
      gate: id === OWN_ID ? gateOf(entry.raw("config")) : null,
    })),
  };
}

/** Anything there but a plain no counts as a yes: this is looked at to see how weak the settings may be. */
function allowsRuntime(config: unknown): boolean {
  const approvers = isConfigRecord(config) ? config["approvers"] : undefined;
  const value = isConfigRecord(approvers) ? approvers["allowRuntime"] : undefined;
  return value !== undefined && value !== false;
}

/** A token may stand as a reference that only OpenClaw follows; it says nothing about the gate. */
function gateOf(config: unknown): PluginEntry["gate"] {
  const { approvalToken: _token, ...rest } = isConfigRecord(config) ? config : {};
  const state = readPluginConfig(isConfigRecord(config) ? rest : config);
  return state.kind === "valid" ? state.config.execGate : null;
}

function pick<T>(value: T | undefined, fallback: NoInfer<T>): Setting<T> {
  return value === undefined ? { value: fallback, explicit: false } : { value, explicit: true };
}

function withoutUnset(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

/** A key that several readers looked at is one problem. */
function unique(issues: readonly Issue[]): readonly Issue[] {
  return [...new Map(issues.map((issue) => [`${issue.path} ${issue.message}`, issue])).values()];
}
