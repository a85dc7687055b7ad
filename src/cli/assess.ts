import { EXIT_FINDINGS } from "../core/error.ts";
import { isAtLeast, type Risk } from "../core/risk.ts";
import { clip } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import type { Format } from "../report/formats.ts";
import { renderJson } from "../report/json.ts";
import { renderAssessmentText } from "../report/terminal-assessment.ts";
import type { Terminal } from "./terminal.ts";

interface AssessFlags {
  readonly json?: boolean;
  readonly failOn?: Risk;
  readonly out?: string;
  readonly checks?: readonly string[];
  readonly format?: readonly Format[];
  /** False with --no-native. */
  readonly native?: boolean;
}

export async function runAssess(terminal: Terminal, flags: AssessFlags): Promise<number> {
  const { checks, out, format, native } = flags;
  const { assessment, summary } = await wire({ logger: (step) => terminal.progress(step) }).assess({
    ...(checks === undefined ? {} : { checks }),
    ...(out === undefined ? {} : { outDir: out }),
    ...(format === undefined ? {} : { formats: format }),
    ...(native === undefined ? {} : { native }),
  });
  terminal.settle();
  if (flags.json === true) {
    terminal.out(renderJson(summary));
  } else {
    const dashboardPath = summary.files["compliance-dashboard.html"] ?? null;
    terminal.out(renderAssessmentText(summary, assessment, { ...terminal, dashboardPath }));
  }
  for (const problem of summary.problems) terminal.note(`${problem.code}: ${clip(problem.message, 500)}`);
  const threshold = flags.failOn;
  if (threshold === undefined) return 0;
  return summary.findings.some((finding) => finding.waiver === undefined && isAtLeast(finding.risk, threshold))
    ? EXIT_FINDINGS
    : 0;
}
