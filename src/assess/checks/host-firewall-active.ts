import type { HostFirewall } from "../../core/setup-evidence.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "host_firewall_active",
  title: "The firewall drops what no rule lets in",
  iso27001: ["A.8.20", "A.8.22"],
  nist_csf: ["PR.IR-01"],
  nist_800_53: ["SC-7", "SC-7(5)"],
  cis: ["4.4", "4.5"],
  mapping_confidence: "high",
  default_risk: "medium",
  expected_state: "What comes in from outside and no rule names is dropped, for IPv4 and IPv6.",
  mitigation:
    "Enable a firewall that denies by default, e.g. `ufw default deny incoming` and `ufw enable`, with a rule for what must come in",
  owner: "Network Security",
  uses: ["firewall", "sockets"],
  status_rules: {
    compliant: "Both protocols drop by default.",
    partial:
      "There are rules and what they do not name is let in, or one protocol is left out, or nothing listens beyond this host.",
    violation: "There is no firewall, and something listens beyond this host.",
    not_assessed: "The rules cannot be read (that takes root), or what listens cannot be seen.",
  },
  needs: [],
};

/** Rules that others write for their containers come before these. */
const NOT_LOOKED_AT =
  "rules of container engines for forwarded ports, of a firewall in front of this host, and what single rules let in are not judged";

export function check({ firewall, sockets }: AssessEvidence): CheckResult {
  const seen = firewall.kind === "measured" ? textOf(firewall.value) : "";
  const open =
    sockets.kind === "measured" ? sockets.value.listeners.filter(({ scope }) => scope !== "loopback").length : 0;
  const evidence = [
    line(firewall, seen),
    line(sockets, `${open} listeners beyond this host`),
    line(firewall, NOT_LOOKED_AT),
  ];
  if (firewall.kind === "unmeasured") return weigh([missing(firewall)], evidence);
  if (sockets.kind === "unmeasured") return weigh([missing(sockets)], evidence);
  return weigh([factOf(firewall.value, open, seen)], evidence);
}

function factOf({ rules, ipv4_drops: ipv4, ipv6_drops: ipv6 }: HostFirewall, open: number, seen: string): Fact {
  const fix = meta.mitigation;
  if (ipv4 && ipv6) return { kind: "good", seen };
  if (ipv4 || ipv6) return { kind: "partial", seen, gap: `${ipv4 ? "IPv6" : "IPv4"} is let in by default`, fix };
  if (rules > 0) return { kind: "partial", seen, gap: "what no rule names is let in", fix };
  return open > 0
    ? { kind: "violation", seen, gap: `there is no firewall, and ${open} listeners can be reached from outside`, fix }
    : { kind: "partial", seen, gap: "there is no firewall; so far nothing listens beyond this host", fix, risk: "low" };
}

function textOf({ tool, rules, ipv4_drops: ipv4, ipv6_drops: ipv6 }: HostFirewall): string {
  return `${tool}: ${rules} rules for what comes in, by default IPv4 ${ipv4 ? "dropped" : "let in"}, IPv6 ${ipv6 ? "dropped" : "let in"}`;
}
