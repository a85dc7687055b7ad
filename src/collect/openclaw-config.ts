import { existsSync } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, relative, resolve } from "node:path";
import { asSecurityError, SecurityError } from "../core/error.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { normalizeOpenClawConfig } from "../schema/normalize-openclaw-config.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";
import { type Env, parseDotEnv } from "../schema/openclaw-env.ts";
import { isConfigRecord, mergeIncluded, parseOpenClawText } from "../schema/openclaw-text.ts";
import { readTextFile } from "../state/read-file.ts";
import type { OpenClawPaths } from "./openclaw-paths.ts";

const MAX_FILE_BYTES = 1_048_576;
/** Over all files together: parsing JSON5 takes about a second for this much. */
const MAX_TOTAL_CHARS = 4_194_304;
const MAX_INCLUDES = 64;
const MAX_INCLUDE_DEPTH = 10;

export interface ConfigOptions {
  readonly now: () => EpochMs;
  /** Default: looks for the marks that container engines leave. */
  readonly inContainer?: boolean;
}

/**
 * OpenClaw's effective configuration. A missing file is an answer (`present: false`: the defaults
 * hold); a broken one is unmeasured with the code that says how.
 */
export async function collectOpenClawConfig(
  paths: OpenClawPaths,
  env: Env,
  options: ConfigOptions,
): Promise<Evidence<OpenClawConfig>> {
  const at = isoFromEpoch(options.now());
  try {
    const reading: Reading = { roots: await includeRoots(paths), includes: [], chars: 0 };
    const authored = await readConfigFile(paths.configPath, reading);
    const config = normalizeOpenClawConfig({
      path: paths.configPath,
      authored,
      includes: reading.includes,
      env: await withEnvFiles(env, paths.envFiles),
      home: paths.home,
      profile: paths.profile,
      inContainer: options.inContainer ?? (await isContainer()),
    });
    return measured(config, paths.configPath, at);
  } catch (thrown) {
    const error = asSecurityError(thrown);
    return unmeasured(error.code, error.message, paths.configPath, at);
  }
}

/**
 * The config with its includes, as its owner wrote it, secrets and all; undefined when there is none.
 * @throws {SecurityError} as OpenClaw would refuse it
 */
export async function readAuthoredConfig(paths: OpenClawPaths): Promise<unknown> {
  return await readConfigFile(paths.configPath, { roots: await includeRoots(paths), includes: [], chars: 0 });
}

interface Reading {
  /** Real paths of the folders from which files may be included. */
  readonly roots: readonly string[];
  readonly includes: string[];
  chars: number;
}

async function includeRoots(paths: OpenClawPaths): Promise<readonly string[]> {
  const roots = [dirname(paths.configPath), ...paths.includeRoots];
  return await Promise.all(roots.map((root) => realpath(root).catch(() => root)));
}

/** Undefined when there is no such file; an include that is missing is an error all the same. */
async function readConfigFile(path: string, reading: Reading): Promise<unknown> {
  let value: unknown;
  try {
    value = await parseFile(path, "OpenClaw config", reading);
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return undefined;
    throw thrown;
  }
  return await include(value, path, [normalize(path)], reading);
}

async function parseFile(path: string, what: string, reading: Reading): Promise<unknown> {
  const tooLarge = (cause?: unknown): SecurityError =>
    new SecurityError("config-too-large", `The ${what} ${path} is larger than any real one`, {
      cause,
      hint: "Look at what wrote it.",
    });
  let text: string;
  try {
    text = await readTextFile(path, { maxBytes: MAX_FILE_BYTES, trust: "untrusted", what, followLink: true });
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-too-large") throw tooLarge(thrown);
    throw thrown;
  }
  reading.chars += text.length;
  if (reading.chars > MAX_TOTAL_CHARS) throw tooLarge();
  return parseOpenClawText(text, path);
}

