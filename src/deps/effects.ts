import { homedir } from "node:os";
import { join, sep } from "node:path";
import type { PolicyFileName } from "../app/init.ts";
import type { ResolveHosts } from "../app/scan-egress.ts";
import { locateOpenClawPaths, type OpenClawPaths } from "../collect/openclaw-paths.ts";
import type { SocketCollector, SocketWant } from "../collect/sockets.ts";
import type { Approver } from "../core/elevation.ts";
import { SecurityError } from "../core/error.ts";
import type { SocketInventory } from "../core/network.ts";
import type { EpochMs } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { findPackageRoot } from "../state/package-root.ts";
import { readTextFile } from "../state/read-file.ts";

/** Every outside thing, each defaulting to the real one. */
export interface EngineOptions {
  /** OpenClaw's state folder. Default: OPENCLAW_STATE_DIR, else ~/.openclaw (or the profile's). */
  readonly stateDir?: string;
  /** Where the five reports go. Default: see README, "Files". */
  readonly assessmentsDir?: string;
  /** Folder that stands for /proc. */
  readonly procRoot?: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly now?: () => number;
  /** Clock that never goes back, milliseconds. */
  readonly monotonic?: () => number;
  /** Milliseconds since boot, suspend included. */
  readonly uptime?: () => number;
  /** The real sudo. Default: OPENCLAW_REAL_SUDO, else /usr/bin/sudo; it must pass the binary checks. */
  readonly sudoPath?: string;
  /** Who is asked about privileged commands. Default: nobody, so all are refused. */
  readonly approver?: Approver;
  /** Complete environment. Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Takes lines about long work; never results. */
  readonly logger?: (line: string) => void;
}

/** The real effects that several use cases share. Nothing is read or started before it is asked for. */
export interface Effects {
  readonly options: EngineOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => EpochMs;
  readonly monotonicMs: () => number;
  readonly procRoot: string;
  /** @throws {SecurityError} no-home */
  readonly paths: () => OpenClawPaths;
  /** `<state>/security`. */
  readonly securityDir: () => string;
  readonly packageRoot: () => string;
  readonly assessmentsDir: () => string;
  readonly policyPath: (name: PolicyFileName) => string;
  /** Null only where there is no file; anything wrong with one is an error. A file given by hand must exist. */
  readonly loadPolicy: (name: PolicyFileName, given?: string) => Promise<PolicyContent | null>;
  readonly runTool: RunTool;
  readonly locateTool: (name: string, folders?: readonly string[]) => Promise<string | null>;
  readonly collect: (want: SocketWant) => Promise<SocketInventory>;
  /** One resolver for all scans: its answers are kept, and look-ups that hang stay within its limit. */
  readonly resolveHosts: ResolveHosts;
  /** Drops what earlier scans learned about processes. */
  readonly forget: () => void;
}

export interface PolicyContent {
  readonly path: string;
  readonly text: string;
}

/** No policy a person reviews is larger. */
export const MAX_POLICY_BYTES = 2_000_000;
const POLICY_WORDS: Readonly<Record<PolicyFileName, string>> = {
  "approved_ports.json": "port baseline",
  "command-policy.json": "command policy",
  "egress_allowlist.json": "egress allowlist",
  "prompt-policy.json": "prompt policy",
};

/** Builds the effects, each defaulting to the real one. */
export function createEffects(options: EngineOptions): Effects {
  const env = options.env ?? process.env;
  const now = options.now ?? Date.now;
  const monotonicMs = options.monotonic ?? (() => performance.now());
  const procRoot = options.procRoot ?? "/proc";

  const paths = (): OpenClawPaths => pathsOf(options);
  const securityDir = (): string => join(paths().stateDir, "security");
  const policyPath = (name: PolicyFileName): string => join(securityDir(), name);
  const packageRoot = (): string => findPackageRoot(import.meta.dirname);

  const runTool: RunTool = async (request) => {
    const tool = await import("../exec/run-tool.ts");
    return await tool.runTool(request);
  };
  const locateTool = async (name: string, folders?: readonly string[]): Promise<string | null> => {
    const tool = await import("../exec/locate-tool.ts");
    return await tool.locateTool(name, folders);
  };

  let collector: Promise<SocketCollector> | undefined;
  const collect = async (want: SocketWant): Promise<SocketInventory> => {
    collector ??= import("../collect/sockets.ts").then(({ createSocketCollector }) =>
      createSocketCollector({
        procRoot,
        now,
        monotonicMs,
        runTool,
        locateTool,
        ownPid: process.pid,
        ownUid: process.getuid?.() ?? null,
      }),
    );
    return await (await collector).collect(want);
  };

  let resolver: Promise<ResolveHosts> | undefined;
  const resolveHosts: ResolveHosts = async (hosts, budgetMs) => {
    resolver ??= import("../collect/resolve-hosts.ts").then(({ createHostResolver, lookupAddresses }) =>
      createHostResolver({ lookup: lookupAddresses, monotonicMs }),
    );
    return await (
      await resolver
    )(hosts, budgetMs);
  };

  const loadPolicy: Effects["loadPolicy"] = async (name, given) => {
    const path = given ?? policyPath(name);
    try {
      const text = await readTextFile(path, { maxBytes: MAX_POLICY_BYTES, trust: "trusted", what: POLICY_WORDS[name] });
      return { path, text };
    } catch (thrown) {
      if (given === undefined && thrown instanceof SecurityError && thrown.code === "file-missing") return null;
      throw thrown;
    }
  };

  /** Reports go into the package's folder of a clone or skill, but not into an npm installation. */
  const assessmentsDir = (): string => {
    if (options.assessmentsDir !== undefined) return options.assessmentsDir;
    const root = packageRoot();
    const isInstalled = root.split(sep).includes("node_modules");
    return isInstalled ? join(securityDir(), "assessments") : join(root, "assessments");
  };

  return {
    options,
    env,
    now,
    monotonicMs,
    procRoot,
    paths,
    securityDir,
    packageRoot,
    assessmentsDir,
    policyPath,
    loadPolicy,
    runTool,
    locateTool,
    collect,
    resolveHosts,
    forget: () => {
      collector = undefined;
    },
  };
}

/** A state folder given as an option stands for OPENCLAW_STATE_DIR. */
function pathsOf(options: EngineOptions): OpenClawPaths {
  const env = options.env ?? process.env;
  const effective = options.stateDir === undefined ? env : { ...env, OPENCLAW_STATE_DIR: options.stateDir };
  return locateOpenClawPaths(effective, options.env === undefined ? homeOrNull() : null);
}

function homeOrNull(): string | null {
  try {
    return homedir();
  } catch {
    // No HOME and no account entry: paths that need a home fail with no-home when they are asked for.
    return null;
  }
}
