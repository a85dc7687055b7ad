import { hash, timingSafeEqual } from "node:crypto";
import type { Confirmation } from "../core/confirmation.ts";
import type { RefusalCode } from "../core/refusal.ts";
import { tokenProof } from "./token-proof.ts";

/** Where waiting confirmations lie until somebody types the token for them. */
export interface ConfirmationDesk {
  /** @throws when one of the same id waits already */
  open(confirmation: Confirmation): Promise<void>;
  /** What somebody put there, once; null when the signal fires first. */
  takeProof(id: string, signal: AbortSignal): Promise<string | null>;
  close(id: string): Promise<void>;
}

const TRIES = 3;

/**
 * Completes a yes by the owner's token, which is typed elsewhere and never comes here: what comes is a
 * proof bound to the text of this question.
 */
export async function confirmToken(
  desk: ConfirmationDesk,
  token: string,
  confirmation: Confirmation,
  signal: AbortSignal,
): Promise<"yes" | RefusalCode> {
  const wanted = await tokenProof(token, confirmation);
  await desk.open(confirmation);
  try {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const proof = await desk.takeProof(confirmation.id, signal);
      if (proof === null) return "approval-expired";
      if (token !== "" && isSame(proof, wanted)) return "yes";
    }
    return "token-wrong";
  } finally {
    await desk.close(confirmation.id);
  }
}

function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(hash("sha256", given, "buffer"), hash("sha256", wanted, "buffer"));
}
