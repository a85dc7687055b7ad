import { describe, expect, it } from "vitest";
import { assess, type AssessDeps, type KnownHistory, REPORT_FILES, type ReportFile } from "../../../src/app/assess.ts";
import type { Collectors } from "../../../src/app/collect-evidence.ts";
import type { AssessEvidence } from "../../../src/assess/evidence.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { DAY_MS } from "../../../src/core/time.ts";
import type { AssessmentRun } from "../../../src/schema/assessment-history.ts";
import { badEvidence, config, goodEvidence, NOW, unseen } from "../../helpers/assess-evidence.ts";
import { sampleAssessment } from "../../helpers/sample-assessment.ts";

const { host } = sampleAssessment();

interface World {
  readonly deps: AssessDeps;
  readonly written: Partial<Record<ReportFile, string>>;
  readonly asked: string[];
  readonly steps: string[];
  runs: AssessmentRun[];
}

function collectorsOf(evidence: AssessEvidence, asked: string[]): Collectors {
  const entries = Object.entries(evidence).map(([kind, value]) => [
    kind,
    () => {
      asked.push(kind);
      return Promise.resolve(value);
    },
  ]);
  return Object.fromEntries(entries) as Collectors;
}

/** Everything works unless `change` says otherwise; timers never elapse. */
function world(evidence: AssessEvidence = goodEvidence(), change: Partial<AssessDeps> = {}): World {
  const made: World = { written: {}, asked: [], steps: [], runs: [], deps: undefined as unknown as AssessDeps };
  const known = (): KnownHistory => ({ runs: made.runs, previous: made.runs.at(-1) ?? null, problems: [] });
  let ms = 0;
  const deps: AssessDeps = {
    collectors: collectorsOf(evidence, made.asked),
    startTimer: () => ({ elapsed: new Promise(() => undefined), cancel: () => undefined }),
    collectorTimeoutMs: 20_000,
    nativeTimeoutMs: 20_000,
    now: () => NOW,
    monotonicMs: () => (ms += 250),
    newRunId: () => "run-1",
    version: "0.1.0",
    hostFacts: () => Promise.resolve(host),
    standingProblems: () => Promise.resolve([]),
    loadWaivers: () => Promise.resolve([]),
    loadHistory: () => Promise.resolve(known()),
    appendHistory: (build) => {
      const before = known();
      made.runs.push(build(before));
      return Promise.resolve(before);
    },
    renderDashboard: (assessment) => `<p>${assessment.run_id}</p>`,
    uuidOf: (run, name) => `${run}/${name}`,
    reportPath: (name) => `/out/${name}`,
    writeReports: (reports) => {
      Object.assign(made.written, reports);
      return Promise.resolve();
    },
    progress: (step) => made.steps.push(step),
    ...change,
  };
  return Object.assign(made, { deps });
}

function statusOf(result: Awaited<ReturnType<typeof assess>>, id: string): string | undefined {
  return result.assessment.checks.find((check) => check.check_id === id)?.status;
}

