import type { ClockReading, ContentsDigest, GrantId, SessionIdentity } from "../core/elevation.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { Approval } from "./approval.ts";
import { isClockAnomaly } from "./clocks.ts";
import {
  ageOf,
  type DropReason,
  endGrant,
  type Grant,
  isSameSession,
  openGrant,
  remainingMs,
  type RevokeReason,
  useGrant,
  type WantedRun,
} from "./grant.ts";

/** Calls back once after so many milliseconds; returns what cancels it. Must not keep the process alive. */
export type SetTimer = (callback: () => void, delayMs: number) => () => void;

export interface GrantDrop {
  readonly grantId: GrantId;
  readonly session: SessionIdentity;
  readonly contents: ContentsDigest;
  readonly reason: DropReason;
}

export interface GrantStoreDeps {
  readonly readClocks: () => ClockReading;
  readonly setTimer: SetTimer;
  /** Told of every grant that ended unused or early; what it throws is ignored. */
  readonly onDrop: (drop: GrantDrop) => void;
  /** Unguessable and new each time. */
  readonly newId: () => string;
  /** Until an unused grant ends; never more than the default of 30 minutes. */
  readonly idleMs?: number;
}

export interface GrantStore {
  /** Turns an approval into a grant, once. */
  open(approval: Approval, contents: ContentsDigest, session: SessionIdentity): Grant | Refusal;
  /**
   * Takes the grant for one run; call it before the spawn and never undo it. Without `grantId` any
   * live grant of the session for the same contents will do. Of parallel calls one gets it.
   */
  consume(wanted: WantedRun & { readonly grantId: GrantId | null }): Grant | Refusal;
  /** Live grants, oldest first, after dropping what the clocks have ended. */
  list(): readonly Grant[];
  /** Ends every grant of a session key, whatever agent or channel. Returns how many. */
  dropSession(session: string, reason: RevokeReason): number;
  dropAll(reason: RevokeReason): number;
  /** Drops everything as `stopped` and refuses from now on. */
  close(): void;
}

/** The timer looks at the clocks this often: it does not count suspend itself. */
const LOOK_EVERY_MS = 30_000;
/** Ended grants that are remembered, so that using one again is told from one that never was. */
const MAX_ENDED = 200;

/**
 * Holds grants in memory only: a new process has none. Every method is synchronous, so between
 * finding a grant and marking it used nothing else can run.
 */
export function createGrantStore(deps: GrantStoreDeps): GrantStore {
  const live = new Map<GrantId, Grant>();
  const ended = new Map<GrantId, Grant>();
  const spent = new WeakSet<Approval>();
  let lastSeen: ClockReading | null = null;
  let cancelTimer: (() => void) | null = null;
  let isClosed = false;

  const remember = (grant: Grant): void => {
    live.delete(grant.id);
    ended.set(grant.id, grant);
    const oldest = ended.keys().next().value;
    if (ended.size > MAX_ENDED && oldest !== undefined) ended.delete(oldest);
  };

  const drop = (grants: readonly Grant[], reason: DropReason): number => {
    // All are gone before anybody hears of it, so that a listener cannot use or save one.
    for (const grant of grants) remember(endGrant(grant, reason));
    for (const { id, session, contents } of grants) {
      try {
        deps.onDrop({ grantId: id, session, contents, reason });
      } catch {
        // The grant is gone whether or not anybody could be told; in a timer a throw would end the process.
      }
    }
    return grants.length;
  };

  /** Reads the clocks and drops what they have ended. Null: time cannot be trusted now. */
  const sweep = (): ClockReading | null => {
    const now = readOrNull(deps.readClocks);
    // A reading that is no number is an anomaly even against itself.
    if (now === null || isClockAnomaly(now, now)) {
      drop([...live.values()], "clock-anomaly");
      lastSeen = null;
      return null;
    }
    const jumped = lastSeen !== null && live.size > 0 && isClockAnomaly(lastSeen, now);
    lastSeen = now;
    const ages = [...live.values()].map((grant) => ({ grant, age: ageOf(grant, now) }));
    if (jumped || ages.some(({ age }) => age === "clock-anomaly")) {
      drop([...live.values()], "clock-anomaly");
      return now;
    }
    for (const { grant, age } of ages) if (age === "idle" || age === "absolute") drop([grant], age);
    return now;
  };

  const schedule = (now: ClockReading | null): void => {
    cancelTimer?.();
    cancelTimer = null;
    if (live.size === 0 || now === null) return;
    const next = Math.min(LOOK_EVERY_MS, ...[...live.values()].map((grant) => remainingMs(grant, now)));
    cancelTimer = deps.setTimer(
      () => {
        cancelTimer = null;
        schedule(sweep());
      },
      Math.max(1, next),
    );
  };

  const find = (wanted: WantedRun & { readonly grantId: GrantId | null }): Grant | undefined => {
    if (wanted.grantId !== null) return live.get(wanted.grantId) ?? ended.get(wanted.grantId);
    return [...live.values()].find(
      (grant) => grant.contents === wanted.contents && isSameSession(grant.session, wanted.session),
    );
  };

  return {
    open(approval, contents, session) {
      if (isClosed) return refuse("stopped", "the program is stopping");
      const now = sweep();
      if (now === null) return refuse("clock-anomaly", "the clocks cannot be read");
      if (spent.has(approval)) return refuse("approval-invalid", "the approval has already opened a grant");
      if (approval.contents !== contents) return refuse("request-changed", "the approval is for something else");
      const id = deps.newId() as GrantId;
      if (live.has(id) || ended.has(id)) return refuse("approval-invalid", "the grant's id is not new");
      spent.add(approval);
      const grant = openGrant(approval, session, id, now, deps.idleMs);
      live.set(id, grant);
      schedule(now);
      return grant;
    },
    consume(wanted) {
      if (isClosed) return refuse("stopped", "the program is stopping");
      const now = sweep();
      if (now === null) return refuse("clock-anomaly", "the clocks cannot be read");
      const found = find(wanted);
      const used =
        found === undefined ? refuse("grant-unknown", "there is no such grant") : useGrant(found, wanted, now);
      if ("kind" in used) {
        schedule(now);
        return used;
      }
      if (used.state.kind === "open") live.set(used.id, used);
      else remember(used);
      schedule(now);
      return used;
    },
    list() {
      schedule(sweep());
      return [...live.values()];
    },
    dropSession(session, reason) {
      const count = drop(
        [...live.values()].filter((grant) => grant.session.session === session),
        reason,
      );
      schedule(sweep());
      return count;
    },
    dropAll(reason) {
      const count = drop([...live.values()], reason);
      schedule(null);
      return count;
    },
    close() {
      isClosed = true;
      drop([...live.values()], "stopped");
      schedule(null);
    },
  };
}

function readOrNull(readClocks: () => ClockReading): ClockReading | null {
  try {
    return readClocks();
  } catch {
    // A clock that cannot be read is treated like one that lies.
    return null;
  }
}
