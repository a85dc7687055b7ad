import type { AssessedCheck } from "../assess/assessment.ts";
import { isWaived } from "../assess/totals.ts";
import type { Risk } from "../core/risk.ts";
import { CATALOGUES, changeOf, fingerprint, type FormatInput, plain } from "./format-input.ts";
import { renderJson } from "./json.ts";
import { DATA_FILE } from "./wording.ts";

const LEVEL: Readonly<Record<Risk, "error" | "warning" | "note">> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
};
/** As code scanners rank: 9 and above is critical, 7 high, 4 medium. */
const SEVERITY: Readonly<Record<Risk, string>> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.0" };

/** SARIF 2.1.0, one result per check. What was not measured is `open`, never a pass. */
export function renderSarif(input: FormatInput): string {
  const { assessment, problems, uuidOf } = input;
  const { tool, checks, assessed_at: at } = assessment;
  return renderJson({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: tool.name,
            version: tool.version,
            semanticVersion: tool.version,
            rules: checks.map(ruleOf),
            supportedTaxonomies: CATALOGUES.map(({ name }, index) => ({ name, index })),
          },
        },
        taxonomies: CATALOGUES.map(({ key, name, version, title }) => ({
          name,
          version,
          shortDescription: { text: title },
          taxa: idsOf(checks, key).map((id) => ({ id })),
        })),
        automationDetails: { id: `${tool.name}/`, guid: uuidOf("run") },
        invocations: [
          {
            executionSuccessful: problems.length === 0,
            startTimeUtc: plain(at, 40),
            toolExecutionNotifications: problems.map(({ code, message }) => ({
              level: "error",
              descriptor: { id: plain(code, 80) },
              message: { text: plain(message) },
            })),
          },
        ],
        results: checks.map((check, index) => resultOf(input, check, index)),
        properties: { score: assessment.score, coverage: assessment.totals.coverage },
      },
    ],
  });
}

function idsOf(checks: readonly AssessedCheck[], key: (typeof CATALOGUES)[number]["key"]): readonly string[] {
  return [...new Set(checks.flatMap((check) => check[key].map((id) => plain(id, 60))))].toSorted();
}

function ruleOf(check: AssessedCheck): object {
  return {
    id: check.check_id,
    shortDescription: { text: plain(check.title, 300) },
    fullDescription: { text: plain(check.expected_state) },
    help: { text: plain(check.mitigation === "" ? check.expected_state : check.mitigation) },
    properties: { tags: ["security"], "security-severity": SEVERITY[check.risk] },
    relationships: CATALOGUES.flatMap(({ key, name }, index) =>
      check[key].map((id) => ({
        target: { id: plain(id, 60), toolComponent: { name, index } },
        kinds: ["relevant"],
      })),
    ),
  };
}

function resultOf({ assessment, uuidOf }: FormatInput, check: AssessedCheck, ruleIndex: number): object {
  const change = changeOf(assessment, check);
  const state = change === null ? "unchanged" : isNew(change?.kind) ? "new" : "updated";
  const waiver = isWaived(check) ? check.waiver : null;
  const said = check.gap === "" ? check.observed_state : `${check.gap} ${check.observed_state}`;
  return {
    ruleId: check.check_id,
    ruleIndex,
    guid: uuidOf(`result/${check.check_id}`),
    ...kindOf(check),
    message: { text: plain(said) },
    // Readers that show code want a place; the full data is the nearest thing to one.
    locations: [{ physicalLocation: { artifactLocation: { uri: DATA_FILE.assessment }, region: { startLine: 1 } } }],
    partialFingerprints: { "hostAndCheck/v1": fingerprint(assessment, check) },
    ...(change === undefined ? {} : { baselineState: state }),
    ...(waiver === null
      ? {}
      : {
          suppressions: [
            { kind: "external", status: "accepted", justification: plain(waiver.reason), guid: uuidOf(waiver.id) },
          ],
        }),
    properties: {
      status: check.status,
      risk: check.risk,
      owner: plain(check.owner, 200),
      first_seen: check.first_seen,
      due_date: check.due_date,
      overdue: check.overdue,
      evidence: check.evidence.map(
        ({ source, at, detail }) => `${plain(at, 40)} ${plain(source, 300)}: ${plain(detail)}`,
      ),
    },
  };
}

function isNew(kind: string | undefined): boolean {
  return kind === "new" || kind === "reopened";
}

function kindOf({ status, risk }: AssessedCheck): { readonly kind: string; readonly level: string } {
  switch (status) {
    case "compliant":
      return { kind: "pass", level: "none" };
    case "violation":
    case "partial":
      return { kind: "fail", level: LEVEL[risk] };
    case "not_assessed":
      return { kind: "open", level: "none" };
    case "not_applicable":
      return { kind: "notApplicable", level: "none" };
  }
}
