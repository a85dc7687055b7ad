import { expect, it } from "vitest";
import { checkEgressAllowlist, suggestEgressAllowlist } from "../../../src/app/allowlist.ts";
import { scanEgress, type ScanEgressDeps } from "../../../src/app/scan-egress.ts";
import type { HostResolution } from "../../../src/core/egress.ts";
import type { Connection } from "../../../src/core/network.ts";
import { connectionWith, inventoryOf } from "../../helpers/connection.ts";

const ADDRESSES: Readonly<Record<string, HostResolution>> = {
  "a.example": { kind: "addresses", addresses: ["93.184.215.14"] },
  "slow.example": { kind: "failed", code: "timeout" },
};

function depsOf(connections: readonly Partial<Connection>[], allowlist: unknown): ScanEgressDeps {
  return {
    collect: async () => inventoryOf(connections.map(connectionWith)),
    loadAllowlist: async () => (allowlist === null ? null : { path: "/a.json", text: JSON.stringify(allowlist) }),
    resolveHosts: async (hosts) => new Map(hosts.map((host) => [host, ADDRESSES[host] ?? { kind: "none" }])),
    now: () => 1_800_000_000_000,
  };
}

it("shows the state of every rule", async () => {
  const rules = [
    { host: "a.example" },
    { host: "gone.example" },
    { host: "slow.example", port: 1 },
    { host_regex: "(" },
    { host: "b.example", reviewed: false },
    { host_suffix: "example.com", expires: "2020-01-01" },
    { cidr: "0.0.0.0/0", port: 80 },
  ];
  const check = await checkEgressAllowlist(depsOf([{}, { local_port: 2 }], { schemaVersion: 2, rules }));
  expect(check.allowlist_file).toBe("/a.json");
  expect(
    check.rules.map(({ destination, active, resolves_to, approves, notes }) => ({
      destination,
      active,
      resolves_to,
      approves,
      notes: notes.map((note) => note.kind),
    })),
  ).toEqual([
    {
      destination: "host a.example",
      active: true,
      resolves_to: { "a.example": ["93.184.215.14"] },
      approves: 2,
      notes: [],
    },
    {
      destination: "host gone.example",
      active: true,
      resolves_to: { "gone.example": [] },
      approves: 0,
      notes: ["unresolvable", "unused"],
    },
    {
      destination: "host slow.example",
      active: true,
      resolves_to: { "slow.example": [] },
      approves: 0,
      notes: ["unresolvable", "unused"],
    },
    { destination: "host_regex (", active: false, resolves_to: null, approves: 0, notes: ["invalid-pattern"] },
    {
      destination: "host b.example",
      active: false,
      resolves_to: { "b.example": [] },
      approves: 0,
      notes: ["unreviewed"],
    },
    { destination: "host_suffix example.com", active: false, resolves_to: null, approves: 0, notes: ["expired"] },
    { destination: "cidr 0.0.0.0/0", active: true, resolves_to: null, approves: 0, notes: ["too-broad", "unused"] },
  ]);
});

it("has no rules to show without a file", async () => {
  expect(await checkEgressAllowlist(depsOf([{}], null))).toEqual({ schemaVersion: 1, allowlist_file: null, rules: [] });
});

it("refuses a broken file", async () => {
  await expect(checkEgressAllowlist(depsOf([], [{}]))).rejects.toMatchObject({ code: "allowlist-invalid" });
});

it("proposes a whole file that keeps the rules there are and approves nothing more", async () => {
  const connections = [{}, { remote_ip: "8.8.8.8" }];
  const first = await suggestEgressAllowlist(depsOf(connections, [{ protocol: "tcp", host: "a.example" }]));
  expect(first.proposed.map(({ cidr, reviewed }) => ({ cidr, reviewed }))).toEqual([
    { cidr: "8.8.8.8/32", reviewed: false },
  ]);
  const proposal: unknown = JSON.parse(first.text);
  expect(proposal).toEqual({
    schemaVersion: 2,
    rules: [{ host: "a.example", protocol: "tcp", reviewed: true }, ...first.proposed],
  });
  const options = { includeLoopback: false, includeUdp: true };
  const report = await scanEgress(depsOf(connections, proposal), options);
  expect(report.findings.map((finding) => finding.remote_ip)).toEqual(["8.8.8.8"]);
  expect((await suggestEgressAllowlist(depsOf(connections, proposal))).proposed).toEqual([]);
});

it("once reviewed, what was proposed is approved", async () => {
  const { text } = await suggestEgressAllowlist(depsOf([{}], null));
  const reviewed: unknown = JSON.parse(text.replaceAll('"reviewed": false', '"reviewed": true'));
  const report = await scanEgress(depsOf([{}], reviewed), { includeLoopback: false, includeUdp: true });
  expect(report.findings).toEqual([]);
});
