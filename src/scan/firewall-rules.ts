/** What comes in from outside, as a firewall's rules decide it. */
export interface InboundRules {
  readonly rules: number;
  readonly ipv4_drops: boolean;
  readonly ipv6_drops: boolean;
}

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly policy: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads `nft --json list ruleset`. A base chain of the input hook drops by default when its policy is
 * drop, or when its last rule drops or rejects without a condition.
 * @returns null when it is not what nft writes
 */
export function parseNftRuleset(text: string): InboundRules | null {
  const items = itemsOf(text);
  if (items === null) return null;
  const chains: Chain[] = [];
  for (const item of items) {
    const chain = recordOf(item["chain"]);
    if (chain?.["hook"] === "input" && chain["type"] === "filter") {
      const [family, table, name] = ["family", "table", "name"].map((key) => String(chain[key]));
      chains.push({ family: family ?? "", table: table ?? "", name: name ?? "", policy: String(chain["policy"]) });
    }
  }
  const rules = items.map((item) => recordOf(item["rule"])).filter((rule) => rule !== null);
  const of = (chain: Chain): readonly Json[] =>
    rules.filter(
      ({ family, table, chain: name }) => family === chain.family && table === chain.table && name === chain.name,
    );
  const drops = (family: string): boolean =>
    chains.some(
      (chain) =>
        (chain.family === family || chain.family === "inet") && (chain.policy === "drop" || endsInDrop(of(chain))),
    );
  return {
    rules: chains.reduce((sum, chain) => sum + of(chain).length, 0),
    ipv4_drops: drops("ip"),
    ipv6_drops: drops("ip6"),
  };
}

function itemsOf(text: string): readonly Json[] | null {
  try {
    const root = recordOf(JSON.parse(text));
    const items: unknown = root?.["nftables"];
    if (!Array.isArray(items)) return null;
    return (items as readonly unknown[]).map(recordOf).filter((item) => item !== null);
  } catch {
    return null;
  }
}

function endsInDrop(rules: readonly Json[]): boolean {
  const parts: unknown = rules.at(-1)?.["expr"];
  if (!Array.isArray(parts)) return false;
  // Counting and logging are no conditions.
  const kinds = (parts as readonly unknown[]).flatMap((part) => Object.keys(recordOf(part) ?? { unknown: null }));
  const last = kinds.at(-1);
  return (
    (last === "drop" || last === "reject") && kinds.slice(0, -1).every((kind) => kind === "counter" || kind === "log")
  );
}

/** Reads `iptables -S INPUT` of one protocol. */
export function parseIptablesInput(text: string): { readonly rules: number; readonly drops: boolean } | null {
  const policy = /^-P INPUT (ACCEPT|DROP|REJECT)$/m.exec(text)?.[1];
  if (policy === undefined) return null;
  const rules = text.split("\n").filter((line) => line.startsWith("-A INPUT "));
  const last = rules.at(-1) ?? "";
  return { rules: rules.length, drops: policy !== "ACCEPT" || /^-A INPUT -j (?:DROP|REJECT)(?: |$)/.test(last) };
}

function recordOf(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}
