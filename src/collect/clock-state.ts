import { statSync } from "node:fs";
import { join } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { ClockState } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";

export interface ClockOptions {
  readonly now: () => EpochMs;
  /** Stands for "/". */
  readonly root: string;
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
}

const LIMITS = { timeoutMs: 2_000, maxBytes: 65_536 } as const;

/** What the services that keep the clock say; chrony, which knows how far away it is, first. */
export async function collectClockState({
  now,
  root,
  runTool,
  locateTool,
}: ClockOptions): Promise<Evidence<ClockState>> {
  const at = isoFromEpoch(now());
  const [chronyc, timedatectl] = await Promise.all([locateTool("chronyc"), locateTool("timedatectl")]);
  if (chronyc !== null) {
    const result = await runTool({ file: chronyc, args: ["-n", "tracking"], ...LIMITS });
    const state = result.kind === "done" && result.exitCode === 0 ? chronyState(result.stdout) : null;
    if (state !== null) return measured(state, "chronyc tracking", at);
  }
  if (timedatectl !== null) {
    const result = await runTool({ file: timedatectl, args: ["show", "--property=NTPSynchronized"], ...LIMITS });
    const said =
      result.kind === "done" && result.exitCode === 0
        ? /^NTPSynchronized=(yes|no)$/m.exec(result.stdout)?.[1]
        : undefined;
    if (said !== undefined) {
      return measured(
        { by: "timedatectl", synchronized: said === "yes", offset_seconds: null },
        "timedatectl show",
        at,
      );
    }
  }
  const mark = join(root, "run/systemd/timesync/synchronized");
  if (statSync(mark, { throwIfNoEntry: false }) !== undefined) {
    return measured({ by: "systemd-timesyncd", synchronized: true, offset_seconds: null }, mark, at);
  }
  const asked = [chronyc, timedatectl].some((tool) => tool !== null);
  return unmeasured(
    asked ? "tool-failed" : "tool-missing",
    asked
      ? "chrony and timedatectl gave no answer here, as in a container"
      : "Neither chrony nor timedatectl is installed",
    "chronyc, timedatectl",
    at,
  );
}

/** Null when it is not the known form. */
export function chronyState(text: string): ClockState | null {
  const offset = /^System time\s*:\s*([\d.]+) seconds (?:slow|fast)/m.exec(text)?.[1];
  const leap = /^Leap status\s*:\s*(.+?)\s*$/m.exec(text)?.[1];
  if (offset === undefined || leap === undefined || !Number.isFinite(Number(offset))) return null;
  return {
    by: "chrony",
    synchronized: leap !== "Not synchronised",
    offset_seconds: Math.round(Number(offset) * 1_000) / 1_000,
  };
}
