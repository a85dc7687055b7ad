import { CHECKS } from "../assess/checks.ts";
import { judgeWaiver, type KnownWaiver, longestWaiver } from "../assess/waiver.ts";
import { SecurityError } from "../core/error.ts";
import type { Risk } from "../core/risk.ts";
import { clip, escapeControl } from "../core/text.ts";
import { DAY_MS, type EpochMs, isoDateFromEpoch, isoFromEpoch } from "../core/time.ts";
import type { AssessmentRun } from "../schema/assessment-history.ts";
import { issuesOf, type Waiver } from "../schema/waivers.ts";

export interface WaiverDeps {
  readonly now: () => EpochMs;
  readonly hostname: () => string;
  readonly newId: () => string;
  readonly loadWaivers: () => Promise<readonly KnownWaiver[]>;
  /** Reads, changes and writes in one step. */
  readonly changeWaivers: (change: (waivers: readonly KnownWaiver[]) => readonly KnownWaiver[]) => Promise<void>;
  readonly loadLastRun: () => Promise<AssessmentRun | null>;
  /** Shows these lines to a human and waits for the yes. */
  readonly confirm: (lines: readonly string[]) => Promise<"confirmed" | "refused" | "no-terminal">;
}

export interface WaiverWish {
  readonly checkId: string;
  readonly reason: string;
  readonly owner: string;
  readonly approver: string;
  /** ISO date; the last day. */
  readonly expires: string;
  readonly ticket?: string;
}

/** A waiver with what it is worth now. */
export interface WaiverRow extends Waiver {
  readonly state: "active" | "expired" | "unconfirmed" | "other-host" | "unknown-check";
  readonly title: string | null;
}

export interface WaiverReport {
  readonly schemaVersion: 1;
  readonly waivers: readonly WaiverRow[];
}

/**
 * Adds a waiver once a human has agreed to exactly that.
 * @throws {SecurityError} unknown-check, waiver-refused, not-a-terminal, and those of the file
 */
export async function addWaiver(deps: WaiverDeps, wish: WaiverWish): Promise<WaiverReport> {
  const now = deps.now();
  const { checkId, reason, owner, approver, expires, ticket } = wish;
  const meta = metaOf(checkId);
  if (meta === null) {
    throw new SecurityError("unknown-check", `There is no check "${clip(checkId, 80)}"`, {
      hint: "A waiver is for one check; `cse assess --json` lists their ids.",
    });
  }
  const waiver: Waiver = {
    id: deps.newId(),
    check_id: checkId,
    target: deps.hostname(),
    reason: reason.trim(),
    owner: owner.trim(),
    approver: approver.trim(),
    created: isoFromEpoch(now),
    expires,
    ...(ticket === undefined ? {} : { ticket }),
  };
  const known = await deps.loadWaivers();
  const run = await deps.loadLastRun();
  const risk = run?.checks.find((check) => check.check_id === checkId)?.risk ?? meta.default_risk;
  assertAcceptable(waiver, known, risk, now);
  await agree(deps, linesOf(waiver, meta.title, risk));
  await deps.changeWaivers((waivers) => [...waivers, { ...waiver, isConfirmed: true }]);
  return await listWaivers(deps);
}

/** All waivers with what they are worth now. */
export async function listWaivers(deps: WaiverDeps): Promise<WaiverReport> {
  const host = deps.hostname();
  const run = await deps.loadLastRun();
  const rows = (await deps.loadWaivers()).map((known): WaiverRow => {
    const { isConfirmed: _, ...waiver } = known;
    const meta = metaOf(waiver.check_id);
    if (meta === null) return { ...waiver, state: "unknown-check", title: null };
    const risk = run?.checks.find((check) => check.check_id === waiver.check_id)?.risk ?? meta.default_risk;
    const { state } = judgeWaiver(known, risk, deps.now());
    return { ...waiver, state: waiver.target === host ? state : "other-host", title: meta.title };
  });
  return { schemaVersion: 1, waivers: rows };
}

/**
 * Ends a waiver now. Its gap counts again with the next assessment; nobody needs to agree to that.
 * @throws {SecurityError} unknown-waiver, and those of the file
 */
