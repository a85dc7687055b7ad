import type {
  Connection,
  EgressReport,
  FindingProcess,
  Listener,
  NetworkFinding,
  PortReport,
  Protocol,
  Scope,
} from "../core/network.ts";

/** Whether a reviewed rule covers a socket. `none-needed`: the allowlist is not about this kind of connection. */
export type ApprovalState = "no" | "unknown" | "yes" | "none-needed";

export const APPROVAL_LABEL: Readonly<Record<ApprovalState, string>> = {
  no: "no",
  unknown: "unknown",
  yes: "yes",
  "none-needed": "not egress",
};

export interface Reviewed<T> {
  readonly socket: T;
  readonly approval: ApprovalState;
}

const ORDER: readonly ApprovalState[] = ["no", "unknown", "yes", "none-needed"];
const WIDEST_FIRST: readonly Scope[] = ["all-interfaces", "public", "private", "loopback"];

/**
 * The listeners of a report with their approval, unapproved and widest first. Approval is read off
 * the findings: two processes on one address share the worse answer, and without a baseline there is none.
 */
export function reviewListeners(report: PortReport): readonly Reviewed<Listener>[] {
  const worst = worstByKey(report.findings, ["unapproved-port"], (finding) =>
    keyOf(finding.protocol, finding.bind_address, finding.port),
  );
  const folded = worstByKey(
    report.findings.filter(({ more }) => more !== undefined),
    ["unapproved-port"],
    (finding) => programKey(finding.process),
  );
  return report.listening_services
    .map((socket) => ({
      socket,
      approval:
        worst.get(keyOf(socket.protocol, socket.address, socket.port)) ??
        folded.get(programKey(socket)) ??
        (report.approved_file === null ? ("no" as const) : ("yes" as const)),
    }))
    .toSorted(
      (a, b) =>
        ORDER.indexOf(a.approval) - ORDER.indexOf(b.approval) ||
        WIDEST_FIRST.indexOf(a.socket.scope) - WIDEST_FIRST.indexOf(b.socket.scope) ||
        a.socket.port - b.socket.port,
    );
}

/**
 * The connections of a report with their approval, unapproved first. One finding stands for every
 * socket of one program to one destination, so a name with several addresses shares one answer.
 */
export function reviewConnections(report: EgressReport): readonly Reviewed<Connection>[] {
  const worst = worstByKey(report.findings, ["unapproved-egress", "metadata-endpoint"], (finding) =>
    destinationKey(finding, finding.remote_host ?? finding.remote_ip, finding.remote_port, finding.process),
  );
  const folded = worstByKey(
    report.findings.filter(({ more }) => more !== undefined),
    ["unapproved-egress", "metadata-endpoint"],
    (finding) => programKey(finding.process),
  );
  return report.connections
    .map((socket) => ({
      socket,
      approval:
        worst.get(destinationKey(socket, socket.remote_host ?? socket.remote_ip, socket.remote_port, socket)) ??
        unremarked(socket, report, folded.get(programKey(socket))),
    }))
    .toSorted(
      (a, b) =>
        ORDER.indexOf(a.approval) - ORDER.indexOf(b.approval) ||
        compareText(a.socket.remote_ip, b.socket.remote_ip) ||
        a.socket.remote_port - b.socket.remote_port,
    );
}

/** What no finding means: not egress at all, or approved, which only an allowlist can have done. */
function unremarked(
  { direction, category }: Connection,
  report: EgressReport,
  folded: ApprovalState | undefined,
): ApprovalState {
  if (direction === "inbound" || direction === "local" || category === "loopback") return "none-needed";
  if (folded !== undefined) return folded;
  return report.allowlist_file === null ? "no" : "yes";
}

/** With a finding that stands for others, no finding of its own means nothing about a socket of that program. */
function programKey({ exe, name, user }: Pick<FindingProcess, "exe" | "name" | "user">): string {
  return exe === null ? keyOf(null, name, user) : keyOf(exe);
}

function destinationKey(
  { protocol }: { readonly protocol: Protocol },
  destination: string | undefined,
  port: number | undefined,
  process: FindingProcess,
): string {
  return keyOf(protocol, destination ?? "", port ?? 0, process.exe ?? process.name ?? process.user);
}

/** Other findings (an insecure protocol, a public bind) say nothing about approval. */
function worstByKey(
  findings: readonly NetworkFinding[],
  unapproved: readonly NetworkFinding["type"][],
  key: (finding: NetworkFinding) => string,
): ReadonlyMap<string, ApprovalState> {
  const worst = new Map<string, ApprovalState>();
  for (const finding of findings) {
    if (unapproved.includes(finding.type)) worst.set(key(finding), "no");
    else if (finding.type === "unverifiable" && !worst.has(key(finding))) worst.set(key(finding), "unknown");
  }
  return worst;
}

function keyOf(...parts: readonly (string | number | null)[]): string {
  return JSON.stringify(parts);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
