import { hash, randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { assess, type AssessResult, COLLECTOR_TIMEOUT_MS } from "../app/assess.ts";
import { testGrants } from "../app/grant-self-test.ts";
import type { Collectors, Timer } from "../app/collect-evidence.ts";
import type { PolicyFileName } from "../app/init.ts";
import { type PolicyText, readCommandPolicy, readPromptPolicy } from "../app/policy-file.ts";
import { loadEgressRules, reportEgress } from "../app/scan-egress.ts";
import { parseBaselineFile, reportPorts } from "../app/scan-ports.ts";
import { collectBrokerSocket } from "../collect/broker-socket.ts";
import { collectBackupState } from "../collect/backup-state.ts";
import { collectGatewayProcess } from "../collect/gateway-process.ts";
import { collectHostFacts } from "../collect/host-facts.ts";
import { collectOpenClawConfig } from "../collect/openclaw-config.ts";
import type { OpenClawPaths } from "../collect/openclaw-paths.ts";
import { defaultLogFolders, hasOpenClawState, ownerOfState } from "../collect/openclaw-presence.ts";
import { collectApproverKinds } from "../collect/posture-facts.ts";
import { collectPrivilegePaths } from "../collect/privilege-paths.ts";
import { collectStateTree } from "../collect/state-tree.ts";
import { collectUpdateState, globalPackageFolders } from "../collect/update-state.ts";
import { asSecurityError } from "../core/error.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { SocketInventory } from "../core/network.ts";
import { isoFromEpoch } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import { createGrantStore } from "../grant/grant-store.ts";
import { renderDashboard } from "../report/dashboard.ts";
import type { Format } from "../report/formats.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";
import { appendAssessmentRun, loadAssessmentHistory } from "../state/assessment-history.ts";
import { loadWaivers } from "../state/waivers.ts";
import { ensureReportFolder, writeFileAtomic } from "../state/write-file.ts";
import { collectAuditEvidence } from "./audit-evidence.ts";
import { brokerSocketPath } from "./broker.ts";
import type { Effects } from "./effects.ts";
import { NATIVE_BUDGET_MS } from "../collect/native-evidence.ts";
import { standingCycleProblems } from "./cycle-record.ts";
import { notifyProblems } from "./notify.ts";
import { historyPath as historyPathOf, waiverPath } from "./over-time.ts";
import { egressDeps } from "./scan.ts";
import { askOpenClaw, setupCollectors } from "./setup-evidence.ts";

export interface AssessmentRequest {
  readonly checks?: readonly string[];
  /** Folder for the reports instead of the usual one. */
  readonly outDir?: string;
  readonly formats?: readonly Format[];
  /**
   * False: OpenClaw's own commands are not run, and what they said before is not used. "kept": only
   * what they said a short while ago is, unless `refresh` is wanted; nobody waits for them.
   */
  readonly native?: boolean | "kept";
  /** Ask OpenClaw's own commands again, also where their last answers are still good. */
  readonly refresh?: boolean;
}

export async function runAssessment(effects: Effects, request: AssessmentRequest): Promise<AssessResult> {
  const { checks, outDir, formats } = request;
  const paths = effects.paths();
  const reports = outDir === undefined ? effects.assessmentsDir() : resolve(outDir);
  const historyPath = historyPathOf(effects);
  const { collectors, openClawVersion } = evidenceCollectors(effects, paths, request);
  return await assess(
    {
      now: effects.now,
      monotonicMs: effects.monotonicMs,
      newRunId: randomUUID,
      version: VERSION,
      collectors,
      collectorTimeoutMs: COLLECTOR_TIMEOUT_MS,
      // What is asked last may still need its own limit.
      nativeTimeoutMs: NATIVE_BUDGET_MS + COLLECTOR_TIMEOUT_MS,
      startTimer,
      hostFacts: async () => ({
        ...collectHostFacts(),
        state_dir: paths.stateDir,
        config_path: paths.configPath,
        openclaw_version: await openClawVersion(),
      }),
      standingProblems: async () => [...(await notifyProblems(effects)), ...(await standingCycleProblems(effects))],
      loadWaivers: async () => await loadWaivers(waiverPath(effects)),
      loadHistory: async () => await loadAssessmentHistory(historyPath),
      appendHistory: async (build) => await appendAssessmentRun(historyPath, build),
      renderDashboard: (assessment, ports, egress) =>
        renderDashboard({ assessment, ports, egress, sha256Base64: (text) => hash("sha256", text, "base64") }),
      uuidOf: nameUuid,
      reportPath: (name) => join(reports, name),
      writeReports: async (files) => {
        await ensureReportFolder(reports);
        for (const [name, text] of Object.entries(files)) await writeFileAtomic(join(reports, name), text);
      },
      progress: effects.options.logger ?? (() => undefined),
    },
    { ...(checks === undefined ? {} : { checks }), ...(formats === undefined ? {} : { formats }) },
  );
}

/** A UUID of a name within a run: version 5 of RFC 9562, the run's own UUID being the name space. */
function nameUuid(runId: string, name: string): string {
  const digest = hash(
    "sha1",
    Buffer.concat([Buffer.from(runId.replaceAll("-", ""), "hex"), Buffer.from(name)]),
    "buffer",
  );
  const bytes = digest.subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** One look at the sockets serves the scans and the search for the gateway; each fact is taken once. */
function evidenceCollectors(
  effects: Effects,
  paths: OpenClawPaths,
  request: AssessmentRequest,
): { collectors: Collectors; openClawVersion: () => Promise<string | null> } {
  const { env, now, procRoot, policyPath, loadPolicy, runTool, locateTool, collect } = effects;
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
  const config = once(async () => {
    const known = await collectOpenClawConfig(paths, env, { now });
    if (known.kind === "unmeasured" || known.value.present || hasOpenClawState(paths.stateDir)) return known;
    // The defaults hold where OpenClaw is used without a config, and say nothing about a host without it.
    const reason = `There is no OpenClaw config at ${paths.configPath}, and nothing else of OpenClaw's in ${paths.stateDir}`;
    return unmeasured("file-missing", reason, paths.configPath, known.at);
  });
  const gateway = once(async () => {
    const known = await config();
    return await collectGatewayProcess({
      now,
      procRoot,
      etc: "/etc",
      port: known.kind === "measured" ? known.value.gateway.port.value : null,
      sockets: await sockets(),
      stateDir: paths.stateDir,
      configPath: paths.configPath,
      current: { uid, gids: process.getgroups?.() ?? [] },
    });
  });
  const whereInstalled = async () => {
    const running = await gateway();
    return {
      procRoot,
      gatewayPid: running.kind === "measured" ? running.value.pid : null,
      packageFolders: globalPackageFolders(process.execPath, paths.home),
    };
  };
  const update = once(async () => await collectUpdateState(paths.stateDir, { now, ...(await whereInstalled()) }));
  const policyEvidence = async <T>(name: PolicyFileName, read: (file: PolicyText) => T): Promise<Evidence<T>> => {
    const path = policyPath(name);
    try {
      return measured(read({ path, text: (await loadPolicy(name))?.text ?? null }), path, at());
    } catch (thrown) {
      const { code, message } = asSecurityError(thrown);
      return unmeasured(code, message, path, at());
    }
  };

  // A config that no gateway uses says nothing about the gateway that runs with another one.
  const configInUse = async (): Promise<Evidence<OpenClawConfig>> => {
    const [known, running] = await Promise.all([config(), gateway()]);
    const other = running.kind === "measured" && !running.value.running ? running.value.others : [];
    const theirs = other.find((process) => process.other_config !== null);
    if (theirs === undefined) return known;
    const reason = `The gateway that runs here (pid ${theirs.pid}) uses ${theirs.other_config ?? ""}, not ${paths.configPath}; set OPENCLAW_CONFIG_PATH or OPENCLAW_STATE_DIR as it has them`;
    return unmeasured("config-not-in-use", reason, paths.configPath, known.at);
  };

  const collectors: Collectors = {
    config: configInUse,
    sockets,
    gateway,
    update,
    stateTree: async () => {
      const [known, running] = await Promise.all([config(), gateway()]);
      // Root may look at the state of another account whose gateway does not run just now.
      const owner = uid === 0 ? (ownerOfState(paths.stateDir) ?? uid) : uid;
      const expectedUid = running.kind === "measured" && running.value.running ? running.value.uid : owner;
      const isThere = (known.kind === "measured" && known.value.present) || hasOpenClawState(paths.stateDir);
      const logsItself = known.kind === "unmeasured" || known.value.logging.file === null;
      return await collectStateTree(paths.stateDir, {
        now,
        expectedUid,
        files: known.kind === "measured" ? filesOf(known.value) : [paths.configPath],
        folders: [
          ...(known.kind === "measured" ? agentFoldersOf(known.value) : []),
          ...(isThere && logsItself ? defaultLogFolders(expectedUid) : []),
        ],
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
      return await policyEvidence("command-policy.json", (file) => readCommandPolicy(file, now()));
    },
    promptPolicy: async () => {
      return await policyEvidence("prompt-policy.json", readPromptPolicy);
    },
    ports: async () => {
      const file = await loadPolicy("approved_ports.json");
      const baseline = file === null ? null : parseBaselineFile(file);
      const seen = await inventory();
      return measured(reportPorts(seen, baseline, file?.path ?? null, now()), seen.collector, seen.collected_at);
    },
    egress: async () => {
      const { loadAllowlist, resolveHosts } = egressDeps(effects, undefined, false);
      const [seen, rules] = await Promise.all([inventory(), loadEgressRules({ loadAllowlist, resolveHosts, now })]);
      const report = reportEgress(seen, rules, { includeLoopback: false, includeUdp: true });
      return measured(report, seen.collector, seen.collected_at);
    },
    ...setupCollectors({ effects, paths, config, gateway, uid }),
    native: async () => {
      if (request.native === false) {
        return unmeasured("not-asked", "OpenClaw's own commands were not to be run (--no-native)", "openclaw", at());
      }
      const known = await gateway();
      const running = known.kind === "measured" && known.value.running && known.value.uid === uid;
      return await askOpenClaw(effects, paths, await whereInstalled(), {
        uid,
        isGatewayRunning: running,
        refresh: request.refresh === true,
        keptOnly: request.native === "kept" && request.refresh !== true,
      });
    },
    backup: async () => await collectBackupState(paths.stateDir, { now }),
    auditLog: async () => await collectAuditEvidence(effects, await gateway()),
    broker: async () =>
      collectBrokerSocket({ now, procRoot, gateway: await gateway(), path: brokerSocketPath(effects) }),
    approvers: async () => await collectApproverKinds(effects.securityDir(), at()),
    // It shows what it does, whenever it is asked.
    grants: async () =>
      await Promise.resolve(measured(testGrants(createGrantStore), "trial of the store of grants", at())),
  };
  const openClawVersion = async (): Promise<string | null> => {
    const known = await update();
    return known.kind === "measured" ? known.value.installed_version : null;
  };
  return { collectors, openClawVersion };
}

/** Config, the copies that OpenClaw keeps of it, includes and the log file, wherever they are. */
function filesOf(config: OpenClawConfig): string[] {
  const copies = ["", ".1", ".2", ".3", ".4"].map((number) => `${config.path}.bak${number}`);
  return [
    config.path,
    ...copies,
    `${config.path}.last-good`,
    ...config.includes,
    ...(config.logging.file === null ? [] : [config.logging.file]),
  ];
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
