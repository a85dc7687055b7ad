/**
 * The use cases with their real effects. Each group is loaded on first use, so that a scan does not
 * wait for the dashboard or for libraries it does not need.
 */
import type { AllowlistCheck, AllowlistSuggestion } from "../app/allowlist.ts";
import type { AssessResult } from "../app/assess.ts";
import type { DiffReport, GenerateReport, ReviewDeps, ReviewReport } from "../app/baseline.ts";
import type { CycleReport } from "../app/cycle.ts";
import type { InitReport } from "../app/init.ts";
import type { PostureReport, SudoersOptions, SudoersReport } from "../app/posture.ts";
import type { DiffReport as RunDiffReport, HistoryReport } from "../app/report-history.ts";
import type { NotifyReport } from "../app/notify.ts";
import type { WaiverReport } from "../app/waiver.ts";
import type { PolicyCheckReport, PolicyLintReport } from "../app/policy-check.ts";
import type { PolicyExplainReport } from "../app/policy-explain.ts";
import type { PreflightReport } from "../app/preflight.ts";
import type { ShimChangeReport } from "../app/shim-install.ts";
import type { ShimStatusReport } from "../app/shim-status.ts";
import type { EgressReport, PortReport } from "../core/network.ts";
import type { ApproverCommands } from "./approvers.ts";
import type { AssessmentRequest } from "./assess.ts";
import type { OpenedReport } from "./open-report.ts";
import type { AuditCommands } from "./audit.ts";
import { createEffects, type EngineOptions } from "./effects.ts";
import type { SessionElevation, SessionReport } from "./elevate.ts";
import type { WaiverAction } from "./over-time.ts";
import type { ScheduleReport, ScheduleWishes } from "./schedule.ts";
import type { PolicyQuestion } from "./policy.ts";
import type { Confirm } from "./shim.ts";

/** The use cases with their effects in place. Each throws SecurityError. */
export interface UseCases {
  scanPorts(options: { includeUdp: boolean; baseline?: string }): Promise<PortReport>;
  scanEgress(options: { includeLoopback: boolean; allowlist?: string }): Promise<EgressReport>;
  generateBaseline(options: { baseline?: string }): Promise<GenerateReport>;
  diffBaseline(options: { baseline?: string }): Promise<DiffReport>;
  reviewBaseline(options: { baseline?: string }, ask: ReviewDeps["ask"]): Promise<ReviewReport>;
  suggestAllowlist(options: { allowlist?: string }): Promise<AllowlistSuggestion>;
  checkAllowlist(options: { allowlist?: string }): Promise<AllowlistCheck>;
  assess(request: AssessmentRequest): Promise<AssessResult>;
  /** How two runs of the history differ, by id, date, `previous` or `latest`. */
  reportDiff(from: string, to: string): Promise<RunDiffReport>;
  reportHistory(last: number): Promise<HistoryReport>;
  /** Opens the dashboard, or only tells where it is. */
  openReport(): Promise<OpenedReport>;
  /** Tells the sinks what changed since the last time. */
  notify(how: { readonly retry?: boolean }): Promise<NotifyReport>;
  /** Assess with its scans and reports, then notify; one at a time. */
  cycle(request: AssessmentRequest): Promise<CycleReport>;
  /** Enabling and disabling ask a human on the controlling terminal. */
  enableSchedule(wishes: ScheduleWishes): Promise<ScheduleReport>;
  disableSchedule(): Promise<ScheduleReport>;
  scheduleStatus(): Promise<ScheduleReport>;
  /** Adding and confirming ask a human on the controlling terminal. */
  waiver(action: WaiverAction): Promise<WaiverReport>;
  /** The level of this machine, L0 to L3. */
  posture(): Promise<PostureReport>;
  /** Sudoers lines for the policy's exact commands, checked by visudo; nothing is installed. */
  sudoersFragment(options: SudoersOptions): Promise<SudoersReport>;
  /** What would happen to a command; nothing is asked or run. */
  checkPolicy(question: PolicyQuestion): Promise<PolicyCheckReport>;
  /** What a shell command would do about privilege, and what the policy says to it. */
  explainPolicy(command: string): Promise<PolicyExplainReport>;
  lintPolicy(): Promise<PolicyLintReport>;
  preflight(): Promise<PreflightReport>;
  init(): Promise<InitReport>;
  /** Privileged execution; `terminal`: a human is asked on the controlling terminal. */
  elevation(where: { readonly at: "terminal" | "library" }): Promise<SessionElevation>;
  /** What `root-session-state.json` says, for people. */
  sessionRecord(): Promise<SessionReport>;
  /** Reading and verifying the audit log. */
  audit(): Promise<AuditCommands>;
  /** Whose yes counts through the gateway. */
  approvers(): Promise<ApproverCommands>;
  /** Puts the sudo shim in place; what is not ours is changed only after a yes. */
  installShim(confirm: Confirm): Promise<ShimChangeReport>;
  uninstallShim(confirm: Confirm): Promise<ShimChangeReport>;
  shimStatus(): Promise<ShimStatusReport>;
  /** Drops what earlier scans learned about processes. */
  forget(): void;
}

