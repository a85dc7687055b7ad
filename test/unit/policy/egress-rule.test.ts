import { describe, expect, it } from "vitest";
import { parseCidr } from "../../../src/core/address.ts";
import type { EgressVerdict, HostResolution } from "../../../src/core/egress.ts";
import type { Connection } from "../../../src/core/network.ts";
import {
  decideConnection,
  isActive,
  isWithin,
  knownNames,
  namesToResolve,
  prepareRules,
} from "../../../src/policy/egress-rule.ts";
import { compileHostPattern } from "../../../src/policy/host-pattern.ts";
import type { EgressDestination, EgressRule } from "../../../src/schema/egress-allowlist.ts";
import { connectionWith, egressRuleWith, OWNERLESS } from "../../helpers/connection.ts";

const NOW = 1_800_000_000_000;
const host = (name: string): EgressDestination => ({ kind: "host", host: name });
const regex = (pattern: string): EgressDestination => ({ kind: "regex", pattern });
const suffix = (domain: string, includesDomain = true): EgressDestination => ({
  kind: "suffix",
  domain,
  includesDomain,
});

function cidr(text: string): EgressDestination {
  const parsed = parseCidr(text);
  if (parsed === null) throw new Error(`${text} is no CIDR`);
  return { kind: "cidr", cidr: parsed };
}

/** Judges one connection by rules given as changes to the default rule. */
function decide(
  rules: readonly Partial<EgressRule>[],
  connection: Partial<Connection> = {},
  resolutions: Readonly<Record<string, HostResolution>> = {},
): EgressVerdict {
  const prepared = prepareRules(
    rules.map((rule, index) => egressRuleWith({ index, ...rule })),
    compileHostPattern,
  );
  return decideConnection(prepared, connectionWith(connection), knownNames(new Map(Object.entries(resolutions))), NOW);
}

const at = (...addresses: string[]): HostResolution => ({ kind: "addresses", addresses });
const recorded = (name: string): Partial<Connection> => ({ remote_host: name, host_source: "recorder" });
const UNMATCHED: EgressVerdict = { kind: "unapproved", reason: "no-rule", rule: null };

describe("what is egress", () => {
  it.each<[string, Partial<Connection>]>([
    ["E5: an accepted connection", { direction: "inbound" }],
    ["a connection to an address of this host", { direction: "local" }],
    ["a connection to loopback", { remote_ip: "127.0.0.1" }],
    ["a connection to IPv6 loopback", { remote_ip: "::1" }],
  ])("does not count %s", (_what, connection) => {
    expect(decide([], connection)).toEqual({ kind: "not-egress" });
  });

  it.each<[string, Partial<Connection>]>([
    ["a public address", {}],
    ["a direction that could not be told", { direction: "unknown" }],
    ["a private address", { remote_ip: "10.0.0.1" }],
    ["a CGNAT address", { remote_ip: "100.64.0.1" }],
    ["a link-local address", { remote_ip: "fe80::1" }],
    ["a multicast group", { remote_ip: "224.0.0.251", protocol: "udp" }],
    ["E11: a connection being opened", { state: "SYN_SENT" }],
    ["E11: a closed connection", { state: "TIME_WAIT", ...OWNERLESS }],
    ["E11: connected UDP", { protocol: "udp" }],
  ])("counts %s, and no rule approves nothing", (_what, connection) => {
    expect(decide([], connection)).toEqual(UNMATCHED);
  });
});

