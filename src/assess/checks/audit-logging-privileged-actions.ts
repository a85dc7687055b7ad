import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, StateTree } from "../evidence.ts";
import { octal, othersMayWrite } from "../state-mode.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "audit_logging_privileged_actions",
  title: "Privileged actions leave a complete record that shows tampering",
  iso27001: ["A.8.15", "A.8.16", "A.5.28"],
  nist_csf: ["PR.PS-04", "DE.CM-03", "DE.AE-03"],
  nist_800_53: ["AC-6(9)", "AU-2", "AU-3", "AU-9", "AU-12"],
  cis: ["8.2", "8.5", "8.8"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "Request, decision, start, result and drop of every elevated action are in a hash-chained log that only grows, that only its owner can read, and that agrees with the system's own records.",
  mitigation: "Restore the log's permissions: files 0600 and the folder 0700, owned by the account of the gateway",
  owner: "SecOps",
  uses: ["stateTree"],
  status_rules: {
    violation: "Others may write to the log or to the folder it lies in.",
    partial:
      "The log or its folder deviates from 0600 or 0700 and its owner, without others being able to write to it.",
    not_assessed: "The hash-chained log, which every better answer needs, does not exist yet.",
  },
  needs: ["audit-chain"],
};

const LOG_PATHS = ["security", "security/privileged-audit.jsonl", "security/audit-head.json"] as const;

export function check({ stateTree }: AssessEvidence): CheckResult {
  const facts = stateTree.kind === "measured" ? logFacts(stateTree.value) : [missing(stateTree)];
  return weigh(
    [...facts, { kind: "unbuilt", part: "audit-chain" }],
    [line(stateTree, "owner and mode of the log, its head and their folder were looked at")],
  );
}

/** An empty or missing log says nothing: only its protection is judged here, never its size. */
function logFacts(tree: StateTree): readonly Fact[] {
  const facts: Fact[] = [];
  const isLogPath = (path: string): boolean => LOG_PATHS.some((name) => path === `${tree.root}/${name}`);
  for (const entry of tree.deviations.filter((deviation) => isLogPath(deviation.path))) {
    const seen = `${entry.path} has mode ${octal(entry.mode)} and uid ${entry.uid}`;
    if (entry.shielded !== true && othersMayWrite(entry, tree.expected_uid)) {
      facts.push({ kind: "violation", seen, gap: `others may change ${entry.path}`, fix: meta.mitigation });
    } else {
      facts.push({
        kind: "partial",
        seen,
        gap: `${entry.path} deviates from its expected owner or mode`,
        fix: meta.mitigation,
      });
    }
  }
  for (const path of tree.unreadable.filter(isLogPath)) {
    facts.push({
      kind: "unknown",
      reason: `${path} could not be examined`,
      remedy: `Run the assessment as the owner of ${path}`,
    });
  }
  return facts.length > 0 ? facts : [{ kind: "good", seen: "nothing deviates about where the log belongs" }];
}
