import type { HostResolution } from "../core/egress.ts";
import { parseStrictJson } from "../core/json.ts";
import type { Connection, EgressReport, RuleNote, ScanProblem, SocketInventory } from "../core/network.ts";
import { clip, plural } from "../core/text.ts";
import type { EpochMs } from "../core/time.ts";
import { reportableNotes } from "../policy/egress-lint.ts";
import {
  decideConnection,
  type KnownNames,
  knownNames,
  namesToResolve,
  type PreparedRule,
  prepareRules,
} from "../policy/egress-rule.ts";
import { checkEgress, type JudgedConnection } from "../scan/egress-findings.ts";
import { type EgressRule, parseEgressAllowlist } from "../schema/egress-allowlist.ts";

/** Names are looked up while sockets are collected; a resolver that does not answer costs at most this. */
const DNS_BUDGET_MS = 2000;

export type ResolveHosts = (hosts: readonly string[], budgetMs: number) => Promise<ReadonlyMap<string, HostResolution>>;

export interface EgressRulesDeps {
  /** The allowlist's text, or null when there is no such file. */
  readonly loadAllowlist: () => Promise<{ readonly path: string; readonly text: string } | null>;
  readonly resolveHosts: ResolveHosts;
  readonly now: () => EpochMs;
}

export interface ScanEgressDeps extends EgressRulesDeps {
  readonly collect: () => Promise<SocketInventory>;
}

export interface ScanEgressOptions {
  /** Also list connections within this host. They are never findings. */
  readonly includeLoopback: boolean;
  readonly includeUdp: boolean;
}

/** An allowlist ready to judge by: parsed, compiled, its names resolved. */
export interface EgressRules {
  /** Null when there is no file; then nothing is approved. */
  readonly path: string | null;
  readonly rules: readonly PreparedRule[];
  readonly resolutions: ReadonlyMap<string, HostResolution>;
  /** The moment at which expiry is judged. */
  readonly at: EpochMs;
}

/**
 * Lists what talks out of this host and what of it the allowlist does not approve.
 * @throws {SecurityError} what loading, parsing (allowlist-invalid, json-invalid, ...) and collecting throw
 */
export async function scanEgress(deps: ScanEgressDeps, options: ScanEgressOptions): Promise<EgressReport> {
  const [inventory, rules] = await Promise.all([deps.collect(), loadEgressRules(deps)]);
  return reportEgress(inventory, rules, options);
}

/**
 * Reads the allowlist and resolves the names its active rules can match. A missing file approves
 * nothing; a broken one is an error.
 * @throws {SecurityError} what loading and parsing throw
 */
export async function loadEgressRules(deps: EgressRulesDeps): Promise<EgressRules> {
  const at = deps.now();
  const file = await deps.loadAllowlist();
  if (file === null) return { path: null, rules: [], resolutions: new Map(), at };
  const rules = await prepareAllowlist(file.text);
  const names = namesToResolve(rules, at);
  const resolutions = names.length === 0 ? new Map() : await deps.resolveHosts(names, DNS_BUDGET_MS);
  return { path: file.path, rules, resolutions, at };
}

/**
 * Parses an allowlist and compiles its patterns.
 * @throws {SecurityError} what parsing throws
 */
export async function prepareAllowlist(text: string): Promise<PreparedRule[]> {
  const { rules } = parseEgressAllowlist(parseStrictJson(text, "egress_allowlist.json"));
  return prepareRules(rules, await loadCompiler(rules));
}

/** The pattern engine is large, and most allowlists have no pattern. */
async function loadCompiler(rules: readonly EgressRule[]): Promise<Parameters<typeof prepareRules>[1]> {
  if (!rules.some((rule) => rule.destination.kind === "regex")) {
    return () => ({ kind: "invalid", message: "no pattern engine was loaded" });
  }
  const { compileHostPattern } = await import("../policy/host-pattern.ts");
  return compileHostPattern;
}

