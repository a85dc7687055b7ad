import type { AuditSubject, ExecFinishEvent, ExecIntentEvent, RequestEvent } from "../audit/audit-event.ts";
import type { ContentsDigest, ElevationRequest, ResolvedCommand, RunOutcome } from "../core/elevation.ts";
import type { Sha256Hex } from "../grant/digest.ts";

/** What of an action goes into the audit log, and in which words. The log masks secrets itself. */
export function requestEvent(subject: AuditSubject, request: ElevationRequest): RequestEvent {
  const { argv, reason, runAs, cwd, env, stdin, timeoutMs, keepSession, isNonInteractive } = request;
  return {
    ...subject,
    event: "request",
    argv,
    reason,
    runAs,
    cwd,
    env,
    stdinBytes: stdin?.length ?? null,
    timeoutMs,
    keepSession,
    isNonInteractive,
  };
}

export function intentEvent(
  subject: AuditSubject,
  resolved: ResolvedCommand,
  contents: ContentsDigest,
  grantId: string,
  sha256Hex: Sha256Hex,
): ExecIntentEvent {
  const { request, binary, target, cwd } = resolved;
  return {
    ...subject,
    event: "exec-intent",
    grantId,
    contents,
    argv: request.argv,
    runAs: target.user,
    runAsUid: target.uid,
    cwd: cwd.path,
    env: request.env,
    binary: { path: binary.path, realPath: binary.realPath, sha256: binary.sha256 },
    stdinBytes: request.stdin?.length ?? null,
    stdinSha256: request.stdin === null ? null : sha256Hex(request.stdin),
    timeoutMs: request.timeoutMs,
  };
}

export function exitedEvent(subject: AuditSubject, intentSeq: number, outcome: RunOutcome): ExecFinishEvent {
  const exited = outcome.kind === "exited" ? outcome : null;
  const orphaned = outcome.kind === "orphaned" ? outcome : null;
  const failed = outcome.kind === "spawn-failed" ? outcome : null;
  const output = exited?.output ?? orphaned?.output ?? null;
  return {
    ...subject,
    event: "exec-finish",
    intentSeq,
    outcome: outcome.kind,
    exitCode: exited?.exitCode ?? null,
    signal: exited?.signal ?? null,
    timedOut: exited?.timedOut ?? orphaned !== null,
    pipeHeld: exited?.pipeHeld ?? false,
    durationMs: exited?.durationMs ?? orphaned?.durationMs ?? null,
    childPid: orphaned?.pid ?? null,
    childStartTime: orphaned?.startTime ?? null,
    errno: failed?.errno ?? null,
    message: failed?.message ?? null,
    output:
      output === null
        ? null
        : {
            stdoutBytes: output.stdoutBytes,
            stderrBytes: output.stderrBytes,
            stdoutSha256: output.stdoutSha256,
            stderrSha256: output.stderrSha256,
            truncated: output.truncated,
          },
  };
}
