import { baseName } from "../core/path.ts";
import type { ExactCommand, OriginalCommandPolicy } from "../schema/command-policy.ts";
import type { Issue } from "../schema/issue.ts";
import { type CommandCase, firstOf, type PreparedRules, type RuleHit } from "./command-case.ts";
import { canonicalCommandPath, type CommandView, unmergedPath } from "./command-identity.ts";
import { createGates } from "./pattern-gate.ts";
import { compileCommandStart, compileSearch, lineOf, type TextPattern } from "./command-pattern.ts";

/**
 * The original's lists. A deny pattern is searched for in every spelling of the command line; an
 * allow pattern must cover the program's one path and end where a word ends.
 */
export function compileOriginal(
  policy: OriginalCommandPolicy,
  issues: Issue[],
): Pick<PreparedRules, "denied" | "allowed"> {
  const deny = compileAll(policy.deny, "deny", compileSearch, issues);
  const allow = compileAll(policy.allow, "allow", compileCommandStart, issues);
  const denyExact = indexExact(policy.denyExact);
  const allowExact = indexExact(policy.allowExact);
  return {
    denied: (command) => {
      const lines = denyLines(command);
      return firstOf([
        deny(lines),
        ...linesIn(denyExact, lines).map((at) => hitOf("deny_exact", at)),
        ...[command.view, ...command.inner].flatMap((view) =>
          view.names
            .flatMap((name) => denyExact.byName.get(name) ?? [])
            .filter((exact) => isNamed(exact, view) && isSame(exact.args, view.args))
            .map(({ at }) => hitOf("deny_exact", at)),
        ),
      ]);
    },
    allowed: (command) => {
      const lines = allowLines(command);
      const named = allowExact.byName.get(baseName(command.path)) ?? [];
      return firstOf([
        allow(lines),
        ...linesIn(allowExact, lines).map((at) => hitOf("allow_exact", at)),
        ...named
          .filter(({ path, args }) => path === command.path && isSame(args, command.view.args))
          .map(({ at }) => hitOf("allow_exact", at)),
      ]);
    },
  };
}

/** The first pattern of a list, by id, that matches any of the lines. */
type FirstMatch = (lines: readonly string[]) => RuleHit | null;

function compileAll(
  patterns: readonly string[],
  list: "deny" | "allow",
  compile: (pattern: string) => TextPattern,
  issues: Issue[],
): FirstMatch {
  const compiled = patterns.flatMap((text, at) => {
    const pattern = compile(text);
    if (pattern.kind === "matcher") return [{ hit: hitOf(list, at), ...pattern }];
    issues.push({ path: `/${list}/${at}`, message: `Not a usable regular expression: ${pattern.message}` });
    return [];
  });
  const rules = compiled.sort((a, b) => (a.hit.id < b.hit.id ? -1 : 1));
  const match = list === "deny" ? "search" : "start";
  const find = createGates(rules.map(({ plain }) => (plain === null ? null : { at: null, pattern: plain, match })));
  return (lines) => rules[find(lines, (index) => lines.some((line) => rules[index]?.matches(line)))]?.hit ?? null;
}

function hitOf(list: string, at: number): RuleHit {
  const isDeny = list.startsWith("deny");
  return { id: `${list}[${at}]`, reason: isDeny ? "A rule denies this command" : "A rule allows this command" };
}

/** As written, under every path and name of the program, and what a launcher would start. */
function denyLines({ argv, view, inner }: CommandCase): string[] {
  const lines = [argv.join(" ")];
  for (const { paths, names, args } of [view, ...inner]) {
    const programs = [...paths, ...paths.flatMap((path) => unmergedPath(path) ?? []), ...names];
    lines.push(...programs.map((program) => [program, ...args].join(" ")));
  }
  return [...new Set(lines)];
}

function allowLines({ path, view }: CommandCase): string[] {
  const paths = [path, unmergedPath(path)].filter((each) => each !== null);
  return paths.map((each) => lineOf([each, ...view.args]));
}

interface ExactArgv {
  readonly at: number;
  /** Null where the rule gives a bare name. */
  readonly path: string | null;
  readonly args: readonly string[];
}

/** Whole commands by what they can be found with at once. */
interface ExactIndex {
  readonly byLine: ReadonlyMap<string, readonly number[]>;
  readonly byName: ReadonlyMap<string, readonly ExactArgv[]>;
}

function indexExact(commands: readonly ExactCommand[]): ExactIndex {
  const byLine = new Map<string, number[]>();
  const byName = new Map<string, ExactArgv[]>();
  for (const [at, command] of commands.entries()) {
    if (command.kind === "line") {
      const line = canonicalLine(command.line);
      byLine.set(line, [...(byLine.get(line) ?? []), at]);
      continue;
    }
    const [program = "", ...args] = command.argv;
    const path = program.startsWith("/") ? canonicalCommandPath(program) : null;
    const bucket = byName.get(baseName(program));
    if (bucket === undefined) byName.set(baseName(program), [{ at, path, args }]);
    else bucket.push({ at, path, args });
  }
  return { byLine, byName };
}

function linesIn({ byLine }: ExactIndex, lines: readonly string[]): number[] {
  return lines.flatMap((line) => byLine.get(line) ?? []);
}

/** A bare name, of the rule or of a launcher's operand, may be any program of that name. */
function isNamed({ path }: ExactArgv, view: CommandView): boolean {
  return path === null || view.paths.length === 0 || view.paths.includes(path);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

/** A line of the original's form has no quoting, so its first word ends at the first space. */
function canonicalLine(line: string): string {
  const end = line.indexOf(" ");
  const program = end === -1 ? line : line.slice(0, end);
  return program.startsWith("/") ? canonicalCommandPath(program) + line.slice(program.length) : line;
}
