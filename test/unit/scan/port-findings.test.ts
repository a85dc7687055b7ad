import { describe, expect, it } from "vitest";
import type { Listener } from "../../../src/core/network.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import { decideListener } from "../../../src/policy/port-rule.ts";
import { checkPorts } from "../../../src/scan/port-findings.ts";
import { parseApprovedPorts } from "../../../src/schema/approved-ports.ts";
import { INSECURE_PORTS } from "../../../src/schema/insecure-ports.ts";
import { listenerWith, UNKNOWN_OWNER } from "../../helpers/listener.ts";

const NOW = epochFromIso("2026-06-15T12:00:00Z") ?? 0;
const EVERYWHERE: Partial<Listener> = { address: "0.0.0.0", scope: "all-interfaces" };
const QUIET = 3999;

/** Findings for listeners under v2 rules, or under the given original-form array. */
function findingsFor(listeners: readonly Listener[], baseline: unknown): ReturnType<typeof checkPorts> {
  const rules = parseApprovedPorts(baseline);
  const judged = listeners.map((listener) => ({ listener, verdict: decideListener(rules, listener, NOW) }));
  return checkPorts(judged, INSECURE_PORTS);
}

function v2(...rules: Record<string, unknown>[]): unknown {
  return { schemaVersion: 2, rules: rules.map((rule) => ({ protocol: "tcp", reviewed: true, ...rule })) };
}

function summaryOf(listeners: readonly Listener[], baseline: unknown): string[] {
  return findingsFor(listeners, baseline).map(({ type, risk, status }) => `${type} ${risk} ${status}`);
}

it("tells all that is known about an unapproved listener", () => {
  expect(findingsFor([listenerWith({ port: QUIET, unit: "web.service" })], v2())).toEqual([
    {
      check_id: "open_ports_approved",
      type: "unapproved-port",
      status: "violation",
      risk: "low",
      title: "Unapproved listener on tcp 127.0.0.1:3999",
      evidence:
        "tcp 127.0.0.1:3999 (loopback) held by /usr/bin/python3.11 as app in web.service; no rule of the baseline covers this port",
      why: "Unapproved: no rule of the baseline covers this port. Every process of this host can reach it.",
      mitigation:
        "Stop it if nobody needs it (unit web.service); otherwise add it with `cse baseline generate` and approve it with `cse baseline review`.",
      target: "tcp 127.0.0.1:3999 /usr/bin/python3.11",
      port: QUIET,
      protocol: "tcp",
      bind_address: "127.0.0.1",
      scope: "loopback",
      process: {
        pid: 4242,
        name: "python3",
        exe: "/usr/bin/python3.11",
        user: "app",
        unit: "web.service",
        container: null,
      },
    },
  ]);
});

it("finds nothing when a reviewed rule covers a harmless listener", () => {
  expect(summaryOf([listenerWith({ port: QUIET })], v2({ port: QUIET, scope: "loopback" }))).toEqual([]);
});

describe("unapproved-port", () => {
  it.each<[Partial<Listener>, string]>([
    [{}, "low"],
    [{ address: "10.0.0.5", scope: "private" }, "medium"],
    [{ address: "203.0.113.5", scope: "public" }, "high"],
    [EVERYWHERE, "high"],
  ])("rates %j as %s", (bind, risk) => {
    expect(summaryOf([listenerWith({ port: QUIET, ...bind })], v2())).toContain(`unapproved-port ${risk} violation`);
  });

  it("names the owner of the rule that came closest", () => {
    const baseline = v2({ port: QUIET, scope: "loopback", expires: "2026-01-01", owner: "platform" });
    expect(findingsFor([listenerWith({ port: QUIET })], baseline)[0]?.owner).toBe("platform");
  });

  it("says that an entry is listed but not reviewed", () => {
    const baseline = v2({ port: QUIET, scope: "loopback", reviewed: false });
    expect(findingsFor([listenerWith({ port: QUIET })], baseline)[0]?.why).toBe(
      "Unapproved: it is listed but not reviewed. Every process of this host can reach it.",
    );
  });
});

