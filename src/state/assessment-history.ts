import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { SecurityError, type SecurityErrorCode, asSecurityError } from "../core/error.ts";
import { type AssessmentRun, formatAssessmentRun, parseAssessmentRun } from "../schema/assessment-history.ts";
import { withLock } from "./lock.ts";
import { readTextFile } from "./read-file.ts";
import { ensurePrivateFolder, writeError, writeFileAtomic } from "./write-file.ts";

const WHAT = "assessment history";
const MAX_BYTES = 32 * 1024 * 1024;
/** Above the first number of lines the file is cut down to the second. */
const MAX_LINES = 1_000;
const KEPT_LINES = 500;

/** What earlier runs left, and what was wrong with how they left it. */
export interface AssessmentHistory {
  /** The last run that can be read; null when there is none, and then no gap's age is known. */
  readonly previous: AssessmentRun | null;
  readonly problems: readonly { readonly code: SecurityErrorCode; readonly message: string }[];
}

interface HistoryFile {
  readonly history: AssessmentHistory;
  /** Whole lines, without a torn last one. */
  readonly lines: readonly string[];
  /** The file ends as an appended line needs it to. */
  readonly endsCleanly: boolean;
  readonly exists: boolean;
}

/** Reads the last valid run. A file that cannot be read or trusted is a problem in the result, never an error. */
export async function loadAssessmentHistory(path: string): Promise<AssessmentHistory> {
  try {
    return (await readHistory(path)).history;
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    return { previous: null, problems: [{ code, message: `${message}; how long gaps have been open is not known` }] };
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
    const file = await readHistory(path);
    const line = formatAssessmentRun(build(file.history));
    if (file.exists && file.endsCleanly && file.lines.length < MAX_LINES) {
      await appendLine(path, line);
    } else {
      const kept = file.lines.length < MAX_LINES ? file.lines : file.lines.slice(-(KEPT_LINES - 1));
      await writeFileAtomic(path, `${[...kept, line].join("\n")}\n`);
    }
    return file.history;
  });
}

async function readHistory(path: string): Promise<HistoryFile> {
  let text: string;
  try {
    text = await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what: WHAT });
  } catch (thrown) {
    if (!(thrown instanceof SecurityError) || thrown.code !== "file-missing") throw thrown;
    return { history: { previous: null, problems: [] }, lines: [], endsCleanly: true, exists: false };
  }
  const lines = text.split("\n");
  const tail = lines.pop() ?? "";
  // A last line without its end is whole when it parses, and otherwise was cut off by a crash.
  const isTorn = tail !== "" && parsed(tail) === null;
  if (tail !== "" && !isTorn) lines.push(tail);
  return { history: judge(path, lines, isTorn), lines, endsCleanly: tail === "", exists: true };
}

function judge(path: string, lines: readonly string[], isTorn: boolean): AssessmentHistory {
  const problems: AssessmentHistory["problems"][number][] = [];
  if (isTorn) {
    problems.push({
      code: "history-invalid",
      message: `The last line of ${path} was cut off; the run before it is used`,
    });
  }
  let invalid = 0;
  for (const line of lines.toReversed()) {
    const previous = parsed(line);
    if (previous !== null) {
      if (invalid > 0) problems.push(corrupt(path, `its last ${invalid} lines are not valid; an older run is used`));
      return { previous, problems };
    }
    invalid += 1;
  }
  if (invalid > 0) problems.push(corrupt(path, "no line is valid, so how long gaps have been open is not known"));
  return { previous: null, problems };
}

function corrupt(path: string, what: string): AssessmentHistory["problems"][number] {
  return { code: "history-invalid", message: `The assessment history ${path} is damaged: ${what}` };
}

function parsed(line: string): AssessmentRun | null {
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
