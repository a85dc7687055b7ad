import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, GatewayProcess, PrivilegePath, PrivilegePaths } from "../evidence.ts";
import { noGatewayText } from "../gateway-text.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "alternate_privilege_paths_restricted",
  title: "No other way leads to root",
  iso27001: ["A.8.18", "A.8.2"],
  nist_csf: ["PR.AA-05", "PR.PS-01"],
  nist_800_53: ["AC-6", "AC-6(10)", "CM-7", "CM-7(1)"],
  cis: ["5.4", "4.8"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state:
    "The gateway's account has no working way to uid 0 (sudo, su, doas, pkexec, run0, container socket, setuid file, capability, group) that goes past approval.",
  mitigation:
    "Take away the passwordless rule, the group or the setuid bit that is named, and do what needs root through an approved command",
  owner: "Security Engineering",
  uses: ["privilege", "gateway"],
  status_rules: {
    compliant:
      "Every way that is looked for (the evidence names them) was looked at, and none leads this account to uid 0.",
    partial: "A way exists that asks for a password of this account.",
    violation: "A way to root works without a password, or the account is root already.",
    not_assessed:
      "No running gateway was found, so that only this account's ways are known; or some ways could not be looked at, or cannot be judged without trying them.",
  },
  needs: [],
};

/** What stays out of sight, so that nobody takes "none found" for "none there". */
const NOT_LOOKED_FOR =
  "not looked for: setuid files elsewhere, programs that root's services start elsewhere, credentials lying about, faults of the kernel";

export function check({ privilege, gateway }: AssessEvidence): CheckResult {
  if (privilege.kind === "unmeasured") return weigh([missing(privilege)], [line(privilege, "")]);
  const found = privilege.value;
  // Whoever assesses as root without a gateway in sight has said nothing about the gateway's account.
  const isOurs = gateway.kind === "measured" && gateway.value.basis === "process";
  const paths = found.paths.filter((path) => isOurs || path.via !== "root");
  const facts = [
    ...paths.map((path) => pathFact(found, path)),
    ...found.unknown.map(unseen),
    ...(gateway.kind === "measured" ? accountFacts(gateway.value) : [missing(gateway)]),
  ];
  const said = found.paths.map((path) => `${path.via} (${path.what}): ${path.strength}`).join("; ");
  const none = `no usable way to uid 0 was found for ${found.user} (uid ${found.uid})`;
  return weigh(facts.some((fact) => fact.kind !== "good") ? facts : [...facts, { kind: "good", seen: none }], [
    line(privilege, said === "" ? none : `${found.user} (uid ${found.uid}): ${said}`),
    line(privilege, NOT_LOOKED_FOR),
  ]);
}

/** What leads to root from here says nothing good about an account that was not seen. */
function accountFacts(gateway: GatewayProcess): readonly Fact[] {
  if (gateway.basis === "process") return [];
  return [
    {
      kind: "unknown",
      reason: `${noGatewayText(gateway)}, so its account may be another than ${gateway.user ?? gateway.uid}`,
      remedy: "Start the gateway and run the assessment again, as its account or as root",
    },
  ];
}

function pathFact(account: PrivilegePaths, path: PrivilegePath): Fact {
  const seen = `${path.via}: ${path.what}`;
  if (path.via === "root" || path.strength === "passwordless") {
    const gap =
      path.via === "root"
        ? `account ${account.user} is uid 0 already`
        : `account ${account.user} gets to root without a password through ${path.via} (${path.what})`;
    return { kind: "violation", seen, gap, fix: `${meta.mitigation} (${path.via}: ${path.what})` };
  }
  if (path.strength === "unknown") {
    return {
      kind: "unknown",
      reason: `whether ${path.via} (${path.what}) leads to root cannot be told without trying it`,
      remedy: `Look at ${path.what} yourself, or run the assessment as root`,
    };
  }
  // su is on every system and asks for root's own password, which this account does not have.
  if (path.via === "su") return { kind: "good", seen: `${seen} (asks for root's password)` };
  return {
    kind: "partial",
    seen,
    gap: `account ${account.user} gets to root with a password through ${path.via} (${path.what})`,
    fix: `Keep that password away from the gateway, or take the right away (${path.via}: ${path.what})`,
  };
}

function unseen(reason: string): Fact {
  return {
    kind: "unknown",
    reason,
    remedy: "Run the assessment as root, or as the gateway's account where its rules can be listed",
  };
}
