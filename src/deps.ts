/**
 * The only wiring: real effects with their defaults, handed to the use cases in app/. What a
 * command may not need (the pattern engine, child processes, the dashboard) is loaded on first use,
 * so that a scan starts fast.
 */
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { AllowlistCheck, AllowlistSuggestion } from "./app/allowlist.ts";
import type { DiffReport, GenerateReport, ReviewDeps, ReviewReport } from "./app/baseline.ts";
import type { InitReport, PolicyFileName } from "./app/init.ts";
import type { PreflightReport } from "./app/preflight.ts";
import { locateOpenClawPaths, type OpenClawPaths } from "./collect/openclaw-paths.ts";
import type { SocketCollector, SocketWant } from "./collect/sockets.ts";
import { SecurityError, type SecurityErrorCode } from "./core/error.ts";
import type { Unmeasured } from "./core/evidence.ts";
import type { EgressReport, PortReport, SocketInventory } from "./core/network.ts";
import type { RunTool } from "./exec/run-tool.ts";
import { readTextFile } from "./state/read-file.ts";

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
  /** Complete environment. Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Takes lines about long work; never results. */
  readonly logger?: (line: string) => void;
}

/** The use cases with their effects in place. Each throws SecurityError. */
export interface UseCases {
  scanPorts(options: { includeUdp: boolean; baseline?: string }): Promise<PortReport>;
  scanEgress(options: { includeLoopback: boolean; allowlist?: string }): Promise<EgressReport>;
  generateBaseline(options: { baseline?: string }): Promise<GenerateReport>;
  diffBaseline(options: { baseline?: string }): Promise<DiffReport>;
  reviewBaseline(options: { baseline?: string }, ask: ReviewDeps["ask"]): Promise<ReviewReport>;
  suggestAllowlist(options: { allowlist?: string }): Promise<AllowlistSuggestion>;
  checkAllowlist(options: { allowlist?: string }): Promise<AllowlistCheck>;
  preflight(): Promise<PreflightReport>;
  init(): Promise<InitReport>;
}

const MAX_POLICY_BYTES = 2_000_000;
const POLICY_WORDS: Readonly<Record<PolicyFileName, string>> = {
  "approved_ports.json": "port baseline",
  "command-policy.json": "command policy",
  "egress_allowlist.json": "egress allowlist",
  "prompt-policy.json": "prompt policy",
};

