import { type AddressBits, addressBits, cidrHolds, parseAddress } from "../core/address.ts";
import type { EgressVerdict, HostResolution, UnverifiableReason } from "../core/egress.ts";
import { parseHostName } from "../core/host-name.ts";
import type { Connection } from "../core/network.ts";
import { baseName } from "../core/path.ts";
import type { EpochMs } from "../core/time.ts";
import type { EgressDestination, EgressRule } from "../schema/egress-allowlist.ts";
import { expandFiniteHost } from "./finite-host.ts";

/** A host pattern ready to use, or why it can never be. */
export type CompiledPattern =
  | { readonly kind: "matcher"; readonly matches: (host: string) => boolean }
  | { readonly kind: "invalid"; readonly message: string };

/** A rule whose pattern is compiled and whose resolvable names are known. */
export interface PreparedRule {
  readonly rule: EgressRule;
  /** Null for rules without a pattern. */
  readonly pattern: CompiledPattern | null;
  /** Every name the rule can match; null when they cannot be listed, and so not be resolved. */
  readonly names: readonly string[] | null;
}

/** What resolving the rules' names gave, turned round: from address to names. */
export interface KnownNames {
  /** Canonical address -> the names that have it now. */
  readonly byAddress: ReadonlyMap<string, readonly string[]>;
  /** Names about which the resolver said nothing. */
  readonly failed: ReadonlySet<string>;
}

/** Kernel process names are cut to this many bytes. Source: proc_pid_comm(5). */
const KERNEL_NAME_BYTES = 15;

/** @param compile `compileHostPattern`; called only for rules with a pattern. */
export function prepareRules(
  rules: readonly EgressRule[],
  compile: (pattern: string) => CompiledPattern,
): PreparedRule[] {
  return rules.map((rule) => {
    const { destination } = rule;
    if (destination.kind === "host") return { rule, pattern: null, names: [destination.host] };
    if (destination.kind !== "regex") return { rule, pattern: null, names: null };
    const pattern = compile(destination.pattern);
    return { rule, pattern, names: pattern.kind === "invalid" ? null : expandFiniteHost(destination.pattern) };
  });
}

/** True while a rule may approve: reviewed, and not past its date. */
export function isActive(rule: EgressRule, now: EpochMs): boolean {
  return rule.reviewed && (rule.expiresAt === null || now < rule.expiresAt);
}

/**
 * The names to resolve for a decision, each once, in the order of the rules. Those of inactive rules
 * are left out: a name they brought in could let another rule approve.
 */
export function namesToResolve(rules: readonly PreparedRule[], now: EpochMs): string[] {
  return [...new Set(rules.flatMap(({ rule, names }) => (isActive(rule, now) ? (names ?? []) : [])))];
}

export function knownNames(resolutions: ReadonlyMap<string, HostResolution>): KnownNames {
  const byAddress = new Map<string, string[]>();
  const failed = new Set<string>();
  for (const [host, resolution] of resolutions) {
    if (resolution.kind === "failed") failed.add(host);
    if (resolution.kind !== "addresses") continue;
    for (const text of resolution.addresses) {
      const address = parseAddress(text)?.address;
      if (address === undefined) continue;
      const names = byAddress.get(address) ?? [];
      if (!names.includes(host)) names.push(host);
      byAddress.set(address, names);
    }
  }
  return { byAddress, failed };
}

/**
 * Whether the allowlist approves a connection. Total and deterministic; the first rule in file order
 * that approves is named. Inactive rules take no part, so they change no verdict.
 *
 * A name the recorder saw is the name; then names from DNS do not count. Without one, a host rule
 * matches when the address is among those its names have now. The metadata service is approved only
 * by a rule for exactly its address: a broad network, or a name whose DNS somebody else controls,
 * must not open it.
 */
export function decideConnection(
  rules: readonly PreparedRule[],
  connection: Connection,
  known: KnownNames,
  now: EpochMs,
): EgressVerdict {
  if (!isEgress(connection)) return { kind: "not-egress" };
  const candidates = candidatesOf(connection, known);
  let best: EgressVerdict = UNMATCHED;
  for (const prepared of rules) {
    if (!isActive(prepared.rule, now)) continue;
    const verdict = applyRule(prepared, connection, candidates, known);
    if (rankOf(verdict) < rankOf(best)) best = verdict;
    if (best.kind === "approved") break;
  }
  return best;
}

const UNMATCHED: EgressVerdict = { kind: "unapproved", reason: "no-rule", rule: null };

/** What one rule alone says. */
function applyRule(
  prepared: PreparedRule,
  connection: Connection,
  candidates: Candidates,
  known: KnownNames,
): EgressVerdict {
  const { rule } = prepared;
  if (rule.protocol !== null && rule.protocol !== connection.protocol) return UNMATCHED;
  const destination = matchDestination(prepared, connection, candidates, known);
  if (destination.kind === "no") return UNMATCHED;
  const isSure = destination.kind === "yes";
  if (!coversPort(rule, connection.remote_port)) {
    return isSure ? { kind: "unapproved", reason: "other-port", rule: rule.index } : UNMATCHED;
  }
  const owner = matchProcess(rule, connection);
  if (owner.kind === "no") {
    return isSure ? { kind: "unapproved", reason: "other-process", rule: rule.index } : UNMATCHED;
  }
  if (!isSure) return { kind: "unverifiable", rule: rule.index, why: destination.why };
  if (owner.kind === "unknown") return { kind: "unverifiable", rule: rule.index, why: owner.why };
  return { kind: "approved", rule: rule.index, host: destination.host, source: destination.source, by: owner.by };
}

