import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { SecurityError } from "../core/error.ts";
import { writeError } from "./write-file.ts";

/** A lock not refreshed for this long belongs to a process that died. */
const STALE_MS = 5_000;
/** Longer than STALE_MS, so that a crash of the holder costs the next one a wait and not a failure. */
const WAIT_MS = 7_000;
const REFRESH_MS = 1_000;
const RETRY_MS = 50;

/**
 * Runs `work` while holding the lock of one store. Hold it for reading, changing and writing that
 * store, never while spawning, asking or waiting for the network. The folder of `path` must exist.
 * @throws {SecurityError} lock-timeout when others hold it for longer than about 7 s; read-only,
 *   disk-full, write-failed when no lock can be made there
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let compromised: Error | null = null;
  const release = await acquire(path, (error) => {
    compromised = error;
  });
  try {
    const result = await work();
    if (compromised !== null) {
      throw new SecurityError("lock-timeout", `The lock of ${path} was lost while it was in use`, {
        cause: compromised,
        hint: "Run the command again and look at the result.",
      });
    }
    return result;
  } finally {
    // A lock that was lost cannot be released; that was reported above.
    await release().catch(() => undefined);
  }
}

/**
 * Runs `work` as the only one that does, for as long as it takes, or gives null at once when another one is
 * at it. For whole runs; a store that they change has a lock of its own.
 * @throws {SecurityError} read-only, disk-full, write-failed when no lock can be made there
 */
export async function runAlone<T>(path: string, work: () => Promise<T>): Promise<T | null> {
  let release: () => Promise<void>;
  try {
    release = await lockfile.lock(path, {
      realpath: false,
      lockfilePath: `${path}.lock`,
      stale: STALE_MS,
      update: REFRESH_MS,
      onCompromised: () => undefined,
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ELOCKED") return null;
    throw writeError(cause, `${path}.lock`);
  }
  try {
    return await work();
  } finally {
    await release().catch(() => undefined);
  }
}

/** Waits only while somebody holds the lock: any other failure would last, so it is reported at once. */
async function acquire(path: string, onCompromised: (error: Error) => void): Promise<() => Promise<void>> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    try {
      return await lockfile.lock(path, {
        realpath: false,
        lockfilePath: `${path}.lock`,
        stale: STALE_MS,
        update: REFRESH_MS,
        // The default throws inside a timer, which would end the gateway.
        onCompromised,
      });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ELOCKED") throw writeError(cause, `${path}.lock`);
      if (performance.now() > deadline) {
        throw new SecurityError("lock-timeout", `Another process is using ${path}`, {
          cause,
          hint: "Wait for it to finish and try again.",
        });
      }
    }
    await sleep(RETRY_MS);
  }
}
