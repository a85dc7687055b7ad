import type { ApprovalQuestion, Approver } from "../core/elevation.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";
import { type AcceptedKinds, type Approval, checkAnswer, type LateAnswer, lateAnswer } from "./approval.ts";
import type { SetTimer } from "./grant-store.ts";

export interface AskDeps {
  readonly now: () => EpochMs;
  readonly setTimer: SetTimer;
  /** Told of an answer that came too late to count. Must not throw. */
  readonly onLate: (late: LateAnswer) => void;
}

/** No question stays open longer, whatever its `expiresAt` says. */
export const MAX_QUESTION_MS = 600_000;

/**
 * Asks once and settles in time, whatever the approver does: a throw, a promise that never ends, a
 * late answer and an abort are refusals. An answer that arrives after this has settled changes
 * nothing any more; `onLate` is told of it.
 */
export async function askOnce(
  deps: AskDeps,
  approver: Approver,
  question: ApprovalQuestion,
  accept: AcceptedKinds,
  signal: AbortSignal,
): Promise<Approval | Refusal> {
  const remainingMs = question.expiresAt - deps.now();
  if (signal.aborted || !(remainingMs > 0)) return refuse("approval-expired", "the question had already expired");
  const ended = new AbortController();
  const { promise: tooLate, resolve: end } = Promise.withResolvers<Refusal>();
  const onAbort = (): void => end(refuse("approval-expired", "the question was withdrawn"));
  signal.addEventListener("abort", onAbort, { once: true });
  const cancel = deps.setTimer(
    () => end(refuse("approval-expired", "nobody answered in time")),
    Math.min(remainingMs, MAX_QUESTION_MS),
  );
  try {
    return await Promise.race([tooLate, askApprover(deps, approver, question, accept, ended.signal)]);
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
    // Tells the approver to take its question away.
    ended.abort();
  }
}

async function askApprover(
  deps: AskDeps,
  approver: Approver,
  question: ApprovalQuestion,
  accept: AcceptedKinds,
  signal: AbortSignal,
): Promise<Approval | Refusal> {
  try {
    const hasRoute: unknown = await approver.hasRoute();
    if (hasRoute !== true) return refuse("no-route", "there is nobody to ask");
    // The route may have been looked for until after the end; nobody is asked then.
    if (signal.aborted) return refuse("approval-expired", "the question was withdrawn");
    const answer: unknown = await approver.ask(question, signal);
    const verdict = checkAnswer(answer, question, accept, deps.now());
    if (signal.aborted || (verdict.kind === "refused" && verdict.code === "approval-expired")) {
      const late = lateAnswer(answer);
      if (late !== null) deps.onLate(late);
    }
    return verdict;
  } catch {
    // Whatever an approver throws is a no; its text may come from outside and is not repeated.
    return refuse("approval-invalid", "the approver failed");
  }
}
