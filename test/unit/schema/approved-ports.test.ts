import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { parseStrictJson } from "../../../src/core/json.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import { parseApprovedPorts, type PortRule } from "../../../src/schema/approved-ports.ts";

const RULE = { protocol: "tcp", port: 8080, scope: "loopback", reviewed: true } as const;
const PLAIN: PortRule = {
  index: 0,
  protocol: "tcp",
  ports: { first: 8080, last: 8080 },
  bind: { kind: "scope", scope: "loopback" },
  device: null,
  exe: null,
  command: null,
  unit: null,
  user: null,
  owner: null,
  justification: null,
  reviewed: true,
  expiresAt: null,
  comment: null,
};

describe("the original form", () => {
  it("loads as reviewed rules that hold on any scope", () => {
    const value = [
      { port: 22, protocol: "tcp", command: "sshd", comment: "admin" },
      { port: 53, protocol: "udp", pid: 812 },
    ];
    expect(parseApprovedPorts(value)).toEqual({
      form: "original",
      rules: [
        { ...PLAIN, ports: { first: 22, last: 22 }, bind: { kind: "any" }, command: "sshd", comment: "admin" },
        { ...PLAIN, index: 1, protocol: "udp", ports: { first: 53, last: 53 }, bind: { kind: "any" } },
      ],
    });
  });

  it("loads an empty array as no rules", () => {
    expect(parseApprovedPorts([])).toEqual({ form: "original", rules: [] });
  });

  it.each<[string, unknown, string]>([
    ["a null rule", [null], "/0"],
    ["a text rule", ["http"], "/0"],
    ["a port range given as the port", [{ port: "443-445", protocol: "tcp" }], "/0/port"],
    ["NaN as the port", [{ port: Number.NaN, protocol: "tcp" }], "/0/port"],
    ["a fraction as the port", [{ port: 80.5, protocol: "tcp" }], "/0/port"],
    ["port 0", [{ port: 0, protocol: "tcp" }], "/0/port"],
    ["port 65536", [{ port: 65_536, protocol: "tcp" }], "/0/port"],
    ["no port", [{ protocol: "tcp" }], "/0/port"],
    ["an unknown protocol", [{ port: 80, protocol: "sctp" }], "/0/protocol"],
    ["an unknown key", [{ port: 80, protocol: "tcp", Command: "sshd" }], "/0/Command"],
    ["an empty command", [{ port: 80, protocol: "tcp", command: "" }], "/0/command"],
    ["a number as the command", [{ port: 80, protocol: "tcp", command: 7 }], "/0/command"],
  ])("refuses %s", (_what, value, path) => {
    expect(failureOf(value)).toEqual({ code: "baseline-invalid", path });
  });

  it("reports every broken rule at once", () => {
    expect(issuesOf([null, { port: 80, protocol: "tcp" }, { port: 0, protocol: "tcp" }])).toEqual(["/0", "/2/port"]);
  });
});

