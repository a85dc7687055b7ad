import { describe, expect, it } from "vitest";
import { scanEgress, type ScanEgressDeps } from "../../../src/app/scan-egress.ts";
import type { HostResolution } from "../../../src/core/egress.ts";
import type { Connection, EgressReport, SocketInventory } from "../../../src/core/network.ts";
import { connectionWith, inventoryOf, OWNERLESS } from "../../helpers/connection.ts";

const NOW = 1_800_000_000_000;

interface Scene {
  readonly connections?: readonly Partial<Connection>[];
  readonly inventory?: Partial<SocketInventory>;
  readonly allowlist?: unknown;
  readonly resolutions?: Readonly<Record<string, HostResolution>>;
  readonly asked?: string[];
}

function depsOf(scene: Scene): ScanEgressDeps {
  return {
    collect: async () => inventoryOf((scene.connections ?? []).map(connectionWith), scene.inventory),
    loadAllowlist: async () =>
      scene.allowlist === undefined
        ? null
        : {
            path: "/state/egress_allowlist.json",
            text: typeof scene.allowlist === "string" ? scene.allowlist : JSON.stringify(scene.allowlist),
          },
    resolveHosts: async (hosts) => {
      scene.asked?.push(...hosts);
      return new Map(hosts.map((host) => [host, scene.resolutions?.[host] ?? { kind: "none" }]));
    },
    now: () => NOW,
  };
}

async function scan(
  scene: Scene,
  over: { includeLoopback?: boolean; includeUdp?: boolean } = {},
): Promise<EgressReport> {
  return await scanEgress(depsOf(scene), { includeLoopback: false, includeUdp: true, ...over });
}

const at = (...addresses: string[]): HostResolution => ({ kind: "addresses", addresses });
const v2 = (...rules: readonly unknown[]): unknown => ({ schemaVersion: 2, rules });
const typesOf = (report: EgressReport): string[] => report.findings.map((finding) => finding.type);

it("reports nothing out of the ordinary on a host that is silent", async () => {
  expect(await scan({ allowlist: v2() })).toEqual({
    schemaVersion: 1,
    status: "ok",
    collected_at: "2026-11-23T08:00:00Z",
    collector: "proc",
    complete: true,
    unresolved: 0,
    denied: 0,
    allowlist_file: "/state/egress_allowlist.json",
    allowlist_rules: 0,
    connections: [],
    findings: [],
    rule_notes: [],
    problems: [],
  });
});

it("approves nothing without an allowlist, and says so", async () => {
  const report = await scan({ connections: [{}] });
  expect(report.allowlist_file).toBeNull();
  expect(typesOf(report)).toEqual(["unapproved-egress"]);
  expect(report.problems.map((problem) => problem.code)).toEqual(["no-allowlist"]);
});

it("E1, E2: an open connection shows up, and goes away once a host rule allows it", async () => {
  const connections = [{}];
  const allowlist = v2({ host: "www.example.com", port: 443 });
  const resolutions = { "www.example.com": at("93.184.215.14") };
  expect(typesOf(await scan({ connections, allowlist: v2() }))).toEqual(["unapproved-egress"]);
  const allowed = await scan({ connections, allowlist, resolutions });
  expect(allowed.findings).toEqual([]);
  expect(allowed.connections).toEqual([connectionWith({ remote_host: "www.example.com", host_source: "dns" })]);
});

it("E5: keeps accepted connections in the list and out of the findings", async () => {
  const report = await scan({ connections: [{ direction: "inbound" }] });
  expect(report.connections.map((connection) => connection.direction)).toEqual(["inbound"]);
  expect(report.findings).toEqual([]);
});

it("E6: the original's way of listing two hosts in a pattern works by their addresses", async () => {
  const allowlist = [{ protocol: "tcp", host_regex: "^(api\\.openai\\.com|api\\.anthropic\\.com)$", port: 443 }];
  const asked: string[] = [];
  const resolutions = { "api.openai.com": at("162.159.140.245") };
  const report = await scan({ connections: [{ remote_ip: "162.159.140.245" }], allowlist, resolutions, asked });
  expect(asked).toEqual(["api.anthropic.com", "api.openai.com"]);
  expect(report.findings).toEqual([]);
  expect(report.rule_notes).toEqual([
    { rule: 0, kind: "unresolvable", message: "No address known for api.anthropic.com (no such host)" },
  ]);
});

describe("E7, E9, E13: a broken allowlist", () => {
  it.each([
    ["an empty rule", [{}], "allowlist-invalid"],
    ["a misspelt key", [{ protocol: "tcp", hosts: ["a"] }], "allowlist-invalid"],
    ["a port range as text", [{ protocol: "tcp", host: "a.example", port: "443-445" }], "allowlist-invalid"],
    ["an object in place of the list", {}, "allowlist-invalid"],
    ["an empty file", "", "json-invalid"],
    ["a truncated file", '[{"protocol":', "json-invalid"],
    ["a key given twice", '[{"host":"a.example","host":"b.example"}]', "json-duplicate-key"],
  ])("is a named error, never an empty policy: %s", async (_what, allowlist, code) => {
    await expect(scan({ connections: [{}], allowlist })).rejects.toMatchObject({ code });
  });
});

