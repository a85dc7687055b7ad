import { describe, expect, it } from "vitest";
import { createSessionTokens, type SessionTokens } from "../../../src/broker/session-token.ts";
import type { SessionIdentity } from "../../../src/core/elevation.ts";

const HOUR = 3_600_000;
const session = (name: string): SessionIdentity => ({ session: name, agent: null, channel: "gateway" });

function tokensAt(): { readonly tokens: SessionTokens; readonly clock: { now: number } } {
  const clock = { now: 0 };
  let next = 0;
  return { clock, tokens: createSessionTokens({ now: () => clock.now, newToken: () => `t${(next += 1)}` }) };
}

describe("the tokens of sessions", () => {
  it("name the session they were made for, and nothing else does", () => {
    const { tokens } = tokensAt();
    const token = tokens.mint(session("a"));
    expect(tokens.find(token)).toEqual(session("a"));
    expect([tokens.find(""), tokens.find("t2"), tokens.find("constructor")]).toEqual([null, null, null]);
  });

  it("end with the session and after a day", () => {
    const { tokens, clock } = tokensAt();
    const [first, other] = [tokens.mint(session("a")), tokens.mint(session("b"))];
    tokens.endSession("a");
    expect([tokens.find(first), tokens.find(other)]).toEqual([null, session("b")]);
    clock.now = 24 * HOUR - 1;
    expect(tokens.find(other)).toEqual(session("b"));
    clock.now = 24 * HOUR;
    expect(tokens.find(other)).toBeNull();
  });

  it("of one session never push out another's", () => {
    const { tokens } = tokensAt();
    const quiet = tokens.mint(session("quiet"));
    const loud = Array.from({ length: 5_000 }, () => tokens.mint(session("loud")));
    expect(tokens.find(quiet)).toEqual(session("quiet"));
    expect(loud.filter((token) => tokens.find(token) !== null)).toEqual(loud.slice(-256));
  });

  it("stay bounded over very many sessions, at the cost of the busiest", () => {
    const { tokens } = tokensAt();
    const quiet = tokens.mint(session("quiet"));
    const busy = Array.from({ length: 100 }, (_, index) =>
      Array.from({ length: 256 }, () => tokens.mint(session(`busy ${index}`))),
    ).flat();
    expect(tokens.find(quiet)).toEqual(session("quiet"));
    expect(busy.filter((token) => tokens.find(token) !== null)).toHaveLength(16_383);
  });
});
