import { createInterface, type Interface } from "node:readline";
import type { Paint } from "../report/terminal-layout.ts";

/** Where a command's words go. The result goes to `out`, everything else to `note`. */
export interface Terminal {
  readonly paint: Paint;
  readonly columns: number;
  /** True when a person can be asked: input and notes are both a terminal. */
  readonly canAsk: boolean;
  out(text: string): void;
  note(text: string): void;
  /** To stderr as it is: what a child wrote there. */
  error(text: string): void;
  /** Shows what goes on, once work has taken longer than a second; replaced by the next call. */
  progress(step: string): void;
  /** Takes the progress line away. */
  settle(): void;
  /** One line from the person, or null when input ends. */
  ask(question: string): Promise<string | null>;
  /** Lets go of the keyboard. */
  close(): void;
}

const PROGRESS_AFTER_MS = 1_000;
/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const sgr =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;
const plain = (text: string): string => text;

const COLOURED: Paint = { bold: sgr(1), dim: sgr(2), red: sgr(31), yellow: sgr(33), green: sgr(32), cyan: sgr(36) };
const PLAIN: Paint = { bold: plain, dim: plain, red: plain, yellow: plain, green: plain, cyan: plain };

/** The real terminal. `NO_COLOR` is honoured (https://no-color.org). */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const isColoured = stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  const started = performance.now();
  let hasLine = false;
  let reader: Interface | undefined;
  let answers: AsyncIterator<string> | undefined;
  const settle = (): void => {
    if (hasLine) stderr.write("\r\u001b[2K");
    hasLine = false;
  };
  return {
    paint: isColoured ? COLOURED : PLAIN,
    columns: Math.max(40, Math.min(stdout.columns || 100, 120)),
    canAsk: stdin.isTTY && stderr.isTTY,
    out: (text) => {
      settle();
      stdout.write(text);
    },
    note: (text) => {
      settle();
      stderr.write(`${text}\n`);
    },
    error: (text) => {
      settle();
      stderr.write(text);
    },
    progress: (step) => {
      if (performance.now() - started < PROGRESS_AFTER_MS) return;
      if (!stderr.isTTY) {
        stderr.write(`… ${step}\n`);
        return;
      }
      settle();
      stderr.write(`… ${step}`);
      hasLine = true;
    },
    settle,
    ask: async (question) => {
      settle();
      // One reader for all questions: a new one each time would lose what was typed ahead.
      reader ??= createInterface({ input: stdin, output: stderr }).on("SIGINT", () => {
        // While a question is open the terminal hands Ctrl-C over as a key; it must not count as the end of
        // input, which saves what was decided. Nothing is being written now.
        stderr.write("\n");
        process.exit(EXIT_INTERRUPTED);
      });
      answers ??= reader[Symbol.asyncIterator]();
      reader.setPrompt(question);
      reader.prompt();
      const answer = await answers.next();
      return answer.done === true ? null : answer.value;
    },
    close: () => reader?.close(),
  };
}
