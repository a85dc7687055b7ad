import { dirname } from "node:path";
import { SecurityError } from "../core/error.ts";
import { type CycleState, formatCycleState, parseCycleState } from "../schema/cycle-state.ts";
import { readTextFile } from "./read-file.ts";
import { ensurePrivateFolder, writeFileAtomic } from "./write-file.ts";

const MAX_BYTES = 100_000;

/** @throws {SecurityError} history-invalid, json-invalid, json-duplicate-key, and those of readTextFile */
export async function loadCycleState(path: string): Promise<CycleState | null> {
  try {
    return parseCycleState(
      await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what: "state of the cycle" }),
    );
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return null;
    throw thrown;
  }
}

export async function saveCycleState(path: string, state: CycleState): Promise<void> {
  await ensurePrivateFolder(dirname(path));
  await writeFileAtomic(path, formatCycleState(state));
}
