import { type Static, Type } from "@sinclair/typebox";
import { SecurityError } from "../core/error.ts";
import { isCanonicalPath } from "../core/path.ts";
import { type EpochMs, epochFromIso } from "../core/time.ts";
import { type Issue, invalid, parseWith } from "./validate.ts";

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
  readonly rules: readonly CommandRule[];
}

export interface CommandRule {
  readonly id: string;
  readonly effect: "allow" | "deny";
  /** Absolute and canonical; a deny rule may also give a base name, which holds in every folder. */
  readonly binary: string;
  /** The exact arguments after the command, or "any". */
  readonly args: "any" | readonly string[];
  readonly runAs: string | null;
  readonly cwd: string | null;
  readonly reason: string | null;
  readonly owner: string | null;
  /** First moment at which an allow rule no longer holds; a deny rule has no end. */
  readonly expiresAt: EpochMs | null;
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

const V2_RULE = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" }),
    effect: Type.Union([Type.Literal("allow"), Type.Literal("deny")]),
    binary: text,
    args: Type.Union([Type.Literal("any"), Type.Array(Type.String({ maxLength: MAX_TEXT }))]),
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
    rules: Type.Array(V2_RULE),
  },
  closed,
);

/**
 * Reads either form of the command policy. Patterns are not compiled here; `lintCommandPolicy`
 * reports those that are no regular expressions.
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
  return { form: "v2", unmatched: policy.unmatched, rules };
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
  return {
    id: rule.id,
    effect: rule.effect,
    binary: rule.binary,
    args: rule.args,
    runAs: rule.run_as ?? null,
    cwd: rule.cwd ?? null,
    reason: rule.reason ?? null,
    owner: rule.owner ?? null,
    expiresAt,
  };
}
