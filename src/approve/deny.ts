import type { Approver } from "../core/elevation.ts";
import type { EpochMs } from "../core/time.ts";

/** The approver where no other was set up: nobody can be asked, so the answer is no. */
export function createDenyApprover(now: () => EpochMs): Approver {
  return {
    name: "deny",
    hasRoute: async () => false,
    ask: async () => ({ kind: "deny", by: { kind: "none", id: "deny" }, at: now(), code: "no-route" }),
  };
}
