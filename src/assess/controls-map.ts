import { DUE_DAYS } from "../core/risk.ts";
import { CHECKS } from "./checks.ts";
import { UNBUILT_PARTS } from "./unbuilt-part.ts";

/** references/compliance-controls-map.json: the mapping as data, made from the checks themselves. */
export function renderControlsMap(): string {
  const map = {
    schemaVersion: 1,
    note: "Each check gathers evidence relevant to the controls named beside it. The identifiers are references for the reader; nothing here is a certification, an audit opinion or a statement that a control is fulfilled.",
    sources: {
      iso27001: "ISO/IEC 27001:2022, Annex A (identifiers only)",
      nist_csf: "NIST Cybersecurity Framework 2.0 (CSWP 29), current subcategories only",
      nist_800_53: "NIST SP 800-53 Revision 5",
      cis: "CIS Critical Security Controls v8.1 (identifiers only)",
    },
    mapping_confidence:
      "high: the catalogue has a control about this subject; medium: the nearest control covers it in part; low: no control names the subject",
    due_days_by_risk: DUE_DAYS,
    order_of_evidence:
      "A proven violation stands whatever else is unknown. Otherwise anything unknown that could hide one makes the check not_assessed. A gap comes next, then a measurement that is not made yet; compliant needs every piece of evidence.",
    unbuilt_parts: UNBUILT_PARTS,
    checks: CHECKS.map(({ meta }) => ({
      check_id: meta.check_id,
      title: meta.title,
      iso27001: meta.iso27001,
      nist_csf: meta.nist_csf,
      nist_800_53: meta.nist_800_53,
      cis: meta.cis,
      mapping_confidence: meta.mapping_confidence,
      default_risk: meta.default_risk,
      owner: meta.owner,
      expected_state: meta.expected_state,
      mitigation: meta.mitigation,
      evidence: meta.uses,
      status_rules: meta.status_rules,
      needs: meta.needs,
    })),
  };
  return `${JSON.stringify(map, null, 2)}\n`;
}
