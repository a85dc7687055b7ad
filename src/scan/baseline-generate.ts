import { SecurityError } from "../core/error.ts";
import type { Listener } from "../core/network.ts";
import { baseName, isCanonicalPath } from "../core/path.ts";
import { clip } from "../core/text.ts";
import { type EpochMs, epochFromIso, isoDateFromEpoch } from "../core/time.ts";
import type { PortBaseline, PortRule, PortRuleRecord } from "../schema/approved-ports.ts";
import type { JudgedListener } from "./port-findings.ts";

/** Longest values that the baseline's format takes. */
const MAX_TEXT = 1000;
const MAX_PATH = 4096;

/**
 * A baseline of what is there now. Reviewed rules stay exactly as they are, expired ones included:
 * only a person removes them. Listeners no rule knows become unreviewed entries, which approve
 * nothing; unreviewed entries whose listener is gone disappear. No pid is stored, and the same
 * input gives the same text.
 */
export function generateBaseline(
  judged: readonly JudgedListener[],
  previous: PortBaseline | null,
  now: EpochMs,
): PortBaseline {
  const listed = new Set(judged.map(({ verdict }) => listedIn(verdict)));
  const kept = (previous?.rules ?? []).filter((rule) => rule.reviewed || listed.has(rule.index));
  const unknown = judged.filter(({ verdict }) => listedIn(verdict) === null).map(({ listener }) => listener);
  return numbered([...kept, ...entriesFor(unknown, now)].toSorted(compareRules));
}

/** Index of the rule in which a listener is already listed, whether or not that approves it; null for a new one. */
function listedIn(verdict: JudgedListener["verdict"]): number | null {
  if (verdict.kind !== "unapproved") return verdict.rule.index;
  const isListed = verdict.reason === "unreviewed" || verdict.reason === "expired";
  return isListed ? (verdict.nearest?.index ?? null) : null;
}

/** What a person decided about one rule. */
export type ReviewDecision =
  | {
      readonly kind: "approve";
      readonly owner: string;
      readonly justification: string;
      /** ISO date; absent means the approval has no end. */
      readonly expires?: string;
    }
  | { readonly kind: "drop" }
  | { readonly kind: "keep" };

/**
 * The baseline after one decision; indexes of later rules move when a rule is dropped.
 * @throws {SecurityError} invalid-argument for an unknown rule, an empty owner or justification, or no date
 */
export function reviewRule(baseline: PortBaseline, index: number, decision: ReviewDecision): PortBaseline {
  const rule = baseline.rules[index];
  if (rule === undefined) throw new SecurityError("invalid-argument", `The baseline has no rule ${index}`);
  if (decision.kind === "keep") return baseline;
  if (decision.kind === "drop") return numbered(baseline.rules.filter((other) => other !== rule));
  const approved: PortRule = {
    ...rule,
    reviewed: true,
    owner: required(decision.owner, "owner"),
    justification: required(decision.justification, "justification"),
    expiresAt: decision.expires === undefined ? null : dateOf(decision.expires),
  };
  return numbered(baseline.rules.map((other) => (other === rule ? approved : other)));
}

function required(value: string, what: string): string {
  const trimmed = value.trim();
  if (trimmed !== "" && trimmed.length <= MAX_TEXT) return trimmed;
  throw new SecurityError("invalid-argument", `An approval needs ${what}: 1 to ${MAX_TEXT} characters`);
}

function dateOf(text: string): EpochMs {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? epochFromIso(text) : null;
  if (at !== null) return at;
  throw new SecurityError("invalid-argument", `Not a calendar date: ${clip(text, 40)}`, {
    hint: "Write it as 2027-01-31.",
  });
}

/** The baseline as the text of a v2 file; parsing it gives the same rules. */
export function renderBaseline(baseline: PortBaseline): string {
  return `${JSON.stringify({ schemaVersion: 2, rules: baseline.rules.map(recordOf) }, null, 2)}\n`;
}

function recordOf(rule: PortRule): PortRuleRecord {
  const record: PortRuleRecord = { protocol: rule.protocol, reviewed: rule.reviewed };
  if (rule.ports.first === rule.ports.last) record.port = rule.ports.first;
  else record.ports = `${rule.ports.first}-${rule.ports.last}`;
  if (rule.bind.kind === "address") record.address = rule.bind.address;
  else record.scope = rule.bind.kind === "any" ? "any" : rule.bind.scope;
  for (const key of ["device", "exe", "command", "unit", "user", "owner", "justification", "comment"] as const) {
    const value = rule[key];
    if (value !== null) record[key] = value;
  }
  if (rule.expiresAt !== null) record.expires = isoDateFromEpoch(rule.expiresAt);
  return record;
}

/** One unreviewed entry per program and bind scope; its addresses go into the comment. */
function entriesFor(listeners: readonly Listener[], now: EpochMs): PortRule[] {
  const groups = new Map<string, { rule: PortRule; addresses: Set<string>; notes: Set<string> }>();
  for (const listener of listeners) {
    const rule = ruleFor(listener);
    const key = JSON.stringify(rule);
    const group = groups.get(key) ?? { rule, addresses: new Set(), notes: new Set() };
    groups.set(key, group);
    group.addresses.add(listener.address);
    if (listener.exe_deleted === true) group.notes.add("its executable had been deleted");
    if (listener.exe === null) group.notes.add("its executable could not be seen");
  }
  return [...groups.values()].map(({ rule, addresses, notes }) => ({
    ...rule,
    comment: clip(
      [
        `Seen on ${isoDateFromEpoch(now)} at ${[...addresses].toSorted(compareText).join(", ")}`,
        ...[...notes].toSorted(compareText),
      ].join("; "),
      MAX_TEXT,
    ),
  }));
}

function ruleFor(listener: Listener): PortRule {
  const user = listener.user ?? (listener.uid === null ? null : String(listener.uid));
  return {
    index: 0,
    protocol: listener.protocol,
    ports: { first: listener.port, last: listener.port },
    bind: { kind: "scope", scope: listener.scope },
    device: fitting(listener.device),
    ...programOf(listener),
    unit: fitting(listener.unit),
    user: fitting(user),
    owner: null,
    justification: null,
    reviewed: false,
    expiresAt: null,
    comment: null,
  };
}

function programOf(listener: Listener): { exe: string | null; command: string | null } {
  const { exe, name } = listener;
  if (exe !== null && isCanonicalPath(exe) && exe.length <= MAX_PATH) return { exe, command: null };
  const command = fitting(exe === null ? name : baseName(exe));
  return { exe: null, command: command === null || command.includes("/") ? null : command };
}

function fitting(value: string | null): string | null {
  return value === null || value === "" || value.length > MAX_TEXT ? null : value;
}

function numbered(rules: readonly PortRule[]): PortBaseline {
  return { form: "v2", rules: rules.map((rule, index) => ({ ...rule, index })) };
}

function compareRules(a: PortRule, b: PortRule): number {
  return (
    compareText(a.protocol, b.protocol) ||
    a.ports.first - b.ports.first ||
    a.ports.last - b.ports.last ||
    compareText(JSON.stringify({ ...a, index: 0 }), JSON.stringify({ ...b, index: 0 }))
  );
}

/** By code unit, so that the order is the same in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
