import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { normalizeOpenClawConfig } from "../../../src/schema/normalize-openclaw-config.ts";
import type { ChannelAccount, OpenClawConfig } from "../../../src/schema/openclaw-config.ts";
import { hasEnvReference, parseDotEnv, substituteEnv } from "../../../src/schema/openclaw-env.ts";
import { mergeIncluded, parseOpenClawText } from "../../../src/schema/openclaw-text.ts";

const CANARY = "canary-secret-value-0123456789";

function normalize(
  authored: unknown,
  options: { env?: Record<string, string>; profile?: string; inContainer?: boolean } = {},
): OpenClawConfig {
  return normalizeOpenClawConfig({
    path: "/home/someone/.openclaw/openclaw.json",
    authored,
    includes: [],
    env: options.env ?? {},
    home: "/home/someone",
    profile: options.profile ?? null,
    inContainer: options.inContainer ?? false,
  });
}

function errorOf(run: () => unknown): SecurityError {
  try {
    run();
  } catch (error) {
    if (error instanceof SecurityError) return error;
  }
  throw new Error("expected a SecurityError");
}

function channel(authored: unknown): ChannelAccount {
  const found = normalize({ channels: authored }).channels[0];
  if (found === undefined) throw new Error("no channel");
  return found;
}

describe("defaults of OpenClaw 2026.9.6", () => {
  it("apply when there is no file, and nothing counts as explicit", () => {
    const config = normalize(undefined);
    expect(config.present).toBe(false);
    expect(config.gateway.bind).toEqual({ value: "loopback", explicit: false });
    expect(config.gateway.port).toEqual({ value: 18_789, explicit: false });
    expect(config.gateway.auth.token).toEqual({ kind: "missing", length: null });
    expect(config.tools.exec.security).toEqual({ value: "full", explicit: false });
    expect(config.tools.exec.ask).toEqual({ value: "off", explicit: false });
    expect(config.tools.elevated).toEqual({ enabled: { value: true, explicit: false }, allow_from: {} });
    expect(config.tools.fs_workspace_only).toEqual({ value: false, explicit: false });
    expect(config.session.dm_scope).toEqual({ value: "main", explicit: false });
    expect(config.session.tools_visibility).toEqual({ value: "all", explicit: false });
    expect(config.channels).toEqual([]);
    expect(config.agents.map((agent) => [agent.id, agent.is_default, agent.sandbox.mode.value])).toEqual([
      ["main", true, "off"],
    ]);
    expect(config.logging).toEqual({ file: null, audit_enabled: { value: true, explicit: false } });
  });

  it("bind all interfaces when bind is unset inside a container, and loopback behind Tailscale even there", () => {
    expect(normalize({}, { inContainer: true }).gateway.bind).toEqual({ value: "auto", explicit: false });
    const served = normalize({ gateway: { tailscale: { mode: "serve" } } }, { inContainer: true });
    expect(served.gateway.bind).toEqual({ value: "loopback", explicit: false });
  });

  it("deny host commands when every session runs in a sandbox", () => {
    const config = normalize({ agents: { defaults: { sandbox: { mode: "all" } } } });
    expect(config.tools.exec.security).toEqual({ value: "deny", explicit: false });
  });

  it.each([
    [{}, false],
    [{ config: {} }, false],
    [{ config: { approvers: { allowRuntime: false } } }, false],
    [{ config: { approvers: { allowRuntime: true } } }, true],
    [{ config: { approvers: { allowRuntime: "no" } } }, true],
    [{ config: 1 }, false],
  ])("reads from our own plugin's entry %j whether the gateway's token may approve", (entry, allows) => {
    const config = normalizeOpenClawConfig({
      path: "/s/openclaw.json",
      authored: { plugins: { entries: { "cyber-security-engineer": entry, other: { config: { approvers: 7 } } } } },
      includes: [],
      env: {},
      home: "/home/o",
      profile: null,
      inContainer: false,
    });
    expect(config.plugins.entries.map((each) => each.allow_runtime)).toEqual([allows, null]);
  });
});

