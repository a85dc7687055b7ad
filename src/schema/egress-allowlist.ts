import { type Static, Type } from "@sinclair/typebox";
import { type Cidr, parseAddress, parseCidr } from "../core/address.ts";
import { SecurityError } from "../core/error.ts";
import { parseHostName } from "../core/host-name.ts";
import type { Protocol } from "../core/network.ts";
import { isCanonicalPath } from "../core/path.ts";
import { type EpochMs, epochFromIso } from "../core/time.ts";
import type { PortRange } from "./approved-ports.ts";
import type { Issue } from "./issue.ts";
import { invalid, parseWith } from "./validate.ts";

/**
 * The egress allowlist, `egress_allowlist.json`, in its two forms.
 *
 * Original form: an array of `{protocol?, host | host_regex, port?, command?, comment?}`. `host` is
 * a host name, an address or a CIDR. Without `protocol` a rule is about TCP, all the original looked at.
 *
 * v2: `{schemaVersion: 2, rules: [...]}`. A rule has exactly one destination, and everything else
 * narrows it: `protocol`, `port` or `ports: "443-445"`, `exe` (absolute) or `command` (base name of
 * the executable). Then `owner`, `justification`, `comment`, `expires` (ISO date: approves nothing
 * from midnight UTC of that day on) and `reviewed`; with `reviewed: false` it approves nothing.
 *
 * Destinations: `host` is exactly that name. `host_suffix` is `"example.com"`, the domain and every
 * name below it, or `".example.com"`, only the names below it. `host_regex` must match the whole
 * name. `cidr` is a network or one address. There is no wildcard, and no rule without a destination.
 */
export interface EgressAllowlist {
  readonly form: "original" | "v2";
  readonly rules: readonly EgressRule[];
}

export interface EgressRule {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly destination: EgressDestination;
  /** Null: TCP and UDP. */
  readonly protocol: Protocol | null;
  /** Null: every port. */
  readonly ports: PortRange | null;
  /** Absolute and canonical. */
  readonly exe: string | null;
  /** Base name of the executable; at most one of `exe` and `command` is set. */
  readonly command: string | null;
  readonly owner: string | null;
  readonly justification: string | null;
  readonly reviewed: boolean;
  /** First moment at which the rule no longer approves. */
  readonly expiresAt: EpochMs | null;
  readonly comment: string | null;
}

export type EgressDestination =
  | { readonly kind: "host"; readonly host: string }
  /** `domain` has no leading dot; `includesDomain` tells whether the domain itself belongs to it. */
  | { readonly kind: "suffix"; readonly domain: string; readonly includesDomain: boolean }
  | { readonly kind: "regex"; readonly pattern: string }
  | { readonly kind: "cidr"; readonly cidr: Cidr };

/** A v2 rule as it stands in the file. */
export interface EgressRuleRecord {
  host?: string;
  host_suffix?: string;
  host_regex?: string;
  cidr?: string;
  protocol?: Protocol;
  port?: number;
  /** "lower-higher", inclusive. */
  ports?: string;
  exe?: string;
  command?: string;
  owner?: string;
  justification?: string;
  reviewed?: boolean;
  /** ISO date. */
  expires?: string;
  comment?: string;
}

const MAX_TEXT = 1000;
const MAX_RULES = 2000;
const MAX_ISSUES = 20;
const WHAT = "egress_allowlist.json";

const shortText = Type.String({ minLength: 1, maxLength: MAX_TEXT });
const note = Type.String({ maxLength: MAX_TEXT });
// A pattern that is too long is one rule that never matches, reported with those that do not compile.
const pattern = Type.String({ minLength: 1, maxLength: 100_000 });
const portNumber = Type.Integer({ minimum: 1, maximum: 65_535 });
const protocol = Type.Union([Type.Literal("tcp"), Type.Literal("udp")]);
const closed = { additionalProperties: false } as const;

