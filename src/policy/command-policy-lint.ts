import type { Risk } from "../core/risk.ts";
import { clip } from "../core/text.ts";
import { type EpochMs, isoDateFromEpoch } from "../core/time.ts";
import type {
  CommandPolicy,
  CommandRule,
  ExactCommand,
  OriginalCommandPolicy,
  StructuredCommandPolicy,
} from "../schema/command-policy.ts";
import type { CompiledPolicy } from "./command-decision.ts";
import { canonicalCommandPath } from "./command-identity.ts";
import { compileCommandStart, compileSearch } from "./command-pattern.ts";
import { type RootProbe, rootProbes, rootUseOfBare, rootUseOfPattern, rootUseOfRule } from "./command-root-use.ts";
import { programNames } from "./root-equivalent.ts";

type LintKind =
  | "empty-policy"
  | "invalid-pattern"
  | "catch-all"
  | "allows-interpreter"
  | "root-equivalent"
  | "unanchored-allow"
  | "wildcard-path"
  | "never-matches"
  | "any-arguments"
  | "evadable-deny"
  | "expired";

/** Something in a command policy that its author should see. */
export interface LintNote {
  readonly kind: LintKind;
  /** Where: a list with its position, e.g. "allow[0]", or a rule id. Empty for the whole policy. */
  readonly rule: string;
  readonly message: string;
}

/** A note in the shape of every finding. */
export interface PolicyFinding {
  readonly check_id: "command_policy_enforced";
  readonly type: LintKind;
  readonly status: "violation" | "partial";
  readonly risk: Risk;
  readonly title: string;
  readonly evidence: string;
  readonly why: string;
  readonly mitigation: string;
  readonly target: string;
}

interface Judgement {
  readonly risk: Risk;
  readonly title: string;
  readonly why: string;
  readonly mitigation: string;
}

const ROOT_WHY = "Whoever gets a yes to it can do anything as root, whatever the question says.";
const JUDGEMENTS: Readonly<Record<LintKind, Judgement>> = {
  "empty-policy": {
    risk: "medium",
    title: "The command policy has no rule",
    why: "Nothing is refused by policy, so everything depends on the person who is asked.",
    mitigation: "Create rules with `cse init`, then name what is needed.",
  },
  "invalid-pattern": {
    risk: "high",
    title: "A pattern is no regular expression",
    why: "A policy with a defect refuses every command.",
    mitigation: "Correct the pattern; lookaround and back-references are not supported.",
  },
  "catch-all": {
    risk: "critical",
    title: "An allow rule matches every command",
    why: ROOT_WHY,
    mitigation: "Name the exact program and its arguments instead.",
  },
  "allows-interpreter": {
    risk: "critical",
    title: "An allow rule names a shell, interpreter or launcher",
    why: ROOT_WHY,
    mitigation: "Name the exact command that it should run instead.",
  },
  "root-equivalent": {
    risk: "critical",
    title: "An allow rule amounts to root",
    why: ROOT_WHY,
    mitigation: "Fix the arguments to those that are needed, or use a narrower tool.",
  },
  "unanchored-allow": {
    risk: "medium",
    title: "An allow pattern leaves the arguments open",
    why: "Options that nobody thought of pass too.",
    mitigation: "Write the whole command line between ^ and $, or a rule of schemaVersion 2.",
  },
  "wildcard-path": {
    risk: "high",
    title: "An allow rule has a wildcard in the program's path",
    why: "Any program that lands there later is allowed as root.",
    mitigation: "Name each program by its full path.",
  },
  "never-matches": {
    risk: "low",
    title: "A rule can never take effect",
    why: "Its author believes that something is ruled which is not.",
    mitigation: "Correct or remove it.",
  },
  "any-arguments": {
    risk: "medium",
    title: "An allow rule leaves the arguments open",
    why: "Options that nobody thought of pass too.",
    mitigation: "List the arguments that are needed.",
  },
  "evadable-deny": {
    risk: "medium",
    title: "A deny pattern spells out options",
    why: "The same options in another order or spelling pass.",
    mitigation: "Use a deny rule of schemaVersion 2 with `flags`.",
  },
  expired: {
    risk: "low",
    title: "An allow rule has expired",
    why: "It allows nothing and hides what is in force.",
    mitigation: "Remove it, or review it and set a new date.",
  },
};

