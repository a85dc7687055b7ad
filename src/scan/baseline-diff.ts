import type { Listener, Scope } from "../core/network.ts";
import type { EpochMs } from "../core/time.ts";
import type { PortBaseline, PortRule } from "../schema/approved-ports.ts";
import type { JudgedListener } from "./port-findings.ts";

/** Drift between the baseline and what listens now. */
export interface BaselineDiff {
  /** Listeners on ports no rule covers. */
  readonly added: readonly Listener[];
  /** Listeners that have only a generated entry so far. */
  readonly unreviewed: readonly Listener[];
  /** Listeners on a covered port that are not what its rule approves. */
  readonly changed: readonly ChangedListener[];
  /** Reviewed rules in force to which no listener belongs any more. */
  readonly missing: readonly PortRule[];
  readonly expired: readonly PortRule[];
  /** Listeners with a rule that names a process which cannot be seen. */
  readonly unverifiable: readonly Listener[];
}

interface ChangedListener {
  readonly rule: PortRule;
  readonly listener: Listener;
  readonly change: "bind-widened" | "bind-moved" | "process-changed";
  readonly detail: string;
}

const REACH: readonly Scope[] = ["loopback", "private", "public", "all-interfaces"];

export function diffBaseline(baseline: PortBaseline, judged: readonly JudgedListener[], now: EpochMs): BaselineDiff {
  const added: Listener[] = [];
  const unreviewed: Listener[] = [];
  const unverifiable: Listener[] = [];
  const changed: ChangedListener[] = [];
  const present = new Set<number>();
  for (const { listener, verdict } of judged) {
    const rule = verdict.kind === "unapproved" ? verdict.nearest : verdict.rule;
    if (rule !== null) present.add(rule.index);
    if (verdict.kind === "unverifiable") unverifiable.push(listener);
    if (verdict.kind !== "unapproved") continue;
    if (verdict.reason === "unreviewed") unreviewed.push(listener);
    else if (rule === null) added.push(listener);
    else if (verdict.reason === "other-bind" || verdict.reason === "other-process") {
      changed.push({ rule, listener, change: changeOf(rule, listener, verdict.reason), detail: verdict.detail });
    }
  }
  const isExpired = (rule: PortRule): boolean => rule.expiresAt !== null && now >= rule.expiresAt;
  return {
    added,
    unreviewed,
    changed,
    missing: baseline.rules.filter((rule) => rule.reviewed && !isExpired(rule) && !present.has(rule.index)),
    expired: baseline.rules.filter(isExpired),
    unverifiable,
  };
}

function changeOf(
  rule: PortRule,
  listener: Listener,
  reason: "other-bind" | "other-process",
): ChangedListener["change"] {
  if (reason === "other-process") return "process-changed";
  if (rule.bind.kind === "scope" && REACH.indexOf(listener.scope) > REACH.indexOf(rule.bind.scope)) {
    return "bind-widened";
  }
  // From one address to all of them is wider as well.
  return rule.bind.kind === "address" && listener.scope === "all-interfaces" ? "bind-widened" : "bind-moved";
}
