import { type Static, Type } from "@sinclair/typebox";
import { parseAddress } from "../core/address.ts";
import { SecurityError } from "../core/error.ts";
import type { Protocol, Scope } from "../core/network.ts";
import { isCanonicalPath } from "../core/path.ts";
import { type EpochMs, epochFromIso } from "../core/time.ts";
import type { Issue } from "./issue.ts";
import { invalid, parseWith } from "./validate.ts";

/**
 * The port baseline, `approved_ports.json`, in its two forms.
 *
 * Original form: an array of `{port, protocol, command?, comment?}`; a `pid`, which the original's
 * generator also wrote, is accepted and ignored. It has no bind scope and no review mark, because
 * that file was by definition reviewed: it approves its port on every scope (`bind: any`).
 *
 * v2: `{schemaVersion: 2, rules: [...]}`. A rule has `protocol`; `port` or `ports: "8000-8010"`;
 * `scope` (`loopback`, `private`, `public`, `all-interfaces`, or the explicit `any`) or `address`;
 * `reviewed`; and optionally `device`, `exe` (absolute) or `command` (base name), `unit`, `user`
 * (name or uid), `owner`, `justification`, `expires` (ISO date: approves nothing from midnight UTC
 * of that day on) and `comment`. Scope and review mark have no default: a forgotten one would approve.
 */
export interface PortBaseline {
  readonly form: "original" | "v2";
  readonly rules: readonly PortRule[];
}

export interface PortRule {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly protocol: Protocol;
  readonly ports: PortRange;
  readonly bind: RuleBind;
  readonly device: string | null;
  /** Absolute and canonical. */
  readonly exe: string | null;
  /** Base name of the executable, or the kernel's name where the executable is unknown; never set beside `exe`. */
  readonly command: string | null;
  readonly unit: string | null;
  /** Name, or uid in decimal digits. */
  readonly user: string | null;
  readonly owner: string | null;
  readonly justification: string | null;
  /** False for entries that were generated and that nobody has looked at; those approve nothing. */
  readonly reviewed: boolean;
  /** First moment at which the rule no longer approves. */
  readonly expiresAt: EpochMs | null;
  readonly comment: string | null;
}

/** A v2 rule as it stands in the file. */
export interface PortRuleRecord {
  protocol: Protocol;
  port?: number;
  /** "lower-higher", inclusive. */
  ports?: string;
  scope?: Scope | "any";
  address?: string;
  device?: string;
  exe?: string;
  command?: string;
  unit?: string;
  user?: string;
  owner?: string;
  justification?: string;
  reviewed: boolean;
  /** ISO date. */
  expires?: string;
  comment?: string;
}

/** Inclusive, 1 to 65535. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Where a rule lets a socket be bound. `any` is what the original form means. */
export type RuleBind =
  | { readonly kind: "any" }
  | { readonly kind: "scope"; readonly scope: Scope }
  | { readonly kind: "address"; readonly address: string };

/** What a baseline says about one listener. */
export type PortVerdict =
  | {
      readonly kind: "approved";
      readonly rule: PortRule;
      /** How sure the match is: `kernel-name` rests on a name the process chose, `port-only` names no process. */
      readonly basis: "process" | "kernel-name" | "port-only";
    }
  | {
      readonly kind: "unapproved";
      readonly reason: UnapprovedReason;
      /** One clause for a person. */
      readonly detail: string;
      /** The rule that came closest. */
      readonly nearest: PortRule | null;
    }
  | { readonly kind: "unverifiable"; readonly rule: PortRule; readonly detail: string };

export type UnapprovedReason = "no-baseline" | "no-rule" | "other-bind" | "other-process" | "unreviewed" | "expired";

const MAX_TEXT = 1000;
const MAX_ISSUES = 20;
const WHAT = "approved_ports.json";

const text = Type.String({ minLength: 1, maxLength: MAX_TEXT });
const note = Type.String({ maxLength: MAX_TEXT });
const portNumber = Type.Integer({ minimum: 1, maximum: 65_535 });
const protocol = Type.Union([Type.Literal("tcp"), Type.Literal("udp")]);
const closed = { additionalProperties: false } as const;

const ORIGINAL = Type.Array(
  Type.Object(
    {
      port: portNumber,
      protocol,
      command: Type.Optional(text),
      comment: Type.Optional(note),
      pid: Type.Optional(Type.Union([Type.Integer(), Type.String({ maxLength: 20 }), Type.Null()])),
    },
    closed,
  ),
);

