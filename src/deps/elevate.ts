import { hash, randomUUID } from "node:crypto";
import { uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as startTimeout } from "node:timers";
import { type ElevateDeps, requestElevation, runPrivileged } from "../app/elevate.ts";
import { loadPolicyNow, type LoadPolicyDeps } from "../app/elevation-policy.ts";
import { elevationResult, type ElevationResult, runResult, type RunResult } from "../app/elevation-result.ts";
import { createTokenCheck, randomCode } from "../approve/approval-token.ts";
import { createDenyApprover } from "../approve/deny.ts";
import { createTerminalApprover } from "../approve/terminal.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import { maskedWords } from "../audit/prepare-event.ts";
import { waitForRoute } from "../approve/wait-for-route.ts";
import type { Approver, ClockReading, RunWatch, SessionIdentity } from "../core/elevation.ts";
import { SecurityError } from "../core/error.ts";
import { parseStrictJson } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { HashCache } from "../exec/file-identity.ts";
import { lookupUser } from "../exec/passwd-user.ts";
import { recheckCommand, resolveCommand } from "../exec/resolve-command.ts";
import { runPrivileged as runThroughSudo } from "../exec/run-privileged.ts";
import { readStartTime } from "../exec/proc-facts.ts";
import { checkSudo, type SudoDeps } from "../exec/sudo-binary.ts";
import { preflightSudo } from "../exec/sudo-preflight.ts";
import type { AcceptedKinds } from "../grant/approval.ts";
import { createGrantStore, type GrantDrop } from "../grant/grant-store.ts";
import { elevationLimits, type OwnerLimits } from "../grant/owner-limits.ts";
import { createRateLedger } from "../grant/rate-ledger.ts";
import { parseSessionRecord, type SessionRecordFile } from "../schema/session-record.ts";
import type { AuditLog } from "../state/audit-log.ts";
import { acquireElevationLock, type ElevationLock } from "../state/elevation-lock.ts";
import { openControllingTerminal } from "../state/controlling-terminal.ts";
import { readTextFile } from "../state/read-file.ts";
import { createSessionRecord, type RecordedEvent } from "../state/session-record.ts";
import { openAudit } from "./audit.ts";
import type { Effects } from "./effects.ts";

export interface ElevationOptions {
  /** Default: nobody can be asked, so everything is refused. */
  readonly approver?: Approver;
  readonly accept?: AcceptedKinds;
  /** A human sits at the controlling terminal, on which sudo itself may ask for its password. */
  readonly interactive?: boolean;
  /** Refuses everything while another process elevates for the same state folder. For a gateway. */
  readonly exclusive?: boolean;
  /** From the owner's configuration; each can only be stricter than what holds without it. */
  readonly limits?: OwnerLimits;
  /** The session took in content from outside. Default: as OPENCLAW_UNTRUSTED_SOURCE says. */
  readonly isUntrusted?: (session: SessionIdentity) => boolean;
  /** A call that finds nobody to ask waits until somebody can be asked or its question expires. */
  readonly waitsForRoute?: boolean;
}

/** What is elevated now, for `status()`. */
export interface ElevationStatus {
  readonly approver: string;
  readonly grants: readonly { readonly grantId: string; readonly session: string; readonly isKept: boolean }[];
}

export interface Elevation {
  requestElevation(raw: unknown, session: SessionIdentity): Promise<ElevationResult>;
  runPrivileged(raw: unknown, session: SessionIdentity, watch?: RunWatch): Promise<RunResult>;
  /** Adds to the audit log what happened around elevation, such as a call that never became a request. */
  record(event: AuditEvent): Promise<{ readonly seq: number }>;
  /** Ends every grant; returns how many there were. */
  dropElevation(): Promise<number>;
  /** Ends the grants of one session. */
  dropSession(session: string): Promise<number>;
  status(): ElevationStatus;
  /** Stops what is under way, waits for its end to be recorded, and ends every grant. */
  close(): Promise<void>;
}

const DEFAULT_SUDO = "/usr/bin/sudo";
const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 256 * 1024;
const GRACE_MS = 5_000;
const CHECKPOINT_EVERY_MS = 15 * 60_000;
const RECORDED_EVENTS = 20;