describe("insecure-port", () => {
  const telnet = (bind: Partial<Listener>): string[] =>
    summaryOf([listenerWith({ port: 23, ...bind })], [{ port: 23, protocol: "tcp" }]);

  it("rates by who can reach the port, approved or not", () => {
    expect(telnet({})).toEqual(["insecure-port medium violation"]);
    expect(telnet({ address: "10.0.0.5", scope: "private" })).toEqual(["insecure-port high violation"]);
    expect(telnet(EVERYWHERE)).toEqual(["insecure-port critical violation", "public-bind medium violation"]);
  });

  it("finds nothing where the table rates the scope as no risk", () => {
    expect(summaryOf([listenerWith({ port: 80 })], v2({ port: 80, scope: "loopback" }))).toEqual([]);
  });

  it("tells TFTP by its protocol", () => {
    const baseline = [{ port: 69, protocol: "tcp" }];
    expect(summaryOf([listenerWith({ port: 69 })], baseline)).toEqual([]);
    const udp = findingsFor([listenerWith({ port: 69, protocol: "udp" })], [{ port: 69, protocol: "udp" }]);
    expect(udp.map(({ check_id, type, mitigation }) => ({ check_id, type, mitigation }))).toEqual([
      {
        check_id: "insecure_ports_remediated",
        type: "insecure-port",
        mitigation: "SFTP, or HTTPS boot for machines that load from the network; remove the TFTP server.",
      },
    ]);
  });
});

describe("public-bind", () => {
  const bound = { port: QUIET, ...EVERYWHERE };

  it("appears when only a rule without a scope approves the listener", () => {
    expect(summaryOf([listenerWith(bound)], [{ port: QUIET, protocol: "tcp" }])).toEqual([
      "public-bind medium violation",
    ]);
  });

  it("goes away when a reviewed rule approves this very scope", () => {
    expect(summaryOf([listenerWith(bound)], v2({ port: QUIET, scope: "all-interfaces" }))).toEqual([]);
  });

  it("stays when the rule for this scope is for another program", () => {
    const baseline = v2({ port: QUIET, scope: "all-interfaces", exe: "/usr/bin/node" });
    expect(summaryOf([listenerWith(bound)], baseline)).toEqual([
      "unapproved-port high violation",
      "public-bind medium violation",
    ]);
  });

  it("appears for a socket bound to a device, whose target shows it", () => {
    const listener = listenerWith({ ...bound, device: "eth0" });
    const found = findingsFor([listener], v2()).find((finding) => finding.type === "public-bind");
    expect(found?.target).toBe("tcp 0.0.0.0%eth0:3999 /usr/bin/python3.11");
  });
});

describe("deleted-executable", () => {
  const deleted = (exe: string): string[] =>
    summaryOf([listenerWith({ port: QUIET, exe, exe_deleted: true })], [{ port: QUIET, protocol: "tcp" }]);

  it.each([
    ["nginx.service", "If an upgrade explains it: systemctl restart nginx.service"],
    ["user@1000.service/gateway.service", "If an upgrade explains it: systemctl --user restart gateway.service"],
    ["user@1000.service/$(touch x).service", "Restart the program if an upgrade explains it"],
    [null, "Restart the program if an upgrade explains it"],
  ])("makes of the unit %j a command that is safe to copy, or none", (unit, step) => {
    const listener = listenerWith({ port: QUIET, exe: "/opt/x", exe_deleted: true, unit });
    const [finding] = findingsFor([listener], [{ port: QUIET, protocol: "tcp" }]).filter(
      ({ type }) => type === "deleted-executable",
    );
    expect(finding?.mitigation).toBe(`${step}; otherwise keep a copy of /proc/<pid>/exe and stop it.`);
  });

  it("is medium for an installed program and high for one that ran from a scratch folder or memory", () => {
    expect(deleted("/usr/sbin/sshd")).toEqual(["deleted-executable medium violation"]);
    expect(deleted("/tmp/x")).toEqual(["deleted-executable high violation"]);
    expect(deleted("/memfd:x")).toEqual(["deleted-executable high violation"]);
  });

  it("is not claimed when it cannot be known", () => {
    expect(summaryOf([listenerWith({ port: QUIET, ...UNKNOWN_OWNER })], [{ port: QUIET, protocol: "tcp" }])).toEqual(
      [],
    );
  });
});

