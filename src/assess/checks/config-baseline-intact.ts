import type { ConfigBaseline } from "../../core/setup-evidence.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "config_baseline_intact",
  title: "The config is the one that its owner accepted",
  iso27001: ["A.8.9", "A.8.32", "A.5.36"],
  nist_csf: ["PR.PS-01", "ID.RA-07"],
  nist_800_53: ["CM-2", "CM-3", "CM-6", "SI-7"],
  cis: ["4.1"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state: "Every file of OpenClaw's config has the checksum that its owner accepted.",
  mitigation:
    "Look through what changed; then accept the config as it is: `sha256sum <config and its includes> > <state>/security/config-baseline.sha256`",
  owner: "Platform Security",
  uses: ["configBaseline"],
  status_rules: {
    compliant: "Every file is as accepted.",
    partial: "A file is included that the baseline does not name.",
    violation: "A file is not as accepted, or gone.",
    not_assessed: "No config was accepted yet, or the baseline or the config cannot be read.",
    not_applicable: "There is no config.",
  },
  needs: [],
};

/** OpenClaw writes its own config too, so a change is no proof of an attack. */
const NOTE =
  "OpenClaw rewrites its config itself, e.g. when a plugin is installed; whoever controls the account can change the baseline as well";

export function check({ configBaseline: found }: AssessEvidence): CheckResult {
  if (found.kind === "unmeasured") return weigh([missing(found)], [line(found, "")]);
  const seen = textOf(found.value);
  return weigh(facts(found.value, seen), [line(found, seen), line(found, NOTE)]);
}

function facts({ path, accepted, changed, unlisted, missing: gone }: ConfigBaseline, seen: string): readonly Fact[] {
  if (!accepted) {
    return [
      {
        kind: "unknown",
        reason: `nobody has accepted a config yet (there is no ${path})`,
        remedy: meta.mitigation.replace("<state>/security/config-baseline.sha256", path),
      },
    ];
  }
  const found: Fact[] = [{ kind: "good", seen }];
  if (changed.length > 0)
    found.push({
      kind: "violation",
      seen,
      gap: `changed since it was accepted: ${changed.join(", ")}`,
      fix: meta.mitigation,
    });
  if (gone.length > 0)
    found.push({ kind: "violation", seen, gap: `accepted and gone: ${gone.join(", ")}`, fix: meta.mitigation });
  if (unlisted.length > 0)
    found.push({ kind: "partial", seen, gap: `never accepted: ${unlisted.join(", ")}`, fix: meta.mitigation });
  return found;
}

function textOf({ path, accepted, changed, unlisted, missing: gone }: ConfigBaseline): string {
  if (!accepted) return `there is no baseline at ${path}`;
  return `against ${path}: ${changed.length} files changed, ${gone.length} gone, ${unlisted.length} not named`;
}