describe("a host rule", () => {
  const rule = { destination: host("api.example.com") };

  it("approves by the name the recorder saw", () => {
    expect(decide([rule], recorded("API.example.com."))).toEqual({
      kind: "approved",
      rule: 0,
      host: "api.example.com",
      source: "recorder",
      by: "any-process",
    });
  });

  it("approves an address its name has now", () => {
    expect(decide([rule], {}, { "api.example.com": at("203.0.113.9", "93.184.215.14") })).toEqual({
      kind: "approved",
      rule: 0,
      host: "api.example.com",
      source: "dns",
      by: "any-process",
    });
  });

  it("compares addresses in one spelling", () => {
    const resolutions = { "api.example.com": at("2001:0DB8:0:0::1", "::ffff:10.0.0.7") };
    expect(decide([rule], { remote_ip: "2001:db8::1" }, resolutions).kind).toBe("approved");
    expect(decide([rule], { remote_ip: "10.0.0.7" }, resolutions).kind).toBe("approved");
  });

  it("does not approve another name at an address of its own", () => {
    // A proxy or a shared front end serves names nobody approved.
    expect(decide([rule], recorded("evil.example"), { "api.example.com": at("93.184.215.14") })).toEqual(UNMATCHED);
  });

  it.each([
    "api.example.com.evil.tld",
    "evil-api.example.com",
    "xapi.example.com",
    "api.example.co",
    "example.com",
    "a.api.example.com",
  ])("does not approve the name %s", (name) => {
    expect(decide([rule], recorded(name))).toEqual(UNMATCHED);
  });

  it("does not approve an address its name does not have", () => {
    expect(decide([rule], {}, { "api.example.com": at("203.0.113.9") })).toEqual(UNMATCHED);
    expect(decide([rule], {}, { "api.example.com": { kind: "none" } })).toEqual(UNMATCHED);
  });

  it("cannot tell when its name could not be resolved", () => {
    expect(decide([rule], {}, { "api.example.com": { kind: "failed", code: "timeout" } })).toEqual({
      kind: "unverifiable",
      rule: 0,
      why: "host-unresolved",
    });
  });

  it("goes by DNS when the client was given an address", () => {
    const connection = recorded("93.184.215.14");
    expect(decide([rule], connection, { "api.example.com": at("93.184.215.14") })).toMatchObject({ source: "dns" });
    expect(decide([rule], connection)).toEqual(UNMATCHED);
  });
});

describe("a suffix rule", () => {
  it.each<[host: string, domain: string, includesDomain: boolean, expected: boolean]>([
    ["example.com", "example.com", true, true],
    ["example.com", "example.com", false, false],
    ["a.example.com", "example.com", true, true],
    ["a.b.example.com", "example.com", false, true],
    ["notexample.com", "example.com", true, false],
    ["example.com.evil.tld", "example.com", true, false],
    ["com", "example.com", true, false],
    ["evil.tld", "example.com", true, false],
  ])("%s within %s (itself: %s): %s", (name, domain, includesDomain, expected) => {
    expect(isWithin(name, domain, includesDomain)).toBe(expected);
  });

  it("approves a name the recorder saw, and not one that only ends alike", () => {
    expect(decide([{ destination: suffix("example.com") }], recorded("a.example.com")).kind).toBe("approved");
    expect(decide([{ destination: suffix("example.com") }], recorded("notexample.com"))).toEqual(UNMATCHED);
  });

  it("approves a name that another rule's resolution gave", () => {
    const rules = [
      { destination: host("a.example.com"), exe: "/usr/bin/other" },
      { destination: suffix("example.com") },
    ];
    expect(decide(rules, {}, { "a.example.com": at("93.184.215.14") })).toEqual({
      kind: "approved",
      rule: 1,
      host: "a.example.com",
      source: "dns",
      by: "any-process",
    });
  });

  it("says that an address without a name cannot be verified", () => {
    expect(decide([{ destination: suffix("example.com") }])).toEqual({
      kind: "unverifiable",
      rule: 0,
      why: "host-unknown",
    });
  });

  it("cannot rule itself out by another name of a shared address", () => {
    const rules = [{ destination: suffix("example.com") }, { destination: host("cdn.example.net"), ports: PORT_80 }];
    expect(decide(rules, {}, { "cdn.example.net": at("93.184.215.14") })).toMatchObject({ why: "host-unknown" });
  });

  it("says nothing about a port it does not cover", () => {
    expect(decide([{ destination: suffix("example.com"), ports: PORT_80 }])).toEqual(UNMATCHED);
  });

  it("says nothing about a program it does not name", () => {
    expect(decide([{ destination: suffix("example.com"), exe: "/usr/bin/node" }])).toEqual(UNMATCHED);
  });
});

const PORT_80 = { first: 80, last: 80 };

