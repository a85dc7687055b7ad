import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CHECKS } from "../../../src/assess/checks.ts";
import { renderControlsMap } from "../../../src/assess/controls-map.ts";
import { CIS_8_1, CSF_2, ISO_27001, NIST_800_53 } from "../../helpers/standard-ids.ts";

const METAS = CHECKS.map(({ meta }) => meta);

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
  it("are known in full: 93 of ISO/IEC 27001:2022, 106 of CSF 2.0, 153 of CIS 8.1, each once", () => {
    expect([ISO_27001, CSF_2, CIS_8_1].map((ids) => new Set(ids).size)).toEqual([93, 106, 153]);
    expect([ISO_27001, CSF_2, CIS_8_1].map((ids) => ids.length)).toEqual([93, 106, 153]);
    // Withdrawn with version 1.1, and easily taken for current.
    expect(["PR.IP-01", "PR.AC-04", "ID.AM-06", "PR.DS-05"].filter((id) => CSF_2.includes(id))).toEqual([]);
  });

  it.each([
    ["ISO/IEC 27001:2022", METAS.flatMap((meta) => meta.iso27001), ISO_27001],
    ["NIST CSF 2.0", METAS.flatMap((meta) => meta.nist_csf), CSF_2],
    ["NIST SP 800-53", METAS.flatMap((meta) => meta.nist_800_53), NIST_800_53],
    ["CIS Controls", METAS.flatMap((meta) => meta.cis), CIS_8_1],
  ] as const)("of %s are real ones", (_name, used, known) => {
    expect(used.filter((id) => !known.includes(id))).toEqual([]);
  });

  it("of NIST SP 800-53 are all in use, since only those were looked up", () => {
    const used = new Set(METAS.flatMap((meta) => meta.nist_800_53));
    expect(NIST_800_53.filter((id) => !used.has(id))).toEqual([]);
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
