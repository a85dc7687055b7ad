import type { Evidence, Unmeasured } from "../core/evidence.ts";
import { type Risk, compareRisk } from "../core/risk.ts";
import { clip } from "../core/text.ts";
import type { CheckResult, EvidenceLine } from "./assessment.ts";
import { UNBUILT_PARTS, type UnbuiltPart } from "./unbuilt-part.ts";

/** One thing a check found out, or found that it cannot know. `weigh` turns them into a status. */
export type Fact =
  | { readonly kind: "good"; readonly seen: string }
  | {
      readonly kind: "violation" | "partial";
      readonly seen: string;
      readonly gap: string;
      readonly fix: string;
      readonly risk?: Risk;
    }
  /** Something that could hide a violation was not seen. `remedy` would make it measurable. */
  | { readonly kind: "unknown"; readonly reason: string; readonly remedy: string }
  | { readonly kind: "unbuilt"; readonly part: UnbuiltPart }
  /** There is nothing here that this control could be about. */
  | { readonly kind: "no-object"; readonly seen: string };

/** When the store of grants refuses even a fresh one, so that its refusals show nothing. */
export const BROKEN_GRANTS: Fact = {
  kind: "unknown",
  reason: "a fresh grant was refused too, so trying grants out showed nothing",
  remedy: "Install a genuine release of this package again",
};

type Gap = Extract<Fact, { readonly kind: "violation" | "partial" }>;

const MAX_SEEN_CHARS = 600;

/**
 * The one place where facts become a status:
 * a proven violation stands whatever else is unknown; otherwise anything unknown that could hide a
 * violation makes the check not_assessed (the gaps already seen are named); then partial; then a
 * missing part of this project; only then not_applicable or compliant, which need every fact.
 * So losing evidence can lower an answer or make it not_assessed, and never improves it.
 */
export function weigh(facts: readonly Fact[], evidence: readonly EvidenceLine[]): CheckResult {
  const gaps = facts.filter(isGap);
  const violations = gaps.filter((fact) => fact.kind === "violation");
  const unknown = facts.filter((fact) => fact.kind === "unknown");
  const unbuilt = facts.filter((fact) => fact.kind === "unbuilt");
  const good = facts.filter((fact) => fact.kind === "good");
  const none = facts.filter((fact) => fact.kind === "no-object");
  const seen = list([...violations, ...gaps, ...good, ...none].map((fact) => fact.seen));
  const base = { observed_state: seen === "" ? "Nothing could be observed." : seen, evidence };

  if (violations.length > 0 || (gaps.length > 0 && unknown.length === 0)) {
    const open = [...violations, ...gaps];
    const risk = worstRisk(gaps.flatMap((fact) => (fact.risk === undefined ? [] : [fact.risk])));
    return {
      ...base,
      status: violations.length > 0 ? "violation" : "partial",
      ...(risk === null ? {} : { risk }),
      gap: sentences([...open.map((fact) => fact.gap), ...unknown.map((fact) => `Not measured: ${fact.reason}`)]),
      mitigation: sentences(open.map((fact) => fact.fix)),
    };
  }
  if (unknown.length > 0 || unbuilt.length > 0) {
    return {
      ...base,
      status: "not_assessed",
      gap: sentences([
        ...unknown.map((fact) => fact.reason),
        ...gaps.map((fact) => `Already seen: ${fact.gap}`),
        ...unbuilt.map((fact) => UNBUILT_PARTS[fact.part]),
      ]),
      mitigation: sentences([
        ...unknown.map((fact) => fact.remedy),
        ...gaps.map((fact) => fact.fix),
        ...(unbuilt.length > 0 ? ["This becomes measurable with a later release of this package"] : []),
      ]),
    };
  }
  if (good.length > 0) return { ...base, status: "compliant", gap: "", mitigation: "" };
  if (none.length > 0) return { ...base, status: "not_applicable", gap: "", mitigation: "" };
  return weigh([{ kind: "unknown", reason: "no evidence was gathered", remedy: "Report this as a bug" }], evidence);
}

function isGap(fact: Fact): fact is Gap {
  return fact.kind === "violation" || fact.kind === "partial";
}

/** Where a piece of evidence came from and what it said; the reason when it could not be taken. */
export function line(evidence: Evidence<unknown>, said: string): EvidenceLine {
  const detail = evidence.kind === "measured" ? said : `not measured (${evidence.code}): ${evidence.reason}`;
  return { source: clip(evidence.source, 300), at: evidence.at, detail: clip(detail, MAX_SEEN_CHARS) };
}

/** The fact that a piece of evidence is missing. */
export function missing(evidence: Unmeasured): Fact {
  const reason = clip(evidence.reason, MAX_SEEN_CHARS);
  if (evidence.code === "not-applicable") return { kind: "no-object", seen: reason };
  return { kind: "unknown", reason, remedy: remedyFor(evidence) };
}

function remedyFor(evidence: Unmeasured): string {
  const source = clip(evidence.source, 200);
  switch (evidence.code) {
    case "file-missing":
      return `Create ${source}, or point OPENCLAW_STATE_DIR and OPENCLAW_CONFIG_PATH at where OpenClaw keeps its files`;
    case "file-unreadable":
    case "permission-denied":
      return `Run the assessment as the account that may read ${source}`;
    case "tool-missing":
      return `Install the missing tool (${source}) and run the assessment again`;
    case "timeout":
      return `Run the assessment again when the machine is less busy; ${source} did not answer in time`;
    case "config-not-in-use":
      return "Run the assessment again for the config that the running gateway uses";
    case "not-asked":
      return "Run `cse assess` without --no-native, which asks OpenClaw";
    case "not-built":
      return "This becomes measurable with a later release of this package";
    case "platform-unsupported":
      return "Run the assessment on a supported platform (see README)";
    default:
      return `Correct ${source} as the reason says, then run the assessment again`;
  }
}

function worstRisk(risks: readonly Risk[]): Risk | null {
  return risks.toSorted(compareRisk)[0] ?? null;
}

const MAX_PARTS = 8;

/** Joins distinct parts into sentences, the first ones first, within a length a person still reads. */
function sentences(parts: readonly string[]): string {
  const shown = distinct(parts);
  return shown.length === 0 ? "" : clip(`${shown.map(capitalised).join(". ")}.`, 2 * MAX_SEEN_CHARS);
}

/** Joins what was seen; values keep their spelling. */
function list(parts: readonly string[]): string {
  return clip(distinct(parts).join("; "), 2 * MAX_SEEN_CHARS);
}

function distinct(parts: readonly string[]): readonly string[] {
  const all = [...new Set(parts.map((part) => part.trim().replace(/\.$/, "")))].filter((part) => part !== "");
  const rest = all.length - MAX_PARTS;
  return rest > 0 ? [...all.slice(0, MAX_PARTS), `and ${rest} more`] : all;
}

function capitalised(text: string): string {
  // A path, an option, a key or a name at the start keeps its spelling.
  return /^(?!(?:tcp|udp|sudo)\b)[a-z]+[\s,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
