import { createHmac, createSecretKey, hash, type KeyObject, randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type AuditVerifyDeps, readLastEntries, verifyLog } from "../app/audit.ts";
import { reconcileWithSudo, type ReconcileReport } from "../app/reconcile.ts";
import { type AuditAnchor, parseAnchor, placeOf } from "../audit/anchor.ts";
import type { AuditVerdict } from "../audit/verify-chain.ts";
import { collectAnchors, createAnchorSender } from "../collect/audit-anchor.ts";
import { collectSudoLog } from "../collect/sudo-log.ts";
import { SecurityError } from "../core/error.ts";
import { readStartTime } from "../exec/proc-facts.ts";
import type { AuditEntry } from "../schema/audit-entry.ts";
import { AUDIT_LOG_NAME } from "../state/audit-file.ts";
import { loadAuditHead, loadAuditKey } from "../state/audit-key.ts";
import { type AuditLog, openAuditLog } from "../state/audit-log.ts";
import { auditFilesState, readAuditFiles } from "../state/audit-reader.ts";
import { readTextFile } from "../state/read-file.ts";
import type { Effects } from "./effects.ts";

/**
 * Opens the log of this state folder for appending. The caller makes a checkpoint every 15 minutes.
 * @throws {SecurityError} audit-broken, audit-unavailable, no-home
 */
export async function openAudit(effects: Effects): Promise<AuditLog> {
  const { now, monotonicMs, procRoot } = effects;
  return await openAuditLog({
    folder: effects.securityDir(),
    now,
    monotonicMs,
    bootId: await readBootId(procRoot),
    self: { pid: process.pid, startTime: await readStartTime(process.pid, procRoot) },
    isRunning: async ({ pid, startTime }) =>
      startTime === null ? canBeSignalled(pid) : (await readStartTime(pid, procRoot)) === startTime,
    sha256Hex,
    hmacSha256Hex: createMac(),
    randomBytes,
    anchor: await createAnchorSender(effects),
  });
}

/** What the commands below cse audit do with the log of this state folder. */
export interface AuditCommands {
  /** Also against the system's log and, when given, a file with a verification key. */
  verify(options: { readonly keyFile?: string }): Promise<AuditVerdict>;
  /** The last records, oldest first. */
  show(options: { readonly last: number }): readonly AuditEntry[];
  /** The files as they are, oldest first. */
  files(): Iterable<{ readonly name: string; readonly text: string }>;
  rekey(): Promise<{ readonly keyHex: string; readonly fromSeq: number }>;
  /** Compares with sudo's own records, or with the file given. */
  reconcile(options: { readonly sudoLog?: string }): Promise<ReconcileReport>;
}

export function createAuditCommands(effects: Effects): AuditCommands {
  const path = join(effects.securityDir(), AUDIT_LOG_NAME);
  const readDeps = { readFiles: () => readAuditFiles(path), filesState: () => auditFilesState(path) };
  return {
    verify: async ({ keyFile }) => {
      const key = keyFile === undefined ? null : await readVerificationKey(keyFile);
      const loadAnchors = async (place: string): Promise<readonly AuditAnchor[]> => {
        const { anchors } = await collectAnchors(effects, process.getuid?.() ?? -1);
        return anchors.filter((anchor) => anchor.place === place);
      };
      return await verifyLog(verifyDeps(path, loadAnchors), key);
    },
    show: ({ last }) => readLastEntries(readDeps, last),
    files: () => readAuditFiles(path),
    rekey: async () => {
      const log = await openAudit(effects);
      try {
        return await log.rekey();
      } finally {
        await log.close();
      }
    },
    reconcile: async ({ sudoLog }) => {
      const { now, runTool, locateTool } = effects;
      const given = sudoLog === undefined ? {} : { given: resolve(sudoLog) };
      return await reconcileWithSudo({
        ...readDeps,
        user: userInfo().username,
        loadSudoLog: async (since) => await collectSudoLog({ now, runTool, locateTool, ...given }, since),
      });
    },
  };
}

async function readVerificationKey(file: string): Promise<string> {
  const text = await readTextFile(resolve(file), { maxBytes: 1_000, trust: "untrusted", what: "verification key" });
  if (/^[0-9a-f]{64}$/.test(text.trim())) return text.trim();
  throw new SecurityError("invalid-input", `${file} holds no verification key`, {
    hint: "Give the file with the 64 characters that `cse audit export --key` printed.",
  });
}

export interface VerifyAuditOptions {
  /** Lines of a system's log that hold anchors of this log. Default: none; nothing outside the folder is looked at. */
  readonly anchors?: readonly string[];
}

/** What `verifyAuditLog` gives. */
export interface AuditVerification {
  readonly status: "intact" | "tampered" | "unknown";
  readonly firstBadSeq?: number;
  readonly code?: string;
  readonly records: number;
  readonly message: string;
}

/**
 * Verifies a log with the head file and the key beside it, and with anchors as far as they are given.
 * Never rejects.
 * @param path of privileged-audit.jsonl
 */
export async function verifyAuditLog(path: string, options: VerifyAuditOptions = {}): Promise<AuditVerification> {
  const lines = options.anchors ?? [];
  const anchors = lines.flatMap((line) => parseAnchor(line) ?? []);
  if (anchors.length < lines.length) {
    return { status: "unknown", code: "anchor-unreadable", records: 0, message: "A given anchor cannot be read" };
  }
  const { notes: _notes, ...verdict } = await verifyLog(
    verifyDeps(resolve(path), async () => anchors),
    null,
  );
  return verdict;
}

/** What verifying the log at `path` takes. */
export function verifyDeps(
  path: string,
  loadAnchors: (place: string) => Promise<readonly AuditAnchor[]>,
): AuditVerifyDeps {
  const folder = dirname(path);
  return {
    readFiles: () => readAuditFiles(path),
    filesState: () => auditFilesState(path),
    loadHead: async () => await loadAuditHead(folder),
    loadKey: async () => await loadAuditKey(folder),
    loadAnchors: async () => await loadAnchors(placeOf(folder, sha256Hex)),
    sha256Hex,
    hmacSha256Hex: createMac(),
  };
}

function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data);
}

/** One key serves many records in a row, and making it ready takes longer than using it. */
function createMac(): (keyHex: string, text: string) => string {
  let last: { readonly keyHex: string; readonly key: KeyObject } | null = null;
  return (keyHex, text) => {
    if (last?.keyHex !== keyHex) last = { keyHex, key: createSecretKey(keyHex, "hex") };
    return createHmac("sha256", last.key).update(text).digest("hex");
  };
}

async function readBootId(procRoot: string): Promise<string> {
  try {
    const path = join(procRoot, "sys/kernel/random/boot_id");
    return (await readTextFile(path, { maxBytes: 100, trust: "untrusted", what: "boot id" })).trim();
  } catch (thrown) {
    // Then only the pid tells whether an intent's process still lives.
    if (thrown instanceof SecurityError) return "unknown";
    throw thrown;
  }
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
