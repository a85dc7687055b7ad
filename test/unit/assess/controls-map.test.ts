import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CHECKS } from "../../../src/assess/checks.ts";
import { renderControlsMap } from "../../../src/assess/controls-map.ts";

const METAS = CHECKS.map(({ meta }) => meta);

// Only identifiers in use, each looked up in its catalogue.
const ISO =
  "5.3 5.14 5.15 5.16 5.17 5.28 8.2 8.3 8.5 8.8 8.9 8.12 8.13 8.15 8.16 8.18 8.19 8.20 8.21 8.22 8.23 8.24 8.26"
    .split(" ")
    .map((id) => `A.${id}`);
const CSF =
  "DE.AE-03 DE.CM-01 DE.CM-03 DE.CM-09 ID.AM-03 ID.RA-01 PR.AA-01 PR.AA-03 PR.AA-05 PR.DS-01 PR.DS-02 PR.DS-11 PR.IR-01 PR.PS-01 PR.PS-02 PR.PS-04 PR.PS-05".split(
    " ",
  );
const NIST =
  "AC-2(5) AC-3 AC-3(2) AC-4 AC-6 AC-6(2) AC-6(5) AC-6(9) AC-6(10) AC-12 AC-17 AC-17(2) AC-25 AU-2 AU-3 AU-9 AU-12 CM-5 CM-6 CM-7 CM-7(1) CM-7(2) CM-7(5) CM-8 CP-9 CP-9(1) IA-2(1) IA-5(6) IA-8 IA-11 RA-5 SC-7 SC-7(5) SC-8 SC-8(1) SC-23 SC-28 SC-39 SI-2 SI-4(4) SI-10".split(
    " ",
  );
const CIS = "2.2 2.5 2.7 3.3 3.10 4.1 4.3 4.4 4.6 4.8 5.4 6.5 6.8 7.4 8.2 8.5 8.8 9.3 11.2 11.3 13.4 13.6 16.10".split(
  " ",
);

describe("references/compliance-controls-map.json", () => {
  it("is what the checks say", () => {
    const path = new URL("../../../references/compliance-controls-map.json", import.meta.url);
    expect(readFileSync(path, "utf8")).toBe(renderControlsMap());
  });

  it("promises no certification", () => {
    expect(renderControlsMap()).toContain("evidence relevant to");
    expect(renderControlsMap()).not.toMatch(/compliant with|complies with/i);
  });
});

describe("identifiers of standards", () => {
  it.each([
    ["ISO/IEC 27001:2022", METAS.flatMap((meta) => meta.iso27001), /^A\.[5-8]\.[1-9][0-9]?$/, ISO],
    ["NIST CSF 2.0", METAS.flatMap((meta) => meta.nist_csf), /^(?:GV|ID|PR|DE|RS|RC)\.[A-Z]{2}-[0-9]{2}$/, CSF],
    ["NIST SP 800-53", METAS.flatMap((meta) => meta.nist_800_53), /^[A-Z]{2}-[1-9][0-9]?(?:\([1-9][0-9]?\))?$/, NIST],
    ["CIS Controls", METAS.flatMap((meta) => meta.cis), /^[1-9][0-9]?\.[1-9][0-9]?$/, CIS],
  ] as const)("of %s are written as there, and each is in use", (_name, used, format, known) => {
    expect(used.filter((id) => !format.test(id))).toEqual([]);
    expect([...new Set(used)].toSorted()).toEqual([...known].toSorted());
  });

  it("appear at most once in a check, and each check names some", () => {
    for (const meta of METAS) {
      for (const ids of [meta.iso27001, meta.nist_csf, meta.nist_800_53, meta.cis]) {
        expect([meta.check_id, new Set(ids).size]).toEqual([meta.check_id, ids.length]);
      }
      const least = Math.min(meta.iso27001.length, meta.nist_csf.length, meta.nist_800_53.length);
      expect([meta.check_id, least > 0]).toEqual([meta.check_id, true]);
    }
  });
});

describe("the metas", () => {
  it.each(METAS.map((meta) => [meta.check_id, meta] as const))("of %s are complete", (_id, meta) => {
    expect(meta.check_id).toMatch(/^[a-z0-9_]+$/);
    expect(meta.uses.length).toBeGreaterThan(0);
    expect(meta.status_rules.not_assessed).toBeTruthy();
    for (const text of [meta.title, meta.expected_state, meta.mitigation, meta.owner]) expect(text).not.toBe("");
    // What cannot be shown yet is not promised.
    if (meta.needs.length > 0) expect(meta.status_rules.compliant).toBeUndefined();
  });
});
