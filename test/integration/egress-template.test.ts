import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { prepareAllowlist } from "../../src/app/scan-egress.ts";
import { lintEgressAllowlist } from "../../src/policy/egress-lint.ts";
import { decideConnection, isActive, knownNames, namesToResolve } from "../../src/policy/egress-rule.ts";
import { connectionWith } from "../helpers/connection.ts";

const TEMPLATE = readFileSync(join(import.meta.dirname, "../../references/egress-allowlist.template.json"), "utf8");
const NOW = 1_800_000_000_000;

it("is valid, and its rules have no fault but that nobody has reviewed them", async () => {
  const rules = await prepareAllowlist(TEMPLATE);
  expect(rules.length).toBeGreaterThan(0);
  expect(lintEgressAllowlist(rules, NOW).map((note) => note.kind)).toEqual(rules.map(() => "unreviewed"));
});

it("approves nothing when it is copied unread", async () => {
  const rules = await prepareAllowlist(TEMPLATE);
  expect(rules.filter(({ rule }) => isActive(rule, NOW))).toEqual([]);
  expect(namesToResolve(rules, NOW)).toEqual([]);
  const known = knownNames(new Map([["api.anthropic.com", { kind: "addresses", addresses: ["93.184.215.14"] }]]));
  const connection = connectionWith({
    remote_host: "api.anthropic.com",
    host_source: "recorder",
    exe: "/usr/bin/node",
  });
  expect(decideConnection(rules, connection, known, NOW).kind).toBe("unapproved");
});

it("approves what its first rule says once a human has reviewed it", async () => {
  const rules = await prepareAllowlist(TEMPLATE.replaceAll('"reviewed": false', '"reviewed": true'));
  const connection = connectionWith({
    remote_host: "api.anthropic.com",
    host_source: "recorder",
    exe: "/usr/bin/node",
  });
  expect(decideConnection(rules, connection, knownNames(new Map()), NOW).kind).toBe("approved");
});
