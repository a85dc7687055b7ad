import { type Static, Type } from "@sinclair/typebox";
import { SecurityError } from "../core/error.ts";
import { isCanonicalPath } from "../core/path.ts";
import { type EpochMs, epochFromIso } from "../core/time.ts";
import type { Issue } from "./issue.ts";
import { invalid, parseWith } from "./validate.ts";

/**
 * `command-policy.json` in its two forms. In both, deny wins, and being allowed only means that a
 * human may be asked.
 */
export type CommandPolicy = OriginalCommandPolicy | StructuredCommandPolicy;

/**
 * The original's form. `allow` and `deny` are regular expressions over the joined command line;
 * the exact lists hold whole commands. A key that is absent is an empty list.
 */
export interface OriginalCommandPolicy {
  readonly form: "original";
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly allowExact: readonly ExactCommand[];
  readonly denyExact: readonly ExactCommand[];
}

/** A whole command: word by word, or the words joined by single spaces as the original wrote it. */
export type ExactCommand =
  | { readonly kind: "argv"; readonly argv: readonly string[] }
  | { readonly kind: "line"; readonly line: string };

export interface StructuredCommandPolicy {
  readonly form: "v2";
  /** What happens to a command no rule matches: refused, or put before a human. */
  readonly unmatched: "ask" | "deny";
  /** Accounts for which a human may be asked without a rule that names them. */
  readonly runAs: readonly string[];
  readonly rules: readonly CommandRule[];
}

export interface CommandRule {
  readonly id: string;
  readonly effect: "allow" | "deny";
  /** Absolute and canonical; a deny rule may also give a base name, which holds in every folder. */
  readonly binary: string;
  /** One matcher for each argument in order, or "any". With `flags`, an allow rule's are about the operands. */
  readonly args: "any" | readonly ArgumentMatcher[];
  readonly flags: FlagMatcher | null;
  /** Null: root for an allow rule, every account for a deny rule. */
  readonly runAs: string | null;
  readonly cwd: string | null;
  readonly reason: string | null;
  readonly owner: string | null;
  /** First moment at which an allow rule no longer holds; a deny rule has no end. */
  readonly expiresAt: EpochMs | null;
}

export type ArgumentMatcher =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one-of"; readonly texts: readonly string[] }
  /** A path at or below the folder, by its text. */
  | { readonly kind: "path-under"; readonly folder: string }
  /** Must match the whole word; in linear time (RE2). */
  | { readonly kind: "regex"; readonly pattern: string }
  /** Last: any number of further words, each of which meets the matcher. */
  | { readonly kind: "rest"; readonly each: "any" | Exclude<ArgumentMatcher, { kind: "rest" }> };

/**
 * Options in whatever spelling and order: `-rf`, `-f -r`, `--recursive --force`. `required` holds
 * groups of equal spellings, one of each must be given. An allow rule permits no option that is
 * neither required nor optional; a deny rule does not care about others.
 */
export interface FlagMatcher {
  readonly required: readonly (readonly string[])[];
  readonly optional: readonly string[];
}

const WHAT = "command-policy.json";
const MAX_TEXT = 4000;
const text = Type.String({ minLength: 1, maxLength: MAX_TEXT });
const closed = { additionalProperties: false } as const;

const patterns = Type.Optional(Type.Array(text));
const exact = Type.Optional(
  Type.Array(Type.Union([text, Type.Array(Type.String({ maxLength: MAX_TEXT }), { minItems: 1 })])),
);
const ORIGINAL = Type.Object({ allow: patterns, deny: patterns, allow_exact: exact, deny_exact: exact }, closed);

const oneOf = Type.Object({ one_of: Type.Array(Type.String({ maxLength: MAX_TEXT }), { minItems: 1 }) }, closed);
const pathUnder = Type.Object({ path_under: text }, closed);
const regex = Type.Object({ regex: text }, closed);
const rest = Type.Object({ rest: Type.Union([Type.Literal("any"), oneOf, pathUnder, regex]) }, closed);
const MATCHER = Type.Union([Type.String({ maxLength: MAX_TEXT }), oneOf, pathUnder, regex, rest]);
const spelling = Type.String({ pattern: "^(-[^-=\\s]|--?[A-Za-z0-9][^=\\s]*)$", maxLength: 100 });
const FLAGS = Type.Object(
  {
    required: Type.Optional(Type.Array(Type.Array(spelling, { minItems: 1 }))),
    optional: Type.Optional(Type.Array(spelling)),
  },
  closed,
);

const V2_RULE = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" }),
    effect: Type.Union([Type.Literal("allow"), Type.Literal("deny")]),
    binary: text,
    args: Type.Union([Type.Literal("any"), Type.Array(MATCHER)]),
    flags: Type.Optional(FLAGS),
    run_as: Type.Optional(text),
    cwd: Type.Optional(text),
    reason: Type.Optional(text),
    owner: Type.Optional(text),
    expires: Type.Optional(Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })),
  },
  closed,
);
const V2 = Type.Object(
  {
    schemaVersion: Type.Literal(2),
    unmatched: Type.Union([Type.Literal("ask"), Type.Literal("deny")]),
    run_as: Type.Optional(Type.Array(text)),
    rules: Type.Array(V2_RULE),
  },
  closed,
);

