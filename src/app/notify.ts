import { asSecurityError, type SecurityErrorCode } from "../core/error.ts";
import { type EpochMs, epochFromIso } from "../core/time.ts";
import type { AssessmentRun } from "../schema/assessment-history.ts";
import type { NotifyMessage, NotifyState, SinkName } from "../schema/notify-state.ts";
import { NO_STATE, planMessages, reviveDead, settleEntry } from "./notify-plan.ts";

/** Hands one message over; throws when it was not taken. */
export type SendMessage = (message: NotifyMessage) => Promise<void>;

export interface NotifyDeps {
  readonly now: () => EpochMs;
  readonly hostname: () => string;
  /** Only one at a time; null: another one is at it. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T | null>;
  readonly loadState: () => Promise<NotifyState | null>;
  readonly saveState: (state: NotifyState) => Promise<void>;
  readonly loadLastRun: () => Promise<AssessmentRun | null>;
  readonly sinks: Readonly<Partial<Record<SinkName, SendMessage>>>;
}

export interface NotifyReport {
  readonly schemaVersion: 1;
  /** `incomplete`: something waits to be tried again, or was given up. */
  readonly status: "ok" | "incomplete" | "no-sink" | "no-assessment" | "busy";
  readonly delivered: number;
  readonly waiting: number;
  readonly given_up: number;
  readonly problems: readonly { readonly code: SecurityErrorCode; readonly message: string }[];
}

/**
 * Says what changed to every sink. What is to be said is saved before anything is sent, and taken out only
 * after it was taken, so a crash can repeat a message (with the same id) and never lose one.
 * @throws {SecurityError} notify-state-invalid and those of the files
 */
export async function notify(deps: NotifyDeps, options: { readonly retry?: boolean } = {}): Promise<NotifyReport> {
  const names = Object.keys(deps.sinks) as SinkName[];
  if (names.length === 0) return { ...NOTHING, status: "no-sink" };
  const report = await deps.alone(async () => await notifyAlone(deps, names, options.retry === true));
  return report ?? { ...NOTHING, status: "busy" };
}

const NOTHING = { schemaVersion: 1, delivered: 0, waiting: 0, given_up: 0, problems: [] } as const;

async function notifyAlone(deps: NotifyDeps, sinks: readonly SinkName[], retry: boolean): Promise<NotifyReport> {
  const run = await deps.loadLastRun();
  const before = (await deps.loadState()) ?? NO_STATE;
  if (run === null && before.outbox.length === 0 && !retry) return { ...NOTHING, status: "no-assessment" };
  const now = deps.now();
  const awake = retry ? reviveDead(before, now) : before;
  let state = run === null ? awake : planMessages(awake, { run, sinks, host: deps.hostname(), now });
  if (state !== before) await deps.saveState(state);

  let delivered = 0;
  const problems: NotifyReport["problems"][number][] = [];
  for (const entry of state.outbox) {
    const send = deps.sinks[entry.sink];
    if ((epochFromIso(entry.next_at) ?? 0) > deps.now() || send === undefined) continue;
    let error: string | null = null;
    try {
      await send(entry.message);
      delivered += 1;
    } catch (thrown) {
      const { code, message } = asSecurityError(thrown);
      problems.push({ code, message: `${entry.sink}: ${message}` });
      error = `${code}: ${message}`;
    }
    state = settleEntry(state, entry, error, deps.now());
    await deps.saveState(state);
  }
  const waiting = state.outbox.length;
  const givenUp = state.dead.length;
  const status = waiting + givenUp === 0 ? "ok" : "incomplete";
  return { schemaVersion: 1, status, delivered, waiting, given_up: givenUp, problems };
}
