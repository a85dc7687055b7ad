import { describe, expect, it } from "vitest";
import type { Listener } from "../../../src/core/network.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import { decideListener } from "../../../src/policy/port-rule.ts";
import { generateBaseline, renderBaseline, reviewRule } from "../../../src/scan/baseline-generate.ts";
import { parseApprovedPorts, type PortBaseline } from "../../../src/schema/approved-ports.ts";
import { listenerWith, UNKNOWN_OWNER } from "../../helpers/listener.ts";

const NOW = epochFromIso("2026-06-15T12:00:00Z") ?? 0;

function generated(listeners: readonly Listener[], previous: PortBaseline | null = null): Record<string, unknown>[] {
  return recordsOf(next(listeners, previous));
}

function next(listeners: readonly Listener[], previous: PortBaseline | null): PortBaseline {
  const judged = listeners.map((listener) => ({ listener, verdict: decideListener(previous, listener, NOW) }));
  return generateBaseline(judged, previous, NOW);
}

function recordsOf(baseline: PortBaseline): Record<string, unknown>[] {
  return (JSON.parse(renderBaseline(baseline)) as { rules: Record<string, unknown>[] }).rules;
}

describe("generateBaseline", () => {
  it("writes what listens as unreviewed entries without a pid", () => {
    expect(generated([listenerWith({ unit: "web.service" })])).toEqual([
      {
        protocol: "tcp",
        reviewed: false,
        port: 8080,
        scope: "loopback",
        exe: "/usr/bin/python3.11",
        unit: "web.service",
        user: "app",
        comment: "Seen on 2026-06-15 at 127.0.0.1",
      },
    ]);
  });

  it("approves nothing by itself", () => {
    const listener = listenerWith();
    expect(decideListener(next([listener], null), listener, NOW)).toMatchObject({
      kind: "unapproved",
      reason: "unreviewed",
    });
  });

  it("joins the addresses of one program and scope", () => {
    const both = [listenerWith({ address: "::1" }), listenerWith(), listenerWith({ pid: 7 })];
    expect(generated(both).map((rule) => rule["comment"])).toEqual(["Seen on 2026-06-15 at 127.0.0.1, ::1"]);
  });

  it("keeps two scopes of one program apart", () => {
    const both = [listenerWith(), listenerWith({ address: "0.0.0.0", scope: "all-interfaces" })];
    expect(generated(both).map((rule) => rule["scope"])).toEqual(["all-interfaces", "loopback"]);
  });

  it("is the same for the same listeners in any order", () => {
    const listeners = [listenerWith(), listenerWith({ port: 22 }), listenerWith({ protocol: "udp", port: 53 })];
    expect(generated(listeners.toReversed())).toEqual(generated(listeners));
    expect(generated(listeners).map((rule) => rule["port"])).toEqual([22, 8080, 53]);
  });

  it("writes down what could not be seen or was deleted", () => {
    expect(generated([listenerWith(UNKNOWN_OWNER), listenerWith({ port: 9, exe_deleted: true })])).toEqual([
      expect.objectContaining({
        port: 9,
        exe: "/usr/bin/python3.11",
        comment: "Seen on 2026-06-15 at 127.0.0.1; its executable had been deleted",
      }),
      {
        protocol: "tcp",
        reviewed: false,
        port: 8080,
        scope: "loopback",
        user: "0",
        comment: "Seen on 2026-06-15 at 127.0.0.1; its executable could not be seen",
      },
    ]);
  });

  it("falls back to the base name when a path has no single spelling", () => {
    expect(generated([listenerWith({ exe: "/proc//x" })])[0]).toMatchObject({ command: "x" });
  });

  it("keeps reviewed rules of an original file with their comments, matched or not", () => {
    const previous = parseApprovedPorts([
      { port: 8080, protocol: "tcp", comment: "agreed in March" },
      { port: 22, protocol: "tcp", command: "sshd", comment: "admin", pid: 99 },
    ]);
    expect(generated([listenerWith()], previous)).toEqual([
      { protocol: "tcp", reviewed: true, port: 22, scope: "any", command: "sshd", comment: "admin" },
      { protocol: "tcp", reviewed: true, port: 8080, scope: "any", comment: "agreed in March" },
    ]);
  });

  it("drops unreviewed entries whose listener is gone and keeps those still there", () => {
    const first = next([listenerWith(), listenerWith({ port: 9 })], null);
    expect(recordsOf(next([listenerWith()], first))).toEqual(recordsOf(next([listenerWith()], null)));
  });

  it("keeps an expired rule and adds no second entry for its listener", () => {
    const rule = { protocol: "tcp", port: 8080, scope: "loopback", reviewed: true, expires: "2026-01-01" };
    const previous = parseApprovedPorts({ schemaVersion: 2, rules: [rule] });
    expect(generated([listenerWith()], previous)).toEqual([rule]);
  });

  it("adds an entry when another program holds the port of a reviewed rule", () => {
    const rule = { protocol: "tcp", port: 8080, scope: "loopback", reviewed: true, exe: "/usr/bin/node" };
    const previous = parseApprovedPorts({ schemaVersion: 2, rules: [rule] });
    expect(generated([listenerWith()], previous)).toEqual([rule, expect.objectContaining({ reviewed: false })]);
  });

  it("writes nothing new when it runs twice", () => {
    const first = next([listenerWith(), listenerWith({ port: 9 })], null);
    expect(next([listenerWith(), listenerWith({ port: 9 })], first)).toEqual(first);
  });
});

describe("reviewRule", () => {
  const baseline = next([listenerWith(), listenerWith({ port: 9 })], null);
  const approval = { kind: "approve", owner: " platform ", justification: "internal API" } as const;

  it("approves one rule with owner, reason and end", () => {
    const reviewed = reviewRule(baseline, 1, { ...approval, expires: "2027-01-31" });
    expect(recordsOf(reviewed)[1]).toMatchObject({
      port: 8080,
      reviewed: true,
      owner: "platform",
      justification: "internal API",
      expires: "2027-01-31",
    });
    expect(recordsOf(reviewed)[0]).toEqual(recordsOf(baseline)[0]);
    expect(decideListener(reviewed, listenerWith(), NOW).kind).toBe("approved");
  });

  it("renews an expired rule without an end when none is given", () => {
    const expired = reviewRule(baseline, 1, { ...approval, expires: "2026-01-01" });
    expect(recordsOf(reviewRule(expired, 1, approval))[1]).not.toHaveProperty("expires");
  });

  it("drops one rule and numbers the rest again", () => {
    const reviewed = reviewRule(baseline, 0, { kind: "drop" });
    expect(reviewed.rules.map(({ index, ports }) => [index, ports.first])).toEqual([[0, 8080]]);
  });

  it("changes nothing when the rule is kept as it is", () => {
    expect(reviewRule(baseline, 0, { kind: "keep" })).toBe(baseline);
  });

  it.each([
    ["an unknown rule", 2, approval],
    ["a negative rule", -1, approval],
    ["a blank owner", 0, { ...approval, owner: "  " }],
    ["an empty justification", 0, { ...approval, justification: "" }],
    ["an owner as long as a book", 0, { ...approval, owner: "x".repeat(1001) }],
    ["a date that does not exist", 0, { ...approval, expires: "2027-02-30" }],
    ["a date with a time", 0, { ...approval, expires: "2027-02-03T00:00:00Z" }],
  ])("refuses %s", (_what, index, decision) => {
    expect(() => reviewRule(baseline, index, decision)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});
