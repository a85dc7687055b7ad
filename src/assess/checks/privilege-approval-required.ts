import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type ExecPosture, execPostures } from "../tool-reach.ts";
import { nativeLine } from "../native-run.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "privilege_approval_required",
  title: "Host and privileged commands wait for a human's approval",
  iso27001: ["A.8.2", "A.8.18", "A.5.3"],
  nist_csf: ["PR.AA-05"],
  nist_800_53: ["AC-6", "AC-6(9)", "CM-5", "AC-3"],
  cis: ["5.4", "6.8"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "Whatever an agent runs on this host is covered by a reviewed allowlist or by a human's approval of exactly that command and folder, and privileged commands always by the latter.",
  mitigation:
    "Set the approval mode with `openclaw config set tools.exec.mode ask`, or keep the agent in a sandbox (agents.defaults.sandbox.mode all)",
  owner: "Security Engineering",
  uses: ["config", "native"],
  status_rules: {
    violation:
      "An agent can run commands on the host with security full and no question asked, which is OpenClaw's default.",
    partial: "Commands on the host are approved by a model (mode auto) and not always by a human.",
    not_assessed:
      "The config cannot be read; or it shows no gap, and whether the plugin's approvals refuse an unapproved command is not tried out, and OpenClaw's own are not weighed.",
  },
  needs: ["approval-probe", "native-exec-policy"],
};

export function check({ config, native }: AssessEvidence): CheckResult {
  // What OpenClaw says of its own approvals is for the reader: it makes no answer better.
  const own = nativeLine(native, "exec-policy show");
  if (config.kind === "unmeasured") return weigh([missing(config), ...UNBUILT], [line(config, ""), own]);
  const postures = execPostures(config.value);
  const file = config.value.present ? "" : `no config at ${config.value.path}, so OpenClaw's defaults hold; `;
  return weigh(
    [...postures.map(factOf), ...UNBUILT],
    [line(config, file + postures.map((posture) => posture.text).join("; ")), own],
  );
}

const UNBUILT: readonly Fact[] = [
  { kind: "unbuilt", part: "approval-probe" },
  { kind: "unbuilt", part: "native-exec-policy" },
];

function factOf(posture: ExecPosture): Fact {
  const seen = posture.text;
  if (posture.reach === "none" || posture.reach === "sandbox") return { kind: "good", seen };
  switch (posture.gate) {
    case "none":
      return {
        kind: "violation",
        seen,
        gap: `by OpenClaw's config agent ${posture.agent} can run any command on this host without anyone agreeing (its own exec approvals, which may be stricter, are not weighed)`,
        fix: meta.mitigation,
      };
    case "reviewer":
      return {
        kind: "partial",
        seen,
        gap: `for agent ${posture.agent} a model, not a human, may approve commands on this host`,
        fix: "Set tools.exec.mode to ask, so that a human approves what the allowlist does not hold",
      };
    case "unknown":
      return {
        kind: "unknown",
        reason: `the exec mode of agent ${posture.agent} is not one this release knows`,
        remedy: "Check tools.exec.mode with `openclaw config get tools.exec.mode`",
      };
    case "denied":
    case "allowlist":
    case "human":
      return { kind: "good", seen };
  }
}
