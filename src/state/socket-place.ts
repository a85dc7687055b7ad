import { randomBytes } from "node:crypto";
import { chmod, lstat, rename, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { SecurityError } from "../core/error.ts";
import { withLock } from "./lock.ts";
import { ensurePrivateFolder } from "./write-file.ts";

const PRIVATE_SOCKET = 0o600;
const PROBE_MS = 1_000;

/** The socket as it was made; another one at the same path has other numbers. */
export interface SocketPlace {
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * Lets `listen` make the socket at `path`: in a folder of our own that nobody else can even look
 * into, after clearing away what a dead process of ours left. Whatever else is there stays.
 * `listen` gets another name in that folder: when a server closes, the file of the name it
 * listened at is removed, whoever made it by then.
 * @throws {SecurityError} broker-in-use when somebody answers there, file-exists when it is no
 *   socket, state-owner-mismatch, and those of ensurePrivateFolder and withLock
 */
export async function claimSocket(path: string, listen: (path: string) => Promise<void>): Promise<SocketPlace> {
  const folder = dirname(path);
  await ensurePrivateFolder(folder);
  const { uid, mode } = await lstat(folder);
  if (uid !== process.getuid?.()) throw new SecurityError("state-owner-mismatch", `${folder} belongs to uid ${uid}`);
  if ((mode & 0o077) !== 0) {
    throw new SecurityError("state-file-insecure-mode", `Others can look into the folder ${folder}`, {
      hint: `chmod 700 ${folder}, after looking at what is in it.`,
    });
  }
  // Two processes that find the same dead socket must not remove each other's new one.
  return await withLock(path, async () => {
    await clearDeadSocket(path);
    const first = join(folder, `.sock-${randomBytes(4).toString("hex")}`);
    await listen(first);
    await chmod(first, PRIVATE_SOCKET);
    const { dev, ino } = await lstat(first, { bigint: true });
    await rename(first, path);
    return { dev, ino };
  });
}

/** Whether the socket at `path` is still the one that was made there. */
export async function holdsSocket(path: string, place: SocketPlace): Promise<boolean> {
  try {
    const { dev, ino } = await lstat(path, { bigint: true });
    return dev === place.dev && ino === place.ino;
  } catch {
    // Removed, or out of reach: nobody can get to us through it.
    return false;
  }
}

/** Takes the socket away unless somebody has put another there. */
export async function releaseSocket(path: string, place: SocketPlace): Promise<void> {
  if (await holdsSocket(path, place)) await unlink(path).catch(() => undefined);
}

async function clearDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return null;
    throw cause;
  });
  if (found === null) return;
  if (!found.isSocket()) {
    throw new SecurityError("file-exists", `${path} is no socket of ours and is left alone`, {
      hint: "Move it away and restart the gateway.",
    });
  }
  if (await answers(path)) {
    throw new SecurityError("broker-in-use", `Another gateway already answers at ${path}`, {
      hint: "Stop it, or give one of the two a state folder of its own.",
    });
  }
  await unlink(path);
}

/** Whether a process accepts connections at this socket. One too busy to say so within a second does. */
export async function answers(path: string): Promise<boolean> {
  return await new Promise((tell) => {
    const socket = connect(path);
    const end = (isAlive: boolean): void => {
      socket.destroy();
      tell(isAlive);
    };
    socket.setTimeout(PROBE_MS, () => end(true));
    socket.on("connect", () => end(true));
    socket.on("error", () => end(false));
  });
}
