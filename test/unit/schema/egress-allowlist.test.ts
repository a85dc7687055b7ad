import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { parseEgressAllowlist } from "../../../src/schema/egress-allowlist.ts";

function failureOf(value: unknown): { code: string; issues: { path: string; message: string }[] } {
  try {
    parseEgressAllowlist(value);
  } catch (error) {
    if (!(error instanceof SecurityError)) throw error;
    return { code: error.code, issues: (error.details?.["issues"] ?? []) as { path: string; message: string }[] };
  }
  throw new Error("it was accepted");
}

const v2 = (rule: unknown): unknown => ({ schemaVersion: 2, rules: [rule] });
const destinationOf = (value: unknown): unknown => parseEgressAllowlist(value).rules[0]?.destination;

describe("the original's form", () => {
  it("loads as it is", () => {
    expect(
      parseEgressAllowlist([
        { protocol: "tcp", host: "API.Example.com.", port: 443, command: "curl" },
        { protocol: "tcp", host_regex: "^api\\.(a|b)\\.example$" },
      ]),
    ).toEqual({
      form: "original",
      rules: [
        {
          index: 0,
          destination: { kind: "host", host: "api.example.com" },
          protocol: "tcp",
          ports: { first: 443, last: 443 },
          exe: null,
          command: "curl",
          owner: null,
          justification: null,
          reviewed: true,
          expiresAt: null,
          comment: null,
        },
        {
          index: 1,
          destination: { kind: "regex", pattern: "^api\\.(a|b)\\.example$" },
          protocol: "tcp",
          ports: null,
          exe: null,
          command: null,
          owner: null,
          justification: null,
          reviewed: true,
          expiresAt: null,
          comment: null,
        },
      ],
    });
  });

  it("is about TCP when a rule names no protocol", () => {
    expect(parseEgressAllowlist([{ host: "a.example" }]).rules[0]?.protocol).toBe("tcp");
  });

  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["203.0.113.5", "203.0.113.5/32"],
    ["2001:DB8::1", "2001:db8::1/128"],
    ["::ffff:10.1.2.3", "10.1.2.3/32"],
  ])("takes %s in `host` as an address, not as a name", (host, text) => {
    expect(destinationOf([{ protocol: "tcp", host }])).toMatchObject({ kind: "cidr", cidr: { text } });
  });

  it("is empty, not an error, when it is an empty list", () => {
    expect(parseEgressAllowlist([])).toEqual({ form: "original", rules: [] });
  });

  it.each([
    ["E7: an empty rule", {}, "/0"],
    ["E7: a rule with a protocol alone", { protocol: "tcp" }, "/0"],
    ["E7: an empty host", { protocol: "tcp", host: "" }, "/0/host"],
    ["E7: an empty pattern", { protocol: "tcp", host_regex: "" }, "/0/host_regex"],
    ["E7: a misspelt key", { protocol: "tcp", hosts: ["a.example"] }, "/0/hosts"],
    ["a misspelt key beside a right one", { protocol: "tcp", host: "a.example", prot: 1 }, "/0/prot"],
    ["E9: a port range given as text", { protocol: "tcp", host: "a.example", port: "443-445" }, "/0/port"],
    ["port 0", { protocol: "tcp", host: "a.example", port: 0 }, "/0/port"],
    ["port 65536", { protocol: "tcp", host: "a.example", port: 65_536 }, "/0/port"],
    ["both a host and a pattern", { protocol: "tcp", host: "a.example", host_regex: "a" }, "/0"],
    ["a wildcard", { protocol: "tcp", host: "*.example.com" }, "/0/host"],
    ["a network with host bits", { protocol: "tcp", host: "10.1.2.3/8" }, "/0/host"],
    ["a command with a path", { protocol: "tcp", host: "a.example", command: "/usr/bin/curl" }, "/0/command"],
    ["a rule that is null", null, "/0"],
    ["a rule that is text", "a.example", "/0"],
    ["a v2 key", { protocol: "tcp", cidr: "10.0.0.0/8" }, "/0/cidr"],
  ])("refuses %s", (_what, rule, path) => {
    const { code, issues } = failureOf([rule]);
    expect(code).toBe("allowlist-invalid");
    expect(issues.map((issue) => issue.path)).toContain(path);
  });
});

