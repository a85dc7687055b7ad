import type {
  AgentConfig,
  ChannelAccount,
  ExecConfig,
  OpenClawConfig,
  Setting,
  ToolsConfig,
} from "../schema/openclaw-config.ts";
import type { Fact } from "./weigh.ts";

/** Who has to agree before an agent's command runs; "none" is OpenClaw's default. */
export type ExecGate = "denied" | "allowlist" | "human" | "reviewer" | "none" | "unknown";

/**
 * Where an agent's commands run. `main-session`: on the host for the main session, sandboxed for
 * everyone else. `elevated`: sandboxed, but named senders can leave the sandbox.
 */
export type ExecReach = "host" | "main-session" | "elevated" | "sandbox" | "none";

export interface ExecPosture {
  readonly agent: string;
  readonly gate: ExecGate;
  readonly reach: ExecReach;
  /** The settings behind it, e.g. "main: exec full/off (default), host auto, sandbox off". */
  readonly text: string;
}

/** How each agent's commands are gated and where they run, by config alone. */
export function execPostures(config: OpenClawConfig): readonly ExecPosture[] {
  return config.agents.map((agent) => {
    const { exec } = agent.tools;
    const policy = exec.mode ?? `${exec.security.value}/${exec.ask.value}`;
    const origin = exec.mode !== null || exec.security.explicit || exec.ask.explicit ? "" : " (default)";
    return {
      agent: agent.id,
      gate: execGate(exec),
      reach: execReach(agent),
      text: `${agent.id}: exec ${policy}${origin}, host ${exec.host.value}, sandbox ${agent.sandbox.mode.value}`,
    };
  });
}

/** `mode` wins over the older pair; asking on a miss asks nobody where nothing can miss. */
function execGate(exec: ExecConfig): ExecGate {
  switch (exec.mode) {
    case "deny":
      return "denied";
    case "allowlist":
      return "allowlist";
    case "ask":
      return "human";
    case "auto":
      return "reviewer";
    case "full":
      return "none";
    case null:
      break;
    default:
      return "unknown";
  }
  if (exec.security.value === "deny") return "denied";
  if (exec.ask.value === "always") return "human";
  if (exec.security.value === "full") return "none";
  return exec.ask.value === "on-miss" ? "human" : "allowlist";
}

function execReach(agent: AgentConfig): ExecReach {
  const { exec } = agent.tools;
  if (!offersTool(agent.tools, "exec") || execGate(exec) === "denied") return "none";
  if (exec.host.value === "gateway" || exec.host.value === "node" || agent.sandbox.mode.value === "off") {
    // `host: sandbox` without a sandbox refuses to run.
    return exec.host.value === "sandbox" ? "none" : "host";
  }
  if (agent.sandbox.mode.value === "non-main") return exec.host.value === "sandbox" ? "sandbox" : "main-session";
  return elevatedSenders(agent.tools).length > 0 ? "elevated" : "sandbox";
}

/** Senders (`channel:entry`) who may take a sandboxed agent's commands to the host. */
export function elevatedSenders(tools: ToolsConfig): readonly string[] {
  if (!tools.elevated.enabled.value) return [];
  return Object.entries(tools.elevated.allow_from).flatMap(([channel, senders]) =>
    senders.map((sender) => `${channel}:${sender}`),
  );
}

type HostTool = "exec" | "write" | "edit" | "apply_patch" | "gateway" | "plugins" | "openclaw";

/**
 * Tools with which an agent changes this host, and the groups that each is in.
 * Source: the tool catalog of OpenClaw 2026.9.6.
 */
const HOST_TOOLS: Readonly<Record<HostTool, readonly string[]>> = {
  exec: ["group:runtime"],
  write: ["group:fs"],
  edit: ["group:fs"],
  apply_patch: ["group:fs"],
  gateway: ["group:automation", "group:openclaw"],
  plugins: ["group:automation", "group:openclaw"],
  openclaw: ["group:automation", "group:openclaw"],
};

const FILE_TOOLS: readonly HostTool[] = ["write", "edit", "apply_patch"];
const SETUP_TOOLS: readonly HostTool[] = ["gateway", "plugins", "openclaw"];

const ALIASES: Readonly<Record<string, string>> = { bash: "exec", "apply-patch": "apply_patch" };

/** Which of these tools the named profiles hold; of `gateway` the narrow ones hold only the update. */
const PROFILE_TOOLS: Readonly<Record<string, readonly HostTool[]>> = {
  minimal: [],
  messaging: [],
  coding: ["exec", "write", "edit", "apply_patch", "plugins"],
};

