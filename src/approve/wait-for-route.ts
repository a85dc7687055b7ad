import { setTimeout as sleep } from "node:timers/promises";
import type { Approver } from "../core/elevation.ts";
import type { EpochMs } from "../core/time.ts";

const LOOK_EVERY_MS = 1_000;

/**
 * An approver for owners who want an unattended call to wait for them: it always takes the
 * question, looks for somebody to put it to until it expires, and is in all else the one it wraps.
 */
export function waitForRoute(approver: Approver, now: () => EpochMs): Approver {
  return {
    name: approver.name,
    hasRoute: async () => true,
    ask: async (question, signal) => {
      while (!(await approver.hasRoute())) {
        if (signal.aborted || now() + LOOK_EVERY_MS >= question.expiresAt) {
          return { kind: "deny", by: { kind: "none", id: approver.name }, at: now(), code: "no-route" };
        }
        // Rejects on abort, which is a no as well.
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
      return await approver.ask(question, signal);
    },
  };
}