describe("unverifiable", () => {
  it("is neither approved nor unapproved when the rule names a process that cannot be seen", () => {
    const listener = listenerWith({ port: QUIET, ...UNKNOWN_OWNER });
    const found = findingsFor([listener], v2({ port: QUIET, scope: "loopback", exe: "/usr/bin/node" }));
    expect(found.map(({ type, status, evidence, target }) => ({ type, status, evidence, target }))).toEqual([
      {
        type: "unverifiable",
        status: "not_assessed",
        evidence:
          "tcp 127.0.0.1:3999 (loopback) held by unknown process as uid 0 (owned by uid 0; run as root to resolve); the rule names /usr/bin/node and the executable is unknown (owned by uid 0; run as root to resolve)",
        target: "tcp 127.0.0.1:3999 unknown process",
      },
    ]);
  });

  it("says so when only a name could be compared", () => {
    const listener = listenerWith({ port: QUIET, exe: null, name: "node" });
    expect(summaryOf([listener], v2({ port: QUIET, scope: "loopback", command: "node" }))).toEqual([
      "unverifiable low partial",
    ]);
  });
});

it("orders by risk, then kind, protocol, port and target, whatever order the listeners have", () => {
  const listeners = [
    listenerWith({ port: 3998 }),
    listenerWith({ port: 23, ...EVERYWHERE }),
    listenerWith({ port: 3997, protocol: "udp" }),
    listenerWith({ port: QUIET, address: "::1" }),
  ];
  const found = findingsFor(listeners, v2());
  expect(found.map(({ type, target }) => `${type} ${target}`)).toEqual([
    "insecure-port tcp 0.0.0.0:23 /usr/bin/python3.11",
    "unapproved-port tcp 0.0.0.0:23 /usr/bin/python3.11",
    "public-bind tcp 0.0.0.0:23 /usr/bin/python3.11",
    "unapproved-port tcp 127.0.0.1:3998 /usr/bin/python3.11",
    "unapproved-port tcp [::1]:3999 /usr/bin/python3.11",
    "unapproved-port udp 127.0.0.1:3997 /usr/bin/python3.11",
  ]);
  expect(findingsFor(listeners.toReversed(), v2())).toEqual(found);
});

it("reports sockets of one program on one port once", () => {
  const listeners = [listenerWith({ port: QUIET, pid: 1 }), listenerWith({ port: QUIET, pid: 2 })];
  expect(findingsFor(listeners, v2())).toHaveLength(1);
});

it("lets no control character of a process or unit into the texts", () => {
  const listener = listenerWith({ port: QUIET, exe: "/tmp/a\u001b[31m\nb", unit: "x\u0007.service", user: "u\r" });
  const [found] = findingsFor([listener], v2());
  const texts = [found?.title, found?.evidence, found?.why, found?.mitigation, found?.target].join("");
  // oxlint-disable-next-line no-control-regex -- control characters are what must be absent
  expect(texts).not.toMatch(/[\u0000-\u001f\u007f]/);
  expect(found?.target).toBe("tcp 127.0.0.1:3999 /tmp/a\\u{1b}[31m\\nb");
});

describe("a program that opens ports to drown a report", () => {
  it("fills a hundred findings, the last of which stands for the rest", () => {
    const flood = Array.from({ length: 250 }, (_, index) => listenerWith({ port: 20_000 + index, exe: "/tmp/flood" }));
    const found = findingsFor([...flood, listenerWith({ port: 30_000 })], v2());
    expect(found).toHaveLength(101);
    expect(found.map(({ target }) => target)).toContain("tcp 127.0.0.1:30000 /usr/bin/python3.11");
    expect(found.filter(({ title }) => title.endsWith(", and 150 more like it"))).toHaveLength(1);
  });

  it("keeps the findings of each scope, however many there are of another", () => {
    const flood = Array.from({ length: 250 }, (_, index) => listenerWith({ port: 20_000 + index }));
    const wide = listenerWith({ ...EVERYWHERE, port: 40_000 });
    const found = findingsFor([...flood, wide], v2()).filter(({ type }) => type === "unapproved-port");
    expect(found.filter(({ scope }) => scope === "all-interfaces")).toHaveLength(1);
    expect(found).toHaveLength(101);
  });

  it("hides no open question behind a milder one about the same program and port", () => {
    const rule = { port: QUIET, scope: "loopback", command: "web", user: "app" };
    const mild = listenerWith({ port: QUIET, exe: null, name: "web" });
    const open = listenerWith({ ...UNKNOWN_OWNER, port: QUIET, name: "web", uid: null, device: null });
    for (const listeners of [
      [mild, open],
      [open, mild],
    ]) {
      const types = findingsFor(listeners, v2({ ...rule, scope: "any" })).filter(({ type }) => type === "unverifiable");
      expect(types.map(({ status }) => status)).toEqual(["not_assessed", "partial"]);
    }
  });
});
