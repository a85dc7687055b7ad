import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../../../src/assess/assessment.ts";
import { CHECKS } from "../../../../src/assess/checks.ts";
import type { AssessEvidence } from "../../../../src/assess/evidence.ts";
import type { NetworkFinding, PortReport } from "../../../../src/core/network.ts";
import { config, egress, goodEvidence, listener, ports, unseen } from "../../../helpers/assess-evidence.ts";
import { egressFinding, portFinding, sampleConnection } from "../../../helpers/sample-assessment.ts";

type Row = readonly [when: string, change: Partial<AssessEvidence>, status: CheckStatus];

function check(id: string, change: Partial<AssessEvidence>) {
  const found = CHECKS.find(({ meta }) => meta.check_id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found.check(goodEvidence(change));
}

function table(id: string, rows: readonly Row[]): void {
  describe(id, () => {
    it.each(rows)("%s", (_when, change, status) => {
      expect(check(id, change).status).toBe(status);
    });
  });
}

const PUBLIC = listener({ address: "0.0.0.0", scope: "all-interfaces", port: 8080 });
const LOCAL = listener({ port: 8080 });
const withPorts = (change: Partial<PortReport>): Partial<AssessEvidence> => ({ ports: ports(change) });
const insecure = (where: typeof LOCAL, change: Partial<NetworkFinding> = {}): NetworkFinding =>
  portFinding(where, { check_id: "insecure_ports_remediated", type: "insecure-port", risk: "high", ...change });
const incomplete = { status: "incomplete", complete: false } as const;

table("open_ports_approved", [
  ["is compliant when a baseline covers everything", {}, "compliant"],
  [
    "is a violation when others can reach an unapproved listener",
    withPorts({ findings: [portFinding(PUBLIC)] }),
    "violation",
  ],
  [
    "is a violation although the scan is incomplete",
    withPorts({ ...incomplete, unresolved: 2, findings: [portFinding(PUBLIC)] }),
    "violation",
  ],
  ["is partial when only loopback is unapproved", withPorts({ findings: [portFinding(LOCAL)] }), "partial"],
  [
    "is partial when there is no baseline and nothing listens",
    withPorts({ approved_file: null, approved_rules: 0, listening_services: [] }),
    "partial",
  ],
  [
    "is partial when an approval has expired",
    withPorts({ rule_notes: [{ rule: 0, kind: "expired", message: "expired on 2026-01-01" }] }),
    "partial",
  ],
  [
    "is partial when the baseline was never reviewed",
    withPorts({ rule_notes: [{ rule: 0, kind: "unreviewed", message: "nobody looked at it" }] }),
    "partial",
  ],
  [
    "is partial when a listener is approved by its name only",
    withPorts({ findings: [portFinding(PUBLIC, { type: "unverifiable", status: "partial", risk: "low" })] }),
    "partial",
  ],
  [
    "is compliant when a rule is merely unused",
    withPorts({ rule_notes: [{ rule: 0, kind: "unused", message: "matched nothing" }] }),
    "compliant",
  ],
  ["is compliant when only another check has findings", withPorts({ findings: [insecure(PUBLIC)] }), "compliant"],
  [
    "is not assessed when sockets could not be attributed",
    withPorts({ ...incomplete, unresolved: 2, denied: 90 }),
    "not_assessed",
  ],
  [
    "is not assessed when an incomplete scan found only loopback",
    withPorts({ ...incomplete, unresolved: 2, findings: [portFinding(LOCAL)] }),
    "not_assessed",
  ],
  [
    "is not assessed when an owner cannot be verified",
    withPorts({ findings: [portFinding(PUBLIC, { type: "unverifiable", status: "not_assessed" })] }),
    "not_assessed",
  ],
  ["is not assessed when the scanner failed", { ports: unseen("proc-unusable") }, "not_assessed"],
  ["is not assessed when the baseline is broken", { ports: unseen("baseline-invalid") }, "not_assessed"],
]);

table("insecure_ports_remediated", [
  ["is compliant when no such service listens", {}, "compliant"],
  [
    "is compliant when only owners are unknown, since every socket was seen",
    withPorts({ ...incomplete, unresolved: 4, problems: [{ code: "baseline-missing", message: "no baseline" }] }),
    "compliant",
  ],
  ["is a violation when one is reachable", withPorts({ findings: [insecure(PUBLIC)] }), "violation"],
  [
    "is a violation for UDP as well",
    withPorts({ findings: [insecure({ ...PUBLIC, protocol: "udp", port: 69 })] }),
    "violation",
  ],
  ["is partial when one listens on loopback only", withPorts({ findings: [insecure(LOCAL)] }), "partial"],
  [
    "is not assessed when a table could not be read",
    withPorts({
      ...incomplete,
      unresolved: 4,
      problems: [{ code: "proc-table-unreadable", message: "udp6 unreadable" }],
    }),
    "not_assessed",
  ],
  ["is not assessed when the scan is incomplete for no stated reason", withPorts(incomplete), "not_assessed"],
  ["is not assessed when the scanner failed", { ports: unseen("timeout") }, "not_assessed"],
]);

const DIRECT = sampleConnection({ direction: "outbound" });
table("egress_connections_approved", [
  ["is partial at best: one look shows one moment", { egress: egress({ connections: [DIRECT] }) }, "partial"],
  [
    "is a violation when a connection is not approved",
    { egress: egress({ connections: [DIRECT], findings: [egressFinding(DIRECT)] }) },
    "violation",
  ],
  [
    "is a violation although the scan is incomplete",
    { egress: egress({ ...incomplete, connections: [DIRECT], findings: [egressFinding(DIRECT)] }) },
    "violation",
  ],
  ["is not assessed when no connection was seen", { egress: egress({ connections: [] }) }, "not_assessed"],
  [
    "is not assessed when only inbound and local connections were seen",
    {
      egress: egress({
        connections: [sampleConnection({ direction: "inbound" }), sampleConnection({ direction: "local" })],
      }),
    },
    "not_assessed",
  ],
  [
    "is not assessed when owners are unknown",
    { egress: egress({ ...incomplete, unresolved: 1, connections: [DIRECT] }) },
    "not_assessed",
  ],
  ["is not assessed when the scanner failed", { egress: unseen("collector-failed") }, "not_assessed"],
]);

const proxy = config({ proxy: { enabled: true, proxyUrl: "http://127.0.0.1:3128" } });
const noList = egress({ allowlist_file: null, allowlist_rules: 0 });
table("egress_allowlist_configured", [
  ["is a violation without allowlist and proxy", { egress: noList }, "violation"],
  ["is a violation when the allowlist has no rule", { egress: egress({ allowlist_rules: 0 }) }, "violation"],
  ["is partial when nothing enforces the allowlist", {}, "partial"],
  ["is partial when a proxy has no allowlist", { egress: noList, config: proxy }, "partial"],
  [
    "is partial when a rule allows too much",
    { config: proxy, egress: egress({ rule_notes: [{ rule: 0, kind: "too-broad", message: "any host" }] }) },
    "partial",
  ],
  ["is not assessed with both, because no probe shows enforcement yet", { config: proxy }, "not_assessed"],
  ["is not assessed when the allowlist is broken", { egress: unseen("allowlist-invalid") }, "not_assessed"],
  [
    "is not assessed without allowlist when the config could name a proxy",
    { egress: noList, config: unseen() },
    "not_assessed",
  ],
]);

describe("a network finding", () => {
  it("gives the check its risk and its steps, the worst first", () => {
    const findings = [
      portFinding(LOCAL, { risk: "low", mitigation: "Approve it." }),
      portFinding(PUBLIC, { risk: "high", mitigation: "Stop it." }),
    ];
    expect(check("open_ports_approved", withPorts({ findings }))).toMatchObject({
      status: "violation",
      risk: "high",
      mitigation: "Stop it. Approve it.",
    });
  });

  it("cannot flood a report, whatever their number", () => {
    const findings = Array.from({ length: 500 }, (_, port) =>
      portFinding({ ...PUBLIC, port }, { target: `tcp 0.0.0.0:${port} /usr/bin/x` }),
    );
    const { observed_state, gap } = check("open_ports_approved", withPorts({ findings }));
    expect(observed_state).toContain("and 493 more");
    expect(gap.length).toBeLessThanOrEqual(1200);
  });

  it("says what hindered a scan, but not that a policy file is missing", () => {
    const problems = [
      { code: "no-allowlist", message: "there is no allowlist" },
      { code: "proc-table-unreadable", message: "udp6 could not be read" },
    ];
    const { gap } = check("egress_connections_approved", {
      egress: egress({ ...incomplete, connections: [DIRECT], problems }),
    });
    expect(gap).toContain("(udp6 could not be read)");
    expect(gap).not.toContain("there is no allowlist");
  });
});
