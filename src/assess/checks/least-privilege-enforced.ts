import { plural } from "../../core/text.ts";
import type { Evidence } from "../../core/evidence.ts";
import type { OpenClawConfig, ToolsConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence, GatewayProcess, PrivilegePaths } from "../evidence.ts";
import { noGatewayText, othersText } from "../gateway-text.ts";
import { enabledAccounts, execPostures } from "../tool-reach.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "least_privilege_enforced",
  title: "Gateway and agents hold no more rights than they need",
  iso27001: ["A.8.2", "A.5.15", "A.8.3"],
  nist_csf: ["PR.AA-05", "PR.PS-01"],
  nist_800_53: ["AC-6", "AC-6(2)", "AC-6(5)", "CM-7"],
  cis: ["5.4", "3.3"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "The gateway runs under an ordinary account of its own that is in no group equal to root and has no passwordless way to root, and agents that other people can reach have a narrow set of tools.",
  mitigation:
    "Run the gateway under its own account (User= in its unit, NoNewPrivileges=yes), take that account out of groups such as sudo and docker, and set tools.profile to messaging for agents others can reach",
  owner: "Platform Security",
  uses: ["gateway", "privilege", "config"],
  status_rules: {
    compliant:
      "The running gateway is not root, its groups and sudo rules give no passwordless root, and agents reachable from a channel do not have every tool.",
    partial:
      "A way to root exists, but the agents cannot run commands on the host; or the account is in a group with more rights than it needs; or an agent reachable from a channel has every tool or runs any command here.",
    violation:
      "The gateway runs as root; or it has a group equal to root or a passwordless way to root, and agents can run commands on the host.",
    not_assessed: "No running gateway was found, or its account, its ways to root or the config could not be read.",
  },
  needs: [],
};

const ROOT_GROUPS = new Set(["root", "sudo", "wheel", "admin", "docker", "lxd", "incus", "disk", "libvirt", "shadow"]);

/** Rights beyond an ordinary account that do not lead to root by themselves. */
const STRONG_GROUPS: ReadonlyMap<string, string> = new Map([
  ["adm", "may read the logs of every service"],
  ["systemd-journal", "may read the logs of every service"],
  ["kvm", "may run virtual machines"],
]);

export function check({ gateway, privilege, config }: AssessEvidence): CheckResult {
  const reach = hostReach(config);
  return weigh(
    [
      ...(gateway.kind === "measured" ? accountFacts(gateway.value, reach) : [missing(gateway)]),
      ...(privilege.kind === "measured" ? pathFacts(privilege.value, reach) : [missing(privilege)]),
      ...(config.kind === "measured" ? toolFacts(config.value) : [missing(config)]),
    ],
    [
      line(gateway, gateway.kind === "measured" ? accountText(gateway.value) : ""),
      line(privilege, privilege.kind === "measured" ? pathText(privilege.value) : ""),
      line(config, `agents' commands on this host: ${reach}`),
    ],
  );
}

type Reach = "reachable" | "not reachable" | "unknown";

function hostReach(config: Evidence<OpenClawConfig>): Reach {
  if (config.kind === "unmeasured") return "unknown";
  const isReachable = execPostures(config.value).some(({ reach }) => reach !== "none" && reach !== "sandbox");
  return isReachable ? "reachable" : "not reachable";
}

/** A way to root weighs as much as what the agents can do with it. */
function wayToRoot(reach: Reach, seen: string, fix: string): Fact {
  switch (reach) {
    case "reachable":
      return { kind: "violation", seen, gap: `${seen}, and agents can run commands there`, fix };
    case "not reachable":
      return { kind: "partial", seen, gap: `${seen}, though agents cannot run commands on this host`, fix };
    case "unknown":
      return {
        kind: "unknown",
        reason: `${seen}, but whether agents can run commands on this host is not known`,
        remedy: fix,
      };
  }
}

