import type { AssessedCheck, Assessment, AssessmentSummary, HostFacts } from "../assess/assessment.ts";
import { diffRuns } from "../assess/change.ts";
import { CHECKS } from "../assess/checks.ts";
import { dateChecks, nextRun } from "../assess/history.ts";
import { limitsOf } from "../assess/limits.ts";
import { chooseChecks, evidenceFor, runChecks } from "../assess/run-checks.ts";
import { scoreChecks } from "../assess/score.ts";
import { summarize } from "../assess/summary.ts";
import { isWaived, totalChecks } from "../assess/totals.ts";
import { thinOut, trendPoint } from "../assess/trend.ts";
import { type KnownWaiver, waiveChecks } from "../assess/waiver.ts";
import { type SecurityErrorCode, asSecurityError } from "../core/error.ts";
import type { Evidence } from "../core/evidence.ts";
import type { EgressReport, PortReport } from "../core/network.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { type Format, type FormatFile, FORMATS } from "../report/formats.ts";
import { renderJson } from "../report/json.ts";
import type { AssessmentRun } from "../schema/assessment-history.ts";
import { type CollectDeps, collectEvidence, withinLimit } from "./collect-evidence.ts";

/** How long one collector may take before its evidence counts as unmeasured. */
export const COLLECTOR_TIMEOUT_MS = 20_000;

/** As many as a line on a page can show. */
const TREND_POINTS = 60;

export const REPORT_FILES = [
  "openclaw-assessment.json",
  "compliance-summary.json",
  "compliance-dashboard.html",
  "port-monitor-latest.json",
  "egress-monitor-latest.json",
] as const;
export type ReportFile = (typeof REPORT_FILES)[number];

export interface Problem {
  readonly code: SecurityErrorCode;
  readonly message: string;
}

/** What earlier runs left, and what was wrong with how they left it. */
export interface KnownHistory {
  /** Every run that can be read, oldest first. */
  readonly runs: readonly AssessmentRun[];
  readonly previous: AssessmentRun | null;
  readonly problems: readonly Problem[];
}

export interface AssessDeps extends CollectDeps {
  readonly monotonicMs: () => number;
  readonly newRunId: () => string;
  readonly version: string;
  readonly hostFacts: () => Promise<HostFacts>;
  /** What else a reader must know: messages that nobody got, runs that did not happen. Never fails. */
  readonly standingProblems: () => Promise<readonly Problem[]>;
  /** @throws {SecurityError} waivers-invalid and others when the file is there and cannot be used */
  readonly loadWaivers: () => Promise<readonly KnownWaiver[]>;
  /** Reads the earlier runs; never fails. */
  readonly loadHistory: () => Promise<KnownHistory>;
  /** Reads the last run and adds the one that `build` makes from it, in one step. */
  readonly appendHistory: (build: (known: KnownHistory) => AssessmentRun) => Promise<KnownHistory>;
  readonly renderDashboard: (assessment: Assessment, ports: PortReport | null, egress: EgressReport | null) => string;
  /** The same UUID for the same run and name. */
  readonly uuidOf: (runId: string, name: string) => string;
  /** Absolute path a report will have. */
  readonly reportPath: (name: ReportFile | FormatFile) => string;
  /** Writes these reports; each is replaced as one step or left as it was. */
  readonly writeReports: (reports: Readonly<Partial<Record<ReportFile | FormatFile, string>>>) => Promise<void>;
  readonly progress: (step: string) => void;
}

export interface AssessOptions {
  /** Ids of the checks to run; all when it is left out. */
  readonly checks?: readonly string[];
  /** Formats to write beside the reports that always are. */
  readonly formats?: readonly Format[];
}

export interface AssessResult {
  readonly assessment: Assessment;
  readonly summary: AssessmentSummary;
  /** Null when no chosen check needed the scan, or it failed. */
  readonly ports: PortReport | null;
  readonly egress: EgressReport | null;
}

