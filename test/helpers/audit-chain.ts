import { createHmac, hash } from "node:crypto";
import type { AuditEvent, AuditSubject } from "../../src/audit/audit-event.ts";
import { type AuditKey, beginKey, keyAt } from "../../src/audit/audit-key.ts";
import { advance, isProblem, newChain } from "../../src/audit/chain.ts";
import { type PreparedEvent, sealEntry } from "../../src/audit/entry.ts";
import { prepareEvent } from "../../src/audit/prepare-event.ts";
import { type AuditHead, type AuditVerdict, verifyChain, type Witnesses } from "../../src/audit/verify-chain.ts";

export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data);
}

export function hmacSha256Hex(keyHex: string, text: string): string {
  return createHmac("sha256", Buffer.from(keyHex, "hex")).update(text).digest("hex");
}

export const FIRST_KEY: string = "11".repeat(32);
export const LOG_ID: string = "aa".repeat(16);
export const SUBJECT: AuditSubject = {
  requestId: "r-1",
  digest: "d1".repeat(32),
  session: "agent:main:main",
  agent: "main",
  channel: "terminal",
};

/** A log in memory, written by the same rules as the real one. */
export interface SampleLog {
  /** Lines of each file, oldest first. */
  readonly files: { name: string; lines: string[] }[];
  /** Of the last checkpoint. */
  head: AuditHead | null;
  key: AuditKey;
  add(event: PreparedEvent): number;
  append(event: AuditEvent): number;
  checkpoint(): void;
  rotate(): void;
  rekey(keyHex: string): void;
}

export const CURRENT = "privileged-audit.jsonl";

export function sampleLog(): SampleLog {
  const chain = newChain();
  let file: { name: string; lines: string[] } = { name: CURRENT, lines: [] };
  const log: SampleLog = {
    files: [file],
    head: null,
    key: beginKey(FIRST_KEY, 0, sha256Hex),
    add: (event) => {
      const envelope = {
        seq: chain.seq + 1,
        epoch: chain.epoch,
        at: 1_790_000_000_000 + chain.seq,
        monotonicMs: chain.seq,
        boot: "boot-1",
        pid: 4242,
        startTime: "99",
        prev: chain.head,
      };
      const line = sealEntry(envelope, event, log.key.keyHex, hmacSha256Hex);
      const result = advance(chain, line, sha256Hex);
      if (isProblem(result)) throw new Error(result.message);
      file.lines.push(line);
      if (event.event === "checkpoint") log.head = { logId: LOG_ID, seq: chain.seq, sha256: chain.head };
      log.key = keyAt(log.key, chain.epoch, hmacSha256Hex) ?? log.key;
      return chain.seq;
    },
    append: (event) => log.add(prepareEvent(event, (secret) => hmacSha256Hex(log.key.keyHex, secret))),
    checkpoint: () => {
      const prevCheckpoint = chain.checkpoint?.hash ?? null;
      log.add({ event: "checkpoint", cause: "count", root: chain.head, prevCheckpoint });
    },
    rotate: () => {
      log.checkpoint();
      const to = `privileged-audit.${String(log.files.length).padStart(6, "0")}.jsonl`;
      log.add({ event: "rotated", to });
      file.name = to;
      file = { name: CURRENT, lines: [] };
      log.files.push(file);
      const { checkpoint } = chain;
      if (checkpoint === null) throw new Error("no checkpoint");
      const open = [...chain.open.values()].map((intent) => ({ ...intent }));
      const lineage = chain.lineage;
      log.add({ event: "continued", from: to, logId: LOG_ID, lineage, checkpoint: { ...checkpoint }, open });
    },
    rekey: (keyHex) => {
      const next = beginKey(keyHex, chain.epoch + 1, sha256Hex);
      log.add({ event: "rekeyed", fingerprint: next.lineage });
      log.key = next;
    },
  };
  log.add({ event: "created", logId: LOG_ID, lineage: log.key.lineage });
  return log;
}

/** Two files, three checkpoints, an intent and its end, `count` passed words at the end, all under a checkpoint. */
export function busyLog(count = 3): SampleLog {
  const log = sampleLog();
  log.checkpoint();
  log.append(passthrough("first"));
  log.rotate();
  for (let index = 0; index < count; index += 1) log.append(passthrough(`word ${index}`));
  log.checkpoint();
  return log;
}

export function passthrough(word: string): AuditEvent {
  return { ...SUBJECT, event: "passthrough", argv: [word] };
}

export type SampleFiles = readonly { readonly name: string; readonly text: string }[];

export function filesOf(log: SampleLog): SampleFiles {
  return log.files.map(({ name, lines }) => ({ name, text: `${lines.join("\n")}\n` }));
}

/** Verifies files with everything that was kept apart from the log, or with other witnesses. */
export function verifySample(log: SampleLog, files: SampleFiles, witnesses: Partial<Witnesses> = {}): AuditVerdict {
  const all = { head: log.head, key: log.key, pendingKey: null, verificationKeyHex: null, anchors: [], ...witnesses };
  const verifier = verifyChain(all, sha256Hex, hmacSha256Hex);
  for (const { name, text } of files) verifier.read(name, text);
  return verifier.finish();
}