/** Replaces every `$include` below `value` by what it names; keys beside it win over what it brings. */
async function include(value: unknown, path: string, chain: readonly string[], reading: Reading): Promise<unknown> {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value as readonly unknown[]) items.push(await include(item, path, chain, reading));
    return items;
  }
  if (!isConfigRecord(value)) return value;
  const rest: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (key !== "$include") rest.push([key, await include(item, path, chain, reading)]);
  }
  const beside = Object.fromEntries(rest);
  if (!Object.hasOwn(value, "$include")) return beside;

  const named: readonly unknown[] = Array.isArray(value["$include"]) ? value["$include"] : [value["$include"]];
  let brought: unknown = Array.isArray(value["$include"]) ? {} : undefined;
  for (const name of named) {
    const found = await includeFile(name, path, chain, reading);
    brought = brought === undefined ? found : mergeIncluded(brought, found);
  }
  if (rest.length === 0) return brought;
  if (!isConfigRecord(brought)) throw refused(path, "an include with keys beside it brings no object");
  return mergeIncluded(brought, beside);
}

async function includeFile(name: unknown, from: string, chain: readonly string[], reading: Reading): Promise<unknown> {
  if (typeof name !== "string" || name.includes("\0")) throw refused(from, "$include is not a path or a list of paths");
  const path = normalize(isAbsolute(name) ? name : resolve(dirname(from), name));
  if (chain.includes(path)) {
    throw new SecurityError("config-include-loop", `${from} includes ${path}, which is being read already`, {
      hint: "Take the include out of one of the two.",
    });
  }
  if (chain.length > MAX_INCLUDE_DEPTH || reading.includes.length >= MAX_INCLUDES) {
    throw refused(from, `includes go deeper than ${MAX_INCLUDE_DEPTH} files or are more than ${MAX_INCLUDES}`);
  }
  await assertIncludable(path, from, reading.roots);
  reading.includes.push(path);
  const value = await parseFile(path, "included config", reading);
  return await include(value, path, [...chain, path], reading);
}

/** OpenClaw refuses what lies, or leads, outside the config's folder, and files with a second name. */
async function assertIncludable(path: string, from: string, roots: readonly string[]): Promise<void> {
  let real: string;
  try {
    real = await realpath(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") throw refused(from, `${path} does not exist`);
    throw new SecurityError("file-unreadable", `Cannot reach ${path}, which ${from} includes`, { cause });
  }
  const isInside = roots.some((root) => {
    const below = relative(root, real);
    return below !== "" && below !== ".." && !below.startsWith("../") && !isAbsolute(below);
  });
  if (!isInside) throw refused(from, `${path} is outside the folder of the config`);
  if ((await stat(real)).nlink > 1) throw refused(from, `${path} is a hard link`);
}

function refused(path: string, reason: string): SecurityError {
  return new SecurityError("config-invalid", `${path} cannot be read: ${reason}`, {
    hint: "OpenClaw refuses it too: `openclaw config validate`.",
  });
}

/** Adds what OpenClaw's `.env` files set; the environment itself comes first. A broken file adds nothing. */
async function withEnvFiles(env: Env, files: readonly string[]): Promise<Env> {
  let merged: Env = env;
  for (const path of files) {
    const text = await readTextFile(path, {
      maxBytes: MAX_FILE_BYTES,
      trust: "untrusted",
      what: "environment file",
      followLink: true,
    }).catch(() => "");
    const set = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
    merged = { ...parseDotEnv(text), ...set };
  }
  return merged;
}

const CONTAINER_CGROUP = /\/docker\/|cri-containerd-[0-9a-f]|containerd\/[0-9a-f]{64}|\/kubepods[/.]|\blxc\b/u;

async function isContainer(): Promise<boolean> {
  if (["/.dockerenv", "/run/.containerenv", "/var/run/.containerenv"].some((path) => existsSync(path))) return true;
  const cgroup = await readFile(join("/proc", "1", "cgroup"), "utf8").catch(() => "");
  return CONTAINER_CGROUP.test(cgroup);
}
