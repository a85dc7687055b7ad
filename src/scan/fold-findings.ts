import type { FindingProcess, NetworkFinding } from "../core/network.ts";
import { plural } from "../core/text.ts";

/** Findings of one kind about one program that are listed one by one. */
const MOST_ALIKE = 100;

/** Something to be reported, and how many others it stands for. */
export interface Folded<T> {
  readonly item: T;
  readonly more: number;
}

/**
 * Keeps the first hundred of each kind; the last of them stands for those beyond. Anyone may open a
 * hundred thousand sockets, and a report nobody can read, or no memory can hold, hides everything.
 */
export function foldAlike<T>(items: readonly T[], kindOf: (item: T) => string): Folded<T>[] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(kindOf(item), (counts.get(kindOf(item)) ?? 0) + 1);
  const kept = new Map<string, number>();
  return items.flatMap((item) => {
    const kind = kindOf(item);
    const place = (kept.get(kind) ?? 0) + 1;
    kept.set(kind, place);
    if (place > MOST_ALIKE) return [];
    return [{ item, more: place === MOST_ALIKE ? (counts.get(kind) ?? 0) - place : 0 }];
  });
}

/** What counts as the same program for folding. */
export function programOf({ exe, name, user }: Pick<FindingProcess, "exe" | "name" | "user">): string {
  return exe ?? `${name} of ${user}`;
}

/** The finding, saying that it stands for others too. */
export function withMore(finding: NetworkFinding, more: number): NetworkFinding {
  if (more === 0) return finding;
  return {
    ...finding,
    title: `${finding.title}, and ${more} more like it`,
    evidence: `${finding.evidence}; ${plural(more, "more finding")} of this kind about this program, none of a higher risk, not listed one by one`,
    target: `${finding.target} and more`,
    more,
  };
}
