import { plural } from "../../core/text.ts";
import type { AgentConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { elevatedSenders } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

/** More than a person keeps in mind. */
const FEW = 5;

export const meta: CheckMeta = {
  check_id: "elevated_mode_restricted",
  title: "Leaving the sandbox is off, or for a few named people",
  iso27001: ["A.8.2", "A.8.18"],
  nist_csf: ["PR.AA-05"],
  nist_800_53: ["AC-6(5)", "AC-6(10)"],
  cis: ["5.4"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state: `tools.elevated is off, or names at most ${FEW} senders and no wildcard.`,
  mitigation: "Set tools.elevated.enabled to false, or name the few who need it in tools.elevated.allowFrom",
  owner: "Platform Security",
  uses: ["config"],
  status_rules: {
    compliant: `It is off, nobody is named, or at most ${FEW} senders are.`,
    partial: `More than ${FEW} senders may take commands out of the sandbox.`,
    violation: "Everybody on some channel may.",
    not_assessed: "The config cannot be read.",
  },
  needs: [],
};

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const facts = config.value.agents.map(factOf);
  const said = facts.map((fact) => (fact.kind === "unknown" || fact.kind === "unbuilt" ? "" : fact.seen));
  return weigh(facts, [line(config, said.join("; "))]);
}

function factOf({ id, tools }: AgentConfig): Fact {
  const senders = elevatedSenders(tools);
  if (senders.length === 0) {
    const seen = `${id}: elevated ${tools.elevated.enabled.value ? "on, for nobody" : "off"}`;
    return { kind: "good", seen };
  }
  const seen = `${id}: elevated for ${plural(senders.length, "sender")}`;
  const open = senders.filter((sender) => sender.trim().endsWith("*"));
  if (open.length > 0) {
    return {
      kind: "violation",
      seen,
      gap: `everybody may take commands of agent ${id} out of the sandbox: ${open.join(", ")}`,
      fix: meta.mitigation,
    };
  }
  if (senders.length > FEW)
    return {
      kind: "partial",
      seen,
      gap: `${senders.length} senders may take commands of agent ${id} out of the sandbox`,
      fix: meta.mitigation,
      risk: "medium",
    };
  return { kind: "good", seen };
}
