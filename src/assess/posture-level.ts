import type { Evidence } from "../core/evidence.ts";
import type { PostureFacts } from "../core/posture-facts.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";

/**
 * L0: approvals bind this program only. L1: root also takes a password for each command. L2: the
 * agent's tools cannot reach sudo, the approvals or the gateway. L3: a broker of root's own.
 */
export type PostureLevel = "L0" | "L1" | "L2" | "L3";
export const POSTURE_LEVELS: readonly PostureLevel[] = ["L0", "L1", "L2", "L3"];

export interface PostureEvidence extends PostureFacts {
  readonly config: Evidence<OpenClawConfig>;
}

/** A system log is there to be told something. */
export function hasSystemLog(anchor: PostureFacts["anchor"]): boolean {
  return anchor.kind === "measured" && anchor.value !== null;
}
