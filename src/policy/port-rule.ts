import type { Listener, Protocol, RuleNote } from "../core/network.ts";
import { baseName } from "../core/path.ts";
import { clip } from "../core/text.ts";
import { type EpochMs, isoDateFromEpoch } from "../core/time.ts";
import type { PortBaseline, PortRule, PortVerdict, UnapprovedReason } from "../schema/approved-ports.ts";

/** The kernel keeps this many bytes of a process name. */
const COMM_LENGTH = 15;

/** How a rule relates to a listener on one of its ports. */
type Match =
  | { readonly kind: "match"; readonly basis: "process" | "kernel-name" | "port-only" }
  | { readonly kind: "unknown"; readonly detail: string }
  | { readonly kind: "mismatch"; readonly reason: UnapprovedReason; readonly detail: string };

/** Later is nearer; the nearest rule explains why a listener is not approved. */
const NEARNESS: readonly UnapprovedReason[] = [
  "no-baseline",
  "no-rule",
  "other-process",
  "other-bind",
  "unreviewed",
  "expired",
];

/**
 * Decides one listener. Every comparison is exact, also of the bind scope: a socket bound to one
 * address takes that address's traffic away from one bound to all, so a rule for the wider bind
 * does not cover the narrower. Any rule that approves is enough; order and other rules do not matter.
 */
export function decideListener(baseline: PortBaseline | null, listener: Listener, now: EpochMs): PortVerdict {
  if (baseline === null) {
    return { kind: "unapproved", reason: "no-baseline", detail: "there is no port baseline", nearest: null };
  }
  let weak: PortVerdict | null = null;
  let unverifiable: PortVerdict | null = null;
  let unapproved: Extract<PortVerdict, { kind: "unapproved" }> = {
    kind: "unapproved",
    reason: "no-rule",
    detail: "no rule of the baseline covers this port",
    nearest: null,
  };
  for (const rule of baseline.rules) {
    if (rule.protocol !== listener.protocol) continue;
    if (listener.port < rule.ports.first || listener.port > rule.ports.last) continue;
    const match = standing(rule, matchRule(rule, listener), now);
    if (match.kind === "match") {
      if (match.basis === "process") return { kind: "approved", rule, basis: match.basis };
      weak ??= { kind: "approved", rule, basis: match.basis };
    } else if (match.kind === "unknown") {
      unverifiable ??= { kind: "unverifiable", rule, detail: match.detail };
    } else if (NEARNESS.indexOf(match.reason) > NEARNESS.indexOf(unapproved.reason)) {
      unapproved = { kind: "unapproved", reason: match.reason, detail: match.detail, nearest: rule };
    }
  }
  return weak ?? unverifiable ?? unapproved;
}

/** What in the baseline itself wants attention; `used` holds the indexes of rules that matched a listener. */
export function ruleNotes(
  baseline: PortBaseline,
  used: ReadonlySet<number>,
  now: EpochMs,
  protocols: readonly Protocol[] = ["tcp", "udp"],
): RuleNote[] {
  const notes: RuleNote[] = [];
  for (const rule of baseline.rules) {
    const name = describeRule(rule);
    if (isExpired(rule, now)) {
      notes.push({ rule: rule.index, kind: "expired", message: `The rule for ${name} expired on ${expiryOf(rule)}.` });
    } else if (!rule.reviewed) {
      notes.push({
        rule: rule.index,
        kind: "unreviewed",
        message: `The entry for ${name} was generated and approves nothing until \`cse baseline review\`.`,
      });
    } else if (!used.has(rule.index) && protocols.includes(rule.protocol)) {
      notes.push({ rule: rule.index, kind: "unused", message: `The rule for ${name} approved nothing in this scan.` });
    }
    if (rule.reviewed && rule.bind.kind === "any") {
      notes.push({
        rule: rule.index,
        kind: "unscoped",
        message: `The rule for ${name} has no bind scope, so it approves loopback and all interfaces alike.`,
      });
    }
  }
  return notes;
}

/** A rule in a few words that leave nothing out which it approves, e.g. "tcp 8000-8010 on loopback, /usr/bin/node as alice in web.service". */
export function describeRule(rule: PortRule): string {
  const { first, last } = rule.ports;
  const ports = first === last ? String(first) : `${first}-${last}`;
  const bind =
    rule.bind.kind === "scope"
      ? ` on ${rule.bind.scope}`
      : rule.bind.kind === "address"
        ? ` on ${rule.bind.address}`
        : "";
  const device = rule.device === null ? "" : `%${clip(rule.device, 40)}`;
  const program = rule.exe ?? rule.command;
  const owner = [
    rule.user === null ? "" : ` as ${clip(rule.user, 60)}`,
    rule.unit === null ? "" : ` in ${clip(rule.unit, 120)}`,
  ].join("");
  const who = program === null && owner === "" ? "" : `, ${clip(program ?? "any program", 120)}${owner}`;
  return `${rule.protocol} ${ports}${bind}${device}${who}`;
}

