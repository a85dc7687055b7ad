import { DAY_MS, type EpochMs, epochFromIso } from "../../core/time.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, UpdateState } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "update_hygiene",
  title: "OpenClaw and the Node it runs on are current",
  iso27001: ["A.8.8", "A.8.19"],
  nist_csf: ["PR.PS-02", "ID.RA-01"],
  nist_800_53: ["SI-2", "RA-5", "CM-8"],
  cis: ["2.2", "7.4"],
  mapping_confidence: "high",
  default_risk: "low",
  expected_state:
    "The installed version is the newest of its channel, by an answer of the registry not older than a week, on a Node release that still gets fixes.",
  mitigation: "Take a backup, then run `openclaw update`",
  owner: "Platform Security",
  uses: ["update"],
  status_rules: {
    compliant: "No newer version was known to the registry within the last week, and Node is still supported.",
    partial: "A newer version exists.",
    violation: "The installed version is more than 90 days behind, or Node is past its end of life.",
    not_assessed:
      "The installed or the newest version is not known, or the registry's answer is old. OpenClaw's own record tells of a newer version only, so that it cannot show that there is none.",
    not_applicable: "OpenClaw is not installed here.",
  },
  needs: [],
};

const MAX_ANSWER_AGE_DAYS = 7;
/** End of life of Node's release lines. Source: nodejs/Release schedule.json. Lines before 18 ended earlier. */
const NODE_END_OF_LIFE: Readonly<Record<number, string>> = {
  18: "2025-04-30",
  19: "2023-06-01",
  20: "2026-04-30",
  21: "2024-06-01",
  22: "2027-04-30",
  23: "2025-06-01",
  24: "2028-04-30",
  25: "2026-06-01",
};
const OLDEST_LISTED_NODE = 18;

export function check({ update }: AssessEvidence): CheckResult {
  if (update.kind === "unmeasured") return weigh([missing(update)], [line(update, "")]);
  const { value } = update;
  const readAt = epochFromIso(update.at);
  const seen = `installed ${value.installed_version ?? "not known"}, newest ${value.latest_version ?? "not known"} (asked ${value.checked_at ?? "never"}), Node ${value.node_version ?? "not known"}`;
  return weigh([...versionFacts(value, readAt, seen), nodeFact(value, readAt, seen)], [line(update, seen)]);
}

function unknown(reason: string): Fact {
  return {
    kind: "unknown",
    reason,
    remedy: "Run `openclaw update status` with the registry reachable, then run the assessment again",
  };
}

function versionFacts(update: UpdateState, readAt: EpochMs | null, seen: string): readonly Fact[] {
  const installed = parseVersion(update.installed_version);
  const latest = parseVersion(update.latest_version);
  if (installed === null) return [unknown("the installed version of OpenClaw is not known")];
  if (latest === null) {
    const asked =
      update.checked_at === null
        ? "OpenClaw has not asked the registry yet"
        : `the registry was last asked ${update.checked_at}`;
    return [
      unknown(
        `whether a newer version exists is not known: ${asked}, and OpenClaw records "none" as it does "no answer"`,
      ),
    ];
  }
  const facts: Fact[] = [];
  if (compareVersions(installed, latest) < 0) {
    const isFarBehind = surelyDaysBehind(installed, latest) > 90;
    const gap = `OpenClaw ${update.installed_version} is installed, ${update.latest_version} is the newest`;
    facts.push({
      kind: isFarBehind ? "violation" : "partial",
      seen,
      gap: isFarBehind ? `${gap}, more than 90 days later` : gap,
      fix: meta.mitigation,
    });
  } else {
    facts.push({ kind: "good", seen });
  }
  // An old answer still proves that an update exists, but not that none does.
  const askedAt = update.checked_at === null ? null : epochFromIso(update.checked_at);
  if (askedAt === null || readAt === null || readAt - askedAt > MAX_ANSWER_AGE_DAYS * DAY_MS) {
    facts.push(unknown(`the registry was last asked ${update.checked_at ?? "at an unknown time"}`));
  }
  return facts;
}

function nodeFact(update: UpdateState, readAt: EpochMs | null, seen: string): Fact {
  const major = /^v?(\d+)\./.exec(update.node_version ?? "")?.[1];
  if (major === undefined)
    return unknown("the version of Node that OpenClaw runs on is not known without its running gateway");
  const ends = NODE_END_OF_LIFE[Number(major)];
  const endsAt = ends === undefined ? null : epochFromIso(ends);
  const isOver =
    Number(major) < OLDEST_LISTED_NODE || (endsAt !== null && readAt !== null && readAt >= endsAt + DAY_MS);
  if (!isOver) return { kind: "good", seen };
  return {
    kind: "violation",
    seen,
    gap: `Node ${major} gets no more security fixes${ends === undefined ? "" : ` since ${ends}`}`,
    fix: "Move OpenClaw to a supported Node release",
  };
}

interface Version {
  readonly year: number;
  readonly month: number;
  readonly patch: number;
  readonly isPrerelease: boolean;
}

/** OpenClaw's versions are year.month.patch, with an optional prerelease. */
function parseVersion(text: string | null): Version | null {
  const match = /^v?(\d{4})\.(\d{1,2})\.(\d{1,4})(-[0-9A-Za-z.-]+)?$/.exec(text ?? "");
  if (match === null) return null;
  const [year, month, patch] = match.slice(1, 4).map(Number);
  if (year === undefined || month === undefined || patch === undefined || month < 1 || month > 12) return null;
  return { year, month, patch, isPrerelease: match[4] !== undefined };
}

function compareVersions(a: Version, b: Version): number {
  const byNumber = a.year - b.year || a.month - b.month || a.patch - b.patch;
  return byNumber || Number(b.isPrerelease) - Number(a.isPrerelease);
}

/** Days that surely lie between two versions: from the end of one's month to the start of the other's. */
function surelyDaysBehind(installed: Version, latest: Version): number {
  const monthStart = (months: number): EpochMs => {
    const month = String((months % 12) + 1).padStart(2, "0");
    return epochFromIso(`${Math.floor(months / 12)}-${month}-01`) ?? 0;
  };
  const after = installed.year * 12 + installed.month;
  return (monthStart(latest.year * 12 + latest.month - 1) - monthStart(after)) / DAY_MS;
}
