import type { ApproverIdentity, SessionIdentity } from "./elevation.ts";
import type { RefusalCode } from "./refusal.ts";
import type { EpochMs } from "./time.ts";

/** What people are shown through the gateway's approvals. It must fit: the host rejects what is longer. */
export interface GatewayQuestion {
  /** At most 80 UTF-16 code units. */
  readonly title: string;
  /** At most 512; everything that matters must be in here, because it alone reaches every surface. */
  readonly description: string;
  /** At most 16,384; adds to the description where the surface shows it. */
  readonly detail: string | null;
  readonly severity: "info" | "warning" | "critical";
  readonly session: SessionIdentity;
  readonly expiresAt: EpochMs;
}

/** What came back, with who decided as the gateway's own record names it; nothing is judged yet. */
export type GatewayDecision =
  | { readonly kind: "allow-once"; readonly by: ApproverIdentity; readonly at: EpochMs }
  | { readonly kind: "deny"; readonly by: ApproverIdentity; readonly at: EpochMs; readonly code: RefusalCode };

/** Asks through the gateway. What elevation and the gate of shell commands have in common. */
export interface GatewayAsker {
  /** False: nobody can be asked now. */
  hasRoute(): Promise<boolean>;
  /** Settles by `expiresAt` or on abort; whatever it throws is a denial. */
  ask(question: GatewayQuestion, signal: AbortSignal): Promise<GatewayDecision>;
}
