import { hash } from "node:crypto";
import { join } from "node:path";
import {
  installShim,
  type ShimChangeReport,
  type ShimInstallDeps,
  type ShimPlaces,
  uninstallShim,
} from "../app/shim-install.ts";
import type { PathPrepend } from "../app/shim-wiring.ts";
import { reportShimStatus, type ShimStatusReport } from "../app/shim-status.ts";
import { findOpenClaw } from "../collect/openclaw-command.ts";
import { collectOpenClawConfig } from "../collect/openclaw-config.ts";
import { SecurityError } from "../core/error.ts";
import { parseStrictJson } from "../core/json.ts";
import { refuse } from "../core/refusal.ts";
import { clip } from "../core/text.ts";
import { isoFromEpoch } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import { checkSudo } from "../exec/sudo-binary.ts";
import { parseShimInstall, type ShimInstall } from "../schema/shim-install.ts";
import { readThere, removeEmptyFolder, removeFile, writeFileWithMode } from "../state/mode-file.ts";
import { readTextFile } from "../state/read-file.ts";
import { answers } from "../state/socket-place.ts";
import { ensurePrivateFolder, writeFileAtomic } from "../state/write-file.ts";
import { brokerSocketPath } from "./broker.ts";
import type { Effects } from "./effects.ts";

/** Puts a question to a person; false is a no. @throws {SecurityError} not-a-terminal */
export type Confirm = (question: string) => Promise<boolean>;

const DEFAULT_SUDO = "/usr/bin/sudo";
const OLDEST_NODE = 24;
const OPENCLAW_TIMEOUT_MS = 120_000;
const MAX_PROGRAM_BYTES = 1_000_000;

export async function runShimInstall(effects: Effects, confirm: Confirm): Promise<ShimChangeReport> {
  const deps = await shimDeps(effects, confirm);
  for (const folder of [effects.paths().stateDir, effects.securityDir(), deps.places.folder]) {
    await ensurePrivateFolder(folder);
  }
  return await installShim(deps);
}

export async function runShimUninstall(effects: Effects, confirm: Confirm): Promise<ShimChangeReport> {
  const deps = await shimDeps(effects, confirm);
  const report = await uninstallShim(deps);
  if (report.removed.length > 0) await removeEmptyFolder(deps.places.folder);
  return report;
}

export async function runShimStatus(effects: Effects): Promise<ShimStatusReport> {
  const deps = await shimDeps(effects, async () => await Promise.resolve(false));
  return await reportShimStatus({ ...deps, isBrokerUp: async () => await answers(deps.places.socket) });
}

/** What a person's environment may say; in an agent's exec it is the agent's, so it says nothing. */
function personsEnv(effects: Effects): Effects["env"] {
  return effects.env["OPENCLAW_SHELL"] === "exec" ? {} : effects.env;
}

