import { join } from "node:path";
import { cycle, type CycleReport } from "../app/cycle.ts";
import { clip } from "../core/text.ts";
import { isoFromEpoch } from "../core/time.ts";
import { loadCycleState, saveCycleState } from "../state/cycle-state.ts";
import { runAlone } from "../state/lock.ts";
import { appendLogLine } from "../state/log-file.ts";
import { ensurePrivateFolder } from "../state/write-file.ts";
import type { AssessmentRequest } from "./assess.ts";
import { cycleLogPath, cycleStatePath } from "./cycle-record.ts";
import type { Effects } from "./effects.ts";

export async function runCycle(effects: Effects, request: AssessmentRequest): Promise<CycleReport> {
  const path = cycleStatePath(effects);
  const log = cycleLogPath(effects);
  await ensurePrivateFolder(effects.securityDir());
  return await cycle({
    now: effects.now,
    alone: async (work) => await runAlone(join(effects.securityDir(), "cycle"), work),
    loadState: async () => await loadCycleState(path),
    saveState: async (state) => await saveCycleState(path, state),
    assess: async () => (await (await import("./assess.ts")).runAssessment(effects, request)).summary,
    notify: async () => await (await import("./notify.ts")).runNotify(effects, {}),
    log: async (line) => await appendLogLine(log, `${isoFromEpoch(effects.now())} ${process.pid} ${clip(line, 1_000)}`),
  });
}
