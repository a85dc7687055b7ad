import { join } from "node:path";
import {
  posture,
  type PostureReport,
  sudoersFragment,
  type SudoersOptions,
  type SudoersReport,
} from "../app/posture.ts";
import { collectGatewayProcess } from "../collect/gateway-process.ts";
import { collectOpenClawConfig } from "../collect/openclaw-config.ts";
import { collectPostureFacts } from "../collect/posture-facts.ts";
import { collectPrivilegePaths } from "../collect/privilege-paths.ts";
import { collectInstalledSudo } from "../collect/sudo-facts.ts";
import { globalPackageFolders } from "../collect/update-state.ts";
import { asSecurityError, SecurityError } from "../core/error.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { GatewayProcess } from "../core/host-evidence.ts";
import type { SocketInventory } from "../core/network.ts";
import { isoFromEpoch } from "../core/time.ts";
import { lookupUser } from "../exec/passwd-user.ts";
import { resolveCommand } from "../exec/resolve-command.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";
import { withTemporaryFile } from "../state/temporary-file.ts";
import type { Effects } from "./effects.ts";

const VISUDO_TIMEOUT_MS = 10_000;
const MAX_VISUDO_BYTES = 256 * 1024;

export async function runPosture(effects: Effects): Promise<PostureReport> {
  const { now, procRoot, runTool, locateTool } = effects;
  return await posture({
    now,
    collect: async () => {
      const { account, config, sockets } = await findAccount(effects);
      const paths = effects.paths();
      const packages = globalPackageFolders(process.execPath, paths.home);
      const privilege =
        account.kind === "unmeasured"
          ? account
          : await collectPrivilegePaths({ now, account: account.value, currentUid: ownUid(), runTool, locateTool });
      const facts = await collectPostureFacts({
        now,
        procRoot,
        account,
        privilege,
        sockets,
        currentUid: ownUid(),
        runTool,
        locateTool,
        stateDir: paths.stateDir,
        securityDir: effects.securityDir(),
        code: {
          own: ["package.json", "dist", "dist/cli.js", "dist/plugin.js", "dist/index.js"].map((name) =>
            join(effects.packageRoot(), name),
          ),
          openclaw: packages.flatMap((folder) =>
            ["", "package.json", "openclaw.mjs", "dist"].map((name) => join(folder, "openclaw", name)),
          ),
        },
      });
      return { ...facts, config };
    },
  });
}

export async function runSudoersFragment(effects: Effects, options: SudoersOptions): Promise<SudoersReport> {
  const { now, runTool, locateTool } = effects;
  const hashes = new Map<string, string>();
  return await sudoersFragment(
    {
      now,
      account: async () => (await findAccount(effects)).account,
      loadPolicy: async () => await effects.loadPolicy("command-policy.json"),
      ownFolder: effects.securityDir(),
      resolve: async (request) =>
        await resolveCommand(request, { lookupUser: async (name) => await lookupUser(name), hashes }),
      logsJson: async () => {
        const account = unmeasured("not-applicable", "not asked", "", isoFromEpoch(now()));
        const sudo = await collectInstalledSudo({ now, account, currentUid: ownUid(), runTool, locateTool });
        return sudo.kind === "measured" && sudo.value?.flavour === "sudo" && hasJsonLog(sudo.value.version);
      },
      check: async (text) => await checkWithVisudo(effects, text),
    },
    options,
  );
}

/** Since 1.9.4, by its release notes. */
function hasJsonLog(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.p]/).map(Number);
  return major > 1 || (major === 1 && (minor > 9 || (minor === 9 && patch >= 4)));
}

/** @throws {SecurityError} tool-missing, tool-failed, timeout, and those of the temporary file */
async function checkWithVisudo(effects: Effects, text: string): Promise<string | null> {
  const visudo = await effects.locateTool("visudo");
  if (visudo === null) {
    throw new SecurityError("tool-missing", "visudo is not installed, so the lines cannot be checked", {
      hint: "It comes with sudo.",
    });
  }
  return await withTemporaryFile(join(effects.securityDir(), "tmp"), text, async (path) => {
    const answer = await effects.runTool({
      file: visudo,
      args: ["-c", "-q", "-f", path],
      timeoutMs: VISUDO_TIMEOUT_MS,
      maxBytes: MAX_VISUDO_BYTES,
    });
    if (answer.kind === "failed") throw new SecurityError(answer.code, answer.message);
    return answer.exitCode === 0 ? null : `${answer.stderr}${answer.stdout}`.trim() || `exit code ${answer.exitCode}`;
  });
}

interface FoundAccount {
  readonly account: Evidence<GatewayProcess>;
  readonly config: Evidence<OpenClawConfig>;
  readonly sockets: Evidence<SocketInventory>;
}

async function findAccount(effects: Effects): Promise<FoundAccount> {
  const { now, procRoot, env } = effects;
  const { stateDir, configPath } = effects.paths();
  const [config, sockets] = await Promise.all([
    collectOpenClawConfig(effects.paths(), env, { now }),
    lookAtSockets(effects),
  ]);
  const account = await collectGatewayProcess({
    now,
    procRoot,
    etc: "/etc",
    stateDir,
    configPath,
    port: config.kind === "measured" ? config.value.gateway.port.value : null,
    sockets,
    current: { uid: ownUid(), gids: process.getgroups?.() ?? [] },
  });
  return { account, config: inUse(config, account), sockets };
}

/** A config that the running gateway does not use says nothing about it. */
function inUse(config: Evidence<OpenClawConfig>, account: Evidence<GatewayProcess>): Evidence<OpenClawConfig> {
  const others = account.kind === "measured" && !account.value.running ? account.value.others : [];
  const theirs = others.find((each) => each.other_config !== null);
  if (theirs === undefined) return config;
  const reason = `The gateway that runs here (pid ${theirs.pid}) uses ${theirs.other_config ?? ""}`;
  return unmeasured("config-not-in-use", reason, config.source, config.at);
}

async function lookAtSockets(effects: Effects): Promise<Evidence<SocketInventory>> {
  try {
    const value = await effects.collect({
      listeners: true,
      connections: false,
      includeUdp: false,
      includeLoopback: true,
    });
    return measured(value, value.collector, value.collected_at);
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    return unmeasured(code, message, "sockets", isoFromEpoch(effects.now()));
  }
}

function ownUid(): number {
  return process.getuid?.() ?? -1;
}
