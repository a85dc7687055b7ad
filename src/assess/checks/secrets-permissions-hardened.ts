import { plural } from "../../core/text.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, StateEntry, StateTree } from "../evidence.ts";
import { everyoneMayRead, octal, othersMayWrite } from "../state-mode.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "secrets_permissions_hardened",
  title: "State, config and credentials belong to their owner alone",
  iso27001: ["A.8.3", "A.5.17"],
  nist_csf: ["PR.DS-01", "PR.AA-05", "PR.AA-01"],
  nist_800_53: ["AC-3", "AC-6", "IA-5(6)", "SC-28"],
  cis: ["3.3"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "Folders of OpenClaw's state are 0700 and its files (config, includes, .env, credentials, databases, sessions, logs) 0600, all with one owner, without links out of the tree and without extra access lists.",
  mitigation:
    "chmod 700 the folders and 600 the files that are named; `openclaw security audit --fix` does that for many of them, and tightens settings too",
  owner: "SecOps",
  uses: ["stateTree"],
  status_rules: {
    compliant: "The whole tree was examined and nothing deviates.",
    partial:
      "Only the group may read something; or something has an access list, leads out of the tree, belongs to root, or is wider than it should be below a folder that keeps everyone out.",
    violation:
      "Something can be read by everyone, or changed by another account, and no folder above it keeps them out.",
    not_assessed: "A part of the tree could not be examined.",
    not_applicable: "There is no state folder and no config.",
  },
  needs: [],
};

const MAX_NAMED = 5;

export function check({ stateTree }: AssessEvidence): CheckResult {
  if (stateTree.kind === "unmeasured") return weigh([missing(stateTree)], [line(stateTree, "")]);
  const tree = stateTree.value;
  const seen = `${plural(tree.entries_seen, "entry", "entries")} under ${tree.root} seen, ${tree.deviations.length} of them not as expected`;
  const open = tree.deviations.filter((entry) => isOpen(entry, tree.expected_uid));
  const narrow = tree.deviations.filter((entry) => !open.includes(entry));
  const facts: Fact[] = [{ kind: "good", seen }, ...blindFacts(tree)];
  if (open.length > 0) {
    facts.push({ kind: "violation", seen, gap: `open to other accounts: ${named(open)}`, fix: meta.mitigation });
  }
  if (narrow.length > 0) {
    facts.push({ kind: "partial", seen, gap: `wider than expected: ${named(narrow)}`, fix: meta.mitigation });
  }
  const said = `${seen}${tree.deviations.length > 0 ? `: ${named(tree.deviations)}` : ""}`;
  const scope = `expected owner: uid ${tree.expected_uid}; keys, certificates and archives that lie elsewhere are not looked at`;
  return weigh(facts, [line(stateTree, `${scope}; ${said}`)]);
}

/** A wide mode below a folder that keeps everyone out grants nothing now, but does once the file is moved. */
function isOpen(entry: StateEntry, expectedUid: number): boolean {
  if (entry.shielded === true) return false;
  return othersMayWrite(entry, expectedUid) || everyoneMayRead(entry);
}

/** A tree that was not examined whole is never called hardened. */
function blindFacts(tree: StateTree): readonly Fact[] {
  const facts: Fact[] = [];
  if (tree.unreadable.length > 0) {
    const shown = tree.unreadable.slice(0, MAX_NAMED).join(", ");
    facts.push({
      kind: "unknown",
      reason: `${tree.unreadable.length} paths could not be examined: ${shown}`,
      remedy: "Run the assessment as the owner of the state folder",
    });
  }
  if (tree.truncated) {
    facts.push({
      kind: "unknown",
      reason: `the tree has more entries than the ${tree.entries_seen} that were examined`,
      remedy: "Clear out what OpenClaw no longer needs there",
    });
  }
  return facts;
}

function named(entries: readonly StateEntry[]): string {
  const shown = entries.slice(0, MAX_NAMED).map((entry) => {
    const acl = entry.has_acl === true ? ", access list" : "";
    const what = entry.kind === "symlink" ? "link out of the tree" : octal(entry.mode);
    const shield =
      entry.shielded === true ? ", below a closed folder" : entry.group_only === true ? ", for its group alone" : "";
    return `${entry.path} (${what}, uid ${entry.uid}${acl}${shield})`;
  });
  const more = entries.length - shown.length;
  return shown.join("; ") + (more > 0 ? ` and ${more} more` : "");
}
