import { spawn } from "node:child_process";
import { constants, type Stats } from "node:fs";
import { lstat, open, realpath } from "node:fs/promises";
import { posix } from "node:path";
import { SecurityError } from "../core/error.ts";
import { clip } from "../core/text.ts";

/** A whole command line, or a program with any arguments. */
export type NotifierRule =
  | { readonly kind: "argv"; readonly argv: readonly string[] }
  | { readonly kind: "program"; readonly path: string };

const MAX_OUTPUT_BYTES = 64 * 1024;
const KILL_AFTER_MS = 1_000;
/** Programs that run what their arguments or input say: to allow one would be to allow everything. */
const INTERPRETERS =
  /^(?:(?:ba|da|z|k|mk|c|tc|fi|a)?sh|rbash|busybox|toybox|python|pypy|perl|ruby|node|nodejs|deno|bun|lua|luajit|php|tclsh|expect|wish|[gmn]?awk|original-awk|busybox-static|sed|env|xargs|find|parallel|nohup|nice|ionice|timeout|setsid|stdbuf|script|sudo|su|doas|pkexec|runuser|setpriv|chroot|unshare|nsenter|ssh|scp|rsync|socat|nc|ncat|vi|vim|view|ex|ed|emacs|nano|less|more|man|git|make|gdb|strace|ltrace|tar|zip|awk|m4|bc|dc|guile|julia|java|perf|watch|flock|systemd-run|docker|podman|kubectl|npx?|npm|pip|openssl|curl|wget)[-.\d]*$/;
const MAGIC = new Set(["7f454c46", "cffaedfe", "cefaedfe", "cafebabe"]);

/**
 * Refuses a notifier that is not exactly what the owner listed, that others could replace, or that would run
 * whatever its words say. A copy of an interpreter under another name is not told from another program.
 * @throws {SecurityError} notify-config-invalid, state-file-symlink, state-owner-mismatch,
 *   state-file-insecure-mode, state-file-not-regular, file-missing
 */
export async function checkNotifier(argv: readonly string[], allowed: readonly NotifierRule[]): Promise<void> {
  const [path = ""] = argv;
  const shown = clip(path, 300);
  if (!path.startsWith("/") || posix.normalize(path) !== path || path.endsWith("/")) {
    throw refused(`${shown} is not a plain absolute path`);
  }
  if (!allowed.some((rule) => isListed(rule, argv))) {
    throw refused(`${shown} with these arguments is not in OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST`);
  }
  const real = await realpath(path).catch(() => null);
  if (real === null) throw new SecurityError("file-missing", `There is no notifier at ${shown}`);
  if (real !== path) {
    throw new SecurityError("state-file-symlink", `The notifier ${shown} is a link to ${clip(real, 300)}`, {
      hint: "Name the file itself, in the command and in the allowlist.",
    });
  }
  const name = posix.basename(path).toLowerCase();
  if (INTERPRETERS.test(name)) throw refused(`${shown} runs whatever its arguments or its input say`);
  for (let folder = posix.dirname(path); ; folder = posix.dirname(folder)) {
    assertOwned(await lstat(folder), folder);
    if (folder === "/") break;
  }
  await checkFile(path, shown);
}

async function checkFile(path: string, shown: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      throw new SecurityError("file-missing", `The notifier ${shown} cannot be read`, { cause });
    },
  );
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new SecurityError("state-file-not-regular", `The notifier ${shown} is no file`);
    assertOwned(stats, path);
    // A second name may be that of a shell.
    if (stats.nlink > 1) throw refused(`${shown} has other names as well`);
    if ((stats.mode & 0o6000) !== 0) throw refused(`${shown} runs with the rights of another account`);
    if ((stats.mode & 0o111) === 0) throw refused(`${shown} cannot be executed`);
    const head = Buffer.alloc(4);
    await handle.read(head, 0, 4, 0);
    if (head.toString("latin1", 0, 2) === "#!") throw refused(`${shown} is a script; its interpreter would be run`);
    if (!MAGIC.has(head.toString("hex"))) throw refused(`${shown} is no program`);
  } finally {
    await handle.close();
  }
}

function isListed(rule: NotifierRule, argv: readonly string[]): boolean {
  if (rule.kind === "program") return rule.path === argv[0];
  return rule.argv.length === argv.length && rule.argv.every((word, index) => word === argv[index]);
}

/** Root's or ours, and nobody else may change it. In a sticky folder only a file's owner can replace it. */
function assertOwned(stats: Stats, path: string): void {
  const uid = process.getuid?.();
  if (uid !== undefined && stats.uid !== uid && stats.uid !== 0) {
    throw new SecurityError("state-owner-mismatch", `${clip(path, 300)} belongs to uid ${stats.uid}`);
  }
  const isSticky = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
  if ((stats.mode & 0o022) !== 0 && !isSticky) {
    throw new SecurityError("state-file-insecure-mode", `Others may change ${clip(path, 300)}`);
  }
}

function refused(why: string): SecurityError {
  return new SecurityError("notify-config-invalid", `The notifier is refused: ${why}`, {
    hint: 'README, "Notifications", says what a notifier must be.',
  });
}

/**
 * Runs a checked notifier with the text on its input, an empty environment, in / and in a process group of its
 * own, which is ended with it. What it prints is dropped, but for its first words when it fails.
 * @throws {SecurityError} notify-failed
 */
export async function runNotifier(argv: readonly string[], input: string, timeoutMs: number): Promise<void> {
  const [file = "", ...args] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string): void => reject(new SecurityError("notify-failed", `${clip(file, 300)} ${why}`));
  const child = spawn(file, args, { cwd: "/", env: {}, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const { pid } = child;
  let said = Buffer.alloc(0);
  let isLate = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      if (said.length < MAX_OUTPUT_BYTES) said = Buffer.concat([said, chunk]).subarray(0, MAX_OUTPUT_BYTES);
    });
  }
  // A program that does not read its input may still have done its work.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const killTimer = setTimeout(() => endGroup(pid, "SIGKILL"), timeoutMs + KILL_AFTER_MS);
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(pid, "SIGTERM");
  }, timeoutMs);
  child.on("error", (cause) => fail(`could not be run: ${(cause as NodeJS.ErrnoException).code ?? "unknown reason"}`));
  child.on("exit", (code, signal) => {
    const last = clip(said.toString("utf8").trim(), 200);
    if (isLate) fail(`did not finish in ${timeoutMs} ms`);
    else if (code === 0) resolve();
    else fail(`ended with ${code ?? signal ?? "nothing"}${last === "" ? "" : `: ${last}`}`);
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    clearTimeout(killTimer);
    // What it started and left behind.
    endGroup(pid, "SIGKILL");
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nobody is left in it.
  }
}
