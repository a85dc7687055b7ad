import type { ChannelAccount, ChannelGroup, DmPolicy, GroupPolicy, Setting } from "./openclaw-config.ts";
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

const CONTAINERS = ["groups", "guilds", "channels", "rooms", "teams", "spaces"] as const;
const DM_POLICIES: readonly DmPolicy[] = ["pairing", "allowlist", "open", "disabled"];

/** Every account of every configured channel, disabled ones included, with inheritance applied. */
export function readChannels(root: Reader): readonly ChannelAccount[] {
  const channels = root.entries("channels") ?? [];
  const defaults = root.object("channels").object("defaults");
  return channels
    .filter(([id]) => id !== "defaults" && id !== "modelByChannel")
    .flatMap(([id, channel]) => readChannel(id, channel, defaults));
}

function readChannel(id: string, channel: Reader, defaults: Reader): readonly ChannelAccount[] {
  const accounts = channel.entries("accounts") ?? [];
  const own = accounts.length === 0 || hasOwnAccount(id, channel) ? [readAccount(id, null, [channel], defaults)] : [];
  // A lone account with an empty `groups` takes the channel's; one of several means "no groups".
  const isLone = accounts.length === 1;
  return [...own, ...accounts.map(([name, account]) => readAccount(id, name, [account, channel], defaults, isLone))];
}

function hasOwnAccount(id: string, channel: Reader): boolean {
  const isSet = (key: string): boolean => {
    const value = channel.raw(key);
    return typeof value === "string" ? value.trim() !== "" : value !== undefined && value !== null;
  };
  return (OWN_ACCOUNT.get(id) ?? []).some((keys) => keys.every(isSet));
}

/** @param layers the account before the channel: the first that says something wins. */
function readAccount(
  id: string,
  account: string | null,
  layers: readonly Reader[],
  defaults: Reader,
  inheritsEmptyGroups: boolean = false,
): ChannelAccount {
  const first = <T>(read: (layer: Reader) => T | undefined): T | undefined => firstOf(layers, read);
  const groupPolicy = readGroupPolicy(id, layers, defaults);
  const mention = readMention(id, layers, groupPolicy.value);
  const containers = CONTAINERS.flatMap((key) => readContainer(layers, key, inheritsEmptyGroups));
  const wildcard = containers.find(([name, group]) => name === "*" && group.flag("enabled") !== false)?.[1];
  const byDefault = setting(wildcard?.flag("requireMention"), mention);
  return {
    id,
    account,
    enabled: layers.every((layer) => layer.flag("enabled") !== false),
    dm_policy: setting(readDmPolicy(layers), { value: "pairing", explicit: false }),
    allow_from: first((layer) => layer.ids("allowFrom") ?? layer.object("dm").ids("allowFrom")) ?? [],
    group_policy: groupPolicy,
    group_allow_from: first((layer) => layer.ids("groupAllowFrom")) ?? [],
    default_require_mention: byDefault,
    groups: containers.flatMap(([name, group]) => readGroup(name, group, byDefault, true)),
    dangerous_name_matching: first((layer) => layer.flag("dangerouslyAllowNameMatching")) ?? false,
    rules_known: ALLOWLIST_BY_SCHEMA.has(id) || GROUP_POLICY_FALLBACK.has(id) || DIRECT_ONLY.has(id),
    context_visibility: first((layer) => layer.text("contextVisibility")) ?? defaults.text("contextVisibility") ?? null,
  };
}

function readDmPolicy(layers: readonly Reader[]): DmPolicy | undefined {
  return firstOf(layers, (layer) => {
    const dm = layer.object("dm");
    if (dm.flag("enabled") === false) return "disabled";
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

function readGroup(
  id: string,
  group: Reader,
  inherited: Setting<boolean>,
  parentEnabled: boolean,
): readonly ChannelGroup[] {
  const mention = setting(group.flag("requireMention"), inherited);
  const enabled = parentEnabled && group.flag("enabled") !== false;
  const nested = ["channels", "topics"].flatMap((key) => group.entries(key) ?? []);
  return [
    {
      id,
      enabled,
      require_mention: mention,
      tools_denied: (group.object("tools").texts("deny") ?? []).includes("*"),
    },
    ...nested.flatMap(([name, room]) => readGroup(`${id}/${name}`, room, mention, enabled)),
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
