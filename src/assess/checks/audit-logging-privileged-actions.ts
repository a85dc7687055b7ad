import type { CheckMeta, CheckResult } from "../assessment.ts";
import { plural } from "../../core/text.ts";
import type { AssessEvidence, AuditLogState, StateTree } from "../evidence.ts";
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
  uses: ["stateTree", "auditLog"],
  status_rules: {
    violation:
      "Others may write to the log or to the folder it lies in, or the log was changed, cut or taken away, or sudo ran commands for the gateway's account that it does not announce.",
    partial:
      "The log or its folder deviates from 0600 or 0700 and its owner, without others being able to write to it; or the log is intact but its end is not confirmed by the system's log, or it could not be compared with sudo's records, or a run has no recorded end.",
    not_assessed:
      "The log, its key, its head or its folder cannot be read; or there is no log and sudo's own records do not show that nothing was to be logged.",
    compliant:
      "The log is intact to its end, which the system's log confirms, and announces every command that sudo recorded for the gateway's account; or there is no log and sudo's records show no command of that account.",
  },
  needs: [],
};

const LOG_PATHS = ["security", "security/privileged-audit.jsonl", "security/audit-head.json"] as const;

export function check({ stateTree, auditLog }: AssessEvidence): CheckResult {
  return weigh(
    [
      ...(stateTree.kind === "measured" ? modeFacts(stateTree.value) : [missing(stateTree)]),
      ...(auditLog.kind === "measured" ? recordFacts(auditLog.value) : [missing(auditLog)]),
    ],
    [
      line(stateTree, "owner and mode of the log, its head and their folder were looked at"),
      line(auditLog, auditLog.kind === "measured" ? logText(auditLog.value) : ""),
    ],
  );
}

function recordFacts(log: AuditLogState): readonly Fact[] {
  const facts: Fact[] = [];
  const { sudo } = log;
  const seen = log.message;
  if (log.status === "tampered") {
    facts.push({
      kind: "violation",
      seen,
      gap: log.message,
      fix: "Keep the log's files for the inquiry as they are, and look at them with `cse audit verify`",
    });
  }
  if (sudo.kind === "compared" && sudo.bypasses > 0) {
    facts.push({
      kind: "violation",
      seen: sudoText(log),
      gap: `sudo ran ${plural(sudo.bypasses, "command")} for the gateway's account that the log does not announce: by a person, or by an agent going around`,
      fix: "See which with `cse audit reconcile`, and run what needs root through `cse run`",
    });
  }
  if (facts.length > 0) return facts;
  if (!log.present) {
    if (sudo.kind === "compared") return [{ kind: "good", seen: `${seen}; ${sudoText(log)}` }];
    return [
      {
        kind: "unknown",
        reason: `there is no log, and sudo's own records do not show that nothing was to be logged: ${sudo.reason}`,
        remedy: "Run the assessment as an account that may read sudo's records, such as a member of adm",
      },
    ];
  }
  if (log.status === "unknown") {
    return [{ kind: "unknown", reason: log.message, remedy: "See what is missing with `cse audit verify`" }];
  }
  if (!log.anchored) {
    facts.push({
      kind: "partial",
      seen,
      gap: "the system's log does not confirm where the log ends, so who can write both it and its key could have rewritten it",
      fix: "Give this machine a system log (journald or syslog) that takes the log's checkpoints and that this account may read",
    });
  }
  if (log.dangling > 0) {
    facts.push({
      kind: "partial",
      seen,
      gap: `${plural(log.dangling, "run")} in the log without a recorded end`,
      fix: "Once nothing runs any more, find out with `cse audit show` how these runs ended",
    });
  }
  if (sudo.kind === "skipped") {
    facts.push({
      kind: "partial",
      seen,
      gap: `the log could not be compared with sudo's own records: ${sudo.reason}`,
      fix: "Compare them with `cse audit reconcile`, as an account that may read sudo's records",
    });
  }
  return facts.length > 0 ? facts : [{ kind: "good", seen: `${seen}; ${sudoText(log)}` }];
}

function logText(log: AuditLogState): string {
  const anchored = log.anchored ? "its end is confirmed by the system's log" : "its end is not confirmed elsewhere";
  const records = log.present ? `${plural(log.records, "record")}, ${anchored}` : "no record";
  return `${log.message}; ${records}; ${sudoText(log)}`;
}

function sudoText({ sudo }: AuditLogState): string {
  if (sudo.kind === "skipped") return `not compared with sudo's records: ${sudo.reason}`;
  return `sudo's records (${sudo.source}, since ${sudo.since}) show ${plural(sudo.executions, "command")} of the gateway's account, ${sudo.bypasses} of them not in the log`;
}

function modeFacts(tree: StateTree): readonly Fact[] {
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
