import type { SessionIdentity } from "../core/elevation.ts";
import type { EpochMs } from "../core/time.ts";

/**
 * Ties a process that the host started for an agent to the session it was started for. A token
 * says who asks and gives no authority: the agent can read it, and can only ask with it.
 */
export interface SessionTokens {
  /** A new token for one exec of this session. */
  mint(session: SessionIdentity): string;
  /** Null: unknown, ended or too old. */
  find(token: string): SessionIdentity | null;
  endSession(session: string): void;
}

export interface SessionTokenDeps {
  readonly now: () => EpochMs;
  /** Unguessable and new each time. */
  readonly newToken: () => string;
}

/** Background processes outlive the call that started them, but not the day. */
const MAX_AGE_MS = 24 * 3_600_000;
/** A session that starts more has its own oldest forgotten, and their shim calls refused. */
const MAX_PER_SESSION = 256;
/** Beyond this the session that holds the most loses its oldest, so a few busy ones cost the others nothing. */
const MAX_TOKENS = 16_384;

export function createSessionTokens({ now, newToken }: SessionTokenDeps): SessionTokens {
  const tokens = new Map<string, { readonly session: SessionIdentity; readonly at: EpochMs }>();
  /** Tokens of each session; insertion order is age. */
  const held = new Map<string, Set<string>>();

  const forget = (session: string, token: string): void => {
    tokens.delete(token);
    const own = held.get(session);
    own?.delete(token);
    if (own?.size === 0) held.delete(session);
  };
  const forgetOldest = (session: string, own: ReadonlySet<string>): void => {
    const [oldest] = own;
    if (oldest !== undefined) forget(session, oldest);
  };
  const busiest = (): readonly [string, ReadonlySet<string>] | null => {
    let most: readonly [string, ReadonlySet<string>] | null = null;
    for (const entry of held) if (most === null || entry[1].size > most[1].size) most = entry;
    return most;
  };

  return {
    mint: (session) => {
      const token = newToken();
      const own = held.get(session.session) ?? new Set();
      held.set(session.session, own.add(token));
      tokens.set(token, { session, at: now() });
      if (own.size > MAX_PER_SESSION) forgetOldest(session.session, own);
      if (tokens.size > MAX_TOKENS) {
        const most = busiest();
        if (most !== null) forgetOldest(...most);
      }
      return token;
    },
    find: (token) => {
      const found = tokens.get(token);
      if (found === undefined) return null;
      if (now() - found.at < MAX_AGE_MS) return found.session;
      forget(found.session.session, token);
      return null;
    },
    endSession: (session) => {
      for (const token of held.get(session) ?? []) tokens.delete(token);
      held.delete(session);
    },
  };
}
