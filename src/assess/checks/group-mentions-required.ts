import type { ChannelAccount, OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { accountName, canTouchHost, enabledAccounts, unknownRules } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "group_mentions_required",
  title: "In groups the agent answers only when it is mentioned",
  iso27001: ["A.8.3", "A.8.26"],
  nist_csf: ["PR.AA-05"],
  nist_800_53: ["AC-3", "CM-7"],
  cis: [],
  mapping_confidence: "low",
  default_risk: "medium",
  expected_state:
    "Every group or room that is admitted requires a mention, and a room that does not has no tool that could change this host.",
  mitigation: "Set requireMention to true for the group",
  owner: "Platform Security",
  uses: ["config"],
  status_rules: {
    compliant: "Every admitted group requires a mention.",
    partial: "A group does not, but nothing it can reach changes this host.",
    violation: "A group does not, and an agent behind it can run commands, write files or leave its sandbox.",
    not_assessed: "The config could not be read, or an enabled channel has rules of its own that are not known here.",
    not_applicable: "No enabled channel account admits groups.",
  },
  needs: [],
};

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const accounts = enabledAccounts(config.value).filter((account) => account.group_policy.value !== "disabled");
  if (accounts.length === 0) {
    const seen = "no enabled channel account admits groups";
    return weigh([{ kind: "no-object", seen }], [line(config, seen)]);
  }
  // What is assumed about a channel we do not know is no rule: only what its owner wrote counts.
  const rules = accounts.flatMap((account) =>
    mentionRules(account).filter((rule) => account.rules_known || rule.explicit),
  );
  const said = rules.map((rule) => `${rule.name}: requireMention ${rule.required}`).join("; ");
  const facts = rules.map((rule) => ruleFact(rule, config.value));
  const unknown = accounts.filter((account) => !account.rules_known).map(unknownRules);
  // messages.groupChat.mentionPatterns only say what counts as a mention; they require nothing.
  return weigh([...facts, ...unknown], [line(config, said)]);
}

interface MentionRule {
  readonly name: string;
  readonly required: boolean;
  readonly explicit: boolean;
  readonly toolsDenied: boolean;
}

/** One rule per admitted group, and what holds for groups without one where such groups are admitted. */
function mentionRules(account: ChannelAccount): readonly MentionRule[] {
  const rules: MentionRule[] = account.groups
    .filter((group) => group.enabled)
    .map((group) => ({
      name: `${accountName(account)}, group ${group.id}`,
      required: group.require_mention.value,
      explicit: group.require_mention.explicit,
      toolsDenied: group.tools_denied,
    }));
  const hasCatchAll = account.groups.some((group) => group.id === "*");
  const admitsOthers = rules.length === 0 || account.group_policy.value === "open";
  if (admitsOthers && !hasCatchAll) {
    rules.push({
      name: `${accountName(account)}, groups without a rule`,
      required: account.default_require_mention.value,
      explicit: account.default_require_mention.explicit,
      toolsDenied: false,
    });
  }
  return rules;
}

function ruleFact(rule: MentionRule, config: OpenClawConfig): Fact {
  const seen = `${rule.name}: requireMention ${rule.required}`;
  if (rule.required) return { kind: "good", seen };
  const gap = `the agent reads along in ${rule.name} without being mentioned`;
  const reaches = !rule.toolsDenied && config.agents.some((agent) => canTouchHost(config, agent, "group"));
  if (!reaches)
    return { kind: "partial", seen, gap: `${gap}, though it cannot change this host`, fix: meta.mitigation };
  return { kind: "violation", seen, gap: `${gap} and can change this host`, fix: `${meta.mitigation} (${rule.name})` };
}
