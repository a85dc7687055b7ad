import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import type { SocketInventory } from "../../../src/core/network.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import { type BaselineFile, reportPorts, scanPorts, type ScanPortsDeps } from "../../../src/app/scan-ports.ts";
import { listenerWith, UNKNOWN_OWNER } from "../../helpers/listener.ts";

const NOW = epochFromIso("2026-06-15T12:00:00Z") ?? 0;
const PATH = "/state/security/approved_ports.json";

function inventoryWith(differences: Partial<SocketInventory> = {}): SocketInventory {
  return {
    collector: "proc",
    collected_at: "2026-06-15T12:00:00Z",
    complete: true,
    unresolved: 0,
    denied: 0,
    listeners: [listenerWith({ port: 3999 })],
    connections: [],
    problems: [],
    ...differences,
  };
}

function depsWith(file: BaselineFile | null, inventory: SocketInventory = inventoryWith()): ScanPortsDeps {
  return {
    loadBaseline: () => Promise.resolve(file),
    collect: () => Promise.resolve(inventory),
    now: () => NOW,
  };
}

const fileOf = (value: unknown): BaselineFile => ({ path: PATH, text: JSON.stringify(value) });

describe("scanPorts", () => {
  it("reports every listener as unapproved and names the next step when there is no baseline", async () => {
    const report = await scanPorts(depsWith(null), { includeUdp: true });
    expect(report).toMatchObject({
      status: "ok",
      approved_file: null,
      approved_rules: 0,
      rule_notes: [],
      problems: [{ code: "baseline-missing" }],
    });
    expect(report.findings.map(({ type, mitigation }) => [type, mitigation])).toEqual([
      [
        "unapproved-port",
        "Create a baseline with `cse baseline generate`, then go through it with `cse baseline review`.",
      ],
    ]);
  });

  it("finds nothing when a reviewed rule covers the listener", async () => {
    const report = await scanPorts(depsWith(fileOf([{ port: 3999, protocol: "tcp" }])), { includeUdp: true });
    expect(report).toMatchObject({ status: "ok", approved_file: PATH, approved_rules: 1, findings: [], problems: [] });
    expect(report.rule_notes.map((note) => note.kind)).toEqual(["unscoped"]);
  });

  it.each([
    ["an empty file", "", "json-invalid"],
    ["a truncated file", '[{"port"', "json-invalid"],
    ["a duplicate key", '[{"port": 1, "port": 2, "protocol": "tcp"}]', "json-duplicate-key"],
    [
      "one bad rule among good ones",
      '[{"port": 22, "protocol": "tcp"}, {"port": "443-445", "protocol": "tcp"}]',
      "baseline-invalid",
    ],
    ["a version of the future", '{"schemaVersion": 9, "rules": []}', "schema-version-unsupported"],
  ])("ends with a named error and collects nothing for %s", async (_what, text, code) => {
    let collected = 0;
    const deps: ScanPortsDeps = {
      ...depsWith({ path: PATH, text }),
      collect: () => {
        collected += 1;
        return Promise.resolve(inventoryWith());
      },
    };
    await expect(scanPorts(deps, { includeUdp: true })).rejects.toMatchObject({ code });
    expect(collected).toBe(0);
  });

  it("passes on a failure to read the baseline or to collect", async () => {
    const failure = new SecurityError("file-unreadable", "no");
    const unreadable = { ...depsWith(null), loadBaseline: () => Promise.reject(failure) };
    await expect(scanPorts(unreadable, { includeUdp: true })).rejects.toBe(failure);
    const blind = { ...depsWith(null), collect: () => Promise.reject(failure) };
    await expect(scanPorts(blind, { includeUdp: true })).rejects.toBe(failure);
  });

  it("does not call UDP rules unused when UDP was not asked for", async () => {
    const wants: boolean[] = [];
    const deps: ScanPortsDeps = {
      ...depsWith(
        fileOf({ schemaVersion: 2, rules: [{ protocol: "udp", port: 53, scope: "loopback", reviewed: true }] }),
      ),
      collect: ({ udp }) => {
        wants.push(udp);
        return Promise.resolve(inventoryWith());
      },
    };
    const tcpOnly = await scanPorts(deps, { includeUdp: false });
    const both = await scanPorts(deps, { includeUdp: true });
    expect(wants).toEqual([false, true]);
    expect(tcpOnly.rule_notes).toEqual([]);
    expect(both.rule_notes.map((note) => note.kind)).toEqual(["unused"]);
  });
});

describe("reportPorts", () => {
  it("is incomplete when the collector could not see everything", () => {
    const inventory = inventoryWith({
      complete: false,
      unresolved: 1,
      denied: 3,
      listeners: [listenerWith(UNKNOWN_OWNER)],
    });
    expect(reportPorts(inventory, null, null, NOW)).toMatchObject({
      status: "incomplete",
      complete: false,
      unresolved: 1,
      denied: 3,
    });
  });

  it("lists listeners by protocol, port and address, whatever order they came in", () => {
    const listeners = [
      listenerWith({ protocol: "udp", port: 53 }),
      listenerWith({ port: 443 }),
      listenerWith({ port: 80, address: "::1" }),
      listenerWith({ port: 80 }),
    ];
    const report = reportPorts(inventoryWith({ listeners }), null, null, NOW);
    expect(report.listening_services.map(({ protocol, port, address }) => `${protocol} ${port} ${address}`)).toEqual([
      "tcp 80 127.0.0.1",
      "tcp 80 ::1",
      "tcp 443 127.0.0.1",
      "udp 53 127.0.0.1",
    ]);
  });
});
