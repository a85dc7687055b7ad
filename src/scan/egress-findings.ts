import { bindScope } from "../core/address.ts";
import type { EgressVerdict, UnverifiableReason } from "../core/egress.ts";
import type { Connection, EgressFindingType, NetworkFinding } from "../core/network.ts";
import { compareRisk, type Risk } from "../core/risk.ts";
import { clip, escapeControl, plural } from "../core/text.ts";
import type { EgressRule } from "../schema/egress-allowlist.ts";
import { foldAlike, programOf, withMore } from "./fold-findings.ts";

/** A connection, with its name filled in as far as it is known, and what the allowlist says about it. */
export interface JudgedConnection {
  readonly connection: Connection;
  readonly verdict: EgressVerdict;
}

type OpenVerdict = Extract<EgressVerdict, { kind: "unapproved" | "unverifiable" }>;

interface Group {
  readonly type: EgressFindingType;
  readonly verdict: OpenVerdict;
  readonly connections: [Connection, ...Connection[]];
}

/** Ports that nearly every host talks to: DNS, HTTP, NTP, HTTPS, DNS over TLS. */
const USUAL_PORTS = new Set([53, 80, 123, 443, 853]);

/** Folders anyone can write to; a program that runs from there was not installed. */
const SCRATCH = /^(?:\/tmp|\/var\/tmp|\/dev\/shm)\/|^\/memfd:/;

/**
 * Findings for everything the allowlist does not approve, worst first. Sockets of one executable to
 * one destination and port are one finding, however many there are. `port` and `scope` describe the
 * remote end (the local port is chosen anew each time), `bind_address` the local one.
 *
 * Risk: an installed program on a usual port of a public address is medium, any other public port
 * high; private, CGNAT, link-local and multicast destinations are low. A program that was deleted or
 * runs from a scratch folder is high wherever it goes, and so is the cloud metadata service.
 * @param rules for naming the rule that came closest
 */
