import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../../../src/assess/assessment.ts";
import { CHECKS, type Check } from "../../../../src/assess/checks.ts";
import type { AssessEvidence } from "../../../../src/assess/evidence.ts";
import {
  AT,
  commandPolicy,
  config,
  goodEvidence,
  GRANTS,
  HARDENED,
  listener,
  seen,
  sockets,
  unseen,
  WEAK,
} from "../../../helpers/assess-evidence.ts";

type Row = readonly [when: string, change: Partial<AssessEvidence>, status: CheckStatus];

function checkOf(id: string): Check {
  const found = CHECKS.find(({ meta }) => meta.check_id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

function table(id: string, rows: readonly Row[]): void {
  describe(id, () => {
    it.each(rows)("%s", (_when, change, status) => {
      expect(checkOf(id).check(goodEvidence(change)).status).toBe(status);
    });
  });
}

const withExec = (exec: unknown, sandbox = "off"): Partial<AssessEvidence> => ({
  config: config({ tools: { exec }, agents: { defaults: { sandbox: { mode: sandbox } } } }),
});
const withChannel = (telegram: object): Partial<AssessEvidence> => ({
  config: config({ channels: { telegram: { enabled: true, ...telegram } } }),
});

table("privilege_approval_required", [
  ["is a violation when exec is unset, because OpenClaw's default asks nobody", { config: config({}) }, "violation"],
  ["is a violation by the same default when there is no config at all", { config: config(undefined) }, "violation"],
  ["is a violation when exec mode is full on the host", withExec({ mode: "full" }), "violation"],
  [
    "is a violation when full commands leave the sandbox through host gateway",
    withExec({ mode: "full", host: "gateway" }, "all"),
    "violation",
  ],
  [
    "is a violation when only the main session runs full commands on the host",
    withExec({ mode: "full" }, "non-main"),
    "violation",
  ],
  [
    "is a violation when elevated senders leave the sandbox unasked",
    {
      config: config({
        tools: { exec: { mode: "full" }, elevated: { enabled: true, allowFrom: { telegram: ["1"] } } },
        agents: { defaults: { sandbox: { mode: "all" } } },
      }),
    },
    "violation",
  ],
  [
    "is a violation when one agent of two is ungated",
    {
      config: config({
        tools: { exec: { mode: "ask" } },
        agents: { entries: { main: {}, wild: { tools: { exec: { mode: "full" } } } } },
      }),
    },
    "violation",
  ],
  ["is partial when a model approves", withExec({ mode: "auto" }), "partial"],
  ["is not assessed when exec is denied", withExec({ mode: "deny" }), "not_assessed"],
  ["is not assessed when everything runs in the sandbox", withExec({ mode: "full" }, "all"), "not_assessed"],
  [
    "is not assessed when the tool itself is denied",
    { config: config({ tools: { deny: ["group:runtime"] } }) },
    "not_assessed",
  ],
  ["is not assessed when the config cannot be read", { config: unseen("config-invalid") }, "not_assessed"],
]);

table("channel_allowlist_configured", [
  ["is compliant when all enabled accounts are gated", {}, "compliant"],
  ["is compliant by OpenClaw's defaults, which pair and allowlist", withChannel({}), "compliant"],
  ["is a violation when direct messages are open", withChannel({ dmPolicy: "open", allowFrom: ["*"] }), "violation"],
  ["is a violation when groups are open", withChannel({ groupPolicy: "open" }), "violation"],
  [
    "is a violation when allowFrom holds a wildcard under an allowlist policy",
    withChannel({ dmPolicy: "allowlist", allowFrom: ["1", "*"] }),
    "violation",
  ],
  [
    "is a violation when the wildcard carries the channel's prefix",
    withChannel({ allowFrom: ["telegram:*"] }),
    "violation",
  ],
  ["is a violation when groupAllowFrom holds a wildcard", withChannel({ groupAllowFrom: ["*"] }), "violation"],
  [
    "is a violation when one named account of two is open",
    withChannel({ accounts: { a: {}, b: { dmPolicy: "open", allowFrom: ["*"] } } }),
    "violation",
  ],
  [
    "is partial when senders are matched by names they can change",
    { config: config({ channels: { discord: { enabled: true, dangerouslyAllowNameMatching: true } } }) },
    "partial",
  ],
  [
    "is not assessed for a channel whose rules are not known",
    { config: config({ channels: { telegram: { enabled: true }, pigeon: { enabled: true } } }) },
    "not_assessed",
  ],
  ["is not assessed when the config cannot be read", { config: unseen("file-unreadable") }, "not_assessed"],
  ["is not applicable when no channel is configured", { config: config({}) }, "not_applicable"],
  [
    "is not applicable when the only channel is switched off",
    withChannel({ enabled: false, dmPolicy: "open" }),
    "not_applicable",
  ],
]);

const boxed = { agents: { defaults: { sandbox: { mode: "all" } } }, tools: { profile: "messaging" } };
table("group_mentions_required", [
  ["is compliant when each group requires a mention", {}, "compliant"],
  ["is compliant by OpenClaw's default", withChannel({ groupAllowFrom: ["1"] }), "compliant"],
  [
    "is a violation when a group does not and the agent can run commands",
    withChannel({ groups: { "-1": { requireMention: false } } }),
    "violation",
  ],
  [
    "is a violation when the rule for all other groups does not",
    withChannel({ groups: { "-1": { requireMention: true }, "*": { requireMention: false } } }),
    "violation",
  ],
  [
    "is partial when the agent behind the group is sandboxed",
    {
      config: config({
        ...boxed,
        channels: { telegram: { enabled: true, groups: { "-1": { requireMention: false } } } },
      }),
    },
    "partial",
  ],
  [
    "is not assessed for a channel whose rules are not known",
    { config: config({ channels: { pigeon: { enabled: true } } }) },
    "not_assessed",
  ],
  ["is not assessed when the config cannot be read", { config: unseen() }, "not_assessed"],
  [
    "is not applicable when groups are off",
    withChannel({ groupPolicy: "disabled", groups: { "-1": { requireMention: false } } }),
    "not_applicable",
  ],
  ["is not applicable when no channel is configured", { config: config({}) }, "not_applicable"],
]);

const strong = { mode: "token", token: "0123456789abcdef0123456789abcdef" };
const open = sockets(listener({ address: "0.0.0.0", scope: "all-interfaces" }));
const gateway = (authored: object, rest: Partial<AssessEvidence> = {}): Partial<AssessEvidence> => ({
  config: config({ gateway: authored }),
  ...rest,
});
table("gateway_loopback_only", [
  ["is compliant when config and socket both say loopback", {}, "compliant"],
  ["is compliant by default when bind is unset and loopback is observed", gateway({}), "compliant"],
  [
    "is compliant when custom names a loopback address",
    gateway({ bind: "custom", customBindHost: "127.0.0.1" }),
    "compliant",
  ],
  [
    "is partial on a network with strong authentication",
    gateway({ bind: "lan", auth: strong }, { sockets: open }),
    "partial",
  ],
  [
    "is partial behind Tailscale Serve with strong authentication",
    gateway({ auth: strong, tailscale: { mode: "serve" } }),
    "partial",
  ],
  [
    "is a violation on a network without authentication",
    gateway({ bind: "lan", auth: { mode: "none" } }, { sockets: open }),
    "violation",
  ],
  [
    "is a violation on a network with a short token",
    gateway({ bind: "lan", auth: { mode: "token", token: "short" } }, { sockets: open }),
    "violation",
  ],
  [
    "is a violation on a network when every web origin is allowed",
    gateway({ bind: "lan", auth: strong, controlUi: { allowedOrigins: ["*"] } }, { sockets: open }),
    "violation",
  ],
  [
    "is a violation through a public funnel whatever the authentication",
    gateway({
      auth: { mode: "password", password: "0123456789abcdef0123456789abcdef" },
      tailscale: { mode: "funnel" },
    }),
    "violation",
  ],
  [
    "is a violation when it listens more widely than the config says",
    gateway({ bind: "loopback", auth: strong }, { sockets: open }),
    "violation",
  ],
  [
    "is a violation when one of two listeners on its port is not loopback",
    { sockets: sockets(listener({}), listener({ address: "192.0.2.7", scope: "public" })) },
    "violation",
  ],
  [
    "is a violation shown by the config alone when sockets are unmeasured",
    gateway({ bind: "lan", auth: { mode: "none" } }, { sockets: unseen("timeout") }),
    "violation",
  ],
  ["is not assessed when nothing listens on its port", { sockets: sockets() }, "not_assessed"],
  [
    "is not assessed when only another port is observed",
    { sockets: sockets(listener({ port: 22, pid: 640 })) },
    "not_assessed",
  ],
  ["is not assessed when the sockets cannot be read", { sockets: unseen("proc-unusable") }, "not_assessed"],
  [
    "is not assessed when the config cannot be read, even with loopback observed",
    { config: unseen("json-invalid") },
    "not_assessed",
  ],
  [
    "is not applicable when the gateway runs elsewhere",
    gateway({ mode: "remote", remote: { url: "wss://gw.example.com" } }, { sockets: sockets() }),
    "not_applicable",
  ],
]);

table("prompt_injection_controls", [
  ["is a violation when strangers reach an agent that runs commands", { config: config(WEAK) }, "violation"],
  [
    "is a violation when direct messages of a stranger land in the unsandboxed main session",
    {
      config: config({
        channels: { telegram: { enabled: true, dmPolicy: "open", allowFrom: ["*"] } },
        agents: { defaults: { sandbox: { mode: "non-main" } } },
      }),
    },
    "violation",
  ],
  ["is partial when known senders reach an unsandboxed agent", withChannel({ dmPolicy: "pairing" }), "partial"],
  [
    "is partial when the prompt policy switches confirmation off",
    {
      promptPolicy: seen({
        path: "/p",
        present: true,
        policy: { form: "original", requireConfirmationForUntrusted: false },
      }),
    },
    "partial",
  ],
  [
    "is not assessed when open ingress meets a sandboxed agent, because the hook is not tried out",
    { config: config({ ...boxed, channels: { telegram: { enabled: true, dmPolicy: "open", allowFrom: ["*"] } } }) },
    "not_assessed",
  ],
  ["is not assessed when everything measurable is in order", {}, "not_assessed"],
  [
    "is not assessed when the prompt policy is broken",
    { promptPolicy: unseen("policy-invalid", "prompt-policy.json is not valid") },
    "not_assessed",
  ],
  ["is not assessed when the config cannot be read", { config: unseen() }, "not_assessed"],
]);

const rule = { id: "a", effect: "allow", binary: "/usr/bin/systemctl", args: ["restart", "nginx"] };
const v2 = (unmatched: string, rules: readonly object[]): Partial<AssessEvidence> => ({
  commandPolicy: commandPolicy({ schemaVersion: 2, unmatched, rules }),
});
table("command_policy_enforced", [
  ["is a violation when there is no policy", { commandPolicy: commandPolicy() }, "violation"],
  [
    "is a violation when a rule allows an interpreter",
    v2("deny", [{ id: "py", effect: "allow", binary: "/usr/bin/python3", args: "any" }]),
    "violation",
  ],
  [
    "is a violation when a pattern of the original form allows everything",
    { commandPolicy: commandPolicy({ allow: ["^.*"] }) },
    "violation",
  ],
  [
    "is a violation when a pattern of the original form allows an interpreter",
    { commandPolicy: commandPolicy({ allow: ["^/usr/bin/python3\\b"] }) },
    "violation",
  ],
  ["is a violation when OpenClaw itself runs anything on the host", withExec({ mode: "full" }), "violation"],
  [
    "is a violation when safeBins holds an interpreter",
    withExec({ mode: "allowlist", strictInlineEval: true, safeBins: ["python3.11"] }),
    "violation",
  ],
  [
    "is a violation shown by OpenClaw's config when the policy is broken",
    { ...withExec({ mode: "full" }), commandPolicy: unseen("policy-invalid") },
    "violation",
  ],
  [
    "is partial when the policy only lists what is denied",
    v2("ask", [{ id: "no", effect: "deny", binary: "sh", args: "any" }]),
    "partial",
  ],
  [
    "is partial when the original form only denies",
    { commandPolicy: commandPolicy({ deny: ["^/bin/rm "] }) },
    "partial",
  ],
  ["is partial when inline code is not looked at", withExec({ mode: "allowlist" }), "partial"],
  [
    "is not assessed when everything is listed, because the gateway is not tried out",
    v2("deny", [rule]),
    "not_assessed",
  ],
  [
    "is not assessed when the policy file is broken",
    { commandPolicy: unseen("json-invalid", "command-policy.json is empty") },
    "not_assessed",
  ],
]);

table("session_boundary_enforced", [
  ["is partial when paired people share the main session", withChannel({ dmPolicy: "pairing" }), "partial"],
  [
    "is partial when two allowed senders share it",
    withChannel({ dmPolicy: "allowlist", allowFrom: ["1", "2"] }),
    "partial",
  ],
  [
    "is partial when each sender has a session, because the gateway is not tried out",
    { config: config({ session: { dmScope: "per-channel-peer" }, channels: HARDENED.channels }) },
    "partial",
  ],
  ["is partial when one person alone writes, for the same reason", {}, "partial"],
  [
    "is a violation when a grant runs in another session",
    { grants: seen({ ...GRANTS, refuses_other_session: false }) },
    "violation",
  ],
  ["is a violation when a grant runs twice", { grants: seen({ ...GRANTS, refuses_used: false }) }, "violation"],
  [
    "is not assessed when a fresh grant is refused too",
    { grants: seen({ ...GRANTS, runs_fresh: false }) },
    "not_assessed",
  ],
  ["is not assessed when grants could not be tried out", { grants: unseen() }, "not_assessed"],
  ["is not assessed when the config cannot be read", { config: unseen() }, "not_assessed"],
]);

table("multi_factor_approval", [
  ["is not assessed when nothing of it was tried out", {}, "not_assessed"],
  ["is not assessed when the config cannot be read", { config: unseen() }, "not_assessed"],
]);

const withPlugin = (entry: object, plugins: object = {}, rest: object = HARDENED): Partial<AssessEvidence> => ({
  config: config({ ...rest, plugins: { entries: { "cyber-security-engineer": entry }, ...plugins } }),
});
const ON = { enabled: true };
table("runtime_privilege_hook_installed", [
  ["is a violation when there is no config at all", { config: config(undefined) }, "violation"],
  ["is a violation when the plugin has no entry", { config: config(HARDENED) }, "violation"],
  ["is a violation when its entry is switched off", withPlugin({ enabled: false }), "violation"],
  ["is a violation when its entry does not say that it is on", withPlugin({}), "violation"],
  ["is a violation when plugins are off", withPlugin(ON, { enabled: false }), "violation"],
  ["is a violation when plugins.allow leaves it out", withPlugin(ON, { allow: ["telegram"] }), "violation"],
  ["is a violation when plugins.deny names it", withPlugin(ON, { deny: ["cyber-security-engineer"] }), "violation"],
  ["is a violation when its gate is off", withPlugin({ ...ON, config: { execGate: { mode: "off" } } }), "violation"],
  ["is a violation when nobody has its socket", { broker: seen({ path: "/b", held_by: "none" }) }, "violation"],
  ["is a violation when another process has it", { broker: seen({ path: "/b", held_by: "other" }) }, "violation"],
  ["is partial when opaque commands pass", withPlugin({ ...ON, config: { execGate: { opaque: "allow" } } }), "partial"],
  ["is partial when its config is not valid", withPlugin({ ...ON, config: { execGate: { mod: "off" } } }), "partial"],
  ["is not assessed when all is in order, because no call is tried out", {}, "not_assessed"],
  [
    "is not assessed also with a token that OpenClaw looks up",
    withPlugin({ ...ON, config: { approvalToken: { source: "env", id: "T" } } }),
    "not_assessed",
  ],
  ["is not assessed when no gateway runs", { broker: unseen("file-missing") }, "not_assessed"],
  ["is not assessed when the config cannot be read", { config: unseen() }, "not_assessed"],
]);

const HOST = { tools: { exec: { mode: "ask" } } };
table("privilege_approval_required", [
  ["is not assessed when a gate holds what agents run here", withPlugin(ON, {}, HOST), "not_assessed"],
  ["is partial when they run it and the plugin is off", withPlugin({ enabled: false }, {}, HOST), "partial"],
  ["is partial when there is no plugin", { config: config(HOST) }, "partial"],
  [
    "is partial when the gate is off",
    withPlugin({ ...ON, config: { execGate: { mode: "off" } } }, {}, HOST),
    "partial",
  ],
  [
    "is partial when opaque commands pass",
    withPlugin({ ...ON, config: { execGate: { opaque: "allow" } } }, {}, HOST),
    "partial",
  ],
  [
    "is a violation when the agent itself may approve",
    withPlugin({ ...ON, config: { approvers: { allowRuntime: true } } }),
    "violation",
  ],
  ["is partial when a device was enrolled without proof", { approvers: seen(["device without proof"]) }, "partial"],
  ["is not assessed when nobody is enrolled", { approvers: seen([]) }, "not_assessed"],
  ["is not assessed when the list of approvers is broken", { approvers: unseen("json-invalid") }, "not_assessed"],
]);

describe("an answer about OpenClaw's config", () => {
  it("names the setting that holds by default, the file and the time", () => {
    const result = checkOf("gateway_loopback_only").check(goodEvidence({ config: config({}) }));
    expect(result).toEqual({
      status: "compliant",
      observed_state:
        "gateway.bind loopback (default), port 18789, auth chosen at start, tailscale off; the gateway's port is seen on 127.0.0.1:18789",
      evidence: [
        {
          source: "/home/openclaw/.openclaw/openclaw.json",
          at: AT,
          detail: "gateway.bind loopback (default), port 18789, auth chosen at start, tailscale off",
        },
        { source: "test", at: AT, detail: "the gateway's port is seen on 127.0.0.1:18789" },
        {
          source: "test",
          at: AT,
          detail:
            "not looked for: a proxy, tunnel or port forwarding of this host that leads to the gateway; a webhook's listener is judged with the open ports",
        },
      ],
      gap: "",
      mitigation: "",
    });
  });

  it("carries the reason and what would make it measurable when the file is broken", () => {
    const broken = unseen("json-invalid", "openclaw.json is not valid JSON5: line 3");
    const result = checkOf("channel_allowlist_configured").check(goodEvidence({ config: broken }));
    expect(result.gap).toBe("openclaw.json is not valid JSON5: line 3.");
    expect(result.mitigation).toBe("Correct test as the reason says, then run the assessment again.");
    expect(result.evidence).toEqual([
      { source: "test", at: AT, detail: "not measured (json-invalid): openclaw.json is not valid JSON5: line 3" },
    ]);
  });

  it("never holds a secret", () => {
    const secret = "hunter2-hunter2-hunter2-hunter2";
    const authored = {
      ...WEAK,
      gateway: { bind: "lan", auth: { mode: "token", token: secret } },
      hooks: { enabled: true, token: secret },
    };
    const evidence = goodEvidence({ config: config(authored) });
    expect(JSON.stringify(CHECKS.map(({ check }) => check(evidence)))).not.toContain(secret);
  });
});
