import { describe, expect, it } from "vitest";
import type { ApprovalQuestion } from "../../../src/core/elevation.ts";
import { createTokenCheck, randomCode } from "../../../src/approve/approval-token.ts";
import { createDenyApprover } from "../../../src/approve/deny.ts";
import {
  type ApprovalTerminal,
  CODE_ALPHABET,
  CODE_LENGTH,
  createTerminalApprover,
  KEEP_WORD,
  type TerminalApproverDeps,
  UNTRUSTED_WORDS,
} from "../../../src/approve/terminal.ts";
import { wrapLine } from "../../../src/approve/wrap-line.ts";
import { sampleCommand, sampleQuestion, sha256Hex, START } from "../../helpers/sample-question.ts";

const CODE = "ABC234";
const NOW = START.wallMs;

interface Talk {
  readonly answer: unknown;
  readonly prompts: readonly string[];
  readonly output: string;
  readonly closed: number;
}

/** One conversation in which a person types these lines; then input ends. */
async function talk(
  typed: readonly (string | (() => string | null))[],
  options: { question?: Partial<ApprovalQuestion>; deps?: Partial<TerminalApproverDeps>; signal?: AbortSignal } = {},
): Promise<Talk> {
  const lines = [...typed];
  const prompts: string[] = [];
  let output = "";
  let closed = 0;
  const terminal: ApprovalTerminal = {
    columns: 60,
    write: async (text) => {
      output += text;
    },
    ask: async (prompt) => {
      prompts.push(prompt);
      const line = lines.shift() ?? null;
      return typeof line === "function" ? line() : line;
    },
    close: async () => {
      closed += 1;
    },
  };
  const approver = createTerminalApprover({
    openTerminal: async () => terminal,
    randomCode: () => CODE,
    now: () => NOW,
    sha256Hex,
    isToken: null,
    ...options.deps,
  });
  const signal = options.signal ?? new AbortController().signal;
  const answer = await approver.ask(sampleQuestion(options.question), signal);
  return { answer: "code" in answer ? answer.code : { keep: answer.keep }, prompts, output, closed };
}

const answerTo = async (...args: Parameters<typeof talk>): Promise<unknown> => (await talk(...args)).answer;
const ONCE = { keep: false };

describe("the terminal approver", () => {
  it("allows once when the code is typed exactly, and closes the terminal", async () => {
    const { answer, output, closed } = await talk([CODE]);
    expect(answer).toEqual(ONCE);
    expect(output).toContain("Level L0");
    expect(output).toContain("Allowed, once.");
    expect(closed).toBe(1);
  });

  it("says who answered, and when", async () => {
    const approver = createDenyApprover(() => NOW);
    expect(await approver.hasRoute()).toBe(false);
    expect(await approver.ask(sampleQuestion(), new AbortController().signal)).toEqual({
      kind: "deny",
      by: { kind: "none", id: "deny" },
      at: NOW,
      code: "no-route",
    });
  });

  it.each(["", "y", "yes", CODE.toLowerCase(), ` ${CODE}`, `${CODE} `, CODE.slice(1), `${CODE}X`, `${CODE}\r`])(
    "does not take %j for the code",
    async (line) => {
      expect(await answerTo([line, line, line, CODE])).toBe("code-wrong");
      expect(await answerTo([line, line, CODE])).toEqual(ONCE);
    },
  );

  it.each(["no", "n", "NO", " no "])("takes %j for no at once", async (line) => {
    expect(await talk([line, CODE])).toMatchObject({ answer: "denied", closed: 1 });
  });

  it("H13: refuses when input ends", async () => {
    expect(await talk([])).toMatchObject({ answer: "approval-expired", closed: 1 });
  });

  it.each(["", "ABC23", "abc234", "ABC2345", "ABC23O", "ABC23\u0000"])(
    "asks nothing when the random source gives %j",
    async (code) => {
      const broken = await talk([code], { deps: { randomCode: () => code } });
      expect(broken).toEqual({ answer: "approval-invalid", prompts: [], output: "", closed: 0 });
    },
  );

  it("refuses what cannot be shown whole, without asking", async () => {
    const command = sampleCommand({ argv: ["/bin/echo", "x".repeat(500)] });
    const { answer, prompts, closed } = await talk([CODE], { question: { command } });
    expect({ answer, prompts, closed }).toEqual({ answer: "too-long-to-review", prompts: [], closed: 1 });
  });

  it("refuses a question that has expired or was withdrawn, without asking", async () => {
    for (const expiresAt of [NOW, Number.NaN]) {
      expect(await talk([CODE], { question: { expiresAt } })).toMatchObject({
        answer: "approval-expired",
        prompts: [],
      });
    }
    expect(await talk([CODE], { signal: AbortSignal.abort() })).toMatchObject({
      answer: "approval-expired",
      prompts: [],
    });
  });

  it("T29: does not count the right code when it comes after the end", async () => {
    let now = NOW;
    const late = (): string => {
      now = NOW + 600_000;
      return CODE;
    };
    expect(await answerTo([late], { deps: { now: () => now } })).toBe("approval-expired");
    const controller = new AbortController();
    const withdrawn = (): string => {
      controller.abort();
      return CODE;
    };
    expect(await answerTo([withdrawn], { signal: controller.signal })).toBe("approval-expired");
  });

  it("has no route where there is no terminal", async () => {
    const none = createTerminalApprover({
      openTerminal: async () => null,
      randomCode: () => CODE,
      now: () => NOW,
      sha256Hex,
      isToken: null,
    });
    expect(await none.hasRoute()).toBe(false);
    expect(await none.ask(sampleQuestion(), new AbortController().signal)).toMatchObject({ code: "no-route" });
  });

  it("asks one question at a time", async () => {
    const opened = Promise.withResolvers<null>();
    const approver = createTerminalApprover({
      openTerminal: async () => await opened.promise,
      randomCode: () => CODE,
      now: () => NOW,
      sha256Hex,
      isToken: null,
    });
    const { signal } = new AbortController();
    const first = approver.ask(sampleQuestion(), signal);
    expect(await approver.ask(sampleQuestion(), signal)).toMatchObject({ code: "too-many-pending" });
    opened.resolve(null);
    expect(await first).toMatchObject({ code: "no-route" });
    expect(await approver.ask(sampleQuestion(), signal)).toMatchObject({ code: "no-route" });
  });

  it("closes the terminal when it fails, and the failure is no yes", async () => {
    let closed = 0;
    const approver = createTerminalApprover({
      openTerminal: async () => ({
        columns: 80,
        write: async () => undefined,
        ask: async () => await Promise.reject(new Error("gone")),
        close: async () => {
          closed += 1;
        },
      }),
      randomCode: () => CODE,
      now: () => NOW,
      sha256Hex,
      isToken: null,
    });
    await expect(approver.ask(sampleQuestion(), new AbortController().signal)).rejects.toThrow("gone");
    expect(closed).toBe(1);
  });

  it("starts with plain text, whatever ran in the terminal before", async () => {
    const { output } = await talk([]);
    expect(output.startsWith('\u001b(B\u000f\u001b[0m\nRun as "root"? [1f58b914]\n')).toBe(true);
  });

  it("H11: marks every row that continues a line, so that a word cannot pose as a line", async () => {
    const word = `${"x".repeat(57)}Run as: "nobody" (uid 65534)`;
    const { output } = await talk([], { question: { command: sampleCommand({ argv: ["/bin/rm", word] }) } });
    const rows = output.split("\n");
    expect(rows.filter((row) => row.startsWith("Run as: "))).toEqual(['Run as: "root" (uid 0)']);
    expect(rows.filter((row) => row.includes("nobody"))).toEqual(['    | xRun as: \\"nobody\\" (uid 65534)"']);
  });
});

