import * as fs from "node:fs";
import * as net from "node:net";
import { constants } from "node:os";
import { errnoOf, fail, FAILED, say } from "./fail.ts";
import { createReader, FRAME } from "./frame.ts";

/** A gateway that is up says at once that it has taken the request, however long the answer takes. */
const TAKEN_MS = 10_000;
const DOWN_HELP = "Start the gateway, or let a person run the command; the real sudo is not used instead.";
/** Signals that would not end this process, or would open a debugger in it. */
const NOT_ENDING = ["SIGPIPE", "SIGUSR1", "SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGSTOP", "SIGTSTP"];

/** Sends a request to the gateway, hands on what it writes, and ends as it says. */
export function ask(socketPath: string, request: Buffer): void {
  const down = (why: string): never =>
    fail(FAILED, "gateway-down", `the gateway cannot be reached (${why})`, DOWN_HELP);
  const found = inspectSocket(socketPath);
  if (found.kind === "missing") down(found.errno);
  if (found.kind === "unsafe") {
    const help = "Look at its owner and mode; nothing was sent.";
    fail(FAILED, "socket-unsafe", `${found.path} is not private to this user`, help);
  }
  const slow = setTimeout(() => down(`it did not take the request within ${TAKEN_MS / 1000} s`), TAKEN_MS);
  const socket = net.connect(socketPath);
  let isTaken = false;
  socket.on("error", (cause) => (isTaken ? undefined : down(errnoOf(cause))));
  socket.on("close", () => {
    if (!isTaken) down("it hung up");
    fail(FAILED, "gateway-gone", "the gateway ended the call", "Whether the command ran is in the audit log.");
  });
  const reader = createReader((kind, content) => {
    isTaken = true;
    clearTimeout(slow);
    if (kind === FRAME.stdout) write(1, content);
    else if (kind === FRAME.stderr) write(2, content);
    else if (kind === FRAME.end) {
      socket.removeAllListeners("close");
      end(content);
    }
  });
  socket.on("data", reader);
  socket.write(request);
}

/** Tells the gateway for its record, within a moment, and goes on whatever comes back. */
export function tell(socketPath: string, request: Buffer, limitMs: number, done: () => void): void {
  if (inspectSocket(socketPath).kind !== "safe") {
    done();
    return;
  }
  const socket = net.connect(socketPath);
  setTimeout(done, limitMs);
  const reader = createReader((kind) => {
    if (kind === FRAME.end) done();
  });
  socket.on("error", done).on("close", done).on("data", reader);
  socket.write(request);
}

type SocketState =
  | { readonly kind: "safe" }
  | { readonly kind: "missing"; readonly errno: string }
  | { readonly kind: "unsafe"; readonly path: string };

/** Whether nobody but this user (and root) could have put the socket there. */
function inspectSocket(socketPath: string): SocketState {
  const folder = parentOf(socketPath);
  const uid = process.getuid?.();
  try {
    const above = fs.lstatSync(parentOf(folder));
    const isAboveOurs = above.isDirectory() && (above.uid === uid || above.uid === 0) && (above.mode & 0o022) === 0;
    if (!isAboveOurs) return { kind: "unsafe", path: parentOf(folder) };
    const inner = fs.lstatSync(folder);
    if (!inner.isDirectory() || inner.uid !== uid || (inner.mode & 0o077) !== 0)
      return { kind: "unsafe", path: folder };
    const socket = fs.lstatSync(socketPath);
    if (!socket.isSocket() || socket.uid !== uid) return { kind: "unsafe", path: socketPath };
    return { kind: "safe" };
  } catch (cause) {
    return { kind: "missing", errno: errnoOf(cause) };
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Ends as the command did. */
function end(content: Buffer): void {
  const reply = JSON.parse(content.toString("utf8")) as {
    readonly kind: string;
    readonly exitCode?: number;
    readonly signal?: NodeJS.Signals;
    readonly text?: string;
  };
  say(reply.text ?? "");
  const { signal } = reply;
  if (reply.kind !== "signal" || signal === undefined) process.exit(reply.exitCode ?? FAILED);
  if (!NOT_ENDING.includes(signal)) process.kill(process.pid, signal);
  // Where the signal does not end us (it may be blocked), its number does.
  setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
}

/** Writes all of it before more is read, so that a slow reader slows the command down. */
function write(fd: 1 | 2, content: Buffer): void {
  let at = 0;
  while (at < content.length) {
    try {
      at += fs.writeSync(fd, content, at);
    } catch (cause) {
      // As SIGPIPE ends a program; the gateway then ends the command.
      if (errnoOf(cause) !== "EAGAIN")
        process.exit(errnoOf(cause) === "EPIPE" ? 128 + constants.signals.SIGPIPE : FAILED);
      // Somebody made the pipe non-blocking: wait a moment for its reader.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
