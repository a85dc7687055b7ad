import { SecurityError } from "../core/error.ts";
import type { SocketInventory } from "../core/network.ts";
import type { EpochMs } from "../core/time.ts";
import { describeRule } from "../policy/port-rule.ts";
import { type BaselineDiff, diffBaseline } from "../scan/baseline-diff.ts";
import { generateBaseline, renderBaseline, type ReviewDecision, reviewRule } from "../scan/baseline-generate.ts";
import type { PortBaseline, PortRule } from "../schema/approved-ports.ts";
import { INSECURE_PORTS } from "../schema/insecure-ports.ts";
import { type BaselineFile, judgeListeners, parseBaselineFile, type PortScanWant } from "./scan-ports.ts";

export interface BaselineDeps {
  /** Null when the file does not exist; any other failure to read it is thrown. */
  readonly load: () => Promise<BaselineFile | null>;
  /** Replaces the file atomically, mode 0600, and returns its path. Refuses a text that `load` would. */
  readonly save: (text: string) => Promise<string>;
  /** Runs `work` while no other command may save the file. */
  readonly exclusively: (work: () => Promise<string>) => Promise<string>;
  readonly collect: (want: PortScanWant) => Promise<SocketInventory>;
  readonly now: () => EpochMs;
}

export interface GenerateReport {
  readonly schemaVersion: 1;
  readonly path: string;
  /** False when a listener's owner could not be seen; its entry then names no executable. */
  readonly complete: boolean;
  readonly rules: number;
  readonly reviewed: number;
  /** Entries that wait for `cse baseline review`, in words. */
  readonly unreviewed: readonly string[];
}

/**
 * Takes what listens now into the baseline as unreviewed entries. A broken file is never replaced.
 * @throws {SecurityError} what reading, parsing, collecting and saving throw; file-changed
 */
export async function generateBaselineFile(deps: BaselineDeps): Promise<GenerateReport> {
  const file = await deps.load();
  const previous = file === null ? null : parseBaselineFile(file);
  const inventory = await deps.collect({ udp: true });
  const now = deps.now();
  const judged = judgeListeners(inventory.listeners, previous, now);
  const baseline = generateBaseline(judged, previous, now);
  const path = await replaceFile(deps, file, baseline);
  const unreviewed = baseline.rules.filter((rule) => !rule.reviewed);
  return {
    schemaVersion: 1,
    path,
    complete: inventory.complete,
    rules: baseline.rules.length,
    reviewed: baseline.rules.length - unreviewed.length,
    unreviewed: unreviewed.map(describeRule),
  };
}

export interface DiffReport extends BaselineDiff {
  readonly schemaVersion: 1;
  readonly path: string;
  readonly complete: boolean;
  readonly collected_at: string;
}

/** Drift between the baseline and what listens now. @throws {SecurityError} file-missing, what the effects throw */
export async function diffBaselineFile(deps: Omit<BaselineDeps, "save">): Promise<DiffReport> {
  const file = await loadExisting(deps);
  const baseline = parseBaselineFile(file);
  const inventory = await deps.collect({ udp: true });
  const now = deps.now();
  const judged = judgeListeners(inventory.listeners, baseline, now);
  return {
    schemaVersion: 1,
    path: file.path,
    complete: inventory.complete,
    collected_at: inventory.collected_at,
    ...diffBaseline(baseline, judged, now),
  };
}

/** One rule put before a person. */
export interface ReviewQuestion {
  readonly rule: PortRule;
  readonly description: string;
  /** Why the rule needs a decision. */
  readonly state: "unreviewed" | "expired";
  /** What to think of before approving. */
  readonly warnings: readonly string[];
  /** From 1. */
  readonly position: number;
  readonly total: number;
}

export interface ReviewDeps extends Pick<BaselineDeps, "load" | "save" | "exclusively" | "now"> {
  /** Null stops the walk; what was decided until then is saved. */
  readonly ask: (question: ReviewQuestion) => Promise<ReviewDecision | null>;
}

export interface ReviewReport {
  readonly schemaVersion: 1;
  readonly path: string;
  readonly approved: number;
  readonly dropped: number;
  /** Entries that still need a decision. */
  readonly remaining: number;
}

