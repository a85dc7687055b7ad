import type { AuditEvent, AuditSubject } from "../audit/audit-event.ts";
import type {
  ApprovalQuestion,
  Approver,
  ClockReading,
  ContentsDigest,
  ElevationRequest,
  RequestDigest,
  ResolvedCommand,
  RunOutcome,
  SessionIdentity,
} from "../core/elevation.ts";
import { asSecurityError } from "../core/error.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";
import type { AcceptedKinds, Approval, LateAnswer } from "../grant/approval.ts";
import { type AskDeps, askOnce } from "../grant/ask.ts";
import { contentsDigest, requestDigest, type Sha256Hex } from "../grant/digest.ts";
import { expiresAt, type Grant } from "../grant/grant.ts";
import type { GrantStore } from "../grant/grant-store.ts";
import type { RateLedger } from "../grant/rate-ledger.ts";
import { parseElevationRequest, parseRunRequest, type RequestDefaults } from "../schema/elevation-request.ts";
import { exitedEvent, intentEvent, requestEvent } from "./elevation-record.ts";

/** The policy as it is at this moment; read anew for every decision, so that an edit counts at once. */
export interface PolicyNow {
  /** Over the bytes of all policy files that decide; part of what is approved. */
  readonly sha256: string;
  readonly decide: (resolved: ResolvedCommand) => PolicyAnswer;
  /** The prompt policy asks for a confirmation of its own where content is untrusted. */
  readonly confirmsUntrusted: boolean;
}

/** `permit` only means that a human may be asked. */
export type PolicyAnswer =
  | { readonly kind: "permit"; readonly ruleId: string | null; readonly risks: readonly string[] }
  | { readonly kind: "deny"; readonly ruleId: string | null; readonly refusal: Refusal };

/** Every effect of a privileged action. Each refuses or throws rather than let something pass. */
export interface ElevateDeps extends Omit<AskDeps, "onLate"> {
  readonly defaults: RequestDefaults;
  /** How long a question waits for its answer. */
  readonly questionMs: number;
  /** Missing session, user namespace, no_new_privs, debugger, unusable sudo: anything that rules elevation out here. */
  readonly checkHost: (session: SessionIdentity) => Promise<Refusal | null>;
  readonly resolveCommand: (request: ElevationRequest) => Promise<ResolvedCommand | Refusal>;
  readonly recheckCommand: (resolved: ResolvedCommand) => Promise<Refusal | null>;
  /** Asks sudo, without running anything, whether it would run this without a password. */
  readonly preflightSudo: (resolved: ResolvedCommand) => Promise<Refusal | null>;
  readonly loadPolicy: () => Promise<PolicyNow | Refusal>;
  readonly isUntrusted: (session: SessionIdentity) => boolean;
  readonly approver: Approver;
  readonly accept: AcceptedKinds;
  readonly grants: GrantStore;
  readonly ledger: RateLedger;
  /** Told of each new grant and what it is for, before anything can use it. */
  readonly onGrant: (grant: Grant, resolved: ResolvedCommand) => void;
  /** Durable when it resolves; when it throws, nothing runs. */
  readonly record: (event: AuditEvent) => Promise<{ readonly seq: number }>;
  readonly run: (resolved: ResolvedCommand) => Promise<RunOutcome>;
  readonly readClocks: () => ClockReading;
  readonly bootId: string;
  readonly sha256Hex: Sha256Hex;
  /** Unguessable and new each time. */
  readonly newId: () => string;
  readonly signal: AbortSignal;
}

/** What a request has become so far; names it in the record and in the answer. */
export interface Trail extends AuditSubject {
  readonly digest: RequestDigest | null;
}

export type ElevationAnswer =
  | { readonly kind: "granted"; readonly grant: Grant; readonly expiresAt: EpochMs }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly trail: Trail };