describe("the gateway's port", () => {
  it.each([
    ["the file's when the environment is silent", { gateway: { port: 4000 } }, {}, 4000],
    ["the environment's before the file's", { gateway: { port: 4000 } }, { OPENCLAW_GATEWAY_PORT: "5000" }, 5000],
    ["the environment's behind a host", {}, { OPENCLAW_GATEWAY_PORT: "127.0.0.1:5001" }, 5001],
    [
      "the file's when the environment's is no port",
      { gateway: { port: 4000 } },
      { OPENCLAW_GATEWAY_PORT: "70000" },
      4000,
    ],
  ])("is %s", (_title, authored, env, expected) => {
    expect(normalize(authored, { env }).gateway.port).toEqual({ value: expected, explicit: true });
  });

  it("is made from the name of a profile when nothing sets it", () => {
    expect(normalize({}, { profile: "work" }).gateway.port).toEqual({ value: 41_984, explicit: false });
  });
});

describe("secrets", () => {
  it.each([
    ["a literal", { gateway: { auth: { token: CANARY } } }, {}, { kind: "literal", length: CANARY.length }],
    [
      "a reference to a set variable",
      { gateway: { auth: { token: "${TOK}" } } },
      { TOK: CANARY },
      { kind: "env", length: CANARY.length },
    ],
    ["a reference to an unset variable", { gateway: { auth: { token: "${TOK}" } } }, {}, { kind: "env", length: null }],
    [
      "an env object",
      { gateway: { auth: { token: { source: "env", provider: "default", id: "TOK" } } } },
      {},
      { kind: "env", length: null },
    ],
    [
      "a stored secret",
      { gateway: { auth: { token: { source: "store", provider: "default", id: "TOK" } } } },
      {},
      { kind: "secret-ref", length: null },
    ],
    ["OpenClaw's own variable", {}, { OPENCLAW_GATEWAY_TOKEN: CANARY }, { kind: "env", length: CANARY.length }],
    ["blank text", { gateway: { auth: { token: "  " } } }, {}, { kind: "missing", length: null }],
  ])("are told apart: %s", (_title, authored, env, expected) => {
    const config = normalize(authored, { env });
    expect(config.gateway.auth.token).toEqual(expected);
    expect(JSON.stringify(config)).not.toContain(CANARY);
  });

  it("never come out, wherever a person may have put one", () => {
    const config = normalize(
      {
        env: { vars: { TOK: CANARY } },
        gateway: { auth: { token: "${TOK}", password: CANARY }, remote: { token: CANARY } },
        proxy: { proxyUrl: `http://user:${CANARY}@proxy.example:3128/x?${CANARY}` },
        hooks: { enabled: true, token: CANARY },
        channels: { telegram: { botToken: CANARY, accounts: { a: { botToken: CANARY } } } },
        models: { providers: { x: { apiKey: CANARY } } },
        plugins: { entries: { x: { config: { key: CANARY } } } },
      },
      { env: { OPENAI_API_KEY: CANARY } },
    );
    expect(JSON.stringify(config)).not.toContain(CANARY);
    expect(config.network.proxy).toBe("proxy.example:3128");
    expect(config.hooks.token).toEqual({ kind: "literal", length: CANARY.length });
  });

  it("are not quoted by the error about a wrong type", () => {
    const error = errorOf(() => normalize({ gateway: { auth: { token: [CANARY] } }, tools: { profile: CANARY } }));
    expect(error.code).toBe("config-invalid");
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain(CANARY);
  });
});

describe("exec settings", () => {
  it.each([
    ["deny", "deny", "off"],
    ["allowlist", "allowlist", "off"],
    ["ask", "allowlist", "on-miss"],
    ["auto", "allowlist", "on-miss"],
    ["full", "full", "off"],
  ])("mode %s means security %s and ask %s", (mode, security, ask) => {
    const { exec } = normalize({ tools: { exec: { mode } } }).tools;
    expect([exec.mode, exec.security, exec.ask]).toEqual([
      mode,
      { value: security, explicit: true },
      { value: ask, explicit: true },
    ]);
  });

  it("let an agent's own word come before the shared mode", () => {
    const config = normalize({
      tools: { exec: { mode: "ask" } },
      agents: { entries: { main: {}, loose: { tools: { exec: { security: "full" } } } } },
    });
    expect(
      config.agents.map((agent) => [agent.id, agent.tools.exec.security.value, agent.tools.exec.ask.value]),
    ).toEqual([
      ["main", "allowlist", "on-miss"],
      ["loose", "full", "on-miss"],
    ]);
  });

  it("are invalid when a mode stands beside security", () => {
    expect(errorOf(() => normalize({ tools: { exec: { mode: "ask", security: "full" } } })).code).toBe(
      "config-invalid",
    );
  });
});

