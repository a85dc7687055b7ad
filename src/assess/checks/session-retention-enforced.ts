import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "session_retention_enforced",
  title: "Conversations are not kept for ever",
  iso27001: ["A.8.10", "A.5.33", "A.5.34"],
  nist_csf: ["ID.AM-08", "PR.DS-01"],
  nist_800_53: ["SI-12", "AU-11"],
  cis: ["3.4"],
  mapping_confidence: "medium",
  default_risk: "low",
  expected_state:
    "session.maintenance.mode is enforce (the default), so that old sessions and their files are put away.",
  mitigation: "Run `openclaw config set session.maintenance.mode enforce`",
  owner: "Data Protection",
  uses: ["config"],
  status_rules: {
    compliant: "By the config the limits of age, number and size are enforced.",
    partial: "They are reported and not enforced.",
    not_assessed: "The config cannot be read.",
  },
  needs: [],
};

const ARCHIVED = "OpenClaw archives old conversations in place with their text; it does not erase them";

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const { session_maintenance: mode } = config.value.surface;
  const seen = `session.maintenance.mode ${mode.value}${mode.explicit ? "" : " (default)"}`;
  return weigh(
    [
      mode.value === "enforce"
        ? { kind: "good", seen }
        : { kind: "partial", seen, gap: "limits on old conversations are only reported", fix: meta.mitigation },
    ],
    [line(config, seen), line(config, ARCHIVED)],
  );
}
