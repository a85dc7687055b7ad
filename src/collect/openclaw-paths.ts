import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SecurityError } from "../core/error.ts";
import type { Env } from "../schema/openclaw-env.ts";

/** Where OpenClaw keeps its things, as 2026.9.6 works it out. */
export interface OpenClawPaths {
  /** Home folder that "~" stands for; null when there is none. */
  readonly home: string | null;
  readonly stateDir: string;
  readonly configPath: string;
  /** Name of the profile; null for the default one. */
  readonly profile: string | null;
  /** Folders outside the config's own from which it may include files. */
  readonly includeRoots: readonly string[];
  /** `.env` files OpenClaw loads at start, the first that sets a variable wins. */
  readonly envFiles: readonly string[];
}

const PROFILE = /^[a-z0-9][a-z0-9_-]{0,63}$/i;

/**
 * The variable OPENCLAW_PROFILE alone moves nothing (it only gives the gateway another default
 * port); the flag `--profile name` moves state and config to `~/.openclaw-name`.
 * @param home the operating system's idea of the home folder
 * @param profileFlag value of `--profile`
 * @throws {SecurityError} no-home, invalid-argument
 */
export function resolveOpenClawPaths(env: Env, home: string | null, profileFlag?: string): OpenClawPaths {
  const osHome = usable(env["HOME"]) ?? usable(env["USERPROFILE"]) ?? usable(home ?? undefined);
  const ownHome = usable(env["OPENCLAW_HOME"]);
  const effectiveHome = ownHome === undefined ? osHome : tilde(ownHome, osHome);
  const needHome = (): string => {
    if (effectiveHome !== undefined) return resolve(effectiveHome);
    throw new SecurityError("no-home", "There is no home folder to look for OpenClaw in", {
      hint: "Set HOME, or OPENCLAW_STATE_DIR and OPENCLAW_CONFIG_PATH.",
    });
  };
  const userPath = (text: string): string => resolve(text.startsWith("~") ? tilde(text, needHome()) : text);

  if (profileFlag !== undefined && !PROFILE.test(profileFlag)) {
    throw new SecurityError("invalid-argument", "The profile name is not valid", {
      hint: "Use letters, digits, _ and -, at most 64.",
    });
  }
  const profileDir = (name: string): string =>
    join(needHome(), name.toLowerCase() === "default" ? ".openclaw" : `.openclaw-${name}`);
  const stateText = trimmed(env["OPENCLAW_STATE_DIR"]);
  const configText = trimmed(env["OPENCLAW_CONFIG_PATH"]);
  let stateDir = stateText === undefined ? undefined : userPath(stateText);
  let configPath = configText === undefined ? undefined : userPath(configText);
  const profile = profileFlag ?? trimmed(env["OPENCLAW_PROFILE"]);
  if (profileFlag !== undefined) {
    // What was inherited from another profile's shell gives way; a path of the user's own does not.
    const inherited = profileDir(trimmed(env["OPENCLAW_PROFILE"]) ?? "default");
    if (stateDir === inherited || stateDir === undefined) {
      if (configPath === join(inherited, "openclaw.json")) configPath = undefined;
      stateDir = profileDir(profileFlag);
    }
  }
  const envDir = stateDir ?? (configPath === undefined ? join(needHome(), ".openclaw") : dirname(configPath));
  stateDir ??= join(needHome(), ".openclaw");
  configPath ??= join(stateDir, "openclaw.json");
  const gatewayEnv =
    effectiveHome !== undefined && (stateText === undefined || envDir === join(resolve(effectiveHome), ".openclaw"))
      ? [join(resolve(effectiveHome), ".config", "openclaw", "gateway.env")]
      : [];
  return {
    home: effectiveHome === undefined ? null : resolve(effectiveHome),
    stateDir,
    configPath,
    profile: profile === undefined || profile.toLowerCase() === "default" || !PROFILE.test(profile) ? null : profile,
    includeRoots: (trimmed(env["OPENCLAW_INCLUDE_ROOTS"]) ?? "")
      .split(":")
      .filter((root) => root.trim() !== "")
      .map((root) => userPath(root.trim())),
    envFiles: [join(envDir, ".env"), ...gatewayEnv],
  };
}

/**
 * Like resolveOpenClawPaths, but follows OpenClaw to the names of its past (`~/.clawdbot`,
 * `clawdbot.json`) where only those exist.
 * @throws {SecurityError} no-home, invalid-argument
 */
export function locateOpenClawPaths(env: Env, home: string | null, profileFlag?: string): OpenClawPaths {
  const paths = resolveOpenClawPaths(env, home, profileFlag);
  const isFixed = profileFlag !== undefined || trimmed(env["OPENCLAW_STATE_DIR"]) !== undefined || paths.home === null;
  const oldDir = join(paths.home ?? "/", ".clawdbot");
  const stateDir = !isFixed && !existsSync(paths.stateDir) && existsSync(oldDir) ? oldDir : paths.stateDir;
  if (trimmed(env["OPENCLAW_CONFIG_PATH"]) !== undefined) return { ...paths, stateDir };
  const candidates = [join(stateDir, "openclaw.json"), join(stateDir, "clawdbot.json")];
  return {
    ...paths,
    stateDir,
    configPath: candidates.find((path) => existsSync(path)) ?? join(stateDir, "openclaw.json"),
  };
}

function trimmed(text: string | undefined): string | undefined {
  const bare = text?.trim();
  return bare === "" ? undefined : bare;
}

/** A home folder; a careless script exports "undefined" when there is none. */
function usable(text: string | undefined): string | undefined {
  const bare = trimmed(text);
  return bare === "undefined" || bare === "null" ? undefined : bare;
}

function tilde(text: string, home: string): string;
function tilde(text: string, home: string | undefined): string | undefined;
function tilde(text: string, home: string | undefined): string | undefined {
  if (text !== "~" && !text.startsWith("~/")) return text;
  return home === undefined ? undefined : home + text.slice(1);
}
