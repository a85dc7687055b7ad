import { plural } from "../../core/text.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { nativeLine, ranFact } from "../native-run.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "plaintext_secrets_absent",
  title: "No secret stands in clear in OpenClaw's config",
  iso27001: ["A.5.17", "A.8.24"],
  nist_csf: ["PR.DS-01", "PR.AA-01"],
  nist_800_53: ["IA-5(7)", "SC-28", "SC-12"],
  cis: ["3.11"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "Every secret of the config is a reference, and `openclaw secrets audit` finds none in clear, unresolved or left over.",
  mitigation: "Run `openclaw secrets configure` and then `openclaw secrets apply`",
  owner: "SecOps",
  uses: ["config", "native"],
  status_rules: {
    compliant: "The config holds none, and OpenClaw's own audit, which looks at more files, finds nothing.",
    partial: "Only the gateway's own token or password stands there, or OpenClaw's audit finds something.",
    violation: "Another secret stands there.",
    not_assessed: "The config cannot be read, or OpenClaw's own audit of secrets did not run.",
  },
  needs: [],
};

const OWN = /^gateway\.auth\.(?:token|password)$/;
const MAX_NAMED = 5;

export function check({ config, native }: AssessEvidence): CheckResult {
  const found = config.kind === "measured" ? config.value.surface.plaintext_secrets : [];
  const seen =
    found.length === 0
      ? "no secret in clear in the config"
      : `${plural(found.length, "secret")} in clear in the config: ${found.slice(0, MAX_NAMED).join(", ")}${found.length > MAX_NAMED ? ", ..." : ""}`;
  return weigh(
    [config.kind === "measured" ? factOf(found, seen) : missing(config), ranFact(native, "secrets audit")],
    [line(config, seen), nativeLine(native, "secrets audit")],
  );
}

function factOf(found: readonly string[], seen: string): Fact {
  if (found.length === 0) return { kind: "good", seen };
  const isOwn = found.every((path) => OWN.test(path));
  return { kind: isOwn ? "partial" : "violation", seen, gap: seen, fix: meta.mitigation };
}
