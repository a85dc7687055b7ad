import { describe, expect, it } from "vitest";
import type { Listener } from "../../../src/core/network.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import { decideListener, describeRule, ruleNotes } from "../../../src/policy/port-rule.ts";
import { parseApprovedPorts, type PortBaseline, type PortVerdict } from "../../../src/schema/approved-ports.ts";
import { listenerWith, UNKNOWN_OWNER } from "../../helpers/listener.ts";

const NOW = epochFromIso("2026-06-15T12:00:00Z") ?? 0;
const RULE = { protocol: "tcp", port: 8080, scope: "loopback", reviewed: true };

function baselineOf(...rules: Record<string, unknown>[]): PortBaseline {
  return parseApprovedPorts({ schemaVersion: 2, rules });
}

/** Kind, and what decides it, as one word pair. */
function verdictOf(baseline: PortBaseline | null, listener: Listener): string {
  const verdict: PortVerdict = decideListener(baseline, listener, NOW);
  if (verdict.kind === "approved") return `approved ${verdict.basis}`;
  return verdict.kind === "unapproved" ? `unapproved ${verdict.reason}` : verdict.kind;
}

it("approves nothing when there is no baseline", () => {
  expect(verdictOf(null, listenerWith())).toBe("unapproved no-baseline");
});

it("approves nothing when the baseline is empty", () => {
  expect(verdictOf(baselineOf(), listenerWith())).toBe("unapproved no-rule");
});

describe("port and protocol", () => {
  it.each<[string, Record<string, unknown>, Partial<Listener>, string]>([
    ["the same port", {}, {}, "approved port-only"],
    ["another port", {}, { port: 8081 }, "unapproved no-rule"],
    ["another protocol", {}, { protocol: "udp" }, "unapproved no-rule"],
  ])("decides %s", (_what, rule, listener, expected) => {
    expect(verdictOf(baselineOf({ ...RULE, ...rule }), listenerWith(listener))).toBe(expected);
  });

  it.each([
    [7999, "unapproved no-rule"],
    [8000, "approved port-only"],
    [8010, "approved port-only"],
    [8011, "unapproved no-rule"],
  ])("decides port %i against the range 8000-8010", (port, expected) => {
    const { port: _port, ...rule } = RULE;
    expect(verdictOf(baselineOf({ ...rule, ports: "8000-8010" }), listenerWith({ port }))).toBe(expected);
  });
});

describe("bind", () => {
  const everywhere: Partial<Listener> = { address: "0.0.0.0", scope: "all-interfaces" };
  it.each<[string, Record<string, unknown>, Partial<Listener>, string]>([
    ["a loopback rule and all interfaces", { scope: "loopback" }, everywhere, "unapproved other-bind"],
    [
      "a loopback rule and a private address",
      { scope: "loopback" },
      { address: "10.0.0.5", scope: "private" },
      "unapproved other-bind",
    ],
    ["an all-interfaces rule and loopback", { scope: "all-interfaces" }, {}, "unapproved other-bind"],
    ["an all-interfaces rule and all interfaces", { scope: "all-interfaces" }, everywhere, "approved port-only"],
    ["an any rule and all interfaces", { scope: "any" }, everywhere, "approved port-only"],
    ["the same address", { scope: undefined, address: "127.0.0.1" }, {}, "approved port-only"],
    ["another spelling of the address", { scope: undefined, address: "::ffff:127.0.0.1" }, {}, "approved port-only"],
    ["a neighbouring address", { scope: undefined, address: "127.0.0.11" }, {}, "unapproved other-bind"],
    [
      "the named device",
      { scope: "all-interfaces", device: "eth0" },
      { ...everywhere, device: "eth0" },
      "approved port-only",
    ],
    ["no device where one is named", { scope: "all-interfaces", device: "eth0" }, everywhere, "unapproved other-bind"],
  ])("decides %s", (_what, rule, listener, expected) => {
    const record = Object.fromEntries(Object.entries({ ...RULE, ...rule }).filter(([, value]) => value !== undefined));
    expect(verdictOf(baselineOf(record), listenerWith(listener))).toBe(expected);
  });

  it("lets an original rule hold on every scope", () => {
    const baseline = parseApprovedPorts([{ port: 8080, protocol: "tcp" }]);
    expect(verdictOf(baseline, listenerWith())).toBe("approved port-only");
    expect(verdictOf(baseline, listenerWith(everywhere))).toBe("approved port-only");
  });
});

