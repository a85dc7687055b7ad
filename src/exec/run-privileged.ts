import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import type { Readable } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { isMainThread } from "node:worker_threads";
import type {
  BinaryIdentity,
  OutputSink,
  ResolvedCommand,
  RunOutcome,
  RunOutput,
  UsableSudo,
} from "../core/elevation.ts";
import { BoundedOutput } from "./bounded-output.ts";
import { assignments, sudoEnvironment } from "./child-environment.ts";
import { errnoOf } from "./path-chain.ts";
import { readLimitsNow, readStartTime } from "./proc-facts.ts";
import { isUnchanged } from "./sudo-binary.ts";
import { sudoWords } from "./sudo-preflight.ts";

/** A descriptor that only names a folder: opening it needs no right to read. Linux; not in node:fs. */
const O_PATH = 0o10000000;
const UMASK = 0o022;
/** How long a descendant may hold the pipes after the command ended. */
const PIPE_WAIT_MS = 1_500;

export interface RunOptions {
  readonly sudo: UsableSudo;
  /** Root-owned program that asks for the password (`-A`); without it sudo must not need one (`-n`). */
  readonly askpass?: BinaryIdentity | null;
  /** A human sits at the controlling terminal, on which sudo itself may ask for the password. */
  readonly interactive?: boolean;
  /** Of each of stdout and stderr; half of it is kept from the start, half from the end. */
  readonly maxOutputBytes: number;
  /** From SIGTERM until the run is given up as orphaned. */
  readonly graceMs: number;
  /** Aborting ends the run as its time limit does. */
  readonly signal?: AbortSignal;
  /** Gets everything the command writes, whole; one that is slow slows the command down. */
  readonly onOutput?: OutputSink | undefined;
}

/**
 * Runs the command through real sudo, with nothing of ours in it: environment from empty, stdin
 * /dev/null or the approved bytes, no descriptors, own session, umask 022, the approved folder.
 * No cached credential is used or left behind (`-k`).
 *
 * Settles at the latest 2 s after time limit and grace, whatever the command does. sudo is asked to
 * end with SIGTERM, which it passes on, and never killed: its root child would live on, unreachable.
 * Grant and record are the caller's; so is `recheckCommand` directly before.
 */
