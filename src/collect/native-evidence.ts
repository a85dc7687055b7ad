import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { asSecurityError, SecurityError } from "../core/error.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import {
  NATIVE_COMMANDS,
  type NativeCommand,
  type NativeEvidence,
  type NativeFinding,
  type NativeRun,
} from "../core/native-evidence.ts";
import { clip } from "../core/text.ts";
import { type EpochMs, epochFromIso, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import {
  type NativeAnswer,
  parseExecPolicy,
  parseGatewayStatus,
  parsePolicyCheck,
  parseSecretsAudit,
  parseSecurityAudit,
  parseUpdateStatus,
} from "../schema/native-output.ts";
import { isConfigRecord } from "../schema/openclaw-text.ts";
import { redactConfig } from "../schema/redact-config.ts";
import { loadNativeCache, saveNativeCache } from "../state/native-cache.ts";
import { withPrivateFolder } from "../state/private-folder.ts";
import { NATIVE_POLICY } from "./native-policy.ts";
import { readAuthoredConfig } from "./openclaw-config.ts";
import type { OpenClawPaths } from "./openclaw-paths.ts";
import type { OpenClawProgram } from "./openclaw-program.ts";
import { stateDatabasePath } from "./state-database.ts";

export interface NativeOptions {
  readonly now: () => EpochMs;
  readonly monotonicMs: () => number;
  readonly paths: OpenClawPaths;
  /** `<state>/security`. */
  readonly securityDir: string;
  readonly program: OpenClawProgram;
  readonly isGatewayRunning: boolean;
  readonly runTool: RunTool;
  readonly nodePath: string;
  readonly progress: (step: string) => void;
  /** Ask again, whatever is kept. */
  readonly refresh: boolean;
  /** Ask nobody: take what is kept, or nothing. */
  readonly keptOnly?: boolean;
  /** For each command and for all together; default: 90 s and NATIVE_BUDGET_MS. */
  readonly limitsMs?: { readonly command: number; readonly all: number };
}

/** A command starts in 5 to 20 seconds on an idle machine. */
const COMMAND_TIMEOUT_MS = 90_000;
/** For all of them together. */
export const NATIVE_BUDGET_MS = 240_000;
const MAX_OUTPUT_BYTES = 8_388_608;
/** Owners and modes of files change without the config. */
const MAX_AGE_MS = 6 * 3_600_000;
/** A machine that was too busy may be less so soon; until then nobody should wait again. */
const MAX_FAILED_AGE_MS = 1_800_000;
const OVERLAY = "native-";

const PARSERS: Readonly<Record<NativeCommand, (text: string) => NativeAnswer>> = {
  "security audit": parseSecurityAudit,
  "secrets audit": parseSecretsAudit,
  "policy check": parsePolicyCheck,
  "exec-policy show": parseExecPolicy,
  "update status": parseUpdateStatus,
  "gateway status": parseGatewayStatus,
};

/**
 * Asks OpenClaw's own commands, one after the other, or takes what they said of the same config a
 * short while ago. A command that would change OpenClaw's state is not run, and says so.
 */
export async function collectNativeEvidence(options: NativeOptions): Promise<Evidence<NativeEvidence>> {
  const { now, paths, program, securityDir } = options;
  const at = isoFromEpoch(now());
  const cachePath = join(securityDir, "native-evidence.json");
  let config: unknown;
  try {
    config = await readAuthoredConfig(paths);
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    return unmeasured(
      code,
      `OpenClaw was not asked, because its config cannot be read: ${message}`,
      paths.configPath,
      at,
    );
  }
  const key = createHash("sha256")
    .update(
      JSON.stringify([1, program.version, options.isGatewayRunning, paths.configPath, paths.stateDir, config ?? null]),
    )
    .digest("hex");
  const kept = options.refresh ? null : await loadNativeCache(cachePath);
  const age = kept === null ? null : now() - (epochFromIso(kept.taken_at) ?? 0);
  const hasFailed = kept?.runs.some(({ status }) => status === "failed") === true;
  const maxAge = hasFailed ? MAX_FAILED_AGE_MS : MAX_AGE_MS;
  if (kept !== null && kept.key === key && age !== null && age >= 0 && age < maxAge) {
    const { runs, findings, taken_at } = kept;
    return measured({ openclaw_version: program.version, taken_at, cached: true, runs, findings }, cachePath, taken_at);
  }
  if (options.keptOnly === true) {
    const reason = "OpenClaw was not asked, so that nobody has to wait, and no answer of a short while ago is kept";
    return unmeasured("not-asked", reason, "openclaw", at);
  }
  const { runs, findings } = await askAll(options, config);
  // Without the cache the next run only takes longer.
  await saveNativeCache(cachePath, { schemaVersion: 1, key, taken_at: at, runs, findings }).catch(() => undefined);
  return measured({ openclaw_version: program.version, taken_at: at, cached: false, runs, findings }, "openclaw", at);
}

async function askAll(
  options: NativeOptions,
  config: unknown,
): Promise<{ readonly runs: readonly NativeRun[]; readonly findings: readonly NativeFinding[] }> {
  const startedMs = options.monotonicMs();
  const limits = options.limitsMs ?? { command: COMMAND_TIMEOUT_MS, all: NATIVE_BUDGET_MS };
  const runs: NativeRun[] = [];
  const findings: NativeFinding[] = [];
  for (const [index, command] of NATIVE_COMMANDS.entries()) {
    const skipped = reasonToSkip(command, options, config);
    const leftMs = Math.floor(limits.all - (options.monotonicMs() - startedMs));
    if (skipped !== null || leftMs < 1_000) {
      runs.push({ command, status: "skipped", said: skipped ?? "the time for all of them is used up", duration_ms: 0 });
      continue;
    }
    options.progress(
      `Asking OpenClaw itself, ${index + 1} of ${NATIVE_COMMANDS.length}: openclaw ${command} (--no-native leaves this out)`,
    );
    const beganMs = options.monotonicMs();
    const took = (): number => Math.max(0, Math.round(options.monotonicMs() - beganMs));
    try {
      const answer = PARSERS[command](await ask(command, options, config, Math.min(limits.command, leftMs)));
      runs.push({ command, status: "done", said: answer.said, duration_ms: took() });
      findings.push(...answer.findings);
    } catch (thrown) {
      runs.push({ command, status: "failed", said: clip(asSecurityError(thrown).message, 300), duration_ms: took() });
    }
  }
  return { runs, findings };
}

/** These work on the real state, which OpenClaw creates or converts when it is not as this version has it. */
const ON_REAL_STATE: ReadonlySet<NativeCommand> = new Set([
  "security audit",
  "secrets audit",
  "exec-policy show",
  "gateway status",
  "update status",
]);

function reasonToSkip(
  command: NativeCommand,
  { paths, program, isGatewayRunning }: NativeOptions,
  config: unknown,
): string | null {
  if (command === "policy check") return config === undefined ? "there is no config that could be checked" : null;
  if ((command === "gateway status" || command === "update status") && !isGatewayRunning) return "no gateway runs";
  if (!ON_REAL_STATE.has(command)) return null;
  if (!existsSync(stateDatabasePath(paths.stateDir)))
    return "OpenClaw has no database yet, and this command would create one";
  const meta = isConfigRecord(config) && isConfigRecord(config["meta"]) ? config["meta"] : {};
  const touched = meta["lastTouchedVersion"];
  const isOther = typeof touched === "string" && touched !== program.version;
  return isOther && !isGatewayRunning
    ? `OpenClaw ${touched} wrote this config last, and the first run of ${program.version} may convert its state`
    : null;
}

async function ask(
  command: NativeCommand,
  options: NativeOptions,
  config: unknown,
  timeoutMs: number,
): Promise<string> {
  const { paths, program, securityDir } = options;
  const run = async (env: Readonly<Record<string, string>>): Promise<string> =>
    await runOpenClaw(
      options,
      [program.entry, ...command.split(" "), "--json"],
      { ...homeOf(paths), ...env },
      timeoutMs,
    );
  if (command !== "policy check")
    return await run({ OPENCLAW_STATE_DIR: paths.stateDir, OPENCLAW_CONFIG_PATH: paths.configPath });
  const files = { "policy.jsonc": JSON.stringify(NATIVE_POLICY) };
  return await withPrivateFolder(join(securityDir, "tmp"), OVERLAY, files, async (folder) => {
    const overlay = overlayOf(config, join(folder, "policy.jsonc"));
    return await withPrivateFolder(
      folder,
      "home-",
      { "openclaw.json": JSON.stringify(overlay) },
      async (home) => await run({ OPENCLAW_STATE_DIR: home, OPENCLAW_CONFIG_PATH: join(home, "openclaw.json") }),
    );
  });
}

/** The config without its secrets, with the Policy plugin on and its requirements in place of the owner's. */
function overlayOf(config: unknown, policyPath: string): unknown {
  const redacted = redactConfig(config);
  const root = isConfigRecord(redacted) ? redacted : {};
  const plugins = isConfigRecord(root["plugins"]) ? root["plugins"] : {};
  const entries = isConfigRecord(plugins["entries"]) ? plugins["entries"] : {};
  const { allow, deny } = plugins;
  // A proxy is no matter for a look at a file, and its address would be used.
  const { proxy: _proxy, ...rest } = root;
  return {
    ...rest,
    plugins: {
      ...plugins,
      enabled: true,
      ...(Array.isArray(allow) ? { allow: [...(allow as readonly unknown[]), "policy"] } : {}),
      ...(Array.isArray(deny) ? { deny: (deny as readonly unknown[]).filter((id) => id !== "policy") } : {}),
      // Code of others has no part in a look at a file.
      load: {},
      entries: { ...entries, policy: { enabled: true, config: { path: policyPath } } },
    },
  };
}

function homeOf({ home }: OpenClawPaths): Readonly<Record<string, string>> {
  return home === null ? {} : { HOME: home };
}

/** npm, which OpenClaw starts for some answers, would otherwise leave a log in the home folder for each. */
const QUIET = { NO_COLOR: "1", npm_config_logs_max: "0", npm_config_update_notifier: "false" } as const;

async function runOpenClaw(
  { runTool, nodePath }: NativeOptions,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<string> {
  const result = await runTool({
    file: nodePath,
    args,
    timeoutMs,
    maxBytes: MAX_OUTPUT_BYTES,
    env: { ...env, ...QUIET },
  });
  if (result.kind === "failed") throw new SecurityError(result.code, result.message.replace(nodePath, "openclaw"));
  // Findings make some commands end with 1.
  if (result.stdout.trim() === "") {
    const first = clip(result.stderr.trim().split("\n")[0] ?? "", 200);
    throw new SecurityError("tool-failed", `it printed nothing (exit ${result.exitCode}): ${first}`);
  }
  return result.stdout;
}
