import { DAY_MS, type EpochMs, epochFromIso } from "../../core/time.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, BackupState } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

const MAX_AGE_DAYS = 7;

export const meta: CheckMeta = {
  check_id: "backup_configured",
  title: "A recent backup of OpenClaw exists and has been verified",
  iso27001: ["A.8.13"],
  nist_csf: ["PR.DS-11"],
  nist_800_53: ["CP-9", "CP-9(1)"],
  cis: ["11.2", "11.3"],
  mapping_confidence: "high",
  default_risk: "low",
  expected_state: `A backup not older than ${MAX_AGE_DAYS} days that succeeded, has been verified, is still there, and lies outside the state folder.`,
  mitigation:
    "Run `openclaw backup enable --repository <folder> --every 24h`, or schedule `openclaw backup create --verify`",
  owner: "Platform Security",
  uses: ["backup"],
  status_rules: {
    compliant: `The newest backup is at most ${MAX_AGE_DAYS} days old, verified, present and outside the state folder.`,
    partial:
      "A backup exists, but is older, is not known to be verified, holds a single database, was not pushed where it should be, or lies inside the state folder.",
    violation: "OpenClaw has no backup on record, its archive is gone or empty, or verifying it failed.",
    not_assessed: "OpenClaw's record of backups could not be read.",
    not_applicable: "OpenClaw keeps no state here that could be backed up.",
  },
  needs: [],
};

export function check({ backup }: AssessEvidence): CheckResult {
  if (backup.kind === "unmeasured") return weigh([missing(backup)], [line(backup, "")]);
  const seen = describe(backup.value);
  return weigh(facts(backup.value, epochFromIso(backup.at), seen), [line(backup, seen)]);
}

/** Age is counted to the moment the record was read, not to when the report is written. */
function facts(backup: BackupState, readAt: EpochMs | null, seen: string): readonly Fact[] {
  const broken = (gap: string): Fact => ({ kind: "violation", seen, gap, fix: meta.mitigation });
  const weak = (gap: string, fix: string): Fact => ({ kind: "partial", seen, gap, fix });
  const unknown = (reason: string): Fact => ({
    kind: "unknown",
    reason,
    remedy: "Look at `openclaw status --json` under backups, then run the assessment again",
  });
  if (backup.latest_at === null) return [broken("no successful backup is on record")];

  const found: Fact[] = [{ kind: "good", seen }];
  if (backup.archive_exists === false) found.push(broken("the archive of the newest backup is gone"));
  if (backup.archive_exists === null)
    found.push(unknown("whether the newest backup's archive still exists is not known"));
  if (backup.archive_bytes === 0) found.push(broken("the archive of the newest backup is empty"));
  if (backup.kind === "sqlite-snapshot") {
    found.push(weak("the newest backup is a snapshot of a single database", meta.mitigation));
  }
  if (backup.push_failed) {
    found.push(
      weak(
        "the newest backup could not be pushed to its other place",
        "Run `openclaw backup git create` by hand and see why",
      ),
    );
  }
  if (backup.verified === false) found.push(broken("verifying the newest backup failed"));
  if (backup.verified === null) {
    found.push(
      weak(
        "nothing shows that the newest backup was verified: OpenClaw keeps no record of that",
        "Run `openclaw backup verify <archive>` and keep its answer",
      ),
    );
  }
  if (backup.outside_state_dir === false) {
    found.push(weak("the newest backup lies inside the folder it protects", "Keep backups outside the state folder"));
  }
  if (backup.outside_state_dir === null) found.push(unknown("where the newest backup lies is not known"));

  const takenAt = epochFromIso(backup.latest_at);
  if (takenAt === null || readAt === null || takenAt > readAt + DAY_MS) {
    found.push(unknown(`the time of the newest backup makes no sense: ${backup.latest_at}`));
  } else if (readAt - takenAt > MAX_AGE_DAYS * DAY_MS) {
    const days = Math.floor((readAt - takenAt) / DAY_MS);
    found.push(weak(`the newest backup is ${days} days old`, meta.mitigation));
  }
  return found;
}

function describe(backup: BackupState): string {
  if (backup.latest_at === null) return "no backup on record";
  const said = (value: boolean | null, yes: string, no: string): string =>
    value === null ? `${yes}: not known` : value ? yes : no;
  return [
    `newest backup (${backup.kind ?? "of no known kind"}) ${backup.latest_at} at ${backup.archive_path ?? "an unknown path"}`,
    said(backup.archive_exists, "archive present", "archive gone"),
    said(backup.verified, "verified", "verification failed"),
    said(backup.outside_state_dir, "outside the state folder", "inside the state folder"),
  ].join(", ");
}
