import type { GrantSelfTest } from "../assess/evidence.ts";
import type { ClockReading, ContentsDigest, RequestDigest, SessionIdentity } from "../core/elevation.ts";
import type { Approval } from "../grant/approval.ts";
import type { GrantStore, GrantStoreDeps } from "../grant/grant-store.ts";
import type { Grant } from "../grant/grant.ts";

const CONTENTS = "0".repeat(64) as ContentsDigest;
const DIGEST = "1".repeat(64) as RequestDigest;
const HERE: SessionIdentity = { session: "self-test", agent: "a", channel: "library" };
const ELSEWHERE: SessionIdentity = { ...HERE, session: "self-test-other" };
const SECOND_MS = 1_000;
/** What the control asks for, on purpose not taken from the code that is being tested. */
const IDLE_LIMIT_MS = 30 * 60 * SECOND_MS;
const HOUR_MS = 60 * 60 * SECOND_MS;
const START: ClockReading = { wallMs: Date.UTC(2026, 0, 1), monotonicMs: HOUR_MS, uptimeMs: HOUR_MS };

/**
 * Shows by doing what the store of grants refuses: nothing outside of it is touched, nothing is run, and
 * the clocks are set by hand.
 */
export function testGrants(createStore: (deps: GrantStoreDeps) => GrantStore): GrantSelfTest {
  return {
    runs_fresh: tryOut(createStore, ({ grant, runs, pass }) => {
      pass(SECOND_MS);
      return grant !== null && runs();
    }),
    refuses_idle: tryOut(createStore, ({ runs, pass }) => {
      // A kept grant, used on the way: only its idle time may end it.
      pass(IDLE_LIMIT_MS / 2);
      const wasAlive = runs();
      pass(IDLE_LIMIT_MS + SECOND_MS);
      return wasAlive && !runs();
    }),
    refuses_used: tryOut(createStore, ({ openOnce }) => {
      const runsOnce = openOnce();
      return runsOnce() && !runsOnce();
    }),
    refuses_other_session: tryOut(createStore, ({ runs }) => !runs(ELSEWHERE) && runs()),
    drops_on_clock_back: tryOut(createStore, ({ runs, store, setBack }) => {
      setBack();
      return store.list().length === 0 && !runs();
    }),
  };
}

interface Trial {
  readonly store: GrantStore;
  /** A kept grant of the session HERE; null when the store did not open it. */
  readonly grant: Grant | null;
  /** True when the store lets that grant run. */
  readonly runs: (session?: SessionIdentity) => boolean;
  /** Opens a grant for one run; gives what tries to run it. */
  readonly openOnce: () => () => boolean;
  readonly pass: (ms: number) => void;
  /** Sets the wall clock back by an hour. */
  readonly setBack: () => void;
}

/** False also when the store throws: then it refused nothing. */
function tryOut(createStore: (deps: GrantStoreDeps) => GrantStore, holds: (trial: Trial) => boolean): boolean {
  let now = START;
  let ids = 0;
  try {
    const store = createStore({
      readClocks: () => now,
      setTimer: () => () => undefined,
      onDrop: () => undefined,
      newId: () => `self-test-${(ids += 1)}`,
    });
    const open = (keep: boolean): Grant | null => {
      const by = { kind: "system", id: "self-test" } as const;
      const yes: Approval = { kind: "approval", digest: DIGEST, contents: CONTENTS, by, at: now.wallMs, keep };
      const grant = store.open(yes, CONTENTS, HERE);
      return "kind" in grant ? null : grant;
    };
    const isRun = (grant: Grant | null, session: SessionIdentity): boolean =>
      grant !== null && !("kind" in store.consume({ grantId: grant.id, contents: CONTENTS, session }));
    const grant = open(true);
    return holds({
      store,
      grant,
      runs: (session = HERE) => isRun(grant, session),
      openOnce: () => {
        const once = open(false);
        return () => isRun(once, HERE);
      },
      pass: (ms) => {
        now = { wallMs: now.wallMs + ms, monotonicMs: now.monotonicMs + ms, uptimeMs: now.uptimeMs + ms };
      },
      setBack: () => {
        now = { ...now, wallMs: now.wallMs - HOUR_MS };
      },
    });
  } catch {
    return false;
  }
}
