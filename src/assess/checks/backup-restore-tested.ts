import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "backup_restore_tested",
  title: "A restore was rehearsed and worked",
  iso27001: ["A.8.13"],
  nist_csf: ["RC.RP-03", "PR.DS-11"],
  nist_800_53: ["CP-9(1)", "CP-10"],
  cis: ["11.5"],
  mapping_confidence: "high",
  default_risk: "low",
  expected_state:
    "In the last 90 days a backup was restored into an empty folder, and OpenClaw's doctor found nothing wrong there.",
  mitigation:
    "Run `openclaw backup restore <archive> --target <empty folder>`, then `OPENCLAW_STATE_DIR=<that folder> openclaw doctor --lint`",
  owner: "Platform Security",
  uses: ["backup"],
  status_rules: {
    violation: "There is no backup that could be restored.",
    not_assessed: "No rehearsal is run or recorded yet.",
    not_applicable: "OpenClaw keeps no state here that could be restored.",
  },
  needs: ["restore-rehearsal"],
};

export function check({ backup }: AssessEvidence): CheckResult {
  if (backup.kind === "unmeasured") {
    const facts: readonly Fact[] =
      backup.code === "not-applicable"
        ? [missing(backup)]
        : [missing(backup), { kind: "unbuilt", part: "restore-rehearsal" }];
    return weigh(facts, [line(backup, "")]);
  }
  const { latest_at: latest, archive_path: path, archive_exists: exists } = backup.value;
  const seen =
    latest === null ? "no backup is on record" : `newest backup of ${latest} at ${path ?? "an unknown place"}`;
  const none: Fact = {
    kind: "violation",
    seen,
    gap: latest === null ? "there is no backup that could be restored" : "the newest backup is gone",
    fix: "Make a backup first: `openclaw backup create --verify`",
  };
  return weigh(
    [
      latest === null || exists === false ? none : { kind: "good", seen },
      { kind: "unbuilt", part: "restore-rehearsal" },
    ],
    [line(backup, seen)],
  );
}
