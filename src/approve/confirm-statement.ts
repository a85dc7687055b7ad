import { type ApprovalTerminal, isCode, PLAIN_TEXT, type TerminalApproverDeps } from "./terminal.ts";
import { wrapLine } from "./wrap-line.ts";

/** Long enough to read the statement and to fetch somebody. */
const WAIT_MS = 600_000;
const TRIES = 3;

export type StatementDeps = Pick<TerminalApproverDeps, "openTerminal" | "randomCode" | "isToken">;
export type StatementAnswer = "confirmed" | "refused" | "no-terminal";

/**
 * Shows a statement on the controlling terminal and waits for a human's yes to it: a random code that is
 * printed with it, so that nothing typed, piped or scripted before can be one. Whoever can read and write
 * this terminal can answer.
 * @param lines visible text, already escaped
 */
export async function confirmStatement(deps: StatementDeps, lines: readonly string[]): Promise<StatementAnswer> {
  const code = deps.randomCode();
  // A broken source of randomness must not make an empty line the right answer.
  if (!isCode(code)) return "refused";
  const terminal = await deps.openTerminal();
  if (terminal === null) return "no-terminal";
  try {
    const signal = AbortSignal.timeout(WAIT_MS);
    const rows = lines.flatMap((line) => wrapLine(line, terminal.columns));
    await terminal.write(`${PLAIN_TEXT}${rows.join("\n")}\n\nType \`no\` to refuse.\n`);
    const prompt = `To agree to exactly this, type the code ${code}\n> `;
    const isAgreed =
      (await asks(terminal, prompt, (typed) => typed === code, { signal, isHidden: false })) &&
      (deps.isToken === null ||
        (await asks(terminal, "Approval token (not shown): ", deps.isToken, { signal, isHidden: true })));
    await terminal.write(isAgreed ? "\nAgreed.\n" : "\nRefused. Nothing was changed.\n");
    return isAgreed ? "confirmed" : "refused";
  } finally {
    await terminal.close();
  }
}

async function asks(
  terminal: ApprovalTerminal,
  prompt: string,
  isRight: (typed: string) => boolean,
  { signal, isHidden }: { readonly signal: AbortSignal; readonly isHidden: boolean },
): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const typed = await terminal.ask(prompt, signal, isHidden);
    if (typed === null) return false;
    if (isRight(typed)) return true;
    if (!isHidden && /^no?$/i.test(typed.trim())) return false;
    await terminal.write("That is not it.\n");
  }
  return false;
}
