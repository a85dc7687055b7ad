import { describe, expect, it } from "vitest";
import { diffRuns, isUrgent, overdueChecks } from "../../../src/assess/change.ts";
import type { Change } from "../../../src/assess/over-time.ts";
import type { AssessmentRun, RunCheck } from "../../../src/schema/assessment-history.ts";

const GAP = { first_seen: "2026-11-23T08:00:00Z", due_date: "2026-11-30" };

function row(change: Partial<RunCheck> = {}): RunCheck {
  return { check_id: "x", status: "compliant", risk: "medium", first_seen: null, ...change };
}
const fine = row();
const gap = row({ status: "partial", ...GAP });
const unseen = row({ status: "not_assessed" });
const unseenGap = row({ status: "not_assessed", ...GAP });

function run(...checks: readonly RunCheck[]): AssessmentRun {
  return { schemaVersion: 1, run_id: "r", at: "2026-11-23T08:00:00Z", checks };
}

describe("the difference between two runs", () => {
  it.each<[string, RunCheck | null, RunCheck, Change["kind"] | null]>([
    ["a gap where nothing was known", null, gap, "new"],
    ["a gap where none was", fine, gap, "new"],
    ["a gap where nothing could be seen", unseen, gap, "new"],
    ["a gap that comes back", fine, { ...gap, reopened: 1 }, "reopened"],
    ["a gap that was closed and came back in between", gap, { ...gap, reopened: 1 }, "reopened"],
    ["a higher risk", gap, { ...gap, risk: "high" }, "escalated"],
    ["partial to violation", gap, { ...gap, status: "violation" }, "escalated"],
    ["a higher risk that is seen only now", unseenGap, { ...gap, risk: "high" }, "escalated"],
    ["a lower risk", gap, { ...gap, risk: "low" }, "improved"],
    ["violation to partial", { ...gap, status: "violation" }, gap, "improved"],
    ["a gap closed", gap, fine, "resolved"],
    ["a gap that no longer applies", gap, row({ status: "not_applicable" }), "resolved"],
    ["a gap closed that could not be seen before", unseenGap, fine, "resolved"],
    ["a waived gap closed", { ...gap, waiver: "w" }, fine, "resolved"],
    ["a gap waived", gap, { ...gap, waiver: "w" }, "waived"],
    ["a new gap that is waived already", fine, { ...gap, waiver: "w" }, "waived"],
    ["a waiver that is over", { ...gap, waiver: "w" }, gap, "waiver-expired"],
    ["a waived gap that got worse", { ...gap, waiver: "w" }, { ...gap, waiver: "w", risk: "high" }, "escalated"],
    ["a good check that cannot be seen", fine, unseen, "became-unassessed"],
    ["a gap that cannot be seen", gap, unseenGap, "became-unassessed"],
    ["the same gap", gap, gap, null],
    ["the same waived gap", { ...gap, waiver: "w" }, { ...gap, waiver: "v" }, null],
    ["a gap that is seen again", unseenGap, gap, null],
    ["a gap that is seen again, worse in kind", unseenGap, { ...gap, status: "violation" }, null],
    ["still nothing to see", unseen, unseen, null],
    ["never seen", null, unseen, null],
    ["good where nothing could be seen", unseen, fine, null],
    ["still good", fine, fine, null],
  ])("of %s", (_title, before, after, kind) => {
    const changes = diffRuns(before === null ? run() : run(before), run(after));
    expect(changes.map((change) => change.kind)).toEqual(kind === null ? [] : [kind]);
  });

  it("has the worst first and carries what a reader needs", () => {
    const after = run(
      row({ check_id: "a" }),
      { ...gap, check_id: "b" },
      { ...gap, check_id: "c", risk: "high" },
      { ...gap, check_id: "d", reopened: 1 },
    );
    const changes = diffRuns(run({ ...gap, check_id: "a" }), after);
    expect(changes.map((change) => change.check_id)).toEqual(["d", "c", "b", "a"]);
    expect(changes[1]).toEqual({
      kind: "new",
      check_id: "c",
      status_before: null,
      status: "partial",
      risk_before: null,
      risk: "high",
      ...GAP,
    });
  });

  it("says of which nobody should have to look to learn of it", () => {
    const change = (kind: Change["kind"], risk: Change["risk"]): Change => ({
      kind,
      check_id: "x",
      status_before: null,
      status: "partial",
      risk_before: null,
      risk,
      first_seen: null,
      due_date: null,
    });
    expect(
      (["new", "escalated", "reopened", "waiver-expired"] as const).every((kind) => isUrgent(change(kind, "low"))),
    ).toBe(true);
    expect(["high", "medium"].map((risk) => isUrgent(change("became-unassessed", risk as "high")))).toEqual([
      true,
      false,
    ]);
    expect((["waived", "improved", "resolved"] as const).some((kind) => isUrgent(change(kind, "critical")))).toBe(
      false,
    );
  });

  it("counts a gap as overdue the day after its date, unless somebody answers for it", () => {
    const overdue = (check: RunCheck, today: string): number => overdueChecks(run(check), today).length;
    expect([overdue(gap, "2026-11-30"), overdue(gap, "2026-12-01")]).toEqual([0, 1]);
    expect([overdue({ ...gap, waiver: "w" }, "2026-12-01"), overdue(fine, "2026-12-01")]).toEqual([0, 0]);
  });
});
