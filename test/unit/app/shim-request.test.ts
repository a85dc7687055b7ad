import { describe, expect, it } from "vitest";
import type { RunResult } from "../../../src/app/elevation-result.ts";
import { answerShimRequest } from "../../../src/app/shim-request.ts";
import type { AuditEvent } from "../../../src/audit/audit-event.ts";
import type { ShimReply } from "../../../src/core/shim.ts";
import { SUDO_REFUSAL_CODES } from "../../../src/shell/sudo-refusal.ts";

const SESSION = { session: "task-a", agent: "main", channel: "gateway" } as const;
const COMPLETED: RunResult = {
  status: "completed",
  exitCode: 0,
  stdout: "not repeated",
  stderr: "",
  truncated: false,
  durationMs: 1,
  digest: "d",
  auditSeq: 1,
  message: "The command ended.",
};

interface Answered {
  readonly reply: ShimReply;
  readonly raw: readonly unknown[];
  readonly sessions: readonly unknown[];
  readonly events: readonly AuditEvent[];
}

async function answer(
  words: readonly string[],
  options: {
    result?: Partial<RunResult>;
    name?: string;
    stdin?: Uint8Array;
    reason?: string;
    record?: () => never;
  } = {},
): Promise<Answered> {
  const [raw, sessions, events]: [unknown[], unknown[], AuditEvent[]] = [[], [], []];
  const reply = await answerShimRequest(
    {
      runPrivileged: async (request, session) => {
        raw.push(request);
        sessions.push(session);
        return { ...COMPLETED, ...options.result };
      },
      record: async (event) => {
        options.record?.();
        events.push(event);
      },
      findCommand: async (name) => (name === "id" ? "/usr/bin/id" : null),
    },
    { name: options.name ?? "sudo", words, cwd: "/srv", reason: options.reason ?? null, stdin: options.stdin ?? null },
    SESSION,
    {},
  );
  return { reply, raw, sessions, events };
}

