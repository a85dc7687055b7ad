import { chmod, lstat, rmdir, unlink } from "node:fs/promises";
import { SecurityError } from "../core/error.ts";
import { readTextFile } from "./read-file.ts";
import { writeError, writeFileAtomic } from "./write-file.ts";

const MAX_BYTES = 4_000_000;

/** What is at a path that is not only ours to write. */
export type FileThere =
  | { readonly kind: "missing" }
  | { readonly kind: "file"; readonly text: string }
  /** A link, folder or device, or a file that cannot be read as text. */
  | { readonly kind: "other" };

/** @throws nothing: what cannot be read is `other` */
export async function readThere(path: string): Promise<FileThere> {
  try {
    return { kind: "file", text: await readTextFile(path, { maxBytes: MAX_BYTES, trust: "untrusted", what: "file" }) };
  } catch (thrown) {
    return { kind: thrown instanceof SecurityError && thrown.code === "file-missing" ? "missing" : "other" };
  }
}

/**
 * Replaces a file that other programs start or read, with the mode they need.
 * @throws {SecurityError} those of writeFileAtomic
 */
export async function writeFileWithMode(path: string, text: string, mode: number): Promise<void> {
  await writeFileAtomic(path, text);
  try {
    await chmod(path, mode);
  } catch (cause) {
    throw writeError(cause, path);
  }
}

/**
 * Removes a file. One that is gone already is no failure.
 * @throws {SecurityError} read-only, write-failed
 */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw writeError(cause, path);
  }
}

/** Removes a folder that is empty; anything else stays. */
export async function removeEmptyFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isDirectory() === true) await rmdir(path).catch(() => undefined);
}
