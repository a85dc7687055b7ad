import { plural } from "../../core/text.ts";
import { DAY_MS, epochFromIso } from "../../core/time.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

const MAX_LIST_AGE_DAYS = 7;
const MAX_NAMED = 5;

export const meta: CheckMeta = {
  check_id: "host_patching_current",
  title: "Security fixes of the operating system are installed",
  iso27001: ["A.8.8", "A.8.19"],
  nist_csf: ["PR.PS-02", "ID.RA-01"],
  nist_800_53: ["SI-2", "RA-5"],
  cis: ["7.3", "7.7"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state: `No fix of a security source waits, by lists that are at most ${MAX_LIST_AGE_DAYS} days old, fixes are installed by themselves, and no restart is due.`,
  mitigation:
    "Run `apt-get update` and `apt-get upgrade`, install unattended-upgrades, and restart when /run/reboot-required says so",
  owner: "IT Operations",
  uses: ["patching"],
  status_rules: {
    compliant: "No fix waits, and nothing needs a restart.",
    partial:
      "Fixes wait and will be installed by themselves; or none waits, and nothing installs the next ones; or a restart is due.",
    violation: "Fixes wait, and nothing installs them.",
    not_assessed: `The lists are older than ${MAX_LIST_AGE_DAYS} days, or what is installed cannot be read.`,
  },
  needs: [],
};

export function check({ patching }: AssessEvidence): CheckResult {
  if (patching.kind === "unmeasured") return weigh([missing(patching)], [line(patching, "")]);
  const { value } = patching;
  const auto = value.automatic === null ? "not known" : value.automatic ? "on" : "off";
  const seen = `${plural(value.security.length, "security fix", "security fixes")} waiting by ${value.manager}'s lists of ${value.lists_at ?? "an unknown time"}, automatic fixes ${auto}, restart ${value.reboot_required ? "due" : "not due"}`;
  const found: Fact[] = [{ kind: "good", seen }];
  if (value.security.length > 0) {
    const shown = value.security.slice(0, MAX_NAMED).join(", ");
    const more = value.security.length > MAX_NAMED ? ` and ${value.security.length - MAX_NAMED} more` : "";
    found.push({
      kind: value.automatic === true ? "partial" : "violation",
      seen,
      gap: `security fixes wait: ${shown}${more}`,
      fix: meta.mitigation,
    });
  } else if (value.automatic !== true) {
    found.push({
      kind: "partial",
      seen,
      gap: "nothing is known to install security fixes by itself",
      fix: "Install unattended-upgrades",
      risk: "low",
    });
  }
  if (value.reboot_required)
    found.push({
      kind: "partial",
      seen,
      gap: "a restart is due for a fix to take effect",
      fix: "Restart the machine",
      risk: "low",
    });
  const readAt = epochFromIso(patching.at);
  const listsAt = value.lists_at === null ? null : epochFromIso(value.lists_at);
  // Old lists still prove that a fix waits, but not that none does.
  if (listsAt === null || readAt === null || readAt - listsAt > MAX_LIST_AGE_DAYS * DAY_MS) {
    found.push({
      kind: "unknown",
      reason: `the lists of packages are of ${value.lists_at ?? "an unknown time"}`,
      remedy: "Run `apt-get update`, then the assessment again",
    });
  }
  return weigh(found, [line(patching, seen)]);
}
