import { closeSync, constants, fdatasync, lstatSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { SecurityError } from "../core/error.ts";
import {
  type AuditHeadFile,
  type AuditKeyFile,
  formatAuditFile,
  parseAuditHead,
  parseAuditKey,
} from "../schema/audit-files.ts";
import { readTextFile } from "./read-file.ts";
import { writeError, writeFileAtomic } from "./write-file.ts";

const KEY = "audit-key.json";
const HEAD = "audit-head.json";
const MAX_BYTES = 10_000;

const synchronise = promisify(fdatasync);

/**
 * The key that seals the next records; null when there is none.
 * @throws {SecurityError} audit-broken, and those of readTextFile
 */
export async function loadAuditKey(folder: string): Promise<AuditKeyFile | null> {
  return await load(join(folder, KEY), "audit key", parseAuditKey);
}

/**
 * Replaces the key by a later one; the old one is gone from the file (a disk may keep the old block for a
 * while). Only under the log's lock, as everything that writes here.
 */
export async function saveAuditKey(folder: string, key: AuditKeyFile): Promise<void> {
  await replace(join(folder, KEY), formatAuditFile(key));
}

/** Saves a key that does not follow from the one in the file, so that a power cut cannot bring that one back. */
export async function saveNewAuditKey(folder: string, key: AuditKeyFile): Promise<void> {
  await writeFileAtomic(join(folder, KEY), formatAuditFile(key));
}

/**
 * The last checkpoint as kept apart from the log; null when there is none.
 * @throws {SecurityError} audit-broken, and those of readTextFile
 */
export async function loadAuditHead(folder: string): Promise<AuditHeadFile | null> {
  return await load(join(folder, HEAD), "audit head", parseAuditHead);
}

export async function saveAuditHead(folder: string, head: AuditHeadFile): Promise<void> {
  await replace(join(folder, HEAD), formatAuditFile(head));
}

/**
 * Replaces a file without waiting for its folder: after a power cut the older key or head may be back, from
 * which the log can go forward just as well. That nothing is back must not happen, so a first file is waited for.
 */
async function replace(path: string, text: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    await writeFileAtomic(path, text);
    return;
  }
  const temp = `${path}.tmp`;
  try {
    rmSync(temp, { force: true });
    const fd = openSync(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeFileSync(fd, text);
      await synchronise(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temp, path);
  } catch (cause) {
    throw writeError(cause, path);
  }
}

async function load<T>(path: string, what: string, parse: (text: string) => T): Promise<T | null> {
  try {
    return parse(await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what }));
  } catch (thrown) {
    if (!(thrown instanceof SecurityError)) throw thrown;
    if (thrown.code === "file-missing") return null;
    if (thrown.code !== "json-invalid" && thrown.code !== "json-duplicate-key") throw thrown;
    throw new SecurityError("audit-broken", thrown.message, { cause: thrown });
  }
}
