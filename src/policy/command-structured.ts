import { baseName } from "../core/path.ts";
import type { CommandRule, StructuredCommandPolicy } from "../schema/command-policy.ts";
import type { Issue } from "../schema/issue.ts";
import { type ArgumentTest, compileArguments } from "./command-arguments.ts";
import { type CommandCase, firstOf, type PreparedRules, type RuleHit } from "./command-case.ts";
import { canonicalCommandPath, type CommandView } from "./command-identity.ts";
import { createGates, type FindRule, type Gate } from "./pattern-gate.ts";

interface IndexedRule {
  readonly rule: CommandRule;
  readonly hit: RuleHit;
  readonly meets: ArgumentTest;
  readonly gate: Gate | null;
  /** Of the rule's program; null where it gives a name for every folder. */
  readonly path: string | null;
}

/**
 * Rules by the path or name they are about: a decision looks at the few that can apply, in the order of their
 * ids, and no further than the first that meets.
 */
export function compileStructured(policy: StructuredCommandPolicy, issues: Issue[]): PreparedRules {
  const denyByName = new Map<string, IndexedRule[]>();
  const allowByPath = new Map<string, IndexedRule[]>();
  for (const [index, rule] of policy.rules.entries()) {
    const { meets, gate } = compileArguments(rule, (place, message) => {
      issues.push({ path: `/rules/${index}/${place}`, message: `Not a usable regular expression: ${message}` });
    });
    const reason =
      rule.reason ?? (rule.effect === "deny" ? "A rule denies this command" : "A rule allows this command");
    const [map, key] =
      rule.effect === "allow" ? [allowByPath, canonicalCommandPath(rule.binary)] : [denyByName, baseName(rule.binary)];
    const bucket = map.get(key);
    const path = rule.binary.includes("/") ? canonicalCommandPath(rule.binary) : null;
    const entry = { rule, hit: { id: rule.id, reason }, meets, gate, path };
    if (bucket === undefined) map.set(key, [entry]);
    else bucket.push(entry);
  }
  const denies = bucketsOf(denyByName);
  const allows = bucketsOf(allowByPath);
  return {
    denied: (command) =>
      firstOf(
        [command.view, ...command.inner].flatMap((view) =>
          view.names.map((name) =>
            firstMet(denies.get(name), view.args, (each) => isAbout(each, view, command) && each.meets(view.args)),
          ),
        ),
      ),
    allowed: (command) =>
      firstMet(
        allows.get(command.path),
        command.view.args,
        ({ rule, meets }) => mayAllow(rule, command) && meets(command.view.args),
      ),
    unmatched: policy.unmatched,
    runAs: policy.runAs,
  };
}

/** Rules about one program, in the order of their ids. */
interface Bucket {
  readonly rules: readonly IndexedRule[];
  readonly find: FindRule;
}

function bucketsOf(rules: ReadonlyMap<string, readonly IndexedRule[]>): ReadonlyMap<string, Bucket> {
  return new Map(
    [...rules].map(([key, bucket]) => {
      const inOrder = bucket.toSorted((a, b) => (a.hit.id < b.hit.id ? -1 : 1));
      return [key, { rules: inOrder, find: createGates(inOrder.map(({ gate }) => gate)) }];
    }),
  );
}

function firstMet(
  bucket: Bucket | undefined,
  args: readonly string[],
  meets: (rule: IndexedRule) => boolean,
): RuleHit | null {
  if (bucket === undefined) return null;
  const { rules, find } = bucket;
  const isMet = (index: number): boolean => {
    const rule = rules[index];
    return rule !== undefined && meets(rule);
  };
  return rules[find(args, isMet)]?.hit ?? null;
}

/** For a deny rule: what is not known counts as met. */
function isAbout({ rule, path }: IndexedRule, view: CommandView, command: CommandCase): boolean {
  const isNamed = path === null || view.paths.length === 0 || view.paths.includes(path);
  const isUser = rule.runAs === null || rule.runAs === command.runAs;
  const isFolder = rule.cwd === null || command.cwd === null || isSameFolder(rule.cwd, command.cwd);
  return isNamed && isUser && isFolder;
}

/** For an allow rule: what is not known counts as not met. */
function mayAllow(rule: CommandRule, command: CommandCase): boolean {
  const isUser = (rule.runAs ?? "root") === command.runAs;
  const isFolder = rule.cwd === null || rule.cwd === command.cwd;
  const isValid = rule.expiresAt === null || (command.now !== null && command.now < rule.expiresAt);
  return isUser && isFolder && isValid;
}

function isSameFolder(a: string, b: string): boolean {
  return canonicalCommandPath(a) === canonicalCommandPath(b);
}
