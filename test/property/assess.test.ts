import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../src/assess/assessment.ts";
import { CHECKS } from "../../src/assess/checks.ts";
import { dateGap } from "../../src/assess/due-date.ts";
import type { AssessEvidence } from "../../src/assess/evidence.ts";
import { isAbout, NATIVE_MAP } from "../../src/assess/native-map.ts";
import { runChecks } from "../../src/assess/run-checks.ts";
import { type Fact, weigh } from "../../src/assess/weigh.ts";
import { RISKS } from "../../src/core/risk.ts";
import { DAY_MS } from "../../src/core/time.ts";
import type { RunCheck } from "../../src/schema/assessment-history.ts";
import {
  AT,
  AUDIT_LOG,
  badEvidence,
  commandPolicy,
  config,
  egress,
  EXTENSIONS,
  GATEWAY,
  goodEvidence,
  GRANTS,
  HARDENED,
  listener,
  NATIVE,
  NO_WAY_TO_ROOT,
  PATCHING,
  ports,
  seen,
  sockets,
  UNIT,
  unseen,
  VOLUME,
  WEAK,
} from "../helpers/assess-evidence.ts";
import { portFinding, sampleConnection } from "../helpers/sample-assessment.ts";

/**
 * How much a status claims in the host's favour. A gap that was shown and a check that could not look
 * claim nothing; so losing evidence may turn a violation into not_assessed, but never into partial.
 */
const CLAIM: Readonly<Record<CheckStatus, number>> = {
  violation: 0,
  not_assessed: 0,
  partial: 1,
  compliant: 2,
  not_applicable: 2,
};

const good = goodEvidence();
const bad = badEvidence();
const LOCAL = listener({ port: 8080 });

/** Several values for each kind of evidence, good, bad and in between. */
const EVIDENCE: { readonly [K in keyof AssessEvidence]: readonly AssessEvidence[K][] } = {
  config: [
    good.config,
    bad.config,
    config({}),
    config({ ...HARDENED, tools: { exec: { mode: "auto" } }, agents: {} }),
    config({ ...WEAK, agents: { defaults: { sandbox: { mode: "non-main" } } } }),
    config({ ...HARDENED, proxy: { enabled: true, proxyUrl: "http://127.0.0.1:3128" } }),
    config({
      ...HARDENED,
      hooks: { enabled: true, token: "short" },
      mcp: { servers: { docs: { command: "npx", args: ["x"] } } },
      plugins: { entries: { p: { config: { a: 1 } } } },
      security: { audit: { suppressions: [{ checkId: "a" }] } },
      diagnostics: { otel: { enabled: true, captureContent: true } },
      session: { maintenance: { mode: "warn" } },
    }),
    config({ gateway: { mode: "remote" }, channels: { pigeon: { enabled: true } } }),
  ],
  stateTree: [good.stateTree, bad.stateTree],
  gateway: [good.gateway, bad.gateway, seen({ ...GATEWAY, uid: 0 }), seen({ ...GATEWAY, basis: "current-user" })],
  privilege: [
    good.privilege,
    bad.privilege,
    seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: 60, unknown: ["sudo"] }),
    seen({ ...NO_WAY_TO_ROOT, paths: [{ via: "sudo", what: "ALL", strength: "password" }] }),
  ],
  commandPolicy: [
    good.commandPolicy,
    bad.commandPolicy,
    commandPolicy({ deny: ["^/bin/rm "] }),
    commandPolicy({ allow: [".*"] }),
  ],
  promptPolicy: [good.promptPolicy, bad.promptPolicy],
  sockets: [good.sockets, bad.sockets, sockets()],
  ports: [
    good.ports,
    bad.ports,
    ports({ findings: [portFinding(LOCAL)] }),
    ports({ approved_file: null, complete: false, status: "incomplete", unresolved: 1 }),
  ],
  egress: [
    good.egress,
    bad.egress,
    egress({ connections: [] }),
    egress({ connections: [sampleConnection()], allowlist_rules: 0 }),
  ],
  backup: [
    good.backup,
    bad.backup,
    seen({
      latest_at: "2026-01-01T00:00:00Z",
      kind: null,
      push_failed: false,
      archive_bytes: null,
      archive_path: null,
      verified: null,
      outside_state_dir: null,
      archive_exists: null,
    }),
  ],
  update: [
    good.update,
    bad.update,
    seen({ installed_version: "2026.9.5", latest_version: "2026.9.6", checked_at: null, node_version: null }),
  ],
  auditLog: [
    good.auditLog,
    bad.auditLog,
    seen({ ...AUDIT_LOG, anchored: false, dangling: 1 }),
    seen({ ...AUDIT_LOG, status: "unknown", sudo: { kind: "skipped", reason: "r" } }),
    seen({ ...AUDIT_LOG, present: false, status: "unknown", records: 0 }),
  ],
  grants: [good.grants, bad.grants, seen({ ...GRANTS, runs_fresh: false })],
  approvals: [
    good.approvals,
    bad.approvals,
    seen({ present: false, entries: [], auto_allow_skills: [] }),
    seen({ present: true, entries: [], auto_allow_skills: ["main"] }),
  ],
  devices: [good.devices, bad.devices, seen({ paired: [], pending: 0 })],
  extensions: [good.extensions, bad.extensions, seen({ ...EXTENSIONS, skills: ["weather"] })],
  suppliers: [good.suppliers, bad.suppliers],
  unit: [good.unit, bad.unit, seen({ ...UNIT, exposure: null })],
  firewall: [
    good.firewall,
    bad.firewall,
    seen({ tool: "nft", rules: 3, ipv4_drops: true, ipv6_drops: false }),
    seen({ tool: "iptables", rules: 2, ipv4_drops: false, ipv6_drops: false }),
  ],
  patching: [
    good.patching,
    bad.patching,
    seen({ ...PATCHING, lists_at: null, automatic: null }),
    seen({ ...PATCHING, security: ["a 1"] }),
  ],
  volume: [good.volume, bad.volume, seen({ ...VOLUME, encrypted: null, is_network: true })],
  clock: [
    good.clock,
    bad.clock,
    seen({ by: "timedatectl", synchronized: false, offset_seconds: null }),
    seen({ by: "chrony", synchronized: null, offset_seconds: 2 }),
  ],
  configBaseline: [
    good.configBaseline,
    bad.configBaseline,
    seen({ path: "/b", accepted: false, changed: [], unlisted: [], missing: [] }),
    seen({ path: "/b", accepted: true, changed: [], unlisted: ["/c"], missing: [] }),
  ],
  broker: [good.broker, bad.broker, seen({ path: "/b", held_by: "none" })],
  approvers: [good.approvers, bad.approvers, seen([])],
  native: [
    good.native,
    seen({ ...NATIVE, runs: NATIVE.runs.map((run) => ({ ...run, status: "failed" as const })) }),
    seen({ ...NATIVE, cached: true, runs: [] }),
  ],
};