describe("agents", () => {
  it("are read from the older list too, and inherit what they do not set", () => {
    const config = normalize({
      agents: {
        defaults: { workspace: "~/work", sandbox: { mode: "non-main", docker: { network: "bridge" } } },
        list: [{ id: "main" }, { id: "b", default: true, agentDir: "/srv/b", sandbox: { mode: "all" } }],
      },
      tools: { deny: ["browser"], elevated: { enabled: false } },
    });
    expect(config.agents.map((agent) => [agent.id, agent.is_default, agent.workspace, agent.agent_dir])).toEqual([
      ["main", false, "/home/someone/work", null],
      ["b", true, "/home/someone/work", "/srv/b"],
    ]);
    expect(config.agents[1]?.sandbox).toEqual({
      mode: { value: "all", explicit: true },
      workspace_access: { value: "none", explicit: false },
      backend: null,
      network: { value: "bridge", explicit: true },
      weaknesses: [],
      writable_binds: [],
    });
    expect(config.agents[1]?.tools.deny).toEqual(["browser"]);
  });

  it("cannot switch on elevated access that is off for all", () => {
    const config = normalize({
      tools: { elevated: { enabled: false, allowFrom: { telegram: [1] } } },
      agents: { entries: { a: { tools: { elevated: { enabled: true } } } } },
    });
    expect(config.agents[0]?.tools.elevated).toEqual({
      enabled: { value: false, explicit: true },
      allow_from: { telegram: ["1"] },
    });
  });
});

describe("channels", () => {
  it("get pairing, an allowlist for groups and the mention rule when they say nothing", () => {
    expect(channel({ telegram: { botToken: "x" } })).toEqual({
      id: "telegram",
      account: null,
      enabled: true,
      dm_policy: { value: "pairing", explicit: false },
      allow_from: [],
      group_policy: { value: "allowlist", explicit: false },
      group_allow_from: [],
      default_require_mention: { value: true, explicit: false },
      groups: [],
      dangerous_name_matching: false,
      rules_known: true,
      context_visibility: null,
    });
  });

  it.each([
    ["telegram, whose own schema fixes it", "telegram", "allowlist"],
    ["matrix, which takes the shared default", "matrix", "open"],
    ["feishu, which takes the shared default", "feishu", "open"],
  ])("take channels.defaults.groupPolicy or not: %s", (_title, id, expected) => {
    const config = normalize({ channels: { defaults: { groupPolicy: "open" }, [id]: {} } });
    expect(config.channels.map((entry) => [entry.id, entry.group_policy.value])).toEqual([[id, expected]]);
  });

  it("are open where nothing says otherwise and the channel is not one we know", () => {
    const found = channel({ somechat: {} });
    expect([found.group_policy, found.rules_known]).toEqual([{ value: "open", explicit: false }, false]);
  });

  it("hand down to accounts, and an account's own word wins", () => {
    const config = normalize({
      channels: {
        telegram: {
          dmPolicy: "allowlist",
          allowFrom: [42, "43"],
          groups: { "*": { requireMention: true } },
          accounts: { a: {}, b: { dmPolicy: "open", allowFrom: ["*"], groups: {} }, c: { enabled: false } },
        },
      },
    });
    expect(
      config.channels.map((entry) => [
        entry.account,
        entry.enabled,
        entry.dm_policy.value,
        entry.allow_from,
        entry.groups.length,
      ]),
    ).toEqual([
      ["a", true, "allowlist", ["42", "43"], 1],
      ["b", true, "open", ["*"], 0],
      ["c", false, "allowlist", ["42", "43"], 1],
    ]);
  });

  it("count as an account of their own beside named ones when they carry a credential", () => {
    const config = normalize({ channels: { slack: { botToken: "x", accounts: { work: {} } } } });
    expect(config.channels.map((entry) => entry.account)).toEqual([null, "work"]);
  });

  it("follow the mention rule from the guild to its channels", () => {
    const found = channel({
      discord: {
        guilds: {
          "*": { requireMention: true },
          "1": { requireMention: false, channels: { a: {}, b: { requireMention: true }, c: { enabled: false } } },
          "2": { tools: { deny: ["*"] } },
        },
      },
    });
    expect(
      found.groups.map((group) => [group.id, group.enabled, group.require_mention.value, group.tools_denied]),
    ).toEqual([
      ["1", true, false, false],
      ["1/a", true, false, false],
      ["1/b", true, true, false],
      ["1/c", false, false, false],
      ["2", true, true, true],
      ["*", true, true, false],
    ]);
  });

  it.each([
    ["feishu that is open to all groups", { feishu: { groupPolicy: "open" } }, false],
    ["clickclack", { clickclack: {} }, false],
    [
      "mattermost that listens to every message",
      { mattermost: { chatmode: "onmessage", requireMention: true } },
      false,
    ],
    [
      "mattermost with a rule for all groups",
      { mattermost: { chatmode: "onmessage", groups: { "*": { requireMention: true } } } },
      true,
    ],
    ["irc with a list of channels to join", { irc: { channels: ["#a"] } }, true],
  ])("know the mention default of %s", (_title, authored, expected) => {
    expect(channel(authored).default_require_mention.value).toBe(expected);
  });

  it("are closed to direct messages when dm.enabled is false", () => {
    expect(channel({ slack: { dmPolicy: "open", dm: { enabled: false } } }).dm_policy).toEqual({
      value: "disabled",
      explicit: true,
    });
  });
});