/**
 * Walks through unreviewed and expired rules and saves the decisions once, at the end.
 * @throws {SecurityError} file-missing, file-changed, what the effects throw
 */
export async function reviewBaselineFile(deps: ReviewDeps): Promise<ReviewReport> {
  const file = await loadExisting(deps);
  const baseline = parseBaselineFile(file);
  const now = deps.now();
  const pending = baseline.rules.filter((rule) => stateOf(rule, now) !== null);
  const decisions = await askAll(deps.ask, pending, now);
  const approved = decisions.filter(({ decision }) => decision.kind === "approve").length;
  const dropped = decisions.filter(({ decision }) => decision.kind === "drop").length;
  const remaining = pending.length - approved - dropped;
  if (approved + dropped === 0) return { schemaVersion: 1, path: file.path, approved, dropped, remaining };
  const reviewed = applyAll(baseline, decisions);
  const path = await replaceFile(deps, file, reviewed);
  return { schemaVersion: 1, path, approved, dropped, remaining };
}

interface Decided {
  readonly index: number;
  readonly decision: ReviewDecision;
}

async function askAll(ask: ReviewDeps["ask"], pending: readonly PortRule[], now: EpochMs): Promise<Decided[]> {
  const decided: Decided[] = [];
  for (const [offset, rule] of pending.entries()) {
    const decision = await ask({
      rule,
      description: describeRule(rule),
      state: stateOf(rule, now) ?? "unreviewed",
      warnings: warningsFor(rule),
      position: offset + 1,
      total: pending.length,
    });
    if (decision === null) break;
    decided.push({ index: rule.index, decision });
  }
  return decided;
}

/** From the last rule to the first, so that a dropped rule moves no index that is still to be used. */
function applyAll(baseline: PortBaseline, decided: readonly Decided[]): PortBaseline {
  return decided.toReversed().reduce((current, { index, decision }) => reviewRule(current, index, decision), baseline);
}

function stateOf(rule: PortRule, now: EpochMs): ReviewQuestion["state"] | null {
  if (!rule.reviewed) return "unreviewed";
  return rule.expiresAt !== null && now >= rule.expiresAt ? "expired" : null;
}

function warningsFor(rule: PortRule): string[] {
  const warnings: string[] = [];
  if (rule.bind.kind === "any") warnings.push("It has no bind scope and would approve every interface.");
  if (rule.bind.kind === "scope" && (rule.bind.scope === "all-interfaces" || rule.bind.scope === "public")) {
    warnings.push("It is reachable from outside this host; only a firewall limits that.");
  }
  if (rule.exe === null && rule.command === null && rule.unit === null) {
    warnings.push("It names no program, so whatever holds the port would be approved.");
  }
  if (rule.command !== null) {
    warnings.push("It names a program by its file name only, and any file can have that name; `exe` names one file.");
  }
  for (const entry of INSECURE_PORTS.ports) {
    const isCovered = entry.port >= rule.ports.first && entry.port <= rule.ports.last;
    if (entry.protocol === rule.protocol && isCovered) {
      warnings.push(`${entry.port}/${entry.protocol} is usually ${entry.service}: ${entry.why} ${entry.replace_with}`);
    }
  }
  return warnings;
}

async function loadExisting(deps: Pick<BaselineDeps, "load">): Promise<BaselineFile> {
  const file = await deps.load();
  if (file !== null) return file;
  throw new SecurityError("file-missing", "There is no port baseline yet", {
    hint: "Create one with `cse baseline generate`.",
  });
}

/** A scan takes time and a person more: nobody's edit made meanwhile may be lost, and no file left that cannot be read again. */
async function replaceFile(
  deps: Pick<BaselineDeps, "load" | "save" | "exclusively">,
  file: BaselineFile | null,
  baseline: PortBaseline,
): Promise<string> {
  const text = renderBaseline(baseline);
  parseBaselineFile({ path: "the baseline to be saved", text });
  return await deps.exclusively(async () => {
    const present = await deps.load();
    if (present?.text === file?.text) return await deps.save(text);
    throw new SecurityError("file-changed", "The port baseline changed while this command ran; nothing was saved", {
      hint: "Run the command again.",
    });
  });
}