const anyEvidence: fc.Arbitrary<AssessEvidence> = fc.record({
  config: fc.constantFrom(...EVIDENCE.config),
  stateTree: fc.constantFrom(...EVIDENCE.stateTree),
  gateway: fc.constantFrom(...EVIDENCE.gateway),
  privilege: fc.constantFrom(...EVIDENCE.privilege),
  commandPolicy: fc.constantFrom(...EVIDENCE.commandPolicy),
  promptPolicy: fc.constantFrom(...EVIDENCE.promptPolicy),
  sockets: fc.constantFrom(...EVIDENCE.sockets),
  ports: fc.constantFrom(...EVIDENCE.ports),
  egress: fc.constantFrom(...EVIDENCE.egress),
  backup: fc.constantFrom(...EVIDENCE.backup),
  update: fc.constantFrom(...EVIDENCE.update),
  auditLog: fc.constantFrom(...EVIDENCE.auditLog),
  grants: fc.constantFrom(...EVIDENCE.grants),
  approvals: fc.constantFrom(...EVIDENCE.approvals),
  devices: fc.constantFrom(...EVIDENCE.devices),
  extensions: fc.constantFrom(...EVIDENCE.extensions),
  suppliers: fc.constantFrom(...EVIDENCE.suppliers),
  unit: fc.constantFrom(...EVIDENCE.unit),
  firewall: fc.constantFrom(...EVIDENCE.firewall),
  patching: fc.constantFrom(...EVIDENCE.patching),
  volume: fc.constantFrom(...EVIDENCE.volume),
  clock: fc.constantFrom(...EVIDENCE.clock),
  configBaseline: fc.constantFrom(...EVIDENCE.configBaseline),
  broker: fc.constantFrom(...EVIDENCE.broker),
  approvers: fc.constantFrom(...EVIDENCE.approvers),
  native: fc.constantFrom(...EVIDENCE.native),
});
const kinds = Object.keys(EVIDENCE) as (keyof AssessEvidence)[];
const losses = fc.uniqueArray(fc.constantFrom(...kinds), { minLength: 1 });
const failure = fc.constantFrom("timeout", "collector-failed", "json-invalid", "file-missing", "not-built");