function isExpired(rule: PortRule, now: EpochMs): boolean {
  return rule.expiresAt !== null && now >= rule.expiresAt;
}

function expiryOf(rule: PortRule): string {
  return rule.expiresAt === null ? "never" : isoDateFromEpoch(rule.expiresAt);
}

/** A rule that has run out or was never reviewed approves nothing, whatever it matches. */
function standing(rule: PortRule, match: Match, now: EpochMs): Match {
  if (match.kind === "mismatch") return match;
  if (isExpired(rule, now)) {
    return { kind: "mismatch", reason: "expired", detail: `its rule expired on ${expiryOf(rule)}` };
  }
  if (!rule.reviewed) return { kind: "mismatch", reason: "unreviewed", detail: "it is listed but not reviewed" };
  return match;
}

function matchRule(rule: PortRule, listener: Listener): Match {
  const bind = bindMismatch(rule, listener);
  if (bind !== null) return { kind: "mismatch", reason: "other-bind", detail: bind };
  const executable = matchExecutable(rule, listener);
  const facts = [executable, matchUnit(rule, listener), matchUser(rule, listener)].filter((fact) => fact !== null);
  return (
    facts.find((fact) => fact.kind === "mismatch") ??
    facts.find((fact) => fact.kind === "unknown") ??
    executable ??
    facts[0] ?? { kind: "match", basis: "port-only" }
  );
}

function bindMismatch(rule: PortRule, listener: Listener): string | null {
  const actual = `this one is bound to ${listener.address} (${listener.scope})`;
  if (rule.bind.kind === "scope" && rule.bind.scope !== listener.scope) {
    return `the rule approves ${rule.bind.scope} only and ${actual}`;
  }
  if (rule.bind.kind === "address" && rule.bind.address !== listener.address) {
    return `the rule approves the address ${rule.bind.address} only and ${actual}`;
  }
  if (rule.device !== null && rule.device !== listener.device) {
    return `the rule approves the device ${clip(rule.device, 40)} only`;
  }
  return null;
}

/** Null when the rule names neither executable nor command. */
function matchExecutable(rule: PortRule, listener: Listener): Match | null {
  if (rule.exe === null && rule.command === null) return null;
  if (listener.exe !== null) {
    // The kernel's path decides; the name is the process's own choice and proves nothing here.
    const same = rule.exe === null ? baseName(listener.exe) === rule.command : listener.exe === rule.exe;
    return same ? { kind: "match", basis: "process" } : otherProcess(rule, clip(listener.exe, 200));
  }
  if (rule.exe !== null || listener.name === null) {
    return {
      kind: "unknown",
      detail: `the rule names ${wanted(rule)} and the executable is unknown${reasonOf(listener)}`,
    };
  }
  return isKernelName(listener.name, rule.command ?? "")
    ? { kind: "match", basis: "kernel-name" }
    : otherProcess(rule, clip(listener.name, 40));
}

function matchUnit(rule: PortRule, listener: Listener): Match | null {
  if (rule.unit === null) return null;
  if (listener.unit === rule.unit) return { kind: "match", basis: "process" };
  if (listener.unit === null && listener.pid === null) {
    return {
      kind: "unknown",
      detail: `the rule names the unit ${clip(rule.unit, 120)} and the unit is unknown${reasonOf(listener)}`,
    };
  }
  const actual = listener.unit === null ? "no unit" : `the unit ${clip(listener.unit, 120)}`;
  return {
    kind: "mismatch",
    reason: "other-process",
    detail: `the rule names the unit ${clip(rule.unit, 120)} and this process belongs to ${actual}`,
  };
}

function matchUser(rule: PortRule, listener: Listener): Match | null {
  if (rule.user === null) return null;
  const uid = listener.uid === null ? null : String(listener.uid);
  if (rule.user === uid || rule.user === listener.user) return { kind: "match", basis: "port-only" };
  // A uid that is known but has no name here cannot refute a rule that gives a name, and the reverse.
  const comparable = /^\d+$/.test(rule.user) ? uid : listener.user;
  if (comparable === null) {
    return {
      kind: "unknown",
      detail: `the rule names the user ${clip(rule.user, 60)} and the user is unknown${reasonOf(listener)}`,
    };
  }
  return {
    kind: "mismatch",
    reason: "other-process",
    detail: `the rule names the user ${clip(rule.user, 60)} and this process runs as ${clip(comparable, 60)}`,
  };
}

function otherProcess(rule: PortRule, actual: string): Match {
  return { kind: "mismatch", reason: "other-process", detail: `the rule names ${wanted(rule)} and this is ${actual}` };
}

function wanted(rule: PortRule): string {
  return clip(rule.exe ?? rule.command ?? "", 200);
}

function reasonOf(listener: Listener): string {
  return listener.unknown_reason === null ? "" : ` (${clip(listener.unknown_reason, 160)})`;
}

function isKernelName(name: string, command: string): boolean {
  return name === command || name === command.slice(0, COMM_LENGTH);
}
