import type { ChannelAccount, ChannelGroup, DmPolicy, GroupPolicy, Setting } from "./openclaw-config.ts";
import type { Env } from "./openclaw-env.ts";
import type { Reader } from "./openclaw-reader.ts";

/**
 * Channels whose schema in 2026.9.6 sets `groupPolicy: "allowlist"` when the channel does not say:
 * there `channels.defaults.groupPolicy` never gets a word.
 */
const ALLOWLIST_BY_SCHEMA: ReadonlySet<string> = new Set([
  "buzz",
  "discord",
  "googlechat",
  "imessage",
  "irc",
  "line",
  "mattermost",
  "msteams",
  "nextcloud-talk",
  "signal",
  "slack",
  "telegram",
  "whatsapp",
  "zalouser",
]);

/** Channels that take `channels.defaults.groupPolicy`, and what they do without it. */
const GROUP_POLICY_FALLBACK: ReadonlyMap<string, GroupPolicy> = new Map([
  ["feishu", "allowlist"],
  ["matrix", "allowlist"],
  ["zalo", "open"],
]);

/** Channels with direct messages only, or whose rules follow the common keys. */
const DIRECT_ONLY: ReadonlySet<string> = new Set(["nostr", "sms"]);

/** Channels where an open group policy means that nobody has to mention the agent. */
const NO_MENTION_WHEN_OPEN: ReadonlySet<string> = new Set(["feishu", "qa-channel"]);

/** Any of these sets of keys at the top of a channel makes it an account of its own beside `accounts`. */
const OWN_ACCOUNT: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  ["discord", [["token"]]],
  ["feishu", [["appId", "appSecret"]]],
  ["googlechat", [["serviceAccount"], ["serviceAccountFile"]]],
  ["imessage", [["cliPath"], ["dbPath"]]],
  ["irc", [["host", "nick"]]],
  ["line", [["channelAccessToken"], ["tokenFile"]]],
  [
    "matrix",
    [
      ["homeserver", "accessToken"],
      ["homeserver", "userId", "password"],
    ],
  ],
  ["mattermost", [["baseUrl", "botToken"]]],
  [
    "nextcloud-talk",
    [
      ["baseUrl", "botSecret"],
      ["baseUrl", "botSecretFile"],
    ],
  ],
  ["signal", [["account"]]],
  ["slack", [["appToken"], ["botToken"], ["signingSecret"]]],
  ["telegram", [["botToken"], ["tokenFile"]]],
  ["whatsapp", [["authDir"]]],
  ["zalo", [["botToken"], ["tokenFile"]]],
  ["zalouser", [["profile"]]],
]);

/**
 * Variables that give a configured channel's default account its token. A channel that only the
 * environment knows stays off, unless the gateway is started with --ambient-channels.
 */
const TOKEN_VARIABLES: ReadonlyMap<string, readonly string[]> = new Map([
  ["telegram", ["TELEGRAM_BOT_TOKEN"]],
  ["discord", ["DISCORD_BOT_TOKEN"]],
  ["slack", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]],
]);

/** Where `"*"` admits every server or channel with everyone in it, unless it names users or roles. */
const MEMBERS_ADMITTED: ReadonlySet<string> = new Set(["guilds", "channels", "teams"]);

const CONTAINERS = ["groups", "guilds", "channels", "rooms", "teams", "spaces"] as const;
const DM_POLICIES: readonly DmPolicy[] = ["pairing", "allowlist", "open", "disabled"];

/** What holds for every account of every channel. */
interface Shared {
  readonly defaults: Reader;
  /** Names of sender groups by the channel ("*" is all) in which they hold a wildcard. */
  readonly openGroups: ReadonlyMap<string, ReadonlySet<string>>;
  /** No text pattern tells a mention: where the channel knows no native one, the rule cannot be kept. */
  readonly hasNoMentionPatterns: boolean;
  readonly env: Env;
}

/** Every account of every configured channel, disabled ones included, with inheritance applied. */
export function readChannels(root: Reader, env: Env): readonly ChannelAccount[] {
  const channels = (root.entries("channels") ?? []).filter(([id]) => id !== "defaults" && id !== "modelByChannel");
  const shared: Shared = {
    defaults: root.object("channels").object("defaults"),
    openGroups: readOpenGroups(root),
    hasNoMentionPatterns: lacksMentionPatterns(root),
    env,
  };
  return channels.flatMap(([id, channel]) => readChannel(id, channel, shared));
}

function hasToken(id: string, env: Env): boolean {
  return (TOKEN_VARIABLES.get(id) ?? []).some((name) => (env[name] ?? "").trim() !== "");
}

function readOpenGroups(root: Reader): Shared["openGroups"] {
  const open = new Map<string, Set<string>>();
  for (const [name, group] of root.entries("accessGroups") ?? []) {
    const members = group.object("members");
    for (const channel of Object.keys((group.raw("members") as object | undefined) ?? {})) {
      if (!(members.ids(channel) ?? []).some(isWildcard)) continue;
      open.set(channel, (open.get(channel) ?? new Set()).add(name));
    }
  }
  return open;
}

