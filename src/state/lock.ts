import lockfile from "proper-lockfile";
import { SecurityError } from "../core/error.ts";

/**
 * Runs `work` while holding the lock of one store. Hold it for reading, changing and writing that
 * store, never while spawning, asking or waiting for the network.
 * @throws {SecurityError} lock-timeout when another process holds it for longer than about 5 s
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let compromised: Error | null = null;
  let release: () => Promise<void>;
  try {
    release = await lockfile.lock(path, {
      realpath: false,
      lockfilePath: `${path}.lock`,
      stale: 10_000,
      update: 2_000,
      retries: { retries: 50, minTimeout: 20, maxTimeout: 150, factor: 1.3 },
      // The default throws inside a timer, which would end the gateway.
      onCompromised: (error) => {
        compromised = error;
      },
    });
  } catch (cause) {
    throw new SecurityError("lock-timeout", `Another process is using ${path}`, {
      cause,
      hint: "Wait for it to finish and try again.",
    });
  }
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