describe("a pattern rule", () => {
  const finite = { destination: regex("^(api|www)\\.example\\.com$") };
  const infinite = { destination: regex(".*\\.example\\.com") };

  it("approves by resolving its names when they can be listed", () => {
    expect(decide([finite], {}, { "www.example.com": at("93.184.215.14") })).toMatchObject({
      kind: "approved",
      host: "www.example.com",
      source: "dns",
    });
  });

  it("does not approve an address none of its names has", () => {
    expect(decide([finite], {}, { "www.example.com": at("203.0.113.9"), "api.example.com": { kind: "none" } })).toEqual(
      UNMATCHED,
    );
  });

  it("approves by name only when its names cannot be listed", () => {
    expect(decide([infinite], recorded("x.example.com")).kind).toBe("approved");
    expect(decide([infinite])).toMatchObject({ kind: "unverifiable", why: "host-unknown" });
  });

  it("E6: is never matched against an address", () => {
    const digits = { destination: regex("[0-9.]+") };
    expect(decide([digits], recorded("93.184.215.14")).kind).toBe("unverifiable");
    expect(decide([digits]).kind).toBe("unverifiable");
    expect(decide([{ destination: regex("^10.") }], { remote_ip: "101.2.3.4" }).kind).toBe("unverifiable");
  });

  it("E8: does not approve a longer name", () => {
    const rule = { destination: regex("api.openai.com") };
    expect(decide([rule], recorded("api.openai.com.evil.tld"))).toEqual(UNMATCHED);
  });

  it("E9: matches nothing when it does not compile, and is not called unverifiable either", () => {
    const rule = { destination: regex("(?=a)") };
    expect(decide([rule], recorded("a"))).toEqual(UNMATCHED);
    expect(decide([rule])).toEqual(UNMATCHED);
  });
});

