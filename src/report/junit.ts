import type { AssessedCheck } from "../assess/assessment.ts";
import { isWaived } from "../assess/totals.ts";
import { type FormatInput, plain } from "./format-input.ts";

/** JUnit: a gap is a failure, what could not be measured an error and no skip, a waived gap a skip. */
export function renderJunit({ assessment, problems }: FormatInput): string {
  const { checks, host, tool, duration_ms: ms, assessed_at: at } = assessment;
  const outcomes = checks.map(outcomeOf);
  const count = (kind: Outcome["kind"]): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  const cases = checks.map((check, index) => caseOf(check, outcomes[index] ?? { kind: "passed" }));
  const attributes = `tests="${checks.length}" failures="${count("failure")}" errors="${count("error")}" time="${(ms / 1000).toFixed(3)}"`;
  const errors = problems.map(({ code, message }) => `${plain(code, 80)}: ${plain(message)}`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escapeXml(tool.name)}" ${attributes}>`,
    `  <testsuite name="${escapeXml(plain(host.hostname, 255))}" timestamp="${escapeXml(plain(at.replace(/Z$/, ""), 40))}" skipped="${count("skipped")}" ${attributes}>`,
    ...cases,
    ...(errors.length === 0 ? [] : [`    <system-err>${escapeXml(errors.join("\n"))}</system-err>`]),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failure" | "error" | "skipped"; readonly type: string; readonly message: string };

function outcomeOf(check: AssessedCheck): Outcome {
  switch (check.status) {
    case "compliant":
      return { kind: "passed" };
    case "not_applicable":
      return { kind: "skipped", type: "not_applicable", message: `Not applicable: ${check.observed_state}` };
    case "not_assessed":
      return { kind: "error", type: "not_assessed", message: check.gap };
    case "violation":
    case "partial":
      return isWaived(check)
        ? { kind: "skipped", type: "waived", message: `Waived until ${check.waiver.expires}: ${check.waiver.reason}` }
        : { kind: "failure", type: `${check.status}.${check.risk}`, message: check.gap };
  }
}

function caseOf(check: AssessedCheck, outcome: Outcome): string {
  const head = `    <testcase classname="${check.risk}" name="${escapeXml(plain(check.check_id, 80))}" time="0"`;
  if (outcome.kind === "passed") return `${head}/>`;
  const { kind, type, message } = outcome;
  const body = [
    `Observed: ${plain(check.observed_state)}`,
    `Expected: ${plain(check.expected_state)}`,
    ...(check.mitigation === "" ? [] : [`Do: ${plain(check.mitigation)}`]),
    ...check.evidence.map(({ source, at, detail }) => `${plain(at, 40)} ${plain(source, 300)}: ${plain(detail)}`),
  ].join("\n");
  return `${head}>\n      <${kind} type="${escapeXml(type)}" message="${escapeXml(plain(message))}">${escapeXml(body)}</${kind}>\n    </testcase>`;
}

const ENTITY: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Control characters, which XML cannot hold at all, were made visible before. */
function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITY[char] ?? "");
}