/** Commands nobody would write a rule for; a pattern that matches all of them names no command. */
const PROBES = ["/opt/q7zk/x0wv", "/usr/bin/q7zkx0wv --flag value", "/usr/sbin/w3qj 1"] as const;

/** The notes as findings, worst first. Without a time nothing counts as expired. */
export function lintPolicy(policy: CompiledPolicy | CommandPolicy, now?: EpochMs): PolicyFinding[] {
  const source = "policy" in policy ? policy.policy : policy;
  const findings = lintCommandPolicy(source, now ?? Number.NEGATIVE_INFINITY).map(({ kind, rule, message }) => {
    const judgement = JUDGEMENTS[kind];
    const { risk, title, why, mitigation } = judgement;
    const status = risk === "critical" || risk === "high" ? "violation" : "partial";
    const target = rule === "" ? "command-policy.json" : `command-policy.json ${rule}`;
    const finding = { type: kind, status, risk, title, evidence: message, why, mitigation, target } as const;
    return { check_id: "command_policy_enforced" as const, ...finding };
  });
  const order: readonly Risk[] = ["critical", "high", "medium", "low"];
  return findings.sort((a, b) => order.indexOf(a.risk) - order.indexOf(b.risk));
}

/**
 * What is doubtful in a command policy; an empty list is no proof of safety. Imports re2js, which is
 * large: load this module only when a policy is to be judged.
 */
export function lintCommandPolicy(policy: CommandPolicy, now: EpochMs): LintNote[] {
  return policy.form === "original" ? lintOriginal(policy) : lintStructured(policy, now);
}

function lintOriginal(policy: OriginalCommandPolicy): LintNote[] {
  const size = policy.allow.length + policy.deny.length + policy.allowExact.length + policy.denyExact.length;
  if (size === 0) return [EMPTY];
  const probes = rootProbes();
  return [
    ...policy.allow.flatMap((pattern, index) => lintAllowPattern(pattern, `allow[${index}]`, probes)),
    ...policy.deny.flatMap((pattern, index) => lintDenyPattern(pattern, `deny[${index}]`)),
    ...policy.allowExact.flatMap((command, index) => lintAllowExact(command, `allow_exact[${index}]`)),
  ];
}

const EMPTY: LintNote = {
  kind: "empty-policy",
  rule: "",
  message: "The policy has no rule, so it says nothing about any command.",
};

function lintAllowPattern(pattern: string, rule: string, probes: readonly RootProbe[]): LintNote[] {
  const compiled = compileCommandStart(pattern);
  if (compiled.kind === "invalid") return [unusable(rule, compiled.message)];
  if (PROBES.every(compiled.matches)) {
    return [{ kind: "catch-all", rule, message: "It matches commands of every kind." }];
  }
  if (cannotMatchAbsolute(pattern)) return [unmatched(rule)];
  const notes: LintNote[] = [];
  const use = rootUseOfPattern(pattern, compiled.matches, probes);
  if (use !== null) notes.push({ rule, ...use });
  if (hasWildcardProgram(pattern)) {
    notes.push({ kind: "wildcard-path", rule, message: "Its pattern stands for more than one program." });
  }
  if (!isClosed(pattern)) {
    notes.push({
      kind: "unanchored-allow",
      rule,
      message: "It does not end with $, so any further arguments are allowed too.",
    });
  }
  return notes;
}

function lintDenyPattern(pattern: string, rule: string): LintNote[] {
  const compiled = compileSearch(pattern);
  if (compiled.kind === "invalid") return [unusable(rule, compiled.message)];
  if (!/(?: |\\s[+*]?)--?\w/.test(pattern)) return [];
  return [
    { kind: "evadable-deny", rule, message: "It names options in one spelling; others, such as -r -f for -rf, pass." },
  ];
}

