import { describe, expect, it } from "vitest";
import type { EgressVerdict } from "../../../src/core/egress.ts";
import type { Connection, NetworkFinding } from "../../../src/core/network.ts";
import { checkEgress } from "../../../src/scan/egress-findings.ts";
import type { EgressRule } from "../../../src/schema/egress-allowlist.ts";
import { connectionWith, egressRuleWith, OWNERLESS } from "../../helpers/connection.ts";

const UNMATCHED: EgressVerdict = { kind: "unapproved", reason: "no-rule", rule: null };

function check(
  connections: readonly Partial<Connection>[],
  verdict: EgressVerdict = UNMATCHED,
  rules: readonly EgressRule[] = [],
): NetworkFinding[] {
  return checkEgress(
    connections.map((connection) => ({ connection: connectionWith(connection), verdict })),
    rules,
  );
}

const only = (findings: readonly NetworkFinding[]): NetworkFinding => {
  const [first] = findings;
  if (first === undefined || findings.length > 1) throw new Error(`${findings.length} findings`);
  return first;
};

it("says everything about one unapproved connection", () => {
  expect(check([{ unit: "agent.service" }])).toEqual([
    {
      check_id: "egress_connections_approved",
      type: "unapproved-egress",
      status: "violation",
      risk: "medium",
      title: "Unapproved connection to 93.184.215.14:443 by /usr/bin/curl",
      evidence:
        "tcp to 93.184.215.14 port 443 (no known name; public address); 1 connection: 1 ESTABLISHED; executable /usr/bin/curl; name curl; user alice; unit agent.service",
      why: "No reviewed rule of the egress allowlist covers this destination.",
      mitigation:
        "If it is wanted, take the rule that `cse allowlist suggest` proposes, review it and set `reviewed` to true; if not, stop the program and find out what started it.",
      target: "tcp 93.184.215.14:443 /usr/bin/curl",
      port: 443,
      protocol: "tcp",
      bind_address: "192.168.1.10",
      scope: "public",
      process: { pid: 4321, name: "curl", exe: "/usr/bin/curl", user: "alice", unit: "agent.service", container: null },
      remote_host: null,
      remote_ip: "93.184.215.14",
      remote_port: 443,
    },
  ]);
});

it.each<[string, EgressVerdict]>([
  ["approved", { kind: "approved", rule: 0, host: null, source: "address", by: "any-process" }],
  ["no egress", { kind: "not-egress" }],
])("has no finding for what is %s", (_what, verdict) => {
  expect(check([{}], verdict)).toEqual([]);
  expect(check([{ remote_ip: "169.254.169.254" }], verdict)).toEqual([]);
});

describe("grouping", () => {
  it("makes one finding of many sockets of a program to one place", () => {
    const sockets = Array.from({ length: 200 }, (_, n) => ({
      local_port: 40_000 + n,
      pid: 100 + (n % 7),
      state: n < 20 ? "TIME_WAIT" : "ESTABLISHED",
    }));
    expect(only(check(sockets)).evidence).toContain("200 connections: 180 ESTABLISHED, 20 TIME_WAIT");
  });

  it("keeps programs, destinations, ports and protocols apart", () => {
    const targets = check([
      {},
      { exe: "/usr/bin/node" },
      { remote_ip: "8.8.8.8" },
      { remote_port: 80 },
      { protocol: "udp" },
    ]).map((finding) => finding.target);
    expect(targets).toEqual([
      "tcp 8.8.8.8:443 /usr/bin/curl",
      "tcp 93.184.215.14:443 /usr/bin/curl",
      "tcp 93.184.215.14:443 /usr/bin/node",
      "tcp 93.184.215.14:80 /usr/bin/curl",
      "udp 93.184.215.14:443 /usr/bin/curl",
    ]);
  });

  it("joins the addresses of one name", () => {
    const named = { remote_host: "api.example.com", host_source: "dns" } as const;
    const finding = only(check([named, { ...named, remote_ip: "8.8.8.8" }]));
    expect(finding.target).toBe("tcp api.example.com:443 /usr/bin/curl");
  });

  it.each<[string, Partial<Connection>, string]>([
    ["an IPv6 address", { remote_ip: "2001:4860::1" }, "tcp [2001:4860::1]:443 /usr/bin/curl"],
    ["a name only", { exe: null }, "tcp 93.184.215.14:443 process curl"],
    ["a user only", { ...OWNERLESS, user: "root" }, "tcp 93.184.215.14:443 unknown process of root"],
    ["nothing", OWNERLESS, "tcp 93.184.215.14:443 unknown process"],
    ["a hostile path", { exe: "/tmp/a\n\u001b[31m" }, "tcp 93.184.215.14:443 /tmp/a\\n\\u{1b}[31m"],
  ])("has a stable one-line target without pid and local port, given %s", (_what, connection, target) => {
    const one = only(check([connection])).target;
    expect(one).toBe(target);
    expect(only(check([{ ...connection, local_port: 1, pid: 2 }])).target).toBe(one);
  });

  it("puts the worst first", () => {
    const risks = check([{ remote_ip: "10.0.0.1" }, {}, { remote_port: 4444 }]).map((finding) => finding.risk);
    expect(risks).toEqual(["high", "medium", "low"]);
  });
});