/** The lowest rank wins; between equals, the first rule. What nearly matched says more than what might have. */
function rankOf(verdict: EgressVerdict): number {
  switch (verdict.kind) {
    case "not-egress":
    case "approved":
      return 0;
    case "unverifiable":
      return verdict.why === "host-unknown" || verdict.why === "host-unresolved" ? 2 : 1;
    case "unapproved":
      return { "other-process": 3, "other-port": 4, "no-rule": 5 }[verdict.reason];
  }
}

/** Accepted connections and those within this host leave nothing. An unknown direction counts as outbound. */
function isEgress(connection: Connection): boolean {
  return connection.direction !== "inbound" && connection.direction !== "local" && connection.category !== "loopback";
}

interface Candidates {
  readonly source: "recorder" | "dns";
  readonly names: readonly string[];
  readonly address: AddressBits | null;
}

function candidatesOf(connection: Connection, known: KnownNames): Candidates {
  const address = addressBits(connection.remote_ip);
  if (connection.remote_host !== null && connection.host_source === "recorder") {
    // A client that was given an address used no name; patterns must never see addresses.
    const name = parseHostName(connection.remote_host);
    if (name !== null) return { source: "recorder", names: [name], address };
  }
  return { source: "dns", names: known.byAddress.get(connection.remote_ip) ?? [], address };
}

type DestinationMatch =
  | { readonly kind: "yes"; readonly host: string | null; readonly source: "recorder" | "dns" | "address" }
  | { readonly kind: "no" }
  | { readonly kind: "unknown"; readonly why: UnverifiableReason };

const NO = { kind: "no" } as const;

function matchDestination(
  prepared: PreparedRule,
  connection: Connection,
  candidates: Candidates,
  known: KnownNames,
): DestinationMatch {
  const { destination } = prepared.rule;
  const isMetadata = connection.category === "metadata";
  if (destination.kind === "cidr") {
    const { cidr } = destination;
    if (isMetadata && cidr.prefix !== (cidr.family === 4 ? 32 : 128)) return NO;
    return candidates.address !== null && cidrHolds(cidr, candidates.address)
      ? { kind: "yes", host: null, source: "address" }
      : NO;
  }
  if (isMetadata || prepared.pattern?.kind === "invalid") return NO;
  for (const host of candidates.names) {
    if (matchesName(destination, prepared.pattern, host)) return { kind: "yes", host, source: candidates.source };
  }
  if (candidates.source === "recorder") return NO;
  // One address can serve many names, so other names that DNS gave do not exclude this rule's.
  if (prepared.names === null) return { kind: "unknown", why: "host-unknown" };
  return prepared.names.some((name) => known.failed.has(name)) ? { kind: "unknown", why: "host-unresolved" } : NO;
}

function matchesName(
  destination: Exclude<EgressDestination, { kind: "cidr" }>,
  pattern: CompiledPattern | null,
  host: string,
): boolean {
  switch (destination.kind) {
    case "host":
      return host === destination.host;
    case "suffix":
      return isWithin(host, destination.domain, destination.includesDomain);
    case "regex":
      return pattern?.kind === "matcher" && pattern.matches(host);
  }
}

/** Whether `host` is below `domain`, label by label: "notexample.com" is not below "example.com". */
export function isWithin(host: string, domain: string, includesDomain: boolean): boolean {
  if (host === domain) return includesDomain;
  const cut = host.length - domain.length;
  return cut > 0 && host[cut - 1] === "." && host.slice(cut) === domain;
}

function coversPort(rule: EgressRule, port: number): boolean {
  return rule.ports === null || (rule.ports.first <= port && port <= rule.ports.last);
}

type ProcessMatch =
  | { readonly kind: "yes"; readonly by: "executable" | "process-name" | "any-process" }
  | { readonly kind: "no" }
  | { readonly kind: "unknown"; readonly why: UnverifiableReason };

function matchProcess(rule: EgressRule, connection: Connection): ProcessMatch {
  if (rule.exe === null && rule.command === null) return { kind: "yes", by: "any-process" };
  if (connection.exe === null) {
    if (rule.command === null || connection.name === null) return { kind: "unknown", why: "owner-unknown" };
    return isKernelName(connection.name, rule.command) ? { kind: "yes", by: "process-name" } : NO;
  }
  // The name below is the process's own choice; once the executable is known it does not count.
  const isSame = rule.exe === null ? baseName(connection.exe) === rule.command : connection.exe === rule.exe;
  if (!isSame) return NO;
  return connection.exe_deleted === true
    ? { kind: "unknown", why: "executable-deleted" }
    : { kind: "yes", by: "executable" };
}

function isKernelName(name: string, command: string): boolean {
  return name === command || (name.length === KERNEL_NAME_BYTES && command.slice(0, KERNEL_NAME_BYTES) === name);
}
