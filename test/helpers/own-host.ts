import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { firstLine, stopper } from "./cli.ts";
import { itUnless, toolPath } from "./requires.ts";
import { collect, copyPackageForUser, ordinaryUser, type RunResult } from "./unprivileged.ts";

/** Version that the gateway's stand-in says it is. */
export const GATEWAY_VERSION = "2026.9.6";

/**
 * Processes, sockets and mounts of their own, so that a test knows everything there is to see and
 * other tests see nothing of it. Ends with the test.
 */
export interface OwnHost {
  /** Runs the built command as the ordinary user in there. */
  readonly cse: (args: readonly string[], home: string, env?: Readonly<Record<string, string>>) => Promise<RunResult>;
  readonly cseAsRoot: (args: readonly string[], home: string) => Promise<RunResult>;
  /** Runs a shell line as root in there and gives what it prints; fails when it fails. */
  readonly sh: (line: string, args?: readonly string[]) => string;
  /** Starts a stand-in for OpenClaw's gateway as the ordinary user; it listens until stopped. */
  readonly startGateway: (wish: GatewayWish) => Promise<() => Promise<void>>;
  /** A process of the ordinary user that listens and is no gateway; the value stops it. */
  readonly listen: (wish: ListenWish) => Promise<() => Promise<void>>;
}

export interface ListenWish {
  readonly host: string;
  readonly port: number;
  readonly protocol?: "tcp" | "udp";
}

export interface GatewayWish {
  readonly host: string;
  readonly port: number;
  /** As root, where the test is about that. */
  readonly asRoot?: boolean;
  /** Default true: what a well-made unit sets. */
  readonly noNewPrivs?: boolean;
  /** Comma-separated group ids besides the own one. */
  readonly groups?: string;
}

export async function makeOwnHost(): Promise<OwnHost> {
  const { node, folder } = await copyPackageForUser();
  const user = await ordinaryUser();
  const holder = spawn("unshare", [
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "sh",
    "-c",
    "ip link set lo up && echo ready && exec cat",
  ]);
  stopper(holder);
  await firstLine(holder);

  const inside = ["--target", String(holder.pid), "--net", "--mount", `--pid=/proc/${holder.pid}/ns/pid_for_children`];
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams =>
    spawn("nsenter", [...inside, "--", ...args], {
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", ...env },
      stdio: "pipe",
    });
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`];
  const hold = async (args: readonly string[]): Promise<() => Promise<void>> => {
    const child = start(args);
    const kill = stopper(child);
    await firstLine(child);
    return async () => {
      // The program inside ends with its input; nsenter alone would leave it behind.
      child.stdin.end();
      await new Promise((done) => child.once("exit", done));
      await kill();
    };
  };
  const listener = await listenerFile(folder);
  const command = [node, join(folder, "dist/cli.js")];
  const runIn = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<RunResult> => {
    const child = start(args, env);
    child.stdin.end();
    return await collect(child);
  };
  return {
    cse: async (args, home, env = {}) =>
      await runIn(["setpriv", ...identity, "--clear-groups", ...command, ...args], { HOME: home, ...env }),
    cseAsRoot: async (args, home) => await runIn([...command, ...args], { HOME: home }),
    sh: (line, args = []) => {
      const run = spawnSync("nsenter", [...inside, "--", "sh", "-euc", line, "sh", ...args], { encoding: "utf8" });
      if (run.status !== 0) throw new Error(`${line}: ${run.stderr}`);
      return run.stdout;
    },
    startGateway: async ({ host, port, asRoot = false, noNewPrivs = true, groups }) => {
      const limits = [
        ...(asRoot ? [] : [...identity, groups === undefined ? "--clear-groups" : `--groups=${groups}`]),
        ...(noNewPrivs ? ["--no-new-privs"] : []),
      ];
      return await hold(["setpriv", ...limits, node, listener, JSON.stringify({ host, port })]);
    },
    listen: async (wish) =>
      await hold(["setpriv", ...identity, "--clear-groups", node, join(folder, "listen.mjs"), JSON.stringify(wish)]),
  };
}

/** A package by the gateway's name that only listens: who owns the gateway's port and is OpenClaw is the gateway. */
async function listenerFile(folder: string): Promise<string> {
  const source = join(import.meta.dirname, "../fixtures/bin/listen.mjs");
  const gateway = join(folder, "gateway");
  await mkdir(gateway, { recursive: true });
  await writeFile(join(gateway, "package.json"), JSON.stringify({ name: "openclaw", version: GATEWAY_VERSION }));
  await copyFile(source, join(gateway, "openclaw.mjs"));
  await copyFile(source, join(folder, "listen.mjs"));
  return join(gateway, "openclaw.mjs");
}

/** Why there can be no such host here, or null. */
function obstacle(): string | null {
  const missing = ["ip", "nsenter", "setpriv", "unshare"].filter((tool) => toolPath(tool) === null);
  if (missing.length > 0) return `${missing.join(", ")} not installed`;
  if (process.getuid?.() !== 0) return "namespaces of one's own need root";
  const { status } = spawnSync("unshare", ["--net", "--mount", "--pid", "--fork", "--mount-proc", "true"]);
  return status === 0 ? null : "namespaces are not permitted here";
}

/** Like `it`, for a test with a host of its own; skipped by name where that is not possible. */
export function itOnOwnHost(title: string, run: () => Promise<void>): void {
  itUnless(obstacle(), title, run);
}
