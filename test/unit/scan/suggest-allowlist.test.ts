import { expect, it } from "vitest";
import type { EgressVerdict } from "../../../src/core/egress.ts";
import type { Connection } from "../../../src/core/network.ts";
import { recordOf, renderAllowlist, suggestAllowlist } from "../../../src/scan/suggest-allowlist.ts";
import { type EgressRule, type EgressRuleRecord, parseEgressAllowlist } from "../../../src/schema/egress-allowlist.ts";
import { connectionWith, OWNERLESS } from "../../helpers/connection.ts";

const UNMATCHED: EgressVerdict = { kind: "unapproved", reason: "no-rule", rule: null };

function suggest(
  connections: readonly Partial<Connection>[],
  verdict: EgressVerdict = UNMATCHED,
  existing: readonly EgressRule[] = [],
): EgressRuleRecord[] {
  return suggestAllowlist(
    connections.map((connection) => ({ connection: connectionWith(connection), verdict })),
    existing,
  );
}

it("proposes one unreviewed rule for each program, destination and port, in a stable order", () => {
  const named = {
    remote_host: "api.example.com",
    host_source: "dns",
    exe: "/usr/bin/node",
    unit: "a.service",
  } as const;
  const connections = [
    { remote_ip: "2001:4860::1" },
    named,
    { ...named, remote_ip: "8.8.8.8", local_port: 1, user: "bob" },
    { ...named, remote_port: 80 },
  ];
  const expected = [
    {
      cidr: "2001:4860::1/128",
      protocol: "tcp",
      port: 443,
      exe: "/usr/bin/curl",
      reviewed: false,
      comment: "Seen 1 connection; user alice; address without a known name: replace it by `host` if you know it",
    },
    {
      host: "api.example.com",
      protocol: "tcp",
      port: 443,
      exe: "/usr/bin/node",
      reviewed: false,
      comment: "Seen 2 connections; user alice, bob; unit a.service",
    },
    {
      host: "api.example.com",
      protocol: "tcp",
      port: 80,
      exe: "/usr/bin/node",
      reviewed: false,
      comment: "Seen 1 connection; user alice; unit a.service",
    },
  ];
  expect(suggest(connections)).toEqual(expected);
  expect(suggest(connections.toReversed())).toEqual(expected);
});

it.each<[string, EgressVerdict, number]>([
  ["is approved", { kind: "approved", rule: 0, host: null, source: "address", by: "any-process" }, 0],
  ["is no egress", { kind: "not-egress" }, 0],
  ["has a rule for another port", { kind: "unapproved", reason: "other-port", rule: 0 }, 1],
  ["has a rule that wants a name", { kind: "unverifiable", rule: 0, why: "host-unknown" }, 1],
  ["has a rule whose name does not resolve", { kind: "unverifiable", rule: 0, why: "host-unresolved" }, 0],
  ["has a rule and no known owner", { kind: "unverifiable", rule: 0, why: "owner-unknown" }, 0],
  ["has a rule and a deleted program", { kind: "unverifiable", rule: 0, why: "executable-deleted" }, 0],
])("for what %s: %#", (_what, verdict, count) => {
  expect(suggest([{}], verdict)).toHaveLength(count);
});

it("never proposes the metadata service", () => {
  expect(suggest([{ remote_ip: "169.254.169.254", remote_port: 80 }])).toEqual([]);
});

it.each<[string, Partial<Connection>]>([
  ["is not known", OWNERLESS],
  ["was deleted", { exe_deleted: true }],
  ["is only in memory", { exe: "memfd:x" }],
])("asks for the program when it %s", (_what, connection) => {
  const [proposal] = suggest([connection]);
  expect(proposal?.exe).toBeUndefined();
  expect(proposal?.comment).toContain("program not known: add `exe`");
});

it("does not propose again what a rule says already, reviewed or not", () => {
  const text = renderAllowlist(suggest([{}]));
  const { rules } = parseEgressAllowlist(JSON.parse(text));
  expect(suggest([{}], UNMATCHED, rules)).toEqual([]);
  expect(suggest([{}, { remote_port: 80 }], UNMATCHED, rules)).toHaveLength(1);
});

it("writes a file that the parser reads, with every proposal off", () => {
  const text = renderAllowlist(suggest([{}, { user: "a\nb" }, { remote_port: 1, ...OWNERLESS }]));
  expect(parseEgressAllowlist(JSON.parse(text)).rules.map((rule) => rule.reviewed)).toEqual([false, false]);
});

it("turns rules of the original's form into v2 without changing what they say", () => {
  const original = parseEgressAllowlist([
    { protocol: "tcp", host: "a.example", port: 443, command: "node", comment: "kept" },
    { protocol: "udp", host: "10.0.0.0/8" },
    { host_regex: "^(a|b)\\.example$" },
  ]);
  const again = parseEgressAllowlist(JSON.parse(renderAllowlist(original.rules.map(recordOf))));
  expect(again).toEqual({ form: "v2", rules: original.rules });
});
