import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { SecurityError } from "../core/error.ts";
import { readTextFile } from "./read-file.ts";
import { ensureReportFolder, writeError, writeFileAtomic } from "./write-file.ts";

const MAX_BYTES = 100_000;

export type OwnedFile = "ours" | "foreign" | "missing";

/** Whose a scheduler's file is: ours carries the marker. */
export async function whoseFile(path: string, marker: string): Promise<OwnedFile> {
  try {
    const text = await readTextFile(path, { maxBytes: MAX_BYTES, trust: "untrusted", what: "scheduler's file" });
    return text.includes(marker) ? "ours" : "foreign";
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return "missing";
    throw thrown;
  }
}

/** @throws {SecurityError} file-exists over a file that is not ours, and those of writeFileAtomic */
export async function writeOwnedFile(path: string, text: string, marker: string): Promise<void> {
  if ((await whoseFile(path, marker)) === "foreign") {
    throw new SecurityError("file-exists", `${path} exists and is not ours, so it is not replaced`);
  }
  await ensureReportFolder(dirname(path));
  await writeFileAtomic(path, text);
}

/** True when there was a file of ours. */
export async function removeOwnedFile(path: string, marker: string): Promise<boolean> {
  if ((await whoseFile(path, marker)) !== "ours") return false;
  try {
    await rm(path);
    return true;
  } catch (cause) {
    throw writeError(cause, path);
  }
}
