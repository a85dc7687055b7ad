import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, lchown, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import {
  collect,
  copyPackageForUser,
  makeUserFolder,
  ordinaryUser,
  type RunResult,
  startAsUser,
} from "./unprivileged.ts";

const PROGRAMS = join(import.meta.dirname, "../fixtures/bin");

/** A home of the ordinary user with the places this program uses; nothing of it exists but the home. */
export interface UserHome {
  readonly home: string;
  readonly stateDir: string;
  readonly securityDir: string;
  readonly baseline: string;
  readonly allowlist: string;
}

export async function makeUserHome(): Promise<UserHome> {
  const home = await makeUserFolder("cse-home-");
  // What a test made unreadable could not be removed by an ordinary user.
  onTestFinished(() => chmod(home, 0o700));
  const stateDir = join(home, ".openclaw");
  const securityDir = join(stateDir, "security");
  return {
    home,
    stateDir,
    securityDir,
    baseline: join(securityDir, "approved_ports.json"),
    allowlist: join(securityDir, "egress_allowlist.json"),
  };
}

/** Makes a folder and those above it, all private and the ordinary user's. */
export async function makeUserFolders(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await giveToUser(folder);
}

/** Writes a file of the ordinary user, mode 0600, folders included. */
export async function writeUserFile(path: string, content: string | Buffer): Promise<void> {
  await makeUserFolders(dirname(path));
  await writeFile(path, content, { mode: 0o600 });
  await giveToUser(path);
}

export async function giveToUser(path: string): Promise<void> {
  const { uid, gid } = await ordinaryUser();
  await lchown(path, uid, gid);
}

/** A program of test/fixtures/bin at a place the ordinary user can read. */
export async function programForUser(name: string): Promise<string> {
  const { folder } = await copyPackageForUser();
  const path = join(folder, name);
  await copyFile(join(PROGRAMS, name), path);
  await chmod(path, 0o644);
  return path;
}

export interface ListenerWish {
  readonly host?: string;
  /** Default: one the kernel chooses. "low": a free one that no client would get. */
  readonly port?: number | "low";
  readonly count?: number;
  readonly protocol?: "tcp" | "udp";
  /** The kernel's name of the process, as it sets it itself. */
  readonly comm?: string;
}

export interface RunningListener {
  readonly pid: number;
  readonly exe: string;
  readonly port: number;
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** A process of the ordinary user that listens until stopped, or until the test is over. */
export async function listenAsUser(wish: ListenerWish = {}, node?: string): Promise<RunningListener> {
  const exe = node ?? (await copyPackageForUser()).node;
  const child = await startAsUser(exe, [await programForUser("listen.mjs"), JSON.stringify(wish)], { home: "/" });
  const stop = stopper(child);
  const ports = JSON.parse(await firstLine(child)) as number[];
  return { pid: child.pid ?? 0, exe, port: ports[0] ?? 0, ports, stop };
}

/** Ends the child now or, at the latest, with the test. */
export function stopper(child: ChildProcess): () => Promise<void> {
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(stop);
  return stop;
}

/** The first line a child prints. Fails with what it said when it ends instead. */
export async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = "";
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  return await new Promise((done, failed) => {
    child.stdout.on("data", (chunk) => {
      text += String(chunk);
      if (text.includes("\n")) done(text.slice(0, text.indexOf("\n")));
    });
    child.on("error", failed);
    child.on("close", (code) => failed(new Error(`ended with ${code} before its first line: ${errors}`)));
  });
}

export interface TerminalRun {
  readonly transcript: string;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly timedOut: boolean;
  /** Steps whose text never came. */
  readonly stepsLeft: number;
}

/** What to wait for on the screen, and what to type or which signal to send then. */
export type TerminalStep = readonly [wait: string, answer: string | { readonly signal: NodeJS.Signals }];

/** Runs the command as the ordinary user in a real pseudo-terminal. Needs python3. */
export async function cseInTerminal(
  args: readonly string[],
  options: { home: string; env?: Record<string, string>; steps?: readonly TerminalStep[] },
): Promise<TerminalRun> {
  const { node, folder } = await copyPackageForUser();
  const plan = {
    argv: [node, join(folder, "dist/cli.js"), ...args],
    env: { PATH: "/usr/bin:/bin", HOME: options.home, LANG: "C.UTF-8", TERM: "xterm", ...options.env },
    steps: options.steps ?? [],
    seconds: 20,
  };
  const child = await startAsUser("/usr/bin/python3", [await programForUser("in-terminal.py")], { home: options.home });
  child.stdin.end(JSON.stringify(plan));
  const run = await collect(child);
  if (run.exitCode !== 0) throw new Error(`the terminal failed: ${run.stderr}`);
  return JSON.parse(run.stdout) as TerminalRun;
}

/** The JSON on stdout of a run; everything else of it must be as given. */
export function reportOf(run: RunResult, exitCode = 0): unknown {
  if (run.exitCode !== exitCode) {
    throw new Error(`exit ${run.exitCode ?? run.signal}, expected ${exitCode}: ${run.stderr}${run.stdout}`);
  }
  return JSON.parse(run.stdout);
}

export async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** Everything in the text that could act on a terminal. */
export function controlsIn(output: string): string[] {
  return output.match(/[^\P{C}\n]|[\u2028\u2029]/gu) ?? [];
}
