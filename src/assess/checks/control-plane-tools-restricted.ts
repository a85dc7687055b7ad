import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { enabledAccounts, offersTool, openDoors } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "control_plane_tools_restricted",
  title: "Tools that change OpenClaw itself are for its owner only",
  iso27001: ["A.8.2", "A.8.18"],
  nist_csf: ["PR.AA-05"],
  nist_800_53: ["AC-6(10)", "CM-5"],
  cis: ["5.4"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "No tool that OpenClaw keeps off its HTTP door is put back there, and no agent that strangers can write to has tools that change OpenClaw's setup, plugins or automations.",
  mitigation: "Empty gateway.tools.allow, and add gateway, plugins and automations to tools.deny",
  owner: "Platform Security",
  uses: ["config"],
  status_rules: {
    compliant: "Neither over HTTP nor from open channels can such a tool be reached.",
    partial: "Such a tool is put back on the HTTP door of a gateway that only this host reaches.",
    violation: "It is put back where others reach the gateway, or an agent that strangers can write to has one.",
    not_assessed: "The config cannot be read.",
  },
  needs: [],
};

/** What OpenClaw 2026.9.6 keeps off `POST /tools/invoke`. */
const KEPT_OFF_HTTP: ReadonlySet<string> = new Set(
  "exec spawn shell fs_write fs_delete fs_move apply_patch terminal portal sessions_spawn sessions_send conversations_list conversations_send conversations_turn automations cron gateway plugins nodes computer mobile_ui openclaw".split(
    " ",
  ),
);
const SETUP_TOOLS = ["gateway", "plugins", "openclaw"] as const;

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const { http_tools_allow: allow } = config.value.gateway;
  const seen = `gateway.tools.allow: ${allow.length === 0 ? "nothing" : allow.join(", ")}`;
  return weigh([...httpFacts(config.value, seen), ...agentFacts(config.value)], [line(config, seen)]);
}

function httpFacts({ gateway }: OpenClawConfig, seen: string): readonly Fact[] {
  const denied = new Set(gateway.http_tools_deny.map((tool) => tool.trim().toLowerCase()));
  const back = gateway.http_tools_allow.filter((tool) => {
    const name = tool.trim().toLowerCase();
    return (KEPT_OFF_HTTP.has(name) || name.includes("*")) && !denied.has(name);
  });
  if (back.length === 0) return [{ kind: "good", seen }];
  const isExposed = gateway.bind.value !== "loopback" || gateway.tailscale_mode.value !== "off";
  return [
    {
      kind: isExposed ? "violation" : "partial",
      seen,
      gap: `put back on the gateway's HTTP door${isExposed ? ", which others reach" : ""}: ${back.join(", ")}`,
      fix: "Empty gateway.tools.allow",
    },
  ];
}

function agentFacts(config: OpenClawConfig): readonly Fact[] {
  const doors = enabledAccounts(config).flatMap(openDoors);
  if (doors.length === 0) return [{ kind: "good", seen: "no channel is open to strangers" }];
  return config.agents.map((agent): Fact => {
    const tools = SETUP_TOOLS.filter((tool) => offersTool(agent.tools, tool));
    const seen = `${agent.id}: ${tools.length === 0 ? "none of these tools" : tools.join(", ")}`;
    if (tools.length === 0) return { kind: "good", seen };
    return {
      kind: "violation",
      seen,
      gap: `strangers can write to agent ${agent.id} (${doors.join(", ")}), which has ${tools.join(", ")}`,
      fix: "Close the channel, and add gateway, plugins and automations to tools.deny",
    };
  });
}
