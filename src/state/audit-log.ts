/**
 * The durable log. Several processes may append: each takes the lock, looks at what the others wrote,
 * and only then adds its own. A record is acknowledged when the disk has it.
 */
import { join } from "node:path";
import { placeOf, renderAnchor } from "../audit/anchor.ts";
import type { AuditEvent, CheckpointCause, OpenIntent } from "../audit/audit-event.ts";
import { beginKey } from "../audit/audit-key.ts";
import type { Chain } from "../audit/chain.ts";
import type { PreparedEvent } from "../audit/entry.ts";
import { prepareEvent } from "../audit/prepare-event.ts";
import { asSecurityError, SecurityError } from "../core/error.ts";
import { isoFromEpoch } from "../core/time.ts";
import type { AuditHeadFile } from "../schema/audit-files.ts";
import { loadAuditHead, saveAuditHead, saveAuditKey, saveNewAuditKey } from "./audit-key.ts";
import { openProcessLock, type ProcessLock } from "./audit-lock.ts";
import {
  broken,
  catchUp,
  loadTail,
  type NextEvent,
  randomHex,
  rotationOf,
  type Tail,
  type TailDeps,
  writeRecords,
} from "./audit-tail.ts";
import { ensurePrivateFolder } from "./write-file.ts";

const CHECKPOINT_EVERY = 64;
const MAX_BYTES = 4 * 1024 * 1024;

export interface AuditLogDeps extends TailDeps {
  /** Whether that process still lives; it will then close its own intents. */
  readonly isRunning: (process: { readonly pid: number; readonly startTime: string | null }) => Promise<boolean>;
  /** Puts one line where this account cannot erase it; true when it was taken. Null: there is no such place. */
  readonly anchor: ((text: string) => Promise<boolean>) | null;
  /** A file this big is followed by the next one. Default 4 MiB. */
  readonly maxBytes?: number;
}

/** The open log. Every method is durable when it resolves. */
export interface AuditLog {
  /**
   * Adds one record and waits until the disk has it. When this throws, nothing privileged may run.
   * @throws {SecurityError} audit-broken, audit-unavailable
   */
  append(event: AuditEvent): Promise<{ readonly seq: number }>;
  /**
   * Fixes what was recorded so far in the head file and in the external anchor. To be called every
   * 15 minutes, also when nothing happened.
   * @throws {SecurityError} as append
   */
  checkpoint(): Promise<void>;
  /**
   * Makes a new first key, from which the keys of all later records follow, and gives it back: it cannot be
   * seen again. Whoever keeps it elsewhere can check every record from here on.
   * @throws {SecurityError} as append
   */
  rekey(): Promise<{ readonly keyHex: string; readonly fromSeq: number }>;
  /** A last checkpoint; afterwards nothing can be appended. Safe to call twice. */
  close(): Promise<void>;
  /** Intents of processes that ended without recording an outcome, as found (and closed) at opening. */
  danglingIntents(): readonly OpenIntent[];
}

/**
 * Opens or begins the log, verifies the file it will append to, and closes the intents of processes that
 * are gone.
 * @throws {SecurityError} audit-broken, audit-unavailable
 */
export async function openAuditLog(deps: AuditLogDeps): Promise<AuditLog> {
  let lock: ProcessLock | undefined;
  try {
    await ensurePrivateFolder(deps.folder);
    lock = openProcessLock(join(deps.folder, "privileged-audit.lock"));
    return await startLog(deps, lock);
  } catch (thrown) {
    lock?.close();
    throw auditError(thrown, deps.folder);
  }
}

function auditError(thrown: unknown, folder: string): SecurityError {
  const error = asSecurityError(thrown);
  if (error.code === "audit-broken" || error.code === "audit-unavailable") return error;
  const what = error.code === "internal" && thrown instanceof Error ? thrown.message : error.message;
  return new SecurityError("audit-unavailable", `The audit log in ${folder} cannot be used: ${what}`, {
    cause: thrown,
    hint: error.code === "internal" ? "Nothing privileged runs until the record can be written." : error.hint,
  });
}

type InTurn = <T>(work: (tail: Tail) => Promise<T>) => Promise<T>;

