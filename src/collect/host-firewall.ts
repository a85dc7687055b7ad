import { type Evidence, measured, type Unmeasured, unmeasured } from "../core/evidence.ts";
import type { HostFirewall } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { parseIptablesInput, parseNftRuleset } from "../scan/firewall-rules.ts";

export interface FirewallOptions {
  readonly now: () => EpochMs;
  readonly isRoot: boolean;
  readonly platform: string;
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
}

const LIMITS = { timeoutMs: 4_000, maxBytes: 33_554_432 } as const;

/** The kernel's rules for what comes in: nftables, or iptables where that is all there is. Only root may read them. */
export async function collectHostFirewall(options: FirewallOptions): Promise<Evidence<HostFirewall>> {
  const { now, isRoot, platform, locateTool } = options;
  const at = isoFromEpoch(now());
  if (platform !== "linux") {
    return unmeasured("platform-unsupported", "Only the firewall of Linux can be looked at", "firewall", at);
  }
  const [nft, iptables, ip6tables] = await Promise.all(
    ["nft", "iptables", "ip6tables"].map(async (name) => await locateTool(name)),
  );
  if (nft === null && iptables === null) {
    return unmeasured(
      "tool-missing",
      "Neither nft nor iptables is installed, so the kernel's rules cannot be read",
      "nft, iptables",
      at,
    );
  }
  if (!isRoot) return unmeasured("permission-denied", "Only root may read the firewall's rules", "nft, iptables", at);
  if (nft !== undefined && nft !== null) {
    const result = await options.runTool({ file: nft, args: ["--json", "list", "ruleset"], ...LIMITS });
    const rules = result.kind === "done" && result.exitCode === 0 ? parseNftRuleset(result.stdout) : null;
    if (rules === null) return failed("nft list ruleset", result, at);
    // Rules of the older kernel interface are not in it.
    if (rules.rules > 0 || rules.ipv4_drops || rules.ipv6_drops || iptables === null) {
      return measured({ tool: "nft", ...rules }, "nft list ruleset", at);
    }
  }
  return await askIptables(options, iptables ?? null, ip6tables ?? null, at);
}

async function askIptables(
  { runTool }: FirewallOptions,
  iptables: string | null,
  ip6tables: string | null,
  at: string,
): Promise<Evidence<HostFirewall>> {
  const ask = async (file: string | null) => {
    if (file === null) return null;
    const result = await runTool({ file, args: ["-S", "INPUT"], ...LIMITS });
    return result.kind === "done" && result.exitCode === 0 ? parseIptablesInput(result.stdout) : null;
  };
  const [four, six] = await Promise.all([ask(iptables), ask(ip6tables)]);
  if (four === null || six === null) {
    return unmeasured("tool-failed", "iptables and ip6tables did not both give their rules", "iptables -S INPUT", at);
  }
  const value = { tool: "iptables", rules: four.rules + six.rules, ipv4_drops: four.drops, ipv6_drops: six.drops };
  return measured(value, "iptables -S INPUT, ip6tables -S INPUT", at);
}

function failed(source: string, result: Awaited<ReturnType<RunTool>>, at: string): Unmeasured {
  if (result.kind === "failed") return unmeasured(result.code, result.message, source, at);
  return unmeasured("tool-failed", `${source} gave no rules (exit ${result.exitCode})`, source, at);
}
