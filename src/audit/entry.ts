import { isoFromEpoch, type EpochMs } from "../core/time.ts";
import type { AuditEvent, LogEvent } from "./audit-event.ts";
import { type CanonicalValue, parseCanonical, renderCanonical } from "./canonical-json.ts";

/** `prev` of the very first record. */
export const NO_HASH: string = "0".repeat(64);
/** Longer lines are never written. */
const MAX_LINE_CHARS = 262_144;

export type HashHex = (data: string | Uint8Array) => string;
export type MacHex = (keyHex: string, text: string) => string;

/** What the log adds to every event. */
export interface Envelope {
  readonly seq: number;
  /** Which key sealed the record; goes up by one after every checkpoint and new key. */
  readonly epoch: number;
  readonly at: EpochMs;
  readonly monotonicMs: number;
  readonly boot: string;
  readonly pid: number;
  readonly startTime: string | null;
  /** SHA-256 of the line before, without its line end. */
  readonly prev: string;
}

/** A record as read back: the envelope's fields are checked, the others are as they stand. */
export interface StoredEntry {
  readonly seq: number;
  readonly epoch: number;
  readonly event: string;
  readonly prev: string;
  readonly mac: string;
  readonly fields: Readonly<Record<string, CanonicalValue>>;
}

/** What the events look like once secrets are masked and lengths are bounded. */
export type PreparedEvent = Readonly<Record<string, CanonicalValue>> & {
  readonly event: AuditEvent["event"] | LogEvent["event"];
};

/** The line of one record, sealed with the key of its epoch, without its line end. */
export function sealEntry(envelope: Envelope, event: PreparedEvent, keyHex: string, mac: MacHex): string {
  const record = {
    ...event,
    v: 1,
    seq: envelope.seq,
    epoch: envelope.epoch,
    ts: isoWithMs(envelope.at),
    mono: Math.round(envelope.monotonicMs),
    boot: envelope.boot,
    pid: envelope.pid,
    startTime: envelope.startTime,
    prev: envelope.prev,
  };
  const unsealed = renderCanonical({ ...record, mac: NO_HASH });
  return unsealed.replace(NO_SEAL, `"mac":"${mac(keyHex, unsealed)}"`);
}

/** The place of the seal while it is computed. A quote inside a string is escaped, so it is only there once. */
const NO_SEAL: string = `"mac":"${NO_HASH}"`;

/** Reads one line; null when it is not the canonical text of a record. */
export function readEntry(line: string): StoredEntry | null {
  if (line.length > MAX_LINE_CHARS) return null;
  const value = parseCanonical(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const fields = value as Readonly<Record<string, CanonicalValue>>;
  const { v, seq, epoch, event, prev, mac, ts, mono, boot, pid } = fields;
  if (v !== 1 || !isCount(seq) || seq === 0 || !isCount(epoch)) return null;
  if (!isCount(mono) || !isCount(pid) || typeof boot !== "string") return null;
  if (typeof ts !== "string" || !TIME.test(ts)) return null;
  // What they hold is compared with what it must be, later.
  if (typeof event !== "string" || typeof prev !== "string" || typeof mac !== "string") return null;
  return { seq, epoch, event, prev, mac, fields };
}

/** Whether the record was sealed with this key. */
export function isSealedWith(line: string, entry: StoredEntry, keyHex: string, mac: MacHex): boolean {
  return mac(keyHex, line.replace(`"mac":"${entry.mac}"`, NO_SEAL)) === entry.mac;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const HASH = /^[0-9a-f]{64}$/;

export function isHash(value: unknown): value is string {
  return typeof value === "string" && HASH.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

function isoWithMs(at: EpochMs): string {
  const whole = Math.floor(at);
  const ms = ((whole % 1000) + 1000) % 1000;
  return isoFromEpoch(whole).replace("Z", `.${String(ms).padStart(3, "0")}Z`);
}