it("E9: a pattern that cannot be used is named, and the other rules hold", async () => {
  const allowlist = [
    { protocol: "tcp", host_regex: "(?=x)" },
    { protocol: "tcp", host_regex: "a".repeat(1001) },
    { protocol: "tcp", host: "93.184.215.14" },
  ];
  const report = await scan({ connections: [{}, { remote_ip: "8.8.8.8" }], allowlist });
  expect(report.findings.map((finding) => finding.remote_ip)).toEqual(["8.8.8.8"]);
  expect(report.rule_notes.map(({ rule, kind }) => [rule, kind])).toEqual([
    [0, "invalid-pattern"],
    [1, "invalid-pattern"],
  ]);
});

it("E10: a pattern that stops a backtracking engine stops nothing", async () => {
  const allowlist = [{ protocol: "tcp", host_regex: "^(([0-9a-f.:]+)+)+!$" }];
  const connections = [
    { remote_host: `${"a".repeat(60)}.${"b".repeat(60)}.example`, host_source: "recorder" as const },
  ];
  expect(typesOf(await scan({ connections, allowlist }))).toEqual(["unapproved-egress"]);
});

it("E11: judges connections that are opening, closing or closed, and UDP", async () => {
  const connections = [
    { state: "SYN_SENT", remote_port: 1 },
    { state: "CLOSE_WAIT", remote_port: 2 },
    { state: "TIME_WAIT", remote_port: 3, ...OWNERLESS },
    { protocol: "udp" as const, remote_port: 4 },
  ];
  expect((await scan({ connections })).findings.map((finding) => finding.target.split(" ", 2).join(" "))).toEqual([
    "tcp 93.184.215.14:1",
    "tcp 93.184.215.14:2",
    "tcp 93.184.215.14:3",
    "udp 93.184.215.14:4",
  ]);
  expect((await scan({ connections }, { includeUdp: false })).connections).toHaveLength(3);
});

it("E12: keeps every connection in the list, whatever its local port", async () => {
  const report = await scan({ connections: [{ local_port: 1 }, { local_port: 2 }] });
  expect(report.connections.map((connection) => connection.local_port)).toEqual([1, 2]);
  expect(report.findings).toHaveLength(1);
});

it("lists connections within the host only when asked, and never as findings", async () => {
  const connections = [{ remote_ip: "127.0.0.1", direction: "local" as const }, { direction: "local" as const }];
  expect((await scan({ connections })).connections).toEqual([]);
  const report = await scan({ connections }, { includeLoopback: true });
  expect(report.connections).toHaveLength(2);
  expect(report.findings).toEqual([]);
});

it("is incomplete when the collector was", async () => {
  const problem = { code: "owners-hidden", message: "3 processes refused" };
  const inventory = { complete: false, unresolved: 3, denied: 2, problems: [problem] };
  expect(await scan({ inventory, allowlist: v2() })).toMatchObject({
    status: "incomplete",
    complete: false,
    unresolved: 3,
    denied: 2,
    problems: [problem],
  });
});

it("is incomplete when names could not be resolved, and does not call the connection unapproved", async () => {
  const allowlist = v2({ host: "a.example" });
  const resolutions: Record<string, HostResolution> = { "a.example": { kind: "failed", code: "timeout" } };
  const report = await scan({ connections: [{}], allowlist, resolutions });
  expect(report.status).toBe("incomplete");
  expect(typesOf(report)).toEqual(["unverifiable"]);
  expect(report.problems.map((problem) => problem.code)).toEqual(["name-resolution-failed"]);
  expect(report.rule_notes.map((note) => note.message)).toEqual(["No address known for a.example (no answer in time)"]);
});

it("asks for no name when no active rule has one", async () => {
  const asked: string[] = [];
  const allowlist = v2(
    { cidr: "10.0.0.0/8" },
    { host_suffix: "example.com" },
    { host: "a.example", reviewed: false },
    { host: "b.example", expires: "2020-01-01" },
  );
  await scan({ allowlist, asked });
  expect(asked).toEqual([]);
});

it("says when a connection was approved only by the name its process gave itself", async () => {
  const allowlist = [{ protocol: "tcp", host: "93.184.215.14", command: "node" }];
  const report = await scan({ connections: [{ ...OWNERLESS, name: "node" }], allowlist });
  expect(report.findings).toEqual([]);
  expect(report.problems.map((problem) => problem.code)).toEqual(["approved-by-process-name"]);
});

it("shows the recorder's name and not one from DNS", async () => {
  const connections = [{ remote_host: "evil.example", host_source: "recorder" as const }];
  const report = await scan({
    connections,
    allowlist: v2({ host: "a.example" }),
    resolutions: { "a.example": at("93.184.215.14") },
  });
  expect(report.connections[0]).toMatchObject({ remote_host: "evil.example", host_source: "recorder" });
  expect(typesOf(report)).toEqual(["unapproved-egress"]);
});

it("shows names that approve too much beside the findings", async () => {
  const report = await scan({ connections: [{}], allowlist: v2({ cidr: "0.0.0.0/0" }) });
  expect(report.findings).toEqual([]);
  expect(report.rule_notes).toEqual([{ rule: 0, kind: "too-broad", message: "0.0.0.0/0 is every address" }]);
});

it("passes on what the effects throw", async () => {
  const deps = depsOf({});
  const failure = new Error("the collector failed");
  const collect = async (): Promise<never> => await Promise.reject(failure);
  await expect(scanEgress({ ...deps, collect }, { includeLoopback: false, includeUdp: true })).rejects.toBe(failure);
});