describe("risk", () => {
  it.each<[string, Partial<Connection>, string]>([
    ["a usual port of a public address", { remote_port: 443 }, "medium"],
    ["another port of a public address", { remote_port: 4444 }, "high"],
    ["a reserved address", { remote_ip: "240.0.0.1", remote_port: 1 }, "high"],
    ["a private address", { remote_ip: "10.0.0.1", remote_port: 4444 }, "low"],
    ["a CGNAT address", { remote_ip: "100.64.0.1" }, "low"],
    ["a link-local address", { remote_ip: "fe80::1" }, "low"],
    ["a multicast group", { remote_ip: "224.0.0.251" }, "low"],
    ["a program in /tmp", { exe: "/tmp/x" }, "high"],
    ["a program in /dev/shm that goes to a private address", { exe: "/dev/shm/x", remote_ip: "10.0.0.1" }, "high"],
    ["a program that is only in memory", { exe: "/memfd:x" }, "high"],
    ["a program below a folder that is merely called tmp", { exe: "/tmpfiles/x" }, "medium"],
    ["a program that was deleted", { exe_deleted: true }, "high"],
  ])("of %s is %s", (_what, connection, risk) => {
    expect(only(check([connection])).risk).toBe(risk);
  });

  it("of a deleted program counts whichever of the sockets shows it", () => {
    expect(only(check([{}, { exe_deleted: true }])).risk).toBe("high");
  });
});

describe("the metadata service", () => {
  it.each(["169.254.169.254", "fd00:ec2::254"])("is a finding of its own at %s", (remote_ip) => {
    const finding = only(check([{ remote_ip, remote_port: 80 }]));
    expect([finding.type, finding.status, finding.risk]).toEqual(["metadata-endpoint", "violation", "high"]);
    expect(finding.why).toContain("cloud credentials");
  });

  it("stays a violation of high risk when only the owner is unknown", () => {
    const verdict: EgressVerdict = { kind: "unverifiable", rule: 0, why: "owner-unknown" };
    const finding = only(check([{ remote_ip: "169.254.169.254", ...OWNERLESS }], verdict, [egressRuleWith()]));
    expect([finding.type, finding.status, finding.risk]).toEqual(["metadata-endpoint", "violation", "high"]);
  });
});