/**
 * Puts one elevation together over real effects. Grants live in the memory of what this returns, nowhere else.
 * @throws {SecurityError} invalid-input, unknown-key for limits that are none
 */
export function createElevation(effects: Effects, options: ElevationOptions): Elevation {
  const { env, now, monotonicMs, runTool, options: engine } = effects;
  const asked = options.approver ?? createDenyApprover(now);
  const approver = options.waitsForRoute === true ? waitForRoute(asked, now) : asked;
  const { idleMs, questionMs, maxTimeoutMs, rates } = elevationLimits(options.limits);
  const readClocks = (): ClockReading => ({
    wallMs: now(),
    monotonicMs: monotonicMs(),
    uptimeMs: engine.uptime?.() ?? uptime() * 1000,
  });
  const stop = new AbortController();
  const hashes: HashCache = new Map();
  const policies: LoadPolicyDeps["compiled"] = new Map();
  const resolveDeps = { lookupUser: async (name: string) => await lookupUser(name), hashes };
  const sudoDeps: SudoDeps = {
    sudoPath: realSudoPath(effects),
    hashes,
    runTool,
    versions: new Map(),
  };

  let log: Promise<AuditLog> | undefined;
  let checkpointing: (() => void) | undefined;
  const openLog = async (): Promise<AuditLog> => {
    const opening = (log ??= openAudit(effects));
    // A log that could not be opened is tried anew at the next action; this one is refused.
    opening.catch(() => (log = undefined));
    const opened = await opening;
    checkpointing ??= every(CHECKPOINT_EVERY_MS, () => {
      // A checkpoint that fails shows at the next append, which then refuses.
      void opened.checkpoint().catch(() => undefined);
    });
    return opened;
  };
  const record = async (event: AuditEvent): Promise<{ readonly seq: number }> => await (await openLog()).append(event);

  const working = new Set<Promise<unknown>>();
  const untilEnd = async <T>(work: Promise<T>): Promise<T> => {
    working.add(work);
    try {
      return await work;
    } finally {
      working.delete(work);
    }
  };
  const saveRecord = createSessionRecord(recordPath(effects));
  let events: readonly RecordedEvent[] = [];
  /** What each live grant is for, as the session record shows it. */
  const shown = new Map<string, { readonly maskedArgv: readonly string[]; readonly runAs: string }>();
  const note = async (event: string, session: string, digest: string | null): Promise<void> => {
    events = [...events, { at: now(), event, session, digest: digest?.slice(0, 8) ?? null }].slice(-RECORDED_EVENTS);
    const live = grants.list().map((grant) => ({ grant, maskedArgv: [], runAs: "", ...shown.get(grant.id) }));
    for (const id of shown.keys()) if (!live.some(({ grant }) => grant.id === id)) shown.delete(id);
    // For people and tools only: what cannot be saved changes no decision.
    await saveRecord({ at: now(), grants: live, events });
  };

  const grants = createGrantStore({
    readClocks,
    setTimer,
    newId: randomUUID,
    idleMs,
    onDrop: (drop) => {
      void untilEnd(noteDrop(drop));
    },
  });
  const noteDrop = async ({ grantId, session, reason }: GrantDrop): Promise<void> => {
    const subject = { ...session, requestId: null, digest: null };
    // The grant is gone either way; a log that cannot be written refuses the next action.
    await record({ ...subject, event: "expired", grantId, why: reason }).catch(() => undefined);
    await note(reason, session.session, null);
  };

  const claim = options.exclusive === true ? createClaim(effects) : null;
  // At once, so that the first of two has it; whatever goes wrong is met again by the first action.
  void claim?.check().catch(() => undefined);

  const deps = async (watch: RunWatch = {}): Promise<ElevateDeps> => {
    const signal = watch.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, watch.signal]);
    return {
      now,
      setTimer,
      defaults: { cwd: process.cwd(), timeoutMs: Math.min(TIMEOUT_MS, maxTimeoutMs), maxTimeoutMs },
      questionMs,
      checkHost: async (session) => {
        const wrong = requiredSession(env, session) ?? (await claim?.check()) ?? null;
        if (wrong !== null) return wrong;
        const sudo = await checkSudo(sudoDeps);
        return sudo.kind === "refused" ? sudo : null;
      },
      resolveCommand: async (request) => await resolveCommand(request, resolveDeps),
      recheckCommand: async (resolved) => await recheckCommand(resolved, resolveDeps),
      preflightSudo: async (resolved) => {
        const sudo = await checkSudo(sudoDeps);
        const refusal = sudo.kind === "refused" ? sudo : await preflightSudo(resolved, sudo, runTool);
        // At a terminal sudo asks for its password itself.
        return options.interactive === true && refusal?.code === "password-required" ? null : refusal;
      },
      loadPolicy: async () =>
        await loadPolicyNow({
          load: effects.loadPolicy,
          isRequired: env["OPENCLAW_REQUIRE_POLICY_FILES"] === "1",
          now,
          sha256Hex,
          compiled: policies,
        }),
      isUntrusted: (session) => env["OPENCLAW_UNTRUSTED_SOURCE"] === "1" || (options.isUntrusted?.(session) ?? false),
      approver,
      accept: options.accept ?? ["terminal", "device", "channel"],
      grants,
      ledger,
      onGrant: ({ id }, { request, target }) =>
        void shown.set(id, { maskedArgv: maskedWords(request.argv), runAs: target.user }),
      record,
      run: async (resolved) => {
        const sudo = await checkSudo(sudoDeps);
        if (sudo.kind === "refused") return { kind: "spawn-failed", errno: sudo.code, message: sudo.message };
        return await runThroughSudo(resolved, {
          sudo,
          interactive: options.interactive === true,
          maxOutputBytes: MAX_OUTPUT_BYTES,
          graceMs: GRACE_MS,
          signal,
          onOutput: watch.onOutput,
        });
      },
      readClocks,
      bootId: await readBootId(),
      sha256Hex,
      newId: randomUUID,
      signal,
    };
  };
  const ledger = createRateLedger(readClocks, rates);

  const runNoted = async (raw: unknown, session: SessionIdentity, watch: RunWatch | undefined): Promise<RunResult> => {
    const answer = await runPrivileged(await deps(watch), raw, session);
    const event = answer.kind === "ran" ? answer.outcome.kind : answer.refusal.code;
    // The audit log has it; nobody needs to wait until people can also see it here, but for close().
    void untilEnd(note(event, session.session, answer.trail.digest));
    return runResult(answer);
  };
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stop.abort();
    grants.close();
    checkpointing?.();
    // What is under way is told to stop and records its end; the log must be open until then. Ends leave notes.
    while (working.size > 0) await Promise.allSettled(working);
    try {
      if (log !== undefined) await (await log).close();
    } finally {
      await claim?.release();
    }
  };

  return {
    requestElevation: async (raw, session) => {
      const answer = await untilEnd(requestElevation(await deps(), raw, session));
      await note(answer.kind === "granted" ? "granted" : answer.refusal.code, session.session, digestOf(answer));
      return elevationResult(answer);
    },
    runPrivileged: async (raw, session, watch) => {
      return await untilEnd(runNoted(raw, session, watch));
    },
    record: async (event) => await untilEnd(record(event)),
    dropElevation: async () => {
      const count = grants.dropAll("session-ended");
      await note("dropped", "*", null);
      return count;
    },
    dropSession: async (session) => {
      const count = grants.dropSession(session, "session-ended");
      if (count > 0) await note("dropped", session, null);
      return count;
    },
    status: () => ({
      approver: approver.name,
      grants: grants.list().map(({ id, session, isKept }) => ({ grantId: id, session: session.session, isKept })),
    }),
    close: async () => {
      await (closing ??= close());
    },
  };
}

