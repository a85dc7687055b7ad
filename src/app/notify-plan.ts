import { diffRuns, isUrgent, overdueChecks } from "../assess/change.ts";
import { CHECKS } from "../assess/checks.ts";
import type { Change } from "../assess/over-time.ts";
import { isOpenGap } from "../assess/totals.ts";
import { compareRisk } from "../core/risk.ts";
import { clip, plural } from "../core/text.ts";
import { DAY_MS, type EpochMs, epochFromIso, isoDateFromEpoch, isoFromEpoch } from "../core/time.ts";
import type { AssessmentRun, RunCheck } from "../schema/assessment-history.ts";
import type { NotifyItem, NotifyMessage, NotifyState, OutboxEntry, SinkName } from "../schema/notify-state.ts";

/** Minutes to wait after the first, second and third failure; after the next one a message is given up. */
const RETRY_MINUTES = [1, 5, 30] as const;
const MINUTE_MS = 60_000;
/** Beyond these the oldest go: a sink that is down for weeks must not fill the disk. */
const MAX_OUTBOX = 500;
const MAX_DEAD = 100;
const MAX_TEXT_ITEMS = 20;

export const NO_STATE: NotifyState = {
  schemaVersion: 1,
  last: null,
  resolved: [],
  overdue_told: [],
  digest_at: null,
  outbox: [],
  dead: [],
};

export interface PlanInput {
  readonly run: AssessmentRun;
  readonly sinks: readonly SinkName[];
  readonly host: string;
  readonly now: EpochMs;
}

/**
 * Puts into the outbox what has to be said about the runs since the last one that was told: at first one
 * summary; then what is new or worse at once, and what was closed or has become overdue once a day.
 * Nothing is said twice, and nothing is taken as told before it lies in the outbox.
 */
export function planMessages(state: NotifyState, input: PlanInput): NotifyState {
  const { run, now } = input;
  if (state.last?.run_id === run.run_id && state.resolved.length === 0 && nextDigest(state) > now) return state;
  const overdue = overdueChecks(run, isoDateFromEpoch(now));
  const overdueKeys = overdue.map(overdueKey);
  if (state.last === null) {
    const open = run.checks.filter((check) => isOpenGap(check.status) && check.waiver === undefined);
    const items = open.toSorted((a, b) => compareRisk(a.risk, b.risk)).map((check) => itemOf("open", check));
    const told = { last: run, overdue_told: overdueKeys, digest_at: isoFromEpoch(now) };
    return enqueue({ ...state, ...told }, input, "summary", items);
  }

  const changes = diffRuns(state.last, run);
  const rows = new Map(run.checks.map((check) => [check.check_id, check]));
  const changed = (wanted: (change: Change) => boolean): readonly NotifyItem[] =>
    changes.filter(wanted).flatMap((change) => {
      const row = rows.get(change.check_id);
      return row === undefined ? [] : [itemOf(change.kind, row)];
    });
  const urgent = changed(isUrgent);
  // What came back is no longer closed.
  const back = new Set(urgent.map((item) => item.check_id));
  const closed = [
    ...state.resolved.filter((item) => !back.has(item.check_id)),
    ...changed(({ kind }) => kind === "resolved"),
  ];
  const after = enqueue({ ...state, last: run, resolved: closed }, input, "alert", urgent);
  return planDigest(after, input, overdue);
}

function planDigest(state: NotifyState, input: PlanInput, overdue: readonly RunCheck[]): NotifyState {
  const told = new Set(state.overdue_told);
  const isOverdue = new Set(overdue.map(overdueKey));
  const late = overdue.filter((check) => !told.has(overdueKey(check))).map((check) => itemOf("overdue", check));
  const kept = state.overdue_told.filter((key) => isOverdue.has(key));
  const items = [...late, ...state.resolved];
  if (items.length === 0 || nextDigest(state) > input.now) return { ...state, overdue_told: kept };
  const done = { resolved: [], overdue_told: [...isOverdue], digest_at: isoFromEpoch(input.now) };
  return enqueue({ ...state, ...done }, input, "digest", items);
}

