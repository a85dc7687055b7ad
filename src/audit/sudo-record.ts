/** What sudo itself recorded: its messages in a system's log or its own file, and its JSON file. */
import type { EpochMs } from "../core/time.ts";

/** One command that sudo ran for a user. */
export interface SudoExecution {
  readonly at: EpochMs;
  readonly user: string;
  readonly runAs: string;
  /** As sudo wrote it: words joined by blanks, quoted by newer versions, secrets in clear. */
  readonly command: string;
}

const MESSAGE = /^\s*(\S+) : (.*)$/s;

/**
 * Reads the text after "sudo:" in a system's log, or after the time in sudo's own file. Null for anything
 * but a command that was run: refusals, listings, ends of commands, other messages.
 */
export function parseSudoMessage(message: string, at: EpochMs): SudoExecution | null {
  const [, user, rest] = MESSAGE.exec(message) ?? [];
  if (user === undefined || rest === undefined) return null;
  const start = rest.indexOf("COMMAND=");
  // The command is the last field and may hold anything; only what stands before it can be taken apart.
  if (start === -1) return null;
  const fields = rest.slice(0, start).split(" ; ");
  const runAs = fields.find((field) => field.startsWith("USER="))?.slice(5);
  // A refusal begins with its reason; everything else begins with a field.
  if (runAs === undefined || !/^[A-Z]+=/.test(fields[0] ?? "")) return null;
  const command = rest.slice(start + 8);
  if (/ ; (?:EXIT|SIGNAL)=\S+$/.test(command) || /^(?:list|validate)(?: |$)/.test(command)) return null;
  return { at, user, runAs: runAs.trim(), command };
}

/** The rest of a command that was too long for one message; null when the message is something else. */
export function parseSudoContinuation(message: string): { readonly user: string; readonly text: string } | null {
  const [, user, text] = /^\s*(\S+) : \(command continued\) (.*)$/s.exec(message) ?? [];
  return user === undefined || text === undefined ? null : { user, text };
}

const ENTRY_START = /^ {4}"([a-z_]+)": \{$/;
const ENTRY_END = /^ {4}\},?$/;

/** Reads a log file of `log_format=json`. Its one object repeats its keys, so it is taken apart by its lines. */
export function parseSudoJson(text: string): readonly SudoExecution[] {
  const found: SudoExecution[] = [];
  let kind: string | null = null;
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    const start = ENTRY_START.exec(line)?.[1];
    if (kind === null && start !== undefined) {
      kind = start;
      lines = [];
    } else if (kind !== null && ENTRY_END.test(line)) {
      const execution = kind === "accept" ? readAccept(lines.join("\n")) : null;
      if (execution !== null) found.push(execution);
      kind = null;
    } else {
      lines.push(line);
    }
  }
  return found;
}

function readAccept(body: string): SudoExecution | null {
  let entry: Readonly<Record<string, unknown>>;
  try {
    entry = JSON.parse(`{${body}}`) as Readonly<Record<string, unknown>>;
  } catch {
    // An entry being written just now.
    return null;
  }
  const { submituser, runuser, runargv, command, server_time } = entry;
  const hasTime = typeof server_time === "object" && server_time !== null && "seconds" in server_time;
  const seconds = hasTime ? server_time.seconds : undefined;
  if (typeof submituser !== "string" || typeof runuser !== "string" || typeof seconds !== "number") return null;
  if (typeof command !== "string" || !Array.isArray(runargv)) return null;
  return { at: seconds * 1000, user: submituser, runAs: runuser, command: [command, ...runargv.slice(1)].join(" ") };
}