describe("a configuration that OpenClaw refuses", () => {
  it.each([
    ["a list instead of an object", []],
    ["text", "gateway: {}"],
    ["null", null],
    ["a port in quotes", { gateway: { port: "18789" } }],
    ["an unknown bind", { gateway: { bind: "localhost" } }],
    ["a flag that is text", { tools: { elevated: { enabled: "false" } } }],
    ["a channel that is a list", { channels: { telegram: [] } }],
    ["a policy that is misspelt", { channels: { telegram: { dmPolicy: "closed" } } }],
    ["senders that are no list", { channels: { telegram: { allowFrom: "*" } } }],
    ["a group that is text", { channels: { telegram: { groups: { "-1": "open" } } } }],
    ["a secret reference without a source", { gateway: { auth: { token: { id: "X" } } } }],
  ])("is config-invalid: %s", (_title, authored) => {
    expect(errorOf(() => normalize(authored)).code).toBe("config-invalid");
  });

  it("is not one with unknown keys", () => {
    expect(normalize({ somethingNew: { a: 1 }, gateway: { future: true } }).present).toBe(true);
  });
});

describe("parsing", () => {
  it("accepts comments, trailing commas, single quotes and a byte order mark", () => {
    expect(parseOpenClawText("\ufeff// note\n{ gateway: { port: 1, }, 'x': [1,], }", "f")).toEqual({
      gateway: { port: 1 },
      x: [1],
    });
  });

  it.each([
    ["empty", ""],
    ["an error message of a tool", "cat: openclaw.json: Permission denied"],
    ["truncated", '{"gateway": {"bind": "loop'],
    ["nested 100000 deep", "[".repeat(100_000) + "]".repeat(100_000)],
    ["nested 100 deep", `${'{"a":'.repeat(100)}1${"}".repeat(100)}`],
  ])("refuses text that is %s", (_title, text) => {
    expect(errorOf(() => parseOpenClawText(text, "f")).code).toBe("config-invalid");
  });

  it("merges includes key by key, joins lists, and drops keys that reach the prototype", () => {
    const evil = JSON.parse('{"__proto__": {"polluted": true}, "a": {"x": 2, "l": [2]}}') as unknown;
    const merged = mergeIncluded({ a: { x: 1, y: 1, l: [1] } }, evil);
    expect(merged).toEqual({ a: { x: 2, y: 1, l: [1, 2] } });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("replaces references, keeps unset and escaped ones, and leaves lower-case names alone", () => {
    expect(substituteEnv({ a: ["${A}-${B}", "$${A}", "${a}"] }, { A: "1", B: "" })).toEqual({
      a: ["1-${B}", "${A}", "${a}"],
    });
    expect([hasEnvReference("$${A}"), hasEnvReference("x${A}")]).toEqual([false, true]);
  });

  it("reads a .env file's quotes, comments and exports, and skips what is no assignment", () => {
    expect(parseDotEnv("# c\nexport A=1\nB=\"two words\" # c\nC='#3'\nD=4 # c\nno\n=5\n__proto__x=6\r\n")).toEqual({
      A: "1",
      B: "two words",
      C: "#3",
      D: "4",
      __proto__x: "6",
    });
  });
});
