import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { SecurityError, type SecurityErrorCode, asSecurityError } from "../core/error.ts";
import {
  type AssessmentRun,
  completeRun,
  formatAssessmentRun,
  type HistoryLine,
  parseAssessmentRun,
  shortenRun,
} from "../schema/assessment-history.ts";
import { withLock } from "./lock.ts";
import { readTextFile } from "./read-file.ts";
import { ensurePrivateFolder, writeError, writeFileAtomic } from "./write-file.ts";

const WHAT = "assessment history";
const MAX_BYTES = 32 * 1024 * 1024;
/** Above the first number of runs the file is cut down to the second: half a year and a quarter, every half hour. */
const MAX_RUNS = 10_000;
const KEPT_RUNS = 5_000;
/** Above the first size it is cut as well, to what fits the second, so that it never grows beyond what is read. */
const FULL_CHARS = 16 * 1024 * 1024;
const KEPT_CHARS = 8 * 1024 * 1024;
/** A damaged line spoils the short lines up to the next whole one. */
const WHOLE_EVERY = 500;

/** What earlier runs left, and what was wrong with how they left it. */
export interface AssessmentHistory {
  /** Every run that can be read, oldest first. */
  readonly runs: readonly AssessmentRun[];
  /** The last run that can be read; null when there is none, and then no gap's age is known. */
  readonly previous: AssessmentRun | null;
  readonly problems: readonly { readonly code: SecurityErrorCode; readonly message: string }[];
}

interface HistoryFile {
  readonly history: AssessmentHistory;
  readonly chars: number;
  /** Short lines since the last whole one; null when the next line must be whole, or the file mended first. */
  readonly shortLines: number | null;
  readonly exists: boolean;
}

/** Reads the last valid run. A file that cannot be read or trusted is a problem in the result, never an error. */
export async function loadAssessmentHistory(path: string): Promise<AssessmentHistory> {
  try {
    return (await readHistory(path)).history;
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    const problems = [{ code, message: `${message}; how long gaps have been open is not known` }];
    return { runs: [], previous: null, problems };
  }
}

/**
 * Adds the run that `build` makes from the last one; both under one lock, so that two runs at a time
 * cannot forget each other's gaps.
 * @throws {SecurityError} lock-timeout, and those of readTextFile, ensurePrivateFolder and writeFileAtomic;
 *   the file is then as it was
 */
export async function appendAssessmentRun(
  path: string,
  build: (history: AssessmentHistory) => AssessmentRun,
): Promise<AssessmentHistory> {
  await ensurePrivateFolder(dirname(path));
  return await withLock(path, async () => {
    const { history, chars, shortLines, exists } = await readHistory(path);
    const run = build(history);
    const isRoomy = history.runs.length < MAX_RUNS && chars < FULL_CHARS;
    if (exists && shortLines !== null && isRoomy) {
      const line = history.previous === null || shortLines >= WHOLE_EVERY ? run : shortenRun(run, history.previous);
      await appendLine(path, formatAssessmentRun(line));
    } else {
      const kept = isRoomy ? history.runs : history.runs.slice(-(KEPT_RUNS - 1));
      await writeFileAtomic(path, formatRuns([...kept, run]));
    }
    return history;
  });
}

/** All lines anew, without those that do not fit, the oldest first. */
function formatRuns(runs: readonly AssessmentRun[]): string {
  const lines = runs.map((run, index) => {
    const before = runs[index - 1];
    return formatAssessmentRun(before === undefined || index % WHOLE_EVERY === 0 ? run : shortenRun(run, before));
  });
  let from = lines.length - 1;
  let chars = lines[from]?.length ?? 0;
  while (from > 0 && chars + (lines[from - 1]?.length ?? 0) < KEPT_CHARS) {
    from -= 1;
    chars += (lines[from]?.length ?? 0) + 1;
  }
  const first = runs[from];
  if (first !== undefined) lines[from] = formatAssessmentRun(first);
  return `${lines.slice(from).join("\n")}\n`;
}

async function readHistory(path: string): Promise<HistoryFile> {
  let text: string;
  try {
    text = await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what: WHAT });
  } catch (thrown) {
    if (!(thrown instanceof SecurityError) || thrown.code !== "file-missing") throw thrown;
    const history = { runs: [], previous: null, problems: [] };
    return { history, chars: 0, shortLines: null, exists: false };
  }
  const lines = text.split("\n");
  const tail = lines.pop() ?? "";
  // A last line without its end is whole when it parses, and otherwise was cut off by a crash.
  const isTorn = tail !== "" && parsed(tail) === null;
  if (tail !== "" && !isTorn) lines.push(tail);
  const { runs, invalidAtEnd, shortLines } = readRuns(lines);
  return {
    history: { runs, previous: runs.at(-1) ?? null, problems: problemsOf(path, runs.length, isTorn, invalidAtEnd) },
    chars: text.length,
    shortLines: tail === "" ? shortLines : null,
    exists: true,
  };
}

interface ReadRuns {
  readonly runs: readonly AssessmentRun[];
  /** Lines after the last run that cannot be read. */
  readonly invalidAtEnd: number;
  readonly shortLines: number | null;
}

/** A line that cannot be read, and the short ones that go on from it, are left out. */
function readRuns(lines: readonly string[]): ReadRuns {
  const runs: AssessmentRun[] = [];
  let before: AssessmentRun | null = null;
  let invalidAtEnd = 0;
  let shortLines = 0;
  for (const text of lines) {
    const line = parsed(text);
    const run: AssessmentRun | null = line === null ? null : completeRun(line, before);
    before = run;
    if (line === null || run === null) {
      invalidAtEnd += 1;
      continue;
    }
    runs.push(run);
    invalidAtEnd = 0;
    shortLines = line.after === undefined ? 0 : shortLines + 1;
  }
  return { runs, invalidAtEnd, shortLines: invalidAtEnd > 0 ? null : shortLines };
}

function problemsOf(path: string, runs: number, isTorn: boolean, invalid: number): AssessmentHistory["problems"] {
  const torn = `The last line of ${path} was cut off; the run before it is used`;
  const lost =
    runs > 0
      ? `its last ${invalid} lines are not valid; an older run is used`
      : "no line is valid, so how long gaps have been open is not known";
  return [
    ...(isTorn ? [{ code: "history-invalid" as const, message: torn }] : []),
    ...(invalid > 0 ? [corrupt(path, lost)] : []),
  ];
}

function corrupt(path: string, what: string): AssessmentHistory["problems"][number] {
  return { code: "history-invalid", message: `The assessment history ${path} is damaged: ${what}` };
}

function parsed(line: string): HistoryLine | null {
  // Megabytes of garbage must not be turned into as many errors first.
  if (!line.startsWith("{")) return null;
  try {
    return parseAssessmentRun(line);
  } catch (thrown) {
    if (thrown instanceof SecurityError) return null;
    throw thrown;
  }
}

async function appendLine(path: string, line: string): Promise<void> {
  try {
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(path, flags);
    try {
      const { size, mode } = await handle.stat();
      if ((mode & 0o077) !== 0) await handle.chmod(0o600);
      try {
        await handle.writeFile(`${line}\n`, "utf8");
        await handle.sync();
      } catch (cause) {
        // Half a line is worth less than none; if even this fails, the next reader sees a torn line.
        await handle.truncate(size).catch(() => undefined);
        throw cause;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw writeError(cause, path);
  }
}
