import { analyzeCommand } from "../../src/shell/analyze-command.ts";

export interface LabelledCommand {
  readonly id: string;
  readonly command: string;
  readonly expected: "elevates" | "not-elevates";
  readonly technique: string;
  /** An alarm is no mistake here: the elevator stands in code that happens not to run. */
  readonly over_approximation_ok?: boolean;
}

export interface Judgement {
  /** Of the elevations: `elevates` or `opaque`. */
  readonly foundShare: number;
  /** Of the harmless: `elevates` or `opaque`. */
  readonly falseAlarmShare: number;
  readonly opaqueShareOfHarmless: number;
  readonly opaqueShareOfElevations: number;
  readonly missed: readonly string[];
  readonly falseAlarms: readonly string[];
}

export function judge(rows: readonly LabelledCommand[]): Judgement {
  const judged = rows.map((row) => ({ ...row, verdict: analyzeCommand(row.command).verdict }));
  const elevations = judged.filter(({ expected }) => expected === "elevates");
  const harmless = judged.filter((row) => row.expected === "not-elevates" && row.over_approximation_ok !== true);
  const share = (part: readonly unknown[], whole: readonly unknown[]): number =>
    whole.length === 0 ? 0 : part.length / whole.length;
  const missed = elevations.filter(({ verdict }) => verdict === "clear");
  const alarms = harmless.filter(({ verdict }) => verdict !== "clear");
  return {
    foundShare: 1 - share(missed, elevations),
    falseAlarmShare: share(alarms, harmless),
    opaqueShareOfHarmless: share(
      harmless.filter(({ verdict }) => verdict === "opaque"),
      harmless,
    ),
    opaqueShareOfElevations: share(
      elevations.filter(({ verdict }) => verdict === "opaque"),
      elevations,
    ),
    missed: missed.map(({ command }) => command),
    falseAlarms: alarms.map(({ command, verdict }) => `${verdict}: ${command}`),
  };
}