export async function expireWaiver(deps: WaiverDeps, id: string): Promise<WaiverReport> {
  const ended = isoFromEpoch(deps.now());
  await deps.changeWaivers((waivers) => {
    find(waivers, id);
    return waivers.map((waiver) => (waiver.id === id && waiver.ended === undefined ? { ...waiver, ended } : waiver));
  });
  return await listWaivers(deps);
}

/**
 * Confirms a waiver that was written or changed by hand, once a human has agreed to what it says now.
 * @throws {SecurityError} unknown-waiver, waiver-refused, not-a-terminal, and those of the file
 */
export async function confirmWaiver(deps: WaiverDeps, id: string): Promise<WaiverReport> {
  const shown = find(await deps.loadWaivers(), id);
  const meta = metaOf(shown.check_id);
  const run = await deps.loadLastRun();
  const known = run?.checks.find((check) => check.check_id === shown.check_id)?.risk;
  const risk = known ?? meta?.default_risk ?? "high";
  await agree(deps, linesOf(shown, meta?.title ?? "a check that this version does not have", risk));
  await deps.changeWaivers((waivers) => {
    const { isConfirmed: _, ...now } = find(waivers, id);
    const { isConfirmed: __, ...then } = shown;
    // What is sealed is what was read, not what somebody made of it meanwhile.
    if (JSON.stringify(now) !== JSON.stringify(then)) {
      throw new SecurityError("waiver-refused", `The waiver ${id} was changed while it was being read`, {
        hint: "Look at it again.",
      });
    }
    return waivers.map((waiver) => (waiver.id === id ? { ...waiver, isConfirmed: true } : waiver));
  });
  return await listWaivers(deps);
}

function metaOf(checkId: string): { readonly title: string; readonly default_risk: Risk } | null {
  return CHECKS.find(({ meta }) => meta.check_id === checkId)?.meta ?? null;
}

function find(waivers: readonly KnownWaiver[], id: string): KnownWaiver {
  const found = waivers.find((waiver) => waiver.id === id);
  if (found !== undefined) return found;
  throw new SecurityError("unknown-waiver", `There is no waiver "${clip(id, 80)}"`, {
    hint: "`cse waiver list` shows their ids.",
  });
}

function assertAcceptable(waiver: Waiver, known: readonly Waiver[], risk: Risk, now: EpochMs): void {
  const first = issuesOf(waiver, known, "")[0];
  const last = isoDateFromEpoch(now + longestWaiver(risk) * DAY_MS);
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(waiver.expires);
  const isNamed = Math.min(waiver.owner.length, waiver.approver.length) >= 2;
  const obstacle =
    first?.message ??
    (isDate ? null : "Expected the end as a date, such as 2027-01-31") ??
    (isNamed ? null : "Expected the names of an owner and an approver") ??
    (waiver.expires <= last ? null : `Expected an end by ${last}: a ${risk} risk is accepted for no longer`);
  if (obstacle === null) return;
  throw new SecurityError("waiver-refused", `This waiver cannot be accepted: ${obstacle}`, {
    hint: "Nothing was changed.",
  });
}

async function agree(deps: WaiverDeps, lines: readonly string[]): Promise<void> {
  const answer = await deps.confirm(lines);
  if (answer === "confirmed") return;
  if (answer === "no-terminal") {
    throw new SecurityError("not-a-terminal", "A waiver needs a person at a terminal, and there is none", {
      hint: "Run this command in a terminal of your own; an agent cannot accept a risk for you.",
    });
  }
  throw new SecurityError("waiver-refused", "Nobody agreed to the waiver", { hint: "Nothing was changed." });
}

function linesOf(waiver: Waiver, title: string, risk: Risk): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ["Check", `${waiver.check_id} (${title})`],
    ["Host", waiver.target],
    ["Risk", risk],
    ["Reason", waiver.reason],
    ["Owner", waiver.owner],
    ["Approver", waiver.approver],
    ["Until", waiver.expires],
    ["Ticket", waiver.ticket ?? "none"],
  ];
  return [
    "Accept a risk: this gap stays open and visible, and no longer counts against the host.",
    "",
    ...rows.map(([name, value]) => `${name.padEnd(10)}${escapeControl(value)}`),
  ];
}
