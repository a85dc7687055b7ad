import { join } from "node:path";
import { SecurityError } from "../core/error.ts";
import {
  type AuditHeadFile,
  type AuditKeyFile,
  formatAuditFile,
  parseAuditHead,
  parseAuditKey,
} from "../schema/audit-files.ts";
import { readTextFile } from "./read-file.ts";
import { writeFileAtomic } from "./write-file.ts";

const KEY = "audit-key.json";
const HEAD = "audit-head.json";
const MAX_BYTES = 10_000;

/**
 * The key that seals the next records; null when there is none.
 * @throws {SecurityError} audit-broken, and those of readTextFile
 */
export async function loadAuditKey(folder: string): Promise<AuditKeyFile | null> {
  return await load(join(folder, KEY), "audit key", parseAuditKey);
}

/** Replaces the key; the old one is gone from the file (a disk may keep the old block for a while). */
export async function saveAuditKey(folder: string, key: AuditKeyFile): Promise<void> {
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
  await writeFileAtomic(join(folder, HEAD), formatAuditFile(head));
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