export async function runPrivileged(resolved: ResolvedCommand, options: RunOptions): Promise<RunOutcome> {
  const { sudo, askpass = null } = options;
  if (options.signal?.aborted === true) return failed("ECANCELED", "stopped before it was started");
  const programs = [sudo.identity, ...(askpass === null ? [] : [askpass])];
  const [env, areUnchanged] = await Promise.all([
    sudoEnvironment(askpass?.path ?? null),
    Promise.all(programs.map(isUnchanged)),
  ]);
  if (!areUnchanged.every(Boolean)) return failed("ESTALE", "sudo or its askpass is not the file that was checked");
  let folder: FileHandle;
  try {
    folder = await open(resolved.cwd.path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (cause) {
    return failed(errnoOf(cause), "the working folder cannot be entered");
  }
  try {
    const stats = await folder.stat({ bigint: true });
    if (String(stats.dev) !== resolved.cwd.dev || String(stats.ino) !== resolved.cwd.ino) {
      return failed("ESTALE", "the working folder was replaced");
    }
    if (!isDeepStrictEqual(readLimitsNow(), resolved.limits)) {
      return failed("ESTALE", "the resource limits of this process were changed");
    }
    const child = startSudo(resolved, options, env, folder.fd);
    return "kind" in child ? child : await supervise(child, resolved, options);
  } finally {
    await folder.close();
  }
}

function startSudo(
  resolved: ResolvedCommand,
  options: RunOptions,
  env: Readonly<Record<string, string>>,
  folderFd: number,
): ChildProcess | Extract<RunOutcome, { kind: "spawn-failed" }> {
  const { sudo, askpass = null, interactive = false } = options;
  const asking = askpass !== null ? ["-A"] : interactive ? [] : ["-n"];
  // Ours reaches the root child, where sudo only adds bits. Nothing else runs while it is changed:
  // spawn does not return to the event loop. A worker thread may not change it.
  const before = isMainThread ? process.umask(UMASK) : null;
  try {
    return spawn(sudo.identity.path, ["-k", ...asking, ...sudoWords(resolved, assignments(resolved.request.env))], {
      // By descriptor, so that nobody can put another folder there meanwhile.
      cwd: `/proc/self/fd/${folderFd}`,
      env,
      shell: false,
      // sudo finds its terminal through the session.
      detached: !interactive,
      stdio: [resolved.request.stdin === null ? "ignore" : "pipe", "pipe", "pipe"],
    });
  } catch (cause) {
    return failed(errnoOf(cause), "sudo could not be started");
  } finally {
    if (before !== null) process.umask(before);
  }
}

type Ending =
  | { readonly kind: "exited"; readonly exitCode: number | null; readonly signal: string | null }
  | Extract<RunOutcome, { kind: "spawn-failed" }>
  | { readonly kind: "given-up" };

/** Waits for one child and always comes to an end. */
async function supervise(child: ChildProcess, resolved: ResolvedCommand, options: RunOptions): Promise<RunOutcome> {
  const startedMs = performance.now();
  const patience = limitPatience(child, resolved.request.timeoutMs, options);
  const stdout = new BoundedOutput(options.maxOutputBytes);
  const stderr = new BoundedOutput(options.maxOutputBytes);
  const flow = { isEnding: false };
  const sink = options.onOutput;
  const tell = (name: "stdout" | "stderr") => (sink === undefined ? null : (chunk: Buffer) => sink(name, chunk));
  const drained = Promise.all([
    gather(child.stdout, stdout, flow, tell("stdout")),
    gather(child.stderr, stderr, flow, tell("stderr")),
  ]);
  feed(child, resolved.request.stdin);
  const ending = await Promise.race([endOf(child), patience.givenUp]);
  patience.end();
  if (ending.kind === "spawn-failed") return ending;
  // What is left fits into the pipes, and nobody waits for a slow reader any more.
  flow.isEnding = true;
  for (const stream of [child.stdout, child.stderr]) stream?.resume();
  const isDrained = ending.kind === "exited" && (await isSettledWithin(drained, PIPE_WAIT_MS));
  const output = outputOf(stdout, stderr);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  const durationMs = Math.round(performance.now() - startedMs);
  if (ending.kind === "exited") {
    return { ...ending, output, durationMs, pipeHeld: !isDrained, timedOut: patience.timedOut() };
  }
  child.unref();
  const pid = child.pid ?? 0;
  return { kind: "orphaned", pid, startTime: await readStartTime(pid), output, durationMs };
}

async function endOf(child: ChildProcess): Promise<Ending> {
  return await new Promise((settle) => {
    child.on("exit", (exitCode, signal) => settle({ kind: "exited", exitCode, signal }));
    child.on("error", (cause) => {
      // Later errors, such as a signal that could not be sent, do not end the run.
      if (child.pid === undefined) settle(failed(errnoOf(cause), "sudo could not be started"));
    });
  });
}

interface Patience {
  readonly givenUp: Promise<Ending>;
  readonly timedOut: () => boolean;
  readonly end: () => void;
}

/** Asks the child to end at the time limit or on abort, and gives it up when it has not after the grace. */
function limitPatience(child: ChildProcess, timeoutMs: number, options: RunOptions): Patience {
  const { graceMs, signal } = options;
  let timedOut = false;
  let grace: NodeJS.Timeout | null = null;
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const stop = (): void => {
    if (grace !== null) return;
    grace = setTimeout(() => resolve({ kind: "given-up" }), graceMs);
    child.kill("SIGTERM");
  };
  const limit = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutMs);
  signal?.addEventListener("abort", stop);
  return {
    givenUp: promise,
    timedOut: () => timedOut,
    end: () => {
      clearTimeout(limit);
      if (grace !== null) clearTimeout(grace);
      signal?.removeEventListener("abort", stop);
    },
  };
}

async function gather(
  stream: Readable | null,
  output: BoundedOutput,
  flow: { readonly isEnding: boolean },
  tell: ((chunk: Buffer) => Promise<void> | null) | null,
): Promise<void> {
  if (stream === null) return;
  stream.on("data", (chunk: Buffer) => {
    output.add(chunk);
    if (tell === null) {
      letGo(chunk);
      return;
    }
    const room = tell(chunk);
    if (room === null || flow.isEnding) return;
    stream.pause();
    void room.then(() => stream.resume());
  });
  // A broken pipe ends the stream; what came is kept.
  await new Promise<void>((settle) => stream.on("error", () => settle()).on("close", settle));
}

/**
 * Gives the memory of a chunk back at once. Left to the collector, which does not see how much hangs on a small
 * object, some 80 MB would wait for it.
 */
function letGo({ buffer, byteLength }: Buffer): void {
  // Memory that others have a part of is not ours to give.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

function feed(child: ChildProcess, stdin: Uint8Array | null): void {
  if (stdin === null || child.stdin === null) return;
  // The command need not read what it is given.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
}

async function isSettledWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), limitMs);
  try {
    return await Promise.race([work.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}

function outputOf(stdout: BoundedOutput, stderr: BoundedOutput): RunOutput {
  const [out, err] = [stdout.summary(), stderr.summary()];
  return {
    stdout: out.text,
    stderr: err.text,
    truncated: out.truncated || err.truncated,
    stdoutBytes: out.bytes,
    stderrBytes: err.bytes,
    stdoutSha256: out.sha256,
    stderrSha256: err.sha256,
  };
}

function failed(errno: string, message: string): Extract<RunOutcome, { kind: "spawn-failed" }> {
  return { kind: "spawn-failed", errno, message };
}