/** An explicit empty list takes away even the patterns made from an agent's name. */
function lacksMentionPatterns(root: Reader): boolean {
  const patterns = (reader: Reader): readonly string[] | undefined =>
    reader.object("groupChat").texts("mentionPatterns");
  const common = patterns(root.object("messages"));
  const agents = (root.object("agents").entries("entries") ?? []).map(([, agent]) => patterns(agent) ?? common);
  return (agents.length === 0 ? [common] : agents).some((own) => own?.length === 0);
}

function isWildcard(entry: string): boolean {
  return entry === "*" || entry.endsWith(":*");
}

function readChannel(id: string, channel: Reader, shared: Shared): readonly ChannelAccount[] {
  const accounts = channel.entries("accounts") ?? [];
  const isOwn = accounts.length === 0 || hasToken(id, shared.env) || hasOwnAccount(id, channel);
  const own = isOwn ? [readAccount(id, null, [channel], [channel], shared)] : [];
  // A lone account with an empty `groups` takes the channel's; one of several means "no groups".
  const isLone = accounts.length === 1;
  return [
    ...own,
    ...accounts.map(([name, account]) => {
      const layers = [account, ...sharedLayers(id, name, channel)];
      return readAccount(id, name, layers, [account, channel], shared, isLone);
    }),
  ];
}

/** On two channels the account "default" hands its settings to the others, before or after the channel's own. */
function sharedLayers(id: string, name: string, channel: Reader): readonly Reader[] {
  if (name === "default") return [channel];
  const main = channel.object("accounts").object("default");
  if (id === "whatsapp") return [main, channel];
  return id === "googlechat" ? [channel, main] : [channel];
}

function hasOwnAccount(id: string, channel: Reader): boolean {
  const isSet = (key: string): boolean => {
    const value = channel.raw(key);
    return typeof value === "string" ? value.trim() !== "" : value !== undefined && value !== null;
  };
  return (OWN_ACCOUNT.get(id) ?? []).some((keys) => keys.every(isSet));
}

/**
 * @param layers the account before what it inherits: the first that says something wins
 * @param switches the account and its channel, which both must be on
 */
function readAccount(
  id: string,
  account: string | null,
  layers: readonly Reader[],
  switches: readonly Reader[],
  shared: Shared,
  inheritsEmptyGroups: boolean = false,
): ChannelAccount {
  const first = <T>(read: (layer: Reader) => T | undefined): T | undefined => firstOf(layers, read);
  const senders = (entries: readonly string[]): readonly string[] =>
    entries.map((entry) => (isOpenGroup(entry, id, shared) ? `${entry}:*` : entry));
  const groupPolicy = readGroupPolicy(id, layers, shared.defaults);
  const mention = readMention(id, layers, groupPolicy.value);
  const containers = CONTAINERS.flatMap((key) =>
    readContainer(layers, key, inheritsEmptyGroups).map(([name, group]) => ({ key, name, group })),
  );
  const wildcard = containers.find(({ name, group }) => name === "*" && group.flag("enabled") !== false)?.group;
  const byDefault = setting(wildcard?.flag("requireMention"), mention);
  const mentions = (rule: Setting<boolean>): Setting<boolean> =>
    id === "imessage" && shared.hasNoMentionPatterns ? { ...rule, value: false } : rule;
  const isOpen = (entries: readonly string[]): boolean => senders(entries).some(isWildcard);
  return {
    id,
    account,
    enabled: switches.every((layer) => layer.flag("enabled") !== false),
    dm_policy: setting(readDmPolicy(layers), { value: "pairing", explicit: false }),
    allow_from: senders(first((layer) => layer.ids("allowFrom") ?? layer.object("dm").ids("allowFrom")) ?? []),
    group_policy: groupPolicy,
    group_allow_from: senders(first((layer) => layer.ids("groupAllowFrom")) ?? []),
    default_require_mention: mentions(byDefault),
    groups: containers
      .flatMap(({ key, name, group }) => {
        const isAnyone = name === "*" && MEMBERS_ADMITTED.has(key) && !namesMembers(group);
        // Signal answers every message of a group that is named, unless that very entry says otherwise.
        const inherited = id === "signal" && name !== "*" ? { value: false, explicit: false } : byDefault;
        return readGroup(name, group, { mention: inherited, enabled: true, open: isAnyone }, isOpen);
      })
      .map((group) => ({ ...group, require_mention: mentions(group.require_mention) })),
    dangerous_name_matching: first((layer) => layer.flag("dangerouslyAllowNameMatching")) ?? false,
    rules_known: ALLOWLIST_BY_SCHEMA.has(id) || GROUP_POLICY_FALLBACK.has(id) || DIRECT_ONLY.has(id),
    context_visibility:
      first((layer) => layer.text("contextVisibility")) ?? shared.defaults.text("contextVisibility") ?? null,
  };
}

