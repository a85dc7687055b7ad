/** Identifiers of the standards that checks name; only identifiers, none of their text. */

function numbered(prefix: string, last: number): readonly string[] {
  return Array.from({ length: last }, (_, index) => `${prefix}${index + 1}`);
}

/** All 93 of ISO/IEC 27001:2022, Annex A. */
export const ISO_27001: readonly string[] = [
  ...numbered("A.5.", 37),
  ...numbered("A.6.", 8),
  ...numbered("A.7.", 14),
  ...numbered("A.8.", 34),
];

/**
 * All 106 subcategories of the NIST Cybersecurity Framework 2.0. Numbers that are missing here belong
 * to version 1.1 and are withdrawn, though machine-readable catalogues still list them.
 */
const CSF_NUMBERS: Readonly<Record<string, string>> = {
  "GV.OC": "1 2 3 4 5",
  "GV.RM": "1 2 3 4 5 6 7",
  "GV.RR": "1 2 3 4",
  "GV.PO": "1 2",
  "GV.OV": "1 2 3",
  "GV.SC": "1 2 3 4 5 6 7 8 9 10",
  "ID.AM": "1 2 3 4 5 7 8",
  "ID.RA": "1 2 3 4 5 6 7 8 9 10",
  "ID.IM": "1 2 3 4",
  "PR.AA": "1 2 3 4 5 6",
  "PR.AT": "1 2",
  "PR.DS": "1 2 10 11",
  "PR.PS": "1 2 3 4 5 6",
  "PR.IR": "1 2 3 4",
  "DE.CM": "1 2 3 6 9",
  "DE.AE": "2 3 4 6 7 8",
  "RS.MA": "1 2 3 4 5",
  "RS.AN": "3 6 7 8",
  "RS.CO": "2 3",
  "RS.MI": "1 2",
  "RC.RP": "1 2 3 4 5 6",
  "RC.CO": "3 4",
};
export const CSF_2: readonly string[] = Object.entries(CSF_NUMBERS).flatMap(([category, numbers]) =>
  numbers.split(" ").map((number) => `${category}-${number.padStart(2, "0")}`),
);

/** Of NIST SP 800-53 Revision 5 those in use, each looked up in its catalogue. */
export const NIST_800_53: readonly string[] = (
  "AC-2 AC-2(5) AC-3 AC-3(2) AC-4 AC-6 AC-6(2) AC-6(5) AC-6(7) AC-6(9) AC-6(10) AC-7 AC-12 AC-17 AC-17(2) AC-25 " +
  "AU-2 AU-3 AU-4(1) AU-6(4) AU-8 AU-9 AU-9(2) AU-11 AU-12 CA-5 CA-7 CM-2 CM-3 CM-5 CM-6 CM-7 CM-7(1) CM-7(2) " +
  "CM-7(5) CM-8 CM-11 CM-14 CP-9 CP-9(1) CP-10 IA-2 IA-2(1) IA-3 IA-5(1) IA-5(6) IA-5(7) IA-8 IA-9 IA-11 MP-7 PM-4 " +
  "RA-5 SA-9 SC-7 SC-7(5) SC-8 SC-8(1) SC-12 SC-23 SC-28 SC-28(1) SC-39 SC-45 SI-2 SI-4(4) SI-7 SI-10 SI-12 SI-12(1) SR-4"
).split(" ");

/** All 153 safeguards of the CIS Controls 8.1, by how many each of the 18 controls has. */
const SAFEGUARDS = [5, 7, 14, 12, 6, 8, 7, 12, 7, 7, 5, 8, 11, 9, 7, 14, 9, 5];
export const CIS_8_1: readonly string[] = SAFEGUARDS.flatMap((last, index) => numbered(`${index + 1}.`, last));
