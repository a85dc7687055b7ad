import type { GatewayUnit } from "../../core/setup-evidence.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

/** Of `systemd-analyze security`, where 10 is a service without any confinement. */
const GOOD_EXPOSURE = 5;
const WEAK_EXPOSURE = 7.5;

export const meta: CheckMeta = {
  check_id: "gateway_service_hardened",
  title: "The service manager confines the gateway",
  iso27001: ["A.8.9", "A.8.2"],
  nist_csf: ["PR.PS-01"],
  nist_800_53: ["SC-39", "CM-6", "AC-6"],
  cis: ["4.1"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state: `The gateway's unit names an account (User=), sets NoNewPrivileges, ProtectSystem and PrivateTmp, limits restarts, and \`systemd-analyze security\` gives it at most ${GOOD_EXPOSURE}.`,
  mitigation:
    "Add a drop-in with NoNewPrivileges=yes, ProtectSystem=strict, PrivateTmp=yes and StartLimitBurst=5 (`systemctl edit`), and restart the gateway",
  owner: "Platform Security",
  uses: ["gateway", "unit"],
  status_rules: {
    compliant: `Every directive is set, and the exposure is at most ${GOOD_EXPOSURE}.`,
    partial: `A directive is missing, or the exposure is above ${GOOD_EXPOSURE}.`,
    violation: `It runs as root and the exposure is above ${WEAK_EXPOSURE}.`,
    not_assessed: "No gateway runs, no service manager started it, or it cannot be asked.",
  },
  needs: [],
};

export function check({ gateway, unit }: AssessEvidence): CheckResult {
  const account = gateway.kind === "measured" ? `the gateway runs as uid ${gateway.value.uid}` : "";
  const seen = unit.kind === "measured" ? textOf(unit.value) : "";
  const evidence = [line(unit, seen), line(gateway, account)];
  if (unit.kind === "unmeasured") return weigh([missing(unit)], evidence);
  if (gateway.kind === "unmeasured") return weigh([missing(gateway)], evidence);
  return weigh(facts(unit.value, gateway.value.uid === 0, seen), evidence);
}

function facts(unit: GatewayUnit, isRoot: boolean, seen: string): readonly Fact[] {
  const found: Fact[] = [{ kind: "good", seen }];
  const { exposure } = unit;
  const lacks = [
    ...(unit.no_new_privileges ? [] : ["NoNewPrivileges=yes"]),
    ...(unit.protect_system === "no" || unit.protect_system === "" ? ["ProtectSystem=strict"] : []),
    ...(unit.private_tmp ? [] : ["PrivateTmp=yes"]),
    ...(unit.restart_limited ? [] : ["StartLimitBurst=5"]),
    ...(isRoot ? ["User=<an account of its own>"] : []),
  ];
  const fix =
    lacks.length === 0
      ? meta.mitigation
      : `Add to ${unit.unit} (\`systemctl ${unit.manager === "user" ? "--user " : ""}edit ${unit.unit}\`): ${lacks.join(", ")}`;
  if (lacks.length > 0) found.push({ kind: "partial", seen, gap: `${unit.unit} lacks ${lacks.join(", ")}`, fix });
  if (exposure === null) {
    found.push({
      kind: "unknown",
      reason: `\`systemd-analyze security ${unit.unit}\` gave no figure`,
      remedy: "Run it by hand, as root for a unit of the system",
    });
  } else if (exposure > GOOD_EXPOSURE) {
    const isBad = isRoot && exposure > WEAK_EXPOSURE;
    found.push({
      kind: isBad ? "violation" : "partial",
      seen,
      gap: `the exposure of ${unit.unit} is ${exposure}${isBad ? ", and it runs as root" : ""}`,
      fix,
    });
  }
  return found;
}

function textOf(unit: GatewayUnit): string {
  const yes = (value: boolean): string => (value ? "yes" : "no");
  return `${unit.unit} of the ${unit.manager} manager: User=${unit.user}, NoNewPrivileges=${yes(unit.no_new_privileges)}, ProtectSystem=${unit.protect_system}, PrivateTmp=${yes(unit.private_tmp)}, restarts limited ${yes(unit.restart_limited)}, exposure ${unit.exposure ?? "not known"}`;
}
