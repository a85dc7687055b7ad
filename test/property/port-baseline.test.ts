import fc from "fast-check";
import { expect, it } from "vitest";
import { bindScope } from "../../src/core/address.ts";
import type { Listener } from "../../src/core/network.ts";
import { DAY_MS } from "../../src/core/time.ts";
import { decideListener } from "../../src/policy/port-rule.ts";
import { generateBaseline, renderBaseline } from "../../src/scan/baseline-generate.ts";
import { parseApprovedPorts, type PortBaseline, type PortRule } from "../../src/schema/approved-ports.ts";
import { listenerWith } from "../helpers/listener.ts";

// Few values, so that rules and listeners meet often.
const protocol = fc.constantFrom("tcp" as const, "udp" as const);
const port = fc.integer({ min: 1, max: 6 });
const exe = fc.constantFrom("/usr/bin/a", "/usr/bin/b", "/opt/a");
const name = fc.constantFrom("a", "b", "longer-than-fifteen");
const unit = fc.constantFrom("a.service", "b.service");
const user = fc.constantFrom("app", "root", "0", "1000");
const address = fc.constantFrom("127.0.0.1", "0.0.0.0", "::", "10.0.0.5", "203.0.113.5");
const device = fc.constantFrom("eth0", "wg0");
const day = fc.integer({ min: 20_000, max: 20_010 }).map((days) => days * DAY_MS);
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
const text = fc.string({ minLength: 1, maxLength: 20, unit: "binary" });

const bind: fc.Arbitrary<PortRule["bind"]> = fc.oneof(
  fc.constant({ kind: "any" as const }),
  fc
    .constantFrom("loopback" as const, "private" as const, "public" as const, "all-interfaces" as const)
    .map((scope) => ({
      kind: "scope" as const,
      scope,
    })),
  address.map((each) => ({ kind: "address" as const, address: each })),
);
const program = fc.oneof(
  fc.constant({ exe: null, command: null }),
  exe.map((each) => ({ exe: each, command: null })),
  name.map((each) => ({ exe: null, command: each })),
);
const rule: fc.Arbitrary<PortRule> = fc
  .record({
    protocol,
    ports: fc.tuple(port, port).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
    bind,
    device: orNull(device),
    program,
    unit: orNull(unit),
    user: orNull(user),
    owner: orNull(text),
    justification: orNull(text),
    reviewed: fc.boolean(),
    expiresAt: orNull(day),
    comment: orNull(text),
  })
  .map(({ program: { exe: path, command }, ...rest }) => ({ ...rest, index: 0, exe: path, command }));
const rules = fc.array(rule, { maxLength: 6 });
const listener: fc.Arbitrary<Listener> = fc
  .record({
    protocol,
    port,
    address,
    device: orNull(device),
    exe: orNull(exe),
    name: orNull(name),
    unit: orNull(unit),
    user: orNull(user),
    uid: orNull(fc.constantFrom(0, 1000)),
    pid: orNull(fc.integer({ min: 1, max: 9 })),
  })
  .map((facts) => listenerWith({ ...facts, scope: bindScope(facts.address) }));

function baselineOf(list: readonly PortRule[]): PortBaseline {
  return { form: "v2", rules: list.map((each, index) => ({ ...each, index })) };
}

it("reads back the rules it wrote, whatever they hold", () => {
  fc.assert(
    fc.property(rules, (list) => {
      const baseline = baselineOf(list);
      expect(parseApprovedPorts(JSON.parse(renderBaseline(baseline)))).toEqual(baseline);
    }),
  );
});

it("decides every listener, the same way each time", () => {
  fc.assert(
    fc.property(fc.option(rules, { nil: null }), listener, day, (list, each, now) => {
      const baseline = list === null ? null : baselineOf(list);
      const verdict = decideListener(baseline, each, now);
      expect(["approved", "unapproved", "unverifiable"]).toContain(verdict.kind);
      expect(decideListener(baseline, each, now)).toEqual(verdict);
    }),
  );
});

it("never takes an approval away by adding a rule, wherever it is put", () => {
  fc.assert(
    fc.property(rules, rule, fc.nat({ max: 6 }), listener, day, (list, extra, at, each, now) => {
      const before = decideListener(baselineOf(list), each, now);
      const after = decideListener(baselineOf(list.toSpliced(at, 0, extra)), each, now);
      if (before.kind === "approved") expect(after.kind).toBe("approved");
      if (before.kind === "unverifiable") expect(after.kind).not.toBe("unapproved");
    }),
  );
});

it("approves only with a reviewed rule in force that fits the port, the bind and the executable", () => {
  fc.assert(
    fc.property(rules, listener, day, (list, each, now) => {
      const verdict = decideListener(baselineOf(list), each, now);
      if (verdict.kind !== "approved") return;
      const used = verdict.rule;
      expect(used.reviewed).toBe(true);
      expect(used.expiresAt === null || now < used.expiresAt).toBe(true);
      expect(each.port >= used.ports.first && each.port <= used.ports.last).toBe(true);
      if (used.bind.kind === "scope") expect(each.scope).toBe(used.bind.scope);
      if (used.bind.kind === "address") expect(each.address).toBe(used.bind.address);
      if (used.exe !== null) expect(each.exe).toBe(used.exe);
      if (used.command !== null && each.exe !== null) expect(each.exe.endsWith(`/${used.command}`)).toBe(true);
    }),
  );
});

it("generates a baseline that approves nothing the previous one did not", () => {
  fc.assert(
    fc.property(rules, fc.array(listener, { maxLength: 5 }), day, (list, listeners, now) => {
      const previous = baselineOf(list);
      const judged = listeners.map((each) => ({ listener: each, verdict: decideListener(previous, each, now) }));
      const next = generateBaseline(judged, previous, now);
      expect(parseApprovedPorts(JSON.parse(renderBaseline(next)))).toEqual(next);
      for (const { listener: each, verdict } of judged) {
        const after = decideListener(next, each, now);
        expect(after.kind).toBe(verdict.kind);
        if (after.kind === "unapproved") expect(["unreviewed", "expired"]).toContain(after.reason);
      }
    }),
  );
});