/** Where the owner says that the real sudo is; it is checked before each use. */
export function realSudoPath({ env, options }: Effects): string {
  return options.sudoPath ?? env["OPENCLAW_REAL_SUDO"] ?? DEFAULT_SUDO;
}

/** An elevation for one process, which is one session unless the task has an id of its own. */
export interface SessionElevation {
  requestElevation(raw: unknown): Promise<ElevationResult>;
  runPrivileged(raw: unknown): Promise<RunResult>;
  dropElevation(): Promise<number>;
  status(): ElevationStatus;
  close(): Promise<void>;
}

/** @param at `terminal`: a human at the controlling terminal is asked; `library`: whoever the options name, else nobody */
export function openElevation(effects: Effects, at: "terminal" | "library"): SessionElevation {
  const { env, options } = effects;
  const named = env["OPENCLAW_TASK_SESSION_ID"] ?? "";
  const session: SessionIdentity = {
    session: named === "" ? `process ${process.pid}` : named,
    agent: null,
    channel: at,
  };
  const elevation = createElevation(effects, {
    ...(options.approver === undefined ? {} : { approver: options.approver }),
    ...(at === "terminal" ? { approver: terminalApprover(effects), accept: ["terminal"], interactive: true } : {}),
  });
  return {
    requestElevation: async (raw) => await elevation.requestElevation(raw, session),
    runPrivileged: async (raw) => await elevation.runPrivileged(raw, session),
    dropElevation: async () => await elevation.dropElevation(),
    status: () => elevation.status(),
    close: async () => await elevation.close(),
  };
}

