import type { RuleNote } from "../core/network.ts";
import { type EpochMs, isoDateFromEpoch } from "../core/time.ts";
import { isActive, type PreparedRule } from "./egress-rule.ts";

/** Names nobody has a reason to approve; a pattern that matches all of them names no destination. */
const PROBE_LABELS = ["qzkxwvj", "vxwq", "zqxjkvwplmh"] as const;
const PROBE_TLDS = ["com", "net", "org", "io", "ai", "dev", "app", "cloud", "de", "cn", "ru", "co.uk"] as const;

/** Domains under which strangers can get a name. Not complete: a hint, not a boundary. */
const SHARED_DOMAINS = [
  "co.uk org.uk com.au co.jp com.br com.cn co.in co.nz co.za com.tr",
  "amazonaws.com cloudfront.net azurewebsites.net windows.net cloudapp.net azureedge.net",
  "appspot.com run.app web.app firebaseapp.com googleusercontent.com github.io gitlab.io",
  "herokuapp.com vercel.app netlify.app workers.dev pages.dev r2.dev fastly.net onrender.com",
  "ngrok.io ngrok-free.app trycloudflare.com duckdns.org nip.io sslip.io",
].flatMap((line) => line.split(" "));

/** Shorter prefixes hold more than one organisation; private ranges are judged the same. */
const BROAD_PREFIX = { 4: 8, 6: 32 } as const;

/** Everything about the rules themselves that a reviewer should see; needs no connection and no resolver. */
export function lintEgressAllowlist(rules: readonly PreparedRule[], now: EpochMs): RuleNote[] {
  return rules.flatMap((prepared) => [
    ...stateNotes(prepared, now),
    ...breadthNotes(prepared),
    ...adviceNotes(prepared),
  ]);
}

/** The notes that belong in a scan's report: what makes a rule approve nothing, or too much. */
export function reportableNotes(rules: readonly PreparedRule[], now: EpochMs): RuleNote[] {
  return rules.flatMap((prepared) => [
    ...stateNotes(prepared, now),
    // A rule that approves nothing is not too broad yet; `cse allowlist check` still says so.
    ...(isActive(prepared.rule, now) ? breadthNotes(prepared) : []),
  ]);
}

function stateNotes({ rule, pattern }: PreparedRule, now: EpochMs): RuleNote[] {
  const notes: RuleNote[] = [];
  if (pattern?.kind === "invalid") {
    const message = `The pattern cannot be used (${pattern.message}), so the rule matches nothing`;
    notes.push({ rule: rule.index, kind: "invalid-pattern", message });
  }
  if (!rule.reviewed) {
    notes.push({ rule: rule.index, kind: "unreviewed", message: "Not reviewed yet, so it approves nothing" });
  }
  if (rule.expiresAt !== null && now >= rule.expiresAt) {
    const message = `Expired on ${isoDateFromEpoch(rule.expiresAt)}, so it approves nothing`;
    notes.push({ rule: rule.index, kind: "expired", message });
  }
  return notes;
}

function breadthNotes({ rule, pattern }: PreparedRule): RuleNote[] {
  const message = breadthOf(rule.destination, pattern);
  return message === null ? [] : [{ rule: rule.index, kind: "too-broad", message }];
}

function breadthOf(destination: PreparedRule["rule"]["destination"], pattern: PreparedRule["pattern"]): string | null {
  switch (destination.kind) {
    case "host":
      return null;
    case "suffix":
      return SHARED_DOMAINS.includes(destination.domain) ? `Anyone can get a name below ${destination.domain}` : null;
    case "cidr": {
      const { cidr } = destination;
      if (cidr.prefix === 0) return `${cidr.text} is every address`;
      return cidr.prefix < BROAD_PREFIX[cidr.family] ? `${cidr.text} holds networks of many organisations` : null;
    }
    case "regex":
      return pattern?.kind === "matcher" ? breadthOfPattern(pattern.matches) : null;
  }
}

/** Asks the pattern itself rather than its text: there are many ways to write "anything". */
function breadthOfPattern(matches: (host: string) => boolean): string | null {
  const matchesAllIn = (domain: string): boolean => PROBE_LABELS.every((label) => matches(`${label}.${domain}`));
  const tlds = PROBE_TLDS.filter(matchesAllIn);
  if (tlds.length === PROBE_TLDS.length) return "The pattern matches every host name";
  if (tlds.length > 0) return `The pattern matches every name in .${tlds.join(", .")}`;
  const shared = SHARED_DOMAINS.filter(matchesAllIn);
  return shared.length === 0 ? null : `Anyone can get a name below ${shared.join(", ")}`;
}

/** A dot between two name characters, as in an unescaped host name. */
const BARE_DOT = /(?:^|[^\\])[A-Za-z0-9]\.(?=[A-Za-z0-9])/;

function adviceNotes({ rule, pattern }: PreparedRule): RuleNote[] {
  const advice = [
    ...(rule.command === null ? [] : ["`command` is satisfied by any file of that name, wherever it lies; use `exe`"]),
    ...(rule.destination.kind === "regex" && pattern?.kind === "matcher"
      ? patternAdvice(rule.destination.pattern)
      : []),
  ];
  return advice.map((message) => ({ rule: rule.index, kind: "advice", message }));
}

function patternAdvice(text: string): string[] {
  const advice: string[] = [];
  if (!text.startsWith("^") || !text.endsWith("$")) {
    advice.push("The pattern must match the whole host name, as if it stood between ^ and $");
  }
  if (BARE_DOT.test(text)) advice.push("A dot without a backslash stands for any character; write \\. or use `host`");
  if (/^\^?\d{1,3}\\?\./.test(text)) advice.push("Patterns are never matched against addresses; use `cidr`");
  return advice;
}
