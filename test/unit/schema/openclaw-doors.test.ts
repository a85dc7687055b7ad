import { describe, expect, it } from "vitest";
import { normalizeOpenClawConfig } from "../../../src/schema/normalize-openclaw-config.ts";
import type { OpenClawConfig } from "../../../src/schema/openclaw-config.ts";

function normalize(authored: unknown, env: Record<string, string> = {}): OpenClawConfig {
  return normalizeOpenClawConfig({
    path: "/home/someone/.openclaw/openclaw.json",
    authored,
    includes: [],
    env,
    home: "/home/someone",
    profile: null,
    inContainer: false,
  });
}

const openGroups = (channels: unknown): readonly string[] =>
  normalize({ channels }).channels.flatMap((account) =>
    account.groups.filter((group) => group.open).map((group) => group.id),
  );

describe("a group's own rule about who may speak in it", () => {
  it.each([
    ["its own policy is open", { telegram: { groups: { "-1": { groupPolicy: "open" }, "-2": {} } } }, ["-1"]],
    ["its list of senders holds a wildcard", { irc: { groups: { "#a": { allowFrom: ["*"] } } } }, ["#a"]],
    ["its list of users holds a wildcard", { slack: { channels: { C1: { users: ["*"] } } } }, ["C1"]],
    ["a room has an open list of its own", { buzz: { groups: { r: { groupAllowFrom: ["*"] } } } }, ["r"]],
    [
      "one topic of a closed group is open",
      { telegram: { groups: { "-1": { topics: { "7": { groupPolicy: "open" }, "8": {} } } } } },
      ["-1/7"],
    ],
    [
      "a topic inherits it from the group, and another takes it back",
      {
        telegram: { groups: { "-1": { groupPolicy: "open", topics: { "7": {}, "8": { groupPolicy: "allowlist" } } } } },
      },
      ["-1", "-1/7"],
    ],
    [
      "every server is admitted and none says which of its users",
      { discord: { guilds: { "*": { requireMention: true } } } },
      ["*"],
    ],
    ["none of these: every server is admitted for named roles", { discord: { guilds: { "*": { roles: ["1"] } } } }, []],
    [
      "none of these: all groups are admitted, for the account's senders only",
      { telegram: { groups: { "*": {} } } },
      [],
    ],
  ])("counts when %s", (_title, channels, expected) => {
    expect(openGroups(channels)).toEqual(expected);
  });
});

describe("a wildcard that is not in the list itself", () => {
  it("is found in the group of senders that the list names, for this channel only", () => {
    const config = normalize({
      accessGroups: {
        all: { type: "message.senders", members: { telegram: ["*"], slack: ["U1"] } },
        every: { type: "message.senders", members: { "*": ["telegram:*"] } },
        few: { type: "message.senders", members: { "*": ["1"] } },
      },
      channels: {
        telegram: { allowFrom: ["accessGroup:all", "accessGroup:few"], groupAllowFrom: ["accessGroup:every"] },
        slack: { allowFrom: ["accessGroup:all"] },
      },
    });
    expect(config.channels.map((account) => [account.id, account.allow_from, account.group_allow_from])).toEqual([
      ["telegram", ["accessGroup:all:*", "accessGroup:few"], ["accessGroup:every:*"]],
      ["slack", ["accessGroup:all"], []],
    ]);
  });

  it("opens direct messages when the rule for every direct chat says so", () => {
    const config = normalize({
      channels: { telegram: { dmPolicy: "allowlist", allowFrom: ["1"], direct: { "*": { dmPolicy: "open" } } } },
    });
    expect(config.channels[0]?.dm_policy).toEqual({ value: "open", explicit: true });
  });
});

describe("a token in the environment", () => {
  it("gives a configured channel an account of its own beside those that are named", () => {
    const config = normalize({ channels: { telegram: { accounts: { work: {} } } } }, { TELEGRAM_BOT_TOKEN: "1:x" });
    expect(config.channels.map((account) => account.account)).toEqual([null, "work"]);
  });

  it("switches no channel on that the file does not name", () => {
    expect(normalize({}, { TELEGRAM_BOT_TOKEN: "1:x" }).channels).toEqual([]);
  });
});

describe("mention rules", () => {
  it("are off in a Signal group that is named without one, whatever holds for the others", () => {
    const config = normalize({ channels: { signal: { groups: { "*": { requireMention: true }, abc: {} } } } });
    expect(config.channels[0]?.groups.map((group) => [group.id, group.require_mention.value])).toEqual([
      ["*", true],
      ["abc", false],
    ]);
  });

  it("cannot be kept on iMessage when the patterns that would show a mention are taken away", () => {
    const config = normalize({
      messages: { groupChat: { mentionPatterns: [] } },
      channels: { imessage: { cliPath: "/usr/bin/imsg", groups: { "*": { requireMention: true } } } },
    });
    expect(config.channels[0]?.groups.map((group) => group.require_mention.value)).toEqual([false]);
    expect(config.channels[0]?.default_require_mention.value).toBe(false);
  });
});

describe("tools denied for a group", () => {
  it("do not count where a sender's own rule replaces the group's", () => {
    const tools = { deny: ["*"] };
    const config = normalize({
      channels: { telegram: { groups: { "-1": { tools }, "-2": { tools, toolsBySender: { "id:7": {} } } } } },
    });
    expect(config.channels[0]?.groups.map((group) => group.tools_denied)).toEqual([true, false]);
  });
});

describe("settings that one account hands to the others", () => {
  it("come before the channel's on WhatsApp", () => {
    const config = normalize({
      channels: {
        whatsapp: {
          dmPolicy: "allowlist",
          allowFrom: ["+1"],
          accounts: { default: { enabled: false, dmPolicy: "open", allowFrom: ["*"] }, work: {} },
        },
      },
    });
    expect(
      config.channels.map((account) => [account.account, account.enabled, account.dm_policy.value, account.allow_from]),
    ).toEqual([
      ["default", false, "open", ["*"]],
      ["work", true, "open", ["*"]],
    ]);
  });
});
