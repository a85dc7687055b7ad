import type { GatewayQuestion } from "./gateway-question.ts";

/**
 * What a plugin may do with the gateway's approvals. Answers are given as they came: they crossed a
 * socket, and whoever reads them checks them.
 */
export interface ApprovalsClient {
  /** The gateway let it in and the connection stands. */
  isConnected(): boolean;
  /** Puts the question before whoever can answer; settles when it is out, or when there is nobody. */
  request(question: GatewayQuestion, options: { timeoutMs: number; reviewers: readonly string[] }): Promise<unknown>;
  /** Settles with the decision, also of no decision in time. */
  waitDecision(id: string): Promise<unknown>;
  /** The last approvals that came to an end, newest first, with who ended them. */
  history(): Promise<unknown>;
  /** Takes the question away, as a denial. */
  withdraw(id: string): Promise<void>;
}
