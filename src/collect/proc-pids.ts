import type { ProcFiles } from "./proc-file.ts";
import type { Slice } from "./proc-slice.ts";

/** With more, listing them all at once would hold the event loop. */
const MANY_PROCESSES = 2000;

/** All process ids, in order; none when /proc cannot be listed. */
export async function listPids(files: ProcFiles, slice: Slice): Promise<number[]> {
  const pids: number[] = [];
  const take = (names: readonly string[]): void => {
    for (const name of names) {
      const first = name.charCodeAt(0);
      if (first >= 0x31 && first <= 0x39 && /^\d{1,10}$/.test(name)) pids.push(Number(name));
    }
  };
  if (files.counts(".").links > MANY_PROCESSES) {
    const batches = files.batches(".");
    if (typeof batches === "symbol") return [];
    for (const names of batches) {
      take(names);
      if (slice.isOver()) await slice.rest();
    }
  } else {
    const names = files.list(".");
    if (typeof names !== "symbol") take(names);
  }
  return pids.toSorted((a, b) => a - b);
}
