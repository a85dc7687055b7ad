import { SecurityError } from "../core/error.ts";
import type { RefusalCode } from "../core/refusal.ts";
import { clip } from "../core/text.ts";
import { type CommandPolicy, type OriginalCommandPolicy, parseCommandPolicy } from "../schema/command-policy.ts";
import type { Issue } from "../schema/issue.ts";
import { invalid } from "../schema/validate.ts";
import { type CommandCase, type CommandContext, type PreparedRules, readCase } from "./command-case.ts";
import { compileOriginal } from "./command-original.ts";
import { compileStructured } from "./command-structured.ts";

/** `permit` only means that a human may be asked. */
export type Verdict =
  | {
      readonly kind: "permit";
      /** Null where no rule was needed. */
      readonly ruleId: string | null;
      readonly code: "rule-allows" | "no-rule";
      readonly reason: string;
    }
  | {
      readonly kind: "deny";
      readonly ruleId: string | null;
      readonly code: Extract<
        RefusalCode,
        "policy-denied" | "policy-unmatched" | "policy-broken" | "invalid-request" | "command-not-absolute"
      >;
      readonly reason: string;
    };

const COMPILED: unique symbol = Symbol("compiled command policy");

/** A command policy whose patterns are compiled and whose rules are indexed. */
export interface CompiledPolicy {
  readonly [COMPILED]: PreparedRules;
  readonly policy: CommandPolicy;
}

/**
 * Reads and prepares a command policy of either form.
 * @throws {SecurityError} policy-invalid with every issue in `details.issues`, schema-version-unsupported
 */
export function parsePolicy(value: unknown): CompiledPolicy {
  return compilePolicy(parseCommandPolicy(value));
}

/** @throws {SecurityError} policy-invalid, naming each pattern that is no regular expression */
export function compilePolicy(policy: CommandPolicy): CompiledPolicy {
  const issues: Issue[] = [];
  const rules = policy.form === "original" ? prepareOriginal(policy, issues) : compileStructured(policy, issues);
  if (issues.length > 0) throw invalid("command-policy.json", "policy-invalid", issues);
  return { [COMPILED]: rules, policy };
}

/**
 * Whether a human may be asked about a command. Total: anything that is no command or no policy is
 * denied. Deny rules win, their order does not matter, and they also hold for what a launcher such as
 * env would start. A policy that was not compiled before is compiled each time.
 */
export function evaluateCommand(
  argv: readonly string[],
  policy: CompiledPolicy | CommandPolicy,
  context: CommandContext = {},
): Verdict {
  try {
    const command = readCase(argv, context);
    return "code" in command ? { kind: "deny", ruleId: null, ...command } : decide(command, preparedRules(policy));
  } catch (thrown) {
    const reason = thrown instanceof SecurityError ? thrown.message : "The command policy cannot be used";
    return { kind: "deny", ruleId: null, code: "policy-broken", reason };
  }
}

function decide(command: CommandCase, rules: PreparedRules): Verdict {
  const deny = rules.denied(command);
  if (deny !== null) return { kind: "deny", ruleId: deny.id, code: "policy-denied", reason: deny.reason };
  const allow = rules.allowed(command);
  if (allow !== null) return { kind: "permit", ruleId: allow.id, code: "rule-allows", reason: allow.reason };
  if (rules.unmatched === "deny") {
    return { kind: "deny", ruleId: null, code: "policy-unmatched", reason: "No rule allows this command" };
  }
  if (!rules.runAs.includes(command.runAs)) {
    const reason = `No rule allows running this as ${clip(command.runAs, 60)}, only as ${rules.runAs.join(", ")}`;
    return { kind: "deny", ruleId: null, code: "policy-unmatched", reason };
  }
  return { kind: "permit", ruleId: null, code: "no-rule", reason: "No rule speaks about this command" };
}

function preparedRules(policy: unknown): PreparedRules {
  if (typeof policy === "object" && policy !== null && COMPILED in policy) return (policy as CompiledPolicy)[COMPILED];
  const isParsed = typeof policy === "object" && policy !== null && "form" in policy;
  return (isParsed ? compilePolicy(policy as CommandPolicy) : parsePolicy(policy))[COMPILED];
}

function prepareOriginal(policy: OriginalCommandPolicy, issues: Issue[]): PreparedRules {
  const rules = compileOriginal(policy, issues);
  const hasAllow = policy.allow.length + policy.allowExact.length > 0;
  return { ...rules, unmatched: hasAllow ? "deny" : "ask", runAs: ["root"] };
}