const ORIGINAL_RULE = Type.Object(
  {
    protocol: Type.Optional(protocol),
    host: Type.Optional(shortText),
    host_regex: Type.Optional(pattern),
    port: Type.Optional(portNumber),
    command: Type.Optional(shortText),
    comment: Type.Optional(note),
  },
  closed,
);
const ORIGINAL = Type.Array(ORIGINAL_RULE, { maxItems: MAX_RULES });

const V2_RULE = Type.Object(
  {
    host: Type.Optional(shortText),
    host_suffix: Type.Optional(shortText),
    host_regex: Type.Optional(pattern),
    cidr: Type.Optional(shortText),
    protocol: Type.Optional(protocol),
    port: Type.Optional(portNumber),
    ports: Type.Optional(Type.String({ pattern: "^[0-9]{1,5}-[0-9]{1,5}$" })),
    exe: Type.Optional(shortText),
    command: Type.Optional(shortText),
    owner: Type.Optional(shortText),
    justification: Type.Optional(shortText),
    reviewed: Type.Optional(Type.Boolean()),
    expires: Type.Optional(Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })),
    comment: Type.Optional(note),
  },
  closed,
);
const V2 = Type.Object({ schemaVersion: Type.Literal(2), rules: Type.Array(V2_RULE, { maxItems: MAX_RULES }) }, closed);

/**
 * Reads either form of the egress allowlist. Patterns are not compiled here: one that does not
 * compile is a rule that never matches, and is reported as such.
 * @throws {SecurityError} allowlist-invalid with every issue in `details.issues`, schema-version-unsupported
 */
export function parseEgressAllowlist(value: unknown): EgressAllowlist {
  const issues: Issue[] = [];
  if (Array.isArray(value)) {
    const entries = parseWith(ORIGINAL, value, WHAT, "allowlist-invalid");
    const rules = entries.map((entry, index) => fromOriginal(entry, index, issues));
    return finish({ form: "original", rules: rules.filter((rule) => rule !== null) }, issues);
  }
  assertSchemaVersion(value);
  const records = parseWith(V2, value, WHAT, "allowlist-invalid").rules;
  const rules = records.map((record, index) => fromRecord(record, index, issues));
  return finish({ form: "v2", rules: rules.filter((rule) => rule !== null) }, issues);
}

function finish(allowlist: EgressAllowlist, issues: readonly Issue[]): EgressAllowlist {
  if (issues.length > 0) throw invalid(WHAT, "allowlist-invalid", issues.slice(0, MAX_ISSUES));
  return allowlist;
}

/** An object with another version is not a damaged file but one this release cannot read. */
function assertSchemaVersion(value: unknown): void {
  if (typeof value !== "object" || value === null || !("schemaVersion" in value)) return;
  const version = value.schemaVersion;
  if (typeof version !== "number" || version === 2) return;
  throw new SecurityError("schema-version-unsupported", `${WHAT} has schemaVersion ${version}; this release reads 2`, {
    hint: "Use the release that wrote it, or create the file again with `cse init`.",
  });
}

type Report = (key: string, message: string) => void;

function fromOriginal(entry: Static<typeof ORIGINAL_RULE>, index: number, issues: Issue[]): EgressRule | null {
  const report: Report = (key, message) => issues.push({ path: `/${index}${key}`, message });
  const destination = selectDestination(
    [
      ["host", entry.host, hostOrNetwork],
      ["host_regex", entry.host_regex, regexDestination],
    ],
    report,
  );
  checkCommand(entry.command, report);
  if (destination === null) return null;
  return {
    index,
    destination,
    protocol: entry.protocol ?? "tcp",
    ports: entry.port === undefined ? null : { first: entry.port, last: entry.port },
    exe: null,
    command: entry.command ?? null,
    owner: null,
    justification: null,
    reviewed: true,
    expiresAt: null,
    comment: entry.comment ?? null,
  };
}

