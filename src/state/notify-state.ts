import { dirname } from "node:path";
import { SecurityError } from "../core/error.ts";
import { type NotifyConfig, parseNotifyConfig } from "../schema/notify-config.ts";
import { formatNotifyState, type NotifyState, parseNotifyState } from "../schema/notify-state.ts";
import { readTextFile } from "./read-file.ts";
import { ensurePrivateFolder, writeFileAtomic } from "./write-file.ts";

const MAX_BYTES = 32 * 1024 * 1024;

/**
 * What was told and what waits to be; null before the first time.
 * @throws {SecurityError} notify-state-invalid, json-invalid, json-duplicate-key, and those of readTextFile
 */
export async function loadNotifyState(path: string): Promise<NotifyState | null> {
  const text = await textOrNull(path, "state of the notifications");
  return text === null ? null : parseNotifyState(text);
}

export async function saveNotifyState(path: string, state: NotifyState): Promise<void> {
  await ensurePrivateFolder(dirname(path));
  await writeFileAtomic(path, formatNotifyState(state));
}

/** @throws {SecurityError} notify-config-invalid, json-invalid, json-duplicate-key, and those of readTextFile */
export async function loadNotifyConfig(path: string): Promise<NotifyConfig> {
  const text = await textOrNull(path, "notification config");
  return text === null ? { webhook: null } : parseNotifyConfig(text);
}

async function textOrNull(path: string, what: string): Promise<string | null> {
  try {
    return await readTextFile(path, { maxBytes: MAX_BYTES, trust: "trusted", what });
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return null;
    throw thrown;
  }
}
