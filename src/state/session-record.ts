import { dirname } from "node:path";
import type { SecurityErrorCode } from "../core/error.ts";
import { escapeJson } from "../core/text.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { expiresAt, type Grant } from "../grant/grant.ts";
import { ensurePrivateFolder, writeError, writeFileAtomic } from "./write-file.ts";

/**
 * `root-session-state.json`: what is elevated now, for people and tools. It is written and never
 * read: grants live in the memory of one process, and nothing in this file can make or keep one.
 * A record that cannot be written is therefore reported and stops nothing; the audit log does.
 */
export interface SessionRecord {
  readonly at: EpochMs;
  readonly grants: readonly RecordedGrant[];
  /** Oldest first; the last 20 are kept. */
  readonly events: readonly RecordedEvent[];
}

export interface RecordedGrant {
  readonly grant: Grant;
  /** With secrets masked. */
  readonly maskedArgv: readonly string[];
  readonly runAs: string;
}

export interface RecordedEvent {
  readonly at: EpochMs;
  /** Such as "granted", "used", "denied", "idle". */
  readonly event: string;
  readonly session: string;
  /** First 8 hex digits. */
  readonly digest: string | null;
}

export type SaveOutcome =
  | { readonly kind: "saved" }
  | { readonly kind: "not-saved"; readonly code: SecurityErrorCode; readonly message: string };

export type SaveSessionRecord = (record: SessionRecord) => Promise<SaveOutcome>;

const MAX_EVENTS = 20;

/** Saves to `path` (mode 0600), one at a time and in the order of the calls. Never throws. */
export function createSessionRecord(path: string): SaveSessionRecord {
  let last: Promise<unknown> = Promise.resolve();
  return async (record) => {
    const saved = last.then(async () => await save(path, record));
    last = saved;
    return await saved;
  };
}

async function save(path: string, record: SessionRecord): Promise<SaveOutcome> {
  try {
    await ensurePrivateFolder(dirname(path));
    await writeFileAtomic(path, renderRecord(record));
    return { kind: "saved" };
  } catch (cause) {
    const { code, message } = writeError(cause, path);
    return { kind: "not-saved", code, message };
  }
}

function renderRecord(record: SessionRecord): string {
  const value = {
    schemaVersion: 1,
    note: "A record for people and tools. It is never read for a decision; editing it changes nothing.",
    privilege_mode: record.grants.length === 0 ? "normal" : "elevated",
    written_at: isoFromEpoch(record.at),
    grants: record.grants.map(({ grant, maskedArgv, runAs }) => ({
      grant_id: grant.id,
      digest: grant.digest.slice(0, 8),
      session: grant.session.session,
      agent: grant.session.agent,
      channel: grant.session.channel,
      run_as: runAs,
      argv: maskedArgv,
      kept: grant.isKept,
      approved_by: `${grant.by.kind}:${grant.by.id}`,
      opened_at: isoFromEpoch(grant.openedAt.wallMs),
      last_used_at: isoFromEpoch(grant.lastUsedAt.wallMs),
      expires_at: isoFromEpoch(expiresAt(grant)),
    })),
    last_events: record.events.slice(-MAX_EVENTS).map(({ at, ...event }) => ({ at: isoFromEpoch(at), ...event })),
  };
  return `${escapeJson(JSON.stringify(value, null, 2))}\n`;
}
