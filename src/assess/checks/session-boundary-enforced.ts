import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, GrantSelfTest } from "../evidence.ts";
import { accountName, enabledAccounts, openDoors } from "../tool-reach.ts";
import { BROKEN_GRANTS, type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "session_boundary_enforced",
  title: "An approval stays in the session it was given in",
  iso27001: ["A.8.2", "A.5.15"],
  nist_csf: ["PR.AA-05"],
  nist_800_53: ["AC-6", "SC-23", "AC-3"],
  cis: ["6.8"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state:
    "An approval counts for one session, agent, folder and command and cannot be replayed elsewhere, and different people do not share one session.",
  mitigation: "Set session.dmScope to per-channel-peer",
  owner: "Security Engineering",
  uses: ["config", "grants"],
  status_rules: {
    violation: "A grant that was tried out runs in another session, or a second time.",
    partial:
      "More than one may write direct messages and all of them share the main session, or agents may read or steer sessions that are not theirs; or sessions are separate and grants stay in theirs, and whether the gateway keeps its agents' commands to such grants is not tried out.",
    not_assessed: "The config cannot be read, or grants could not be tried out.",
  },
  needs: ["approval-probe"],
};

export function check({ config, grants }: AssessEvidence): CheckResult {
  return weigh(
    [
      ...(config.kind === "measured" ? sessionFacts(config.value) : [missing(config)]),
      grants.kind === "measured" ? grantFact(grants.value) : missing(grants),
    ],
    [
      line(config, config.kind === "measured" ? sessionText(config.value) : ""),
      line(grants, "a grant was tried in another session, and one a second time"),
    ],
  );
}

function grantFact(tried: GrantSelfTest): Fact {
  const risk = meta.default_risk;
  if (!tried.runs_fresh) return BROKEN_GRANTS;
  if (!tried.refuses_other_session || !tried.refuses_used) {
    const how = tried.refuses_other_session ? "a second time" : "in another session";
    const seen = `a grant that was tried out ran ${how}`;
    return { kind: "violation", seen, gap: seen, fix: "Install a genuine release of this package again", risk };
  }
  return {
    kind: "partial",
    seen: "grants run once, in their own session",
    gap: "the trial is of the store of grants alone: that the gateway keeps its agents' commands to such grants was not tried out",
    fix: "Let agents ask for privileged commands through the plugin or `cse run` only",
    // Nothing an owner did or can undo; the other gaps keep their risk.
    risk: "low",
  };
}

function sessionFacts(config: OpenClawConfig): readonly Fact[] {
  const { session } = config;
  const seen = sessionText(config);
  const facts: Fact[] = [{ kind: "good", seen }];
  const shared = sharedBy(config);
  if (session.dm_scope.value === "main" && shared !== null) {
    facts.push({
      kind: "partial",
      seen,
      gap: `whoever may write direct messages shares the main session with all others who may (${shared})`,
      fix: meta.mitigation,
      risk: meta.default_risk,
    });
  }
  if (session.tools_visibility.value === "all" && config.agents.length > 1) {
    facts.push({
      kind: "partial",
      seen,
      gap: "an agent's session tools see the sessions of every agent",
      fix: "Set tools.sessions.visibility to tree or self",
      risk: meta.default_risk,
    });
  }
  if (session.agent_to_agent_enabled.value && config.agents.length > 1) {
    facts.push({
      kind: "partial",
      seen,
      gap: "agents may send messages into each other's sessions",
      fix: "Set tools.agentToAgent.enabled to false, or name the agents that need it",
      risk: meta.default_risk,
    });
  }
  return facts;
}

/** Why more than one person may write direct messages, or null when at most one can. */
function sharedBy(config: OpenClawConfig): string | null {
  const accounts = enabledAccounts(config).filter((account) => account.dm_policy.value !== "disabled");
  const open = accounts.find((account) => openDoors(account).length > 0);
  if (open !== undefined) return `${accountName(open)} is open`;
  const pairing = accounts.find((account) => account.dm_policy.value === "pairing");
  if (pairing !== undefined) return `whoever is paired on ${accountName(pairing)}`;
  const senders = new Set(accounts.flatMap((account) => account.allow_from.map((sender) => `${account.id}:${sender}`)));
  return senders.size > 1 ? `${senders.size} allowed senders` : null;
}

function sessionText({ session }: OpenClawConfig): string {
  const origin = session.dm_scope.explicit ? "" : " (default)";
  return `session.dmScope ${session.dm_scope.value}${origin}, session tools see ${session.tools_visibility.value}, agent to agent ${session.agent_to_agent_enabled.value ? "on" : "off"}`;
}
