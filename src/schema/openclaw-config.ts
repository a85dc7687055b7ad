/**
 * OpenClaw's configuration as this project sees it: only the keys that a check reads, with the
 * defaults of OpenClaw 2026.9.6 applied. No secret value ever gets in here, only its kind and length.
 */

import type { Setting } from "./openclaw-setting.ts";
import type { ConfigSurface } from "./openclaw-surface.ts";

export type { Setting } from "./openclaw-setting.ts";

/**
 * Where a secret comes from. `literal`: in the config file in clear; `env`: a `${NAME}` reference or
 * an environment variable that OpenClaw reads itself; `secret-ref`: a SecretRef object;
 * `missing`: not set anywhere we can see (the gateway's own environment may still have it).
 */
export interface SecretFact {
  readonly kind: "literal" | "env" | "secret-ref" | "missing";
  /** Length in characters; null when the value is not known here. */
  readonly length: number | null;
  /** The value is a word that stands for none, or hardly varies; absent when not, or when it is not known. */
  readonly is_guessable?: true;
}

export type GatewayBind = "auto" | "lan" | "loopback" | "custom" | "tailnet";
export type DmPolicy = "pairing" | "allowlist" | "open" | "disabled";
export type GroupPolicy = "open" | "allowlist" | "disabled";
export type ExecSecurity = "deny" | "allowlist" | "full";
export type ExecAsk = "off" | "on-miss" | "always";
export type SandboxMode = "off" | "non-main" | "all";

export interface GatewayConfig {
  readonly mode: "local" | "remote" | null;
  readonly bind: Setting<GatewayBind>;
  readonly custom_bind_host: string | null;
  readonly port: Setting<number>;
  readonly auth: {
    /** Null when unset: OpenClaw then takes token or password, whichever is set, else makes a token at start. */
    readonly mode: "none" | "token" | "password" | "trusted-proxy" | null;
    readonly token: SecretFact;
    readonly password: SecretFact;
    readonly rate_limit_set: boolean;
    readonly allow_tailscale: boolean | null;
    readonly trusted_proxy_user_header: string | null;
  };
  readonly tls_enabled: Setting<boolean>;
  readonly tailscale_mode: Setting<"off" | "serve" | "funnel">;
  readonly trusted_proxies: readonly string[];
  readonly allow_real_ip_fallback: Setting<boolean>;
  readonly control_ui: {
    readonly enabled: Setting<boolean>;
    readonly allowed_origins: readonly string[];
    readonly host_header_origin_fallback: Setting<boolean>;
    readonly disable_device_auth: Setting<boolean>;
  };
  /** Tools that `POST /tools/invoke` may call beyond, or never of, OpenClaw's own selection. */
  readonly http_tools_allow: readonly string[];
  readonly http_tools_deny: readonly string[];
}

/** One place where a group's mention rule is set or inherited: a group, guild, room or channel. */
export interface ChannelGroup {
  /** "*" is the rule for groups that are not named. Discord: "guild" or "guild/channel". */
  readonly id: string;
  readonly enabled: boolean;
  readonly require_mention: Setting<boolean>;
  /** Everyone in it may address the agent, whatever the account's own lists say. */
  readonly open: boolean;
  /** Tools are denied for everyone in this group ("*" in its deny list). */
  readonly tools_denied: boolean;
}

/** One enabled or disabled account of a channel, with what it inherits from the channel applied. */
export interface ChannelAccount {
  /** telegram, discord, slack, whatsapp, signal, ... */
  readonly id: string;
  /** Null for a channel without named accounts. */
  readonly account: string | null;
  readonly enabled: boolean;
  readonly dm_policy: Setting<DmPolicy>;
  readonly allow_from: readonly string[];
  readonly group_policy: Setting<GroupPolicy>;
  readonly group_allow_from: readonly string[];
  /** What applies to a group that has no rule of its own. */
  readonly default_require_mention: Setting<boolean>;
  readonly groups: readonly ChannelGroup[];
  readonly dangerous_name_matching: boolean;
  /**
   * False for a channel whose access rules this project does not know (third-party or with keys of
   * its own): what is said above is then a guess and no proof of being closed.
   */
  readonly rules_known: boolean;
  /** all | allowlist | allowlist_quote; null when unset. */
  readonly context_visibility: string | null;
}

export interface ExecConfig {
  /** Null when unset: then `security` and `ask` decide. */
  readonly mode: string | null;
  readonly security: Setting<ExecSecurity>;
  readonly ask: Setting<ExecAsk>;
  readonly host: Setting<"auto" | "sandbox" | "gateway" | "node">;
  readonly safe_bins: readonly string[];
  readonly strict_inline_eval: Setting<boolean>;
  readonly path_prepend: readonly string[];
}