describe("the confirmation of an untrusted source", () => {
  const untrusted = { question: { isUntrusted: true } };

  it("comes before the code and has words of its own", async () => {
    expect(await talk([UNTRUSTED_WORDS, CODE], untrusted)).toMatchObject({ answer: ONCE });
    const first = await talk([CODE, "yes", "y", UNTRUSTED_WORDS], untrusted);
    expect(first.answer).toBe("untrusted-not-confirmed");
    expect(first.prompts.join("")).not.toContain(CODE);
  });

  it("is not asked for where the source is trusted", async () => {
    expect(await answerTo([UNTRUSTED_WORDS, CODE])).toEqual(ONCE);
    expect((await talk([CODE])).prompts).toHaveLength(1);
  });
});

describe("H08: the approval token", () => {
  const deps = { isToken: createTokenCheck("s3cret") };

  it("is asked for after the code, and without it nothing is allowed", async () => {
    expect(await answerTo([CODE, "s3cret"], { deps })).toEqual(ONCE);
    expect(await answerTo(["s3cret", CODE, "wrong", "s3cret"], { deps })).toEqual(ONCE);
    expect(await answerTo([CODE], { deps })).toBe("approval-expired");
    expect(await answerTo([CODE, "", "S3CRET", "s3cret "], { deps })).toBe("token-wrong");
    expect(await answerTo([CODE, "no", "no", "no"], { deps })).toBe("token-wrong");
  });

  it.each([
    ["s3cret", "s3cret", true],
    ["s3cret", "s3cre", false],
    ["s3cret", "", false],
    ["", "", false],
    ["é", "e\u0301", false],
  ])("configured as %j, %j typed: %s", (expected, typed, isRight) => {
    expect(createTokenCheck(expected)(typed)).toBe(isRight);
  });
});

describe("keeping the session", () => {
  const question = { asksToKeep: true };

  it("is a question of its own, after everything else", async () => {
    expect(await answerTo([CODE, KEEP_WORD], { question })).toEqual({ keep: true });
    const deps = { isToken: createTokenCheck("s3cret") };
    expect(await answerTo([CODE, "s3cret", KEEP_WORD], { question, deps })).toEqual({ keep: true });
  });

  it.each(["", "no", "y", "KEEP", "keep "])("is not agreed to by %j", async (line) => {
    expect(await answerTo([CODE, line], { question })).toEqual(ONCE);
  });

  it("is not asked when nobody wants it, and no answer at all allows nothing", async () => {
    expect((await talk([CODE, KEEP_WORD])).answer).toEqual(ONCE);
    expect(await answerTo([CODE], { question })).toBe("approval-expired");
  });
});

describe("randomCode", () => {
  it("gives codes of the alphabet, new each time", () => {
    const codes = Array.from({ length: 200 }, randomCode);
    expect(
      codes.every(
        (code) => code.length === CODE_LENGTH && Array.from(code).every((char) => CODE_ALPHABET.includes(char)),
      ),
    ).toBe(true);
    expect(new Set(codes).size).toBeGreaterThan(190);
    expect(CODE_ALPHABET).not.toMatch(/[0O1IL]/);
  });
});

describe("wrapLine", () => {
  it.each([
    ["short", ["short"]],
    ["", [""]],
    ["0123456789", ["012345678", "    | 9"]],
    ["0123456789abcdef", ["012345678", "    | 9ab", "    | cde", "    | f"]],
    ["日本語日本語", ["日本語日", "    | 本", "    | 語"]],
  ])("breaks %j", (line, rows) => {
    expect(wrapLine(line, 10)).toEqual(rows);
  });
});
