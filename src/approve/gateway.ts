import type { Confirmation } from "../core/confirmation.ts";
import type { ApprovalAnswer, ApprovalQuestion, Approver } from "../core/elevation.ts";
import type { GatewayAsker, GatewayDecision, GatewayQuestion } from "../core/gateway-question.ts";
import type { RefusalCode } from "../core/refusal.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { digestPrefix, type Sha256Hex } from "../grant/digest.ts";
import { GATEWAY_LIMITS, renderQuestion } from "../grant/question-text.ts";

export interface GatewayApproverDeps {
  readonly asker: GatewayAsker;
  readonly now: () => EpochMs;
  readonly sha256Hex: Sha256Hex;
  /** Completes a yes by the owner's approval token; null: none is configured. */
  readonly confirmToken: ((confirmation: Confirmation, signal: AbortSignal) => Promise<"yes" | RefusalCode>) | null;
}

/** Whoever allowed the command is still looking; longer is a no to keeping it, not to the command. */
const KEEP_WAIT_MS = 120_000;
/** The answers must arrive before the whole question expires. */
const MARGIN_MS = 1_000;

/**
 * Asks people through the gateway. It offers only yes or no, so each thing to agree to is a question of
 * its own: that untrusted content may lead to this, the command, and keeping it.
 */
export function createGatewayApprover(deps: GatewayApproverDeps): Approver {
  return {
    name: "gateway",
    hasRoute: async () => await deps.asker.hasRoute(),
    ask: async (question, signal) => {
      if (question.isUntrusted) {
        const source = await askInWords(deps, sourceWords(question), question, signal);
        if (source.kind === "deny") {
          return { ...source, code: source.code === "denied" ? "untrusted-not-confirmed" : source.code };
        }
      }
      const yes = await askInWords(deps, commandWords(question, deps.confirmToken !== null), question, signal);
      if (yes.kind === "deny") return yes;
      const token = await confirmByToken(deps, question, signal);
      if (token !== "yes") return { ...deny(deps, token), by: yes.by };
      return { ...yes, keep: question.asksToKeep && (await asksToKeep(deps, question, signal)) };
    },
  };
}

/** Whoever types the token sees the same words again, in a terminal. */
async function confirmByToken(
  deps: GatewayApproverDeps,
  question: ApprovalQuestion,
  signal: AbortSignal,
): Promise<"yes" | RefusalCode> {
  if (deps.confirmToken === null) return "yes";
  const text = renderQuestion({ ...question, asksToKeep: false }, GATEWAY_LIMITS, deps.sha256Hex);
  if (text.kind === "refused") return text.code;
  const id = digestPrefix(question.digest);
  const confirmation = { id, title: text.title, lines: text.lines, expiresAt: isoFromEpoch(question.expiresAt) };
  return await deps.confirmToken(confirmation, signal);
}

interface Words {
  /** Null: the question's own. */
  readonly title: string | null;
  /** Stands before the question's own lines. */
  readonly first: readonly string[];
  readonly asksToKeep: boolean;
  readonly expiresAt: EpochMs;
}

function commandWords({ digest, expiresAt }: ApprovalQuestion, needsToken: boolean): Words {
  const first = needsToken ? [`After the yes, in a terminal: cse approvers confirm ${digestPrefix(digest)}`] : [];
  return { title: null, first, asksToKeep: false, expiresAt };
}

function sourceWords({ digest, expiresAt }: ApprovalQuestion): Words {
  return {
    title: `Untrusted source: did you check it? [${digestPrefix(digest)}]`,
    first: ["Question 1 of 2: may content from an untrusted source lead to this?"],
    asksToKeep: false,
    expiresAt,
  };
}

async function asksToKeep(
  deps: GatewayApproverDeps,
  question: ApprovalQuestion,
  signal: AbortSignal,
): Promise<boolean> {
  const words: Words = {
    title: `Allowed once. Also keep it? [${digestPrefix(question.digest)}]`,
    first: ["Deny: it runs this once."],
    asksToKeep: true,
    expiresAt: Math.min(question.expiresAt - MARGIN_MS, deps.now() + KEEP_WAIT_MS),
  };
  return (await askInWords(deps, words, question, signal)).kind === "allow-once";
}

/** Asks once; what does not fit is refused, for a yes to half a question is a yes to nothing. */
async function askInWords(
  deps: GatewayApproverDeps,
  words: Words,
  question: ApprovalQuestion,
  signal: AbortSignal,
): Promise<GatewayDecision> {
  const text = renderQuestion({ ...question, asksToKeep: words.asksToKeep }, GATEWAY_LIMITS, deps.sha256Hex);
  if (text.kind === "refused") return deny(deps, text.code);
  const description = [...words.first, ...text.lines].join("\n");
  const title = words.title ?? text.title;
  if (title.length > GATEWAY_LIMITS.titleMax || description.length > GATEWAY_LIMITS.textMax) {
    return deny(deps, "too-long-to-review");
  }
  const asked: GatewayQuestion = {
    title,
    description,
    detail: null,
    severity: question.risks.length > 0 || question.isUntrusted ? "critical" : "warning",
    session: question.session,
    expiresAt: words.expiresAt,
  };
  return await deps.asker.ask(asked, signal);
}

function deny({ now }: GatewayApproverDeps, code: RefusalCode): Extract<ApprovalAnswer, { kind: "deny" }> {
  return { kind: "deny", by: { kind: "none", id: "gateway" }, at: now(), code };
}