export interface ElevatedConfig {
  readonly enabled: Setting<boolean>;
  /** Who may use /elevated, by channel. */
  readonly allow_from: Readonly<Record<string, readonly string[]>>;
}

export interface ToolsConfig {
  /** minimal | coding | messaging | full; null when unset, which restricts nothing. */
  readonly profile: string | null;
  readonly allow: readonly string[];
  readonly also_allow: readonly string[];
  readonly deny: readonly string[];
  readonly exec: ExecConfig;
  readonly elevated: ElevatedConfig;
  readonly fs_workspace_only: Setting<boolean>;
}

export interface SandboxConfig {
  readonly mode: Setting<SandboxMode>;
  readonly workspace_access: Setting<"none" | "ro" | "rw">;
  /** docker | ssh | ...; null when unset. */
  readonly backend: string | null;
  /** Docker network of the sandbox. */
  readonly network: Setting<string>;
  /** Folders of this host that are mounted into it for writing. */
  readonly writable_binds: readonly string[];
  /** Settings that open the container towards this host, in words. */
  readonly weaknesses: readonly string[];
}

/** One agent with global and default settings applied. There is always at least "main". */
export interface AgentConfig {
  readonly id: string;
  readonly is_default: boolean;
  readonly workspace: string | null;
  readonly agent_dir: string | null;
  readonly sandbox: SandboxConfig;
  readonly tools: ToolsConfig;
}

export interface PluginEntry {
  readonly id: string;
  /** Null when the entry does not say. */
  readonly enabled: boolean | null;
  readonly allow_prompt_injection: boolean | null;
  /** Of this plugin's own configuration: whoever holds the gateway's token may approve. Null for other plugins. */
  readonly allow_runtime: boolean | null;
  /** How this plugin's own configuration sets its gate; null for other plugins, or when it is not valid. */
  readonly gate: { readonly mode: "enforce" | "off"; readonly opaque: "ask" | "refuse" | "allow" } | null;
}

export interface OpenClawConfig {
  /** Absolute path of the file that was, or would be, read. */
  readonly path: string;
  /** False when there is no file: OpenClaw runs with its defaults. */
  readonly present: boolean;
  /** Absolute paths of the files that were included, in reading order. */
  readonly includes: readonly string[];
  /** Version of OpenClaw that last wrote the file; null when it does not say. */
  readonly last_touched_version: string | null;
  readonly gateway: GatewayConfig;
  readonly channels: readonly ChannelAccount[];
  readonly tools: ToolsConfig;
  readonly agents: readonly AgentConfig[];
  readonly session: {
    /** "main" also when one binding alone leads groups there; the narrower rules of others are not kept. */
    readonly group_scope: Setting<"main" | "per-group">;
    /** The same for direct messages. */
    readonly dm_scope: Setting<"main" | "per-peer" | "per-channel-peer" | "per-account-channel-peer">;
    readonly tools_visibility: Setting<"self" | "tree" | "agent" | "all">;
    readonly agent_to_agent_enabled: Setting<boolean>;
  };
  readonly messages: { readonly mention_patterns: readonly string[] };
  readonly logging: {
    readonly file: string | null;
    readonly audit_enabled: Setting<boolean>;
  };
  readonly network: {
    /** Host and port only: a proxy URL may carry a password. */
    readonly proxy: string | null;
    readonly egress_proxy_enabled: Setting<boolean>;
    /** Null when unset, which restricts nothing; empty: only hosts that a stored secret is bound to. */
    readonly egress_proxy_allowed_hosts: readonly string[] | null;
    readonly browser_enabled: Setting<boolean>;
    readonly browser_allows_private_network: Setting<boolean>;
    readonly browser_allowed_hosts: readonly string[];
    readonly mdns_mode: Setting<string>;
  };
  readonly hooks: {
    readonly enabled: Setting<boolean>;
    readonly token: SecretFact;
    readonly path: string | null;
    readonly allow_request_session_key: Setting<boolean>;
    readonly allowed_agent_ids: readonly string[] | null;
    /** Mappings or Gmail that pass outside text to an agent unmarked. */
    readonly allows_unsafe_external_content: boolean;
  };
  readonly plugins: {
    readonly enabled: Setting<boolean>;
    readonly allow: readonly string[] | null;
    readonly deny: readonly string[];
    readonly load_paths: readonly string[];
    readonly entries: readonly PluginEntry[];
  };
  readonly approvals: {
    readonly exec_enabled: Setting<boolean>;
    readonly plugin_enabled: Setting<boolean>;
  };
  readonly update_channel: string | null;
  readonly surface: ConfigSurface;
}
