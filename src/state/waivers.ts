import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SecurityError } from "../core/error.ts";
import { formatWaivers, parseWaivers, sealedText, type StoredWaiver, type Waiver } from "../schema/waivers.ts";
import { withLock } from "./lock.ts";
import { readTextFile } from "./read-file.ts";
import { createFileAtomic, ensurePrivateFolder, writeFileAtomic } from "./write-file.ts";

const MAX_BYTES = 4_000_000;
const KEY_BYTES = 32;
const KEY = "waiver-key";

/** A waiver, and whether it is exactly what a human agreed to at a terminal. */
export interface SealedWaiver extends Waiver {
  readonly isConfirmed: boolean;
}

/**
 * The waivers; none when there is no file.
 * @throws {SecurityError} waivers-invalid, json-invalid, json-duplicate-key, and those of readTextFile
 */
export async function loadWaivers(path: string): Promise<readonly SealedWaiver[]> {
  const stored = await readWaivers(path);
  if (stored.length === 0) return [];
  const key = await readKey(dirname(path));
  return stored.map(({ seal, ...waiver }) => ({ ...waiver, isConfirmed: isSealed(key, waiver, seal) }));
}

/**
 * Changes the file. The seal shows an edit by hand or by another program; it is no secret from a program of the
 * same account, which could read the key.
 * @param change gives the new list; those it marks confirmed are sealed
 * @throws {SecurityError} as loadWaivers, lock-timeout, and those of writeFileAtomic
 */
export async function changeWaivers(
  path: string,
  change: (waivers: readonly SealedWaiver[]) => readonly SealedWaiver[],
): Promise<void> {
  await ensurePrivateFolder(dirname(path));
  await withLock(path, async () => {
    const changed = change(await loadWaivers(path));
    const key = (await readKey(dirname(path))) ?? (await makeKey(dirname(path)));
    const stored = changed.map(({ isConfirmed, ...waiver }): StoredWaiver => {
      const { seal: _, ...plain } = waiver as StoredWaiver;
      return isConfirmed ? { ...plain, seal: sealOf(key, waiver) } : plain;
    });
    await writeFileAtomic(path, formatWaivers(parseWaivers(formatWaivers(stored))));
  });
}

async function readWaivers(path: string): Promise<readonly StoredWaiver[]> {
  // A folder that others may write to makes a file in it worthless, and takes nothing away where there is none.
  if ((await lstat(path).catch(() => null)) === null) return [];
  try {
    return parseWaivers(await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what: "waiver file" }));
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return [];
    throw thrown;
  }
}

/** Null when there is none, and then nothing is confirmed. */
async function readKey(folder: string): Promise<Buffer | null> {
  try {
    const text = await readTextFile(join(folder, KEY), {
      maxBytes: 1_000,
      trust: "trusted",
      what: "key of the waivers",
    });
    const key = Buffer.from(text.trim(), "hex");
    return key.length === KEY_BYTES ? key : null;
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return null;
    throw thrown;
  }
}

async function makeKey(folder: string): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES);
  await createFileAtomic(join(folder, KEY), `${key.toString("hex")}\n`);
  return key;
}

function sealOf(key: Buffer, waiver: Waiver): string {
  return createHmac("sha256", key).update(sealedText(waiver)).digest("hex");
}

function isSealed(key: Buffer | null, waiver: Waiver, seal: string | undefined): boolean {
  if (key === null || seal === undefined) return false;
  return timingSafeEqual(Buffer.from(sealOf(key, waiver), "hex"), Buffer.from(seal, "hex"));
}