describe("process", () => {
  it.each<[string, Record<string, unknown>, Partial<Listener>, string]>([
    ["the named executable", { exe: "/usr/bin/python3.11" }, {}, "approved process"],
    ["another executable", { exe: "/usr/bin/node" }, {}, "unapproved other-process"],
    [
      "a longer path that begins alike",
      { exe: "/usr/bin/python3.11" },
      { exe: "/usr/bin/python3.11x" },
      "unapproved other-process",
    ],
    ["a base name of the executable", { command: "python3.11" }, {}, "approved process"],
    ["a base name that only begins alike", { command: "python3" }, {}, "unapproved other-process"],
    [
      "a name the process gave itself",
      { command: "node" },
      { name: "node", exe: "/home/app/evil" },
      "unapproved other-process",
    ],
    [
      "a main thread's own name over the right executable",
      { command: "node" },
      { name: "MainThread", exe: "/usr/bin/node" },
      "approved process",
    ],
    ["an unknown owner and a named executable", { exe: "/usr/bin/node" }, UNKNOWN_OWNER, "unverifiable"],
    ["an unknown owner and a named command", { command: "node" }, UNKNOWN_OWNER, "unverifiable"],
    ["an unknown owner and no named process", {}, UNKNOWN_OWNER, "approved port-only"],
    [
      "a known name and an unknown executable",
      { command: "node" },
      { exe: null, name: "node" },
      "approved kernel-name",
    ],
    [
      "a name the kernel cut and an unknown executable",
      { command: "openclaw-gateway" },
      { exe: null, name: "openclaw-gatewa" },
      "approved kernel-name",
    ],
    [
      "a short name that begins alike and an unknown executable",
      { command: "openclaw-gateway" },
      { exe: null, name: "openclaw-" },
      "unapproved other-process",
    ],
    ["a known name where the rule names a path", { exe: "/usr/bin/node" }, { exe: null, name: "node" }, "unverifiable"],
    ["the named unit", { unit: "web.service" }, { unit: "web.service" }, "approved process"],
    ["another unit", { unit: "web.service" }, { unit: "web2.service" }, "unapproved other-process"],
    ["no unit where one is named", { unit: "web.service" }, {}, "unapproved other-process"],
    ["an unknown owner and a named unit", { unit: "web.service" }, UNKNOWN_OWNER, "unverifiable"],
    ["the named user", { user: "app" }, {}, "approved port-only"],
    ["the uid of the user", { user: "1000" }, {}, "approved port-only"],
    ["another user", { user: "root" }, {}, "unapproved other-process"],
    ["a user that cannot be known", { user: "app" }, { user: null, uid: null }, "unverifiable"],
    [
      "the right executable and the wrong user",
      { exe: "/usr/bin/python3.11", user: "root" },
      {},
      "unapproved other-process",
    ],
    [
      "an unknown executable and the wrong uid",
      { exe: "/usr/bin/node", user: "1000" },
      UNKNOWN_OWNER,
      "unapproved other-process",
    ],
  ])("decides %s", (_what, rule, listener, expected) => {
    expect(verdictOf(baselineOf({ ...RULE, ...rule }), listenerWith(listener))).toBe(expected);
  });
});

describe("standing of a rule", () => {
  it.each<[string, Record<string, unknown>, Partial<Listener>, string]>([
    ["an unreviewed entry", { reviewed: false }, {}, "unapproved unreviewed"],
    ["a rule on its last day", { expires: "2026-06-16" }, {}, "approved port-only"],
    ["a rule on the day it expires", { expires: "2026-06-15" }, {}, "unapproved expired"],
    [
      "an expired rule with an unknown owner",
      { expires: "2026-01-01", exe: "/usr/bin/node" },
      UNKNOWN_OWNER,
      "unapproved expired",
    ],
    [
      "an unreviewed entry for another process",
      { reviewed: false, exe: "/usr/bin/node" },
      {},
      "unapproved other-process",
    ],
  ])("decides %s", (_what, rule, listener, expected) => {
    expect(verdictOf(baselineOf({ ...RULE, ...rule }), listenerWith(listener))).toBe(expected);
  });
});

