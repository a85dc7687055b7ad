import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "agent_activity_ledger_enabled",
  title: "OpenClaw records what its agents do, and for whom",
  iso27001: ["A.8.15", "A.5.28"],
  nist_csf: ["PR.PS-04", "DE.CM-03"],
  nist_800_53: ["AU-2", "AU-3", "AU-12"],
  cis: ["8.2", "8.5"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state: "logging.audit.enabled is true (the default), and logging.audit.executionIdentity too (it is not).",
  mitigation: "Run `openclaw config set logging.audit.executionIdentity true`, and restart the gateway",
  owner: "SecOps",
  uses: ["config"],
  status_rules: {
    compliant: "By the config the ledger is kept, with who an action was for.",
    partial: "It is kept without that.",
    violation: "It is switched off.",
    not_assessed: "The config cannot be read.",
  },
  needs: [],
};

const KEPT_HOW = "OpenClaw keeps the ledger for 30 days in its own database, which the gateway's account can change";

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const { audit_enabled: audit } = config.value.logging;
  const { execution_identity: identity } = config.value.surface;
  const seen = `logging.audit.enabled ${audit.value}${audit.explicit ? "" : " (default)"}, executionIdentity ${identity.value}${identity.explicit ? "" : " (default)"}`;
  const facts: Fact[] = [{ kind: "good", seen }];
  if (!audit.value) {
    facts.push({
      kind: "violation",
      seen,
      gap: "nothing that agents do is recorded",
      fix: "Run `openclaw config set logging.audit.enabled true`, and restart the gateway",
    });
  } else if (!identity.value) {
    facts.push({
      kind: "partial",
      seen,
      gap: "the record does not say for whom an agent acted",
      fix: meta.mitigation,
      risk: "low",
    });
  }
  return weigh(facts, [line(config, seen), line(config, KEPT_HOW)]);
}
