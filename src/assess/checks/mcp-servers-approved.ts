import type { ConfigSurface } from "../../schema/openclaw-surface.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import type { SupplierPolicy } from "../../core/setup-evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "mcp_servers_approved",
  title: "MCP servers and model providers are those the owner approved",
  iso27001: ["A.5.20", "A.5.22", "A.8.26"],
  nist_csf: ["GV.SC-07", "ID.AM-02"],
  nist_800_53: ["SA-9", "CM-8"],
  cis: ["15.1", "2.1"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state:
    "Every MCP server and model provider in use is on the owner's list (policy.jsonc of OpenClaw's Policy plugin), and a server that is run from a package names its version.",
  mitigation:
    "Write mcp.servers.allow and models.providers.allow in policy.jsonc, and pin the version of what MCP servers run",
  owner: "Security Engineering",
  uses: ["config", "suppliers"],
  status_rules: {
    compliant: "All in use are on the list, and pinned.",
    partial: "There is no list, or a server runs whatever version of a package is newest.",
    violation: "One in use is not on the list, or is forbidden by it.",
    not_assessed: "The config or the list cannot be read.",
    not_applicable: "No MCP server and no model provider is set up.",
  },
  needs: [],
};

export function check({ config, suppliers }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, ""), line(suppliers, "")]);
  const { surface } = config.value;
  const servers = surface.mcp_servers.filter((server) => server.enabled);
  const used = `MCP servers: ${namesOf(servers.map(({ name, what }) => `${name} (${what})`))}; model providers: ${namesOf(surface.model_providers)}`;
  const listed = suppliers.kind === "measured" ? textOf(suppliers.value) : "";
  const evidence = [line(config, used), line(suppliers, listed)];
  if (servers.length === 0 && surface.model_providers.length === 0) {
    return weigh([{ kind: "no-object", seen: "no MCP server and no model provider is set up" }], evidence);
  }
  if (suppliers.kind === "unmeasured") return weigh([...pinFacts(servers), missing(suppliers)], evidence);
  const { value: policy } = suppliers;
  return weigh(
    [
      ...listFacts(
        "MCP server",
        servers.map(({ name }) => name),
        policy.mcp_allow,
        policy.mcp_deny,
      ),
      ...listFacts("model provider", surface.model_providers, policy.models_allow, policy.models_deny),
      ...pinFacts(servers),
    ],
    evidence,
  );
}

function listFacts(
  what: string,
  used: readonly string[],
  allow: readonly string[] | null,
  deny: readonly string[],
): readonly Fact[] {
  if (used.length === 0) return [];
  const seen = `${what}s in use: ${used.join(", ")}`;
  const has = (names: readonly string[], name: string): boolean =>
    names.some((entry) => entry.toLowerCase() === name.toLowerCase());
  const wrong = used.filter((name) => has(deny, name) || (allow !== null && !has(allow, name)));
  if (wrong.length > 0) {
    return [
      {
        kind: "violation",
        seen,
        gap: `not approved: ${what} ${wrong.join(", ")}`,
        fix: "Remove it from the config, or review it and add it to policy.jsonc",
      },
    ];
  }
  return [
    allow === null
      ? { kind: "partial", seen, gap: `no list says which ${what}s are approved`, fix: meta.mitigation }
      : { kind: "good", seen },
  ];
}

function pinFacts(servers: ConfigSurface["mcp_servers"]): readonly Fact[] {
  return servers
    .filter((server) => server.is_pinned === false)
    .map(({ name, what }) => ({
      kind: "partial",
      seen: `MCP server ${name} is run with ${what}`,
      gap: `MCP server ${name} is whatever version of its package is newest`,
      fix: `Name the version of the package in mcp.servers.${name}.args`,
    }));
}

function namesOf(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}

function textOf({ present, mcp_allow: mcp, models_allow: models }: SupplierPolicy): string {
  if (!present) return "there is no such file";
  return `mcp.servers.allow: ${mcp?.join(", ") ?? "no list"}; models.providers.allow: ${models?.join(", ") ?? "no list"}`;
}