describe("assess", () => {
  it("answers all checks, writes the five reports and says where they are", async () => {
    const made = world();
    const result = await assess(made.deps);
    expect(result.assessment.checks).toHaveLength(45);
    expect(Object.keys(made.written).toSorted()).toEqual([...REPORT_FILES].toSorted());
    expect(result.summary.files).toEqual(Object.fromEntries(REPORT_FILES.map((name) => [name, `/out/${name}`])));
    expect(JSON.parse(made.written["openclaw-assessment.json"] ?? "")).toEqual(result.assessment);
    expect(JSON.parse(made.written["compliance-summary.json"] ?? "")).toEqual(result.summary);
    expect(JSON.parse(made.written["port-monitor-latest.json"] ?? "")).toEqual(result.ports);
    expect(JSON.parse(made.written["egress-monitor-latest.json"] ?? "")).toEqual(result.egress);
    expect(made.written["compliance-dashboard.html"]).toBe("<p>run-1</p>");
    expect(result.summary.problems).toEqual([]);
    expect(result.assessment).toMatchObject({ assessed_at: "2026-11-23T08:00:00Z", duration_ms: 250, host });
    expect(made.steps).toHaveLength(3);
  });

  it("tells a weak host from a hardened one", async () => {
    const weak = await assess(world(badEvidence()).deps);
    const hardened = await assess(world().deps);
    expect(weak.summary.totals.by_status.violation).toBeGreaterThan(10);
    expect(hardened.summary.totals.by_status.violation).toBe(0);
    expect(weak.summary.findings.every((finding) => finding.why !== "" && finding.mitigation !== "")).toBe(true);
  });

  it("runs only the collectors that the chosen checks need, and leaves older scan reports alone", async () => {
    const made = world();
    const result = await assess(made.deps, { checks: ["backup_configured"] });
    expect(made.asked).toEqual(["backup"]);
    expect(result.assessment.checks.map((check) => check.check_id)).toEqual(["backup_configured"]);
    expect(result.assessment.limits[0]).toBe("Only 1 of 45 checks were run.");
    expect(Object.keys(made.written)).not.toContain("port-monitor-latest.json");
    expect(result.summary.network).toEqual({ listeners: null, connections: null, findings: null });
  });

  it("refuses an unknown check before it looks at anything", async () => {
    const made = world();
    await expect(assess(made.deps, { checks: ["nonsense"] })).rejects.toMatchObject({ code: "unknown-check" });
    expect([made.asked, made.runs]).toEqual([[], []]);
  });

  it("goes on when a collector throws, and names it", async () => {
    const evidence = goodEvidence();
    const broken = { ...collectorsOf(evidence, []), backup: () => Promise.reject(new TypeError("no such thing")) };
    const result = await assess(world(evidence, { collectors: broken }).deps);
    expect(statusOf(result, "backup_configured")).toBe("not_assessed");
    expect(statusOf(result, "open_ports_approved")).toBe("compliant");
    expect(result.summary).toMatchObject({
      status: "incomplete",
      problems: [
        {
          code: "collector-failed",
          message: "backup collector: the collector failed: Unexpected failure: no such thing",
        },
      ],
    });
  });

  it("goes on when a collector hangs, after its time", async () => {
    const evidence = goodEvidence();
    const cancelled: number[] = [];
    const result = await assess(
      world(evidence, {
        collectors: { ...collectorsOf(evidence, []), ports: () => new Promise(() => undefined) },
        startTimer: (delayMs) => ({
          // Later than every collector that answers, and without a clock.
          elapsed: new Promise((resolve) => setImmediate(() => resolve())),
          cancel: () => cancelled.push(delayMs),
        }),
      }).deps,
    );
    expect(statusOf(result, "open_ports_approved")).toBe("not_assessed");
    expect(statusOf(result, "backup_configured")).toBe("compliant");
    expect(result.ports).toBeNull();
    expect(result.summary.problems).toEqual([{ code: "timeout", message: "ports collector: no answer within 20 s" }]);
    expect(cancelled).toHaveLength(27);
  });

  it("replaces a scan report by the failure, so that an older good one is not taken for today's", async () => {
    const made = world(goodEvidence({ ports: unseen("proc-unusable", "there is no /proc") }));
    await assess(made.deps);
    expect(JSON.parse(made.written["port-monitor-latest.json"] ?? "")).toEqual({
      schemaVersion: 1,
      status: "error",
      code: "proc-unusable",
      message: "there is no /proc",
      hint: "",
      collected_at: "2026-11-23T08:00:00Z",
    });
  });

  it("keeps the code and the hint of an error that a collector names", async () => {
    const evidence = goodEvidence();
    const invalid = new SecurityError("baseline-invalid", "approved_ports.json is not valid", { hint: "Correct it." });
    const collectors = { ...collectorsOf(evidence, []), ports: () => Promise.reject(invalid) };
    const { assessment } = await assess(world(evidence, { collectors }).deps, { checks: ["open_ports_approved"] });
    expect(assessment.checks[0]).toMatchObject({
      status: "not_assessed",
      gap: "approved_ports.json is not valid. Correct it.",
    });
  });

  it("keeps first_seen over runs, also over one that could not look", async () => {
    const made = world(goodEvidence({ config: config({}) }));
    const first = await assess(made.deps);
    const blind = {
      ...made.deps,
      now: () => NOW + DAY_MS,
      collectors: collectorsOf(goodEvidence({ config: unseen() }), []),
    };
    await assess(blind);
    const third = await assess({ ...made.deps, now: () => NOW + 8 * DAY_MS });
    const dates = [first, third].map(({ assessment }) => {
      const check = assessment.checks.find(({ check_id }) => check_id === "privilege_approval_required");
      return [check?.first_seen, check?.due_date, check?.overdue];
    });
    expect(dates).toEqual([
      ["2026-11-23T08:00:00Z", "2026-11-30", false],
      ["2026-11-23T08:00:00Z", "2026-11-30", true],
    ]);
  });

  it("says when the history was damaged", async () => {
    const damaged: KnownHistory = {
      runs: [],
      previous: null,
      problems: [{ code: "history-invalid", message: "damaged" }],
    };
    const { summary, assessment } = await assess(
      world(goodEvidence(), {
        appendHistory: (build) => {
          build(damaged);
          return Promise.resolve(damaged);
        },
      }).deps,
    );
    expect(summary).toMatchObject({ status: "incomplete", problems: damaged.problems });
    // The dashboard shows the limits, and its dates can only be trusted as far as the history.
    expect(assessment.limits.at(-1)).toBe("damaged.");
  });

  it("still dates the gaps when this run cannot be added to the history, and says so", async () => {
    const made = world(badEvidence());
    await assess(made.deps);
    const full = new SecurityError("disk-full", "no space left");
    const later = { ...made.deps, now: () => NOW + DAY_MS, appendHistory: () => Promise.reject(full) };
    const { summary, assessment } = await assess(later);
    expect(assessment.checks[0]?.first_seen).toBe("2026-11-23T08:00:00Z");
    expect(summary.problems).toEqual([
      { code: "disk-full", message: "This run could not be added to the history: no space left" },
    ]);
  });

  it("gives the result although the reports cannot be written, and claims no file", async () => {
    const readOnly = new SecurityError("read-only", "/out cannot be written here");
    const { summary, assessment } = await assess(
      world(goodEvidence(), { writeReports: () => Promise.reject(readOnly) }).deps,
    );
    expect(assessment.checks).toHaveLength(45);
    expect(summary.files).toEqual({});
    expect(summary.problems).toEqual([
      { code: "read-only", message: "The reports could not be written: /out cannot be written here" },
    ]);
  });

  it("writes the data although the dashboard cannot be rendered", async () => {
    const made = world(goodEvidence(), {
      renderDashboard: () => {
        throw new RangeError("too much");
      },
    });
    const { summary } = await assess(made.deps);
    expect(Object.keys(made.written)).not.toContain("compliance-dashboard.html");
    expect(Object.keys(summary.files)).toHaveLength(4);
    expect(summary.problems).toEqual([{ code: "internal", message: "Unexpected failure: too much" }]);
  });

  it("goes on without facts about the host", async () => {
    const { assessment, summary } = await assess(
      world(goodEvidence(), { hostFacts: () => Promise.reject(new Error("gone")) }).deps,
    );
    expect(assessment.host.hostname).toBe("unknown");
    expect(summary.problems).toEqual([{ code: "internal", message: "Facts about the host: Unexpected failure: gone" }]);
  });
});
