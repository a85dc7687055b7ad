/** How one check can differ between two runs, worst first. */
export const CHANGE_KINDS = [
  "reopened",
  "new",
  "escalated",
  "waiver-expired",
  "became-unassessed",
  "waived",
  "improved",
  "resolved",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];
