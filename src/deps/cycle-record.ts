import { join } from "node:path";
import type { Problem } from "../app/assess.ts";
import { cycleProblems } from "../app/cycle.ts";
import { asSecurityError } from "../core/error.ts";
import { loadCycleState } from "../state/cycle-state.ts";
import type { Effects } from "./effects.ts";

export function cycleStatePath(effects: Effects): string {
  return join(effects.securityDir(), "cycle-state.json");
}

export function cycleLogPath(effects: Effects): string {
  return join(effects.paths().stateDir, "logs/cyber-security-engineer-auto.log");
}

/** What a report must say about cycles; never fails. */
export async function standingCycleProblems(effects: Effects): Promise<readonly Problem[]> {
  try {
    const state = await loadCycleState(cycleStatePath(effects));
    return state === null ? [] : cycleProblems(state, effects.now());
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    return [{ code, message }];
  }
}
