import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { FileIdentity } from "../core/elevation.ts";
import { errnoOf, isRootOnly } from "./path-chain.ts";

const CHUNK_BYTES = 1024 * 1024;
/** As much as the kernel looks at to decide how to run a file. */
const HEAD_BYTES = 256;
const MAX_CACHED = 512;

/** Hashes of files that root alone can change, by everything about them that a change would alter. */
export type HashCache = Map<string, string>;

export type FileReading =
  /** `head` is the first 256 bytes at most. */
  | { readonly kind: "read"; readonly identity: FileIdentity; readonly head: Buffer }
  | { readonly kind: "unreadable"; readonly errno: string }
  | { readonly kind: "not-regular" }
  | { readonly kind: "too-large" }
  /** It changed while it was being read. */
  | { readonly kind: "unsteady" };

/** What identifies the file at `path` (its last part no link), all through one descriptor. */
export async function identifyFile(path: string, hashes: HashCache, maxBytes: number): Promise<FileReading> {
  let handle: FileHandle | null = null;
  try {
    // Without O_NONBLOCK a pipe put in place of the file would hold us for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) return { kind: "not-regular" };
    if (stats.size > BigInt(maxBytes)) return { kind: "too-large" };
    const key = stampOf(stats);
    // Whoever owns a file can change it without a trace in its times, so only root's are remembered.
    const known = isRootOnly(stats) ? hashes.get(key) : undefined;
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
    const sha256 = known ?? (await hashFile(handle, maxBytes));
    if (sha256 === null || stampOf(await handle.stat({ bigint: true })) !== key) return { kind: "unsteady" };
    if (isRootOnly(stats)) remember(hashes, key, sha256);
    return { kind: "read", identity: identityOf(path, stats, sha256), head: head.subarray(0, bytesRead) };
  } catch (cause) {
    return { kind: "unreadable", errno: errnoOf(cause) };
  } finally {
    await handle?.close();
  }
}

export function identityOf(path: string, stats: BigIntStats, sha256: string): FileIdentity {
  return {
    path,
    dev: String(stats.dev),
    ino: String(stats.ino),
    size: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
    uid: Number(stats.uid),
    mode: Number(stats.mode & 0o7777n),
    sha256,
  };
}

function stampOf(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(":");
}

function remember(hashes: HashCache, key: string, sha256: string): void {
  if (hashes.size >= MAX_CACHED) hashes.clear();
  hashes.set(key, sha256);
}

/** Null when there is more than `maxBytes` by now. */
async function hashFile(handle: FileHandle, maxBytes: number): Promise<string | null> {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let offset = 0; offset <= maxBytes;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, offset);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(chunk.subarray(0, bytesRead));
    offset += bytesRead;
  }
  return null;
}
