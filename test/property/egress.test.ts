import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reportEgress } from "../../src/app/scan-egress.ts";
import { categorizeAddress } from "../../src/core/address.ts";
import type { HostResolution } from "../../src/core/egress.ts";
import type { Connection } from "../../src/core/network.ts";
import { decideConnection, isWithin, knownNames, namesToResolve, prepareRules } from "../../src/policy/egress-rule.ts";
import { expandFiniteHost } from "../../src/policy/finite-host.ts";
import { compileHostPattern } from "../../src/policy/host-pattern.ts";
import { recordOf, renderAllowlist } from "../../src/scan/suggest-allowlist.ts";
import { type EgressRule, type EgressRuleRecord, parseEgressAllowlist } from "../../src/schema/egress-allowlist.ts";
import { connectionWith, inventoryOf } from "../helpers/connection.ts";

const SEED = 20_261_123;
const NOW = 1_800_000_000_000;
const runs = (numRuns: number): fc.Parameters<unknown> => ({ seed: SEED, numRuns });

// Few values, so that rules and connections often meet.
const name = fc.constantFrom("example.com", "a.example.com", "b.a.example.com", "notexample.com", "evil.tld", "x.tld");
const address = fc.constantFrom("93.184.215.14", "10.0.0.1", "169.254.169.254", "127.0.0.1", "2001:4860::1", "fe80::1");
const port = fc.constantFrom(53, 80, 443, 444);
const exe = fc.constantFrom("/usr/bin/curl", "/usr/bin/node", "/tmp/node");
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const destination: fc.Arbitrary<EgressRuleRecord> = fc.oneof(
  name.map((host) => ({ host })),
  fc.constantFrom("example.com", ".example.com", "a.example.com").map((suffix) => ({ host_suffix: suffix })),
  fc
    .constantFrom(".*", "(a\\.)?example\\.com", "^evil\\.tld$|^x\\.tld$", "[^.]+\\.tld", "(?=a)", "(")
    .map((pattern) => ({ host_regex: pattern })),
  fc.constantFrom("10.0.0.0/8", "0.0.0.0/0", "169.254.169.254/32", "2001:4860::/32").map((cidr) => ({ cidr })),
);

const record: fc.Arbitrary<EgressRuleRecord> = fc
  .tuple(
    destination,
    fc.record({
      protocol: optional(fc.constantFrom("tcp" as const, "udp" as const)),
      where: optional(
        fc.oneof(
          port.map((one) => ({ port: one })),
          fc.constant({ ports: "80-443" }),
        ),
      ),
      who: optional(
        fc.oneof(
          exe.map((path) => ({ exe: path })),
          fc.constantFrom("curl", "node").map((command) => ({ command })),
        ),
      ),
      reviewed: optional(fc.boolean()),
      expires: optional(fc.constantFrom("2020-01-01", "2030-01-01")),
      owner: optional(fc.string({ minLength: 1, maxLength: 20 })),
      comment: optional(fc.string({ maxLength: 20 })),
    }),
  )
  .map(([where, { where: ports, who, ...rest }]) => dropUndefined({ ...where, ...ports, ...who, ...rest }));

function dropUndefined(value: object): EgressRuleRecord {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
}

const connection: fc.Arbitrary<Connection> = fc
  .record({
    remote_ip: address,
    remote_port: port,
    protocol: fc.constantFrom("tcp" as const, "udp" as const),
    direction: fc.constantFrom("outbound" as const, "outbound" as const, "inbound" as const, "unknown" as const),
    recorded: optional(fc.oneof(name, fc.string(), address)),
    exe: fc.option(exe),
    name: fc.option(fc.constantFrom("curl", "node", "MainThread")),
    exe_deleted: fc.boolean(),
  })
  .map(({ recorded, ...rest }) =>
    connectionWith({
      ...rest,
      category: categorizeAddress(rest.remote_ip),
      ...(recorded === undefined ? {} : { remote_host: recorded, host_source: "recorder" }),
    }),
  );

const resolution: fc.Arbitrary<HostResolution> = fc.oneof(
  fc.array(address, { maxLength: 3 }).map((addresses) => ({ kind: "addresses" as const, addresses })),
  fc.constant({ kind: "none" as const }),
  fc.constant({ kind: "failed" as const, code: "timeout" as const }),
);
const resolver = fc.array(resolution, { minLength: 6, maxLength: 6 });

function parse(records: readonly EgressRuleRecord[]): readonly EgressRule[] {
  return parseEgressAllowlist({ schemaVersion: 2, rules: records }).rules;
}