/**
 * Reads either form of the command policy. Patterns are not compiled here; `compilePolicy`
 * refuses those that are no regular expressions.
 * @throws {SecurityError} policy-invalid with every issue in `details.issues`, schema-version-unsupported
 */
export function parseCommandPolicy(value: unknown): CommandPolicy {
  const versioned = typeof value === "object" && value !== null && "schemaVersion" in value;
  if (!versioned) return fromOriginal(parseWith(ORIGINAL, value, WHAT, "policy-invalid"));
  if (typeof value.schemaVersion === "number" && value.schemaVersion !== 2) {
    throw new SecurityError(
      "schema-version-unsupported",
      `${WHAT} has schemaVersion ${value.schemaVersion}; this release reads 2`,
      { hint: "Use the release that wrote it, or create the file again with `cse init`." },
    );
  }
  const policy = parseWith(V2, value, WHAT, "policy-invalid");
  const issues: Issue[] = [];
  const seen = new Set<string>();
  const rules = policy.rules.map((rule, index) => {
    if (seen.has(rule.id))
      issues.push({ path: `/rules/${index}/id`, message: "Expected an id that no other rule has" });
    seen.add(rule.id);
    return fromRecord(rule, index, issues);
  });
  if (issues.length > 0) throw invalid(WHAT, "policy-invalid", issues);
  return { form: "v2", unmatched: policy.unmatched, runAs: policy.run_as ?? ["root"], rules };
}

function fromOriginal(policy: Static<typeof ORIGINAL>): OriginalCommandPolicy {
  return {
    form: "original",
    allow: policy.allow ?? [],
    deny: policy.deny ?? [],
    allowExact: (policy.allow_exact ?? []).map(exactCommand),
    denyExact: (policy.deny_exact ?? []).map(exactCommand),
  };
}

function exactCommand(entry: string | readonly string[]): ExactCommand {
  return typeof entry === "string" ? { kind: "line", line: entry } : { kind: "argv", argv: entry };
}

function fromRecord(rule: Static<typeof V2_RULE>, index: number, issues: Issue[]): CommandRule {
  const report = (key: string, message: string): void => {
    issues.push({ path: `/rules/${index}/${key}`, message });
  };
  const isBaseName = !rule.binary.includes("/");
  if (!isCanonicalPath(rule.binary) && !(rule.effect === "deny" && isBaseName)) {
    report("binary", "Expected an absolute path without . or .. (a deny rule may give a base name)");
  }
  if (rule.cwd !== undefined && rule.cwd !== "/" && !isCanonicalPath(rule.cwd)) {
    report("cwd", "Expected an absolute path without . or ..");
  }
  const expiresAt = rule.expires === undefined ? null : epochFromIso(rule.expires);
  if (rule.expires !== undefined && expiresAt === null) {
    report("expires", "Expected a calendar date such as 2027-01-31");
  }
  // A deny rule that ends would open the policy on its own one day.
  if (rule.expires !== undefined && rule.effect === "deny") report("expires", "A deny rule cannot expire");
  const args =
    rule.args === "any" ? "any" : rule.args.map((each, at) => fromMatcher(each, (m) => report(`args/${at}`, m)));
  if (args !== "any" && args.slice(0, -1).some((each) => each.kind === "rest")) {
    report("args", "Expected `rest` in the last place only");
  }
  const flags = rule.flags === undefined ? null : fromFlags(rule.flags);
  if (flags !== null && rule.effect === "deny") {
    // Anything that narrows a deny rule with flags would be a way around it.
    if (rule.args !== "any") report("args", 'Expected "any" in a deny rule with flags');
    if (flags.optional.length > 0) report("flags/optional", "A deny rule cares about required flags only");
    if (flags.required.length === 0) report("flags/required", "Expected at least one group of flags");
  }
  return {
    id: rule.id,
    effect: rule.effect,
    binary: rule.binary,
    args,
    flags,
    runAs: rule.run_as ?? null,
    cwd: rule.cwd ?? null,
    reason: rule.reason ?? null,
    owner: rule.owner ?? null,
    expiresAt,
  };
}

function fromFlags(flags: Static<typeof FLAGS>): FlagMatcher {
  return { required: flags.required ?? [], optional: flags.optional ?? [] };
}

function fromMatcher(value: Static<typeof MATCHER>, report: (message: string) => void): ArgumentMatcher {
  if (typeof value === "string") return { kind: "literal", text: value };
  if (!("rest" in value)) return fromWordMatcher(value, report);
  return { kind: "rest", each: value.rest === "any" ? "any" : fromWordMatcher(value.rest, report) };
}

function fromWordMatcher(
  value: Static<typeof oneOf> | Static<typeof pathUnder> | Static<typeof regex>,
  report: (message: string) => void,
): Exclude<ArgumentMatcher, { kind: "rest" }> {
  if ("one_of" in value) return { kind: "one-of", texts: value.one_of };
  if ("regex" in value) return { kind: "regex", pattern: value.regex };
  if (!isCanonicalPath(value.path_under)) report("Expected an absolute folder without . or ..");
  return { kind: "path-under", folder: value.path_under };
}