it("lets a rule expire in the very moment its day begins", () => {
  const baseline = baselineOf({ ...RULE, expires: "2026-06-15" });
  const midnight = epochFromIso("2026-06-15") ?? 0;
  expect(decideListener(baseline, listenerWith(), midnight - 1).kind).toBe("approved");
  expect(decideListener(baseline, listenerWith(), midnight).kind).toBe("unapproved");
});

describe("several rules", () => {
  const wrong = { ...RULE, exe: "/usr/bin/node" };
  it("approves when any rule does, in either order", () => {
    expect(verdictOf(baselineOf(wrong, RULE), listenerWith())).toBe("approved port-only");
    expect(verdictOf(baselineOf(RULE, wrong), listenerWith())).toBe("approved port-only");
  });

  it("prefers the rule that names the process", () => {
    const named = { ...RULE, exe: "/usr/bin/python3.11" };
    expect(verdictOf(baselineOf(RULE, named), listenerWith())).toBe("approved process");
  });

  it("prefers an approval over a rule it cannot verify", () => {
    expect(verdictOf(baselineOf(wrong, RULE), listenerWith(UNKNOWN_OWNER))).toBe("approved port-only");
  });

  it("explains a refusal by the nearest rule", () => {
    const verdict = decideListener(baselineOf(wrong, { ...RULE, expires: "2026-01-01" }), listenerWith(), NOW);
    expect(verdict).toEqual({
      kind: "unapproved",
      reason: "expired",
      detail: "its rule expired on 2026-01-01",
      nearest: expect.objectContaining({ index: 1 }),
    });
  });
});

describe("rule notes", () => {
  const notesOf = (rules: Record<string, unknown>[], used: number[] = [], protocols?: ("tcp" | "udp")[]): string[] =>
    ruleNotes(baselineOf(...rules), new Set(used), NOW, protocols).map((note) => `${note.rule} ${note.kind}`);

  it("names expired, unreviewed and unused rules, each once", () => {
    const rules = [{ ...RULE, expires: "2026-01-01" }, { ...RULE, reviewed: false }, RULE, RULE];
    expect(notesOf(rules, [3])).toEqual(["0 expired", "1 unreviewed", "2 unused"]);
  });

  it("does not call a rule unused whose protocol was not scanned", () => {
    expect(notesOf([{ ...RULE, protocol: "udp" }], [], ["tcp"])).toEqual([]);
  });

  it("says which rules have no bind scope", () => {
    expect(ruleNotes(parseApprovedPorts([{ port: 22, protocol: "tcp" }]), new Set([0]), NOW)).toEqual([
      {
        rule: 0,
        kind: "unscoped",
        message: "The rule for tcp 22 has no bind scope, so it approves loopback and all interfaces alike.",
      },
    ]);
  });

  it("names the user and the unit of a rule, which a reviewer approves with it", () => {
    const rule = { protocol: "tcp", port: 8000, scope: "loopback", reviewed: false, user: "mallory" };
    const [first, second] = baselineOf({ ...rule, exe: "/usr/bin/python3" }, { ...rule, unit: "a.service" }).rules;
    expect([first, second].map((one) => (one === undefined ? "" : describeRule(one)))).toEqual([
      "tcp 8000 on loopback, /usr/bin/python3 as mallory",
      "tcp 8000 on loopback, any program as mallory in a.service",
    ]);
  });

  it("describes a rule without letting its text reach the terminal raw", () => {
    const [rule] = baselineOf({
      protocol: "tcp",
      ports: "8000-8010",
      scope: "loopback",
      reviewed: true,
      command: "a\u001b[2J",
    }).rules;
    expect(rule === undefined ? "" : describeRule(rule)).toBe("tcp 8000-8010 on loopback, a\\u{1b}[2J");
  });
});
