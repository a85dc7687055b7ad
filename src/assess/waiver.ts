import { isAtLeast, type Risk } from "../core/risk.ts";
import { DAY_MS, type EpochMs, epochFromIso, isoDateFromEpoch } from "../core/time.ts";
import type { Waiver } from "../schema/waivers.ts";
import type { AssessedCheck } from "./assessment.ts";
import type { CheckWaiver } from "./over-time.ts";
import { isOpenGap } from "./totals.ts";

/** No risk is accepted for longer without a new look, and a high one not for as long. */
const MAX_WAIVER_DAYS = 365;
const MAX_HIGH_RISK_WAIVER_DAYS = 90;

/** A waiver as the file has it, and whether a human agreed to exactly that. */
export interface KnownWaiver extends Waiver {
  readonly isConfirmed: boolean;
}

/** The checks with the waivers that are meant for them. Status and evidence stay as they were measured. */
export function waiveChecks(
  checks: readonly AssessedCheck[],
  waivers: readonly KnownWaiver[],
  host: string,
  now: EpochMs,
): readonly AssessedCheck[] {
  return checks.map((check) => {
    if (!isOpenGap(check.status)) return check;
    const judged = waivers
      .filter((waiver) => waiver.check_id === check.check_id && waiver.target === host)
      .map((waiver) => judgeWaiver(waiver, check.risk, now))
      .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.expires < b.expires ? 1 : -1));
    return judged[0] === undefined ? check : { ...check, waiver: judged[0] };
  });
}

const ORDER: readonly CheckWaiver["state"][] = ["active", "unconfirmed", "expired"];

/** What a waiver is worth for a gap of this risk: a risk that rose since shortens it. */
export function judgeWaiver(waiver: KnownWaiver, risk: Risk, now: EpochMs): CheckWaiver {
  const { id, reason, owner, approver, ticket, isConfirmed, ended } = waiver;
  const expires = lastDay(waiver, risk);
  const endsAt = ended === undefined ? dayEnd(expires) : (epochFromIso(ended) ?? 0);
  // One from the future is not in force yet, and a forged date would make it last longer.
  const isInForce = now < endsAt && (epochFromIso(waiver.created) ?? now + 1) <= now;
  const state = !isInForce ? "expired" : isConfirmed ? "active" : "unconfirmed";
  return { id, state, reason, owner, approver, expires, ...(ticket === undefined ? {} : { ticket }) };
}

/** The longest time a gap of this risk can be waived for, in days. */
export function longestWaiver(risk: Risk): number {
  return isAtLeast(risk, "high") ? MAX_HIGH_RISK_WAIVER_DAYS : MAX_WAIVER_DAYS;
}

function lastDay(waiver: Waiver, risk: Risk): string {
  const created = epochFromIso(waiver.created.slice(0, 10)) ?? 0;
  const longest = isoDateFromEpoch(created + longestWaiver(risk) * DAY_MS);
  return waiver.expires < longest ? waiver.expires : longest;
}

function dayEnd(date: string): EpochMs {
  return (epochFromIso(date) ?? 0) + DAY_MS;
}
