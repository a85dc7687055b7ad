import { plural } from "../../core/text.ts";
import { DAY_MS, type EpochMs, epochFromIso } from "../../core/time.ts";
import type { StandingApproval, StandingApprovals } from "../../core/setup-evidence.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

const MAX_IDLE_DAYS = 90;

export const meta: CheckMeta = {
  check_id: "standing_grants_bounded",
  title: "What is allowed for good is narrow and still used",
  iso27001: ["A.5.18", "A.8.2"],
  nist_csf: ["PR.AA-05"],
  nist_800_53: ["AC-2", "AC-6(7)"],
  cis: ["6.2", "5.3"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state: `OpenClaw's approvals allow no interpreter and no wildcard for good, and each entry was used in the last ${MAX_IDLE_DAYS} days.`,
  mitigation: "Remove the entry with `openclaw approvals allowlist remove`; `openclaw approvals get` shows all of them",
  owner: "Security Engineering",
  uses: ["approvals"],
  status_rules: {
    compliant: "There are entries, all of them narrow and in use.",
    partial: `An entry was not used for ${MAX_IDLE_DAYS} days or never, or programs of skills are allowed by themselves.`,
    violation: "An entry allows a program that runs anything, or whatever matches a wildcard.",
    not_assessed: "OpenClaw's document of approvals cannot be read.",
    not_applicable: "Nothing is allowed for good.",
  },
  needs: [],
};

/** Programs that do whatever their arguments say. */
const RUNS_ANYTHING =
  /^(?:(?:ba|da|z|k|fi|a|c|tc)?sh|python[\d.]*|node|deno|bun|perl|ruby|php|lua|tclsh|pwsh|osascript|env|xargs|sudo|doas|su|nohup|timeout|ssh|docker|podman|kubectl|find|awk|gawk|busybox|npx|npm|make|git)$/;
const MAX_NAMED = 5;

/** Grants that automations got are in the gateway's own memory of them. */
const NOT_LOOKED_AT =
  "grants of automations (`openclaw approvals grants list`) and of paired nodes are not in this document";

export function check({ approvals }: AssessEvidence): CheckResult {
  if (approvals.kind === "unmeasured") return weigh([missing(approvals)], [line(approvals, "")]);
  const { value } = approvals;
  const seen = textOf(value);
  return weigh(facts(value, epochFromIso(approvals.at), seen), [line(approvals, seen), line(approvals, NOT_LOOKED_AT)]);
}

function facts(
  { entries, auto_allow_skills: skills }: StandingApprovals,
  readAt: EpochMs | null,
  seen: string,
): readonly Fact[] {
  if (entries.length === 0 && skills.length === 0) return [{ kind: "no-object", seen }];
  const found: Fact[] = [{ kind: "good", seen }];
  const broad = entries.filter(isBroad);
  if (broad.length > 0)
    found.push({ kind: "violation", seen, gap: `allowed for good: ${named(broad)}`, fix: meta.mitigation });
  const idle = entries.filter((entry) => {
    const last = entry.last_used_at === null ? null : epochFromIso(entry.last_used_at);
    return last === null || readAt === null || readAt - last > MAX_IDLE_DAYS * DAY_MS;
  });
  if (idle.length > 0) {
    found.push({
      kind: "partial",
      seen,
      gap: `not used for ${MAX_IDLE_DAYS} days, or never: ${named(idle)}`,
      fix: meta.mitigation,
      risk: "low",
    });
  }
  if (skills.length > 0) {
    found.push({
      kind: "partial",
      seen,
      gap: `programs that skills name are allowed by themselves for ${skills.join(", ")}`,
      fix: "Set autoAllowSkills to false in the approvals",
    });
  }
  return found;
}

/** A path ending in a wildcard, or a program that runs what it is told without its arguments being fixed. */
function isBroad({ kind, what, has_arguments: isExact }: StandingApproval): boolean {
  const name = what.split(/[/\\]/).at(-1) ?? "";
  if (kind === "mcp-tool") return what.includes("*");
  return name.includes("*") || name === "" || (!isExact && RUNS_ANYTHING.test(name.toLowerCase()));
}

function named(entries: readonly StandingApproval[]): string {
  const shown = entries.slice(0, MAX_NAMED).map(({ agent, what }) => `${what} (${agent})`);
  return shown.join(", ") + (entries.length > MAX_NAMED ? ` and ${entries.length - MAX_NAMED} more` : "");
}

function textOf({ present, entries, auto_allow_skills: skills }: StandingApprovals): string {
  if (!present) return "OpenClaw keeps no document of approvals, so nothing is allowed for good";
  return `${plural(entries.length, "entry", "entries")} allowed for good${entries.length === 0 ? "" : `: ${named(entries)}`}${skills.length === 0 ? "" : `; skills' programs for ${skills.join(", ")}`}`;
}