describe("a CIDR rule", () => {
  it.each<[string, string, boolean]>([
    ["203.0.113.0/24", "203.0.113.255", true],
    ["203.0.113.0/24", "203.0.114.0", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["10.0.0.0/8", "101.2.3.4", false],
    ["0.0.0.0/0", "2001:db8::1", false],
  ])("%s holds %s: %s", (text, remote_ip, expected) => {
    const approved = { kind: "approved", rule: 0, host: null, source: "address", by: "any-process" };
    expect(decide([{ destination: cidr(text) }], { remote_ip })).toEqual(expected ? approved : UNMATCHED);
  });
});

describe("the cloud metadata service", () => {
  const remote_ip = "169.254.169.254";

  it("is approved by a rule for exactly its address", () => {
    expect(decide([{ destination: cidr("169.254.169.254/32") }], { remote_ip }).kind).toBe("approved");
    expect(decide([{ destination: cidr("fd00:ec2::254/128") }], { remote_ip: "fd00:ec2::254" }).kind).toBe("approved");
  });

  it.each<[string, EgressDestination]>([
    ["a network that holds it", cidr("169.254.0.0/16")],
    ["every address", cidr("0.0.0.0/0")],
    ["a name whose DNS somebody else controls", host("api.example.com")],
    ["a suffix", suffix("example.com")],
    ["a pattern", regex(".*")],
  ])("is not approved by %s", (_what, destination) => {
    expect(decide([{ destination }], { remote_ip }, { "api.example.com": at(remote_ip) })).toEqual(UNMATCHED);
    expect(decide([{ destination }], { remote_ip, ...recorded("api.example.com") })).toEqual(UNMATCHED);
  });
});

describe("ports and protocols", () => {
  it("takes the ends of a range and nothing beyond", () => {
    const rule = { ports: { first: 443, last: 445 } };
    const kinds = [442, 443, 445, 446].map((remote_port) => decide([rule], { remote_port }).kind);
    expect(kinds).toEqual(["unapproved", "approved", "approved", "unapproved"]);
  });

  it("names the rule that covers the destination on another port", () => {
    expect(decide([{ ports: PORT_80 }])).toEqual({ kind: "unapproved", reason: "other-port", rule: 0 });
  });

  it("keeps TCP and UDP apart unless the rule is about both", () => {
    expect(decide([{ protocol: "tcp" }], { protocol: "udp" })).toEqual(UNMATCHED);
    expect(decide([{ protocol: null }], { protocol: "udp" }).kind).toBe("approved");
  });
});

describe("the program", () => {
  it("must be the executable itself when the rule names one", () => {
    expect(decide([{ exe: "/usr/bin/curl" }])).toMatchObject({ kind: "approved", by: "executable" });
    expect(decide([{ exe: "/usr/bin/node" }])).toEqual({ kind: "unapproved", reason: "other-process", rule: 0 });
    expect(decide([{ exe: "/bin/curl" }])).toMatchObject({ reason: "other-process" });
  });

  it("is compared by the base name of its executable when the rule has a command", () => {
    expect(decide([{ command: "curl" }], { name: "anything" })).toMatchObject({ by: "executable" });
  });

  it("is not approved by the name it chose for itself when its executable is known", () => {
    const connection = { name: "node", exe: "/tmp/x/python3" };
    expect(decide([{ command: "node" }], connection)).toMatchObject({ reason: "other-process" });
  });

  it("is approved by the kernel's name only when the executable is not known, and says so", () => {
    const connection = { ...OWNERLESS, name: "node" };
    expect(decide([{ command: "node" }], connection)).toMatchObject({ kind: "approved", by: "process-name" });
    expect(decide([{ command: "curl" }], connection)).toMatchObject({ kind: "unapproved", reason: "other-process" });
  });

  it("is compared with the part of a long command that the kernel keeps", () => {
    const connection = { ...OWNERLESS, name: "chromium-browse" };
    expect(decide([{ command: "chromium-browser" }], connection).kind).toBe("approved");
    expect(decide([{ command: "chromium-browser" }], { ...OWNERLESS, name: "chromium" }).kind).toBe("unapproved");
  });

  it.each([{ exe: "/usr/bin/curl" }, { command: "curl" }])(
    "cannot be told from a socket without owner by %j",
    (rule) => {
      expect(decide([rule], OWNERLESS)).toEqual({ kind: "unverifiable", rule: 0, why: "owner-unknown" });
    },
  );

  it("does not approve by kernel name where the rule names an executable", () => {
    expect(decide([{ exe: "/usr/bin/node" }], { ...OWNERLESS, name: "node" })).toMatchObject({ why: "owner-unknown" });
  });

  it.each([{ exe: "/usr/bin/curl" }, { command: "curl" }])(
    "is not the approved file once it was deleted, for %j",
    (rule) => {
      expect(decide([rule], { exe_deleted: true })).toEqual({
        kind: "unverifiable",
        rule: 0,
        why: "executable-deleted",
      });
    },
  );
});

describe("several rules", () => {
  it("are read to the end, so that a later rule can approve", () => {
    expect(decide([{ exe: "/usr/bin/node" }, { ports: PORT_80 }, {}])).toMatchObject({ kind: "approved", rule: 2 });
  });

  it("name the first that approves", () => {
    expect(decide([{}, {}])).toMatchObject({ kind: "approved", rule: 0 });
  });

  it("prefer what could not be verified to what did not match, and the destination that matched", () => {
    const rules = [{ ports: PORT_80 }, { destination: suffix("example.com") }, { exe: "/usr/bin/curl" }];
    expect(decide(rules, OWNERLESS)).toEqual({ kind: "unverifiable", rule: 2, why: "owner-unknown" });
    expect(decide(rules.slice(0, 2))).toEqual({ kind: "unverifiable", rule: 1, why: "host-unknown" });
  });

  it("name another program before another port", () => {
    expect(decide([{ ports: PORT_80 }, { exe: "/usr/bin/node" }])).toMatchObject({ reason: "other-process", rule: 1 });
  });
});

describe("a rule that is not active", () => {
  it("approves nothing before review", () => {
    expect(decide([{ reviewed: false }])).toEqual(UNMATCHED);
  });

  it("approves until its date and not at it", () => {
    expect(isActive(egressRuleWith({ expiresAt: NOW + 1 }), NOW)).toBe(true);
    expect(isActive(egressRuleWith({ expiresAt: NOW }), NOW)).toBe(false);
    expect(decide([{ expiresAt: NOW }])).toEqual(UNMATCHED);
  });

  it("brings in no names, by which another rule could approve", () => {
    const rules = prepareRules(
      [
        egressRuleWith({ index: 0, destination: host("a.example") }),
        egressRuleWith({ index: 1, destination: host("b.example"), reviewed: false }),
        egressRuleWith({ index: 2, destination: host("c.example"), expiresAt: NOW }),
        egressRuleWith({ index: 3, destination: regex("(a|d)\\.example") }),
        egressRuleWith({ index: 4, destination: regex(".*") }),
        egressRuleWith({ index: 5, destination: suffix("example.com") }),
      ],
      compileHostPattern,
    );
    expect(namesToResolve(rules, NOW)).toEqual(["a.example", "d.example"]);
  });
});
