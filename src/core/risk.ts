/** Risk of a finding or check, highest first. */
export const RISKS = ["critical", "high", "medium", "low"] as const;
export type Risk = (typeof RISKS)[number];

/** Days until a gap of this risk is due, counted from when it was first seen. */
export const DUE_DAYS: Readonly<Record<Risk, number>> = { critical: 2, high: 7, medium: 30, low: 90 };

/** Negative when `a` is the higher risk; sorts worst first. */
export function compareRisk(a: Risk, b: Risk): number {
  return RISKS.indexOf(a) - RISKS.indexOf(b);
}

export function isAtLeast(risk: Risk, threshold: Risk): boolean {
  return compareRisk(risk, threshold) <= 0;
}