describe("a command line of the shim", () => {
  it("becomes a request with everything it says, of the session whose token it has", async () => {
    const words = ["-k", "-n", "-u", "www-data", "-D", "/tmp", "-T", "5", "LANG=C", "--", "id", "-u"];
    const { raw, sessions, reply } = await answer(words, { stdin: Buffer.from("x"), reason: "why" });
    expect(raw).toEqual([
      {
        argv: ["/usr/bin/id", "-u"],
        reason: "why",
        runAs: "www-data",
        cwd: "/tmp",
        env: { LANG: "C" },
        stdin: Buffer.from("x"),
        timeoutMs: 5_000,
        isNonInteractive: true,
        isFresh: true,
      },
    ]);
    expect(sessions).toEqual([{ ...SESSION, channel: "shim" }]);
    expect(reply).toEqual({ kind: "exit", exitCode: 0, text: "" });
  });

  it("has half an hour, the caller's folder and a reason of its own unless it says otherwise", async () => {
    const { raw } = await answer(["/usr/bin/id"]);
    expect(raw).toEqual([
      {
        argv: ["/usr/bin/id"],
        reason: "none given (called as sudo)",
        runAs: "root",
        cwd: "/srv",
        env: {},
        timeoutMs: 1_800_000,
        isNonInteractive: false,
        isFresh: false,
      },
    ]);
  });

  it("is passed on only as one of the eleven words, and recorded", async () => {
    const words = "-h --help -V --version -k --reset-timestamp -K --remove-timestamp -l --list -ll".split(" ");
    for (const word of words) {
      const { reply, raw, events } = await answer([word]);
      expect([reply, raw, events.map(({ event }) => event)]).toEqual([{ kind: "passthrough" }, [], ["passthrough"]]);
    }
    for (const word of words) expect((await answer([word, "-u"])).reply.kind).toBe("exit");
  });

  it.each([
    [["-i"], "option-login"],
    [[], "command-missing"],
    [["./id"], "command-not-absolute"],
    [["su", "-c", "id"], "nested-elevation"],
    [["\ufffd"], "argv-not-text"],
  ])("%j is refused with %s, recorded, and never run", async (words, code) => {
    const { reply, raw, events } = await answer(words);
    expect(reply).toMatchObject({ kind: "exit", exitCode: 126, text: expect.stringMatching(`^sudo: ${code}: `) });
    expect(SUDO_REFUSAL_CODES).toContain(code);
    expect(raw).toEqual([]);
    expect(events).toMatchObject([{ event: "refused", code: "invalid-request", argv: ["sudo", ...words] }]);
  });

  it("of another name than sudo is refused", async () => {
    for (const name of ["sudoedit", "/tmp/sudoedit", "", "sudo\n"]) {
      const { reply, raw } = await answer(["id"], { name });
      expect([reply.kind === "exit" && reply.exitCode, raw]).toEqual([126, []]);
    }
    expect((await answer(["id"], { name: "/home/a/.openclaw/bin/sudo" })).reply).toMatchObject({ exitCode: 0 });
  });

  it("of a command that is nowhere is not found, recorded, and not looked for on any other path", async () => {
    const { reply, raw, events } = await answer(["nope"]);
    expect(reply).toEqual({ kind: "exit", exitCode: 127, text: "sudo: nope: command not found\n" });
    expect([raw, events.map((event) => "code" in event && event.code)]).toEqual([[], ["command-not-found"]]);
  });

  it("does not pass when it cannot be recorded", async () => {
    const record = (): never => {
      throw new Error("disk full");
    };
    await expect(answer(["-V"], { record })).rejects.toThrow("disk full");
  });

  it("escapes what the caller wrote", async () => {
    const { reply } = await answer(["a\u001b[31mb\nsudo: fine"]);
    const { reply: other } = await answer(["-u", "\u001b[8m", "id"]);
    for (const each of [reply, other]) {
      expect(each.kind === "exit" && each.text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
      expect(each.kind === "exit" && each.text.split("\n")).toHaveLength(2);
    }
  });
});

describe("what the shim ends with", () => {
  const ended = async (result: Partial<RunResult>): Promise<ShimReply> => (await answer(["id"], { result })).reply;
  const codeOf = async (result: Partial<RunResult>): Promise<unknown> => {
    const reply = await ended(result);
    return reply.kind === "exit" ? reply.exitCode : reply;
  };

  it("is the command's code or signal", async () => {
    for (const exitCode of [0, 1, 126, 127, 255]) expect(await codeOf({ exitCode })).toBe(exitCode);
    const { exitCode: _none, ...bySignal } = { ...COMPLETED, signal: "SIGKILL" };
    const { reply } = await answer(["id"], { result: { ...bySignal, exitCode: undefined as never } });
    expect(reply).toEqual({ kind: "signal", signal: "SIGKILL", text: "" });
  });

  it("is 126, 127 or 125 for what we did, with code and help", async () => {
    const refused = { status: "refused", exitCode: undefined as never, message: "m" } as const;
    expect(await ended({ ...refused, code: "denied", status: "denied" })).toEqual({
      kind: "exit",
      exitCode: 126,
      text: "sudo: denied: m\nsudo: A person said no; do not ask again for the same.\n",
    });
    expect(await codeOf({ ...refused, code: "command-not-found" })).toBe(127);
    expect(await codeOf({ ...refused, status: "failed" })).toBe(125);
    expect(await codeOf({ ...refused, status: "orphaned" })).toBe(125);
    expect(await codeOf({ exitCode: undefined as never })).toBe(125);
  });

  it("tells what else is to be told, such as the time limit", async () => {
    const message = "The command ran into its time limit and was ended.";
    expect(await ended({ message, exitCode: 143 })).toEqual({
      kind: "exit",
      exitCode: 143,
      text: `sudo: ${message}\n`,
    });
  });

  it("has sudo's words for a call that may not wait", async () => {
    const reply = await ended({ status: "refused", code: "non-interactive", message: "m" });
    expect(reply.kind === "exit" && reply.text.split("\n")[0]).toBe("sudo: a password is required");
  });
});