export type RunAnswer =
  | {
      readonly kind: "ran";
      readonly outcome: RunOutcome;
      readonly trail: Trail;
      readonly seq: number;
      /** False: the outcome could not be recorded; the log will say that it is not known. */
      readonly isRecorded: boolean;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly trail: Trail };

/** A request with everything pinned down and nothing decided by a human yet. */
interface Plan {
  readonly request: ElevationRequest;
  readonly resolved: ResolvedCommand;
  readonly session: SessionIdentity;
  readonly policy: PolicyNow;
  readonly risks: readonly string[];
  readonly contents: ContentsDigest;
  readonly requestId: string;
  readonly digest: RequestDigest;
}

/** Asks a human for one command. A yes makes a grant for exactly that; nothing runs. */
export async function requestElevation(
  deps: ElevateDeps,
  raw: unknown,
  session: SessionIdentity,
): Promise<ElevationAnswer> {
  const steps = startSteps(deps, session);
  try {
    const request = steps.need(parseElevationRequest(raw, deps.defaults));
    const plan = await planCommand(deps, steps, request, session);
    const grant = await obtainGrant(deps, steps, plan);
    return { kind: "granted", grant, expiresAt: expiresAt(grant) };
  } catch (thrown) {
    return await steps.refused(thrown);
  }
}

/**
 * The life of a privileged action, in order. Whatever refuses or throws on the way ends it; there
 * is no other way to the spawn than through this function.
 */
export async function runPrivileged(deps: ElevateDeps, raw: unknown, session: SessionIdentity): Promise<RunAnswer> {
  const steps = startSteps(deps, session);
  try {
    const { request, grantId, isFresh } = steps.need(parseRunRequest(raw, deps.defaults));
    const plan = await planCommand(deps, steps, request, session);
    const held = grantId ?? (isFresh ? (await obtainGrant(deps, steps, plan)).id : await holdGrant(deps, steps, plan));
    const endRun = steps.need(deps.ledger.startRun(plan.requestId, session.session, plan.contents));
    try {
      const { contents } = plan;
      const grant = steps.need(deps.grants.consume({ contents, session, grantId: held }));
      const intent = await recordIntent(deps, steps, plan, grant);
      await recheck(deps, steps, plan, intent.seq);
      steps.at("run");
      const outcome = await deps.run(plan.resolved);
      const isRecorded = await recordOutcome(deps, steps, intent.seq, outcome);
      return { kind: "ran", outcome, trail: steps.trail(), seq: intent.seq, isRecorded };
    } finally {
      endRun();
    }
  } catch (thrown) {
    return await steps.refused(thrown);
  }
}

/** Resolve and decide: what can say no whether or not somebody said yes before. */
async function planCommand(
  deps: ElevateDeps,
  steps: Steps,
  request: ElevationRequest,
  session: SessionIdentity,
): Promise<Plan> {
  const requestId = deps.newId();
  steps.at("request", { requestId });
  await deps.record(requestEvent(steps.trail(), request));
  steps.allow(await deps.checkHost(session));
  const resolved = steps.need(await deps.resolveCommand(request));
  const policy = steps.need(await deps.loadPolicy());
  const contents = contentsDigest(resolved, session, policy.sha256, deps.bootId, deps.sha256Hex);
  const digest = requestDigest(contents, requestId, deps.newId(), deps.sha256Hex);
  steps.at("policy", { digest });
  const verdict = policy.decide(resolved);
  const { kind, ruleId } = verdict;
  await deps.record({ ...steps.trail(), event: "policy-verdict", verdict: kind, ruleId, policySha256: policy.sha256 });
  if (verdict.kind !== "permit") throw new Refused(verdict.refusal);
  return { request, resolved, session, policy, risks: verdict.risks, contents, requestId, digest };
}

/** Makes sure that there is a grant for this: one the session still holds, or a new one by asking. Null: any that fits. */
async function holdGrant(deps: ElevateDeps, steps: Steps, plan: Plan): Promise<Grant["id"] | null> {
  const { contents, session } = plan;
  const isHeld = deps.grants
    .list()
    .some((grant) => grant.contents === contents && grant.session.session === session.session);
  return isHeld ? null : (await obtainGrant(deps, steps, plan)).id;
}

