/**
 * How far approvals can be relied on here, as a level that never claims more than was measured: what
 * could not be looked at counts as not holding.
 */
import { compareRisk, type Risk } from "../core/risk.ts";
import { ACCOUNT_CONDITIONS } from "./account-conditions.ts";
import { GATEWAY_CONDITIONS } from "./gateway-conditions.ts";
import { claimsAt } from "./posture-claims.ts";
import { POSTURE_LEVELS, type PostureEvidence, type PostureLevel } from "./posture-level.ts";
import type { Step } from "./posture-steps.ts";

export interface PostureReason {
  readonly id: string;
  /** Levels that this keeps the machine from; empty for a weakness that no level hangs on. */
  readonly blocks: readonly PostureLevel[];
  readonly risk: Risk;
  /** False: it could not be looked at, which counts as not holding. */
  readonly measured: boolean;
  readonly said: string;
  readonly source: string;
}

export interface NextStep {
  readonly level: PostureLevel;
  readonly steps: readonly Step[];
  /** What would hold then that does not now. */
  readonly gains: readonly string[];
}

export interface Posture {
  readonly level: PostureLevel;
  readonly title: string;
  /** Worst first; at the same risk what was seen comes before what could not be. */
  readonly reasons: readonly PostureReason[];
  readonly holds: readonly { readonly id: string; readonly said: string }[];
  readonly guaranteed: readonly string[];
  readonly not_guaranteed: readonly string[];
  /** Null at the highest level. */
  readonly next: NextStep | null;
}

const TITLES: Readonly<Record<PostureLevel, string>> = {
  L0: "advisory: approvals bind this program, not the account it runs as",
  L1: "root takes a password for each command",
  L2: "the agent's tools cannot reach sudo, the approvals or the gateway",
  L3: "a broker of root's own decides, by a key that is kept elsewhere",
};

/** Total: every piece of evidence may be missing. */
export function assessPosture(evidence: PostureEvidence): Posture {
  const judged = [...ACCOUNT_CONDITIONS, ...GATEWAY_CONDITIONS].map((condition) => ({
    condition,
    judgement: condition.judge(evidence),
  }));
  const unmet = judged.flatMap(({ condition, judgement }) =>
    judgement.kind === "holds" ? [] : [{ condition, judgement }],
  );
  // A level stands on its own conditions: L2 keeps the tools from sudo, whether or not it asks for a password.
  const blocked = (level: PostureLevel): boolean => unmet.some(({ condition }) => condition.levels.includes(level));
  const level = POSTURE_LEVELS.findLast((each) => !blocked(each)) ?? "L0";
  const next = POSTURE_LEVELS[POSTURE_LEVELS.indexOf(level) + 1];
  const claims = claimsAt(level, evidence);
  const reasons = unmet.map(({ condition, judgement }): PostureReason => {
    const { id, levels: blocks, risk } = condition;
    return { id, blocks, risk, measured: judgement.kind === "weak", said: judgement.said, source: judgement.source };
  });
  return {
    level,
    title: TITLES[level],
    reasons: reasons.toSorted((a, b) => compareRisk(a.risk, b.risk) || Number(b.measured) - Number(a.measured)),
    holds: judged.flatMap(({ condition, judgement }) =>
      judgement.kind === "holds" ? [{ id: condition.id, said: judgement.said }] : [],
    ),
    ...claims,
    next:
      next === undefined
        ? null
        : {
            level: next,
            steps: unmet
              .filter(({ condition }) => condition.levels.includes(next))
              .flatMap(({ judgement }) => judgement.steps),
            gains: claimsAt(next, evidence).guaranteed.filter((claim) => !claims.guaranteed.includes(claim)),
          },
  };
}
