import { describe, expect, it } from "vitest";
import { type KnownWaiver, longestWaiver, waiveChecks } from "../../../src/assess/waiver.ts";
import { isWaived } from "../../../src/assess/totals.ts";
import { DAY_MS, isoDateFromEpoch } from "../../../src/core/time.ts";
import { NOW } from "../../helpers/assess-evidence.ts";
import { sampleAssessment } from "../../helpers/sample-assessment.ts";

const HOST = "gateway-7.example.net";
const waiver: KnownWaiver = {
  id: "w-1",
  check_id: "gateway_loopback_only",
  target: HOST,
  reason: "The network is closed until the move.",
  owner: "Operations",
  approver: "Head of security",
  created: "2026-11-20T08:00:00Z",
  expires: "2026-12-31",
  isConfirmed: true,
};
const { checks } = sampleAssessment();

function stateOf(change: Partial<KnownWaiver>, now = NOW): string | null {
  const row = waiveChecks(checks, [{ ...waiver, ...change }], HOST, now).find(
    (check) => check.check_id === "gateway_loopback_only",
  );
  return row?.waiver?.state ?? null;
}

describe("a waiver", () => {
  it("leaves status, evidence and dates of its gap as they are, and touches no other check", () => {
    const rows = waiveChecks(checks, [waiver], HOST, NOW);
    expect(rows.filter((row, index) => row !== checks[index]).map((row) => row.check_id)).toEqual([waiver.check_id]);
    const { waiver: found, ...rest } = rows.find((row) => row.check_id === waiver.check_id) ?? { waiver: undefined };
    expect(rest).toEqual(checks.find((check) => check.check_id === waiver.check_id));
    expect(found).toEqual({
      id: "w-1",
      state: "active",
      reason: waiver.reason,
      owner: "Operations",
      approver: "Head of security",
      expires: "2026-12-31",
    });
  });

  it.each([
    ["is in force on its last day", { expires: "2026-11-23" }, "active"],
    ["is over the day after", { expires: "2026-11-22" }, "expired"],
    ["is over once it was ended", { ended: "2026-11-23T07:59:59Z" }, "expired"],
    ["is not in force before it begins", { created: "2026-11-24T08:00:00Z" }, "expired"],
    ["has no effect unless a human agreed", { isConfirmed: false }, "unconfirmed"],
    ["is for one host", { target: "another" }, null],
    ["is for one check", { check_id: "update_hygiene" }, null],
    ["is over after 90 days for a high risk, whatever it says", { created: "2026-08-01T08:00:00Z" }, "expired"],
  ])("%s", (_title, change, state) => {
    expect(stateOf(change)).toBe(state);
  });

  it("is for gaps only: what is compliant or could not be measured is not waived", () => {
    for (const check of checks) {
      const [row] = waiveChecks([check], [{ ...waiver, check_id: check.check_id }], HOST, NOW);
      expect(row !== undefined && isWaived(row)).toBe(check.status === "violation" || check.status === "partial");
    }
  });

  it("counts when another one for the same gap is over", () => {
    const over = { ...waiver, id: "w-0", expires: "2026-11-22" };
    const [row] = waiveChecks(checks.slice(1, 2), [over, waiver, over], HOST, NOW);
    expect(row?.waiver?.id).toBe("w-1");
  });

  it("lasts at most a year, and 90 days for a high or critical risk", () => {
    expect((["critical", "high", "medium", "low"] as const).map(longestWaiver)).toEqual([90, 90, 365, 365]);
    const late = isoDateFromEpoch(NOW + 400 * DAY_MS);
    const low = { check_id: "update_hygiene", expires: late };
    const at = (days: number) =>
      waiveChecks(checks, [{ ...waiver, ...low }], HOST, NOW + days * DAY_MS).find((row) => row.waiver)?.waiver?.state;
    expect([at(300), at(370)]).toEqual(["active", "expired"]);
  });
});