/** Lets one piece of work at a time have the lock and the end of the log. Errors are audit-broken or audit-unavailable. */
function takeTurns(deps: AuditLogDeps, lock: ProcessLock): { inTurn: InTurn; end: (why: SecurityError) => void } {
  let turn: Promise<unknown> = Promise.resolve();
  let tail: Tail | null = null;
  let known: { readonly logId: string; readonly seq: number } | null = null;
  /** Set once and for good: nothing is written any more. */
  let ended: SecurityError | null = null;

  const end = (why: SecurityError): void => {
    ended ??= why;
    tail?.file.close();
    tail = null;
  };

  const isLost = (): boolean => tail?.isLost === true;

  const readTail = async (): Promise<Tail> => {
    const now: Tail = await (tail === null ? loadTail(deps) : catchUp(deps, tail));
    tail = now;
    if (known !== null && (now.chain.logId !== known.logId || now.chain.seq < known.seq)) {
      throw broken(`${now.file.path} was replaced by another log, or by an older copy`);
    }
    return now;
  };

  const haveTurn = async <T>(work: (tail: Tail) => Promise<T>): Promise<T> => {
    if (ended !== null) throw ended;
    const release = await lock.acquire();
    try {
      const now = await readTail();
      const result = await work(now);
      known = { logId: now.chain.logId, seq: now.chain.seq };
      return result;
    } catch (thrown) {
      const error = auditError(thrown, deps.folder);
      if (error.code === "audit-broken" || isLost()) end(error);
      // Whatever is in the file now will be read again.
      tail?.file.close();
      tail = null;
      throw error;
    } finally {
      release();
    }
  };

  return {
    end,
    inTurn: async (work) => {
      const mine = turn.then(async () => await haveTurn(work));
      turn = mine.catch(() => undefined);
      return await mine;
    },
  };
}

async function startLog(deps: AuditLogDeps, lock: ProcessLock): Promise<AuditLog> {
  const { inTurn, end } = takeTurns(deps, lock);
  const { saveHead, anchored } = createHeads(deps, inTurn);
  const checkpoint = async (cause: CheckpointCause): Promise<void> => {
    await inTurn(async (tail) => {
      await writeRecords(deps, tail, [checkpointOf(cause)]);
      await saveHead(tail);
    });
    await anchored();
  };
  const dangling = await inTurn(async (tail) => {
    const found = await findDangling(deps, tail.chain);
    const records = found.map((intent) => outcomeUnknown(intent, deps.bootId));
    if (records.length > 0 || tail.torn !== "") await writeRecords(deps, tail, records);
    if (tail.chain.checkpoint === null) await writeRecords(deps, tail, [checkpointOf("start")]);
    await saveHead(tail);
    return found;
  });
  let closing: Promise<void> | undefined;
  return {
    append: createQueue(deps, inTurn, saveHead),
    checkpoint: async () => await checkpoint("interval"),
    rekey: async () => await rekey(deps, inTurn, saveHead),
    danglingIntents: () => dangling,
    close: async () => {
      closing ??= checkpoint("stop").finally(() => {
        end(new SecurityError("audit-unavailable", "The audit log was closed"));
        lock.close();
      });
      await closing;
    },
  };
}

async function findDangling({ bootId, isRunning }: AuditLogDeps, chain: Chain): Promise<readonly OpenIntent[]> {
  const found: OpenIntent[] = [];
  for (const intent of chain.open.values()) {
    const { boot, pid, startTime } = intent;
    if (boot !== bootId || !(await isRunning({ pid, startTime }))) found.push(intent);
  }
  return found;
}

function outcomeUnknown(
  { intentSeq, requestId, digest, session, agent, boot }: OpenIntent,
  bootId: string,
): PreparedEvent {
  const why = boot === bootId ? "process-gone" : "reboot";
  return { event: "outcome-unknown", intentSeq, requestId, digest, session, agent, why };
}

function checkpointOf(cause: CheckpointCause): NextEvent {
  return ({ head, checkpoint }) => ({
    event: "checkpoint",
    cause,
    root: head,
    prevCheckpoint: checkpoint?.hash ?? null,
  });
}

interface Waiting {
  readonly event: AuditEvent;
  readonly done: (result: { readonly seq: number }) => void;
  readonly failed: (error: SecurityError) => void;
}

