/** A limit of the asking process. sudo hands its caller's limits on, so it would be one of the root command too. */
export interface ResourceLimit {
  /** As the kernel names it, such as "Max cpu time". */
  readonly name: string;
  /** Decimal, or "unlimited". */
  readonly soft: string;
  readonly hard: string;
}

interface Floor {
  readonly name: string;
  readonly words: string;
  readonly unit: string;
  /** Less than this can end a command, or a write of it, in the middle. */
  readonly least: number;
  /** Less than this is told to whoever is asked. */
  readonly usual: number;
}

const MIB = 1024 * 1024;
/** What has no floor cannot cut a command of root's short: the kernel does not enforce it, or not against root. */
const FLOORS: readonly Floor[] = [
  { name: "Max cpu time", words: "processor time", unit: "s", least: 3_600, usual: Infinity },
  { name: "Max file size", words: "file size", unit: "bytes", least: 1024 * MIB, usual: Infinity },
  { name: "Max data size", words: "data", unit: "bytes", least: 1024 * MIB, usual: Infinity },
  { name: "Max stack size", words: "stack", unit: "bytes", least: MIB, usual: 8 * MIB },
  { name: "Max processes", words: "processes", unit: "", least: 64, usual: 1_024 },
  { name: "Max open files", words: "open files", unit: "", least: 256, usual: 1_024 },
  { name: "Max address space", words: "address space", unit: "bytes", least: 2048 * MIB, usual: Infinity },
];

/** Reads /proc/<pid>/limits; null when a limit that matters is not in it. */
export function parseLimits(text: string): readonly ResourceLimit[] | null {
  const limits = [...text.matchAll(/^(Max [a-z ]+?) {2,}(\d+|unlimited) +(\d+|unlimited)\b/gm)].map(
    ([, name = "", soft = "", hard = ""]) => ({ name, soft, hard }),
  );
  return FLOORS.every((floor) => limits.some(({ name }) => name === floor.name)) ? limits : null;
}

/** The limits that could end a command in the middle, in words; [] when there is none. */
export function limitsTooLow(limits: readonly ResourceLimit[]): readonly string[] {
  return below(limits, ({ least }) => least);
}

/** The limits that somebody who is asked should know of, in words. */
export function notableLimits(limits: readonly ResourceLimit[]): readonly string[] {
  return below(limits, ({ usual }) => usual);
}

function below(limits: readonly ResourceLimit[], bound: (floor: Floor) => number): readonly string[] {
  return FLOORS.flatMap((floor) => {
    const soft = limits.find(({ name }) => name === floor.name)?.soft ?? "0";
    const isBelow = soft !== "unlimited" && Number(soft) < bound(floor);
    return isBelow ? [`${floor.words} ${soft}${floor.unit === "" ? "" : ` ${floor.unit}`}`] : [];
  });
}
