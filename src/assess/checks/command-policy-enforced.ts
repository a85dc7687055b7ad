import { plural } from "../../core/text.ts";
import { baseName } from "../../core/path.ts";
import type { CommandPolicy } from "../../schema/command-policy.ts";
import type { AgentConfig, OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, CommandPolicyFile } from "../evidence.ts";
import { execPostures } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "command_policy_enforced",
  title: "Only commands that are listed may even be asked for",
  iso27001: ["A.8.18", "A.8.19", "A.8.2"],
  nist_csf: ["PR.AA-05", "PR.PS-05"],
  nist_800_53: ["CM-7(5)", "CM-7(2)", "AC-6"],
  cis: ["2.5", "2.7"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "Privileged commands are refused unless a rule names them, no rule lets everything or an interpreter through, and OpenClaw's own exec is denied, asked for or allowlisted with inline code checked.",
  mitigation:
    'Create a policy with `cse init`, list the commands that are needed, set "unmatched" to "deny", and see with `cse preflight` that it can be read',
  owner: "Security Engineering",
  uses: ["commandPolicy", "config"],
  status_rules: {
    partial:
      "The policy only lists what is denied, or OpenClaw's allowlist does not look at inline code passed to interpreters.",
    violation:
      "There is no policy, or it lets everything or an interpreter through, or OpenClaw runs any command on the host unasked.",
    not_assessed:
      "The policy or the config cannot be read; or they show no gap, and whether the gateway refuses what the policy denies is not tried out.",
  },
  needs: ["approval-probe", "native-exec-policy"],
};

export function check({ commandPolicy, config }: AssessEvidence): CheckResult {
  const file = commandPolicy.kind === "measured" ? commandPolicy.value : null;
  const postures = config.kind === "measured" ? execPostures(config.value).map((posture) => posture.text) : [];
  return weigh(
    [
      ...(commandPolicy.kind === "measured" ? policyFacts(commandPolicy.value) : [missing(commandPolicy)]),
      ...(config.kind === "measured"
        ? config.value.agents.flatMap((agent) => execFacts(config.value, agent))
        : [missing(config)]),
      { kind: "unbuilt", part: "approval-probe" },
      { kind: "unbuilt", part: "native-exec-policy" },
    ],
    [line(commandPolicy, file === null ? "" : policyText(file)), line(config, postures.join("; "))],
  );
}

function policyFacts(file: CommandPolicyFile): readonly Fact[] {
  const seen = policyText(file);
  if (file.policy === null) {
    const gap = "there is no command policy, so no command is refused";
    return [{ kind: "violation", seen, gap, fix: meta.mitigation }];
  }
  const facts: Fact[] = [];
  for (const note of file.notes) {
    const isWide = TOO_WIDE.has(note.kind);
    if (!isWide && !DOUBTFUL.has(note.kind)) continue;
    facts.push({
      kind: isWide ? "violation" : "partial",
      seen: `${file.path} ${note.rule}: ${note.kind}`,
      gap: `command policy ${note.rule}: ${note.message}`,
      fix: isWide ? "Name the exact program and its arguments instead" : "Correct the rule as the remark says",
    });
  }
  if (!refusesByDefault(file.policy)) {
    facts.push({
      kind: "partial",
      seen,
      gap: "the command policy only says what is denied, so everything else passes to the question",
      fix:
        file.policy.form === "v2"
          ? 'Set "unmatched" to "deny" in the command policy and list what is needed'
          : "List what is needed under allow_exact, so that everything else is refused",
    });
  }
  return facts.length > 0 ? facts : [{ kind: "good", seen }];
}

/** Remarks of the linter by what they mean: more than named gets through, or a rule does not do what it says. */
const TOO_WIDE = new Set(["catch-all", "allows-interpreter", "root-equivalent", "wildcard-path"]);
const DOUBTFUL = new Set([
  "unanchored-allow",
  "any-arguments",
  "invalid-pattern",
  "never-matches",
  "evadable-deny",
  "empty-policy",
]);

function refusesByDefault(policy: CommandPolicy): boolean {
  if (policy.form === "v2") return policy.unmatched === "deny";
  return policy.allow.length + policy.allowExact.length > 0;
}

/** Entries of safeBins that run what they are given. Source: OpenClaw's own warning about safe bins. */
const INTERPRETERS = new Set(
  "sh bash dash zsh ksh fish python perl ruby node nodejs bun deno php lua awk gawk env xargs sudo".split(" "),
);

function isInterpreter(program: string): boolean {
  return INTERPRETERS.has(baseName(program).replace(/[0-9][0-9.]*$/, ""));
}

function execFacts(config: OpenClawConfig, agent: AgentConfig): readonly Fact[] {
  const posture = execPostures(config).find((entry) => entry.agent === agent.id);
  if (posture === undefined || posture.reach === "none" || posture.reach === "sandbox") {
    return [{ kind: "good", seen: posture?.text ?? agent.id }];
  }
  const facts: Fact[] = [];
  const seen = posture.text;
  if (posture.gate === "none") {
    facts.push({
      kind: "violation",
      seen,
      gap: `OpenClaw's config lets agent ${agent.id} run any command on this host (its own exec approvals, which may be stricter, are not weighed)`,
      fix: "Set tools.exec.mode to allowlist or ask",
    });
  }
  if (posture.gate === "unknown") {
    facts.push({
      kind: "unknown",
      reason: `the exec mode of agent ${agent.id} is not one this release knows`,
      remedy: "Check tools.exec.mode with `openclaw config get tools.exec.mode`",
    });
  }
  const interpreters = agent.tools.exec.safe_bins.filter(isInterpreter);
  if (interpreters.length > 0) {
    facts.push({
      kind: "violation",
      seen,
      gap: `tools.exec.safeBins lets agent ${agent.id} start ${interpreters.join(", ")}, which run any code`,
      fix: `Take ${interpreters.join(", ")} out of tools.exec.safeBins`,
    });
  }
  if (posture.gate !== "none" && !agent.tools.exec.strict_inline_eval.value) {
    facts.push({
      kind: "partial",
      seen,
      gap: `for agent ${agent.id} an allowlisted interpreter may be given code inline`,
      fix: "Set tools.exec.strictInlineEval to true",
    });
  }
  return facts.length > 0 ? facts : [{ kind: "good", seen }];
}

function policyText(file: CommandPolicyFile): string {
  const { policy } = file;
  if (policy === null) return `no command policy at ${file.path}`;
  if (policy.form === "v2")
    return `${file.path}: ${plural(policy.rules.length, "rule")}, unmatched ${policy.unmatched}`;
  const allow = policy.allow.length + policy.allowExact.length;
  return `${file.path}: original form, ${allow} allow and ${policy.deny.length + policy.denyExact.length} deny`;
}
