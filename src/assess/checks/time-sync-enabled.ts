import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";
import type { ClockState } from "../../core/setup-evidence.ts";

const GOOD_SECONDS = 1;
const BAD_SECONDS = 30;

export const meta: CheckMeta = {
  check_id: "time_sync_enabled",
  title: "The clock is kept right",
  iso27001: ["A.8.17"],
  nist_csf: ["PR.PS-04"],
  nist_800_53: ["AU-8", "SC-45"],
  cis: ["8.4"],
  mapping_confidence: "high",
  default_risk: "low",
  expected_state: `A service keeps the clock synchronised, less than ${GOOD_SECONDS} second away.`,
  mitigation: "Enable one: `timedatectl set-ntp true`, or install chrony",
  owner: "IT Operations",
  uses: ["clock"],
  status_rules: {
    compliant: "The clock is synchronised.",
    partial: `It is ${GOOD_SECONDS} to ${BAD_SECONDS} seconds away, or not synchronised right now.`,
    violation: `It is more than ${BAD_SECONDS} seconds away.`,
    not_assessed: "Nothing on this machine says whether it is; in a container the host's clock counts.",
  },
  needs: [],
};

export function check({ clock }: AssessEvidence): CheckResult {
  if (clock.kind === "unmeasured") return weigh([missing(clock)], [line(clock, "")]);
  const { value } = clock;
  const offset = value.offset_seconds === null ? "" : `, ${value.offset_seconds} s away`;
  const seen = `${value.by}: ${value.synchronized === true ? "synchronised" : value.synchronized === false ? "not synchronised" : "no word on that"}${offset}`;
  return weigh([factOf(value, seen)], [line(clock, seen)]);
}

function factOf({ synchronized, offset_seconds: offset }: ClockState, seen: string): Fact {
  const fix = meta.mitigation;
  if (offset !== null && offset > BAD_SECONDS)
    return { kind: "violation", seen, gap: `the clock is ${offset} seconds away from the true time`, fix };
  if (synchronized === null)
    return { kind: "unknown", reason: "nothing says whether the clock is synchronised", remedy: meta.mitigation };
  if (!synchronized) return { kind: "partial", seen, gap: "the clock is not synchronised", fix };
  if (offset !== null && offset >= GOOD_SECONDS)
    return { kind: "partial", seen, gap: `the clock is ${offset} seconds away from the true time`, fix };
  return { kind: "good", seen };
}