/** Whether an agent has this tool: not denied, in its profile, and allowed where anything is. */
export function offersTool(tools: ToolsConfig, tool: HostTool): boolean {
  if (isListed(tools.deny, tool)) return false;
  const profile = tools.profile === null ? undefined : PROFILE_TOOLS[tools.profile];
  // Unset and "full" filter nothing, and neither does a profile we do not know.
  const passesProfile = profile === undefined || profile.includes(tool) || isListed(tools.also_allow, tool);
  const allowed = [...tools.allow, ...tools.also_allow];
  return (
    passesProfile &&
    (tools.allow.length === 0 || isListed(allowed, tool) || (tool === "apply_patch" && isListed(allowed, "write")))
  );
}

function isListed(entries: readonly string[], tool: HostTool): boolean {
  return entries.some((entry) => {
    const name = entry.trim().toLowerCase();
    return HOST_TOOLS[tool].includes(name) || matchesGlob(ALIASES[name] ?? name, tool);
  });
}

/** `*` stands for any text, nothing else is special. */
function matchesGlob(pattern: string, name: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return pattern === name;
  if (!name.startsWith(head) || name.length < head.length + tail.length || !name.endsWith(tail)) return false;
  let from = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return from <= name.length - tail.length;
}

/** Whether an agent can change this host in a session that belongs to a direct chat or a group. */
export function canTouchHost(config: OpenClawConfig, agent: AgentConfig, from: "direct" | "group"): boolean {
  const { tools, sandbox } = agent;
  const offers = (tool: HostTool): boolean => offersTool(tools, tool);
  if (elevatedSenders(tools).length > 0 && offers("exec")) return true;
  // `non-main` leaves the main session unsandboxed, and by default every direct chat lands in it.
  const { dm_scope: direct, group_scope: group } = config.session;
  const inMain = (from === "direct" ? direct.value : group.value) === "main";
  const reach = execReach(agent);
  if (reach === "host" || (reach === "main-session" && inMain)) return true;
  const unboxed = sandbox.mode.value === "off" || (sandbox.mode.value === "non-main" && inMain);
  if (unboxed) return [...FILE_TOOLS, ...SETUP_TOOLS].some(offers);
  return sandbox.writable_binds.length > 0 && (reach !== "none" || FILE_TOOLS.some(offers));
}

/** "*" alone or behind a channel prefix: everyone. */
function isWildcard(entry: string): boolean {
  const text = entry.trim();
  return text === "*" || text.endsWith(":*");
}

/** Why strangers can address the agent through this account; empty when they cannot. */
export function openDoors(account: ChannelAccount): readonly string[] {
  const doors: string[] = [];
  const takesDms = account.dm_policy.value !== "disabled";
  const takesGroups = account.group_policy.value !== "disabled";
  // What is assumed about a channel we do not know proves nothing, only what its owner wrote does.
  const isStated = (setting: Setting<unknown>): boolean => account.rules_known || setting.explicit;
  if (account.dm_policy.value === "open" && isStated(account.dm_policy)) doors.push("dmPolicy open");
  if (account.group_policy.value === "open" && isStated(account.group_policy)) doors.push("groupPolicy open");
  // Group senders fall back to allowFrom, so a wildcard there opens both ways.
  if ((takesDms || takesGroups) && account.allow_from.some(isWildcard)) doors.push("allowFrom *");
  if (takesGroups && account.group_allow_from.some(isWildcard)) doors.push("groupAllowFrom *");
  if (openRooms(account).some(isWildcard)) doors.push("everyone in every group");
  return doors;
}

/** Groups by id in which everyone may address the agent; "*" is every group. */
export function openRooms(account: ChannelAccount): readonly string[] {
  if (account.group_policy.value === "disabled") return [];
  return account.groups.filter((group) => group.enabled && group.open).map((group) => group.id);
}

/** The fact that a channel's own access rules are not known, so that nothing shows it to be closed. */
export function unknownRules(account: ChannelAccount): Fact {
  return {
    kind: "unknown",
    reason: `channel ${accountName(account)} has access rules that this release does not know`,
    remedy: `Look at who may reach ${accountName(account)} with \`openclaw security audit\`, or disable it`,
  };
}

/** `telegram`, `telegram/work`. */
export function accountName(account: ChannelAccount): string {
  return account.account === null ? account.id : `${account.id}/${account.account}`;
}

export function enabledAccounts(config: OpenClawConfig): readonly ChannelAccount[] {
  return config.channels.filter((account) => account.enabled);
}