/** Asks a human, always: a permit of the policy is no yes. */
async function obtainGrant(deps: ElevateDeps, steps: Steps, plan: Plan): Promise<Grant> {
  const { contents, digest, requestId, session, request } = plan;
  if (request.isNonInteractive) throw new Refused(refuse("non-interactive", "the call may not wait for a human"));
  // Before a human is troubled. On a grant that is held nobody is, and sudo itself judges the run in any case.
  steps.allow(await deps.preflightSudo(plan.resolved));
  const endQuestion = steps.need(deps.ledger.startRequest(requestId, session.session, contents));
  const question: ApprovalQuestion = {
    requestId,
    digest,
    contents,
    command: plan.resolved,
    session,
    risks: plan.risks,
    isUntrusted: plan.policy.confirmsUntrusted && deps.isUntrusted(session),
    asksToKeep: request.keepSession,
    expiresAt: deps.now() + deps.questionMs,
  };
  steps.at("approval");
  let answer: Approval | Refusal = refuse("approval-invalid", "the question was not finished");
  try {
    const trail = steps.trail();
    const onLate = (late: LateAnswer): void => void recordLate(deps, trail, late);
    answer = await askOnce({ ...deps, onLate }, deps.approver, question, deps.accept, deps.signal);
  } finally {
    endQuestion(answer.kind !== "approval" && answer.code !== "no-route");
  }
  // A no ends what the session still holds, also where it cannot be recorded: whoever refuses has stopped trusting it.
  if (answer.kind === "refused" && answer.code !== "no-route") deps.grants.dropSession(session.session, answer.code);
  await recordDecision(deps, steps, answer);
  if (answer.kind === "refused") throw new Refused(answer);
  return await openGrant(deps, steps, plan, answer);
}

/** The grant of a yes, recorded; one that cannot be recorded does not stay. */
async function openGrant(deps: ElevateDeps, steps: Steps, plan: Plan, yes: Approval): Promise<Grant> {
  const { contents, session } = plan;
  try {
    const grant = steps.need(deps.grants.open(yes, contents, session));
    await deps.record({
      ...steps.trail(),
      event: "granted",
      grantId: grant.id,
      contents,
      keep: grant.isKept,
      expiresAt: expiresAt(grant),
    });
    deps.onGrant(grant, plan.resolved);
    return grant;
  } catch (thrown) {
    deps.grants.dropSession(session.session, "internal-error");
    throw thrown;
  }
}

async function recordDecision(deps: ElevateDeps, steps: Steps, answer: Approval | Refusal): Promise<void> {
  const isYes = answer.kind === "approval";
  await deps.record({
    ...steps.trail(),
    event: "decision",
    approver: deps.approver.name,
    decision: isYes ? "allow-once" : "deny",
    by: isYes ? answer.by : { kind: "none", id: deps.approver.name },
    code: isYes ? null : answer.code,
    keep: isYes && answer.keep,
  });
}

/** Nothing waits for it, and nothing hangs on it: a log that cannot be written refuses the next action. */
async function recordLate(deps: ElevateDeps, trail: Trail, { decision, by }: LateAnswer): Promise<void> {
  try {
    await deps.record({ ...trail, event: "late-decision", approver: deps.approver.name, decision, by });
  } catch {
    // The question was answered with a no long ago, and that was recorded.
  }
}

async function recordIntent(deps: ElevateDeps, steps: Steps, plan: Plan, grant: Grant): Promise<{ seq: number }> {
  steps.at("intent");
  return await deps.record(intentEvent(steps.trail(), plan.resolved, plan.contents, grant.id, deps.sha256Hex));
}

