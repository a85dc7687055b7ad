/**
 * The end of the log as one process knows it: reading up to it, adding to it, going on in a new file.
 * Everything here must happen under the log's lock. Whatever is odd ends in an error, and then nothing
 * privileged runs.
 */
import { join } from "node:path";
import type { OpenIntent } from "../audit/audit-event.ts";
import { type AuditKey, beginKey, keyAt } from "../audit/audit-key.ts";
import { advance, type Chain, isProblem, newChain } from "../audit/chain.ts";
import { type PreparedEvent, sealEntry, type StoredEntry } from "../audit/entry.ts";
import { hashBytes, readLines } from "../audit/read-lines.ts";
import { verifyChain } from "../audit/verify-chain.ts";
import { SecurityError } from "../core/error.ts";
import type { EpochMs } from "../core/time.ts";
import { archive, AUDIT_LOG_NAME, type AuditFile, listArchives, nextArchive, openAuditFile } from "./audit-file.ts";
import { loadAuditHead, loadAuditKey, saveNewAuditKey } from "./audit-key.ts";
import { writeFileAtomic } from "./write-file.ts";

/** A crash while the log began may leave these few records of its own without a head file. */
const BEGINNING = 4;
/** Open intents that the next file is told of, the newest; a process has one or two. */
const MAX_CARRIED = 32;
const MAX_CARRIED_CHARS = 128;

