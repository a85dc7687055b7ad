import { RE2JS } from "re2js";
import { baseName } from "../core/path.ts";
import { clip } from "../core/text.ts";
import { type EpochMs, isoDateFromEpoch } from "../core/time.ts";
import type {
  CommandPolicy,
  ExactCommand,
  OriginalCommandPolicy,
  StructuredCommandPolicy,
} from "../schema/command-policy.ts";

/** Something in a command policy that its author should see. */
export interface LintNote {
  readonly kind:
    | "empty-policy"
    | "invalid-pattern"
    | "catch-all"
    | "allows-interpreter"
    | "unanchored-allow"
    | "never-matches"
    | "any-arguments"
    | "expired";
  /** Where: a list with its position, e.g. "allow[0]", or a rule id. Empty for the whole policy. */
  readonly rule: string;
  readonly message: string;
}

/** Programs that run what their arguments or input say: approving them approves everything. */
const INTERPRETERS: readonly string[] = [
  "sh bash dash zsh ksh fish csh tcsh busybox",
  "python python2 python3 perl ruby node nodejs deno bun php lua tclsh awk gawk",
  "env xargs find nohup setsid timeout nice ionice stdbuf watch script expect make",
  "su sudo doas pkexec runuser setpriv nsenter unshare chroot systemd-run",
  "vi vim nano emacs less more man gdb strace docker podman",
].flatMap((line) => line.split(" "));

const FOLDERS = ["/bin", "/usr/bin", "/usr/local/bin", "/usr/sbin", "/sbin"] as const;

/** Commands nobody would write a rule for; a pattern that matches all of them names no command. */
const PROBES = ["/opt/q7zk/x0wv", "/usr/bin/q7zkx0wv --flag value", "/usr/sbin/w3qj 1"] as const;

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
  return [
    ...policy.allow.flatMap((pattern, index) => lintAllowPattern(pattern, `allow[${index}]`)),
    ...policy.deny.flatMap((pattern, index) => lintDenyPattern(pattern, `deny[${index}]`)),
    ...policy.allowExact.flatMap((command, index) => lintExact(command, `allow_exact[${index}]`, true)),
    ...policy.denyExact.flatMap((command, index) => lintExact(command, `deny_exact[${index}]`, false)),
  ];
}

const EMPTY: LintNote = {
  kind: "empty-policy",
  rule: "",
  message: "The policy has no rule, so it says nothing about any command.",
};

function lintAllowPattern(pattern: string, rule: string): LintNote[] {
  const compiled = compile(pattern);
  if (typeof compiled === "string") return [unusable(rule, compiled)];
  if (PROBES.every((probe) => finds(compiled, probe))) {
    return [{ kind: "catch-all", rule, message: "It matches commands of every kind." }];
  }
  if (cannotMatchAbsolute(pattern)) return [unmatched(rule)];
  const notes: LintNote[] = [];
  const program = INTERPRETERS.find((name) => FOLDERS.some((folder) => finds(compiled, `${folder}/${name} x`)));
  if (program !== undefined) {
    notes.push({ kind: "allows-interpreter", rule, message: `It allows ${program}, which runs whatever it is given.` });
  }
  if (!isAnchored(pattern)) {
    notes.push({
      kind: "unanchored-allow",
      rule,
      message: "It is not anchored with ^ and $, so it also matches commands that only contain it.",
    });
  }
  return notes;
}

function lintDenyPattern(pattern: string, rule: string): LintNote[] {
  const compiled = compile(pattern);
  if (typeof compiled === "string") return [unusable(rule, compiled)];
  return cannotMatchAbsolute(pattern) ? [unmatched(rule)] : [];
}

function lintExact(command: ExactCommand, rule: string, isAllow: boolean): LintNote[] {
  const binary = command.kind === "argv" ? (command.argv[0] ?? "") : (command.line.split(" ", 1)[0] ?? "");
  if (!binary.startsWith("/")) return [unmatched(rule)];
  // A whole command line is pinned, but a bare interpreter reads its program from somewhere else.
  const isBare = command.kind === "argv" ? command.argv.length === 1 : command.line === binary;
  return isAllow && isBare && isInterpreter(binary) ? [interpreter(rule, binary)] : [];
}

function lintStructured(policy: StructuredCommandPolicy, now: EpochMs): LintNote[] {
  if (policy.rules.length === 0) return [EMPTY];
  const notes: LintNote[] = [];
  for (const rule of policy.rules) {
    if (rule.effect === "deny") continue;
    if (rule.expiresAt !== null && now >= rule.expiresAt) {
      const message = `It expired on ${isoDateFromEpoch(rule.expiresAt)} and allows nothing.`;
      notes.push({ kind: "expired", rule: rule.id, message });
    } else if (isInterpreter(rule.binary) && (rule.args === "any" || rule.args.length === 0)) {
      notes.push(interpreter(rule.id, rule.binary));
    } else if (rule.args === "any") {
      const message = `It allows ${clip(rule.binary, 120)} with any arguments.`;
      notes.push({ kind: "any-arguments", rule: rule.id, message });
    }
  }
  return notes;
}

function compile(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    // Whatever the compiler throws, the pattern is unusable, and that is the finding.
    return error instanceof Error ? error.message : String(error);
  }
}

/** Original patterns are searched for anywhere in the command line. */
function finds(pattern: RE2JS, text: string): boolean {
  return pattern.matcher(text).find();
}

/** Commands begin with a slash; a pattern that begins with ^ and a word can never meet one. */
function cannotMatchAbsolute(pattern: string): boolean {
  return /^\^[A-Za-z0-9_-](?![*?{])/.test(pattern) && !pattern.includes("|");
}

/** A pattern with | is anchored only in its first or last part, so it counts as open. */
function isAnchored(pattern: string): boolean {
  const hasOpenChoice = pattern.includes("|") && !/^\^\(.*\)\$$/.test(pattern);
  return pattern.startsWith("^") && pattern.endsWith("$") && !pattern.endsWith("\\$") && !hasOpenChoice;
}

function isInterpreter(binary: string): boolean {
  const name = baseName(binary);
  const bare = name.replace(/[\d.]+$/, "");
  return INTERPRETERS.some((each) => each === name || each === bare);
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

function interpreter(rule: string, binary: string): LintNote {
  return {
    kind: "allows-interpreter",
    rule,
    message: `It allows ${clip(binary, 120)}, which runs whatever it is given.`,
  };
}
