import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface LoadSize {
  /** Processes of the whole host, those already running included. */
  readonly processes: number;
  readonly listeners: number;
  /** Loopback connections; each is two rows of the kernel's table. */
  readonly pairs: number;
  /** Processes that share the listeners and connections between them. */
  readonly holders: number;
  /** Open files of every idle process. */
  readonly files: number;
}

/** Starts the load, waits until it stands, and gives back what ends it. */
export async function startLoad(size: LoadSize): Promise<() => Promise<void>> {
  const holderFile = fileURLToPath(new URL("holder.ts", import.meta.url));
  const children: ChildProcess[] = [];
  const share = (total: number, index: number): string =>
    String(Math.floor(total / size.holders) + (index < total % size.holders ? 1 : 0));
  const holders = Array.from({ length: size.holders }, (_, index) =>
    spawn(process.execPath, [holderFile, share(size.listeners, index), share(size.pairs, index)], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  children.push(...holders);
  const nothing = openSync("/dev/null", "r");
  const running = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;
  for (let count = running; count < size.processes; count += 1) {
    // A descriptor given for a child's slot is duplicated into it, which is the cheapest open file there is.
    children.push(spawn("/bin/sleep", ["3600"], { stdio: Array.from({ length: size.files }, () => nothing) }));
  }
  closeSync(nothing);
  await Promise.all(holders.map(async (holder) => await once(holder.stdout, "data")));
  return async () => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, "exit");
        if (child.stdin === null) child.kill("SIGKILL");
        else child.stdin.end();
        await ended;
      }),
    );
  };
}