describe("the v2 form", () => {
  it("keeps everything a rule says", () => {
    expect(
      parseEgressAllowlist(
        v2({
          host: "api.example.com",
          protocol: "tcp",
          ports: "443-445",
          exe: "/usr/bin/node",
          owner: "platform",
          justification: "model provider",
          reviewed: false,
          expires: "2027-01-31",
          comment: "",
        }),
      ),
    ).toEqual({
      form: "v2",
      rules: [
        {
          index: 0,
          destination: { kind: "host", host: "api.example.com" },
          protocol: "tcp",
          ports: { first: 443, last: 445 },
          exe: "/usr/bin/node",
          command: null,
          owner: "platform",
          justification: "model provider",
          reviewed: false,
          expiresAt: 1_801_353_600_000,
          comment: "",
        },
      ],
    });
  });

  it.each([
    [{ host_suffix: "Example.com" }, { kind: "suffix", domain: "example.com", includesDomain: true }],
    [{ host_suffix: ".example.com" }, { kind: "suffix", domain: "example.com", includesDomain: false }],
    [{ host_regex: "a.*" }, { kind: "regex", pattern: "a.*" }],
  ])("reads the destination of %j", (rule, expected) => {
    expect(destinationOf(v2(rule))).toEqual(expected);
  });

  it("means both protocols and every port when a rule names none", () => {
    expect(parseEgressAllowlist(v2({ host: "a.example" })).rules[0]).toMatchObject({ protocol: null, ports: null });
  });

  it.each([
    ["a rule without destination", { protocol: "tcp", port: 443 }, "/rules/0"],
    ["two destinations", { host: "a.example", cidr: "10.0.0.0/8" }, "/rules/0"],
    ["an address in `host`", { host: "203.0.113.5" }, "/rules/0/host"],
    ["an empty suffix", { host_suffix: "" }, "/rules/0/host_suffix"],
    ["a suffix that is a dot", { host_suffix: "." }, "/rules/0/host_suffix"],
    ["a suffix that is a top-level domain", { host_suffix: "com" }, "/rules/0/host_suffix"],
    ["a suffix that is a top-level domain with a dot", { host_suffix: ".com" }, "/rules/0/host_suffix"],
    ["a suffix with a wildcard", { host_suffix: "*.example.com" }, "/rules/0/host_suffix"],
    ["a CIDR that is a name", { cidr: "example.com" }, "/rules/0/cidr"],
    ["a CIDR with a zone", { cidr: "fe80::1%eth0" }, "/rules/0/cidr"],
    ["a port and a range", { host: "a.example", port: 1, ports: "1-2" }, "/rules/0"],
    ["a range that runs backwards", { host: "a.example", ports: "445-443" }, "/rules/0/ports"],
    ["a range from 0", { host: "a.example", ports: "0-10" }, "/rules/0/ports"],
    ["a range beyond 65535", { host: "a.example", ports: "1-70000" }, "/rules/0/ports"],
    ["an executable and a command", { host: "a.example", exe: "/a", command: "a" }, "/rules/0"],
    ["a relative executable", { host: "a.example", exe: "node" }, "/rules/0/exe"],
    ["a day that does not exist", { host: "a.example", expires: "2027-02-30" }, "/rules/0/expires"],
    ["a date with a time", { host: "a.example", expires: "2027-02-01T00:00:00Z" }, "/rules/0/expires"],
    ["a review mark that is text", { host: "a.example", reviewed: "true" }, "/rules/0/reviewed"],
    ["an unknown key", { host: "a.example", hosts: [] }, "/rules/0/hosts"],
  ])("refuses %s", (_what, rule, path) => {
    const { code, issues } = failureOf(v2(rule));
    expect(code).toBe("allowlist-invalid");
    expect(issues.map((issue) => issue.path)).toContain(path);
  });

  it("names the mistakes of all rules at once", () => {
    const rules = [{ host: "*" }, { host: "a.example" }, { host_suffix: "com" }, { exe: "x" }];
    expect(failureOf({ schemaVersion: 2, rules }).issues.map((issue) => issue.path)).toEqual([
      "/rules/0/host",
      "/rules/2/host_suffix",
      "/rules/3/exe",
      "/rules/3",
    ]);
  });
});

it.each([
  ["E13: an object in place of the list", { "0": { protocol: "tcp", host: "a.example" } }, "allowlist-invalid"],
  ["E13: an empty object", {}, "allowlist-invalid"],
  ["a version without rules", { schemaVersion: 2 }, "allowlist-invalid"],
  ["rules that are no list", { schemaVersion: 2, rules: {} }, "allowlist-invalid"],
  ["a key beside the rules", { schemaVersion: 2, rules: [], allow: [] }, "allowlist-invalid"],
  ["a version given as text", { schemaVersion: "2", rules: [] }, "allowlist-invalid"],
  ["a version of the future", { schemaVersion: 3, rules: [] }, "schema-version-unsupported"],
  ["null", null, "allowlist-invalid"],
  ["text", "*", "allowlist-invalid"],
  ["too many rules", Array.from({ length: 2001 }, () => ({ host: "a.example" })), "allowlist-invalid"],
])("refuses %s", (_what, value, code) => {
  expect(failureOf(value).code).toBe(code);
});