export interface TailDeps {
  /** `<state>/security`; made when missing. */
  readonly folder: string;
  readonly now: () => EpochMs;
  readonly monotonicMs: () => number;
  /** Names the time since the machine started. */
  readonly bootId: string;
  /** This process; the start time, in clock ticks since boot, tells it from a later one of the same pid. */
  readonly self: { readonly pid: number; readonly startTime: string | null };
  readonly sha256Hex: (data: string | Uint8Array) => string;
  readonly hmacSha256Hex: (keyHex: string, text: string) => string;
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface Tail {
  readonly file: AuditFile;
  readonly chain: Chain;
  /** Bytes up to the end of the last record. */
  offset: number;
  /** The last record lacks its line end. */
  endsOpen: boolean;
  /** What a crash left after the last record, one character per byte. */
  torn: string;
  /** Seals the next record. */
  key: AuditKey;
  /** A checkpoint is in the log, but key and head file are not saved yet. */
  isHeadDue: boolean;
  /** The disk failed to take what was written, and nobody can tell what it will give back. */
  isLost: boolean;
}

export function broken(message: string): SecurityError {
  return new SecurityError("audit-broken", message, {
    hint: "`cse audit verify` says more. To begin anew, move privileged-audit* and audit-* away, and keep them.",
  });
}

/** Reads and verifies the present file; begins the log where there never was one. */
export async function loadTail(deps: TailDeps): Promise<Tail> {
  const { folder, sha256Hex, hmacSha256Hex } = deps;
  const keys = await loadAuditKey(folder);
  const head = await loadAuditHead(folder);
  const file = openAuditFile(join(folder, AUDIT_LOG_NAME), "append");
  if (file === null) return await beginFile(deps, keys?.current ?? null, head !== null);
  try {
    if (keys === null) throw broken("The key of the audit log is gone");
    const witnesses = { head, key: keys.current, pendingKey: keys.pending, verificationKeyHex: null, anchors: [] };
    const verifier = verifyChain(witnesses, sha256Hex, hmacSha256Hex);
    const { chain } = verifier;
    const { consumed, endsOpen, torn } = verifier.read(AUDIT_LOG_NAME, file.readFrom(0));
    const { status, code, message } = verifier.finish();
    const isBeginning = head === null && chain.seq <= BEGINNING;
    if (status === "tampered" || code === "log-missing" || (head === null && !isBeginning)) throw broken(message);
    const usesPending = keys.pending !== null && chain.lineage === keys.pending.lineage;
    const key = keyAt(usesPending ? keys.pending : keys.current, chain.epoch, hmacSha256Hex);
    if (key === null) throw broken("The key is ahead of the audit log");
    if (key.lineage !== chain.lineage) throw broken("The key belongs to another audit log");
    const isSaved = head?.seq === chain.checkpoint?.seq && key.epoch === keys.current.epoch && keys.pending === null;
    const tail = { file, chain, offset: consumed, endsOpen, torn, key, isHeadDue: !isSaved, isLost: false };
    return chain.rotatedTo === null ? tail : await turnFile(deps, tail);
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

/** There is no present file: a turn to the next one was cut short, or the log begins, or somebody took it away. */
async function beginFile(deps: TailDeps, current: AuditKey | null, hasHead: boolean): Promise<Tail> {
  const { folder, sha256Hex, hmacSha256Hex } = deps;
  const last = listArchives(folder).at(-1);
  if (last !== undefined) {
    const chain = readArchive(deps, last);
    const key = current === null ? null : keyAt(current, chain.epoch, hmacSha256Hex);
    if (key === null || chain.rotatedTo !== last) throw broken("The present file of the audit log is gone");
    return await continueLog(deps, chain, key);
  }
  if (hasHead || (current !== null && current.epoch > 0)) throw broken("The audit log is gone, though it was begun");
  const key = current ?? beginKey(randomHex(deps, 32), 0, sha256Hex);
  if (current === null) await saveNewAuditKey(folder, { schemaVersion: 1, current: key, pending: null });
  const created = { event: "created", logId: randomHex(deps, 16), lineage: key.lineage } as const;
  await writeFileAtomic(join(folder, AUDIT_LOG_NAME), `${seal(deps, newChain(), key, created)}\n`);
  return await loadTail(deps);
}

function readArchive({ folder, sha256Hex, hmacSha256Hex }: TailDeps, name: string): Chain {
  const witnesses = { head: null, key: null, pendingKey: null, verificationKeyHex: null, anchors: [] };
  const verifier = verifyChain(witnesses, sha256Hex, hmacSha256Hex);
  const file = openAuditFile(join(folder, name), "read");
  try {
    verifier.read(name, file?.readFrom(0) ?? "");
  } finally {
    file?.close();
  }
  const { status, message } = verifier.finish();
  if (status === "tampered") throw broken(message);
  return verifier.chain;
}

/**
 * Begins the file after the one that `chain` ends with. By renaming, as for the first file: a link would leave
 * a second name when the process dies at the wrong moment.
 */
async function continueLog(deps: TailDeps, chain: Chain, key: AuditKey): Promise<Tail> {
  const { rotatedTo: from, checkpoint, logId, lineage } = chain;
  if (from === null || checkpoint === null) throw broken("A full file of the audit log does not say that it is full");
  const open = [...chain.open.values()].slice(-MAX_CARRIED).map(carried);
  const continued = { event: "continued", from, logId, lineage, checkpoint: { ...checkpoint }, open } as const;
  const line = seal(deps, chain, key, continued);
  assertNext(chain, line, deps);
  await writeFileAtomic(join(deps.folder, AUDIT_LOG_NAME), `${line}\n`);
  return await loadTail(deps);
}

/** Short enough that the record which holds many of them stays readable. */
function carried(intent: OpenIntent): { readonly [Name in keyof OpenIntent]: OpenIntent[Name] } {
  const short = (text: string | null): string | null => text?.slice(0, MAX_CARRIED_CHARS) ?? null;
  const { requestId, digest, session, agent } = intent;
  return {
    ...intent,
    requestId: short(requestId),
    digest: short(digest),
    session: short(session),
    agent: short(agent),
  };
}

/** What would not verify is not written. */
function assertNext(chain: Chain, line: string, { sha256Hex }: TailDeps): StoredEntry {
  const result = advance(chain, line, sha256Hex);
  if (!isProblem(result)) return result;
  throw new SecurityError("internal", `A record of the audit log is wrong: ${result.message}`);
}

/** Takes in what others wrote since. Gives the tail to go on with, which may be that of another file. */
export async function catchUp(deps: TailDeps, tail: Tail): Promise<Tail> {
  const isInPlace = tail.file.isInPlace();
  readMore(deps, tail);
  if (isInPlace && tail.chain.rotatedTo !== null) return await turnFile(deps, tail);
  if (!isInPlace && tail.chain.rotatedTo === null) throw broken(`${tail.file.path} was moved away or replaced`);
  if (isInPlace && tail.chain.lineage === tail.key.lineage) return tail;
  // Another process went on in the next file, or made a new key.
  tail.file.close();
  return await loadTail(deps);
}

function readMore({ sha256Hex, hmacSha256Hex }: TailDeps, tail: Tail): void {
  const { file, chain } = tail;
  const size = file.size();
  if (size < tail.offset + tail.torn.length) throw broken(`${file.path} was truncated`);
  if (size === tail.offset + tail.torn.length) return;
  let text = file.readFrom(tail.offset);
  if (tail.endsOpen) {
    if (!text.startsWith("\n")) throw broken(`The last record of ${file.path} was changed`);
    text = text.slice(1);
    tail.offset += 1;
    tail.endsOpen = false;
  }
  const { problem, consumed, endsOpen, torn } = readLines(chain, text, sha256Hex);
  if (problem !== null) throw broken(`In ${file.path}, ${problem.message}`);
  tail.offset += consumed;
  tail.endsOpen = endsOpen;
  tail.torn = torn;
  tail.key = keyAt(tail.key, chain.epoch, hmacSha256Hex) ?? tail.key;
}

/** An event, or what makes it from the records before. */
export type NextEvent = PreparedEvent | ((chain: Chain) => PreparedEvent);

/**
 * Adds records and waits until the disk has them. After a failure the file may hold any part of them,
 * and the tail has to be loaded again.
 * @returns the `seq` of each
 */
export async function writeRecords(deps: TailDeps, tail: Tail, events: readonly NextEvent[]): Promise<number[]> {
  const { chain, file, torn } = tail;
  let text = tail.endsOpen || torn !== "" ? "\n" : "";
  const add = (next: NextEvent): number => {
    const event = typeof next === "function" ? next(chain) : next;
    tail.key = keyAt(tail.key, chain.epoch, deps.hmacSha256Hex) ?? tail.key;
    const line = seal(deps, chain, tail.key, event);
    const { seq } = assertNext(chain, line, deps);
    text += `${line}\n`;
    tail.isHeadDue ||= event.event === "checkpoint" || event.event === "rekeyed";
    return seq;
  };
  if (torn !== "") {
    add({ event: "recovered", tornBytes: torn.length, tornSha256: hashBytes(torn, deps.sha256Hex) });
  }
  const seqs = events.map(add);
  file.write(text);
  tail.isLost = true;
  await file.sync();
  tail.isLost = false;
  tail.offset += torn.length + text.length;
  tail.torn = "";
  tail.endsOpen = false;
  tail.key = keyAt(tail.key, chain.epoch, deps.hmacSha256Hex) ?? tail.key;
  return seqs;
}

/** The record that closes a full file. */
export function rotationOf({ folder }: TailDeps): PreparedEvent {
  return { event: "rotated", to: nextArchive(folder) };
}

/** Gives the full file its last name and goes on in the next. */
async function turnFile(deps: TailDeps, tail: Tail): Promise<Tail> {
  if (tail.chain.rotatedTo !== null) archive(deps.folder, tail.chain.rotatedTo);
  tail.file.close();
  return await continueLog(deps, tail.chain, tail.key);
}

function seal(deps: TailDeps, chain: Chain, key: AuditKey, event: PreparedEvent): string {
  const envelope = {
    seq: chain.seq + 1,
    epoch: chain.epoch,
    at: deps.now(),
    monotonicMs: deps.monotonicMs(),
    boot: deps.bootId,
    pid: deps.self.pid,
    startTime: deps.self.startTime,
    prev: chain.head,
  };
  return sealEntry(envelope, event, key.keyHex, deps.hmacSha256Hex);
}

export function randomHex({ randomBytes }: TailDeps, size: number): string {
  return Buffer.from(randomBytes(size)).toString("hex");
}