function accountFacts(gateway: GatewayProcess, reach: Reach): readonly Fact[] {
  if (gateway.basis !== "process") {
    return [
      {
        kind: "unknown",
        reason: `${noGatewayText(gateway)}, so its account is not known (this one is ${whoText(gateway)})`,
        remedy: "Start the gateway and run the assessment again, as its account or as root",
      },
    ];
  }
  if (gateway.uid === 0) {
    return [
      {
        kind: "violation",
        seen: `the gateway (pid ${gateway.pid ?? "?"}) runs as root`,
        gap: "the gateway runs as uid 0, so whatever an agent does is done as root",
        fix: meta.mitigation,
      },
    ];
  }
  const who = `the gateway's account ${gateway.user ?? gateway.uid}`;
  const groups = gateway.groups.filter((group) => ROOT_GROUPS.has(group));
  const strong = gateway.groups.flatMap((group): readonly Fact[] => {
    const why = STRONG_GROUPS.get(group);
    const seen = `${who} is in ${group}`;
    const fix = `Take the account out of ${group}`;
    return why === undefined ? [] : [{ kind: "partial", seen, gap: `${seen}, which ${why}`, fix }];
  });
  if (groups.length === 0) return strong.length > 0 ? strong : [{ kind: "good", seen: accountText(gateway) }];
  const seen = `${who} is in ${groups.join(", ")}`;
  return [wayToRoot(reach, seen, `Take the account out of ${groups.join(", ")}`), ...strong];
}

/** Ways that were given to this account; what everybody on the host has is the other check's matter. */
const RULES: ReadonlySet<string> = new Set(["sudo", "doas", "writable-file"]);

function pathFacts(privilege: PrivilegePaths, reach: Reach): readonly Fact[] {
  const facts: Fact[] = privilege.paths
    .filter((path) => path.strength === "passwordless" && path.via !== "root")
    .map((path) =>
      wayToRoot(
        reach,
        `account ${privilege.user} gets to root without a password through ${path.via} (${path.what})`,
        `Remove the passwordless ${path.via} rule: ${path.what}`,
      ),
    );
  for (const path of privilege.paths.filter(({ via, strength }) => strength === "unknown" && RULES.has(via))) {
    facts.push({
      kind: "unknown",
      reason: `whether ${path.via} (${path.what}) gives account ${privilege.user} root cannot be told without trying it`,
      remedy: `Look at it yourself, or take it away: ${path.what}`,
    });
  }
  for (const reason of privilege.unknown) {
    facts.push({
      kind: "unknown",
      reason,
      remedy: "Run the assessment as root, or let this account read its own rules",
    });
  }
  return facts.length > 0 ? facts : [{ kind: "good", seen: pathText(privilege) }];
}

function toolFacts(config: OpenClawConfig): readonly Fact[] {
  if (enabledAccounts(config).length === 0) return [];
  const postures = execPostures(config);
  return config.agents.map((agent) => {
    const seen = `agent ${agent.id} has tools.profile ${agent.tools.profile ?? "unset"}`;
    const fix = "Set tools.profile to messaging and tools.fs.workspaceOnly to true for agents others can reach";
    if (!isNarrow(agent.tools)) {
      return { kind: "partial", seen, gap: `agent ${agent.id} can be reached from a channel and has every tool`, fix };
    }
    const posture = postures.find((own) => own.agent === agent.id);
    const runsAnything = posture?.gate === "none" && posture.reach !== "none" && posture.reach !== "sandbox";
    if (!runsAnything) return { kind: "good", seen };
    const gap = `agent ${agent.id} can be reached from a channel and run any command on this host`;
    return { kind: "partial", seen: `${seen}; ${posture.text}`, gap, fix };
  });
}

function isNarrow(tools: ToolsConfig): boolean {
  const hasProfile = tools.profile !== null && tools.profile !== "full" && !tools.also_allow.includes("*");
  return hasProfile || (tools.allow.length > 0 && !tools.allow.includes("*"));
}

function accountText(gateway: GatewayProcess): string {
  return gateway.basis === "process"
    ? `gateway pid ${gateway.pid ?? "?"}: ${whoText(gateway)}${othersText(gateway)}`
    : `${noGatewayText(gateway)}; this account: ${whoText(gateway)}`;
}

function whoText(gateway: GatewayProcess): string {
  const privileges = gateway.no_new_privs === null ? "unknown" : gateway.no_new_privs ? "on" : "off";
  return `uid ${gateway.uid} (${gateway.user ?? "no name"}), groups ${gateway.groups.join(", ") || "none"}, NoNewPrivs ${privileges}`;
}

function pathText(privilege: PrivilegePaths): string {
  const open = privilege.paths.filter((path) => path.strength === "passwordless");
  return `${privilege.user}: ${open.length === 0 ? "no passwordless way" : plural(open.length, "passwordless way")} to root seen`;
}