/** Builds the use cases. Nothing is read, opened or started before one of them is called. */
export function wire(options: EngineOptions = {}): UseCases {
  const effects = createEffects(options);
  const scan = async () => await import("./scan.ts");
  const overTime = async () => await import("./over-time.ts");
  const schedule = async () => await import("./schedule.ts");
  const setup = async () => await import("./setup.ts");
  const shim = async () => await import("./shim.ts");
  return {
    scanPorts: async ({ includeUdp, baseline }) => await (await scan()).runScanPorts(effects, baseline, includeUdp),
    scanEgress: async ({ includeLoopback, allowlist }) =>
      await (await scan()).runScanEgress(effects, allowlist, includeLoopback),
    generateBaseline: async ({ baseline }) => await (await scan()).runGenerateBaseline(effects, baseline),
    diffBaseline: async ({ baseline }) => await (await scan()).runDiffBaseline(effects, baseline),
    reviewBaseline: async ({ baseline }, ask) => await (await scan()).runReviewBaseline(effects, baseline, ask),
    suggestAllowlist: async ({ allowlist }) => await (await scan()).runSuggestAllowlist(effects, allowlist),
    checkAllowlist: async ({ allowlist }) => await (await scan()).runCheckAllowlist(effects, allowlist),
    assess: async (request) => await (await import("./assess.ts")).runAssessment(effects, request),
    reportDiff: async (from, to) => await (await overTime()).runReportDiff(effects, from, to),
    reportHistory: async (last) => await (await overTime()).runReportHistory(effects, last),
    openReport: async () => await (await import("./open-report.ts")).runOpenReport(effects),
    notify: async (how) => await (await import("./notify.ts")).runNotify(effects, how),
    cycle: async (request) => await (await import("./cycle.ts")).runCycle(effects, request),
    enableSchedule: async (wishes) => await (await schedule()).runScheduleEnable(effects, wishes),
    disableSchedule: async () => await (await schedule()).runScheduleDisable(effects),
    scheduleStatus: async () => await (await schedule()).runScheduleStatus(effects),
    waiver: async (action) => await (await overTime()).runWaiver(effects, action),
    posture: async () => await (await import("./posture.ts")).runPosture(effects),
    sudoersFragment: async (wanted) => await (await import("./posture.ts")).runSudoersFragment(effects, wanted),
    checkPolicy: async (question) => await (await import("./policy.ts")).runPolicyCheck(effects, question),
    explainPolicy: async (command) => await (await import("./policy.ts")).runPolicyExplain(effects, command),
    lintPolicy: async () => await (await import("./policy.ts")).runPolicyLint(effects),
    preflight: async () => await (await setup()).runPreflight(effects),
    init: async () => await (await setup()).runInit(effects),
    elevation: async ({ at }) => (await import("./elevate.ts")).openElevation(effects, at),
    sessionRecord: async () => await (await import("./elevate.ts")).readSessionRecord(effects),
    audit: async () => (await import("./audit.ts")).createAuditCommands(effects),
    approvers: async () => (await import("./approvers.ts")).createApproverCommands(effects),
    installShim: async (confirm) => await (await shim()).runShimInstall(effects, confirm),
    uninstallShim: async (confirm) => await (await shim()).runShimUninstall(effects, confirm),
    shimStatus: async () => await (await shim()).runShimStatus(effects),
    forget: effects.forget,
  };
}
