import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, PrivilegePaths } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

const MAX_IDLE_MINUTES = 30;

export const meta: CheckMeta = {
  check_id: "elevation_timeout_30m",
  title: "Elevated rights end after 30 idle minutes",
  iso27001: ["A.8.2", "A.8.18"],
  nist_csf: ["PR.AA-05", "PR.AA-03"],
  nist_800_53: ["AC-12", "AC-2(5)", "IA-11"],
  cis: ["4.3", "5.4"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state:
    "No grant, no standing approval and no remembered sudo password lasts longer than 30 idle minutes or its own earlier end.",
  mitigation: "Add `Defaults timestamp_timeout=0` to sudoers (visudo), and drop elevation after each command",
  owner: "Security Engineering",
  uses: ["privilege"],
  status_rules: {
    violation: "sudo is told never to forget a password (timestamp_timeout below 0).",
    partial: "sudo remembers a password for longer than 30 minutes.",
    not_assessed:
      "sudo's timeout could not be read; or it is short enough, and the broker's grants, which a full answer needs, do not exist yet.",
  },
  needs: ["approval-broker"],
};

export function check({ privilege }: AssessEvidence): CheckResult {
  const facts = privilege.kind === "measured" ? [sudoFact(privilege.value)] : [missing(privilege)];
  const said = privilege.kind === "measured" ? timeoutText(privilege.value) : "";
  return weigh([...facts, { kind: "unbuilt", part: "approval-broker" }], [line(privilege, said)]);
}

function timeoutText({ has_sudo: hasSudo, sudo_timestamp_minutes: minutes }: PrivilegePaths): string {
  return hasSudo ? `sudo timestamp_timeout in minutes: ${minutes ?? "not known"}` : "sudo is not installed";
}

function sudoFact(privilege: PrivilegePaths): Fact {
  const minutes = privilege.sudo_timestamp_minutes;
  if (!privilege.has_sudo) return { kind: "good", seen: "there is no sudo here that could remember a password" };
  if (minutes === null) {
    return {
      kind: "unknown",
      reason: "how long sudo remembers a password could not be read",
      remedy: "Run the assessment as root, or set timestamp_timeout in sudoers where this account can list it",
    };
  }
  const seen = `sudo timestamp_timeout is ${minutes} minutes`;
  if (minutes < 0) {
    return {
      kind: "violation",
      seen,
      gap: "a sudo password, once given, counts until the machine restarts",
      fix: meta.mitigation,
    };
  }
  if (minutes > MAX_IDLE_MINUTES) {
    return {
      kind: "partial",
      seen,
      gap: `a sudo password counts for ${minutes} minutes, more than ${MAX_IDLE_MINUTES}`,
      fix: meta.mitigation,
    };
  }
  return { kind: "good", seen };
}
