import { join as joinPath } from "node:path";
import { parseSudoContinuation, parseSudoJson, parseSudoMessage, type SudoExecution } from "../audit/sudo-record.ts";
import { SecurityError } from "../core/error.ts";
import { type EpochMs, epochFromIso } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { readTextFile } from "../state/read-file.ts";

const LOG_FOLDER = "/var/log";
const JSON_FILES = ["sudo.json", "sudo/sudo.json"];
const OTHER_FILES = ["auth.log", "secure", "sudo.log"];
const MAX_BYTES = 256 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

export type CollectedSudoLog =
  | {
      readonly kind: "read";
      readonly source: string;
      readonly executions: readonly SudoExecution[];
      /** From when on the source tells everything; null when it cannot be known. */
      readonly from: EpochMs | null;
    }
  | { readonly kind: "unreadable"; readonly reason: string };

export interface SudoLogDeps {
  readonly now: () => EpochMs;
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
  /** A file named by a person; then nothing else is looked at. */
  readonly given?: string;
  /** Gives up on a source with more than this. */
  readonly maxBytes?: number;
  /** For tests. */
  readonly logFolder?: string;
}

/** Reads what sudo recorded, from the first place that can be read: its JSON file, the journal, a system log, its own file. */
export async function collectSudoLog(deps: SudoLogDeps, since: EpochMs): Promise<CollectedSudoLog> {
  if (deps.given !== undefined) return (await readFile(deps.given, deps)) ?? unreadable(`${deps.given} cannot be read`);
  const folder = deps.logFolder ?? LOG_FOLDER;
  for (const name of JSON_FILES) {
    const found = await readFile(joinPath(folder, name), deps);
    if (found !== null) return found;
  }
  const journal = await readJournal(deps, since);
  if (journal !== null) return journal;
  for (const name of OTHER_FILES) {
    const found = await readFile(joinPath(folder, name), deps);
    if (found !== null) return found;
  }
  return unreadable(
    "None of sudo's own records can be read by this account: run this as root, join the group adm or systemd-journal, or name a file with --sudo-log",
  );
}

function unreadable(reason: string): CollectedSudoLog {
  return { kind: "unreadable", reason };
}

async function readJournal(
  { runTool, locateTool, maxBytes = MAX_BYTES }: SudoLogDeps,
  since: EpochMs,
): Promise<CollectedSudoLog | null> {
  const journalctl = await locateTool("journalctl");
  if (journalctl === null) return null;
  const result = await runTool({
    file: journalctl,
    args: ["--no-pager", "--output=json", `--since=@${Math.floor(since / 1000)}`, "_COMM=sudo"],
    timeoutMs: TIMEOUT_MS,
    maxBytes,
  });
  if (result.kind === "failed" || result.exitCode !== 0) return null;
  // It says so when other users' messages, and sudo's are such, are kept back.
  if (/not seeing messages|No journal files/i.test(result.stderr)) return null;
  const messages = result.stdout.split("\n").flatMap((line) => journalMessage(line) ?? []);
  return { kind: "read", source: "journal", executions: putTogether(messages), from: null };
}

interface Message {
  readonly at: EpochMs;
  readonly text: string;
}

function journalMessage(line: string): Message | null {
  if (line === "") return null;
  try {
    const { MESSAGE, __REALTIME_TIMESTAMP } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const at = Math.floor(Number(__REALTIME_TIMESTAMP) / 1000);
    // A message that is not UTF-8 is a list of its bytes.
    const text = Array.isArray(MESSAGE) ? Buffer.from(MESSAGE as number[]).toString("utf8") : MESSAGE;
    return typeof text === "string" && Number.isFinite(at) ? { at, text } : null;
  } catch {
    // A line cut at the end of what could be read.
    return null;
  }
}

/** Null when the file cannot be read. */
async function readFile(path: string, { now, maxBytes = MAX_BYTES }: SudoLogDeps): Promise<CollectedSudoLog | null> {
  let text: string;
  try {
    text = await readTextFile(path, { maxBytes, trust: "untrusted", what: "sudo log", followLink: true });
  } catch (thrown) {
    if (thrown instanceof SecurityError) return null;
    throw thrown;
  }
  if (text.startsWith("{")) {
    const executions = parseSudoJson(text);
    return { kind: "read", source: path, executions, from: executions[0]?.at ?? null };
  }
  const messages: Message[] = [];
  let first: EpochMs | null = null;
  for (const line of text.split("\n")) {
    const last = messages.at(-1);
    if (/^ {4}\S/.test(line) && last !== undefined) {
      // sudo's own file breaks long lines.
      messages[messages.length - 1] = { at: last.at, text: `${last.text} ${line.trim()}` };
      continue;
    }
    const [, stamp, rest] = LINE.exec(line) ?? [];
    if (stamp === undefined || rest === undefined) continue;
    const at = timeOf(stamp, now());
    if (at === null) continue;
    first ??= at;
    const message = SUDO_LINE.exec(rest)?.[1] ?? (rest.startsWith(": ") ? rest.slice(2) : null);
    if (message !== null) messages.push({ at, text: message });
  }
  return { kind: "read", source: path, executions: putTogether(messages), from: first };
}

/** "Nov 23 09:38:12" in local time without a year, or ISO-8601, then the rest. */
const LINE = /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?(.*)$/;
/** Host, then the program. */
const SUDO_LINE = /^\S+ sudo(?:\[\d+\])?:(.*)$/;

function timeOf(stamp: string, now: EpochMs): EpochMs | null {
  if (/^\d/.test(stamp)) return epochFromIso(stamp);
  const year = new Date(now).getFullYear();
  const guess = Date.parse(`${stamp} ${year}`);
  // In January, December was last year.
  return guess > now + 86_400_000 ? Date.parse(`${stamp} ${year - 1}`) : guess;
}

/** Puts commands that were too long for one message together again. */
function putTogether(messages: readonly Message[]): readonly SudoExecution[] {
  const executions: SudoExecution[] = [];
  for (const { at, text } of messages) {
    const more = parseSudoContinuation(text);
    const last = executions.findLastIndex(({ user }) => user === more?.user);
    const begun = executions[last];
    if (more !== null && begun !== undefined) {
      executions[last] = { ...begun, command: `${begun.command} ${more.text}` };
      continue;
    }
    const execution = parseSudoMessage(text, at);
    if (execution !== null) executions.push(execution);
  }
  return executions;
}
