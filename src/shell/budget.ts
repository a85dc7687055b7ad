/** Thrown inside this layer only: the text is deeper or longer than is worth following. The door turns it into `opaque`. */
export class WorkLimitReached extends Error {}

/** Work that is left. Everything that is done for a text is paid for, so that the time is linear in its length. */
export interface Budget {
  used: number;
  readonly limit: number;
}

const MAX_WORK = 60_000;
const MAX_DEPTH = 120;
/** Characters of shell text that cost as much as one step. */
export const CHARS_PER_STEP = 40;

export function createBudget(): Budget {
  return { used: 0, limit: MAX_WORK };
}

/** @throws {WorkLimitReached} */
export function spend(budget: Budget, steps: number): void {
  budget.used += steps;
  if (budget.used > budget.limit) throw new WorkLimitReached("it is too long to be followed");
}

/** For text that is read once from end to end. */
export function spendOnText(budget: Budget, chars: number): void {
  spend(budget, 1 + Math.floor(chars / CHARS_PER_STEP));
}

export function assertDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new WorkLimitReached("it is nested too deeply to be followed");
}
