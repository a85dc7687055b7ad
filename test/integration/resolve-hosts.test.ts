import { describe, expect, it } from "vitest";
import { categorizeAddress } from "../../src/core/address.ts";
import { createHostResolver, lookupAddresses } from "../../src/collect/resolve-hosts.ts";

const BUDGET_MS = 20_000;

function failingWith(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A resolver over a fake lookup and a clock that stands still unless moved. */
function resolverOver(
  lookup: (host: string) => Promise<readonly string[]>,
  perNameMs?: number,
): { resolve: ReturnType<typeof createHostResolver>; asked: string[]; clock: { ms: number } } {
  const asked: string[] = [];
  const clock = { ms: 0 };
  const resolve = createHostResolver(
    {
      lookup: async (host) => {
        asked.push(host);
        return await lookup(host);
      },
      monotonicMs: () => clock.ms,
    },
    perNameMs,
  );
  return { resolve, asked, clock };
}

const never = async (): Promise<string[]> => await new Promise(() => undefined);

it("answers for every name, each asked once, with addresses in one spelling", async () => {
  const { resolve, asked } = resolverOver(async (host) =>
    host === "a.example" ? ["2001:DB8:0::1", "::ffff:10.0.0.1", "10.0.0.1"] : ["not an address"],
  );
  expect(await resolve(["a.example", "b.example", "a.example"], BUDGET_MS)).toEqual(
    new Map([
      ["a.example", { kind: "addresses", addresses: ["2001:db8::1", "10.0.0.1"] }],
      ["b.example", { kind: "none" }],
    ]),
  );
  expect(asked).toEqual(["a.example", "b.example"]);
});

it.each([
  ["ENOTFOUND", { kind: "none" }],
  ["ENODATA", { kind: "none" }],
  ["EAI_AGAIN", { kind: "failed", code: "resolver-failed" }],
  ["ESERVFAIL", { kind: "failed", code: "resolver-failed" }],
])("tells a name that does not exist from a resolver that does not answer: %s", async (code, expected) => {
  const { resolve } = resolverOver(async () => await Promise.reject(failingWith(code)));
  expect(await resolve(["a.example"], BUDGET_MS)).toEqual(new Map([["a.example", expected]]));
});

it("gives up a name that takes too long and still answers for the others", async () => {
  const { resolve } = resolverOver(async (host) => (host === "slow.example" ? await never() : ["10.0.0.1"]), 20);
  expect(await resolve(["slow.example", "a.example"], BUDGET_MS)).toEqual(
    new Map([
      ["a.example", { kind: "addresses", addresses: ["10.0.0.1"] }],
      ["slow.example", { kind: "failed", code: "timeout" }],
    ]),
  );
});

it("never has more than eight lookups open, however often it is asked", async () => {
  const { resolve, asked } = resolverOver(never, 5);
  const names = Array.from({ length: 20 }, (_, n) => `h${n}.example`);
  const first = await resolve(names, BUDGET_MS);
  const second = await resolve(names, BUDGET_MS);
  expect(asked).toHaveLength(8);
  expect([...first.values()].filter((found) => found.kind === "failed")).toHaveLength(20);
  expect([...second.values()].every((found) => found.kind === "failed" && found.code === "out-of-budget")).toBe(true);
});

it("runs lookups side by side", async () => {
  const names = ["a.example", "b.example", "c.example"];
  let open = 0;
  let release: (() => void) | undefined;
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { resolve } = resolverOver(async () => {
    open += 1;
    if (open === names.length) release?.();
    await all;
    return ["10.0.0.1"];
  });
  expect((await resolve(names, BUDGET_MS)).size).toBe(3);
});

it("starts no lookup after the budget is spent", async () => {
  const { resolve, asked, clock } = resolverOver(async () => {
    clock.ms += 10_000;
    return ["10.0.0.1"];
  });
  const names = Array.from({ length: 12 }, (_, n) => `h${n}.example`);
  const found = await resolve(names, 1000);
  expect(asked.length).toBeLessThan(12);
  expect(found.get("h11.example")).toEqual({ kind: "failed", code: "out-of-budget" });
});

it("resolves at most 64 names at once and says so of the rest", async () => {
  const { resolve, asked } = resolverOver(async () => ["10.0.0.1"]);
  const found = await resolve(
    Array.from({ length: 65 }, (_, n) => `h${n}.example`),
    BUDGET_MS,
  );
  expect(asked).toHaveLength(64);
  expect(found.get("h64.example")).toEqual({ kind: "failed", code: "too-many-names" });
});

describe("what was found out", () => {
  it("is kept for 60 seconds and asked again after that", async () => {
    const { resolve, asked, clock } = resolverOver(async () => ["10.0.0.1"]);
    await resolve(["a.example"], BUDGET_MS);
    clock.ms = 59_999;
    await resolve(["a.example"], BUDGET_MS);
    expect(asked).toHaveLength(1);
    clock.ms = 60_000;
    await resolve(["a.example"], BUDGET_MS);
    expect(asked).toHaveLength(2);
  });

  it("is not kept when it is a failure", async () => {
    const { resolve, asked } = resolverOver(async () => await Promise.reject(failingWith("EAI_AGAIN")));
    await resolve(["a.example"], BUDGET_MS);
    await resolve(["a.example"], BUDGET_MS);
    expect(asked).toHaveLength(2);
  });
});

it("asks the system's resolver, which knows /etc/hosts", async () => {
  const categories = (await lookupAddresses("localhost")).map(categorizeAddress);
  expect(new Set(categories)).toEqual(new Set(["loopback"]));
});
