import { plural } from "../../core/text.ts";
import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "egress_allowlist_configured",
  title: "What may be contacted is listed, and the rest is refused",
  iso27001: ["A.8.20", "A.8.22", "A.8.23", "A.8.12"],
  nist_csf: ["PR.IR-01"],
  nist_800_53: ["SC-7", "SC-7(5)", "AC-4"],
  cis: ["13.4", "9.3"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "A valid allowlist without catch-all rules names the destinations, and something that is not the agent (a filtering proxy, the firewall, the sandbox's network) refuses all others.",
  mitigation:
    "Write the allowlist with `cse allowlist suggest`, and enforce it with a filtering proxy (proxy.proxyUrl) or a firewall rule for the gateway's account",
  owner: "Network Security",
  uses: ["egress", "config"],
  status_rules: {
    partial: "An allowlist is there but nothing enforces it, or a proxy is set but no allowlist says what may pass.",
    violation: "There is no allowlist and no proxy.",
    not_assessed:
      "The allowlist or the config cannot be read; or both are there, and whether a destination outside the list is refused is not tried out.",
  },
  needs: ["egress-probe"],
};

export function check({ egress, config }: AssessEvidence): CheckResult {
  const rules = egress.kind === "measured" ? egress.value.allowlist_rules : null;
  const proxy = config.kind === "measured" ? proxyOf(config.value) : null;
  const listText =
    egress.kind === "measured"
      ? `allowlist ${egress.value.allowlist_file ?? "missing"}, ${plural(egress.value.allowlist_rules, "rule")}`
      : "";
  const proxyText = `filtering proxy: ${proxy ?? "none"}`;
  const facts: Fact[] = [{ kind: "unbuilt", part: "egress-probe" }];
  if (egress.kind === "unmeasured") facts.push(missing(egress));
  if (config.kind === "unmeasured") facts.push(missing(config));
  if (rules !== null && config.kind === "measured") facts.push(enforcement(rules, proxy, `${listText}; ${proxyText}`));
  if (egress.kind === "measured") {
    for (const note of egress.value.rule_notes) {
      if (note.kind !== "invalid-pattern" && note.kind !== "too-broad") continue;
      facts.push({
        kind: "partial",
        seen: `allowlist rule ${note.rule}: ${note.kind}`,
        gap: `allowlist rule ${note.rule}: ${note.message}`,
        fix: "Correct the rule; `cse allowlist check` shows what each rule allows",
      });
    }
  }
  return weigh(facts, [line(egress, listText), line(config, proxyText)]);
}

/** A file nobody enforces restricts nothing, and a proxy nobody gave a list restricts nothing known. */
function enforcement(rules: number, proxy: string | null, seen: string): Fact {
  if (rules > 0 && proxy !== null) return { kind: "good", seen };
  if (rules > 0) {
    return { kind: "partial", seen, gap: "the allowlist is watched but not enforced", fix: meta.mitigation };
  }
  if (proxy !== null) {
    return { kind: "partial", seen, gap: "no allowlist says what may pass the proxy", fix: meta.mitigation };
  }
  return {
    kind: "violation",
    seen,
    gap: "any destination may be contacted: no allowlist, no proxy",
    fix: meta.mitigation,
  };
}

function proxyOf({ network }: OpenClawConfig): string | null {
  if (network.proxy !== null) return network.proxy;
  const hosts = network.egress_proxy_allowed_hosts;
  // Without a list of hosts that proxy restricts nothing.
  return network.egress_proxy_enabled.value && hosts !== null ? `secrets.egressProxy with ${hosts.length} hosts` : null;
}