function fromRecord(record: EgressRuleRecord, index: number, issues: Issue[]): EgressRule | null {
  const report: Report = (key, message) => issues.push({ path: `/rules/${index}${key}`, message });
  if (record.exe !== undefined && record.command !== undefined) report("", "Give `exe` or `command`, not both");
  if (record.exe !== undefined && !isCanonicalPath(record.exe)) {
    report("/exe", "Expected an absolute path without . or ..");
  }
  checkCommand(record.command, report);
  const destination = selectDestination(
    [
      ["host", record.host, hostDestination],
      ["host_suffix", record.host_suffix, suffixDestination],
      ["host_regex", record.host_regex, regexDestination],
      ["cidr", record.cidr, cidrDestination],
    ],
    report,
  );
  const ports = portsOf(record, report);
  const expiresAt = expiryOf(record, report);
  if (destination === null) return null;
  return {
    index,
    destination,
    protocol: record.protocol ?? null,
    ports,
    exe: record.exe ?? null,
    command: record.command ?? null,
    owner: record.owner ?? null,
    justification: record.justification ?? null,
    reviewed: record.reviewed ?? true,
    expiresAt,
    comment: record.comment ?? null,
  };
}

function checkCommand(command: string | undefined, report: Report): void {
  if (command?.includes("/")) report("/command", "Expected a base name; a path belongs in `exe` of the v2 form");
}

/** Reads one selector's text, or says what is wrong with it. */
type ReadDestination = (text: string) => EgressDestination | string;

function selectDestination(
  selectors: readonly (readonly [key: string, text: string | undefined, read: ReadDestination])[],
  report: Report,
): EgressDestination | null {
  const given = selectors.filter(([, text]) => text !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1) {
    // Without a destination a rule would approve everything, which nobody writes on purpose.
    report("", `Give exactly one of ${selectors.map(([key]) => `\`${key}\``).join(", ")}`);
    return null;
  }
  const [key, text, read] = first;
  const destination = read(text ?? "");
  if (typeof destination !== "string") return destination;
  report(`/${key}`, destination);
  return null;
}

function hostOrNetwork(text: string): EgressDestination | string {
  return text.includes("/") || parseAddress(text) !== null ? cidrDestination(text) : hostDestination(text);
}

function hostDestination(text: string): EgressDestination | string {
  const host = parseHostName(text);
  if (host !== null) return { kind: "host", host };
  if (parseCidr(text) !== null) return "Expected a host name; an address or network belongs in `cidr`";
  if (text.includes("*")) return "Expected a host name without wildcard; names below a domain belong in `host_suffix`";
  return "Expected a host name of letters, digits and hyphens (international names as xn--...), without port or URL";
}

function suffixDestination(text: string): EgressDestination | string {
  const includesDomain = !text.startsWith(".");
  const domain = parseHostName(includesDomain ? text : text.slice(1));
  if (domain === null) return "Expected a domain such as example.com or .example.com";
  if (!domain.includes(".")) return "Expected at least two labels; this is a whole top-level domain";
  return { kind: "suffix", domain, includesDomain };
}

function regexDestination(text: string): EgressDestination {
  return { kind: "regex", pattern: text };
}

function cidrDestination(text: string): EgressDestination | string {
  const cidr = parseCidr(text);
  return cidr === null
    ? "Expected an address or a network without host bits, such as 10.0.0.0/8"
    : { kind: "cidr", cidr };
}

function portsOf(record: EgressRuleRecord, report: Report): PortRange | null {
  if (record.port !== undefined && record.ports !== undefined) report("", "Give `port` or `ports`, not both");
  if (record.port !== undefined) return { first: record.port, last: record.port };
  if (record.ports === undefined) return null;
  const [first = 0, last = 0] = record.ports.split("-", 2).map(Number);
  if (first < 1 || last > 65_535 || first > last) {
    report("/ports", "Expected a range from lower to higher within 1-65535");
  }
  return { first, last };
}

function expiryOf(record: EgressRuleRecord, report: Report): EpochMs | null {
  if (record.expires === undefined) return null;
  const at = epochFromIso(record.expires);
  if (at === null) report("/expires", "Expected a calendar date such as 2027-01-31");
  return at;
}
