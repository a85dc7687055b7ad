/**
 * How much it took to enrol an approver. `password`: root wrote the entry, after sudo took a password
 * that the account alone does not give. `none`: nothing more than what any process of the account can do.
 */
export type EnrolmentProof = "password" | "none";

/** An approver whose yes counts. */
export interface EnrolledApprover {
  readonly kind: "device" | "channel";
  /** Of a device the hash of its key; of a channel `channel:account`. */
  readonly id: string;
  /** What the owner calls it. */
  readonly name: string;
  /** ISO-8601. */
  readonly enrolledAt: string;
  readonly proof: EnrolmentProof;
}

/** Whose yes counts through the gateway. */
export interface ApproverRules {
  readonly accept: readonly ("device" | "channel")[];
  /** Whoever holds the gateway's token may say yes, the agent too. Never by default. */
  readonly allowRuntime: boolean;
}

export const DEFAULT_APPROVER_RULES: ApproverRules = { accept: ["device", "channel"], allowRuntime: false };
