import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, GrantSelfTest, PrivilegePaths } from "../evidence.ts";
import { BROKEN_GRANTS, type Fact, line, missing, weigh } from "../weigh.ts";

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
  uses: ["privilege", "grants"],
  status_rules: {
    violation:
      "sudo is told never to forget a password (timestamp_timeout below 0), or a grant that was tried out still runs after 30 idle minutes or after the clock was set back.",
    partial:
      "sudo remembers a password for longer than 30 minutes; or grants and sudo's timeout end as they should, and whether the gateway keeps its agents' commands to such grants is not tried out.",
    not_assessed: "sudo's timeout could not be read, or grants could not be tried out.",
  },
  needs: ["approval-probe"],
};

export function check({ privilege, grants }: AssessEvidence): CheckResult {
  return weigh(
    [
      privilege.kind === "measured" ? sudoFact(privilege.value) : missing(privilege),
      grants.kind === "measured" ? grantFact(grants.value) : missing(grants),
    ],
    [
      line(privilege, privilege.kind === "measured" ? timeoutText(privilege.value) : ""),
      line(grants, "a grant was left idle for 30 minutes, and one had its clock set back, on clocks set by hand"),
    ],
  );
}

function grantFact(tried: GrantSelfTest): Fact {
  const risk = meta.default_risk;
  if (!tried.runs_fresh) return BROKEN_GRANTS;
  if (!tried.refuses_idle || !tried.drops_on_clock_back) {
    const when = tried.refuses_idle ? "the clock was set back" : "30 idle minutes";
    const seen = `a grant that was tried out still ran after ${when}`;
    return { kind: "violation", seen, gap: seen, fix: "Install a genuine release of this package again", risk };
  }
  return {
    kind: "partial",
    seen: "grants end after 30 idle minutes and when the clock is set back",
    gap: "the trial is of the store of grants alone: that the gateway keeps its agents' commands to such grants was not tried out",
    fix: "Let agents ask for privileged commands through the plugin or `cse run` only, and keep sudo's own timeout at 0",
    // Nothing an owner did or can undo; the other gaps keep their risk.
    risk: "low",
  };
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
      risk: meta.default_risk,
    };
  }
  if (minutes > MAX_IDLE_MINUTES) {
    return {
      kind: "partial",
      seen,
      gap: `a sudo password counts for ${minutes} minutes, more than ${MAX_IDLE_MINUTES}`,
      fix: meta.mitigation,
      risk: meta.default_risk,
    };
  }
  return { kind: "good", seen };
}
