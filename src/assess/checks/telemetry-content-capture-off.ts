import { bindScope, parseAddress } from "../../core/address.ts";
import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "telemetry_content_capture_off",
  title: "Telemetry carries no content of conversations",
  iso27001: ["A.8.12", "A.5.34"],
  nist_csf: ["PR.DS-10"],
  nist_800_53: ["SI-12(1)", "AC-4"],
  cis: ["3.13"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state:
    "diagnostics.otel.captureContent is off (the default), and memory search does not index conversations.",
  mitigation: "Run `openclaw config set diagnostics.otel.captureContent false`",
  owner: "Data Protection",
  uses: ["config"],
  status_rules: {
    compliant: "No content is captured or indexed.",
    partial:
      "Content goes to a collector on this host, or would once telemetry is switched on, or conversations are indexed.",
    violation: "Content goes to another machine.",
    not_assessed: "The config cannot be read.",
  },
  needs: [],
};

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const { telemetry } = config.value.surface;
  const seen = `telemetry ${telemetry.enabled.value ? "on" : "off"}, content ${telemetry.captures_content.value ? "captured" : "not captured"}${telemetry.endpoints.length === 0 ? "" : `, to ${telemetry.endpoints.join(", ")}`}`;
  return weigh(facts(config.value, seen), [line(config, seen)]);
}

function facts({ surface: { telemetry } }: OpenClawConfig, seen: string): readonly Fact[] {
  const found: Fact[] = [{ kind: "good", seen }];
  if (telemetry.captures_content.value) {
    const elsewhere = telemetry.endpoints.filter((endpoint) => !isThisHost(endpoint));
    // Without an address in the config the environment may name one.
    const isAway = telemetry.enabled.value && (elsewhere.length > 0 || telemetry.endpoints.length === 0);
    found.push({
      kind: isAway ? "violation" : "partial",
      seen,
      gap: isAway
        ? `content of conversations goes to ${elsewhere.length === 0 ? "wherever the gateway's environment says" : elsewhere.join(", ")}`
        : "content of conversations is put into telemetry",
      fix: meta.mitigation,
    });
  }
  if (telemetry.indexes_transcripts) {
    found.push({
      kind: "partial",
      seen,
      gap: "memory search indexes conversations",
      fix: "Take sessions out of agents.defaults.memorySearch.sources",
      risk: "low",
    });
  }
  return found;
}

function isThisHost(endpoint: string): boolean {
  const host = endpoint.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return host === "localhost" || (parseAddress(host) !== null && bindScope(host) === "loopback");
}
