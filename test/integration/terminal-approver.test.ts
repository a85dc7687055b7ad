import { join } from "node:path";
import { describe, expect } from "vitest";
import { type PtyRun, type PtyStep, runInPty } from "../helpers/pty.ts";
import { itWith } from "../helpers/requires.ts";

const BIN = join(import.meta.dirname, "../fixtures/bin");
const ASK = join(BIN, "ask-on-terminal.ts");
const CODE: PtyStep = { expect: "type the code (\\w+)\\r\\n> ", send: "{1}\n" };
const typeAt = (expected: string, send: string): PtyStep => ({ expect: expected, send });
const TYPED = "type the code \\w+\\r\\n> ";
const SOURCE = "type: I checked the source\\r\\n> ";

async function ask(
  question: Readonly<Record<string, unknown>>,
  steps: readonly PtyStep[],
  options: { readonly typedBefore?: string; readonly isControlling?: boolean } = {},
): Promise<PtyRun> {
  return await runInPty([process.execPath, ASK, JSON.stringify(question)], { steps, ...options });
}

function answerOf(run: PtyRun): unknown {
  const line = /ANSWER (.*)\r\n/.exec(run.output)?.[1];
  return line === undefined ? run : JSON.parse(line);
}

const ALLOWED = { hasRoute: true, kind: "allow-once", keep: false };
const denied = (code: string): object => ({ hasRoute: true, kind: "deny", code });

describe("the terminal approver, on a real terminal", () => {
  itWith(["python3"], "allows once when the code is typed, and leaves the terminal as it was", async () => {
    const run = await ask({}, [CODE]);
    expect(answerOf(run)).toEqual(ALLOWED);
    expect(run.isRestored).toBe(true);
  });

  itWith(["python3"], "H07: ignores whole lines that were typed before the question", async () => {
    const typedBefore = "I checked the source\ny\nyes\nkeep\n";
    const run = await ask({ isUntrusted: true }, [typeAt(SOURCE, "no\n")], { typedBefore });
    expect(answerOf(run)).toEqual(denied("denied"));
    // Neither was the confirmation taken nor a try used up.
    expect(run.output).not.toContain("type the code");
    expect(run.output).not.toContain("That is not it");
  });

  itWith(["python3"], "H07: ignores the start of a line that was typed before the question", async () => {
    expect(answerOf(await ask({}, [CODE], { typedBefore: "no, neve" }))).toEqual(ALLOWED);
  });

  itWith(["python3"], "H07: takes one line for each question and leaves the rest behind", async () => {
    const steps = [CODE, typeAt("once only.\\r\\n> ", "no\n")];
    const run = await ask({ asksToKeep: true }, [{ ...CODE, send: "{1}\nkeep\nkeep\n" }, ...steps.slice(1)]);
    expect(answerOf(run)).toEqual(ALLOWED);
  });

  itWith(["python3"], "H07: ignores what was typed between two questions", async () => {
    const steps = [typeAt("FIRST ", "a\n"), typeAt("PAUSE ", "early\nearl"), typeAt("SECOND ", "late\n")];
    expect(answerOf(await runInPty([process.execPath, join(BIN, "ask-twice.ts")], { steps }))).toBe("late");
  });

  itWith(["python3", "yes"], "H02, H03: does not read standard input, so that `yes |` approves nothing", async () => {
    const command = `/usr/bin/yes | "$0" "$1" '{"isUntrusted":true}'`;
    const run = await runInPty(["/bin/sh", "-c", command, process.execPath, ASK], {
      steps: [typeAt(SOURCE, "\u0004")],
    });
    expect(answerOf(run)).toEqual(denied("approval-expired"));
    expect(run.output).not.toContain("That is not it");
  });

  itWith(["python3"], "refuses after three wrong codes", async () => {
    const wrong = typeAt(TYPED, "y\n");
    expect(answerOf(await ask({}, [wrong, wrong, wrong]))).toEqual(denied("code-wrong"));
  });

  itWith(["python3"], "H13: gives an answer when input ends, at once", async () => {
    expect(answerOf(await ask({}, [typeAt(TYPED, "\u0004")]))).toEqual(denied("approval-expired"));
  });

  itWith(["python3"], "refuses when nobody answers in time", async () => {
    const run = await ask({ ttlMs: 300 }, []);
    expect(answerOf(run)).toEqual(denied("approval-expired"));
    expect(run.isRestored).toBe(true);
  });

  itWith(["python3"], "T34: has no route without a controlling terminal, whatever standard input is", async () => {
    const run = await ask({}, [], { isControlling: false });
    expect(answerOf(run)).toEqual({ hasRoute: false, kind: "deny", code: "no-route" });
  });

  itWith(["python3"], "keeps the session only after its own question", async () => {
    const run = await ask({ asksToKeep: true }, [CODE, typeAt("once only.\\r\\n> ", "keep\n")]);
    expect(answerOf(run)).toEqual({ ...ALLOWED, keep: true });
  });

  itWith(["python3"], "H08: wants the token after the code and does not show it", async () => {
    const token = typeAt("not shown\\): ", "wrong\u0015s3crx\u007fet\r");
    const run = await ask({ token: "s3cret" }, [CODE, token]);
    expect(answerOf(run)).toEqual(ALLOWED);
    expect(run.output).not.toMatch(/s3cr|wrong/);
    expect(run.isRestored).toBe(true);
  });

  itWith(["python3"], "H08: refuses a wrong token three times, and at once on Ctrl-C", async () => {
    const wrong = typeAt("not shown\\): ", "S3cret\r");
    expect(answerOf(await ask({ token: "s3cret" }, [CODE, wrong, wrong, wrong]))).toEqual(denied("token-wrong"));
    const interrupted = await ask({ token: "s3cret" }, [CODE, typeAt("not shown\\): ", "s3cret\u0003")]);
    expect(answerOf(interrupted)).toEqual(denied("approval-expired"));
    expect(interrupted.isRestored).toBe(true);
  });
});
