import { lookup } from "node:dns/promises";
import type { HostResolution } from "../core/egress.ts";
import { parseAddress } from "../core/address.ts";

const MAX_NAMES = 64;
const MAX_AT_ONCE = 8;
const PER_NAME_MS = 1500;
const CACHE_MS = 60_000;

export interface HostResolverDeps {
  /** All addresses of a host name; rejects with the resolver's code. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  readonly monotonicMs: () => number;
}

/**
 * Makes a resolver that answers for every name it is given within about `budgetMs`, and never
 * throws: a name without an answer is `failed`. Keeps answers for 60 s in the closure; failures are
 * asked again. Forward only: a PTR record says what the address's owner likes.
 *
 * A lookup cannot be cancelled, so one that is given up keeps its place among the eight until the
 * system's resolver is done with it; a dead DNS server never piles up more than eight.
 * @param perNameMs how long to wait for one name
 */
export function createHostResolver(
  deps: HostResolverDeps,
  perNameMs: number = PER_NAME_MS,
): (hosts: readonly string[], budgetMs: number) => Promise<Map<string, HostResolution>> {
  const cache = new Map<string, { readonly at: number; readonly resolution: HostResolution }>();
  let running = 0;

  const ask = async (host: string, waitMs: number): Promise<HostResolution> => {
    running += 1;
    const answer = deps.lookup(host).then(
      (addresses) => fromAddresses(addresses),
      (error: unknown) => fromError(error),
    );
    void answer.finally(() => {
      running -= 1;
    });
    const resolution = await orTimeout(answer, waitMs);
    if (resolution.kind !== "failed") cache.set(host, { at: deps.monotonicMs(), resolution });
    return resolution;
  };

  return async (hosts, budgetMs) => {
    const started = deps.monotonicMs();
    for (const [host, { at }] of cache) if (started - at >= CACHE_MS) cache.delete(host);
    const results = new Map<string, HostResolution>();
    const waiting: string[] = [];
    for (const host of new Set(hosts)) {
      const cached = cache.get(host);
      if (cached !== undefined) results.set(host, cached.resolution);
      else if (waiting.length < MAX_NAMES) waiting.push(host);
      else results.set(host, { kind: "failed", code: "too-many-names" });
    }
    const work = async (): Promise<void> => {
      for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
        const leftMs = budgetMs - (deps.monotonicMs() - started);
        const hasRoom = leftMs > 0 && running < MAX_AT_ONCE;
        results.set(host, hasRoom ? await ask(host, Math.min(perNameMs, leftMs)) : OUT_OF_BUDGET);
      }
    };
    await Promise.all(Array.from({ length: MAX_AT_ONCE }, work));
    return results;
  };
}

const OUT_OF_BUDGET: HostResolution = { kind: "failed", code: "out-of-budget" };

async function orTimeout(answer: Promise<HostResolution>, waitMs: number): Promise<HostResolution> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<HostResolution>((resolve) => {
    timer = setTimeout(() => {
      resolve({ kind: "failed", code: "timeout" });
    }, waitMs);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function fromAddresses(texts: readonly string[]): HostResolution {
  const addresses = [...new Set(texts.map((text) => parseAddress(text)?.address).filter((text) => text !== undefined))];
  return addresses.length === 0 ? { kind: "none" } : { kind: "addresses", addresses };
}

/** Only "there is no such name" is an answer; everything else says nothing about the name. */
function fromError(error: unknown): HostResolution {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOTFOUND" || code === "ENODATA" ? { kind: "none" } : { kind: "failed", code: "resolver-failed" };
}

/**
 * Asks the system's resolver, as the programs on this host do: with /etc/hosts, nsswitch and split
 * DNS, A and AAAA at once. A DNS query of our own would miss what they see.
 */
export async function lookupAddresses(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
}
