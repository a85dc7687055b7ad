/**
 * The only wiring: real effects with their defaults, handed to the use cases in app/. What a
 * command may not need (the pattern engine, child processes, the dashboard) is loaded on first use,
 * so that a scan starts fast.
 */
import { hash, randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AllowlistCheck, AllowlistSuggestion } from "./app/allowlist.ts";
import type { AssessResult } from "./app/assess.ts";
import type { Collectors, Timer } from "./app/collect-evidence.ts";
import type { PolicyText } from "./app/policy-file.ts";
import type { DiffReport, GenerateReport, ReviewDeps, ReviewReport } from "./app/baseline.ts";
import type { InitReport, PolicyFileName } from "./app/init.ts";
import type { PreflightReport } from "./app/preflight.ts";
import { locateOpenClawPaths, type OpenClawPaths } from "./collect/openclaw-paths.ts";
import type { SocketCollector, SocketWant } from "./collect/sockets.ts";
import { asSecurityError, SecurityError, type SecurityErrorCode } from "./core/error.ts";
import { type Evidence, measured, type Unmeasured, unmeasured } from "./core/evidence.ts";
import type { EgressReport, PortReport, SocketInventory } from "./core/network.ts";
import { isoFromEpoch } from "./core/time.ts";
import type { RunTool } from "./exec/run-tool.ts";
import type { OpenClawConfig } from "./schema/openclaw-config.ts";
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
  assess(options: { checks?: readonly string[]; outDir?: string }): Promise<AssessResult>;
  preflight(): Promise<PreflightReport>;
  init(): Promise<InitReport>;
  /** Drops what earlier scans learned about processes. */
  forget(): void;
}