/** Builds the use cases. Nothing is read, opened or started before one of them is called. */
export function wire(options: EngineOptions = {}): UseCases {
  const env = options.env ?? process.env;
  const now = options.now ?? Date.now;
  const monotonicMs = options.monotonic ?? (() => performance.now());
  const procRoot = options.procRoot ?? "/proc";

  const securityDir = (): string => join(pathsOf(options).stateDir, "security");
  const pathOf = (name: PolicyFileName): string => join(securityDir(), name);

  const runTool: RunTool = async (request) => {
    const tool = await import("./exec/run-tool.ts");
    return await tool.runTool(request);
  };
  const locateTool = async (name: string, folders?: readonly string[]): Promise<string | null> => {
    const tool = await import("./exec/locate-tool.ts");
    return await tool.locateTool(name, folders);
  };

  let collector: Promise<SocketCollector> | undefined;
  const collect = async (want: SocketWant): Promise<SocketInventory> => {
    collector ??= import("./collect/sockets.ts").then(({ createSocketCollector }) =>
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

  /** Null only where there is no file; anything wrong with one is an error. A file named by hand must exist. */
  const loadPolicy = async (name: PolicyFileName, given?: string): Promise<{ path: string; text: string } | null> => {
    const path = given ?? pathOf(name);
    try {
      const text = await readTextFile(path, { maxBytes: MAX_POLICY_BYTES, trust: "trusted", what: POLICY_WORDS[name] });
      return { path, text };
    } catch (thrown) {
      if (given === undefined && thrown instanceof SecurityError && thrown.code === "file-missing") return null;
      throw thrown;
    }
  };

  const savePolicy = async (path: string, text: string): Promise<string> => {
    const { ensurePrivateFolder, writeFileAtomic } = await import("./state/write-file.ts");
    await ensurePrivateFolder(dirname(path));
    await writeFileAtomic(path, text);
    return path;
  };

  const portDeps = (baseline: string | undefined) => ({
    load: async () => await loadPolicy("approved_ports.json", baseline),
    save: async (text: string) => await savePolicy(baseline ?? pathOf("approved_ports.json"), text),
    collect: async ({ udp }: { udp: boolean }) =>
      await collect({ listeners: true, connections: false, includeUdp: udp }),
    now,
  });

  const egressDeps = async (allowlist: string | undefined, includeLoopback: boolean) => {
    const { createHostResolver, lookupAddresses } = await import("./collect/resolve-hosts.ts");
    return {
      loadAllowlist: async () => await loadPolicy("egress_allowlist.json", allowlist),
      resolveHosts: createHostResolver({ lookup: lookupAddresses, monotonicMs }),
      collect: async () => await collect({ listeners: false, connections: true, includeUdp: true, includeLoopback }),
      now,
    };
  };

  return {
    scanPorts: async ({ includeUdp, baseline }) => {
      const { scanPorts } = await import("./app/scan-ports.ts");
      const deps = portDeps(baseline);
      return await scanPorts({ ...deps, loadBaseline: deps.load }, { includeUdp });
    },
    scanEgress: async ({ includeLoopback, allowlist }) => {
      const { scanEgress } = await import("./app/scan-egress.ts");
      return await scanEgress(await egressDeps(allowlist, includeLoopback), { includeLoopback, includeUdp: true });
    },
    generateBaseline: async ({ baseline }) => {
      const { generateBaselineFile } = await import("./app/baseline.ts");
      return await generateBaselineFile(portDeps(baseline));
    },
    diffBaseline: async ({ baseline }) => {
      const { diffBaselineFile } = await import("./app/baseline.ts");
      return await diffBaselineFile(portDeps(baseline));
    },
    reviewBaseline: async ({ baseline }, ask) => {
      const { reviewBaselineFile } = await import("./app/baseline.ts");
      return await reviewBaselineFile({ ...portDeps(baseline), ask });
    },
    suggestAllowlist: async ({ allowlist }) => {
      const { suggestEgressAllowlist } = await import("./app/allowlist.ts");
      return await suggestEgressAllowlist(await egressDeps(allowlist, false));
    },
    checkAllowlist: async ({ allowlist }) => {
      const { checkEgressAllowlist } = await import("./app/allowlist.ts");
      return await checkEgressAllowlist(await egressDeps(allowlist, false));
    },
    preflight: async () => {
      const { preflight } = await import("./app/preflight.ts");
      return await preflight({
        nodeVersion: process.version,
        platform: process.platform,
        env,
        checkStateFolder: async () => {
          const { checkPrivateFolder } = await import("./state/write-file.ts");
          const path = pathsOf(options).stateDir;
          return (await checkPrivateFolder(path)) ? path : null;
        },
        checkReportsFolder: async () => {
          const { ensureReportFolder } = await import("./state/write-file.ts");
          const path = assessmentsDirOf(options);
          await ensureReportFolder(path);
          return path;
        },
        countRules: async (name) => await countRules(name, (await loadPolicy(name))?.text ?? null),
        pathOf,
        checkConfig: async () => {
          const { collectOpenClawConfig } = await import("./collect/openclaw-config.ts");
          const config = await collectOpenClawConfig(pathsOf(options), env, { now });
          if (config.kind === "measured") return config.value.present ? config.value.path : null;
          throw new SecurityError(asErrorCode(config.code), config.reason);
        },
        locate: locateTool,
        isProcUsable: async () =>
          (await readTextFile(join(procRoot, "self/net/tcp"), {
            maxBytes: 1_000_000_000,
            trust: "untrusted",
            what: "socket table",
          }).catch(() => "")) !== "",
      });
    },
    init: async () => {
      const { initPolicyFiles } = await import("./app/init.ts");
      const { createFileAtomic, ensurePrivateFolder } = await import("./state/write-file.ts");
      return await initPolicyFiles({
        prepareFolder: async () => {
          await ensurePrivateFolder(pathsOf(options).stateDir);
          await ensurePrivateFolder(securityDir());
        },
        readTemplate: async (name) =>
          await readTextFile(join(packageRoot(), "references", TEMPLATES[name]), {
            maxBytes: MAX_POLICY_BYTES,
            trust: "untrusted",
            what: "template",
            followLink: true,
          }),
        create: async (name, text) => {
          await createFileAtomic(pathOf(name), text);
          return pathOf(name);
        },
        pathOf,
      });
    },
  };
}

const TEMPLATES: Readonly<Record<PolicyFileName, string>> = {
  "approved_ports.json": "approved_ports.template.json",
  "command-policy.json": "command-policy.template.json",
  "egress_allowlist.json": "egress-allowlist.template.json",
  "prompt-policy.json": "prompt-policy.template.json",
};

function asErrorCode(code: Unmeasured["code"]): SecurityErrorCode {
  return code === "not-built" || code === "not-applicable" ? "collector-failed" : code;
}

async function countRules(name: PolicyFileName, text: string | null): Promise<number | null> {
  if (text === null) return null;
  const { parseStrictJson } = await import("./core/json.ts");
  const value = parseStrictJson(text, name);
  switch (name) {
    case "approved_ports.json":
      return (await import("./schema/approved-ports.ts")).parseApprovedPorts(value).rules.length;
    case "egress_allowlist.json":
      return (await import("./app/scan-egress.ts")).prepareAllowlist(text).then((rules) => rules.length);
    case "command-policy.json": {
      const policy = (await import("./schema/command-policy.ts")).parseCommandPolicy(value);
      return policy.form === "v2"
        ? policy.rules.length
        : policy.allow.length + policy.deny.length + policy.allowExact.length + policy.denyExact.length;
    }
    case "prompt-policy.json":
      (await import("./schema/prompt-policy.ts")).parsePromptPolicy(value);
      return 1;
  }
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

/** The folder of package.json: both `dist/` and `src/` lie directly below it. */
function packageRoot(): string {
  return dirname(dirname(fileURLToPath(import.meta.url)));
}

/** Reports go into the package's folder of a clone or skill, but not into an npm installation. */
function assessmentsDirOf(options: EngineOptions): string {
  if (options.assessmentsDir !== undefined) return options.assessmentsDir;
  const root = packageRoot();
  const isInstalled = root.split(sep).includes("node_modules");
  return isInstalled ? join(pathsOf(options).stateDir, "security", "assessments") : join(root, "assessments");
}
