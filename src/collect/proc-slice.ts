/** How long work may hold the event loop in one piece; leaves room below 8 ms for a single slow system call. */
const SLICE_MS = 4;

/** Cuts synchronous work into slices: `if (slice.isOver()) await slice.rest();` between small steps. */
export interface Slice {
  isOver(): boolean;
  rest(): Promise<void>;
}

export function createSlice(monotonicMs: () => number, yieldToLoop: () => Promise<void>): Slice {
  let startedAt = monotonicMs();
  return {
    isOver: () => monotonicMs() - startedAt >= SLICE_MS,
    rest: async () => {
      await yieldToLoop();
      startedAt = monotonicMs();
    },
  };
}
