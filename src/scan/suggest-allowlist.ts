import { isoDateFromEpoch } from "../core/time.ts";
import { parseHostName } from "../core/host-name.ts";
import type { Connection } from "../core/network.ts";
import { isCanonicalPath } from "../core/path.ts";
import { clip, plural } from "../core/text.ts";
import type { EgressRule, EgressRuleRecord } from "../schema/egress-allowlist.ts";
import type { JudgedConnection } from "./egress-findings.ts";

/**
 * Proposes one rule for each program, destination and port that no rule covers yet, in a stable
 * order. Every proposal has `reviewed: false`, so the file that holds it approves nothing more than
 * before. The metadata service is never proposed: that rule should be somebody's own idea.
 * @param existing the rules there are; what they already say, reviewed or not, is not proposed again
 */
export function suggestAllowlist(
  judged: readonly JudgedConnection[],
  existing: readonly EgressRule[],
): EgressRuleRecord[] {
  const seen = new Map<string, { record: EgressRuleRecord; connections: Connection[] }>();
  for (const { connection, verdict } of judged) {
    const isOpen = verdict.kind === "unapproved" || (verdict.kind === "unverifiable" && verdict.why === "host-unknown");
    if (!isOpen || connection.category === "metadata") continue;
    const record = proposalFor(connection);
    const key = keyOf(record);
    const entry = seen.get(key);
    if (entry === undefined) seen.set(key, { record, connections: [connection] });
    else entry.connections.push(connection);
  }
  const known = new Set(existing.map((rule) => keyOf(recordOf(rule))));
  return [...seen]
    .filter(([key]) => !known.has(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { record, connections }]) => ({ ...record, comment: commentOn(connections) }));
}

function proposalFor(connection: Connection): EgressRuleRecord {
  const host = connection.remote_host === null ? null : parseHostName(connection.remote_host);
  const bits = connection.remote_ip.includes(":") ? 128 : 32;
  return {
    ...(host === null ? { cidr: `${connection.remote_ip}/${bits}` } : { host }),
    protocol: connection.protocol,
    port: connection.remote_port,
    ...(hasUsableExe(connection) ? { exe: connection.exe } : {}),
    reviewed: false,
  };
}

function hasUsableExe(connection: Connection): connection is Connection & { exe: string } {
  const { exe } = connection;
  return exe !== null && connection.exe_deleted !== true && exe.length <= 1000 && isCanonicalPath(exe);
}

function keyOf(record: EgressRuleRecord): string {
  const destination = record.host ?? record.host_suffix ?? record.host_regex ?? record.cidr;
  const ports = record.ports ?? record.port;
  return [record.exe ?? "", record.command ?? "", destination, record.protocol, ports].join("\n");
}

function commentOn(connections: readonly Connection[]): string {
  const [first] = connections;
  const users = [...new Set(connections.map((connection) => connection.user).filter((user) => user !== null))];
  const units = [...new Set(connections.map((connection) => connection.unit).filter((unit) => unit !== null))];
  return [
    `Seen ${plural(connections.length, "connection")}`,
    ...(users.length === 0 ? [] : [`user ${users.toSorted().join(", ")}`]),
    ...(units.length === 0 ? [] : [`unit ${units.toSorted().join(", ")}`]),
    ...(first === undefined || hasUsableExe(first) ? [] : ["program not known: add `exe`"]),
    ...(first?.remote_host === null ? ["address without a known name: replace it by `host` if you know it"] : []),
  ]
    .map((part) => clip(part, 200))
    .join("; ");
}

/** A rule as v2 writes it. `parseEgressAllowlist` of what `renderAllowlist` gives is the same rule again. */
export function recordOf(rule: EgressRule): EgressRuleRecord {
  const { ports } = rule;
  return {
    ...destinationOf(rule),
    ...(rule.protocol === null ? {} : { protocol: rule.protocol }),
    ...(ports === null
      ? {}
      : ports.first === ports.last
        ? { port: ports.first }
        : { ports: `${ports.first}-${ports.last}` }),
    ...(rule.exe === null ? {} : { exe: rule.exe }),
    ...(rule.command === null ? {} : { command: rule.command }),
    ...(rule.owner === null ? {} : { owner: rule.owner }),
    ...(rule.justification === null ? {} : { justification: rule.justification }),
    ...(rule.expiresAt === null ? {} : { expires: isoDateFromEpoch(rule.expiresAt) }),
    reviewed: rule.reviewed,
    ...(rule.comment === null ? {} : { comment: rule.comment }),
  };
}

function destinationOf({ destination }: EgressRule): EgressRuleRecord {
  switch (destination.kind) {
    case "host":
      return { host: destination.host };
    case "suffix":
      return { host_suffix: `${destination.includesDomain ? "" : "."}${destination.domain}` };
    case "regex":
      return { host_regex: destination.pattern };
    case "cidr":
      return { cidr: destination.cidr.text };
  }
}

/** The text of a v2 allowlist. */
export function renderAllowlist(records: readonly EgressRuleRecord[]): string {
  return `${JSON.stringify({ schemaVersion: 2, rules: records }, null, 2)}\n`;
}