/** The whole way from a file's rules to verdicts, with a resolver that always answers the same. */
function judge(
  records: readonly EgressRuleRecord[],
  connections: readonly Connection[],
  answers: readonly HostResolution[],
): ReturnType<typeof decideConnection>[] {
  const rules = prepareRules(parse(records), compileHostPattern);
  const known = knownNames(resolveAll(namesToResolve(rules, NOW), answers));
  return connections.map((one) => decideConnection(rules, one, known, NOW));
}

function resolveAll(names: readonly string[], answers: readonly HostResolution[]): Map<string, HostResolution> {
  return new Map(names.map((host) => [host, answers[host.length % answers.length] ?? { kind: "none" }]));
}

const some = fc.array(record, { maxLength: 6 });
const connections = fc.array(connection, { minLength: 1, maxLength: 6 });

describe("a verdict", () => {
  it("is one of the documented kinds for any rules and connection, and the same each time", () => {
    fc.assert(
      fc.property(some, connections, resolver, (records, seen, answers) => {
        const verdicts = judge(records, seen, answers);
        expect(judge(records, seen, answers)).toEqual(verdicts);
        for (const [index, verdict] of verdicts.entries()) {
          expect(["not-egress", "approved", "unapproved", "unverifiable"]).toContain(verdict.kind);
          expect(verdict.kind === "not-egress").toBe(
            seen[index]?.direction === "inbound" || seen[index]?.category === "loopback",
          );
        }
      }),
      runs(500),
    );
  });

  it("is not changed by a rule that is unreviewed or expired, wherever it stands", () => {
    const inactive = fc
      .tuple(record, fc.constantFrom({ reviewed: false }, { expires: "2020-01-01" }))
      .map(([rule, off]): EgressRuleRecord => ({ ...rule, ...off }));
    fc.assert(
      fc.property(some, inactive, fc.nat(), connections, resolver, (records, extra, place, seen, answers) => {
        const at = place % (records.length + 1);
        const withExtra = judge(records.toSpliced(at, 0, extra), seen, answers);
        // Rules after the inserted one move down by one place.
        const moved = withExtra.map((verdict) =>
          "rule" in verdict && verdict.rule !== null && verdict.rule > at
            ? { ...verdict, rule: verdict.rule - 1 }
            : verdict,
        );
        expect(moved).toEqual(judge(records, seen, answers));
      }),
      runs(500),
    );
  });

  it("stays approved when a rule is added that brings in no name", () => {
    const nameless = record.filter((rule) => rule.host === undefined && rule.host_regex === undefined);
    fc.assert(
      fc.property(some, nameless, connections, resolver, (records, extra, seen, answers) => {
        const before = judge(records, seen, answers);
        const after = judge([...records, extra], seen, answers);
        for (const [index, verdict] of before.entries()) {
          if (verdict.kind === "approved") expect(after[index]).toEqual(verdict);
        }
      }),
      runs(300),
    );
  });

  it("approves the metadata service only by a rule for exactly its address", () => {
    const metadata = connection.map((one) =>
      connectionWith({ ...one, remote_ip: "169.254.169.254", category: "metadata", direction: "outbound" }),
    );
    const others = fc.array(record.filter((rule) => rule.cidr !== "169.254.169.254/32"));
    fc.assert(
      fc.property(others, metadata, resolver, (records, one, answers) => {
        expect(judge(records, [one], answers)[0]?.kind).toBe("unapproved");
      }),
      runs(300),
    );
  });
});

it("every connection that goes out and is not approved is in a finding, and no other", () => {
  fc.assert(
    fc.property(some, connections, resolver, (records, seen, answers) => {
      const rules = prepareRules(parse(records), compileHostPattern);
      const resolutions = resolveAll(namesToResolve(rules, NOW), answers);
      const loaded = { path: "/a.json", rules, resolutions, at: NOW };
      const report = reportEgress(inventoryOf(seen), loaded, { includeLoopback: true, includeUdp: true });
      const open = judge(records, seen, answers).flatMap((verdict, index) =>
        verdict.kind === "unapproved" || verdict.kind === "unverifiable" ? [seen[index]] : [],
      );
      // Not by address: the addresses of one name share a finding.
      const wanted = new Set(open.map((one) => `${one?.protocol} ${one?.remote_port} ${one?.exe}`));
      const found = new Set(report.findings.map((one) => `${one.protocol} ${one.remote_port} ${one.process.exe}`));
      expect(found).toEqual(wanted);
    }),
    runs(300),
  );
});

