import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "runtime_privilege_hook_installed",
  title: "The point that holds privileged calls is active",
  iso27001: ["A.8.18", "A.8.2"],
  nist_csf: ["PR.AA-05", "PR.PS-05"],
  nist_800_53: ["AC-3", "AC-25", "CM-7(2)"],
  cis: ["2.7", "5.4"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "The plugin's hook and its broker are loaded in the running gateway, in the installed version, and a privileged call through the agent's own tools is held there.",
  mitigation: "Run `openclaw plugins enable cyber-security-engineer` and restart the gateway",
  owner: "Security Engineering",
  uses: ["config"],
  status_rules: {
    not_assessed:
      "No call is made that the hook would have to hold. Neither a file on disk nor the config proves that it does.",
  },
  needs: ["hook-probe"],
};

const PLUGIN_ID = "cyber-security-engineer";

export function check({ config }: AssessEvidence): CheckResult {
  const seen = config.kind === "measured" ? pluginText(config.value) : "";
  const fact: Fact = config.kind === "measured" ? { kind: "good", seen } : missing(config);
  return weigh([fact, { kind: "unbuilt", part: "hook-probe" }], [line(config, seen)]);
}

/** What the config says about our plugin: evidence for the reader, never proof that it is loaded. */
function pluginText({ plugins }: OpenClawConfig): string {
  const entry = plugins.entries.find(({ id }) => id === PLUGIN_ID);
  const state = entry === undefined ? "has no entry" : `entry enabled ${entry.enabled ?? "unset"}`;
  const denied = plugins.deny.includes(PLUGIN_ID) ? ", denied" : "";
  return `plugins enabled ${plugins.enabled.value}; ${PLUGIN_ID} ${state}${denied}`;
}