/**
 * Assesses this host: collect, judge, date, keep, write. Nothing that fails on the way stops the
 * rest or makes an answer better; it is named in the summary's problems.
 * @throws {SecurityError} unknown-check, and those of `loadWaivers`, before anything is looked at
 */
export async function assess(deps: AssessDeps, options: AssessOptions = {}): Promise<AssessResult> {
  const checks = chooseChecks(options.checks);
  // Before anything else: a file that cannot be read might waive what it should not, or no longer what it should.
  const waivers = await deps.loadWaivers();
  const startedAt = deps.now();
  const startedMs = deps.monotonicMs();
  const runId = deps.newRunId();

  deps.progress(`Gathering evidence for ${checks.length} checks`);
  const [collected, host] = await Promise.all([collectEvidence(deps, evidenceFor(checks)), knowHost(deps)]);
  const { evidence } = collected;

  deps.progress("Judging the evidence");
  const answers = runChecks(checks, evidence, isoFromEpoch(startedAt));
  const judge = (known: KnownHistory): readonly AssessedCheck[] =>
    waiveChecks(dateChecks(known.previous, answers, startedAt), waivers, host.facts.hostname, startedAt);
  const history = await keepHistory(deps, judge, runId, startedAt);
  const run = nextRun(history.known.previous, history.checks, runId, startedAt);

  const ports = valueOf(evidence.ports);
  const egress = valueOf(evidence.egress);
  const assessment: Assessment = {
    schemaVersion: 1,
    tool: { name: "cyber-security-engineer", version: deps.version },
    run_id: runId,
    assessed_at: isoFromEpoch(startedAt),
    duration_ms: Math.max(0, Math.round(deps.monotonicMs() - startedMs)),
    host: host.facts,
    totals: totalChecks(history.checks),
    score: scoreChecks(
      history.checks.map((check) => ({ status: check.status, risk: check.risk, isWaived: isWaived(check) })),
      checks.length === CHECKS.length,
    ),
    checks: history.checks,
    changes: diffRuns(history.known.previous, run),
    trend: thinOut([...history.known.runs, run], TREND_POINTS).map(trendPoint),
    // What went wrong with the history decides how far its dates can be trusted.
    limits: [
      ...limitsOf(host.facts, checks.length, CHECKS.length),
      ...history.problems.map(({ message }) => `${message.replace(/\.$/, "")}.`),
    ],
  };

  deps.progress("Writing the reports");
  const problems = distinct([
    ...collected.problems,
    ...host.problems,
    ...history.problems,
    ...waiverProblems(history.checks),
    ...(await deps.standingProblems()),
  ]);
  const scans = {
    ...scanReport("port-monitor-latest.json", evidence.ports),
    ...scanReport("egress-monitor-latest.json", evidence.egress),
  };
  const summary = await writeAll(deps, assessment, { ports, egress, problems }, scans, options.formats ?? []);
  return { assessment, summary, ports, egress };
}

async function knowHost(deps: AssessDeps): Promise<{ facts: HostFacts; problems: readonly Problem[] }> {
  try {
    return { facts: await withinLimit(deps, deps.hostFacts), problems: [] };
  } catch (thrown) {
    const unknown = "unknown";
    const facts: HostFacts = {
      hostname: unknown,
      platform: unknown,
      kernel: unknown,
      user: unknown,
      uid: null,
      state_dir: unknown,
      config_path: unknown,
      openclaw_version: null,
    };
    const { code, message } = problemOf(thrown);
    return { facts, problems: [{ code, message: `Facts about the host: ${message}` }] };
  }
}

/** Somebody wrote a waiver by hand, perhaps the agent: it counts for nothing until a human agrees to it. */
function waiverProblems(checks: readonly AssessedCheck[]): readonly Problem[] {
  return checks.flatMap(({ check_id: id, waiver }) => {
    if (waiver?.state !== "unconfirmed") return [];
    const message = `The waiver ${waiver.id} of ${id} was changed by hand and has no effect until a person runs \`cse waiver confirm ${waiver.id}\``;
    return [{ code: "waiver-unconfirmed" as const, message }];
  });
}