it("what is rendered parses to the same rules", () => {
  fc.assert(
    fc.property(some, (records) => {
      const rules = parse(records);
      const again = parseEgressAllowlist(JSON.parse(renderAllowlist(rules.map(recordOf))));
      expect(again).toEqual({ form: "v2", rules });
    }),
    runs(300),
  );
});

it("any JSON is an allowlist or a named error", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.array(fc.jsonValue()),
        fc.record({ schemaVersion: fc.constant(2), rules: fc.jsonValue() }),
      ),
      (value) => {
        try {
          for (const rule of parseEgressAllowlist(value).rules) expect(rule.destination).toBeDefined();
        } catch (error) {
          expect(["allowlist-invalid", "schema-version-unsupported"]).toContain((error as { code?: string }).code);
        }
      },
    ),
    runs(500),
  );
});

it("a suffix is compared as a label by label reference does", () => {
  const label = fc.constantFrom("a", "b", "example", "xexample", "com");
  const host = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
  const reference = (one: string, domain: string, includesDomain: boolean): boolean => {
    const labels = one.split(".").toReversed();
    const wanted = domain.split(".").toReversed();
    const isBelow = wanted.every((part, index) => part === labels[index]);
    return isBelow && (labels.length > wanted.length || includesDomain);
  };
  fc.assert(
    fc.property(host, host, fc.boolean(), (one, domain, includesDomain) => {
      expect(isWithin(one, domain, includesDomain)).toBe(reference(one, domain, includesDomain));
    }),
    runs(2000),
  );
});

describe("the listed names of a pattern", () => {
  const understood = fc.constantFrom("a", "b", "c1", "x", "-", "\\.", "[ab]", "[a-c]", "[0-2]", "A", "[.x]");
  const other = fc.constantFrom(".", "\\d", "[^a]", "x*", "(?i)", "$", "^", "\\b", "{2}");
  const atom = fc.oneof({ arbitrary: understood, weight: 15 }, { arbitrary: other, weight: 1 });
  const quantifier = fc.constantFrom("", "", "", "?", "{2}", "{0,1}", "{1,2}");
  const { pattern } = fc.letrec<{ pattern: string; branch: string; part: string }>((tie) => ({
    part: fc
      .tuple(
        fc.oneof(
          { depthSize: "small" },
          { arbitrary: atom, weight: 4 },
          tie("pattern").map((inner) => `(${inner})`),
        ),
        quantifier,
      )
      .map(([one, times]) => one + times),
    branch: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
    pattern: fc.array(tie("branch"), { minLength: 1, maxLength: 3 }).map((branches) => branches.join("|")),
  }));
  const anchored = fc
    .tuple(fc.boolean(), pattern, fc.boolean())
    .map(([start, text, end]) => `${start ? "^" : ""}${text}${end ? "$" : ""}`);

  it("all match the pattern as the engine reads it", () => {
    let listed = 0;
    fc.assert(
      fc.property(anchored, (text) => {
        const names = expandFiniteHost(text);
        if (names === null || names.length === 0) return;
        listed += 1;
        expect(names.length).toBeLessThanOrEqual(64);
        const compiled = compileHostPattern(text);
        if (compiled.kind === "invalid") throw new Error(compiled.message);
        for (const one of names) expect(compiled.matches(one)).toBe(true);
        // A second engine, so that a mistake shared with the first would show.
        const builtIn = new RegExp(`^(?:${text})$`, "i");
        for (const one of names) expect(builtIn.test(one)).toBe(true);
      }),
      runs(1500),
    );
    expect(listed).toBeGreaterThan(100);
  });

  it("are all the host names the pattern matches", () => {
    const host = fc
      .array(fc.constantFrom("a", "b", "c", "0", "1", "x", "-", "."), { maxLength: 5 })
      .map((chars) => chars.join(""));
    let compared = 0;
    fc.assert(
      fc.property(anchored, fc.array(host, { minLength: 10, maxLength: 10 }), (text, hosts) => {
        const names = expandFiniteHost(text);
        const compiled = compileHostPattern(text);
        if (names === null || compiled.kind === "invalid") return;
        for (const one of hosts) {
          const isHostName = expandFiniteHost(one.replaceAll(".", "\\."))?.length === 1;
          if (!isHostName || !compiled.matches(one)) continue;
          compared += 1;
          expect(names).toContain(one);
        }
      }),
      runs(1500),
    );
    expect(compared).toBeGreaterThan(30);
  });
});
