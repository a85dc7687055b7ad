import { expect, it } from "vitest";
import type { Listener } from "../../../src/core/network.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import { decideListener } from "../../../src/policy/port-rule.ts";
import { diffBaseline } from "../../../src/scan/baseline-diff.ts";
import { parseApprovedPorts } from "../../../src/schema/approved-ports.ts";
import { listenerWith, UNKNOWN_OWNER } from "../../helpers/listener.ts";

const NOW = epochFromIso("2026-06-15T12:00:00Z") ?? 0;
const RULE = { protocol: "tcp", port: 8080, scope: "loopback", reviewed: true, exe: "/usr/bin/python3.11" };
const EVERYWHERE: Partial<Listener> = { address: "0.0.0.0", scope: "all-interfaces" };

/** The diff with ports and rule numbers only. */
function diffOf(rules: Record<string, unknown>[], listeners: readonly Listener[]): Record<string, unknown> {
  const baseline = parseApprovedPorts({ schemaVersion: 2, rules });
  const judged = listeners.map((listener) => ({ listener, verdict: decideListener(baseline, listener, NOW) }));
  const diff = diffBaseline(baseline, judged, NOW);
  const found = {
    added: diff.added.map((listener) => listener.port),
    unreviewed: diff.unreviewed.map((listener) => listener.port),
    changed: diff.changed.map(({ rule, change }) => `${rule.index} ${change}`),
    missing: diff.missing.map((rule) => rule.index),
    expired: diff.expired.map((rule) => rule.index),
    unverifiable: diff.unverifiable.map((listener) => listener.port),
  };
  return Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0));
}

it.each<[string, Record<string, unknown>[], Listener[], Record<string, unknown>]>([
  ["nothing when all is as approved", [RULE], [listenerWith()], {}],
  ["a new port", [RULE], [listenerWith(), listenerWith({ port: 9 })], { added: [9] }],
  ["a rule whose listener is gone", [RULE], [], { missing: [0] }],
  ["an unreviewed entry, present or gone", [{ ...RULE, reviewed: false }], [listenerWith()], { unreviewed: [8080] }],
  ["nothing for an unreviewed entry that is gone", [{ ...RULE, reviewed: false }], [], {}],
  ["a wider bind", [RULE], [listenerWith(EVERYWHERE)], { changed: ["0 bind-widened"] }],
  ["a narrower bind", [{ ...RULE, scope: "all-interfaces" }], [listenerWith()], { changed: ["0 bind-moved"] }],
  ["another executable", [RULE], [listenerWith({ exe: "/usr/bin/node" })], { changed: ["0 process-changed"] }],
  ["an expired rule in use", [{ ...RULE, expires: "2026-01-01" }], [listenerWith()], { expired: [0] }],
  ["an expired rule out of use, once", [{ ...RULE, expires: "2026-01-01" }], [], { expired: [0] }],
  ["an owner that cannot be seen", [RULE], [listenerWith(UNKNOWN_OWNER)], { unverifiable: [8080] }],
])("shows %s", (_what, rules, listeners, expected) => {
  expect(diffOf(rules, listeners)).toEqual(expected);
});

it("calls it wider when a rule for one address meets all interfaces", () => {
  const { scope: _scope, ...rule } = RULE;
  const rules = [{ ...rule, address: "127.0.0.1" }];
  expect(diffOf(rules, [listenerWith(EVERYWHERE)])).toEqual({ changed: ["0 bind-widened"] });
});
