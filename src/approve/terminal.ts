import type { ApprovalAnswer, ApprovalQuestion, Approver, ApproverIdentity } from "../core/elevation.ts";
import type { RefusalCode } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";
import type { Sha256Hex } from "../grant/digest.ts";
import { renderQuestion, TERMINAL_LIMITS } from "../grant/question-text.ts";
import { wrapLine } from "./wrap-line.ts";

/** The controlling terminal of this process; never its standard input. */
export interface ApprovalTerminal {
  /** Width, at least 40. */
  readonly columns: number;
  write(text: string): Promise<void>;
  /**
   * Throws away whatever was typed before, shows the prompt, and gives the next line without its
   * end, or null when input has ended or `signal` fires. Hidden input is not shown.
   */
  ask(prompt: string, signal: AbortSignal, isHidden: boolean): Promise<string | null>;
  close(): Promise<void>;
}

export interface TerminalApproverDeps {
  /** Null: this process has no controlling terminal. */
  readonly openTerminal: () => Promise<ApprovalTerminal | null>;
  /** Six characters of CODE_ALPHABET, new and unguessable each time. */
  readonly randomCode: () => string;
  readonly now: () => EpochMs;
  readonly sha256Hex: Sha256Hex;
  /** Tells whether a typed text is the configured approval token; null: none is configured. */
  readonly isToken: ((typed: string) => boolean) | null;
}

/** Without letters and digits that look alike. */
export const CODE_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789";
export const CODE_LENGTH = 6;
/** What confirms that content from an untrusted source may lead to a privileged command. */
export const UNTRUSTED_WORDS = "I checked the source";
export const KEEP_WORD = "keep";

const TRIES = 3;
const MAX_WAIT_MS = 600_000;
const BY: ApproverIdentity = { kind: "terminal", id: "controlling terminal" };
/**
 * Back to plain, visible text: what ran here before may have left colours, concealed text or
 * another character set behind.
 */
export const PLAIN_TEXT = "\u001b(B\u000f\u001b[0m\n";

/**
 * Asks on the controlling terminal. The yes is a random code that is printed with the question, so
 * nothing typed, piped or scripted before can be one. Whoever can read and write this terminal can
 * answer: deployment level L0, and the question says so.
 */
export function createTerminalApprover(deps: TerminalApproverDeps): Approver {
  let isAsking = false;
  return {
    name: "terminal",
    hasRoute: async () => {
      const terminal = await deps.openTerminal();
      await terminal?.close();
      return terminal !== null;
    },
    ask: async (question, signal) => {
      // Two questions on one screen would take each other's answers.
      if (isAsking) return deny(deps, "too-many-pending");
      isAsking = true;
      try {
        return await askOnTerminal(deps, question, signal);
      } finally {
        isAsking = false;
      }
    },
  };
}

async function askOnTerminal(
  deps: TerminalApproverDeps,
  question: ApprovalQuestion,
  signal: AbortSignal,
): Promise<ApprovalAnswer> {
  const remainingMs = question.expiresAt - deps.now();
  if (signal.aborted || !(remainingMs > 0)) return deny(deps, "approval-expired");
  const code = deps.randomCode();
  // A broken source of randomness must not make an empty line the right answer.
  if (!isCode(code)) return deny(deps, "approval-invalid");
  const terminal = await deps.openTerminal();
  if (terminal === null) return deny(deps, "no-route");
  try {
    const ends = AbortSignal.any([signal, AbortSignal.timeout(Math.min(remainingMs, MAX_WAIT_MS))]);
    const result = await converse(deps, terminal, question, code, ends);
    const isLate = ends.aborted || !(deps.now() < question.expiresAt);
    const answer: ApprovalAnswer =
      typeof result === "string"
        ? deny(deps, isLate ? "approval-expired" : result)
        : isLate
          ? deny(deps, "approval-expired")
          : { kind: "allow-once", by: BY, at: deps.now(), keep: result.keep };
    await terminal.write(`\n${endText(answer)}\n`);
    return answer;
  } finally {
    await terminal.close();
  }
}

/** The whole conversation: what was agreed to, or why not. */
async function converse(
  deps: TerminalApproverDeps,
  terminal: ApprovalTerminal,
  question: ApprovalQuestion,
  code: string,
  signal: AbortSignal,
): Promise<{ readonly keep: boolean } | RefusalCode> {
  const text = renderQuestion(question, TERMINAL_LIMITS, deps.sha256Hex);
  if (text.kind === "refused") return text.code;
  const rows = [text.title, "", ...text.lines].flatMap((line) => wrapLine(line, terminal.columns));
  await terminal.write(`${PLAIN_TEXT}${rows.join("\n")}\n\n`);
  await terminal.write(
    "Level L0: a program that can type into this terminal can answer as well.\nType `no` to refuse.\n",
  );
  if (question.isUntrusted) {
    const source = await askFor(
      terminal,
      `The content behind this came from an untrusted source. To go on, type: ${UNTRUSTED_WORDS}\n> `,
      (typed) => typed === UNTRUSTED_WORDS,
      "untrusted-not-confirmed",
      signal,
    );
    if (source !== "yes") return source;
  }
  const yes = await askFor(
    terminal,
    `${text.title} To allow exactly this, type the code ${code}\n> `,
    (typed) => typed === code,
    "code-wrong",
    signal,
  );
  if (yes !== "yes") return yes;
  if (deps.isToken !== null) {
    const token = await confirmToken(terminal, deps.isToken, signal);
    if (token !== "yes") return token;
  }
  if (!question.asksToKeep) return { keep: false };
  return await askToKeep(terminal, signal);
}

/** Asks for the approval token, unseen. The last word of `OPENCLAW_APPROVAL_TOKEN`: only a human's typing counts. */
async function confirmToken(
  terminal: ApprovalTerminal,
  isToken: (typed: string) => boolean,
  signal: AbortSignal,
): Promise<"yes" | RefusalCode> {
  return await askFor(terminal, "Approval token (not shown): ", isToken, "token-wrong", signal, true);
}

async function askToKeep(
  terminal: ApprovalTerminal,
  signal: AbortSignal,
): Promise<{ readonly keep: boolean } | RefusalCode> {
  const prompt = `May the same command run again without asking, for up to 30 idle minutes and 2 hours?\nType ${KEEP_WORD} to agree, anything else for this once only.\n> `;
  const typed = await terminal.ask(prompt, signal, false);
  if (typed === null) return "approval-expired";
  return { keep: typed === KEEP_WORD };
}

/** Up to three tries, each on input that was typed after its prompt. `no` ends it. */
async function askFor(
  terminal: ApprovalTerminal,
  prompt: string,
  isRight: (typed: string) => boolean,
  wrong: RefusalCode,
  signal: AbortSignal,
  isHidden = false,
): Promise<"yes" | RefusalCode> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const typed = await terminal.ask(prompt, signal, isHidden);
    if (typed === null) return "approval-expired";
    if (isRight(typed)) return "yes";
    if (!isHidden && /^no?$/i.test(typed.trim())) return "denied";
    await terminal.write("That is not it.\n");
  }
  return wrong;
}

export function isCode(code: string): boolean {
  return code.length === CODE_LENGTH && Array.from(code).every((char) => CODE_ALPHABET.includes(char));
}

function deny(deps: TerminalApproverDeps, code: RefusalCode): ApprovalAnswer {
  return { kind: "deny", by: BY, at: deps.now(), code };
}

function endText(answer: ApprovalAnswer): string {
  if (answer.kind === "deny") return `Refused (${answer.code}). Nothing was run.`;
  return answer.keep ? "Allowed, and kept." : "Allowed, once.";
}
