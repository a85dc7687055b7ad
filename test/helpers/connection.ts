import { categorizeAddress, parseCidr } from "../../src/core/address.ts";
import type { Connection, SocketInventory } from "../../src/core/network.ts";
import type { EgressRule } from "../../src/schema/egress-allowlist.ts";

/** An outbound TCP connection of an installed program to 93.184.215.14:443; the category follows the address. */
export function connectionWith(over: Partial<Connection> = {}): Connection {
  const remote = over.remote_ip ?? "93.184.215.14";
  return {
    protocol: "tcp",
    direction: "outbound",
    local_address: "192.168.1.10",
    local_port: 40_000,
    remote_ip: remote,
    remote_port: 443,
    remote_host: null,
    host_source: null,
    state: "ESTABLISHED",
    category: categorizeAddress(remote),
    pid: 4321,
    name: "curl",
    exe: "/usr/bin/curl",
    exe_deleted: false,
    user: "alice",
    uid: 1000,
    unit: null,
    container: null,
    unknown_reason: null,
    ...over,
  };
}

/** What a socket looks like whose owner could not be seen. */
export const OWNERLESS: Partial<Connection> = {
  pid: null,
  name: null,
  exe: null,
  exe_deleted: null,
  user: null,
  uid: null,
  unknown_reason: "owned by uid 0 (root); run as root to resolve",
};

/** A reviewed rule for 93.184.215.14/32 on every port, unless told otherwise. */
export function egressRuleWith(over: Partial<EgressRule> = {}): EgressRule {
  const cidr = parseCidr("93.184.215.14/32");
  if (cidr === null) throw new Error("the fixture's CIDR does not parse");
  return {
    index: 0,
    destination: { kind: "cidr", cidr },
    protocol: "tcp",
    ports: null,
    exe: null,
    command: null,
    owner: null,
    justification: null,
    reviewed: true,
    expiresAt: null,
    comment: null,
    ...over,
  };
}

export function inventoryOf(connections: readonly Connection[], over: Partial<SocketInventory> = {}): SocketInventory {
  return {
    collector: "proc",
    collected_at: "2026-11-23T08:00:00Z",
    complete: true,
    unresolved: 0,
    denied: 0,
    listeners: [],
    connections,
    problems: [],
    ...over,
  };
}