/** Directly before the spawn. A no here ends the intent: it is known that nothing ran. */
async function recheck(deps: ElevateDeps, steps: Steps, plan: Plan, intentSeq: number): Promise<void> {
  try {
    await recheckAll(deps, steps, plan);
  } catch (thrown) {
    const message = "a check before the start refused";
    await recordOutcome(deps, steps, intentSeq, { kind: "spawn-failed", errno: "not-started", message });
    steps.at("recheck");
    throw thrown;
  }
}

/** The host, the policy and everything the command refers to, once more. */
async function recheckAll(deps: ElevateDeps, steps: Steps, plan: Plan): Promise<void> {
  steps.at("recheck");
  steps.allow(await deps.checkHost(plan.session));
  const policy = steps.need(await deps.loadPolicy());
  if (policy.sha256 !== plan.policy.sha256) {
    deps.grants.dropAll("policy-changed");
    throw new Refused(refuse("policy-changed", "the policy is not the one that was asked under"));
  }
  // The same policy may decide otherwise by now: its rules can expire.
  const verdict = policy.decide(plan.resolved);
  if (verdict.kind !== "permit") throw new Refused(verdict.refusal);
  steps.allow(await deps.recheckCommand(plan.resolved));
}

/** What ran cannot be undone, so a failure here is told and not thrown. The next start closes the intent as unknown. */
async function recordOutcome(
  deps: ElevateDeps,
  steps: Steps,
  intentSeq: number,
  outcome: RunOutcome,
): Promise<boolean> {
  steps.at("outcome");
  try {
    await deps.record(exitedEvent(steps.trail(), intentSeq, outcome));
    return true;
  } catch {
    deps.grants.dropAll("audit-unavailable");
    return false;
  }
}

/** Leaves the steps of one action; caught in the functions above and nowhere else. */
class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

interface Steps {
  /** Names the step, for the record of a failure, and adds what is known by now. */
  at(step: string, known?: Partial<Pick<Trail, "requestId" | "digest">>): void;
  trail(): Trail;
  /** The value, unless it is a refusal. */
  need<T extends object>(value: T | Refusal): T;
  allow(refusal: Refusal | null): void;
  refused(thrown: unknown): Promise<{ kind: "refused"; refusal: Refusal; trail: Trail }>;
}

function startSteps(deps: ElevateDeps, session: SessionIdentity): Steps {
  let trail: Trail = { ...session, requestId: null, digest: null };
  let current = "parse";
  const record = async (event: AuditEvent): Promise<Refusal | null> => {
    try {
      await deps.record(event);
      return null;
    } catch (thrown) {
      const { code, message } = asSecurityError(thrown);
      return refuse(code === "audit-broken" ? "audit-broken" : "audit-unavailable", message);
    }
  };
  return {
    at: (step, known = {}) => {
      current = step;
      trail = { ...trail, ...known };
    },
    trail: () => trail,
    need: <T extends object>(value: T | Refusal): T => {
      if (isRefusal(value)) throw new Refused(value);
      return value;
    },
    allow: (refusal) => {
      if (refusal !== null) throw new Refused(refusal);
    },
    refused: async (thrown) => {
      if (thrown instanceof Refused) {
        const { refusal } = thrown;
        const { code, message } = refusal;
        const unrecorded = await record({ ...trail, event: "refused", code, message, argv: null });
        return { kind: "refused", refusal: unrecorded ?? refusal, trail };
      }
      const { code, message } = asSecurityError(thrown);
      const { requestId, digest, agent } = trail;
      const unrecorded = await record({
        event: "error",
        requestId,
        digest,
        session: trail.session,
        agent,
        step: current,
        code,
        message,
      });
      const isAudit = code === "audit-broken" || code === "audit-unavailable";
      const refusal = refuse(isAudit ? code : "internal-error", `step ${current} failed: ${message}`);
      return { kind: "refused", refusal: unrecorded ?? refusal, trail };
    },
  };
}

function isRefusal(value: object): value is Refusal {
  return "kind" in value && value.kind === "refused";
}
