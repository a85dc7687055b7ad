import type { Listener, NetworkFinding, PortFindingType, Scope } from "../core/network.ts";
import { compareRisk, type Risk } from "../core/risk.ts";
import { clip, escapeControl } from "../core/text.ts";
import type { PortVerdict, UnapprovedReason } from "../schema/approved-ports.ts";
import type { InsecurePort, InsecurePortTable } from "../schema/insecure-ports.ts";
import { foldAlike, programOf, withMore } from "./fold-findings.ts";

/** Risk of a listener nobody approved, by who can reach it. */
const EXPOSURE_RISK: Readonly<Record<Scope, Risk>> = {
  loopback: "low",
  private: "medium",
  public: "high",
  "all-interfaces": "high",
};

const AUDIENCE: Readonly<Record<Scope, string>> = {
  loopback: "this host only",
  private: "the local network",
  public: "the internet",
  "all-interfaces": "every interface",
};

const REACH: Readonly<Record<Scope, string>> = {
  loopback: "Every process of this host can reach it.",
  private: "Every machine of the local network can reach it.",
  public: "It is bound to a public address, so only a firewall keeps the internet away.",
  "all-interfaces": "It is bound to all interfaces, so only a firewall keeps anyone away.",
};

const TYPE_ORDER: readonly PortFindingType[] = [
  "unapproved-port",
  "insecure-port",
  "public-bind",
  "deleted-executable",
  "unverifiable",
];

/** Folders anyone may write to, and memory: a deleted program that ran from there was not upgraded, it hides. */
const SCRATCH = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/memfd:"] as const;

type Unapproved = Extract<PortVerdict, { kind: "unapproved" }>;

/** A listener with what the baseline says about it. */
export interface JudgedListener {
  readonly listener: Listener;
  readonly verdict: PortVerdict;
}

/**
 * Findings for listeners, worst first, in an order that does not depend on the order of the input.
 * The same finding for several sockets of one program (SO_REUSEPORT) appears once.
 */
export function checkPorts(judged: readonly JudgedListener[], table: InsecurePortTable): NetworkFinding[] {
  const insecure = new Map(table.ports.map((entry) => [`${entry.protocol} ${entry.port}`, entry]));
  const byKey = new Map<string, NetworkFinding>();
  for (const { listener, verdict } of judged) {
    const entry = insecure.get(`${listener.protocol} ${listener.port}`);
    const found = [
      checkApproval(listener, verdict),
      entry === undefined ? null : checkInsecure(listener, entry, table),
      checkPublicBind(listener, verdict),
      checkDeleted(listener),
    ];
    for (const finding of found) {
      if (finding === null) continue;
      const key = `${finding.type} ${finding.status} ${finding.target}`;
      if (!byKey.has(key)) byKey.set(key, finding);
    }
  }
  const sorted = [...byKey.values()].toSorted(compareFindings);
  return foldAlike(sorted, kindOf).map(({ item, more }) => withMore(item, more));
}

/** Who can reach it and what is known of it must not be lost in folding: a control is judged by both. */
function kindOf({ type, status, scope, process }: NetworkFinding): string {
  return `${type} ${status} ${scope} ${programOf(process)}`;
}

function checkApproval(listener: Listener, verdict: PortVerdict): NetworkFinding | null {
  if (verdict.kind === "unapproved") return unapproved(listener, verdict);
  if (verdict.kind === "unverifiable") {
    return findingFor(listener, {
      type: "unverifiable",
      status: "not_assessed",
      risk: EXPOSURE_RISK[listener.scope],
      title: `Cannot verify who listens on ${placeOf(listener)}`,
      evidence: `${describe(listener)}; ${verdict.detail}`,
      why: "A rule covers this port, but whether the approved program holds it cannot be known.",
      mitigation: "Run the scan as root, or as the user that owns the process, to see its executable.",
    });
  }
  if (verdict.basis !== "kernel-name") return null;
  return findingFor(listener, {
    type: "unverifiable",
    status: "partial",
    risk: "low",
    title: `Approved by name only on ${placeOf(listener)}`,
    evidence: `${describe(listener)}; its executable is unknown and its name matches the rule`,
    why: "A process chooses its own name, so the name alone does not prove which program this is.",
    mitigation: "Run the scan as root to see the executable, and name it with `exe` in the rule.",
  });
}

function unapproved(listener: Listener, verdict: Unapproved): NetworkFinding {
  const owner = verdict.nearest?.owner ?? null;
  return findingFor(listener, {
    type: "unapproved-port",
    status: "violation",
    risk: EXPOSURE_RISK[listener.scope],
    title: `Unapproved listener on ${placeOf(listener)}`,
    evidence: `${describe(listener)}; ${verdict.detail}`,
    why: `Unapproved: ${verdict.detail}. ${REACH[listener.scope]}`,
    mitigation: approvalStep(listener, verdict.reason),
    ...(owner === null ? {} : { owner }),
  });
}

function checkInsecure(listener: Listener, entry: InsecurePort, table: InsecurePortTable): NetworkFinding | null {
  const risk = entry.severity[listener.scope === "all-interfaces" ? "public" : listener.scope];
  if (risk === null) return null;
  const usual = entry.assigned ? `port of ${entry.service}` : `usual port of ${entry.service}, by convention`;
  return findingFor(listener, {
    type: "insecure-port",
    status: "violation",
    risk,
    title: `Insecure port ${listener.port}/${listener.protocol} (${entry.service}) reachable from ${AUDIENCE[listener.scope]}`,
    evidence: `${describe(listener)}; ${usual}, class ${entry.class}`,
    why: `${entry.why} ${table.classes[entry.class]}`,
    mitigation: entry.replace_with,
  });
}

