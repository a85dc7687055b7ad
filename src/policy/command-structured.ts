import { baseName } from "../core/path.ts";
import type { CommandRule, StructuredCommandPolicy } from "../schema/command-policy.ts";
import type { Issue } from "../schema/validate.ts";
import { type ArgumentTest, compileArguments } from "./command-arguments.ts";
import type { CommandCase, PreparedRules, RuleHit } from "./command-case.ts";
import { canonicalCommandPath, type CommandView } from "./command-identity.ts";

interface IndexedRule {
  readonly rule: CommandRule;
  readonly hit: RuleHit;
  readonly meets: ArgumentTest;
}

/** Rules by the path or name they are about: a decision looks at the few that can apply. */
export function compileStructured(policy: StructuredCommandPolicy, issues: Issue[]): PreparedRules {
  const denyByName = new Map<string, IndexedRule[]>();
  const allowByPath = new Map<string, IndexedRule[]>();
  for (const [index, rule] of policy.rules.entries()) {
    const meets = compileArguments(rule, (place, message) => {
      issues.push({ path: `/rules/${index}/${place}`, message: `Not a usable regular expression: ${message}` });
    });
    const reason =
      rule.reason ?? (rule.effect === "deny" ? "A rule denies this command" : "A rule allows this command");
    const [map, key] =
      rule.effect === "allow" ? [allowByPath, canonicalCommandPath(rule.binary)] : [denyByName, baseName(rule.binary)];
    const bucket = map.get(key);
    const entry = { rule, hit: { id: rule.id, reason }, meets };
    if (bucket === undefined) map.set(key, [entry]);
    else bucket.push(entry);
  }
  return {
    denied: (command) =>
      [command.view, ...command.inner].flatMap((view) =>
        view.names
          .flatMap((name) => denyByName.get(name) ?? [])
          .filter(({ rule, meets }) => denies(rule, view, command) && meets(view.args))
          .map(({ hit }) => hit),
      ),
    allowed: (command) =>
      (allowByPath.get(command.path) ?? [])
        .filter(({ rule, meets }) => allows(rule, command) && meets(command.view.args))
        .map(({ hit }) => hit),
    unmatched: policy.unmatched,
    runAs: policy.runAs,
  };
}

/** What is not known counts as met. */
function denies(rule: CommandRule, view: CommandView, command: CommandCase): boolean {
  const isNamed =
    !rule.binary.includes("/") || view.paths.length === 0 || view.paths.includes(canonicalCommandPath(rule.binary));
  const isUser = rule.runAs === null || rule.runAs === command.runAs;
  const isFolder = rule.cwd === null || command.cwd === null || isSameFolder(rule.cwd, command.cwd);
  return isNamed && isUser && isFolder;
}

/** What is not known counts as not met. */
function allows(rule: CommandRule, command: CommandCase): boolean {
  const isUser = (rule.runAs ?? "root") === command.runAs;
  const isFolder = rule.cwd === null || rule.cwd === command.cwd;
  const isValid = rule.expiresAt === null || (command.now !== null && command.now < rule.expiresAt);
  return isUser && isFolder && isValid;
}

function isSameFolder(a: string, b: string): boolean {
  return canonicalCommandPath(a) === canonicalCommandPath(b);
}
