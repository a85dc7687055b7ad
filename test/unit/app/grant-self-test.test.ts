import { describe, expect, it } from "vitest";
import { testGrants } from "../../../src/app/grant-self-test.ts";
import { createGrantStore, type GrantStore, type GrantStoreDeps } from "../../../src/grant/grant-store.ts";
import { refuse } from "../../../src/core/refusal.ts";

const ALL_WELL = {
  runs_fresh: true,
  refuses_idle: true,
  refuses_used: true,
  refuses_other_session: true,
  drops_on_clock_back: true,
};

/** The real store with one thing wrong. */
function broken(change: (store: GrantStore, deps: GrantStoreDeps) => Partial<GrantStore>) {
  return testGrants((deps) => {
    const store = createGrantStore(deps);
    return { ...store, ...change(store, deps) };
  });
}

describe("testGrants", () => {
  it("finds nothing wrong with the real store", () => {
    expect(testGrants(createGrantStore)).toEqual(ALL_WELL);
  });

  it("tells a store whose clocks stand still", () => {
    const first = { wallMs: 0, monotonicMs: 0, uptimeMs: 0 };
    const result = testGrants((deps) => createGrantStore({ ...deps, readClocks: () => first }));
    expect(result).toEqual({ ...ALL_WELL, refuses_idle: false, drops_on_clock_back: false });
  });

  it("tells a store that ends idle grants only after 31 minutes", () => {
    const start = Date.UTC(2026, 0, 1);
    const result = testGrants((deps) =>
      createGrantStore({
        ...deps,
        readClocks: () => {
          const { wallMs, monotonicMs, uptimeMs } = deps.readClocks();
          const slow = (ms: number): number => (ms * 30) / 31;
          return { wallMs: start + slow(wallMs - start), monotonicMs: slow(monotonicMs), uptimeMs: slow(uptimeMs) };
        },
      }),
    );
    expect(result).toEqual({ ...ALL_WELL, refuses_idle: false });
  });

  it("tells a store that does not look at the session", () => {
    const home = { session: "self-test", agent: "a", channel: "library" } as const;
    const result = broken((store) => ({ consume: (wanted) => store.consume({ ...wanted, session: home }) }));
    expect(result).toEqual({ ...ALL_WELL, refuses_other_session: false });
  });

  it("tells a store where a grant runs as often as one likes", () => {
    const result = broken((store) => ({
      open: (approval, contents, session) => store.open({ ...approval, keep: true }, contents, session),
    }));
    expect(result).toEqual({ ...ALL_WELL, refuses_used: false });
  });

  it("tells a store that refuses everything from one that refuses what it must", () => {
    const result = broken(() => ({ consume: () => refuse("stopped", "no") }));
    expect(result).toEqual({
      runs_fresh: false,
      refuses_idle: false,
      refuses_used: false,
      refuses_other_session: false,
      drops_on_clock_back: true,
    });
  });

  it("takes a store that throws for one that refuses nothing", () => {
    const result = testGrants(() => {
      throw new Error("broken");
    });
    expect(new Set(Object.values(result))).toEqual(new Set([false]));
  });
});