function terminalApprover(effects: Effects): Approver {
  const token = effects.env["OPENCLAW_APPROVAL_TOKEN"] ?? "";
  return createTerminalApprover({
    openTerminal: openControllingTerminal,
    randomCode,
    now: effects.now,
    sha256Hex,
    isToken: token === "" ? null : createTokenCheck(token),
  });
}

/** `root-session-state.json` as it was last written; null when there is none. */
export interface SessionReport {
  readonly schemaVersion: 1;
  readonly path: string;
  readonly record: SessionRecordFile | null;
}

export async function readSessionRecord(effects: Effects): Promise<SessionReport> {
  const path = recordPath(effects);
  try {
    const text = await readTextFile(path, { maxBytes: 1_000_000, trust: "trusted", what: "session record" });
    return { schemaVersion: 1, path, record: parseSessionRecord(parseStrictJson(text, path)) };
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing")
      return { schemaVersion: 1, path, record: null };
    throw thrown;
  }
}

function recordPath(effects: Effects): string {
  return join(effects.securityDir(), "root-session-state.json");
}

/** Holds the right to elevate for this state folder, from the first check that gets it until the end. */
function createClaim(effects: Effects): { check: () => Promise<Refusal | null>; release: () => Promise<void> } {
  let turn: Promise<ElevationLock | null> = Promise.resolve(null);
  let isReleased = false;
  const take = async (before: Promise<ElevationLock | null>): Promise<ElevationLock | null> => {
    const had = await before.catch(() => null);
    if (isReleased || (had?.kind === "held" && had.isInPlace())) return had;
    // Its file was taken away: whoever made the next one may have it.
    if (had?.kind === "held") had.release();
    const startTime = await readStartTime(process.pid, effects.procRoot);
    return await acquireElevationLock(effects.securityDir(), { pid: process.pid, startTime });
  };
  return {
    check: async () => {
      turn = take(turn);
      const lock = await turn;
      if (lock?.kind === "held-by") return refuse("elevation-elsewhere", lock.holder ?? "some process holds the lock");
      return lock === null || isReleased ? refuse("stopped", "the program is stopping") : null;
    },
    release: async () => {
      isReleased = true;
      const lock = await turn.catch(() => null);
      if (lock?.kind === "held") lock.release();
    },
  };
}

/** A session the owner wants named; without the wish, one process is one session. */
function requiredSession(env: Effects["env"], session: SessionIdentity): Refusal | null {
  // In the gateway the host says whose session it is, also of a call that comes through the shim.
  if (env["OPENCLAW_REQUIRE_SESSION_ID"] !== "1" || ["gateway", "shim"].includes(session.channel)) return null;
  const named = env["OPENCLAW_TASK_SESSION_ID"] ?? "";
  return named === "" ? refuse("session-required", "no task session id is set") : null;
}

function digestOf(answer: Awaited<ReturnType<typeof requestElevation>>): string | null {
  return answer.kind === "granted" ? answer.grant.digest : answer.trail.digest;
}

const sha256Hex = (data: Uint8Array | string): string => hash("sha256", data, "hex");

function setTimer(callback: () => void, delayMs: number): () => void {
  const timer = startTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

function every(delayMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, delayMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Names the time since the machine started, so that nothing approved before survives a restart. */
async function readBootId(): Promise<string> {
  const text = await readTextFile("/proc/sys/kernel/random/boot_id", {
    maxBytes: 100,
    trust: "untrusted",
    what: "boot id",
  });
  return text.trim();
}