/** Set by the bundler from package.json. */
declare const CSE_VERSION: string | undefined;
export const VERSION: string = typeof CSE_VERSION === "string" ? CSE_VERSION : "0.0.0-source";

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

  /** One look at the sockets serves the scans and the search for the gateway; each fact is taken once. */
  const evidenceCollectors = async (paths: OpenClawPaths) => {
    const { collectOpenClawConfig } = await import("./collect/openclaw-config.ts");
    const { collectGatewayProcess } = await import("./collect/gateway-process.ts");
    const { collectStateTree } = await import("./collect/state-tree.ts");
    const { collectPrivilegePaths } = await import("./collect/privilege-paths.ts");
    const { collectBackupState } = await import("./collect/backup-state.ts");
    const { collectUpdateState, globalPackageFolders } = await import("./collect/update-state.ts");
    const { parseBaselineFile, reportPorts } = await import("./app/scan-ports.ts");
    const { loadEgressRules, reportEgress } = await import("./app/scan-egress.ts");
    const at = (): string => isoFromEpoch(now());
    const uid = process.getuid?.() ?? -1;

    const inventory = once(
      async () => await collect({ listeners: true, connections: true, includeUdp: true, includeLoopback: true }),
    );
    const sockets = once(async (): Promise<Evidence<SocketInventory>> => {
      try {
        const value = await inventory();
        return measured(value, value.collector, value.collected_at);
      } catch (thrown) {
        const { code, message } = asSecurityError(thrown);
        return unmeasured(code, message, "sockets", at());
      }
    });
    const config = once(async () => await collectOpenClawConfig(paths, env, { now }));
    const gateway = once(async () => {
      const known = await config();
      return await collectGatewayProcess({
        now,
        procRoot,
        etc: "/etc",
        port: known.kind === "measured" ? known.value.gateway.port.value : null,
        sockets: await sockets(),
        current: { uid, gids: process.getgroups?.() ?? [] },
      });
    });
    const update = once(async () => {
      const running = await gateway();
      return await collectUpdateState(paths.stateDir, {
        now,
        procRoot,
        gatewayPid: running.kind === "measured" ? running.value.pid : null,
        packageFolders: globalPackageFolders(process.execPath, paths.home),
      });
    });
    const policyEvidence = async <T>(name: PolicyFileName, read: (file: PolicyText) => T): Promise<Evidence<T>> => {
      const path = pathOf(name);
      try {
        return measured(read({ path, text: (await loadPolicy(name))?.text ?? null }), path, at());
      } catch (thrown) {
        const { code, message } = asSecurityError(thrown);
        return unmeasured(code, message, path, at());
      }
    };

    const collectors: Collectors = {
      config,
      sockets,
      gateway,
      update,
      stateTree: async () => {
        const [known, running] = await Promise.all([config(), gateway()]);
        return await collectStateTree(paths.stateDir, {
          now,
          expectedUid: running.kind === "measured" ? running.value.uid : uid,
          files: known.kind === "measured" ? filesOf(known.value) : [paths.configPath],
          folders: known.kind === "measured" ? agentFoldersOf(known.value) : [],
          runTool,
          getfacl: await locateTool("getfacl"),
        });
      },
      privilege: async () => {
        const account = await gateway();
        if (account.kind === "unmeasured") return account;
        return await collectPrivilegePaths({ now, account: account.value, currentUid: uid, runTool, locateTool });
      },
      commandPolicy: async () => {
        const { readCommandPolicy } = await import("./app/policy-file.ts");
        return await policyEvidence("command-policy.json", (file) => readCommandPolicy(file, now()));
      },
      promptPolicy: async () => {
        const { readPromptPolicy } = await import("./app/policy-file.ts");
        return await policyEvidence("prompt-policy.json", readPromptPolicy);
      },
      ports: async () => {
        const file = await loadPolicy("approved_ports.json");
        const baseline = file === null ? null : parseBaselineFile(file);
        const seen = await inventory();
        return measured(reportPorts(seen, baseline, file?.path ?? null, now()), seen.collector, seen.collected_at);
      },
      egress: async () => {
        const { loadAllowlist, resolveHosts } = await egressDeps(undefined, false);
        const [seen, rules] = await Promise.all([inventory(), loadEgressRules({ loadAllowlist, resolveHosts, now })]);
        const report = reportEgress(seen, rules, { includeLoopback: false, includeUdp: true });
        return measured(report, seen.collector, seen.collected_at);
      },
      backup: async () => await collectBackupState(paths.stateDir, { now }),
    };
    const openClawVersion = async (): Promise<string | null> => {
      const known = await update();
      return known.kind === "measured" ? known.value.installed_version : null;
    };
    return { collectors, openClawVersion };
  };

  return {
    forget: () => {
      collector = undefined;
    },
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
    assess: async ({ checks, outDir }) => {
      const { assess, COLLECTOR_TIMEOUT_MS } = await import("./app/assess.ts");
      const { renderDashboard } = await import("./report/dashboard.ts");
      const history = await import("./state/assessment-history.ts");
      const { ensureReportFolder, writeFileAtomic } = await import("./state/write-file.ts");
      const { collectHostFacts } = await import("./collect/host-facts.ts");
      const paths = pathsOf(options);
      const reports = outDir === undefined ? assessmentsDirOf(options) : resolve(outDir);
      const historyPath = join(securityDir(), "assessment-history.jsonl");
      const { collectors, openClawVersion } = await evidenceCollectors(paths);
      return await assess(
        {
          now,
          monotonicMs,
          newRunId: randomUUID,
          version: VERSION,
          collectors,
          collectorTimeoutMs: COLLECTOR_TIMEOUT_MS,
          startTimer,
          hostFacts: async () => ({
            ...collectHostFacts(),
            state_dir: paths.stateDir,
            config_path: paths.configPath,
            openclaw_version: await openClawVersion(),
          }),
          loadHistory: async () => await history.loadAssessmentHistory(historyPath),
          appendHistory: async (build) => await history.appendAssessmentRun(historyPath, build),
          renderDashboard: (assessment, ports, egress) =>
            renderDashboard({ assessment, ports, egress, sha256Base64: (text) => hash("sha256", text, "base64") }),
          reportPath: (name) => join(reports, name),
          writeReports: async (files) => {
            await ensureReportFolder(reports);
            for (const [name, text] of Object.entries(files)) await writeFileAtomic(join(reports, name), text);
          },
          progress: options.logger ?? (() => undefined),
        },
        checks === undefined ? {} : { checks },
      );
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
        countRules: async (name) => await countRules(name, (await loadPolicy(name))?.text ?? null, now()),
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

/** Config, includes and the log file, wherever they are. */
function filesOf(config: OpenClawConfig): string[] {
  return [config.path, ...config.includes, ...(config.logging.file === null ? [] : [config.logging.file])];
}

function agentFoldersOf(config: OpenClawConfig): string[] {
  return config.agents.flatMap((agent) => (agent.agent_dir === null ? [] : [agent.agent_dir]));
}

/** The same promise for every caller. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return async () => await (started ??= work());
}

function startTimer(delayMs: number): Timer {
  const cancel = new AbortController();
  const elapsed = setTimeout(delayMs, undefined, { ref: false, signal: cancel.signal }).then(
    () => undefined,
    // Cancelled: it never elapses.
    async () => await new Promise<void>(() => undefined),
  );
  return { elapsed, cancel: () => cancel.abort() };
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

async function countRules(name: PolicyFileName, text: string | null, now: number): Promise<number | null> {
  if (text === null) return null;
  switch (name) {
    case "approved_ports.json":
      return (await import("./app/scan-ports.ts")).parseBaselineFile({ path: name, text }).rules.length;
    case "egress_allowlist.json":
      return (await import("./app/scan-egress.ts")).prepareAllowlist(text).then((rules) => rules.length);
    case "command-policy.json": {
      const { policy } = (await import("./app/policy-file.ts")).readCommandPolicy({ path: name, text }, now);
      if (policy === null) return null;
      if (policy.form === "v2") return policy.rules.length;
      return policy.allow.length + policy.deny.length + policy.allowExact.length + policy.denyExact.length;
    }
    case "prompt-policy.json":
      (await import("./app/policy-file.ts")).readPromptPolicy({ path: name, text });
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