export function checkEgress(judged: readonly JudgedConnection[], rules: readonly EgressRule[]): NetworkFinding[] {
  const groups = new Map<string, Group>();
  for (const { connection, verdict } of judged) {
    if (verdict.kind !== "unapproved" && verdict.kind !== "unverifiable") continue;
    const type = typeOf(connection, verdict);
    const why = verdict.kind === "unapproved" ? verdict.reason : verdict.why;
    const key = `${type}\n${why}\n${targetOf(connection)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { type, verdict, connections: [connection] });
    else group.connections.push(connection);
  }
  const sorted = [...groups.values()]
    .map((group) => ({ group, risk: riskOf(group), target: targetOf(group.connections[0]) }))
    .toSorted(
      (a, b) =>
        compareRisk(a.risk, b.risk) || compareText(a.target, b.target) || compareText(a.group.type, b.group.type),
    );
  return foldAlike(sorted, ({ group }) => `${group.type} ${programOf(group.connections[0])}`).map(({ item, more }) =>
    withMore(findingOf(item.group, rules), more),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function typeOf(connection: Connection, verdict: OpenVerdict): EgressFindingType {
  if (connection.category === "metadata") return "metadata-endpoint";
  return verdict.kind === "unapproved" ? "unapproved-egress" : "unverifiable";
}

/** The same in every run: no pid, no local port. */
function targetOf(connection: Connection): string {
  return escapeControl(`${connection.protocol} ${remoteOf(connection)} ${processOf(connection)}`);
}

function remoteOf(connection: Connection): string {
  const { remote_host: host, remote_ip: ip, remote_port: port } = connection;
  return `${host ?? (ip.includes(":") ? `[${ip}]` : ip)}:${port}`;
}

function processOf(connection: Connection): string {
  if (connection.exe !== null) return connection.exe;
  if (connection.name !== null) return `process ${connection.name}`;
  return connection.user === null ? "unknown process" : `unknown process of ${connection.user}`;
}

function findingOf(group: Group, rules: readonly EgressRule[]): NetworkFinding {
  const [first] = group.connections;
  const rule = rules.find((known) => known.index === group.verdict.rule) ?? null;
  const remote = clip(remoteOf(first), 280);
  const by = clip(processOf(first), 200);
  return {
    check_id: "egress_connections_approved",
    type: group.type,
    status: group.type === "unverifiable" ? "not_assessed" : "violation",
    risk: riskOf(group),
    title: titleOf(group.type, remote, by),
    evidence: evidenceOf(group.connections),
    why: whyOf(group, rule),
    mitigation: mitigationOf(group),
    target: targetOf(first),
    ...ownerOf(rule),
    port: first.remote_port,
    protocol: first.protocol,
    bind_address: first.local_address,
    scope: bindScope(first.remote_ip),
    process: {
      pid: first.pid,
      name: first.name,
      exe: first.exe,
      user: first.user,
      unit: first.unit,
      container: first.container,
    },
    remote_host: first.remote_host,
    remote_ip: first.remote_ip,
    remote_port: first.remote_port,
  };
}

function ownerOf(rule: EgressRule | null): { owner?: string } {
  return rule === null || rule.owner === null ? {} : { owner: rule.owner };
}

function titleOf(type: EgressFindingType, remote: string, by: string): string {
  switch (type) {
    case "metadata-endpoint":
      return `Connection to the cloud metadata service ${remote} by ${by}`;
    case "unapproved-egress":
      return `Unapproved connection to ${remote} by ${by}`;
    case "unverifiable":
      return `Connection to ${remote} by ${by} cannot be verified`;
  }
}

function riskOf(group: Group): Risk {
  const [first] = group.connections;
  if (group.type === "metadata-endpoint") return "high";
  const { verdict } = group;
  if (verdict.kind === "unverifiable" && (verdict.why === "owner-unknown" || verdict.why === "executable-deleted")) {
    // The destination is approved; what is open is which program uses it. Closed sockets have no owner.
    return group.connections.every((connection) => connection.state === "TIME_WAIT") ? "low" : "medium";
  }
  if (group.connections.some((connection) => connection.exe_deleted === true) || SCRATCH.test(first.exe ?? "")) {
    return "high";
  }
  switch (first.category) {
    case "loopback":
    case "private":
    case "cgnat":
    case "link-local":
    case "multicast":
      return "low";
    case "public":
    case "reserved":
    case "unspecified":
    case "metadata":
      return USUAL_PORTS.has(first.remote_port) ? "medium" : "high";
  }
}

function evidenceOf(connections: Group["connections"]): string {
  const [first] = connections;
  const name = first.remote_host === null ? "no known name" : `${clip(first.remote_host, 253)}, ${sourceOf(first)}`;
  const states = new Map<string, number>();
  for (const { state } of connections) states.set(state, (states.get(state) ?? 0) + 1);
  const counts = [...states]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([state, count]) => `${count} ${clip(state, 20)}`);
  const owner = [
    first.exe === null ? null : `executable ${first.exe}${first.exe_deleted === true ? " (deleted)" : ""}`,
    first.name === null ? null : `name ${first.name}`,
    first.user === null ? null : `user ${first.user}`,
    first.unit === null ? null : `unit ${first.unit}`,
    first.container === null ? null : `container ${first.container.slice(0, 12)}`,
    first.unknown_reason,
  ].filter((part) => part !== null);
  return [
    `${first.protocol} to ${first.remote_ip} port ${first.remote_port} (${name}; ${first.category} address)`,
    `${plural(connections.length, "connection")}: ${counts.join(", ")}`,
    ...owner.map((part) => clip(part, 200)),
    ...(first.direction === "unknown" ? ["which side opened it could not be told"] : []),
  ].join("; ");
}

function sourceOf(connection: Connection): string {
  return connection.host_source === "recorder" ? "seen when it was opened" : "by resolving the allowlist's names now";
}

const UNVERIFIABLE: Readonly<Record<UnverifiableReason, string>> = {
  "owner-unknown": "the rule names a program, and which program holds this connection could not be seen",
  "executable-deleted":
    "the program the rule names was replaced or deleted while it runs, so it is not the approved file",
  "host-unknown": "the rule wants a host name, and only the address is known (reverse DNS proves nothing)",
  "host-unresolved": "the rule's host name could not be resolved, so its addresses are not known now",
};

function whyOf(group: Group, rule: EgressRule | null): string {
  const { verdict } = group;
  const named = rule === null ? "" : `rule ${rule.index} (${describeDestination(rule)})`;
  const reason =
    verdict.kind === "unverifiable"
      ? `${named} might approve it, but ${UNVERIFIABLE[verdict.why]}.`
      : unapprovedReason(verdict.reason, named);
  const text = `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}`;
  return group.type === "metadata-endpoint"
    ? `The metadata service hands out the host's cloud credentials to whoever asks. ${text}`
    : text;
}

function unapprovedReason(reason: Extract<OpenVerdict, { kind: "unapproved" }>["reason"], rule: string): string {
  switch (reason) {
    case "no-rule":
      return "No reviewed rule of the egress allowlist covers this destination.";
    case "other-port":
      return `${rule} covers the destination, but not this port.`;
    case "other-process":
      return `${rule} covers the destination, but for another program.`;
  }
}

/** E.g. "host api.example.com"; for messages. */
export function describeDestination(rule: EgressRule): string {
  const { destination } = rule;
  switch (destination.kind) {
    case "host":
      return `host ${destination.host}`;
    case "suffix":
      return `host_suffix ${destination.includesDomain ? "" : "."}${destination.domain}`;
    case "regex":
      return `host_regex ${clip(destination.pattern, 80)}`;
    case "cidr":
      return `cidr ${destination.cidr.text}`;
  }
}

function mitigationOf(group: Group): string {
  const { verdict } = group;
  if (group.type === "metadata-endpoint") {
    return "Block the address for this account or require session tokens (IMDSv2 with a hop limit of 1); if the program needs it, add a rule with exactly this address as `cidr` and the program as `exe`.";
  }
  if (verdict.kind === "unapproved") {
    return "If it is wanted, take the rule that `cse allowlist suggest` proposes, review it and set `reviewed` to true; if not, stop the program and find out what started it.";
  }
  switch (verdict.why) {
    case "owner-unknown":
      return "Run the scan as root to see the owner of every socket.";
    case "executable-deleted":
      return "Restart the program so that it runs the installed file, then scan again.";
    case "host-unknown":
      return "Name the hosts one by one with `host`, or their networks with `cidr`, so that addresses can be compared.";
    case "host-unresolved":
      return "Check name resolution on this host, then scan again.";
  }
}