const V2_RULE = Type.Object(
  {
    protocol,
    port: Type.Optional(portNumber),
    ports: Type.Optional(Type.String({ pattern: "^[0-9]{1,5}-[0-9]{1,5}$" })),
    scope: Type.Optional(
      Type.Union([
        Type.Literal("loopback"),
        Type.Literal("private"),
        Type.Literal("public"),
        Type.Literal("all-interfaces"),
        Type.Literal("any"),
      ]),
    ),
    address: Type.Optional(text),
    device: Type.Optional(text),
    exe: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
    command: Type.Optional(text),
    unit: Type.Optional(text),
    user: Type.Optional(text),
    owner: Type.Optional(text),
    justification: Type.Optional(text),
    reviewed: Type.Boolean(),
    expires: Type.Optional(Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })),
    comment: Type.Optional(note),
  },
  closed,
);
const V2 = Type.Object({ schemaVersion: Type.Literal(2), rules: Type.Array(V2_RULE) }, closed);

/**
 * Reads either form of the port baseline.
 * @throws {SecurityError} baseline-invalid with every issue in `details.issues`, schema-version-unsupported
 */
export function parseApprovedPorts(value: unknown): PortBaseline {
  if (Array.isArray(value)) {
    const rules = parseWith(ORIGINAL, value, WHAT, "baseline-invalid");
    return { form: "original", rules: rules.map((rule, index) => fromOriginal(rule, index)) };
  }
  assertSchemaVersion(value);
  const issues: Issue[] = [];
  const rules = parseWith(V2, value, WHAT, "baseline-invalid").rules.map((rule, index) =>
    fromRecord(rule, index, issues),
  );
  if (issues.length > 0) throw invalid(WHAT, "baseline-invalid", issues.slice(0, MAX_ISSUES));
  return { form: "v2", rules };
}

/** An object with another version is not a damaged file but one this release cannot read. */
function assertSchemaVersion(value: unknown): void {
  if (typeof value !== "object" || value === null || !("schemaVersion" in value)) return;
  const version = value.schemaVersion;
  if (typeof version !== "number" || version === 2) return;
  throw new SecurityError("schema-version-unsupported", `${WHAT} has schemaVersion ${version}; this release reads 2`, {
    hint: "Use the release that wrote it, or generate the file again with `cse baseline generate`.",
  });
}

function fromOriginal(rule: Static<typeof ORIGINAL>[number], index: number): PortRule {
  return {
    index,
    protocol: rule.protocol,
    ports: { first: rule.port, last: rule.port },
    bind: { kind: "any" },
    device: null,
    exe: null,
    command: rule.command ?? null,
    unit: null,
    user: null,
    owner: null,
    justification: null,
    reviewed: true,
    expiresAt: null,
    comment: rule.comment ?? null,
  };
}

function fromRecord(rule: PortRuleRecord, index: number, issues: Issue[]): PortRule {
  const report = (key: string, message: string): void => {
    issues.push({ path: `/rules/${index}${key}`, message });
  };
  if (rule.exe !== undefined && rule.command !== undefined) report("", "Give `exe` or `command`, not both");
  if (rule.exe !== undefined && !isCanonicalPath(rule.exe)) report("/exe", "Expected an absolute path without . or ..");
  if (rule.command?.includes("/")) report("/command", "Expected a base name; a path belongs in `exe`");
  return {
    index,
    protocol: rule.protocol,
    ports: portsOf(rule, report),
    bind: bindOf(rule, report),
    device: rule.device ?? null,
    exe: rule.exe ?? null,
    command: rule.command ?? null,
    unit: rule.unit ?? null,
    user: rule.user ?? null,
    owner: rule.owner ?? null,
    justification: rule.justification ?? null,
    reviewed: rule.reviewed,
    expiresAt: expiryOf(rule, report),
    comment: rule.comment ?? null,
  };
}

type Report = (key: string, message: string) => void;

function portsOf(rule: PortRuleRecord, report: Report): PortRange {
  if ((rule.port === undefined) === (rule.ports === undefined)) report("", "Give exactly one of `port` and `ports`");
  if (rule.port !== undefined) return { first: rule.port, last: rule.port };
  const [first, last] = (rule.ports ?? "1-1").split("-", 2).map(Number);
  if (first === undefined || last === undefined || first < 1 || last > 65_535 || first > last) {
    report("/ports", "Expected a range from lower to higher within 1-65535");
    return { first: 1, last: 1 };
  }
  return { first, last };
}

function bindOf(rule: PortRuleRecord, report: Report): RuleBind {
  if ((rule.scope === undefined) === (rule.address === undefined)) {
    report("", "Give exactly one of `scope` and `address`");
  }
  if (rule.address !== undefined) {
    const parsed = parseAddress(rule.address);
    if (parsed !== null && parsed.zone === null) return { kind: "address", address: parsed.address };
    report("/address", "Expected an IP address without a zone; a zone or interface belongs in `device`");
  }
  if (rule.scope === undefined || rule.scope === "any") return { kind: "any" };
  return { kind: "scope", scope: rule.scope };
}

function expiryOf(rule: PortRuleRecord, report: Report): EpochMs | null {
  if (rule.expires === undefined) return null;
  const at = epochFromIso(rule.expires);
  if (at === null) report("/expires", "Expected a calendar date such as 2027-01-31");
  return at;
}
