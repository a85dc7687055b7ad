import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { ApproverKind } from "../../core/posture-facts.ts";
import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { AssessEvidence } from "../evidence.ts";
import { pluginState } from "../plugin-state.ts";
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
  uses: ["config", "approvers", "native"],
  status_rules: {
    violation:
      "An agent can run commands on the host with security full and no question asked, which is OpenClaw's default; or whoever holds the gateway's token, and so the agent, may give the plugin's approvals.",
    partial:
      "Commands on the host are approved by a model (mode auto) and not always by a human; or agents reach the host and the plugin is off, its gate is off or lets pass what it cannot read; or a device approves that was enrolled without proof.",
    not_assessed:
      "The config or the list of approvers cannot be read; or it shows no gap, and whether the plugin's approvals refuse an unapproved command is not tried out, and OpenClaw's own are not weighed.",
  },
  needs: ["approval-probe", "native-exec-policy"],
};

export function check({ config, approvers, native }: AssessEvidence): CheckResult {
  // What OpenClaw says of its own approvals is for the reader: it makes no answer better.
  const own = nativeLine(native, "exec-policy show");
  const listed = approvers.kind === "measured" ? approverFacts(approvers.value) : [missing(approvers)];
  const who = line(approvers, approvers.kind === "measured" ? approverText(approvers.value) : "");
  if (config.kind === "unmeasured") {
    return weigh([missing(config), ...listed, ...UNBUILT], [line(config, ""), who, own]);
  }
  const postures = execPostures(config.value);
  const file = config.value.present ? "" : `no config at ${config.value.path}, so OpenClaw's defaults hold; `;
  return weigh(
    [...postures.map(factOf), ...pluginFacts(config.value, postures), ...listed, ...UNBUILT],
    [
      line(config, file + [...postures.map((posture) => posture.text), pluginState(config.value).text].join("; ")),
      who,
      own,
    ],
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

/** What the plugin does about commands of agents on this host. */
function pluginFacts(config: OpenClawConfig, postures: readonly ExecPosture[]): readonly Fact[] {
  const { off, entry, text: seen } = pluginState(config);
  const isOnHost = postures.some(({ reach }) => reach !== "none" && reach !== "sandbox");
  const facts: Fact[] = [];
  if (off === null && entry?.allow_runtime === true) {
    facts.push({
      kind: "violation",
      seen,
      gap: "whoever holds the gateway's token, and so the agent itself, may approve (approvers.allowRuntime)",
      fix: "Set approvers.allowRuntime to false in the plugin's config",
    });
  }
  const gap = isOnHost ? gateGap(off, entry?.gate ?? null) : null;
  if (gap !== null) facts.push({ kind: "partial", seen, gap, fix: GATE_FIX });
  return facts.length > 0 ? facts : [{ kind: "good", seen }];
}

const GATE_FIX =
  "Enable the plugin (`openclaw plugins enable cyber-security-engineer`), with execGate.mode enforce and execGate.opaque ask or refuse";

function gateGap(
  off: string | null,
  gate: NonNullable<ReturnType<typeof pluginState>["entry"]>["gate"],
): string | null {
  if (off !== null) return `agents run commands on this host and the plugin does not hold the privileged ones: ${off}`;
  // Without a valid configuration the plugin refuses.
  if (gate === null) return null;
  if (gate.mode === "off") return "agents run commands on this host and the plugin's gate is off (execGate.mode)";
  return gate.opaque === "allow" ? "the plugin's gate lets commands pass that it cannot read (execGate.opaque)" : null;
}

function approverText(kinds: readonly ApproverKind[]): string {
  return `who may approve: ${kinds.join(", ") || "nobody"}`;
}

function approverFacts(kinds: readonly ApproverKind[]): readonly Fact[] {
  const seen = approverText(kinds);
  if (kinds.includes("device without proof")) {
    return [
      {
        kind: "partial",
        seen,
        gap: "a device may approve that was enrolled without proof, as any program of the account could have done it",
        fix: "Enrol it again with `cse approvers enroll` where sudo takes a password, or from an approver that is enrolled",
      },
    ];
  }
  return [{ kind: "good", seen }];
}
