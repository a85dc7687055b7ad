import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "synced_or_shared_state_absent",
  title: "OpenClaw's state is copied to no cloud and shared with no other machine",
  iso27001: ["A.8.12", "A.5.14"],
  nist_csf: ["PR.DS-01"],
  nist_800_53: ["AC-4", "MP-7"],
  cis: ["3.3"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state:
    "State and config lie on a file system of this machine, in no folder that a program copies elsewhere.",
  mitigation: "Move the state folder (OPENCLAW_STATE_DIR) to a local folder that nothing synchronises",
  owner: "Platform Security",
  uses: ["volume"],
  status_rules: {
    compliant: "The folder is local, and nothing looks like it is copied.",
    partial: "It lies on a file system of another machine.",
    violation: "It lies in a folder that a program copies elsewhere.",
    not_assessed: "The file system below the state folder cannot be told.",
    not_applicable: "There is no state folder.",
  },
  needs: [],
};

const HOW =
  "known by the names of folders that such programs use (Dropbox, iCloud, OneDrive, Google Drive, Nextcloud, Syncthing, ...)";

export function check({ volume }: AssessEvidence): CheckResult {
  if (volume.kind === "unmeasured") return weigh([missing(volume)], [line(volume, "")]);
  const { path, type, source, is_network: isNetwork, synced_by: synced } = volume.value;
  const seen = `${path} is on ${source} (${type}), ${synced.length === 0 ? "in no folder of a known synchroniser" : `in a folder of ${synced.join(", ")}`}`;
  const facts: Fact[] = [{ kind: "good", seen }];
  if (synced.length > 0)
    facts.push({
      kind: "violation",
      seen,
      gap: `the state folder is copied elsewhere by ${synced.join(", ")}`,
      fix: meta.mitigation,
    });
  if (isNetwork)
    facts.push({
      kind: "partial",
      seen,
      gap: `the state folder lies on another machine (${type})`,
      fix: meta.mitigation,
    });
  return weigh(facts, [line(volume, seen), line(volume, HOW)]);
}
