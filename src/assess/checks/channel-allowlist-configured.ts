import { plural } from "../../core/text.ts";
import type { ChannelAccount } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { accountName, enabledAccounts, openDoors, openRooms, unknownRules } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "channel_allowlist_configured",
  title: "Only senders that are known reach the agent",
  iso27001: ["A.5.15", "A.8.3", "A.5.16"],
  nist_csf: ["PR.AA-05", "PR.AA-03"],
  nist_800_53: ["AC-3", "IA-8"],
  cis: ["3.3", "6.8"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "In every enabled channel account direct messages are paired, allowlisted or off and groups are allowlisted or off, no list holds a wildcard, and senders are matched by ids that they cannot change.",
  mitigation:
    "Set dmPolicy to pairing or allowlist and groupPolicy to allowlist, and take * out of allowFrom and groupAllowFrom",
  owner: "Platform Security",
  uses: ["config"],
  status_rules: {
    compliant: "Every enabled account is gated for direct messages and for groups.",
    partial:
      "Every account is gated, but one matches senders by names they can change, or lets everyone in a named group speak.",
    violation: "In one account at least, direct messages or groups are open or a list holds a wildcard.",
    not_assessed:
      "The config could not be read, or an enabled channel has access rules of its own that are not known here.",
    not_applicable: "No channel account is enabled.",
  },
  needs: [],
};

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const accounts = enabledAccounts(config.value);
  const said = accounts.length === 0 ? "no channel account is enabled" : accounts.map(accountText).join("; ");
  const facts: readonly Fact[] =
    accounts.length === 0 ? [{ kind: "no-object", seen: said }] : accounts.map(accountFact);
  return weigh(facts, [line(config, said)]);
}

/** One open account is a violation, however well the others are closed. */
function accountFact(account: ChannelAccount): Fact {
  const name = accountName(account);
  const doors = openDoors(account);
  if (doors.length > 0) {
    return {
      kind: "violation",
      seen: accountText(account),
      gap: `anyone can address the agent through ${name} (${doors.join(", ")})`,
      fix: `For channels.${name}: ${meta.mitigation}`,
    };
  }
  if (!account.rules_known) return unknownRules(account);
  const rooms = openRooms(account);
  if (rooms.length > 0) {
    return {
      kind: "partial",
      seen: accountText(account),
      gap: `everyone in ${rooms.map((room) => `${name}, group ${room}`).join(" and ")} can address the agent`,
      fix: `Take groupPolicy open and * out of the groups of channels.${name}, and list who may speak there`,
    };
  }
  if (account.dangerous_name_matching) {
    return {
      kind: "partial",
      seen: accountText(account),
      gap: `channel ${name} matches senders by names that they can change`,
      fix: `Switch dangerouslyAllowNameMatching off for channels.${name} and list stable ids`,
    };
  }
  return { kind: "good", seen: accountText(account) };
}

function accountText(account: ChannelAccount): string {
  const origin = (setting: { readonly explicit: boolean }): string => (setting.explicit ? "" : " (default)");
  return `${accountName(account)}: dmPolicy ${account.dm_policy.value}${origin(account.dm_policy)}, groupPolicy ${account.group_policy.value}${origin(account.group_policy)}, ${plural(account.allow_from.length, "allowed sender")}`;
}