/** Judges an inventory that was already taken. No effect of its own, so one inventory can serve several reports. */
export function reportEgress(
  inventory: SocketInventory,
  loaded: EgressRules,
  options: ScanEgressOptions,
): EgressReport {
  const judged = judgeConnections(inventory, loaded, options);
  const rules = loaded.rules.map(({ rule }) => rule);
  const unresolvable = unresolvableNotes(loaded);
  const failed = [...loaded.resolutions].filter(([, resolution]) => resolution.kind === "failed");
  const problems: ScanProblem[] = [...inventory.problems, ...problemsOf(loaded, judged, failed.length)];
  return {
    schemaVersion: 1,
    status: inventory.complete && failed.length === 0 ? "ok" : "incomplete",
    collected_at: inventory.collected_at,
    collector: inventory.collector,
    complete: inventory.complete,
    unresolved: inventory.unresolved,
    denied: inventory.denied,
    allowlist_file: loaded.path,
    allowlist_rules: rules.length,
    connections: judged.map(({ connection }) => connection),
    findings: checkEgress(judged, rules),
    rule_notes: [...reportableNotes(loaded.rules, loaded.at), ...unresolvable].toSorted((a, b) => a.rule - b.rule),
    problems,
  };
}

/** The connections a report lists, with their names filled in, and what the allowlist says about each. */
export function judgeConnections(
  inventory: SocketInventory,
  loaded: EgressRules,
  options: ScanEgressOptions,
): JudgedConnection[] {
  const known = knownNames(loaded.resolutions);
  return inventory.connections
    .filter((connection) => options.includeUdp || connection.protocol !== "udp")
    .filter((connection) => options.includeLoopback || !isWithinHost(connection))
    .map((connection) => {
      const verdict = decideConnection(loaded.rules, connection, known, loaded.at);
      const approvedBy = verdict.kind === "approved" ? verdict.host : null;
      return { connection: withName(connection, known, approvedBy), verdict };
    });
}

function isWithinHost(connection: Connection): boolean {
  return connection.direction === "local" || connection.category === "loopback";
}

/** An address can have several names; the one that approved it is shown, else the first. */
function withName(connection: Connection, known: KnownNames, approvedBy: string | null): Connection {
  if (connection.remote_host !== null) return connection;
  const host = approvedBy ?? known.byAddress.get(connection.remote_ip)?.[0] ?? null;
  return host === null ? connection : { ...connection, remote_host: host, host_source: "dns" };
}

function problemsOf(loaded: EgressRules, judged: readonly JudgedConnection[], failedNames: number): ScanProblem[] {
  const problems: ScanProblem[] = [];
  if (loaded.path === null) {
    const message = "There is no egress allowlist, so nothing is approved; `cse allowlist suggest` proposes one";
    problems.push({ code: "no-allowlist", message });
  }
  if (failedNames > 0) {
    const message = `${plural(failedNames, "host name")} of the allowlist could not be resolved, so their rules could not be applied`;
    problems.push({ code: "name-resolution-failed", message });
  }
  const byName = judged.filter(({ verdict }) => verdict.kind === "approved" && verdict.by === "process-name").length;
  if (byName > 0) {
    const message = `${plural(byName, "connection")} approved by the name a process gave itself, because its executable could not be read`;
    problems.push({ code: "approved-by-process-name", message });
  }
  return problems;
}

/** For each rule, the names of it that have no address or gave no answer. */
export function unresolvableNotes(loaded: EgressRules): RuleNote[] {
  return loaded.rules.flatMap(({ rule, names }): RuleNote[] => {
    const without = (names ?? []).flatMap((name) => {
      const reason = reasonUnresolved(loaded.resolutions.get(name));
      return reason === null ? [] : [`${name} (${reason})`];
    });
    if (without.length === 0) return [];
    return [
      { rule: rule.index, kind: "unresolvable", message: clip(`No address known for ${without.join(", ")}`, 400) },
    ];
  });
}

function reasonUnresolved(resolution: HostResolution | undefined): string | null {
  if (resolution === undefined || resolution.kind === "addresses") return null;
  if (resolution.kind === "none") return "no such host";
  switch (resolution.code) {
    case "timeout":
    case "out-of-budget":
      return "no answer in time";
    case "too-many-names":
      return "too many names to resolve in one scan";
    case "resolver-failed":
      return "the resolver failed";
  }
}