/** `accessGroup:name`, where that group holds a wildcard for this channel. */
function isOpenGroup(entry: string, id: string, { openGroups }: Shared): boolean {
  const name = /^accessGroup:(.*)$/.exec(entry.trim())?.[1];
  return name !== undefined && [id, "*"].some((channel) => openGroups.get(channel)?.has(name) === true);
}

function namesMembers(group: Reader): boolean {
  return ["users", "roles", "allowFrom"].some((key) => (group.ids(key) ?? []).length > 0);
}

function readDmPolicy(layers: readonly Reader[]): DmPolicy | undefined {
  return firstOf(layers, (layer) => {
    const dm = layer.object("dm");
    if (dm.flag("enabled") === false) return "disabled";
    // A rule for every single direct chat is the account's rule.
    if (layer.object("direct").object("*").word("dmPolicy", DM_POLICIES) === "open") return "open";
    return layer.word("dmPolicy", DM_POLICIES) ?? dm.word("policy", DM_POLICIES);
  });
}

function readGroupPolicy(id: string, layers: readonly Reader[], defaults: Reader): Setting<GroupPolicy> {
  const said = firstOf(layers, (layer) => layer.word("groupPolicy", ["open", "allowlist", "disabled", "allowall"]));
  if (said !== undefined) return { value: said === "allowall" ? "open" : said, explicit: true };
  if (ALLOWLIST_BY_SCHEMA.has(id)) return { value: "allowlist", explicit: false };
  const shared = defaults.word("groupPolicy", ["open", "allowlist", "disabled"]);
  if (shared !== undefined) return { value: shared, explicit: true };
  const hasGroups = layers.some((layer) => (layer.entries("groups") ?? []).length > 0);
  return { value: GROUP_POLICY_FALLBACK.get(id) ?? (hasGroups ? "allowlist" : "open"), explicit: false };
}

/** What a group without any rule of its own, or of "*", gets. */
function readMention(id: string, layers: readonly Reader[], policy: GroupPolicy): Setting<boolean> {
  const said = firstOf(layers, (layer) => {
    // Mattermost names its modes; `requireMention` is the older way to say the same.
    const mode = layer.text("chatmode");
    return mode === undefined ? layer.flag("requireMention") : mode !== "onmessage";
  });
  const fallback = id !== "clickclack" && !(policy === "open" && NO_MENTION_WHEN_OPEN.has(id));
  return setting(said, { value: fallback, explicit: false });
}

function readContainer(
  layers: readonly Reader[],
  key: string,
  inheritsEmpty: boolean,
): readonly (readonly [string, Reader])[] {
  for (const layer of layers) {
    // IRC lists the channels to join under a key that holds rules elsewhere.
    if (Array.isArray(layer.raw(key))) continue;
    const found = layer.entries(key);
    if (found !== undefined && (found.length > 0 || !inheritsEmpty)) return found;
  }
  return [];
}

interface Inherited {
  readonly mention: Setting<boolean>;
  readonly enabled: boolean;
  readonly open: boolean;
}

function readGroup(
  id: string,
  group: Reader,
  inherited: Inherited,
  isOpen: (entries: readonly string[]) => boolean,
): readonly ChannelGroup[] {
  const policy = group.word("groupPolicy", ["open", "allowlist", "disabled", "allowall"]);
  const lists = ["allowFrom", "groupAllowFrom", "users"].map((key) => group.ids(key) ?? []);
  const own: Inherited = {
    mention: setting(group.flag("requireMention"), inherited.mention),
    enabled: inherited.enabled && group.flag("enabled") !== false && policy !== "disabled",
    open:
      lists.some(isOpen) ||
      (policy === undefined ? inherited.open && !namesMembers(group) : policy === "open" || policy === "allowall"),
  };
  const nested = ["channels", "topics"].flatMap((key) => group.entries(key) ?? []);
  // A sender with a rule of its own gets that instead of the group's.
  const hasOthers = (group.entries("toolsBySender") ?? []).length > 0;
  return [
    {
      id,
      enabled: own.enabled,
      require_mention: own.mention,
      open: own.open,
      tools_denied: !hasOthers && (group.object("tools").texts("deny") ?? []).includes("*"),
    },
    ...nested.flatMap(([name, room]) => readGroup(`${id}/${name}`, room, own, isOpen)),
  ];
}

function firstOf<T>(layers: readonly Reader[], read: (layer: Reader) => T | undefined): T | undefined {
  for (const layer of layers) {
    const value = read(layer);
    if (value !== undefined) return value;
  }
  return undefined;
}

function setting<T>(value: T | undefined, fallback: Setting<T>): Setting<T> {
  return value === undefined ? fallback : { value, explicit: true };
}
