import { join } from "node:path";
import type { Problem } from "../app/assess.ts";
import { cycleProblems, NO_CYCLE } from "../app/cycle.ts";
import { SecurityError } from "../core/error.ts";
import { escapeControl } from "../core/text.ts";
import { isoFromEpoch } from "../core/time.ts";
import { changeCrontab, MARKER, planSchedule, type SchedulePlan, taskSchedulerText } from "../schedule/plan.ts";
import type { CycleState, SchedulerKind } from "../schema/cycle-state.ts";
import { loadCycleState, saveCycleState } from "../state/cycle-state.ts";
import { removeOwnedFile, whoseFile, writeOwnedFile } from "../state/schedule-file.ts";
import { withTemporaryFile } from "../state/temporary-file.ts";
import { cycleLogPath, cycleStatePath } from "./cycle-record.ts";
import type { Effects } from "./effects.ts";
import { confirmByHuman } from "./over-time.ts";

/** What a run from a scheduler would not know otherwise. */
const PASSED_ON = [
  "OPENCLAW_STATE_DIR",
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_PROFILE",
  "OPENCLAW_VIOLATION_NOTIFY_CMD",
  "OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST",
  "OPENCLAW_VIOLATION_NOTIFY_STATE",
];
const TOOL_TIMEOUT_MS = 20_000;

export interface ScheduleReport {
  readonly schemaVersion: 1;
  readonly enabled: boolean;
  readonly kind: SchedulerKind | null;
  readonly every_minutes: number | null;
  /** Files of ours that are there. */
  readonly files: readonly string[];
  readonly last: CycleState["last"];
  readonly running_since: string | null;
  readonly log: string;
  readonly problems: readonly Problem[];
}

export interface ScheduleWishes {
  readonly kind?: SchedulerKind;
  readonly everyMinutes: number;
}

/** @throws {SecurityError} platform-unsupported, not-a-terminal, invalid-argument, tool-failed, file-exists */
export async function runScheduleEnable(effects: Effects, wishes: ScheduleWishes): Promise<ScheduleReport> {
  const kind = wishes.kind ?? (await chooseKind(effects, wishes.everyMinutes));
  const plan = planOf(effects, kind, wishes.everyMinutes);
  await agree(
    effects,
    "Run `cse cycle` on a schedule",
    plan,
    [...plan.files.map(({ text }) => text), plan.block ?? ""],
    plan.enable,
  );
  try {
    for (const { path, text } of plan.files) await writeOwnedFile(path, text, MARKER);
    if (plan.block !== null) await writeCrontab(effects, plan.block);
    for (const command of plan.enable) await runOrThrow(effects, command);
  } catch (thrown) {
    // A timer that does not run must not look like one that does.
    for (const { path } of plan.files) await removeOwnedFile(path, MARKER).catch(() => false);
    throw thrown;
  }
  const state = (await loadCycleState(cycleStatePath(effects))) ?? NO_CYCLE;
  const schedule = { kind, every_minutes: wishes.everyMinutes, since: isoFromEpoch(effects.now()) };
  await saveCycleState(cycleStatePath(effects), { ...state, schedule });
  return await runScheduleStatus(effects);
}

/** Takes back exactly what `enable` did, whatever of it is still there. */
export async function runScheduleDisable(effects: Effects): Promise<ScheduleReport> {
  const state = (await loadCycleState(cycleStatePath(effects))) ?? NO_CYCLE;
  const { schedule } = state;
  if (schedule === null) return await runScheduleStatus(effects);
  const plan = planOf(effects, schedule.kind, schedule.every_minutes);
  await agree(effects, "No longer run `cse cycle` on a schedule", plan, [], plan.disable);
  for (const [tool = "", ...args] of plan.disable) {
    const file = await effects.locateTool(tool);
    // A timer that is gone already is what is wanted.
    if (file !== null) await effects.runTool(toolCall(effects, file, args));
  }
  for (const { path } of plan.files) await removeOwnedFile(path, MARKER);
  if (plan.kind === "systemd")
    await runOrThrow(effects, ["systemctl", "--user", "daemon-reload"]).catch(() => undefined);
  if (plan.block !== null) await writeCrontab(effects, null);
  await saveCycleState(cycleStatePath(effects), { ...state, schedule: null });
  return await runScheduleStatus(effects);
}

