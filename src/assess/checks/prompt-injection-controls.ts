import type { AgentConfig, OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { accountName, canTouchHost, enabledAccounts, openDoors, unknownRules } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "prompt_injection_controls",
  title: "Text from outside cannot set off privileged tools",
  iso27001: ["A.8.26", "A.8.3", "A.8.12"],
  nist_csf: ["PR.AA-05", "DE.CM-09"],
  nist_800_53: ["SI-10", "AC-4", "SC-39"],
  cis: ["16.10"],
  mapping_confidence: "low",
  default_risk: "high",
  expected_state:
    "An agent that reads text from outside is sandboxed or has no tools that run commands, write files or steer the gateway; outside text stays marked; and what follows from it waits for a human.",
  mitigation:
    "Set agents.defaults.sandbox.mode to all (or non-main), tools.profile to messaging, and deny group:runtime for agents that read text from outside",
  owner: "Security Engineering",
  uses: ["config", "promptPolicy"],
  status_rules: {
    partial:
      "An agent can change this host, though strangers cannot address it; or the prompt policy switches confirmation off.",
    violation: "Strangers can address an agent, or unmarked outside text reaches it, and it can change this host.",
    not_assessed:
      "The config or the prompt policy cannot be read; or they show no gap, and whether the plugin's hook holds such a call is not tried out.",
  },
  needs: ["hook-probe"],
};

export function check({ config, promptPolicy }: AssessEvidence): CheckResult {
  const facts: Fact[] = [{ kind: "unbuilt", part: "hook-probe" }];
  let configSaid = "";
  if (config.kind === "measured") {
    const doors = strangersEnterBy(config.value);
    facts.push(...config.value.agents.map((agent) => agentFact(config.value, agent, doors)));
    facts.push(
      ...enabledAccounts(config.value)
        .filter((account) => !account.rules_known)
        .map(unknownRules),
    );
    configSaid = `ways in for strangers: ${doors.join(", ") || "none"}; ${config.value.agents.map(agentText).join("; ")}`;
  } else {
    facts.push(missing(config));
  }
  let policySaid = "";
  if (promptPolicy.kind === "measured") {
    const required = promptPolicy.value.policy?.requireConfirmationForUntrusted;
    policySaid = required === undefined ? "no prompt policy" : `require_confirmation_for_untrusted ${required}`;
    // True proves nothing, since only an enforcing hook gives it effect; false is the owner's own no.
    if (required === false) {
      facts.push({
        kind: "partial",
        seen: policySaid,
        gap: "the prompt policy switches confirmation for untrusted text off",
        fix: `Set require_confirmation_for_untrusted to true in ${promptPolicy.value.path}`,
      });
    }
  } else {
    facts.push(missing(promptPolicy));
  }
  return weigh(facts, [line(config, configSaid), line(promptPolicy, policySaid)]);
}

function strangersEnterBy(config: OpenClawConfig): readonly string[] {
  const doors = enabledAccounts(config)
    .filter((account) => openDoors(account).length > 0)
    .map((account) => `${accountName(account)} (${openDoors(account).join(", ")})`);
  const unmarked = config.hooks.enabled.value && config.hooks.allows_unsafe_external_content;
  return unmarked ? [...doors, "hooks (outside text unmarked)"] : doors;
}

function agentFact(config: OpenClawConfig, agent: AgentConfig, doors: readonly string[]): Fact {
  const seen = agentText(agent);
  if (!canTouchHost(config, agent, "direct") && !canTouchHost(config, agent, "group")) return { kind: "good", seen };
  if (doors.length > 0) {
    return {
      kind: "violation",
      seen,
      gap: `text from strangers reaches agent ${agent.id} through ${doors.join(", ")}, and it can change this host`,
      fix: meta.mitigation,
    };
  }
  return {
    kind: "partial",
    seen,
    gap: `agent ${agent.id} can change this host, so what it reads may steer it`,
    fix: meta.mitigation,
  };
}

function agentText(agent: AgentConfig): string {
  const { mode, writable_binds: binds } = agent.sandbox;
  const mounted = binds.length === 0 ? "" : ` with ${binds.join(", ")} mounted for writing`;
  return `agent ${agent.id}: sandbox ${mode.value}${mounted}, tools.profile ${agent.tools.profile ?? "unset"}`;
}
