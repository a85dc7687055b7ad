import type { ApprovalQuestion, ResolvedCommand } from "../core/elevation.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { notableLimits } from "../core/resource-limits.ts";
import { digestPrefix, type Sha256Hex } from "./digest.ts";
import { ABSOLUTE_MS, IDLE_MS } from "./grant.ts";
import { quoteText, quoteWord } from "./quote.ts";

/** What the place where a question is shown can take, in UTF-16 code units. */
export interface QuestionLimits {
  readonly titleMax: number;
  readonly linesMax: number;
  readonly lineMax: number;
  /** Of all lines, with a line break between them. */
  readonly textMax: number;
  /** Standard input up to so many bytes is shown whole. */
  readonly stdinWholeMax: number;
  /** Of longer input so many bytes are shown from its start, besides its length and hash. */
  readonly stdinPreviewMax: number;
}

export const TERMINAL_LIMITS: QuestionLimits = {
  titleMax: 80,
  linesMax: 100,
  lineMax: 500,
  textMax: 50_000,
  stdinWholeMax: 2_000,
  stdinPreviewMax: 100,
};

/** Source: OpenClaw plugin approvals; longer ones are rejected, not cut. */
export const GATEWAY_LIMITS: QuestionLimits = {
  titleMax: 80,
  linesMax: 512,
  lineMax: 512,
  textMax: 512,
  stdinWholeMax: 100,
  stdinPreviewMax: 20,
};

export interface QuestionText {
  readonly kind: "question";
  readonly title: string;
  /** Safe to print: no control characters, nothing that changes direction or has no width. */
  readonly lines: readonly string[];
}

/**
 * Everything a human agrees to, what matters most first and the asker's claim last. Nothing is ever
 * cut: what does not fit is refused, because a yes to half a command is a yes to nothing.
 */
export function renderQuestion(
  question: ApprovalQuestion,
  limits: QuestionLimits,
  sha256Hex: Sha256Hex,
): QuestionText | Refusal {
  const { command } = question;
  const title = `Run as ${quoteWord(command.target.user)}? [${digestPrefix(question.digest)}]`;
  const lines = [
    `Run as: ${quoteWord(command.target.user)} (uid ${command.target.uid})`,
    "Command, one word per line:",
    ...command.request.argv.map((word) => `  ${quoteWord(word)}`),
    ...programLines(command),
    `In: ${quoteWord(command.cwd.path)}`,
    ...environmentLines(command),
    ...stdinLines(command.request.stdin, limits, sha256Hex),
    `Time limit: ${command.request.timeoutMs / 1000} s`,
    ...limitLines(command),
    `Session: ${quoteWord(question.session.session)} (${question.session.channel})${agentText(question)}`,
    `Digest: ${digestPrefix(question.digest)}`,
    ...question.risks.map((risk) => `RISK: ${quoteText(risk)}`),
    ...(question.isUntrusted ? ["UNTRUSTED: this task took in content from an untrusted source."] : []),
    ...(question.asksToKeep ? [keepText()] : []),
    `Claimed reason (not checked): ${quoteText(command.request.reason)}`,
  ];
  const text = lines.join("\n");
  const longest = Math.max(...lines.map((line) => line.length));
  if (title.length > limits.titleMax) return tooLong("the title", title.length, limits.titleMax);
  if (lines.length > limits.linesMax) return tooLong("the number of lines", lines.length, limits.linesMax);
  if (longest > limits.lineMax) return tooLong("one line", longest, limits.lineMax);
  if (text.length > limits.textMax) return tooLong("the whole question", text.length, limits.textMax);
  return { kind: "question", title, lines };
}

/** What the name leads to, and what can change after the yes without being noticed at a glance. */
function programLines(command: ResolvedCommand): readonly string[] {
  const { binary, interpreter, operands, request } = command;
  const lines: string[] = [];
  if (binary.path !== request.argv[0]) lines.push(`Program: ${quoteWord(binary.path)}`);
  if (binary.realPath !== binary.path) lines.push(`Real file: ${quoteWord(binary.realPath)}`);
  if (interpreter !== null) lines.push(`Script, run by: ${quoteWord(interpreter.path)}`);
  for (const { index, path } of operands) lines.push(`Others can change word ${index}: ${quoteWord(path)}`);
  return lines;
}

/** What could cut the command short beside its time limit, where it is less than usual. */
function limitLines({ limits }: ResolvedCommand): readonly string[] {
  const notable = notableLimits(limits);
  return notable.length === 0 ? [] : [`Limits of the asking process, for the command too: ${notable.join(", ")}`];
}

function environmentLines(command: ResolvedCommand): readonly string[] {
  const names = Object.keys(command.request.env).sort();
  if (names.length === 0) return ["Environment: none"];
  return names.map((name) => `Environment: ${quoteWord(name)} = ${quoteWord(command.request.env[name] ?? "")}`);
}

function stdinLines(stdin: Uint8Array | null, limits: QuestionLimits, sha256Hex: Sha256Hex): readonly string[] {
  if (stdin === null) return ["Standard input: none"];
  const head = `Standard input: ${stdin.length} bytes`;
  if (stdin.length <= limits.stdinWholeMax) return [`${head}:`, ...wholeLines(stdin)];
  const start = quoteBytes(stdin.subarray(0, limits.stdinPreviewMax));
  return [`${head}, NOT shown whole`, `  SHA-256 ${sha256Hex(stdin)}`, `  starts with ${start}`];
}

/** One line of input per line, the line break shown at its end. */
function wholeLines(stdin: Uint8Array): readonly string[] {
  const lines: string[] = [];
  let start = 0;
  while (start < stdin.length) {
    const newline = stdin.indexOf(0x0a, start);
    const end = newline === -1 ? stdin.length : newline + 1;
    lines.push(`  ${quoteBytes(stdin.subarray(start, end))}`);
    start = end;
  }
  return lines;
}

/** As text where the bytes are text; any others as `bytes` in hex. */
function quoteBytes(bytes: Uint8Array): string {
  try {
    return quoteWord(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // Not UTF-8, or cut within a character.
    return `bytes ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
}

function agentText(question: ApprovalQuestion): string {
  return question.session.agent === null ? "" : `, agent ${quoteWord(question.session.agent)}`;
}

function keepText(): string {
  return `KEEP: a yes can keep it: run again unasked, ${IDLE_MS / 60_000} min idle, ${ABSOLUTE_MS / 3_600_000} h at most`;
}

function tooLong(what: string, length: number, max: number): Refusal {
  return refuse("too-long-to-review", `${what} would be ${length} long; ${max} can be shown`);
}
