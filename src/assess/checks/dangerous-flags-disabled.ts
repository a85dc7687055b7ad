import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { nativeLine, ranFact } from "../native-run.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "dangerous_flags_disabled",
  title: "Switches that OpenClaw calls dangerous are off",
  iso27001: ["A.8.9", "A.8.26"],
  nist_csf: ["PR.PS-01"],
  nist_800_53: ["CM-6", "CM-7"],
  cis: ["4.1"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state: "No dangerous or insecure switch is on, neither of OpenClaw nor of a plugin.",
  mitigation: "Take the named keys out of the config (`openclaw config unset <key>`)",
  owner: "Platform Security",
  uses: ["config", "native"],
  status_rules: {
    compliant: "None is on; where plugins have settings, OpenClaw's own audit, which knows theirs, ran too.",
    violation: "One is on.",
    not_assessed: "The config cannot be read, or plugins have settings and OpenClaw's own audit did not run.",
  },
  needs: [],
};

export function check({ config, native }: AssessEvidence): CheckResult {
  const flags = config.kind === "measured" ? config.value.surface.dangerous_flags : [];
  const seen = flags.length === 0 ? "no dangerous switch of OpenClaw is on" : `on: ${flags.join(", ")}`;
  return weigh(
    config.kind === "measured" ? [factOf(flags, seen), ...pluginFacts(config.value, native)] : [missing(config)],
    [line(config, seen), nativeLine(native, "security audit")],
  );
}

function factOf(flags: readonly string[], seen: string): Fact {
  return flags.length === 0
    ? { kind: "good", seen }
    : { kind: "violation", seen, gap: `dangerous switches are on: ${flags.join(", ")}`, fix: meta.mitigation };
}

/** A plugin declares its own dangerous switches, which only OpenClaw can read. */
function pluginFacts(config: OpenClawConfig, native: AssessEvidence["native"]): readonly Fact[] {
  return config.surface.configured_plugins.length === 0 ? [] : [ranFact(native, "security audit")];
}
