import { isoFromEpoch, type EpochMs } from "../core/time.ts";
import type { AuditEvent, LogEvent } from "./audit-event.ts";
import { type CanonicalValue, parseCanonical, renderCanonical } from "./canonical-json.ts";
import { scanCanonical } from "./scan-canonical.ts";

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
  /** Everything in the record; read only when asked for, for most records are only counted and linked. */
  readonly fields: () => Fields;
}

export type Fields = Readonly<Record<string, CanonicalValue>>;

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
  const members = scanCanonical(line);
  return members === null ? readSlowly(line) : readMembers(line, members);
}

/** The slow way: exported as what the quick way is compared with. */
export function readSlowly(line: string): StoredEntry | null {
  const value = parseCanonical(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const fields = value as Fields;
  return toEntry(fields, () => fields);
}

/** Takes the envelope out of a text that is canonical already, and leaves the rest unread. */
function readMembers(line: string, members: readonly number[]): StoredEntry | null {
  let at = 0;
  /** Members are sorted, so each is looked for behind the one before. */
  const next = (name: string): unknown => {
    for (; at < members.length; at += 3) {
      const key = members[at] ?? 0;
      const keyEnd = members[at + 1] ?? 0;
      if (keyEnd - key === name.length && line.startsWith(name, key)) {
        return plainValue(line, keyEnd + 2, members[at + 2] ?? 0);
      }
    }
    return null;
  };
  const boot = next("boot");
  const epoch = next("epoch");
  const event = next("event");
  const mac = next("mac");
  const mono = next("mono");
  const pid = next("pid");
  const prev = next("prev");
  const seq = next("seq");
  const ts = next("ts");
  const v = next("v");
  return toEntry({ v, seq, epoch, event, prev, mac, ts, mono, boot, pid }, () => JSON.parse(line) as Fields);
}

/** A string or a count; null for anything else, which no part of the envelope is. */
function plainValue(line: string, start: number, end: number): unknown {
  if (line.charCodeAt(start) === QUOTE) {
    const text = line.slice(start + 1, end - 1);
    return text.includes("\\") ? JSON.parse(line.slice(start, end)) : text;
  }
  let count = 0;
  for (let at = start; at < end; at += 1) {
    const digit = line.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return null;
    count = count * 10 + digit;
  }
  return count;
}

const QUOTE = 0x22;
const ZERO = 0x30;

function toEntry(envelope: Readonly<Record<string, unknown>>, fields: () => Fields): StoredEntry | null {
  const { v, seq, epoch, event, prev, mac, ts, mono, boot, pid } = envelope;
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