describe("what cannot be verified", () => {
  const verdictFor = (
    why: "owner-unknown" | "executable-deleted" | "host-unknown" | "host-unresolved",
  ): EgressVerdict => ({
    kind: "unverifiable",
    rule: 3,
    why,
  });
  const rule = egressRuleWith({ index: 3, owner: "platform", destination: { kind: "host", host: "a.example" } });

  it.each([
    ["owner-unknown", "medium", "Run the scan as root to see the owner of every socket."],
    ["executable-deleted", "medium", "Restart the program so that it runs the installed file, then scan again."],
    [
      "host-unknown",
      "high",
      "Name the hosts one by one with `host`, or their networks with `cidr`, so that addresses can be compared.",
    ],
    ["host-unresolved", "high", "Check name resolution on this host, then scan again."],
  ] as const)("is not assessed, with rule and way out: %s", (why, risk, mitigation) => {
    const finding = only(check([{ remote_port: 4444 }], verdictFor(why), [rule]));
    expect(finding).toMatchObject({
      type: "unverifiable",
      status: "not_assessed",
      risk,
      mitigation,
      owner: "platform",
    });
    expect(finding.why).toMatch(/^Rule 3 \(host a\.example\) might approve it, but /);
  });

  it("is low when all that is left are closed sockets, which have no owner", () => {
    const closed = { ...OWNERLESS, state: "TIME_WAIT" };
    expect(only(check([closed], verdictFor("owner-unknown"), [rule])).risk).toBe("low");
    expect(only(check([closed, OWNERLESS], verdictFor("owner-unknown"), [rule])).risk).toBe("medium");
  });

  it("tells the reason why the owner is not known", () => {
    expect(only(check([OWNERLESS], verdictFor("owner-unknown"), [rule])).evidence).toContain(
      "owned by uid 0 (root); run as root to resolve",
    );
  });
});

it.each([
  ["other-port", "Rule 0 (cidr 93.184.215.14/32) covers the destination, but not this port."],
  ["other-process", "Rule 0 (cidr 93.184.215.14/32) covers the destination, but for another program."],
] as const)("names the rule that came closest: %s", (reason, why) => {
  expect(only(check([{}], { kind: "unapproved", reason, rule: 0 }, [egressRuleWith()])).why).toBe(why);
});

it("says where a name comes from, and when the direction could not be told", () => {
  const recorded = only(check([{ remote_host: "a.example", host_source: "recorder" }]));
  const resolved = only(check([{ remote_host: "a.example", host_source: "dns", direction: "unknown" }]));
  expect(recorded.evidence).toContain("(a.example, seen when it was opened; public address)");
  expect(resolved.evidence).toContain("(a.example, by resolving the allowlist's names now; public address)");
  expect(resolved.evidence).toContain("which side opened it could not be told");
});

it("escapes what a process chose in every line of prose", () => {
  const finding = only(check([{ name: "a\nb\u001b]0;x\u0007", exe: null }]));
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
  expect(`${finding.title}${finding.evidence}${finding.target}`).not.toMatch(/[\u0000-\u001f]/);
});

describe("a program that opens connections to drown a report", () => {
  const flood = Array.from({ length: 250 }, (_, index) => ({
    exe: "/tmp/flood",
    remote_ip: `198.51.100.${index % 250}`,
    remote_port: 1000 + index,
  }));

  it("fills a hundred findings, the last of which stands for the rest", () => {
    const found = check(flood);
    expect(found).toHaveLength(100);
    expect(found.slice(0, 99).filter(({ title }) => title.includes("more like it"))).toEqual([]);
    expect(found[99]?.title).toMatch(/ by \/tmp\/flood, and 150 more like it$/);
    expect(found[99]?.evidence).toContain("150 more findings of this kind about this program");
  });

  it("leaves the findings about other programs, and its own worse ones, as they are", () => {
    const quiet = flood.map((one) => ({ ...one, exe: "/usr/bin/flood", remote_port: 443 }));
    const found = check([
      ...quiet,
      { exe: "/usr/bin/flood", remote_ip: "203.0.113.5", remote_port: 4444 },
      { exe: "/usr/bin/other", remote_ip: "203.0.113.6" },
    ]);
    expect(found[0]).toMatchObject({ risk: "high", target: "tcp 203.0.113.5:4444 /usr/bin/flood" });
    expect(found.map(({ target }) => target)).toContain("tcp 203.0.113.6:443 /usr/bin/other");
    expect(found).toHaveLength(101);
  });
});