function checkPublicBind(listener: Listener, verdict: PortVerdict): NetworkFinding | null {
  if (listener.scope !== "all-interfaces" && listener.scope !== "public") return null;
  // Someone reviewed exactly this exposure. A rule without a bind scope (the original's form) never says so.
  if (verdict.kind === "approved" && verdict.rule.bind.kind !== "any") return null;
  return findingFor(listener, {
    type: "public-bind",
    status: "violation",
    risk: "medium",
    title: `${placeOf(listener)} is reachable from ${AUDIENCE[listener.scope]}`,
    evidence: `${describe(listener)}${listener.dual_stack === true ? "; takes IPv4 as well" : ""}`,
    why: `${REACH[listener.scope]} No reviewed rule approves this exposure.`,
    mitigation:
      "Bind the service to 127.0.0.1 or ::1, or to one private address. If everyone must reach it, review a rule with this scope.",
  });
}

function checkDeleted(listener: Listener): NetworkFinding | null {
  if (listener.exe_deleted !== true) return null;
  const exe = listener.exe ?? "";
  const isScratch = SCRATCH.some((folder) => exe.startsWith(folder));
  return findingFor(listener, {
    type: "deleted-executable",
    status: "violation",
    risk: isScratch ? "high" : "medium",
    title: `The program listening on ${placeOf(listener)} was deleted or replaced`,
    evidence: `${describe(listener)}; its executable is no longer on disk`,
    why: isScratch
      ? "It ran from memory or from a folder that anyone may write to, and nothing is left to inspect: intruders work like that."
      : "What runs is not what is installed: after an upgrade the old code, with its flaws, keeps serving; an intruder hides the same way.",
    mitigation: `${restartStep(listener.unit)}; otherwise keep a copy of /proc/<pid>/exe and stop it.`,
  });
}

/** What systemd lets a unit be called. */
const UNIT_NAME = /^[\w:.@\\-]{1,255}$/;

/**
 * A unit of a user's own stands behind that user's manager, and its name is that user's choice: what
 * could mean something to a shell is not made into a command for somebody to copy.
 */
function restartStep(unit: string | null): string {
  const name = unit?.slice(unit.lastIndexOf("/") + 1) ?? "";
  if (unit === null || !UNIT_NAME.test(name)) return "Restart the program if an upgrade explains it";
  return `If an upgrade explains it: systemctl ${unit === name ? "" : "--user "}restart ${name}`;
}

function approvalStep(listener: Listener, reason: UnapprovedReason): string {
  const unit = listener.unit === null ? "" : ` (unit ${clip(listener.unit, 120)})`;
  const steps: Record<UnapprovedReason, string> = {
    "no-baseline": "Create a baseline with `cse baseline generate`, then go through it with `cse baseline review`.",
    "no-rule": `Stop it if nobody needs it${unit}; otherwise add it with \`cse baseline generate\` and approve it with \`cse baseline review\`.`,
    unreviewed: `Stop it if nobody needs it${unit}; otherwise approve its entry with \`cse baseline review\`.`,
    expired: `Stop it if nobody needs it${unit}; otherwise renew its rule with \`cse baseline review\`.`,
    "other-bind":
      "Bind it as the rule says; or add the new bind with `cse baseline generate` and approve it with `cse baseline review`.",
    "other-process":
      "Find out why another program holds this port; if that is intended, add it with `cse baseline generate` and approve it with `cse baseline review`.",
  };
  return steps[reason];
}

interface Judgement {
  readonly type: PortFindingType;
  readonly status: NetworkFinding["status"];
  readonly risk: Risk;
  readonly title: string;
  readonly evidence: string;
  readonly why: string;
  readonly mitigation: string;
  readonly owner?: string;
}

function findingFor(listener: Listener, judgement: Judgement): NetworkFinding {
  const { pid, name, exe, user, unit, container } = listener;
  return {
    check_id: judgement.type === "insecure-port" ? "insecure_ports_remediated" : "open_ports_approved",
    ...judgement,
    target: `${placeOf(listener)} ${escapeControl(exe ?? name ?? "unknown process")}`,
    port: listener.port,
    protocol: listener.protocol,
    bind_address: listener.address,
    scope: listener.scope,
    process: { pid, name, exe, user, unit, container },
  };
}

/** "tcp 0.0.0.0:80", "udp [::1]:53", "tcp 0.0.0.0%eth0:80". */
function placeOf(listener: Listener): string {
  const device = listener.device === null ? "" : `%${clip(listener.device, 40)}`;
  const address = `${listener.address}${device}`;
  return `${listener.protocol} ${listener.address.includes(":") ? `[${address}]` : address}:${listener.port}`;
}

function describe(listener: Listener): string {
  const program = listener.exe ?? listener.name;
  const who = program === null ? "unknown process" : clip(program, 200);
  const user = listener.user ?? (listener.uid === null ? null : `uid ${listener.uid}`);
  return [
    `${placeOf(listener)} (${listener.scope}) held by ${who}`,
    user === null ? "" : ` as ${clip(user, 60)}`,
    listener.unit === null ? "" : ` in ${clip(listener.unit, 120)}`,
    listener.container === null ? "" : ` in container ${clip(listener.container, 80)}`,
    listener.unknown_reason === null ? "" : ` (${clip(listener.unknown_reason, 160)})`,
  ].join("");
}

function compareFindings(a: NetworkFinding, b: NetworkFinding): number {
  return (
    compareRisk(a.risk, b.risk) ||
    orderOf(a) - orderOf(b) ||
    compareText(a.protocol, b.protocol) ||
    a.port - b.port ||
    compareText(a.target, b.target) ||
    compareText(a.status, b.status)
  );
}

function orderOf(finding: NetworkFinding): number {
  return TYPE_ORDER.findIndex((type) => type === finding.type);
}

/** By code unit, so that the order is the same in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
