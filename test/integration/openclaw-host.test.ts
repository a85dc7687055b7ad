import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { collectOpenClawConfig } from "../../src/collect/openclaw-config.ts";
import { resolveOpenClawPaths } from "../../src/collect/openclaw-paths.ts";
import type { AgentConfig, ChannelAccount, OpenClawConfig } from "../../src/schema/openclaw-config.ts";
import { makeHome } from "../helpers/homes.ts";
import { openclawBin, runOpenClaw } from "../helpers/openclaw-host.ts";

const NOW = Date.UTC(2026, 10, 23, 8, 0, 0);
const SLOW_MS = 120_000;

async function collectFrom(home: string, env: Record<string, string> = {}): Promise<OpenClawConfig> {
  const paths = resolveOpenClawPaths({ HOME: home, ...env }, home);
  const config = await collectOpenClawConfig(paths, { HOME: home, ...env }, { now: () => NOW, inContainer: false });
  if (config.kind === "unmeasured") throw new Error(`${config.code}: ${config.reason}`);
  return config.value;
}

// These ask the real OpenClaw 2026.9.6; each start of its command takes two to eight seconds.
describe("the real OpenClaw", () => {
  beforeAll(async () => {
    await openclawBin();
  }, 600_000);

  it.each(["weak", "hardened", "hostile"] as const)(
    "finds the %s home's config valid",
    async (kind) => {
      const { home } = await makeHome(kind);
      const result = await runOpenClaw(["config", "validate"], home);
      expect([result.exitCode, result.stdout + result.stderr]).toEqual([0, expect.stringContaining("Config valid")]);
    },
    SLOW_MS,
  );

  it.each([
    ["nothing is set", {}, []],
    ["only a profile variable is set", { OPENCLAW_PROFILE: "work" }, []],
    ["a profile flag is given", {}, ["--profile", "work"]],
    ["the state folder is given with a tilde", { OPENCLAW_STATE_DIR: "~/elsewhere" }, []],
    ["the state folder stays beside a profile flag", { OPENCLAW_STATE_DIR: "~/elsewhere" }, ["--profile", "work"]],
    ["the config file is given", { OPENCLAW_CONFIG_PATH: "~/my.json" }, []],
  ] as const)(
    "looks for its config where we do when %s",
    async (_title, env, flags) => {
      const { home } = await makeHome("empty");
      const result = await runOpenClaw([...flags, "config", "file"], home, env);
      const ours = resolveOpenClawPaths({ HOME: home, ...env }, home, flags[1]);
      expect(result.stdout.trim().replace(/^~/, home)).toBe(ours.configPath);
    },
    SLOW_MS,
  );

  it(
    "refuses what we call config-invalid, and reads what we read",
    async () => {
      const { home, configPath } = await makeHome("hardened");
      await writeFile(configPath, '\ufeff// note\n{ "$include": "./more.json5", gateway: { port: 4000 } }');
      await writeFile(
        join(home, ".openclaw/more.json5"),
        "{ gateway: { port: 1, bind: 'lan' }, tools: { deny: ['browser'] } }",
      );
      const port = await runOpenClaw(["config", "get", "gateway", "--json"], home);
      const ours = await collectFrom(home);
      expect(JSON.parse(port.stdout)).toEqual({ port: ours.gateway.port.value, bind: ours.gateway.bind.value });

      await writeFile(configPath, '{ gateway: { port: "4000" } }');
      const refused = await runOpenClaw(["config", "validate"], home);
      expect(refused.exitCode).toBe(1);
      await expect(collectFrom(home)).rejects.toThrow(/config-invalid/);
    },
    SLOW_MS,
  );

  it(
    "applies the defaults we apply, and inherits as we do",
    async () => {
      const { home, configPath, stateDir } = await makeHome("hardened");
      // The bundled policy plugin prints what it sees, with defaults resolved, for areas it has a rule on.
      const policy = join(stateDir, "policy.jsonc");
      await writeFile(
        policy,
        JSON.stringify({
          ingress: { channels: { denyOpenGroups: true, requireMentionInGroups: true, allowDmPolicies: ["pairing"] } },
          tools: { elevated: { allow: false }, fs: { requireWorkspaceOnly: true }, exec: { requireAsk: ["always"] } },
          sandbox: { requireMode: ["all"] },
        }),
      );
      await writeFile(
        configPath,
        JSON.stringify({
          plugins: { entries: { policy: { enabled: true, config: { path: policy } } } },
          // Only Telegram is bundled; for any other channel this would ask the npm registry.
          channels: {
            defaults: { groupPolicy: "open" },
            telegram: {
              botToken: "1:x",
              accounts: {
                a: {},
                b: { dmPolicy: "disabled", groupPolicy: "open", groups: { "-1": { requireMention: false } } },
              },
            },
          },
          agents: {
            ownership: "explicit",
            entries: { main: {}, loose: { tools: { exec: { security: "full" } }, sandbox: { mode: "all" } } },
          },
        }),
      );
      const result = await runOpenClaw(["policy", "check", "--json", "--agent", "main"], home);
      const {
        ingress = [],
        toolPosture = [],
        sandboxPosture = [],
      } = (JSON.parse(result.stdout) as { evidence: PolicyEvidence }).evidence;
      const ours = await collectFrom(home);

      const theirChannels = (kind: string): unknown =>
        ingress
          .filter((entry) => entry.kind === kind && entry.groupId === undefined)
          .map((entry) => `${entry.channel} ${entry.accountId ?? "-"} ${String(entry.value)}`)
          .toSorted();
      const ourChannels = (value: (channel: ChannelAccount) => unknown): unknown =>
        ours.channels.map((channel) => `${channel.id} ${channel.account ?? "-"} ${String(value(channel))}`).toSorted();
      expect(theirChannels("channelDmPolicy")).toEqual(ourChannels((channel) => channel.dm_policy.value));
      expect(theirChannels("channelGroupPolicy")).toEqual(ourChannels((channel) => channel.group_policy.value));
      expect(theirChannels("channelRequireMention")).toEqual(
        ourChannels((channel) => channel.default_require_mention.value),
      );

      const theirs = (id: string): readonly unknown[] =>
        ["execSecurity", "execAsk", "elevatedEnabled", "fsWorkspaceOnly", "mode"].map(
          (kind) =>
            [...toolPosture, ...sandboxPosture].find(
              (entry) => entry.kind === kind && (entry.agentId === id || (id === "" && entry.scope !== "agent")),
            )?.value,
        );
      const values = ({ tools, sandbox }: Pick<AgentConfig, "tools" | "sandbox">): readonly unknown[] => [
        tools.exec.security.value,
        tools.exec.ask.value,
        tools.elevated.enabled.value,
        tools.fs_workspace_only.value,
        sandbox.mode.value,
      ];
      expect(Object.fromEntries(ours.agents.map((agent) => [agent.id, values(agent)]))).toEqual({
        main: theirs("main"),
        loose: theirs("loose"),
      });
      expect(theirs("")).toEqual(["full", "off", true, false, "off"]);
    },
    SLOW_MS,
  );
});

interface Posture {
  readonly kind: string;
  readonly value?: unknown;
  readonly scope?: string;
  readonly agentId?: string;
}

interface PolicyEvidence {
  readonly ingress?: readonly {
    readonly kind: string;
    readonly channel?: string;
    readonly accountId?: string;
    readonly groupId?: string;
    readonly value?: unknown;
  }[];
  readonly toolPosture?: readonly Posture[];
  readonly sandboxPosture?: readonly Posture[];
}
