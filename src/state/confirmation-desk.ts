import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Confirmation } from "../core/confirmation.ts";
import { SecurityError } from "../core/error.ts";
import { parseStrictJson } from "../core/json.ts";
import { isConfirmationId, parseConfirmation, renderConfirmation } from "../schema/confirmation.ts";
import { readTextFile } from "./read-file.ts";
import { createFileAtomic, ensurePrivateFolder } from "./write-file.ts";

/**
 * Waiting confirmations as files of one folder: the gateway puts a question there, a terminal puts a proof
 * beside it. Neither the folder nor the files are trusted with a secret.
 */
const LOOK_EVERY_MS = 250;
const MAX_BYTES = 200_000;

export async function openConfirmation(folder: string, confirmation: Confirmation): Promise<void> {
  await ensurePrivateFolder(folder);
  await createFileAtomic(questionPath(folder, confirmation.id), renderConfirmation(confirmation));
}

/** Takes the proof away as it reads it; null when the signal fires first. */
export async function takeProof(folder: string, id: string, signal: AbortSignal): Promise<string | null> {
  while (!signal.aborted) {
    const proof = await readOrNull(proofPath(folder, id));
    if (proof !== null) {
      await unlink(proofPath(folder, id));
      return proof.trim();
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

export async function closeConfirmation(folder: string, id: string): Promise<void> {
  for (const path of [questionPath(folder, id), proofPath(folder, id)]) {
    // Somebody else may have taken it away already.
    await unlink(path).catch(() => undefined);
  }
}

/** @throws {SecurityError} file-exists while another proof waits to be looked at */
export async function putProof(folder: string, id: string, proof: string): Promise<void> {
  await createFileAtomic(proofPath(folder, id), `${proof}\n`);
}

/** `waiting`: nobody has looked at the proof yet. `wrong`: it was taken away, and the question waits on. */
export async function proofState(folder: string, id: string): Promise<"waiting" | "wrong" | "over"> {
  const [question, proof] = await Promise.all([
    readOrNull(questionPath(folder, id)),
    readOrNull(proofPath(folder, id)),
  ]);
  return question === null ? "over" : proof === null ? "wrong" : "waiting";
}

/** Ids of what waits. */
export async function listConfirmations(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => name.replace(/\.json$/, "")).filter(isConfirmationId);
}

/** @throws {SecurityError} file-missing, invalid-input and those of reading a trusted file */
export async function loadConfirmation(folder: string, id: string): Promise<Confirmation> {
  const path = questionPath(folder, id);
  const text = await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what: "waiting confirmation" });
  return parseConfirmation(parseStrictJson(text, path));
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what: "proof" });
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return null;
    throw thrown;
  }
}

const questionPath = (folder: string, id: string): string => join(folder, `${id}.json`);
const proofPath = (folder: string, id: string): string => join(folder, `${id}.proof`);
