import { hostname } from "node:os";
import { isAbsolute, join } from "node:path";
import { notify, type NotifyReport, type SendMessage } from "../app/notify.ts";
import type { Problem } from "../app/assess.ts";
import { asSecurityError, SecurityError } from "../core/error.ts";
import { checkNotifier, runNotifier } from "../exec/notify-command.ts";
import { parseNotifyAllowlist, parseNotifyCommand } from "../schema/notify-config.ts";
import type { SinkName } from "../schema/notify-state.ts";
import { loadAssessmentHistory } from "../state/assessment-history.ts";
import { runAlone } from "../state/lock.ts";
import { loadNotifyConfig, loadNotifyState, saveNotifyState } from "../state/notify-state.ts";
import { ensurePrivateFolder } from "../state/write-file.ts";
import type { Effects } from "./effects.ts";
import { historyPath } from "./over-time.ts";

const COMMAND_TIMEOUT_MS = 10_000;

/** @throws {SecurityError} notify-config-invalid, notify-state-invalid, and those of the files */
export async function runNotify(effects: Effects, options: { readonly retry?: boolean }): Promise<NotifyReport> {
  const path = statePath(effects);
  const sinks = await findSinks(effects);
  await ensurePrivateFolder(effects.securityDir());
  return await notify(
    {
      now: effects.now,
      hostname,
      alone: async (work) => await runAlone(path, work),
      loadState: async () => await loadNotifyState(path),
      saveState: async (state) => await saveNotifyState(path, state),
      loadLastRun: async () => (await loadAssessmentHistory(historyPath(effects))).previous,
      sinks,
    },
    options,
  );
}

/** What a report must say about messages that nobody got; never fails. */
export async function notifyProblems(effects: Effects): Promise<readonly Problem[]> {
  try {
    const dead = (await loadNotifyState(statePath(effects)))?.dead ?? [];
    const [last] = dead.slice(-1);
    if (last === undefined) return [];
    const message = `${dead.length} notifications were given up (last error: ${last.last_error ?? "none"}); mend the sink and run \`cse notify --retry\``;
    return [{ code: "notify-dead-letter", message }];
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    return [{ code, message }];
  }
}

function statePath({ env, securityDir }: Effects): string {
  const given = env["OPENCLAW_VIOLATION_NOTIFY_STATE"] ?? "";
  if (given === "") return join(securityDir(), "violation-notify-state.json");
  if (isAbsolute(given)) return given;
  throw new SecurityError("notify-config-invalid", "OPENCLAW_VIOLATION_NOTIFY_STATE is not an absolute path");
}

async function findSinks(effects: Effects): Promise<Readonly<Partial<Record<SinkName, SendMessage>>>> {
  const { webhook } = await loadNotifyConfig(join(effects.securityDir(), "notify.json"));
  const command = effects.env["OPENCLAW_VIOLATION_NOTIFY_CMD"] ?? "";
  return {
    ...(command.trim() === "" ? {} : { command: commandSink(effects, command) }),
    ...(webhook === null
      ? {}
      : {
          webhook: async (message) => {
            const { postWebhook } = await import("../notify/webhook.ts");
            await postWebhook(webhook, message, effects.now());
          },
        }),
  };
}

function commandSink({ env }: Effects, command: string): SendMessage {
  const argv = parseNotifyCommand(command);
  const allowed = parseNotifyAllowlist(env["OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST"] ?? "");
  return async (message) => {
    // Right before each run: what was checked earlier may have been replaced.
    await checkNotifier(argv, allowed);
    await runNotifier(argv, `${JSON.stringify(message)}\n`, COMMAND_TIMEOUT_MS);
  };
}
