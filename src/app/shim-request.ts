import type { AuditEvent } from "../audit/audit-event.ts";
import type { RunWatch, SessionIdentity } from "../core/elevation.ts";
import { baseName } from "../core/path.ts";
import { helpFor, type RefusalCode } from "../core/refusal.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, EXIT_REFUSED, type ShimReply, type ShimRequest } from "../core/shim.ts";
import { clip } from "../core/text.ts";
import { parseSudoArgs, type SudoRequest } from "../shell/parse-sudo-args.ts";
import type { RunResult } from "./elevation-result.ts";

export interface ShimRequestDeps {
  readonly runPrivileged: (raw: unknown, session: SessionIdentity, watch: RunWatch) => Promise<RunResult>;
  readonly record: (event: AuditEvent) => Promise<unknown>;
  /** Absolute path of a command on sudo's fixed path; null when there is none. */
  readonly findCommand: (name: string) => Promise<string | null>;
}

/**
 * sudo has no limit of its own, and half an installation is worse than a slow one; -T sets another.
 * Bound and shown like the rest.
 */
const DEFAULT_TIMEOUT_MS = 30 * 60_000;
const DEFAULT_REASON = "none given (called as sudo)";

/**
 * Answers one command line of the shim: read as sudo reads it, then the one way that every
 * privileged action goes. Nothing in here lets anything pass by itself. In sudo's words, with
 * sudo's exit codes for what the command did and 125 to 127 for what we did.
 */
export async function answerShimRequest(
  deps: ShimRequestDeps,
  request: ShimRequest,
  caller: SessionIdentity,
  watch: RunWatch,
): Promise<ShimReply> {
  const session: SessionIdentity = { ...caller, channel: "shim" };
  const { words } = request;
  // Like sudo, whose other name makes it an editor; no name but its own is taken.
  if (baseName(request.name) !== "sudo") {
    const message = `called as ${clip(baseName(request.name), 60)}; only the name sudo is taken`;
    return await refuseWords(deps, session, words, "sudoedit", message);
  }
  const parsed = parseSudoArgs(words);
  switch (parsed.kind) {
    case "passthrough":
      await deps.record({ ...subjectOf(session), event: "passthrough", argv: parsed.argv });
      return { kind: "passthrough" };
    case "refuse":
      return await refuseWords(deps, session, words, parsed.code, parsed.message);
    case "request":
      return await runRequest(deps, request, parsed, session, watch);
  }
}

async function runRequest(
  deps: ShimRequestDeps,
  request: ShimRequest,
  sudo: SudoRequest,
  session: SessionIdentity,
  watch: RunWatch,
): Promise<ShimReply> {
  const [name, ...rest] = sudo.argv;
  const command = name.startsWith("/") ? name : await deps.findCommand(name);
  if (command === null) {
    const message = `${clip(name, 120)} is in no folder of sudo's path`;
    await recordRefused(deps, session, request.words, "command-not-found", message);
    return exit(EXIT_NOT_FOUND, `sudo: ${clip(name, 120)}: command not found`);
  }
  const result = await deps.runPrivileged(
    {
      argv: [command, ...rest],
      reason: request.reason ?? DEFAULT_REASON,
      runAs: sudo.runAs,
      cwd: sudo.cwd ?? request.cwd,
      env: sudo.env,
      ...(request.stdin === null ? {} : { stdin: request.stdin }),
      timeoutMs: sudo.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      isNonInteractive: sudo.nonInteractive,
      isFresh: sudo.fresh,
    },
    session,
    watch,
  );
  return replyOf(result);
}

/** The output went to the caller as it came; what is left to say is how it ended. */
function replyOf(result: RunResult): ShimReply {
  const { status, code, message } = result;
  switch (status) {
    case "completed": {
      const text = message === "The command ended." ? "" : said(message);
      if (result.exitCode !== undefined) return { kind: "exit", exitCode: result.exitCode, text };
      if (result.signal !== undefined) return { kind: "signal", signal: result.signal, text };
      return exit(EXIT_FAILED, "sudo: how the command ended is not known");
    }
    case "denied":
    case "refused":
      return refused(code, message);
    case "failed":
    case "orphaned":
      return exit(EXIT_FAILED, `sudo: ${status}: ${clip(message, 500)}`);
  }
}

function refused(code: RefusalCode | undefined, message: string): ShimReply {
  if (code === undefined) return exit(EXIT_REFUSED, `sudo: refused: ${clip(message, 500)}`);
  const lines = [`sudo: ${code}: ${clip(message, 500)}`, `sudo: ${helpFor(code)}`];
  // Programs that try `sudo -n` first look for these words.
  if (code === "non-interactive") lines.unshift("sudo: a password is required");
  return exit(code === "command-not-found" ? EXIT_NOT_FOUND : EXIT_REFUSED, lines.join("\n"));
}

/** A command line that is not taken, with its own code; recorded, since somebody wanted to become somebody else. */
async function refuseWords(
  deps: ShimRequestDeps,
  session: SessionIdentity,
  words: readonly string[],
  code: string,
  message: string,
): Promise<ShimReply> {
  await recordRefused(deps, session, words, "invalid-request", `sudo ${code}: ${message}`);
  return exit(EXIT_REFUSED, `sudo: ${code}: ${clip(message, 500)}`);
}

async function recordRefused(
  deps: ShimRequestDeps,
  session: SessionIdentity,
  words: readonly string[],
  code: RefusalCode,
  message: string,
): Promise<void> {
  await deps.record({ ...subjectOf(session), event: "refused", code, message, argv: ["sudo", ...words] });
}

function subjectOf(session: SessionIdentity): SessionIdentity & { readonly requestId: null; readonly digest: null } {
  return { ...session, requestId: null, digest: null };
}

function exit(exitCode: number, line: string): ShimReply {
  return { kind: "exit", exitCode, text: `${line}\n` };
}

function said(message: string): string {
  return `sudo: ${clip(message, 500)}\n`;
}
