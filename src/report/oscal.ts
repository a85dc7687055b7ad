import type { AssessedCheck } from "../assess/assessment.ts";
import type { CheckWaiver } from "../assess/over-time.ts";
import { isOpenGap, isWaived } from "../assess/totals.ts";
import { type FormatInput, plain } from "./format-input.ts";
import { renderJson } from "./json.ts";

/** Whose words the properties are. */
const NAMESPACE = "urn:cyber-security-engineer";

/**
 * OSCAL 1.2.1 assessment results. Every check is an observation; only what was assessed is a finding,
 * and every open gap is a risk, `deviation-approved` while somebody answers for it.
 */
export function renderOscal(input: FormatInput): string {
  const { assessment, problems, uuidOf } = input;
  const { checks, host, tool, assessed_at: at } = assessment;
  const assessed = checks.filter((check) => check.status !== "not_assessed" && check.status !== "not_applicable");
  const risks = checks.filter((check) => isOpenGap(check.status));
  const controls = [...new Set(checks.flatMap((check) => check.nist_800_53.map(controlId)))].toSorted();
  const limits = [...assessment.limits, ...problems.map(({ message }) => message)];
  return renderJson({
    "assessment-results": {
      uuid: uuidOf("assessment-results"),
      metadata: {
        title: `Security assessment of ${plain(host.hostname, 255)}`,
        "last-modified": plain(at, 40),
        version: plain(assessment.run_id, 100),
        "oscal-version": "1.2.1",
        remarks:
          "Evidence relevant to the controls named; no certification and no statement that a control is fulfilled.",
      },
      "import-ap": { href: `#${uuidOf("no-plan")}` },
      results: [
        {
          uuid: uuidOf("result"),
          title: `Run ${plain(assessment.run_id, 100)}`,
          description: plain(`Checks of ${tool.name} ${tool.version}. ${limits.join(" ")}`, 8_000),
          start: plain(at, 40),
          "reviewed-controls": {
            "control-selections": [
              controls.length === 0
                ? { "include-all": {} }
                : { "include-controls": controls.map((id) => ({ "control-id": id })) },
            ],
          },
          observations: checks.map((check) => observationOf(input, check)),
          ...(risks.length === 0 ? {} : { risks: risks.map((check) => riskOf(input, check)) }),
          ...(assessed.length === 0 ? {} : { findings: assessed.map((check) => findingOf(input, check)) }),
        },
      ],
      "back-matter": {
        resources: [
          {
            uuid: uuidOf("no-plan"),
            title: "No assessment plan",
            description: "The checks and their status rules are in compliance-controls-map.json of the tool.",
          },
          { uuid: uuidOf("host"), title: plain(host.hostname, 255), description: "The host that was assessed." },
        ],
      },
    },
  });
}

/** "AC-6(9)" is "ac-6.9" in the OSCAL catalogue. */
function controlId(id: string): string {
  const known = /^([A-Z]{2})-(\d{1,2})(?:\((\d{1,2})\))?$/.exec(id);
  if (known === null)
    return `x-${id
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .slice(0, 60)}`;
  const [, family = "", number, enhancement] = known;
  return `${family.toLowerCase()}-${number}${enhancement === undefined ? "" : `.${enhancement}`}`;
}

function observationOf({ assessment, uuidOf }: FormatInput, check: AssessedCheck): object {
  const ids = [...check.iso27001, ...check.nist_csf, ...check.nist_800_53, ...check.cis];
  return {
    uuid: uuidOf(`observation/${check.check_id}`),
    title: plain(check.title, 300),
    description: plain(check.gap === "" ? check.observed_state : `${check.gap} ${check.observed_state}`),
    props: [
      prop("check-id", check.check_id),
      prop("status", check.status),
      prop("risk", check.risk),
      ...ids.map((id) => prop("evidence-relevant-to", plain(id, 60))),
    ],
    methods: ["TEST"],
    types: ["finding"],
    subjects: [{ "subject-uuid": uuidOf("host"), type: "resource" }],
    ...(check.evidence.length === 0
      ? {}
      : {
          "relevant-evidence": check.evidence.map(({ source, at, detail }) => ({
            description: `${plain(at, 40)} ${plain(source, 300)}: ${plain(detail)}`,
          })),
        }),
    collected: plain(assessment.assessed_at, 40),
  };
}

function findingOf({ uuidOf }: FormatInput, check: AssessedCheck): object {
  const isOpen = isOpenGap(check.status);
  return {
    uuid: uuidOf(`finding/${check.check_id}`),
    title: plain(check.title, 300),
    description: plain(isOpen ? check.gap : check.observed_state),
    target: {
      type: "objective-id",
      "target-id": check.check_id,
      description: plain(check.expected_state),
      status: { state: isOpen ? "not-satisfied" : "satisfied", reason: isOpen ? "fail" : "pass" },
    },
    "related-observations": [{ "observation-uuid": uuidOf(`observation/${check.check_id}`) }],
    ...(isOpen ? { "related-risks": [{ "risk-uuid": uuidOf(`risk/${check.check_id}`) }] } : {}),
  };
}

function riskOf({ uuidOf }: FormatInput, check: AssessedCheck): object {
  const waiver = isWaived(check) ? check.waiver : null;
  return {
    uuid: uuidOf(`risk/${check.check_id}`),
    title: plain(check.title, 300),
    description: plain(check.gap),
    statement: plain(`${check.observed_state} Expected: ${check.expected_state}`),
    props: [
      prop("risk", check.risk),
      prop("owner", plain(check.owner, 200)),
      ...(waiver === null ? [] : [waiverProp(waiver), prop("waiver-expires", waiver.expires)]),
    ],
    status: waiver === null ? "open" : "deviation-approved",
    ...(check.due_date === null ? {} : { deadline: deadline(check.due_date) }),
    remediations: [
      {
        uuid: uuidOf(`remediation/${check.check_id}`),
        lifecycle: "recommendation",
        title: `Close the gap: ${plain(check.title, 280)}`,
        description: plain(check.mitigation),
      },
    ],
    "related-observations": [{ "observation-uuid": uuidOf(`observation/${check.check_id}`) }],
  };
}

/** The end of the day. */
function deadline(date: string): string {
  return `${plain(date, 10)}T23:59:59Z`;
}

function waiverProp({ id, reason, owner, approver }: CheckWaiver): object {
  return { ...prop("waiver", id), remarks: plain(`${reason} Owner ${owner}, approved by ${approver}.`) };
}

function prop(name: string, value: string): object {
  return { name, ns: NAMESPACE, value };
}
