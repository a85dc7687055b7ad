import { join } from "node:path";
import { asSecurityError } from "../core/error.ts";
import { openProcessLock } from "./audit-lock.ts";
import { readTextFile } from "./read-file.ts";
import { ensurePrivateFolder, writeFileAtomic } from "./write-file.ts";

/** One process elevates for a state folder; whoever dies, however, lets go at once. */
export type ElevationLock =
  | {
      readonly kind: "held";
      /** False once somebody took the file of the lock away, so that another could hold one of the same name. */
      readonly isInPlace: () => boolean;
      readonly release: () => void;
    }
  /** Whatever the other process said of itself; nothing is decided by it. */
  | { readonly kind: "held-by"; readonly holder: string | null };

export interface LockOwner {
  readonly pid: number;
  /** Clock ticks since boot; null where the system does not tell. */
  readonly startTime: string | null;
}

const LOCK_NAME = "elevation.lock";
const HOLDER_NAME = "elevation-holder.json";

/**
 * Takes the lock of `<state>/security` or says who has it; never waits. The kernel frees it when the
 * holder ends, also by SIGKILL.
 * @throws {SecurityError} audit-broken when something else is in the place of the lock; write-failed and its like
 */
export async function acquireElevationLock(folder: string, self: LockOwner): Promise<ElevationLock> {
  await ensurePrivateFolder(folder);
  const lock = openProcessLock(join(folder, LOCK_NAME));
  const end = lock.tryAcquire();
  if (end === null) {
    lock.close();
    return { kind: "held-by", holder: await readHolder(folder) };
  }
  // For people: a file that cannot be written loosens nothing.
  await writeFileAtomic(join(folder, HOLDER_NAME), `${JSON.stringify({ schemaVersion: 1, ...self })}\n`).catch(
    () => undefined,
  );
  return {
    kind: "held",
    isInPlace: () => lock.isInPlace(),
    release: () => {
      end();
      lock.close();
    },
  };
}

async function readHolder(folder: string): Promise<string | null> {
  try {
    const text = await readTextFile(join(folder, HOLDER_NAME), {
      maxBytes: 1_000,
      trust: "untrusted",
      what: "elevation holder",
    });
    const pid = /^\{"schemaVersion":1,"pid":(\d{1,10}),/.exec(text)?.[1];
    return pid === undefined ? null : `process ${pid}`;
  } catch (thrown) {
    // Not written yet, or not readable: then it is only known that somebody has it.
    asSecurityError(thrown);
    return null;
  }
}