function lintAllowExact(command: ExactCommand, rule: string): LintNote[] {
  const binary = command.kind === "argv" ? (command.argv[0] ?? "") : (command.line.split(" ", 1)[0] ?? "");
  if (!binary.startsWith("/")) return [unmatched(rule)];
  // A whole command line is pinned, but a bare interpreter reads its program from somewhere else.
  const isBare = command.kind === "argv" ? command.argv.length === 1 : command.line === binary;
  const use = isBare ? rootUseOfBare(binary) : null;
  return use === null ? [] : [{ rule, ...use }];
}

function lintStructured(policy: StructuredCommandPolicy, now: EpochMs): LintNote[] {
  if (policy.rules.length === 0) return [EMPTY];
  const blanket = policy.rules.filter(isBlanketDenial);
  const denied = new Set(blanket.map(({ binary }) => (binary.includes("/") ? canonicalCommandPath(binary) : binary)));
  return policy.rules.filter((rule) => rule.effect === "allow").flatMap((rule) => lintAllowRule(rule, denied, now));
}

function lintAllowRule(rule: CommandRule, denied: ReadonlySet<string>, now: EpochMs): LintNote[] {
  const binary = clip(rule.binary, 120);
  const note = (kind: LintKind, message: string): LintNote[] => [{ kind, rule: rule.id, message }];
  if (rule.expiresAt !== null && now >= rule.expiresAt) {
    return note("expired", `It expired on ${isoDateFromEpoch(rule.expiresAt)} and allows nothing.`);
  }
  if (/[*?[\]{}]/.test(rule.binary)) {
    return note("wildcard-path", `${binary} is taken as it is written; a path has no wildcards here.`);
  }
  if ([canonicalCommandPath(rule.binary), ...programNames(rule.binary)].some((name) => denied.has(name))) {
    return note("never-matches", `A deny rule refuses ${binary} with any arguments.`);
  }
  const use = rootUseOfRule(rule);
  if (use !== null) return [{ rule: rule.id, ...use }];
  const isOpen = rule.args === "any" || rule.args.some((each) => each.kind === "rest" && each.each === "any");
  return isOpen && rule.flags === null ? note("any-arguments", `It allows ${binary} with any arguments.`) : [];
}

function isBlanketDenial(rule: CommandRule): boolean {
  return (
    rule.effect === "deny" && rule.args === "any" && rule.flags === null && rule.runAs === null && rule.cwd === null
  );
}

/** A program's path begins with a slash; a pattern that begins with a word can never meet one. */
function cannotMatchAbsolute(pattern: string): boolean {
  return /^\^?(?:\\b)?[A-Za-z0-9_-](?![*?{])/.test(pattern) && !pattern.includes("|");
}

/** True when the part for the program, before the first space, holds something that repeats. */
function hasWildcardProgram(pattern: string): boolean {
  const program = pattern.split(/ |\\s/, 1)[0] ?? "";
  return /(?:^|[^\\])(?:\.|\\[SwD]|\[(?:[^\]\\]|\\.)+\])[*+{]/.test(program);
}

/** A pattern with | is closed only in its last part, so it counts as open unless it is one group. */
function isClosed(pattern: string): boolean {
  const hasOpenChoice = pattern.includes("|") && !/^\^?\(.*\)\$$/.test(pattern);
  return pattern.endsWith("$") && !pattern.endsWith("\\$") && !hasOpenChoice;
}

function unusable(rule: string, reason: string): LintNote {
  return { kind: "invalid-pattern", rule, message: `It is not a usable regular expression: ${clip(reason, 160)}` };
}

function unmatched(rule: string): LintNote {
  return {
    kind: "never-matches",
    rule,
    message: "It can never match, because a command begins with its absolute path.",
  };
}
