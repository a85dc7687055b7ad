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
/** An agent that starts more has its oldest forgotten, and its own shim calls refused. */
const MAX_TOKENS = 2_000;

export function createSessionTokens({ now, newToken }: SessionTokenDeps): SessionTokens {
  // Insertion order is age.
  const tokens = new Map<string, { readonly session: SessionIdentity; readonly at: EpochMs }>();
  return {
    mint: (session) => {
      const token = newToken();
      tokens.set(token, { session, at: now() });
      for (const oldest of tokens.keys()) {
        if (tokens.size <= MAX_TOKENS) break;
        tokens.delete(oldest);
      }
      return token;
    },
    find: (token) => {
      const held = tokens.get(token);
      return held !== undefined && now() - held.at < MAX_AGE_MS ? held.session : null;
    },
    endSession: (session) => {
      for (const [token, held] of tokens) if (held.session.session === session) tokens.delete(token);
    },
  };
}
