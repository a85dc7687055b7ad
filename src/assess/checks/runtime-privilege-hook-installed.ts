import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, BrokerSocket } from "../evidence.ts";
import { type PluginState, pluginState } from "../plugin-state.ts";
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
  uses: ["config", "broker"],
  status_rules: {
    violation:
      "OpenClaw's config does not let the plugin run, or switches its gate off; or the running gateway does not itself listen at the broker's socket, so that the plugin's service does not run in it.",
    partial: "The gate lets commands pass that it cannot read, or the plugin's configuration is not valid.",
    not_assessed:
      "The config cannot be read, no gateway runs, or what it has open cannot be looked at; or all of that shows no gap, and no call is made that the hook would have to hold. Neither a file on disk nor the config proves that it does.",
  },
  needs: ["hook-probe"],
};

export function check({ config, broker }: AssessEvidence): CheckResult {
  const state = config.kind === "measured" ? pluginState(config.value) : null;
  return weigh(
    [
      ...(config.kind === "measured" ? configFacts(pluginState(config.value)) : [missing(config)]),
      broker.kind === "measured" ? brokerFact(broker.value) : missing(broker),
      { kind: "unbuilt", part: "hook-probe" },
    ],
    [line(config, state?.text ?? ""), line(broker, broker.kind === "measured" ? brokerText(broker.value) : "")],
  );
}

function configFacts({ off, entry, text: seen }: PluginState): readonly Fact[] {
  if (off !== null) {
    return [
      { kind: "violation", seen, gap: `OpenClaw's config does not let the plugin run: ${off}`, fix: meta.mitigation },
    ];
  }
  const gate = entry?.gate ?? null;
  if (gate === null) {
    const gap =
      "the plugin's configuration is not valid, so it refuses whatever is privileged and nothing else can be said";
    return [{ kind: "partial", seen, gap, fix: "Correct plugins.entries.cyber-security-engineer.config" }];
  }
  if (gate.mode === "off") {
    const gap = "the plugin's gate is switched off (execGate.mode off), so its hook holds nothing";
    return [{ kind: "violation", seen, gap, fix: "Set execGate.mode to enforce in the plugin's config" }];
  }
  if (gate.opaque === "allow") {
    const gap = "the plugin's gate lets commands pass that it cannot read (execGate.opaque allow)";
    return [{ kind: "partial", seen, gap, fix: "Set execGate.opaque to ask or refuse in the plugin's config" }];
  }
  return [{ kind: "good", seen }];
}

function brokerText({ path, held_by: holder }: BrokerSocket): string {
  switch (holder) {
    case "gateway":
      return `the running gateway listens at ${path}`;
    case "other":
      return `another process than the gateway listens at ${path}`;
    case "none":
      return `nobody listens at ${path}`;
  }
}

function brokerFact(broker: BrokerSocket): Fact {
  const seen = brokerText(broker);
  if (broker.held_by === "gateway") return { kind: "good", seen };
  const gap = `the plugin's service does not run in the gateway: ${seen}`;
  return { kind: "violation", seen, gap, fix: meta.mitigation };
}