interface DatedChecks {
  readonly checks: readonly AssessedCheck[];
  /** As it was before this run. */
  readonly known: KnownHistory;
  readonly problems: readonly Problem[];
}

/** Dates the answers from the history and adds this run to it; without a writable history, only dates them. */
async function keepHistory(
  deps: AssessDeps,
  date: (known: KnownHistory) => readonly AssessedCheck[],
  runId: string,
  now: EpochMs,
): Promise<DatedChecks> {
  try {
    const known = await deps.appendHistory((found) => nextRun(found.previous, date(found), runId, now));
    return { checks: date(known), known, problems: known.problems };
  } catch (thrown) {
    const { code, message } = problemOf(thrown);
    const known = await deps.loadHistory();
    const lost: Problem = { code, message: `This run could not be added to the history: ${message}` };
    return { checks: date(known), known, problems: [...known.problems, lost] };
  }
}

interface SummaryInput {
  readonly ports: PortReport | null;
  readonly egress: EgressReport | null;
  readonly problems: readonly Problem[];
}

/** Renders and writes the reports. What cannot be rendered or written is a problem in the summary. */
async function writeAll(
  deps: AssessDeps,
  assessment: Assessment,
  input: SummaryInput,
  scans: Readonly<Partial<Record<ReportFile, string>>>,
  formats: readonly Format[],
): Promise<AssessmentSummary> {
  const problems = [...input.problems];
  const pages: Partial<Record<ReportFile, string>> = {};
  try {
    pages["compliance-dashboard.html"] = deps.renderDashboard(assessment, input.ports, input.egress);
  } catch (thrown) {
    problems.push(problemOf(thrown));
  }
  const names: readonly ReportFile[] = REPORT_FILES.filter(
    (name) => name.startsWith("openclaw-") || name === "compliance-summary.json" || name in pages || name in scans,
  );
  const others = renderFormats(deps, assessment, problems, formats);
  const written = [...names, ...(Object.keys(others) as FormatFile[])];
  const files = Object.fromEntries(written.map((name) => [name, deps.reportPath(name)]));
  const summary = summarize(assessment, { ...input, files, problems });
  try {
    await deps.writeReports({
      "openclaw-assessment.json": renderJson(assessment),
      ...pages,
      ...scans,
      ...others,
      // Last: it says that the others are there.
      "compliance-summary.json": renderJson(summary),
    });
    return summary;
  } catch (thrown) {
    const { code, message } = problemOf(thrown);
    const lost: Problem = { code, message: `The reports could not be written: ${message}` };
    return summarize(assessment, { ...input, files: {}, problems: distinct([...problems, lost]) });
  }
}

function renderFormats(
  deps: AssessDeps,
  assessment: Assessment,
  problems: readonly Problem[],
  formats: readonly Format[],
): Readonly<Partial<Record<FormatFile, string>>> {
  const input = { assessment, problems, uuidOf: (name: string) => deps.uuidOf(assessment.run_id, name) };
  return Object.fromEntries(formats.map((name) => [FORMATS[name].file, FORMATS[name].render(input)]));
}

/** A scan's report; where the scan failed, the failure, so that an older good report is not taken for today's. */
function scanReport(
  name: ReportFile,
  evidence: Evidence<PortReport | EgressReport>,
): Readonly<Partial<Record<ReportFile, string>>> {
  if (evidence.kind === "measured") return { [name]: renderJson(evidence.value) };
  if (evidence.code === "not-applicable") return {};
  const { code, reason, at } = evidence;
  return {
    [name]: renderJson({ schemaVersion: 1, status: "error", code, message: reason, hint: "", collected_at: at }),
  };
}

function valueOf<T>(evidence: Evidence<T>): T | null {
  return evidence.kind === "measured" ? evidence.value : null;
}

function problemOf(thrown: unknown): Problem {
  const { code, message } = asSecurityError(thrown);
  return { code, message };
}

function distinct(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(
    (problem, index) => problems.findIndex((other) => other.message === problem.message) === index,
  );
}