async function shimDeps(effects: Effects, confirm: Confirm): Promise<ShimInstallDeps> {
  const env = personsEnv(effects);
  const { stateDir, home, profile } = effects.paths();
  const folder = join(stateDir, "bin");
  const recordPath = join(effects.securityDir(), "shim-install.json");
  const places: ShimPlaces = {
    script: join(folder, "sudo"),
    folder,
    spellings: home !== null && folder.startsWith(`${home}/`) ? [folder, `~${folder.slice(home.length)}`] : [folder],
    program: join(effects.securityDir(), "shim.cjs"),
    socket: brokerSocketPath(effects),
  };
  const agent = join(home ?? "/", "Library/LaunchAgents", `ai.openclaw.${profile ?? "gateway"}.plist`);
  return {
    places,
    version: VERSION,
    now: () => isoFromEpoch(effects.now()),
    sha256Hex: (text) => hash("sha256", text, "hex"),
    read: readThere,
    writeScript: async (path, text) => await writeFileWithMode(path, text, 0o700),
    writeProgram: async (path, text) => await writeFileAtomic(path, text),
    remove: removeFile,
    loadRecord: async () => await loadRecord(recordPath),
    saveRecord: async (record) => await writeFileAtomic(recordPath, `${JSON.stringify(record, null, 2)}\n`),
    removeRecord: async () => await removeFile(recordPath),
    readPackaged: async () =>
      await readTextFile(join(env["OPENCLAW_CYBER_SKILL_DIR"] ?? effects.packageRoot(), "dist/shim.cjs"), {
        maxBytes: MAX_PROGRAM_BYTES,
        trust: "untrusted",
        what: "shim",
        followLink: true,
      }),
    checkNode: async () => await checkNode(effects, env["OPENCLAW_NODE"] ?? process.execPath),
    checkSudo: async () => {
      const sudoPath = effects.options.sudoPath ?? env["OPENCLAW_REAL_SUDO"] ?? DEFAULT_SUDO;
      if (sudoPath === places.script) return refuse("sudo-unusable", `${sudoPath} is the shim itself`);
      const sudo = await checkSudo({ sudoPath, hashes: new Map(), runTool: effects.runTool });
      return sudo.kind === "refused" ? sudo : sudo.identity.path;
    },
    shellHasPrivileged: async () => {
      const tried = await effects.runTool({
        file: "/bin/sh",
        args: ["-p", "-c", ":"],
        timeoutMs: 5_000,
        maxBytes: 10_000,
      });
      return tried.kind === "done" && tried.exitCode === 0;
    },
    readPathPrepend: async () => await readPathPrepend(effects),
    openclaw: await openclawCommand(effects),
    confirm,
    launchAgent:
      process.platform !== "darwin" || home === null
        ? null
        : {
            path: agent,
            write: async (text) => await writeFileWithMode(agent, text, 0o644),
            isConfirmed: env["OPENCLAW_SKIP_PLIST_CONFIRM"] === "1",
          },
  };
}

async function loadRecord(path: string): Promise<ShimInstall | null> {
  try {
    const text = await readTextFile(path, { maxBytes: 100_000, trust: "trusted", what: "record of the shim" });
    return parseShimInstall(parseStrictJson(text, path));
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return null;
    throw thrown;
  }
}

async function checkNode(effects: Effects, path: string): Promise<string> {
  const answer = await effects.runTool({ file: path, args: ["--version"], timeoutMs: 10_000, maxBytes: 1_000 });
  const major = answer.kind === "done" ? Number(/^v(\d+)\./.exec(answer.stdout)?.[1] ?? 0) : 0;
  if (major >= OLDEST_NODE) return path;
  throw new SecurityError("tool-missing", `${clip(path, 200)} is no Node ${OLDEST_NODE} or newer`, {
    hint: "Name one by its absolute path in OPENCLAW_NODE.",
  });
}

async function readPathPrepend(effects: Effects): Promise<PathPrepend> {
  const config = await collectOpenClawConfig(effects.paths(), effects.env, { now: effects.now });
  if (config.kind === "unmeasured") {
    throw new SecurityError("config-invalid", config.reason, {
      hint: "`openclaw config validate` says what is wrong.",
    });
  }
  const entries = config.value.tools.exec.path_prepend;
  return entries.length === 0 ? null : entries;
}

/** Runs the person's own OpenClaw, with what leads it to the same state and config as us. */
async function openclawCommand(effects: Effects): Promise<ShimInstallDeps["openclaw"]> {
  const { env, runTool } = effects;
  const { home, stateDir, configPath } = effects.paths();
  const entry = await findOpenClaw(env["PATH"] ?? "", process.execPath, home);
  if (entry === null) return null;
  return async (words) => {
    const answer = await runTool({
      file: process.execPath,
      args: [entry, ...words],
      timeoutMs: OPENCLAW_TIMEOUT_MS,
      maxBytes: 1_000_000,
      env: {
        NO_COLOR: "1",
        ...(home === null ? {} : { HOME: home }),
        OPENCLAW_STATE_DIR: stateDir,
        OPENCLAW_CONFIG_PATH: configPath,
      },
    });
    if (answer.kind === "done" && answer.exitCode === 0) return;
    const said = answer.kind === "done" ? `${answer.stderr} ${answer.stdout}` : answer.message;
    throw new SecurityError(
      "tool-failed",
      `openclaw ${words.slice(0, 3).join(" ")} failed: ${clip(said.trim(), 300)}`,
      {
        hint: "Nothing was changed by us in its config; run the command yourself to see why.",
      },
    );
  };
}
