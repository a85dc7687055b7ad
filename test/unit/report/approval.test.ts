import { describe, expect, it } from "vitest";
import type { Connection } from "../../../src/core/network.ts";
import { reviewConnections, reviewListeners } from "../../../src/report/approval.ts";
import {
  egressFinding,
  portFinding,
  sampleConnection,
  sampleEgressReport,
  sampleListener,
  samplePortReport,
} from "../../helpers/sample-assessment.ts";

describe("reviewListeners", () => {
  const listener = sampleListener();
  const approvalOf = (change: Parameters<typeof samplePortReport>[0]) =>
    reviewListeners(samplePortReport({ listening_services: [listener], findings: [], ...change })).map(
      ({ approval }) => approval,
    );

  it("calls a listener approved when there is a baseline and no finding about its approval", () => {
    expect(approvalOf({ findings: [portFinding(listener, { type: "public-bind" })] })).toEqual(["yes"]);
  });

  it("calls nothing approved when there is no baseline", () => {
    expect(approvalOf({ approved_file: null })).toEqual(["no"]);
  });

  it("prefers unapproved over unverifiable whichever comes first", () => {
    const no = portFinding(listener);
    const unknown = portFinding(listener, { type: "unverifiable" });
    expect(approvalOf({ findings: [unknown] })).toEqual(["unknown"]);
    expect(approvalOf({ findings: [unknown, no] })).toEqual(["no"]);
    expect(approvalOf({ findings: [no, unknown] })).toEqual(["no"]);
  });

  it("gives two processes on one address the worse answer", () => {
    const other = sampleListener({ exe: "/opt/other" });
    expect(approvalOf({ listening_services: [listener, other], findings: [portFinding(other)] })).toEqual(["no", "no"]);
  });

  it("calls no listener approved whose program has findings that are not listed one by one", () => {
    const unlisted = sampleListener({ port: 9001 });
    const other = sampleListener({ port: 9002, exe: "/opt/other" });
    const findings = [portFinding(listener, { more: 150 })];
    expect(approvalOf({ listening_services: [unlisted, other], findings })).toEqual(["no", "yes"]);
  });

  it("lists unapproved and widely reachable listeners first", () => {
    const local = sampleListener({ address: "127.0.0.1", port: 1, scope: "loopback" });
    const open = sampleListener({ port: 9000 });
    const bad = sampleListener({ address: "127.0.0.1", port: 2, scope: "loopback" });
    const report = samplePortReport({ listening_services: [local, open, listener, bad], findings: [portFinding(bad)] });
    expect(reviewListeners(report).map(({ socket }) => socket.port)).toEqual([2, 22, 9000, 1]);
  });
});

describe("reviewConnections", () => {
  const connection = sampleConnection();
  const approvalOf = (change: Parameters<typeof sampleEgressReport>[0]) =>
    reviewConnections(sampleEgressReport({ connections: [connection], findings: [], ...change })).map(
      ({ approval }) => approval,
    );

  it.each<[string, Partial<Connection>]>([
    ["an accepted connection", { direction: "inbound" }],
    ["a connection within this host", { direction: "local" }],
    ["a connection to a loopback address", { category: "loopback" }],
  ])("does not ask for approval of %s, even without an allowlist", (_, change) => {
    expect(approvalOf({ connections: [sampleConnection(change)], allowlist_file: null })).toEqual(["none-needed"]);
  });

  it("calls nothing approved when there is no allowlist, an unknown direction included", () => {
    const unknown = sampleConnection({ direction: "unknown" });
    expect(approvalOf({ allowlist_file: null, connections: [connection, unknown] })).toEqual(["no", "no"]);
    expect(approvalOf({ connections: [connection, unknown] })).toEqual(["yes", "yes"]);
  });

  it("counts a connection to the metadata service as unapproved when it is a finding", () => {
    expect(approvalOf({ findings: [egressFinding(connection, { type: "metadata-endpoint" })] })).toEqual(["no"]);
  });

  it("applies one finding to every address of the same name", () => {
    const sibling = sampleConnection({ remote_ip: "203.0.113.11" });
    const findings = [egressFinding(connection)];
    expect(approvalOf({ connections: [connection, sibling], findings })).toEqual(["no", "no"]);
  });

  it("does not apply a finding to another program, port or destination", () => {
    const others = [
      sampleConnection({ exe: "/usr/bin/curl" }),
      sampleConnection({ remote_port: 8443 }),
      sampleConnection({ remote_host: "other.example.com" }),
      sampleConnection({ protocol: "udp" }),
    ];
    expect(approvalOf({ connections: others, findings: [egressFinding(connection)] })).toEqual(others.map(() => "yes"));
  });

  it("calls no connection approved whose program has findings that are not listed one by one", () => {
    const unlisted = sampleConnection({ remote_ip: "203.0.113.99", remote_host: null });
    const visit = sampleConnection({ remote_ip: "203.0.113.98", remote_host: null, direction: "inbound" });
    const other = sampleConnection({ exe: "/usr/bin/curl" });
    for (const [type, approval] of [
      ["unapproved-egress", "no"],
      ["unverifiable", "unknown"],
    ] as const) {
      const findings = [egressFinding(connection, { type, more: 150 })];
      const reviewed = reviewConnections(sampleEgressReport({ connections: [unlisted, visit, other], findings }));
      expect(new Map(reviewed.map((one) => [one.socket, one.approval]))).toEqual(
        new Map([
          [unlisted, approval],
          [visit, "none-needed"],
          [other, "yes"],
        ]),
      );
    }
  });

  it("matches a finding without an executable by name, then by user", () => {
    const named = sampleConnection({ exe: null });
    const owned = sampleConnection({ exe: null, name: null, user: "root" });
    expect(approvalOf({ connections: [named], findings: [egressFinding(named)] })).toEqual(["no"]);
    const findings = [egressFinding(owned, { type: "unverifiable" })];
    expect(approvalOf({ connections: [owned], findings })).toEqual(["unknown"]);
  });
});
