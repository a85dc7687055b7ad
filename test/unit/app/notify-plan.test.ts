import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_STATE, planMessages, reviveDead, settleEntry } from "../../../src/app/notify-plan.ts";
import { DAY_MS } from "../../../src/core/time.ts";
import type { AssessmentRun, RunCheck } from "../../../src/schema/assessment-history.ts";
import { formatNotifyState, type NotifyState, parseNotifyState } from "../../../src/schema/notify-state.ts";
import { NOW } from "../../helpers/assess-evidence.ts";

const GAP = { status: "partial", risk: "high", first_seen: "2026-11-23T08:00:00Z", due_date: "2026-11-30" } as const;
const fine = (id: string): RunCheck => ({ check_id: id, status: "compliant", risk: "high", first_seen: null });
const gap = (id: string, change: Partial<RunCheck> = {}): RunCheck => ({ check_id: id, ...GAP, ...change });
const run = (id: string, ...checks: readonly RunCheck[]): AssessmentRun => ({
  schemaVersion: 1,
  run_id: id,
  at: "2026-11-23T08:00:00Z",
  checks,
});

function plan(
  state: NotifyState,
  seen: AssessmentRun,
  now = NOW,
  sinks: readonly ("command" | "webhook")[] = ["command"],
): NotifyState {
  return planMessages(state, { run: seen, sinks, host: "host", now });
}
/** Kind and items of what was added to the outbox. */
function said(state: NotifyState, before: NotifyState = NO_STATE): readonly string[] {
  return state.outbox
    .slice(before.outbox.length)
    .map(
      ({ message }) => `${message.kind}: ${message.items.map((item) => `${item.kind} ${item.check_id}`).join(", ")}`,
    );
}

describe("what is said", () => {
  const first = plan(
    NO_STATE,
    run("r1", gap("a"), fine("b"), gap("c", { risk: "critical" }), gap("d", { waiver: "w" })),
  );

  it("is one summary the first time, worst first, without what somebody answers for", () => {
    expect(said(first)).toEqual(["summary: open c, open a"]);
    expect(said(plan(NO_STATE, run("r1", fine("b"))))).toEqual(["summary: "]);
    expect(said(plan(NO_STATE, run("r1", gap("a")), NOW, ["command", "webhook"]))).toHaveLength(2);
  });

  it("is nothing when nothing changed, however often it is asked", () => {
    expect(plan(first, first.last ?? run("x"))).toBe(first);
    expect(
      said(
        plan(first, run("r2", gap("a"), fine("b"), gap("c", { risk: "critical" }), gap("d", { waiver: "w" }))),
        first,
      ),
    ).toEqual([]);
  });

  it("is what is new, worse, back or no longer waived, at once and in one message", () => {
    const checks = [gap("a", { status: "violation" }), gap("b"), gap("c", { risk: "critical", reopened: 1 }), gap("d")];
    expect(said(plan(first, run("r2", ...checks)), first)).toEqual([
      "alert: reopened c, new b, escalated a, waiver-expired d",
    ]);
  });

  it("is a check that can no longer be measured when its risk is high", () => {
    const blind = (id: string, risk: RunCheck["risk"]): RunCheck => ({
      check_id: id,
      status: "not_assessed",
      risk,
      first_seen: null,
    });
    const before = plan(NO_STATE, run("r1", fine("a"), fine("b")));
    expect(said(plan(before, run("r2", blind("a", "high"), blind("b", "medium"))), before)).toEqual([
      "alert: became-unassessed a",
    ]);
  });

  it("is what was closed or has become overdue once a day, and each once", () => {
    const second = plan(first, run("r2", fine("a"), fine("b"), gap("c", { risk: "critical" })), NOW + 1_000);
    expect(said(second, first)).toEqual([]);
    const day = plan(second, run("r3", fine("a"), fine("b"), gap("c", { risk: "critical" })), NOW + DAY_MS);
    expect(said(day, second)).toEqual(["digest: resolved a"]);
    const late = plan(day, run("r4", fine("a"), fine("b"), gap("c", { risk: "critical" })), NOW + 9 * DAY_MS);
    expect(said(late, day)).toEqual(["digest: overdue c"]);
    const later = plan(late, run("r5", fine("a"), fine("b"), gap("c", { risk: "critical" })), NOW + 12 * DAY_MS);
    expect(said(later, late)).toEqual([]);
  });

  it("is not that a gap was closed when it is back before the digest", () => {
    const closed = plan(first, run("r2", fine("a"), fine("b"), gap("c"), gap("d", { waiver: "w" })), NOW + 1_000);
    const back = plan(closed, run("r3", gap("a", { reopened: 1 }), fine("b"), gap("c")), NOW + DAY_MS);
    expect(said(back, closed)).toEqual(["alert: reopened a"]);
  });

  it("tells a digest that is due although there was no new run", () => {
    const closed = plan(
      first,
      run("r2", fine("a"), fine("b"), gap("c", { risk: "critical" }), gap("d", { waiver: "w" })),
      NOW + 1_000,
    );
    expect(said(plan(closed, closed.last ?? run("x"), NOW + DAY_MS), closed)).toEqual(["digest: resolved a"]);
  });
});

describe("the outbox", () => {
  const state = plan(NO_STATE, run("r1", gap("a")));
  const entry = state.outbox[0]!;

  it("waits 1, 5 and 30 minutes, then gives up, and can try again", () => {
    let now = NOW;
    let current = state;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      current = settleEntry(current, current.outbox[0]!, "refused", now);
      const next = current.outbox[0]?.next_at;
      if (next !== undefined) waits.push((Date.parse(next) - now) / 60_000);
      now = next === undefined ? now : Date.parse(next);
    }
    expect([waits, current.outbox.length, current.dead.length]).toEqual([[1, 5, 30], 0, 1]);
    expect(current.dead[0]).toMatchObject({ attempts: 4, last_error: "refused" });
    const again = reviveDead(current, now);
    expect([again.outbox.length, again.dead.length, again.outbox[0]?.attempts]).toEqual([1, 0, 0]);
  });

  it("loses only the message that was taken", () => {
    const two = plan(NO_STATE, run("r1", gap("a")), NOW, ["command", "webhook"]);
    const after = settleEntry(two, two.outbox[0]!, null, NOW);
    expect(after.outbox.map(({ sink }) => sink)).toEqual(["webhook"]);
    expect(settleEntry(state, entry, null, NOW).outbox).toEqual([]);
  });

  it("never grows without end", () => {
    let current = state;
    for (let index = 0; index < 700; index += 1) {
      const id = `c${index}`;
      current = plan(current, run(`n${index}`, gap("a"), gap(id)));
    }
    expect([current.outbox.length, current.dead.length]).toEqual([500, 100]);
  });

  it("is read back as it was written", () => {
    const failed = settleEntry(state, entry, "\u001b[2J refused", NOW);
    expect(parseNotifyState(formatNotifyState(failed))).toEqual(failed);
  });

  it("is never read from anything else", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => parseNotifyState(text)).toThrow(expect.objectContaining({ name: "SecurityError" }));
      }),
    );
  });
});
