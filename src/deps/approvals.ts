import { hash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { confirmToken, type ConfirmationDesk } from "../approve/confirm-token.ts";
import { createGatewayApprover } from "../approve/gateway.ts";
import { createGatewayAsker } from "../approve/gateway-asker.ts";
import type { LateDecisionEvent } from "../audit/audit-event.ts";
import type { ApprovalsClient } from "../core/approvals-client.ts";
import type { ApproverRules, EnrolledApprover } from "../core/approvers.ts";
import type { Approver } from "../core/elevation.ts";
import { SecurityError } from "../core/error.ts";
import type { GatewayAsker } from "../core/gateway-question.ts";
import { closeConfirmation, openConfirmation, takeProof } from "../state/confirmation-desk.ts";
import { loadApprovers } from "./approvers.ts";
import { confirmationFolder } from "./confirm.ts";
import type { Effects } from "./effects.ts";

export interface GatewayApprovals {
  readonly asker: GatewayAsker;
  readonly approver: Approver;
  /** Titles of the questions that wait for an answer. */
  pending(): Promise<readonly string[]>;
}

export interface GatewayApprovalsOptions {
  readonly client: ApprovalsClient;
  readonly rules: ApproverRules;
  /** The approval token the owner configured; null: none. */
  readonly token: string | null;
  /** Where late decisions are recorded. */
  readonly record: (event: LateDecisionEvent) => Promise<unknown>;
}

/** Asking people through the gateway, over the plugin's client of its approvals. */
export function createGatewayApprovals(effects: Effects, options: GatewayApprovalsOptions): GatewayApprovals {
  const { now, env } = effects;
  const asker = createGatewayAsker({
    client: options.client,
    rules: options.rules,
    loadEnrolled: createLoader(effects),
    now,
    noteLate: ({ session }, decision) => {
      const event = { ...session, requestId: null, digest: null, event: "late-decision", approver: "gateway" } as const;
      // It has no effect either way; a log that cannot be written refuses the next action.
      options.record({ ...event, decision, by: null }).catch(() => undefined);
    },
    waitsForRoute: env["OPENCLAW_ALLOW_NONINTERACTIVE_SUDO"] === "1",
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, { signal });
    },
  });
  const { token } = options;
  const desk = confirmationDesk(confirmationFolder(effects));
  const approver = createGatewayApprover({
    asker,
    now,
    sha256Hex: (data) => hash("sha256", data, "hex"),
    confirmToken:
      token === null ? null : async (confirmation, signal) => await confirmToken(desk, token, confirmation, signal),
  });
  return {
    asker,
    approver,
    pending: async () => asker.pending(),
  };
}

function confirmationDesk(folder: string): ConfirmationDesk {
  return {
    open: async (confirmation) => await openConfirmation(folder, confirmation),
    takeProof: async (id, signal) => await takeProof(folder, id, signal),
    close: async (id) => await closeConfirmation(folder, id),
  };
}

/** The enrolled, read anew each time. Once root's file was seen here, one of the account's own does not replace it. */
function createLoader(effects: Effects): () => Promise<readonly EnrolledApprover[]> {
  let wasSealed = false;
  return async () => {
    const { approvers, isSealed } = await loadApprovers(effects);
    if (wasSealed && !isSealed) {
      throw new SecurityError("approvers-invalid", "The list of approvers was root's and is not any more", {
        hint: "Look at who replaced it; restart the gateway to go on with the new one.",
      });
    }
    wasSealed = isSealed;
    return approvers;
  };
}
