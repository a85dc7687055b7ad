import { plural } from "../../core/text.ts";
import type { Suppression } from "../../schema/openclaw-surface.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "audit_suppressions_reviewed",
  title: "What OpenClaw's audit is told to leave out has a reason",
  iso27001: ["A.5.36", "A.8.32"],
  nist_csf: ["ID.RA-07", "GV.RR-02"],
  nist_800_53: ["CA-5", "PM-4"],
  cis: [],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state:
    "OpenClaw's audit leaves nothing out; what is accepted is accepted in a waiver with an owner and an end, which a suppression has not.",
  mitigation:
    "Remove the suppression, or narrow it and give it a reason; accept the finding in a waiver with an owner and an end",
  owner: "Compliance",
  uses: ["config"],
  status_rules: {
    partial: "Something is left out, for ever and without an owner.",
    violation: "A whole check is left out without a reason.",
    not_assessed: "The config cannot be read.",
    not_applicable: "Nothing is left out.",
  },
  needs: [],
};

const SCOPE = "OpenClaw's own suppressions; waivers of this program are shown with the check they are about";

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const { suppressions } = config.value.surface;
  const seen = suppressions.length === 0 ? "no suppression is set" : plural(suppressions.length, "suppression");
  return weigh(suppressions.length === 0 ? [{ kind: "no-object", seen }] : suppressions.map(factOf), [
    line(config, `security.audit.suppressions: ${seen}`),
    line(config, SCOPE),
  ]);
}

function factOf({ check_id: id, has_reason: hasReason, is_narrowed: isNarrowed }: Suppression): Fact {
  const seen = `${id === "" ? "an entry without a check" : id} is left out${hasReason ? "" : " without a reason"}${isNarrowed ? ", in part" : ""}`;
  const isBlind = !hasReason && !isNarrowed;
  return {
    kind: isBlind ? "violation" : "partial",
    seen,
    gap: isBlind
      ? `all findings of ${id} are left out without a reason`
      : `${id} is left out without an owner or an end`,
    fix: meta.mitigation,
    ...(isBlind ? {} : { risk: "low" as const }),
  };
}
