import { plural } from "../../core/text.ts";
import { NATIVE_COMMANDS, type NativeEvidence } from "../../core/native-evidence.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { isMapped } from "../native-map.ts";
import { nativeLine, ranFact } from "../native-run.ts";
import { type Fact, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "native_audit_clean",
  title: "OpenClaw's own audits answer, and say nothing that no check here is about",
  iso27001: ["A.5.36", "A.8.9"],
  nist_csf: ["PR.PS-01", "ID.RA-01"],
  nist_800_53: ["CA-7", "CM-6"],
  cis: ["4.1"],
  mapping_confidence: "medium",
  default_risk: "high",
  expected_state:
    "`openclaw security audit`, `policy check` and `secrets audit` give an answer, and every warning in it belongs to a check of this program.",
  mitigation:
    "Look at the named findings with `openclaw security audit`, and tell this program's makers of those it does not know",
  owner: "Security Engineering",
  uses: ["native"],
  status_rules: {
    compliant: "All three answered, and no warning is left that no check is about.",
    partial: "A warning is left.",
    violation: "A critical finding is left.",
    not_assessed: "OpenClaw was not asked, or one of the three gave no answer.",
    not_applicable: "There is no OpenClaw here.",
  },
  needs: [],
};

const NEEDED = ["policy check", "security audit", "secrets audit"] as const;
const MAX_NAMED = 5;

export function check({ native }: AssessEvidence): CheckResult {
  // Where there is no OpenClaw, it has nothing to say.
  if (native.kind === "unmeasured" && native.code === "not-applicable") {
    return weigh([missing(native)], [nativeLine(native, "security audit")]);
  }
  return weigh(
    [
      ...NEEDED.map((command) => ranFact(native, command)),
      ...(native.kind === "measured" ? leftFacts(native.value) : []),
    ],
    native.kind === "measured"
      ? NATIVE_COMMANDS.map((command) => nativeLine(native, command))
      : [nativeLine(native, "security audit")],
  );
}

function leftFacts({ findings }: NativeEvidence): readonly Fact[] {
  const left = findings.filter((finding) => !finding.suppressed && !isMapped(finding.id));
  const of = (severity: "critical" | "warn"): readonly string[] => [
    ...new Set(left.filter((finding) => finding.severity === severity).map(({ id }) => id)),
  ];
  return (["critical", "warn"] as const).flatMap((severity): readonly Fact[] => {
    const ids = of(severity);
    if (ids.length === 0) return [];
    const seen = `${plural(ids.length, severity === "critical" ? "critical finding" : "warning")} that no check is about: ${ids.slice(0, MAX_NAMED).join(", ")}`;
    return [
      {
        kind: severity === "critical" ? "violation" : "partial",
        seen,
        gap: seen,
        fix: meta.mitigation,
        ...(severity === "warn" ? { risk: "medium" as const } : {}),
      },
    ];
  });
}
