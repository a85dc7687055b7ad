import type { HostResolution } from "../core/egress.ts";
import type { RuleNote, ScanProblem } from "../core/network.ts";
import { lintEgressAllowlist } from "../policy/egress-lint.ts";
import { isActive } from "../policy/egress-rule.ts";
import { describeDestination } from "../scan/egress-findings.ts";
import { recordOf, renderAllowlist, suggestAllowlist } from "../scan/suggest-allowlist.ts";
import type { EgressRuleRecord } from "../schema/egress-allowlist.ts";
import { judgeConnections, loadEgressRules, type ScanEgressDeps, unresolvableNotes } from "./scan-egress.ts";

export interface AllowlistSuggestion {
  readonly schemaVersion: 1;
  /** Path of the allowlist there is, or null. */
  readonly allowlist_file: string | null;
  readonly complete: boolean;
  /** New rules only, each with `reviewed: false`. */
  readonly proposed: readonly EgressRuleRecord[];
  /** A whole v2 file: the rules there are, then the proposed ones. Nothing is written anywhere. */
  readonly text: string;
  readonly problems: readonly ScanProblem[];
}

/**
 * Proposes rules for what talks out now and is not approved.
 * @throws {SecurityError} what loading, parsing and collecting throw
 */
export async function suggestEgressAllowlist(deps: ScanEgressDeps): Promise<AllowlistSuggestion> {
  const [inventory, loaded] = await Promise.all([deps.collect(), loadEgressRules(deps)]);
  const judged = judgeConnections(inventory, loaded, { includeLoopback: false, includeUdp: true });
  const existing = loaded.rules.map(({ rule }) => rule);
  const proposed = suggestAllowlist(judged, existing);
  return {
    schemaVersion: 1,
    allowlist_file: loaded.path,
    complete: inventory.complete,
    proposed,
    text: renderAllowlist([...existing.map(recordOf), ...proposed]),
    problems: inventory.problems,
  };
}

export interface AllowlistCheck {
  readonly schemaVersion: 1;
  /** Null when there is no file. */
  readonly allowlist_file: string | null;
  readonly rules: readonly CheckedRule[];
}

export interface CheckedRule {
  /** Position in the file, from 0. */
  readonly rule: number;
  /** E.g. "host api.example.com". */
  readonly destination: string;
  /** True when it can approve something today. */
  readonly active: boolean;
  /** Names with their addresses now; null for rules whose names cannot be listed. */
  readonly resolves_to: Readonly<Record<string, readonly string[]>> | null;
  /** Connections it approves now. */
  readonly approves: number;
  readonly notes: readonly RuleNote[];
}

/**
 * Validates the allowlist and shows the state of every rule against what talks out now.
 * @throws {SecurityError} what loading, parsing and collecting throw
 */
export async function checkEgressAllowlist(deps: ScanEgressDeps): Promise<AllowlistCheck> {
  const [inventory, loaded] = await Promise.all([deps.collect(), loadEgressRules(deps)]);
  const approved = new Map<number, number>();
  for (const { verdict } of judgeConnections(inventory, loaded, { includeLoopback: false, includeUdp: true })) {
    if (verdict.kind === "approved") approved.set(verdict.rule, (approved.get(verdict.rule) ?? 0) + 1);
  }
  const notes = [...lintEgressAllowlist(loaded.rules, loaded.at), ...unresolvableNotes(loaded)];
  const rules = loaded.rules.map((prepared): CheckedRule => {
    const { rule, names } = prepared;
    const active = isActive(rule, loaded.at) && prepared.pattern?.kind !== "invalid";
    const approves = approved.get(rule.index) ?? 0;
    // One look says little about traffic that comes and goes, so this is a note and nothing more.
    const unused: RuleNote = { rule: rule.index, kind: "unused", message: "Approves no connection at this moment" };
    return {
      rule: rule.index,
      destination: describeDestination(rule),
      active,
      resolves_to: names === null ? null : addressesOf(names, loaded.resolutions),
      approves,
      notes: [...notes.filter((note) => note.rule === rule.index), ...(active && approves === 0 ? [unused] : [])],
    };
  });
  return { schemaVersion: 1, allowlist_file: loaded.path, rules };
}

function addressesOf(
  names: readonly string[],
  resolutions: ReadonlyMap<string, HostResolution>,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    names.map((name) => {
      const resolution = resolutions.get(name);
      return [name, resolution?.kind === "addresses" ? resolution.addresses : []];
    }),
  );
}
