import type { AgentConfig, OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { enabledAccounts, execPostures, openDoors } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "exec_sandboxed",
  title: "What agents run, they run in a sandbox",
  iso27001: ["A.8.22", "A.8.27", "A.8.3"],
  nist_csf: ["PR.IR-01", "PR.PS-05"],
  nist_800_53: ["SC-39", "AC-6", "SC-7"],
  cis: ["4.1"],
  mapping_confidence: "medium",
  default_risk: "high",
  expected_state:
    "Every agent that can run commands does so in a sandbox without the host's network, the container engine's socket, system folders or lifted profiles; or it has no such tool.",
  mitigation: "Set agents.defaults.sandbox.mode to all, with workspaceAccess none or ro",
  owner: "Platform Security",
  uses: ["config"],
  status_rules: {
    compliant: "Every agent is sandboxed always, or has no tool that runs commands, and no setting opens the sandbox.",
    partial:
      "The main session, or elevated senders, run outside; or there is no sandbox and no stranger can write to the agent.",
    violation: "No sandbox where strangers can write to the agent, or a sandbox that is open towards this host.",
    not_assessed: "The config cannot be read.",
  },
  needs: [],
};

/** A setting is not the container: that is not looked at. */
const NOT_LOOKED_AT = "containers that run are not looked at; this is what the config says of those that will";

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const postures = execPostures(config.value).map((posture) => posture.text);
  return weigh(
    config.value.agents.map((agent) => factOf(config.value, agent)),
    [line(config, postures.join("; ")), line(config, NOT_LOOKED_AT)],
  );
}

function factOf(config: OpenClawConfig, agent: AgentConfig): Fact {
  const posture = execPostures({ ...config, agents: [agent] })[0];
  const seen = posture?.text ?? agent.id;
  const fix = meta.mitigation;
  const weaknesses = agent.sandbox.mode.value === "off" ? [] : agent.sandbox.weaknesses;
  if (weaknesses.length > 0) {
    return {
      kind: "violation",
      seen,
      gap: `the sandbox of agent ${agent.id} is open: ${weaknesses.join(", ")}`,
      fix: "Take these settings out of sandbox.docker",
    };
  }
  switch (posture?.reach) {
    case "none":
    case "sandbox":
      return { kind: "good", seen };
    case "main-session":
      return {
        kind: "partial",
        seen,
        gap: `agent ${agent.id} runs commands outside the sandbox in its main session`,
        fix,
      };
    case "elevated":
      return {
        kind: "partial",
        seen,
        gap: `some senders may take commands of agent ${agent.id} out of the sandbox`,
        fix: "Set tools.elevated.enabled to false",
        risk: "medium",
      };
    case "host":
    case undefined:
      break;
  }
  const doors = enabledAccounts(config).flatMap(openDoors);
  return doors.length > 0
    ? {
        kind: "violation",
        seen,
        gap: `agent ${agent.id} runs commands on this host, and strangers can write to it (${doors.join(", ")})`,
        fix,
      }
    : { kind: "partial", seen, gap: `agent ${agent.id} runs commands on this host without a sandbox`, fix };
}