/** Records that wait for the same turn go to the disk together. */
function createQueue(deps: AuditLogDeps, inTurn: InTurn, saveHead: SaveHead): AuditLog["append"] {
  let waiting: Waiting[] = [];

  const drain = async (): Promise<void> => {
    let batch: Waiting[] | null = null;
    try {
      await inTurn(async (tail) => {
        // Left over when saving failed after an earlier record: as long as that lasts, nothing is recorded.
        await saveHead(tail);
        const taken = waiting;
        batch = taken;
        waiting = [];
        const events: NextEvent[] = taken.map(({ event }) => prepareEvent(event, hashSecretWith(deps, tail)));
        const sinceCheckpoint = tail.chain.seq + events.length - (tail.chain.checkpoint?.seq ?? 0);
        if (sinceCheckpoint >= CHECKPOINT_EVERY) events.push(checkpointOf("count"));
        const seqs = await writeRecords(deps, tail, events);
        for (const [index, { done }] of taken.entries()) done({ seq: seqs[index] ?? 0 });
        if (tail.offset > (deps.maxBytes ?? MAX_BYTES)) {
          // Whoever has the next turn goes on in the next file.
          await writeRecords(deps, tail, [checkpointOf("rotation"), rotationOf(deps)]);
        }
        await saveHead(tail);
      });
    } catch (thrown) {
      const error = auditError(thrown, deps.folder);
      // Of a batch that was acknowledged nobody waits any more; what failed after it is met again by the next.
      for (const { failed } of batch ?? waiting.splice(0)) failed(error);
    }
  };

  return async (event) =>
    await new Promise((done, failed) => {
      waiting.push({ event, done, failed });
      if (waiting.length === 1) void drain();
    });
}

/** Keyed, so that nobody who reads the log can try out short secrets without the key of that time. */
function hashSecretWith({ hmacSha256Hex }: AuditLogDeps, { key }: Tail): (secret: string) => string {
  return (secret) => hmacSha256Hex(key.keyHex, `openclaw-audit/masked\n${secret}`);
}

async function rekey(
  deps: AuditLogDeps,
  inTurn: InTurn,
  saveHead: SaveHead,
): Promise<{ readonly keyHex: string; readonly fromSeq: number }> {
  return await inTurn(async (tail) => {
    await writeRecords(deps, tail, [checkpointOf("rekey")]);
    await saveHead(tail);
    const keyHex = randomHex(deps, 32);
    const next = beginKey(keyHex, tail.chain.epoch + 1, deps.sha256Hex);
    // Kept beside the present key until the record is on the disk: a crash in between must lose neither.
    await saveNewAuditKey(deps.folder, { schemaVersion: 1, current: tail.key, pending: next });
    await writeRecords(deps, tail, [{ event: "rekeyed", fingerprint: next.lineage }]);
    tail.key = next;
    await saveHead(tail);
    return { keyHex, fromSeq: tail.chain.seq + 1 };
  });
}

type SaveHead = (tail: Tail) => Promise<void>;

/** Keeps key and head file in step with the last checkpoint, and tells the system's log about it. */
function createHeads(deps: AuditLogDeps, inTurn: InTurn): { saveHead: SaveHead; anchored: () => Promise<void> } {
  const { folder, anchor, now, sha256Hex } = deps;
  let next: AuditHeadFile | null = null;
  let telling: Promise<void> | null = null;

  /** Outside the lock, for the system's log may be slow. Only the newest checkpoint is told. */
  const tell = async (send: NonNullable<AuditLogDeps["anchor"]>): Promise<void> => {
    while (next !== null) {
      const head: AuditHeadFile = next;
      next = null;
      const wasTaken = await send(renderAnchor({ ...head, place: placeOf(folder, sha256Hex) })).catch(() => false);
      await inTurn(async () => {
        const present = await loadAuditHead(folder);
        if (present?.seq !== head.seq) return;
        await saveAuditHead(folder, { ...present, anchored: wasTaken ? "sent" : "failed" });
        // The head then goes on saying "pending", which is true.
      }).catch(() => undefined);
    }
  };

  return {
    saveHead: async (tail) => {
      const { checkpoint, logId } = tail.chain;
      if (!tail.isHeadDue || checkpoint === null) return;
      await saveAuditKey(folder, { schemaVersion: 1, current: tail.key, pending: null });
      const head = {
        schemaVersion: 1,
        logId,
        seq: checkpoint.seq,
        sha256: checkpoint.hash,
        at: isoFromEpoch(now()),
        anchored: anchor === null ? "nowhere" : "pending",
      } as const;
      await saveAuditHead(folder, head);
      tail.isHeadDue = false;
      if (anchor === null) return;
      next = head;
      telling ??= tell(anchor).finally(() => (telling = null));
    },
    anchored: async () => {
      await telling;
    },
  };
}