describe("the v2 form", () => {
  it("loads every field", () => {
    const full = {
      protocol: "udp",
      ports: "8000-8010",
      address: "::ffff:10.0.0.1",
      device: "eth0",
      exe: "/usr/bin/node",
      unit: "web.service",
      user: "app",
      owner: "platform team",
      justification: "internal API",
      reviewed: true,
      expires: "2027-01-31",
      comment: "see the runbook",
    };
    expect(parseApprovedPorts({ schemaVersion: 2, rules: [full] }).rules).toEqual([
      {
        index: 0,
        protocol: "udp",
        ports: { first: 8000, last: 8010 },
        bind: { kind: "address", address: "10.0.0.1" },
        device: "eth0",
        exe: "/usr/bin/node",
        command: null,
        unit: "web.service",
        user: "app",
        owner: "platform team",
        justification: "internal API",
        reviewed: true,
        expiresAt: epochFromIso("2027-01-31"),
        comment: "see the runbook",
      },
    ]);
  });

  it("loads the explicit scope any", () => {
    const rules = parseApprovedPorts({ schemaVersion: 2, rules: [{ ...RULE, scope: "any" }] }).rules;
    expect(rules).toEqual([{ ...PLAIN, bind: { kind: "any" } }]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["neither scope nor address", { scope: undefined }, ""],
    ["scope and address together", { address: "127.0.0.1" }, ""],
    ["port and ports together", { ports: "1-2" }, ""],
    ["no port", { port: undefined }, ""],
    ["exe and command together", { exe: "/usr/bin/node", command: "node" }, ""],
    ["no review mark", { reviewed: undefined }, "/reviewed"],
    ["a review mark that is text", { reviewed: "true" }, "/reviewed"],
    ["an unknown scope", { scope: "lan" }, "/scope"],
    ["a misspelt key", { Scope: "loopback" }, "/Scope"],
    ["a pid", { pid: 7 }, "/pid"],
    ["a reversed range", { port: undefined, ports: "8010-8000" }, "/ports"],
    ["a range beyond the last port", { port: undefined, ports: "65000-70000" }, "/ports"],
    ["a range from 0", { port: undefined, ports: "0-10" }, "/ports"],
    ["an open range", { port: undefined, ports: "8000-" }, "/ports"],
    ["a relative executable", { exe: "node" }, "/exe"],
    ["an executable with dots", { exe: "/usr/bin/../bin/node" }, "/exe"],
    ["an executable with a double slash", { exe: "/usr//bin/node" }, "/exe"],
    ["a command with a slash", { command: "/usr/bin/node" }, "/command"],
    ["a host name as the address", { scope: undefined, address: "localhost" }, "/address"],
    ["an address with a zone", { scope: undefined, address: "fe80::1%eth0" }, "/address"],
    ["a short IPv4 address", { scope: undefined, address: "127.1" }, "/address"],
    ["a date that does not exist", { expires: "2027-02-30" }, "/expires"],
    ["a time as the date", { expires: "2027-01-31T00:00:00Z" }, "/expires"],
  ])("refuses %s", (_what, change, key) => {
    const rule = Object.fromEntries(Object.entries({ ...RULE, ...change }).filter(([, value]) => value !== undefined));
    expect(failureOf({ schemaVersion: 2, rules: [rule] })).toEqual({
      code: "baseline-invalid",
      path: `/rules/0${key}`,
    });
  });

  it.each<[string, unknown, string]>([
    ["null", null, "baseline-invalid"],
    ["text", "[]", "baseline-invalid"],
    ["an object without a version", { rules: [] }, "baseline-invalid"],
    ["a version given as text", { schemaVersion: "2", rules: [] }, "baseline-invalid"],
    ["a version of the future", { schemaVersion: 3, rules: [] }, "schema-version-unsupported"],
    ["an unknown key beside the rules", { schemaVersion: 2, rules: [], Rules: [] }, "baseline-invalid"],
    ["rules that are an object", { schemaVersion: 2, rules: {} }, "baseline-invalid"],
  ])("refuses %s", (_what, value, code) => {
    expect(failureOf(value).code).toBe(code);
  });

  it("loads ten thousand rules and refuses the same with one broken", () => {
    const rules: unknown[] = Array.from({ length: 10_000 }, (_, index) => ({ ...RULE, port: 1 + index }));
    expect(parseApprovedPorts({ schemaVersion: 2, rules }).rules).toHaveLength(10_000);
    expect(failureOf({ schemaVersion: 2, rules: [...rules, null] })).toEqual({
      code: "baseline-invalid",
      path: "/rules/10000",
    });
  });
});

it.each([
  ["an empty file", "", "json-invalid"],
  ["white space", " \n", "json-invalid"],
  ["a truncated file", '[{"port": 22, "proto', "json-invalid"],
  ["a duplicate key", '[{"port": 22, "protocol": "tcp", "port": 23}]', "json-duplicate-key"],
  ["NaN", '[{"port": NaN, "protocol": "tcp"}]', "json-invalid"],
  ["null", "null", "baseline-invalid"],
])("never reads %s as an empty baseline", (_what, text, code) => {
  expect(codeOf(() => parseApprovedPorts(parseStrictJson(text, "approved_ports.json")))).toBe(code);
});

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof SecurityError ? error.code : "not a SecurityError";
  }
  return "no error";
}

function issuesOf(value: unknown): string[] {
  try {
    parseApprovedPorts(value);
  } catch (error) {
    if (error instanceof SecurityError)
      return ((error.details?.["issues"] ?? []) as { path: string }[]).map((issue) => issue.path);
  }
  return [];
}

function failureOf(value: unknown): { code: string; path: string | undefined } {
  return { code: codeOf(() => parseApprovedPorts(value)), path: issuesOf(value)[0] };
}
