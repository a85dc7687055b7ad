import { describe, expect, it } from "vitest";
import { parseIptablesInput, parseNftRuleset } from "../../../src/scan/firewall-rules.ts";
import { parseExposure, parseUnitProperties } from "../../../src/scan/systemd-unit.ts";

const chain = (family: string, policy: string, hook = "input"): object => ({
  chain: { family, table: "filter", name: hook, handle: 1, type: "filter", hook, prio: 0, policy },
});
const rule = (family: string, ...expr: readonly object[]): object => ({
  rule: { family, table: "filter", chain: "input", handle: 4, expr },
});
const nft = (...items: readonly object[]): string =>
  JSON.stringify({ nftables: [{ metainfo: { version: "1.0.6", json_schema_version: 1 } }, ...items] });
const match = { match: { op: "==", left: { meta: { key: "iifname" } }, right: "lo" } };

describe("nft --json list ruleset", () => {
  it.each([
    ["nothing", nft(), [0, false, false]],
    ["one table for both that drops", nft(chain("inet", "drop")), [0, true, true]],
    ["IPv4 alone", nft(chain("ip", "drop"), chain("ip6", "accept")), [0, true, false]],
    ["a policy that accepts", nft(chain("inet", "accept"), rule("inet", match, { accept: null })), [1, false, false]],
    [
      "a last rule that drops all",
      nft(chain("inet", "accept"), rule("inet", { counter: {} }, { drop: null })),
      [1, true, true],
    ],
    [
      "a last rule that drops some",
      nft(chain("inet", "accept"), rule("inet", match, { drop: null })),
      [1, false, false],
    ],
    ["a chain for what goes out", nft(chain("inet", "drop", "output")), [0, false, false]],
  ])("with %s", (_what, text, [rules, ipv4, ipv6]) => {
    expect(parseNftRuleset(text)).toEqual({ rules, ipv4_drops: ipv4, ipv6_drops: ipv6 });
  });

  it.each(["", "{}", "[]", '{"nftables":{}}', "netlink: Error: cache initialization failed"])("refuses %j", (text) => {
    expect(parseNftRuleset(text)).toBeNull();
  });
});

describe("iptables -S INPUT", () => {
  it.each([
    ["-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n", { rules: 1, drops: true }],
    ["-P INPUT ACCEPT\n", { rules: 0, drops: false }],
    [
      "-P INPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-port-unreachable\n",
      { rules: 2, drops: true },
    ],
    ["-P INPUT ACCEPT\n-A INPUT -s 10.0.0.0/8 -j DROP\n", { rules: 1, drops: false }],
    ["iptables: Permission denied\n", null],
  ])("%j", (text, expected) => {
    expect(parseIptablesInput(text)).toEqual(expected);
  });
});

describe("systemctl show", () => {
  const text =
    "LoadState=loaded\nUser=openclaw\nNoNewPrivileges=yes\nProtectSystem=strict\nPrivateTmp=yes\nRestart=always\nStartLimitBurst=5\n";
  it("gives the directives of a loaded unit", () => {
    expect(parseUnitProperties(text)).toEqual({
      user: "openclaw",
      no_new_privileges: true,
      protect_system: "strict",
      private_tmp: true,
      restart_limited: true,
    });
  });

  it.each([text.replace("loaded", "not-found"), "", "NoNewPrivileges=yes\n", text.replace("PrivateTmp=yes\n", "")])(
    "gives nothing for %j",
    (bad) => {
      expect(parseUnitProperties(bad)).toBeNull();
    },
  );

  it("gives the figure at the end of systemd-analyze security", () => {
    expect(
      parseExposure("  NAME DESCRIPTION EXPOSURE\n\n→ Overall exposure level for a.service: 9.2 UNSAFE 😨\n"),
    ).toBe(9.2);
    expect(parseExposure("→ Overall exposure level for a.service: 10 UNSAFE\n")).toBe(10);
    expect(parseExposure("→ Overall exposure level for a.service: 99 UNSAFE\n")).toBeNull();
    expect(parseExposure("Failed to connect to bus")).toBeNull();
  });
});