export async function runScheduleStatus(effects: Effects): Promise<ScheduleReport> {
  const state = (await loadCycleState(cycleStatePath(effects))) ?? NO_CYCLE;
  const { schedule, last, running_since: running } = state;
  const plan = schedule === null ? null : planOf(effects, schedule.kind, schedule.every_minutes);
  const files: string[] = [];
  for (const { path } of plan?.files ?? []) if ((await whoseFile(path, MARKER)) === "ours") files.push(path);
  const isThere =
    plan !== null && (plan.block === null ? files.length === plan.files.length : await hasCronBlock(effects));
  const gone: readonly Problem[] =
    plan === null || isThere
      ? []
      : [{ code: "cycle-missed", message: "What the scheduler needs is gone; run `cse schedule enable` again" }];
  return {
    schemaVersion: 1,
    enabled: isThere,
    kind: schedule?.kind ?? null,
    every_minutes: schedule?.every_minutes ?? null,
    files,
    last,
    running_since: running,
    log: cycleLogPath(effects),
    problems: [...gone, ...cycleProblems(state, effects.now())],
  };
}

function planOf(effects: Effects, kind: SchedulerKind, everyMinutes: number): SchedulePlan {
  return planSchedule(kind, wishOf(effects, everyMinutes));
}

function wishOf(effects: Effects, everyMinutes: number) {
  const { env, packageRoot, paths } = effects;
  const passed = Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  if (Object.values(passed).some((value) => /[\n\r\0]/.test(value))) {
    throw new SecurityError("invalid-argument", "A variable to be passed on to the scheduler holds a line break");
  }
  return {
    node: process.execPath,
    cli: join(packageRoot(), "dist/cli.js"),
    home: env["HOME"] ?? paths().home ?? "/",
    uid: process.getuid?.() ?? null,
    everyMinutes,
    env: passed,
  };
}

async function chooseKind(effects: Effects, everyMinutes: number): Promise<SchedulerKind> {
  const { env, locateTool } = effects;
  if (process.platform === "darwin") return "launchd";
  if (process.platform === "win32") {
    throw new SecurityError("platform-unsupported", "On Windows a person sets up the task", {
      hint: taskSchedulerText(wishOf(effects, everyMinutes)),
    });
  }
  // Without its run-time folder the account has no service manager of its own.
  if (env["XDG_RUNTIME_DIR"] && (await locateTool("systemctl")) !== null) return "systemd";
  if ((await locateTool("crontab")) !== null) return "cron";
  throw new SecurityError("platform-unsupported", "Neither a systemd user manager nor cron is here", {
    hint: "Have any other scheduler run `cse cycle`; the gateway's plugin does not do it.",
  });
}

async function agree(
  effects: Effects,
  title: string,
  plan: SchedulePlan,
  texts: readonly string[],
  commands: readonly (readonly string[])[],
): Promise<void> {
  const lines = [
    `${title}, by ${plan.kind}.`,
    ...plan.files.map(({ path }) => `File: ${escapeControl(path)}`),
    ...(plan.block === null ? [] : ["The crontab of this account is changed; its other lines stay."]),
    "",
    ...texts.flatMap((text) => text.split("\n").map(escapeControl)),
    ...commands.map((command) => `Then: ${escapeControl(command.join(" "))}`),
  ];
  const answer = await confirmByHuman(effects, lines);
  if (answer === "confirmed") return;
  const message =
    answer === "no-terminal"
      ? "A schedule needs a person at a terminal, and there is none"
      : "Nobody agreed to the schedule";
  throw new SecurityError("not-a-terminal", message, { hint: "Nothing was changed." });
}

async function hasCronBlock(effects: Effects): Promise<boolean> {
  return (await readCrontab(effects)).includes(`# ${MARKER}`);
}

async function readCrontab(effects: Effects): Promise<string> {
  const file = await effects.locateTool("crontab");
  if (file === null) return "";
  const result = await effects.runTool(toolCall(effects, file, ["-l"]));
  if (result.kind === "failed") throw new SecurityError("tool-failed", result.message);
  // Without a table it ends with 1 and says so.
  return result.exitCode === 0 ? result.stdout : "";
}

async function writeCrontab(effects: Effects, block: string | null): Promise<void> {
  const table = changeCrontab(await readCrontab(effects), block);
  const folder = join(effects.securityDir(), "tmp");
  await withTemporaryFile(folder, table, async (path) => await runOrThrow(effects, ["crontab", path]));
}

async function runOrThrow(effects: Effects, command: readonly string[]): Promise<void> {
  const [tool = "", ...args] = command;
  const file = await effects.locateTool(tool);
  if (file === null) throw new SecurityError("tool-missing", `There is no ${tool} here`);
  const result = await effects.runTool(toolCall(effects, file, args));
  if (result.kind === "failed") throw new SecurityError("tool-failed", result.message);
  if (result.exitCode === 0) return;
  throw new SecurityError("tool-failed", `${command.join(" ")} ended with ${result.exitCode}: ${result.stderr.trim()}`);
}

function toolCall({ env }: Effects, file: string, args: readonly string[]) {
  const names = ["HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];
  const passed = Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  return { file, args, timeoutMs: TOOL_TIMEOUT_MS, maxBytes: 1_000_000, env: passed };
}
