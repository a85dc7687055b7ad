import { closeSync, constants, openSync, readSync } from "node:fs";
import { ReadStream, WriteStream } from "node:tty";
import { SecurityError } from "../core/error.ts";

/** The terminal that controls this process, apart from standard input and output. */
export interface ControllingTerminal {
  /** Width, at least 40. */
  readonly columns: number;
  write(text: string): Promise<void>;
  /**
   * Throws away whatever was typed before (a line without its end included), shows the prompt, and
   * gives the next line without its end, or null when input has ended or `signal` fires. Hidden
   * input is not shown.
   * @throws {SecurityError} tool-output-too-large when something types without end; file-unreadable
   */
  ask(prompt: string, signal: AbortSignal, isHidden: boolean): Promise<string | null>;
  close(): Promise<void>;
}

const DEVICE = "/dev/tty";
const MIN_COLUMNS = 40;
const DEFAULT_COLUMNS = 80;
/** Nobody types that much between two questions. */
const MAX_FLUSH_BYTES = 1_000_000;
/** The kernel ends a typed line at 4096 bytes. */
const MAX_LINE_CHARS = 4_096;

/** Opens the controlling terminal; null where this process has none. */
export async function openControllingTerminal(): Promise<ControllingTerminal | null> {
  let input: ReadStream | null = null;
  let output: WriteStream | null = null;
  try {
    input = new ReadStream(openSync(DEVICE, constants.O_RDONLY | constants.O_NOCTTY));
    output = new WriteStream(openSync(DEVICE, constants.O_WRONLY | constants.O_NOCTTY));
    const flushFd = openSync(DEVICE, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return makeTerminal(input, output, flushFd);
  } catch {
    // ENXIO and ENOENT mean that there is none; with any other failure nobody can be asked either.
    input?.destroy();
    output?.destroy();
    return null;
  }
}

function makeTerminal(input: ReadStream, output: WriteStream, flushFd: number): ControllingTerminal {
  let isClosed = false;
  input.setEncoding("utf8");
  // Without listeners a terminal that goes away would end the process.
  input.on("error", () => undefined);
  output.on("error", () => undefined);
  const write = async (text: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    output.write(text, (error) => (error ? reject(error) : resolve()));
    await promise;
  };
  return {
    columns: Math.max(MIN_COLUMNS, output.columns || DEFAULT_COLUMNS),
    write,
    ask: async (prompt, signal, isHidden) => {
      if (signal.aborted || input.destroyed) return null;
      // Line by line the terminal hides a line that has no end yet; raw, it hands over every byte.
      setRaw(input, true);
      try {
        drain(flushFd);
        // A paused stream still reads one piece ahead.
        while (input.read() !== null);
        // Shown input is edited by the terminal; hidden input stays raw, or it would be echoed.
        if (!isHidden) setRaw(input, false);
        await write(prompt);
        return await readLine(input, signal, isHidden ? typeHidden : typeShown);
      } finally {
        if (!input.destroyed) setRaw(input, false);
        if (isHidden) await write("\n");
      }
    },
    close: async () => {
      input.destroy();
      output.destroy();
      if (!isClosed) closeSync(flushFd);
      isClosed = true;
    },
  };
}

/** Reads until the terminal has nothing more. */
function drain(fd: number): void {
  const buffer = Buffer.alloc(65_536);
  for (let total = 0; total < MAX_FLUSH_BYTES;) {
    let count: number;
    try {
      count = readSync(fd, buffer);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EAGAIN") return;
      throw new SecurityError("file-unreadable", "The terminal cannot be read", { cause });
    }
    if (count === 0) return;
    total += count;
  }
  throw new SecurityError("tool-output-too-large", "Something types into the terminal without end");
}

/** Node reports a failure to change the mode as an event only. */
function setRaw(input: ReadStream, isRaw: boolean): void {
  input.setRawMode(isRaw);
  if (input.isRaw !== isRaw) {
    throw new SecurityError("file-unreadable", "The terminal's mode cannot be changed");
  }
}

/** Adds a character to the line, or tells that the line or the input has ended. */
type TypeChar = (typed: string[], char: string) => "more" | "line" | "ended";

async function readLine(input: ReadStream, signal: AbortSignal, typeChar: TypeChar): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const typed: string[] = [];
  const onData = (chunk: string): void => {
    for (const char of chunk) {
      const end = typeChar(typed, char);
      if (end === "more" && typed.length < MAX_LINE_CHARS) continue;
      // What follows the line was typed before the next question, so it is left behind.
      resolve(end === "line" ? typed.join("") : null);
      return;
    }
  };
  const onEnd = (): void => resolve(null);
  input.on("data", onData).on("end", onEnd).on("close", onEnd).on("error", onEnd);
  signal.addEventListener("abort", onEnd, { once: true });
  // It may have fired while the prompt was written.
  if (signal.aborted) onEnd();
  try {
    input.resume();
    return await promise;
  } finally {
    input.pause();
    input.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onEnd);
    signal.removeEventListener("abort", onEnd);
  }
}

/** The terminal has done the editing. */
const typeShown: TypeChar = (typed, char) => {
  if (char === "\n") return "line";
  typed.push(char);
  return "more";
};

/** Raw, nobody but us erases a character or the line, or sees Ctrl-C and Ctrl-D. */
const typeHidden: TypeChar = (typed, char) => {
  switch (char) {
    case "\r":
    case "\n":
      return "line";
    case "\u0003":
    case "\u0004":
      return "ended";
    case "\u0008":
    case "\u007f":
      typed.pop();
      return "more";
    case "\u0015":
      typed.length = 0;
      return "more";
    default:
      typed.push(char);
      return "more";
  }
};
