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

/** A device that OpenClaw let in, as its database has it. Whoever can write that database can write any of it. */
export interface PairedDevice {
  readonly id: string;
  /** The owner's label, else what the device calls itself, else empty. */
  readonly name: string;
  readonly platform: string;
  /** Which of OpenClaw's programs it says it is, such as "openclaw-control-ui". */
  readonly client: string;
  /** ISO-8601. */
  readonly pairedAt: string;
  /** "silent": let in by itself over loopback; "owner": somebody approved it; others as OpenClaw names them. */
  readonly pairedVia: string;
  /** Address at pairing; null for this machine. */
  readonly from: string | null;
  /** May answer approvals at all. */
  readonly canApprove: boolean;
  /** Its private key lies in OpenClaw's database on this machine, where the agent's tools find it. */
  readonly isKeyHere: boolean;
}