describe("losing evidence", () => {
  it("never improves the status of any check", () => {
    fc.assert(
      fc.property(anyEvidence, losses, failure, (evidence, lost, code) => {
        const less = { ...evidence, ...Object.fromEntries(lost.map((kind) => [kind, unseen(code)])) };
        for (const { meta, check } of CHECKS) {
          const before = check(evidence).status;
          const after = check(less).status;
          expect([meta.check_id, before, after, CLAIM[after] <= CLAIM[before]]).toEqual([
            meta.check_id,
            before,
            after,
            true,
          ]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("of every kind leaves nothing assessed", () => {
    const none = goodEvidence(Object.fromEntries(kinds.map((kind) => [kind, unseen("timeout")])));
    expect(new Set(CHECKS.map(({ check }) => check(none).status))).toEqual(new Set(["not_assessed"]));
  });
});

const fact = fc.constantFrom<Fact>(
  { kind: "good", seen: "g" },
  { kind: "partial", seen: "p", gap: "p", fix: "p" },
  { kind: "violation", seen: "v", gap: "v", fix: "v" },
  { kind: "unbuilt", part: "hook-probe" },
  { kind: "no-object", seen: "n" },
);

const severity = fc.constantFrom("critical", "warn", "info");
const native = fc.record({
  id: fc.constantFrom(...Object.values(NATIVE_MAP).flat()),
  severity,
  suppressed: fc.boolean(),
});

describe("what OpenClaw itself says", () => {
  it("never makes the answer of any check better, and takes away what it contradicts", () => {
    fc.assert(
      fc.property(anyEvidence, fc.array(native, { maxLength: 8 }), (evidence, found) => {
        const findings = found.map((one) => ({
          ...one,
          id: one.id.replaceAll("*", "x"),
          command: "security audit" as const,
          title: "t",
        }));
        const without = runChecks(CHECKS, { ...evidence, native: seen(NATIVE) }, AT);
        const withThem = runChecks(CHECKS, { ...evidence, native: seen({ ...NATIVE, findings }) }, AT);
        for (const [index, { meta, result }] of withThem.entries()) {
          const before = without[index]?.result.status ?? "violation";
          expect([meta.check_id, before, result.status, CLAIM[result.status] <= CLAIM[before]]).toEqual([
            meta.check_id,
            before,
            result.status,
            true,
          ]);
          const open = findings.filter((one) => isAbout(meta.check_id, one.id) && !one.suppressed);
          if (open.some((one) => one.severity === "critical")) expect(result.status).toBe("violation");
          if (open.some((one) => one.severity === "warn")) expect(CLAIM[result.status]).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("weighing", () => {
  it("claims no more when any one fact becomes unknown", () => {
    fc.assert(
      fc.property(fc.array(fact, { minLength: 1 }), fc.nat(), (facts, at) => {
        const less = facts.with(at % facts.length, { kind: "unknown", reason: "r", remedy: "m" });
        expect(CLAIM[weigh(less, []).status]).toBeLessThanOrEqual(CLAIM[weigh(facts, []).status]);
      }),
    );
  });

  it("does not depend on the order of the facts", () => {
    fc.assert(
      fc.property(fc.array(fact), (facts) => {
        expect(weigh(facts.toReversed(), []).status).toBe(weigh(facts, []).status);
      }),
    );
  });
});

describe("due dates", () => {
  const step = fc.record({
    status: fc.constantFrom<CheckStatus>("violation", "partial", "not_assessed"),
    risk: fc.constantFrom(...RISKS),
    days: fc.integer({ min: 0, max: 200 }),
  });

  it("never move later while a gap is not known to be closed", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2 }), (steps) => {
        let previous: RunCheck | undefined;
        let now = Date.UTC(2026, 0, 1);
        for (const { status, risk, days } of steps) {
          now += days * DAY_MS;
          const dates = dateGap(previous, status, risk, now);
          if (previous?.due_date !== undefined) {
            expect(dates.due_date !== null && dates.due_date <= previous.due_date).toBe(true);
            expect(dates.first_seen).toBe(previous.first_seen);
          }
          previous = {
            check_id: "x",
            status,
            risk: dates.risk,
            first_seen: dates.first_seen,
            ...(dates.due_date === null ? {} : { due_date: dates.due_date }),
          };
        }
      }),
    );
  });
});
