import type { ApprovalsClient } from "../core/approvals-client.ts";
import type { ApproverRules, EnrolledApprover } from "../core/approvers.ts";
import type { ApproverIdentity } from "../core/elevation.ts";
import type { GatewayAsker, GatewayDecision, GatewayQuestion } from "../core/gateway-question.ts";
import type { RefusalCode } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";
import { judgeResolver } from "../grant/resolver.ts";
import { readDecision, readRequestAnswer, readResolver } from "../schema/gateway-approval.ts";

export interface GatewayAskerDeps {
  readonly client: ApprovalsClient;
  readonly rules: ApproverRules;
  /** Read anew for each answer. Throws when the list cannot be trusted: then nobody's yes counts. */
  readonly loadEnrolled: () => Promise<readonly EnrolledApprover[]>;
  readonly now: () => EpochMs;
  /** A decision that came after the question was given up. It has no effect. */
  readonly noteLate: (question: GatewayQuestion, decision: string) => void;
  /** A question that nobody can be asked waits for somebody until it expires, instead of ending at once. */
  readonly waitsForRoute: boolean;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface OpenGatewayAsker extends GatewayAsker {
  /** Titles of the questions that wait for an answer. */
  pending(): readonly string[];
}

/** The host takes no longer ones. */
const MAX_WAIT_MS = 600_000;
const ROUTE_RETRY_MS = 3_000;
const NOBODY: ApproverIdentity = { kind: "none", id: "gateway" };

/**
 * Asks through the gateway's approvals and says whose answer it was. A yes counts only when the
 * gateway's own record of that very question names a resolver who may say yes here: the agent holds the
 * gateway's token, with which it can answer its own questions.
 */
export function createGatewayAsker(deps: GatewayAskerDeps): OpenGatewayAsker {
  const open = new Set<GatewayQuestion>();
  return {
    pending: () => [...open].map(({ title }) => title),
    hasRoute: async () => deps.client.isConnected(),
    ask: async (question, signal) => {
      const remainingMs = Math.min(question.expiresAt - deps.now(), MAX_WAIT_MS);
      if (signal.aborted || !(remainingMs > 0)) return deny(deps, "approval-expired");
      const end = new AbortController();
      // Aborted by the caller, by the clock, or when everything is over.
      const ends = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(remainingMs)), end.signal]);
      open.add(question);
      try {
        return await Promise.race([onceAborted(deps, ends), askUntilAnswered(deps, question, ends)]);
      } catch {
        // The host's errors may carry any text; what failed is in its own log.
        return deny(deps, "approval-invalid");
      } finally {
        open.delete(question);
        end.abort();
      }
    },
  };
}

async function askUntilAnswered(
  deps: GatewayAskerDeps,
  question: GatewayQuestion,
  ends: AbortSignal,
): Promise<GatewayDecision> {
  for (;;) {
    const decision = await askHost(deps, question, ends);
    const isRouteless = decision.kind === "deny" && decision.code === "no-route";
    if (!isRouteless || !deps.waitsForRoute || ends.aborted) return decision;
    await deps.sleep(ROUTE_RETRY_MS, ends);
  }
}

async function askHost(deps: GatewayAskerDeps, question: GatewayQuestion, ends: AbortSignal): Promise<GatewayDecision> {
  const { client, now } = deps;
  if (!client.isConnected()) return deny(deps, "no-route");
  const enrolled = await loadOrNull(deps);
  if (enrolled === null) return deny(deps, "approvers-broken");
  const reviewers = enrolled.flatMap(({ kind, id }) => (kind === "device" ? [id] : []));
  const timeoutMs = Math.ceil(Math.min(question.expiresAt - now(), MAX_WAIT_MS));
  if (!(timeoutMs > 0)) return deny(deps, "approval-expired");
  const asked = readRequestAnswer(await client.request(question, { timeoutMs, reviewers }));
  if (asked.kind === "no-route") return deny(deps, "no-route");
  if (asked.kind === "odd") return deny(deps, "approval-invalid");
  // Whoever gave up while it was going out leaves nothing behind that could still be answered.
  const withdraw = (): void => {
    client.withdraw(asked.id).catch(() => undefined);
  };
  if (ends.aborted) {
    withdraw();
    return deny(deps, "approval-expired");
  }
  ends.addEventListener("abort", withdraw, { once: true });
  try {
    const decision = readDecision(await client.waitDecision(asked.id), asked.id);
    if (ends.aborted) {
      if (decision === "allow-once") deps.noteLate(question, decision);
      return deny(deps, "approval-expired");
    }
    return await judge(deps, asked.id, decision);
  } finally {
    ends.removeEventListener("abort", withdraw);
  }
}

async function judge(
  deps: GatewayAskerDeps,
  id: string,
  decision: ReturnType<typeof readDecision>,
): Promise<GatewayDecision> {
  if (decision === "undecided") return deny(deps, "approval-expired");
  if (decision === "odd") return deny(deps, "approval-invalid");
  const by = readResolver(await deps.client.history(), id, decision) ?? NOBODY;
  if (decision === "deny") return deny(deps, "denied", by);
  // Somebody may have been enrolled or revoked while the question was open.
  const enrolled = await loadOrNull(deps);
  if (enrolled === null) return deny(deps, "approvers-broken", by);
  const code = judgeResolver(by, deps.rules, enrolled);
  return code === null ? { kind: "allow-once", by, at: deps.now() } : deny(deps, code, by);
}

async function loadOrNull({ loadEnrolled }: GatewayAskerDeps): Promise<readonly EnrolledApprover[] | null> {
  try {
    return await loadEnrolled();
  } catch {
    // `cse approvers list` names what is wrong with it.
    return null;
  }
}

async function onceAborted(deps: GatewayAskerDeps, ends: AbortSignal): Promise<GatewayDecision> {
  if (!ends.aborted) {
    await new Promise((done) => ends.addEventListener("abort", done, { once: true }));
  }
  return deny(deps, "approval-expired");
}

function deny({ now }: GatewayAskerDeps, code: RefusalCode, by: ApproverIdentity = NOBODY): GatewayDecision {
  return { kind: "deny", by, at: now(), code };
}
