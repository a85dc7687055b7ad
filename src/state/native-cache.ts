import { dirname } from "node:path";
import { type NativeCache, parseNativeCache } from "../schema/native-cache.ts";
import { readTextFile } from "./read-file.ts";
import { ensurePrivateFolder, writeFileAtomic } from "./write-file.ts";

const MAX_BYTES = 4_194_304;

/** Null when there is none that can be used: it is then made anew. */
export async function loadNativeCache(path: string): Promise<NativeCache | null> {
  try {
    return parseNativeCache(await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what: "cache" }));
  } catch {
    // A cache that is missing, broken or open to others only costs the time to ask again.
    return null;
  }
}

/** @throws {SecurityError} those of ensurePrivateFolder and writeFileAtomic */
export async function saveNativeCache(path: string, cache: NativeCache): Promise<void> {
  await ensurePrivateFolder(dirname(path));
  await writeFileAtomic(path, `${JSON.stringify(cache)}\n`);
}