function nextDigest({ digest_at: at }: NotifyState): EpochMs {
  return at === null ? 0 : (epochFromIso(at) ?? 0) + DAY_MS;
}

function enqueue(
  state: NotifyState,
  { run, sinks, host, now }: PlanInput,
  kind: NotifyMessage["kind"],
  items: readonly NotifyItem[],
): NotifyState {
  if (items.length === 0 && kind !== "summary") return state;
  const at = isoFromEpoch(now);
  const message: NotifyMessage = {
    schemaVersion: 1,
    id: `${run.run_id}-${kind}-${at}`,
    kind,
    at,
    host: clip(host, 255),
    run_id: run.run_id,
    text: textOf(kind, clip(host, 255), items),
    items,
  };
  const added = sinks.map((sink): OutboxEntry => ({ sink, attempts: 0, next_at: at, last_error: null, message }));
  const outbox = [...state.outbox, ...added];
  const lost = outbox.slice(0, Math.max(0, outbox.length - MAX_OUTBOX));
  return { ...state, outbox: outbox.slice(lost.length), dead: [...state.dead, ...lost].slice(-MAX_DEAD) };
}

/** What came of one attempt: gone from the outbox, tried again later, or given up. */
export function settleEntry(state: NotifyState, entry: OutboxEntry, error: string | null, now: EpochMs): NotifyState {
  const rest = state.outbox.filter((other) => other.sink !== entry.sink || other.message.id !== entry.message.id);
  if (error === null) return { ...state, outbox: rest };
  const waitMinutes = RETRY_MINUTES[entry.attempts];
  const failed: OutboxEntry = {
    ...entry,
    attempts: entry.attempts + 1,
    last_error: clip(error, 500),
    next_at: isoFromEpoch(now + (waitMinutes ?? 0) * MINUTE_MS),
  };
  if (waitMinutes === undefined) return { ...state, outbox: rest, dead: [...state.dead, failed].slice(-MAX_DEAD) };
  return { ...state, outbox: state.outbox.map((other) => (other === entry ? failed : other)) };
}

/** Given-up messages as new ones. */
export function reviveDead(state: NotifyState, now: EpochMs): NotifyState {
  const revived = state.dead.map((entry) => ({ ...entry, attempts: 0, next_at: isoFromEpoch(now) }));
  return { ...state, outbox: [...state.outbox, ...revived], dead: [] };
}

function overdueKey({ check_id: id, due_date: due }: RunCheck): string {
  return `${id} ${due ?? ""}`;
}

function itemOf(kind: string, check: RunCheck): NotifyItem {
  const meta = CHECKS.find((known) => known.meta.check_id === check.check_id)?.meta;
  return {
    kind,
    check_id: check.check_id,
    title: meta?.title ?? check.check_id,
    status: check.status,
    risk: check.risk,
    first_seen: check.first_seen,
    due_date: check.due_date ?? null,
    owner: meta?.owner ?? "unknown",
    mitigation: kind === "resolved" ? "" : (meta?.mitigation ?? ""),
  };
}

const HEAD: Readonly<Record<NotifyMessage["kind"], string>> = {
  summary: "First assessment",
  alert: "Security got worse",
  digest: "Closed and overdue",
};

function textOf(kind: NotifyMessage["kind"], host: string, items: readonly NotifyItem[]): string {
  const noun = kind === "summary" ? plural(items.length, "open gap") : plural(items.length, "change");
  const lines = items.slice(0, MAX_TEXT_ITEMS).map(({ kind: word, title, risk, due_date: due }) => {
    const date = due === null ? "" : `, due ${due}`;
    return `${word.toUpperCase()}: ${title} (${risk} risk${date})`;
  });
  const left = items.length - lines.length;
  return [`${HEAD[kind]} on ${host}: ${noun}.`, ...lines, ...(left > 0 ? [`and ${left} more`] : [])].join("\n");
}
