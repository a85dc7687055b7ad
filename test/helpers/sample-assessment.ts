import {
  type AssessedCheck,
  type Assessment,
  type AssessmentSummary,
  type AssessmentTotals,
  type CheckStatus,
  STATUSES,
} from "../../src/assess/assessment.ts";
import type { Score } from "../../src/assess/over-time.ts";
import { scoreChecks } from "../../src/assess/score.ts";
import type { Connection, EgressReport, Listener, NetworkFinding, PortReport } from "../../src/core/network.ts";
import { RISKS, type Risk } from "../../src/core/risk.ts";

const AT = "2026-11-23T08:00:00Z";
const STATE = "/home/openclaw/.openclaw";

type Row = readonly [
  id: string,
  title: string,
  status: CheckStatus,
  risk: Risk,
  observed: string,
  expected: string,
  gap: string,
  mitigation: string,
];

const ROWS: readonly Row[] = [
  [
    "channel_allowlist_configured",
    "Only known senders can reach the agent",
    "violation",
    "critical",
    'channels.telegram.dmPolicy is "open" and allowFrom is ["*"]; 1 of 2 channels has an allowlist.',
    "Every enabled channel accepts messages from listed senders or paired devices only.",
    "Anyone who finds the Telegram bot can give the agent instructions.",
    "Run `openclaw config set channels.telegram.dmPolicy pairing` and list the senders in `channels.telegram.allowFrom`.",
  ],
  [
    "gateway_loopback_only",
    "The gateway is not reachable from other machines",
    "violation",
    "high",
    'The gateway (pid 812) listens on 0.0.0.0:18789; gateway.bind is "lan", set explicitly.',
    "The gateway listens on 127.0.0.1 and ::1 only, or behind a proxy that authenticates.",
    "Every machine on the network can open a session with the gateway.",
    "Run `openclaw config set gateway.bind loopback`, restart the gateway, then look at `cse scan ports`.",
  ],
  [
    "alternate_privilege_paths_restricted",
    "Other ways to become root are closed",
    "violation",
    "high",
    "The account openclaw may run ALL through sudo without a password and is in the group docker.",
    "No passwordless path leads from the gateway's account to uid 0.",
    "Any command the agent runs can become root without anyone being asked.",
    "Remove NOPASSWD from `/etc/sudoers.d/openclaw` with `visudo`, and take the account out of the docker group.",
  ],
  [
    "insecure_ports_remediated",
    "No service speaks an unencrypted legacy protocol",
    "violation",
    "high",
    "Telnet listens on 0.0.0.0:23.",
    "No telnet, FTP, rsh or similar service listens on a reachable address.",
    "Passwords cross the network as plain text.",
    "Stop it with `systemctl disable --now inetutils-inetd` and use SSH.",
  ],
  [
    "secrets_permissions_hardened",
    "State, config and credentials are readable by their owner only",
    "partial",
    "medium",
    "3 of 214 entries deviate; openclaw.json has mode 0644.",
    "Folders 0700 and files 0600, owned by the gateway's account, without an ACL that grants more.",
    "Other accounts on this host can read the provider keys in the config.",
    "Run `chmod 600 ~/.openclaw/openclaw.json`, then `chmod -R go-rwx ~/.openclaw`.",
  ],
  [
    "open_ports_approved",
    "Every listening service is in the approved baseline",
    "partial",
    "medium",
    "11 of 14 listening sockets are approved.",
    "Each listening socket matches a reviewed rule.",
    "3 listening sockets have no reviewed rule.",
    "Look at each with `cse baseline diff`, stop what is not needed, and approve the rest with `cse baseline review`.",
  ],
  [
    "egress_connections_approved",
    "Observed connections go to approved destinations",
    "partial",
    "medium",
    "21 of 23 outbound connections match the allowlist; one snapshot was taken.",
    "Every outbound connection matches a reviewed rule over at least 60 s.",
    "2 connections go to destinations without a rule.",
    "Check them with `cse allowlist suggest`, then add or block them.",
  ],
  [
    "group_mentions_required",
    "Group chats need an explicit mention",
    "partial",
    "medium",
    "2 of 3 groups require a mention.",
    "Every group has requireMention set.",
    "The group ops-alerts makes the agent answer every message.",
    "Set `channels.slack.groups.ops-alerts.requireMention` to true.",
  ],
  [
    "update_hygiene",
    "OpenClaw is current",
    "partial",
    "low",
    "OpenClaw 2026.9.2 is installed, 2026.9.6 is available since 2026-11-02.",
    "The installed version is the latest, or at most 30 days behind it.",
    "Fixes of the last four releases are missing.",
    "Run `openclaw update`, then restart the gateway.",
  ],
  [
    "audit_logging_privileged_actions",
    "Privileged actions are logged and tamper-evident",
    "not_assessed",
    "medium",
    "",
    "Every privileged action has a chained log entry.",
    "The part that writes the log is not built yet.",
    "",
  ],
  [
    "elevation_timeout_30m",
    "Elevation expires when idle",
    "not_assessed",
    "medium",
    "",
    "No elevation outlives 30 idle minutes.",
    "sudoers could not be read as this user (permission-denied).",
    "Run `sudo cse assess` once to read it.",
  ],
  [
    "backup_configured",
    "There is a recent and verified backup",
    "not_assessed",
    "low",
    "",
    "A verified backup that is at most 7 days old lies outside the state folder.",
    "The backup table has a format this version does not know (schema 19).",
    "Run `openclaw status --json` and look at `backups.latestOk`.",
  ],
  [
    "privilege_approval_required",
    "A human approves host and elevated commands",
    "compliant",
    "high",
    'tools.exec.mode is "ask" for all 2 agents; askFallback is "deny".',
    "No agent runs a host command without an approval bound to it.",
    "",
    "",
  ],
  [
    "least_privilege_enforced",
    "The gateway runs with least privilege",
    "compliant",
    "high",
    "The gateway runs as uid 1001 with no effective capability.",
    "The gateway runs as an ordinary account without capabilities.",
    "",
    "",
  ],
  [
    "runtime_privilege_hook_installed",
    "The privilege check is active",
    "compliant",
    "high",
    "The plugin is enabled in the running gateway.",
    "The plugin that checks privileged commands is enabled.",
    "",
    "",
  ],
  [
    "prompt_injection_controls",
    "Untrusted content cannot start privileged tools",
    "compliant",
    "high",
    "require_confirmation_for_untrusted is true.",
    "Confirmation is required for untrusted content.",
    "",
    "",
  ],
  [
    "command_policy_enforced",
    "Commands follow a reviewed policy",
    "compliant",
    "high",
    "command-policy.json has 14 allow and 9 deny rules.",
    "A valid policy with at least one deny rule is in force.",
    "",
    "",
  ],
  [
    "session_boundary_enforced",
    "Approvals do not cross sessions",
    "compliant",
    "medium",
    "OPENCLAW_REQUIRE_SESSION_ID is 1.",
    "Each approval is bound to one session.",
    "",
    "",
  ],
  [
    "egress_allowlist_configured",
    "Outbound destinations are restricted",
    "compliant",
    "medium",
    "egress_allowlist.json has 12 rules.",
    "A valid allowlist with at least one rule exists.",
    "",
    "",
  ],
  [
    "multi_factor_approval",
    "A second factor protects privileged approvals",
    "not_applicable",
    "medium",
    "No channel for approvals is configured.",
    "Approvals need a second factor.",
    "",
    "",
  ],
];

const DUE: Readonly<Record<Risk, string>> = {
  critical: "2026-11-20",
  high: "2026-11-28",
  medium: "2026-12-23",
  low: "2027-02-21",
};

function checkOf([check_id, title, status, risk, observed_state, expected_state, gap, mitigation]: Row): AssessedCheck {
  const isGap = status === "violation" || status === "partial";
  return {
    check_id,
    title,
    iso27001: ["A.8.2", "A.8.18", "A.5.15"],
    nist_csf: ["PR.AA-05", "PR.PS-01"],
    nist_800_53: ["AC-6", "AC-6(9)", "CM-7"],
    cis: check_id === "group_mentions_required" ? [] : ["5.4", "6.8"],
    mapping_confidence: ["group_mentions_required", "prompt_injection_controls"].includes(check_id) ? "low" : "high",
    expected_state,
    owner: status === "not_applicable" ? "Platform" : "Security Engineering",
    status,
    risk,
    observed_state: observed_state === "" ? "Unknown." : observed_state,
    evidence: [
      { source: `${STATE}/openclaw.json`, at: AT, detail: observed_state === "" ? gap : observed_state },
      {
        source: "/proc/812/status",
        at: "2026-11-23T08:00:01Z",
        detail: "Uid 1001, CapEff 0000000000000000, NoNewPrivs 0",
      },
    ],
    gap,
    mitigation,
    first_seen: isGap ? (risk === "critical" ? "2026-11-18T07:30:00Z" : AT) : null,
    due_date: isGap ? DUE[risk] : null,
    overdue: isGap && risk === "critical",
    reopened: 0,
    last_changed: AT,
  };
}

function scoreOf(checks: readonly AssessedCheck[]): Score {
  return scoreChecks(
    checks.map((check) => ({ status: check.status, risk: check.risk, isWaived: check.waiver?.state === "active" })),
    true,
  );
}

export function totalsOf(checks: readonly AssessedCheck[]): AssessmentTotals {
  const count = (status: CheckStatus): number => checks.filter((check) => check.status === status).length;
  const gaps = checks.filter((check) => check.status === "violation" || check.status === "partial");
  const applicable = checks.length - count("not_applicable");
  const assessed = applicable - count("not_assessed");
  return {
    by_status: Object.fromEntries(STATUSES.map((status) => [status, count(status)])) as Record<CheckStatus, number>,
    open_by_risk: Object.fromEntries(
      RISKS.map((risk) => [risk, gaps.filter((check) => check.risk === risk).length]),
    ) as Record<Risk, number>,
    applicable,
    assessed,
    coverage: applicable === 0 ? 0 : assessed / applicable,
    overdue: gaps.filter((check) => check.overdue).length,
  };
}

/** An assessment of a mixed host: gaps of every risk, unmeasured checks, one that does not apply. */
export function sampleAssessment(checks: readonly AssessedCheck[] = ROWS.map(checkOf)): Assessment {
  return {
    schemaVersion: 1,
    tool: { name: "cyber-security-engineer", version: "0.1.0" },
    run_id: "3f6c1c2e-0d6b-4a53-9d0e-5f0a8f7f6a11",
    assessed_at: AT,
    duration_ms: 642,
    host: {
      hostname: "gateway-7.example.net",
      platform: "Debian GNU/Linux 12 (bookworm)",
      kernel: "6.1.0-40-amd64",
      user: "openclaw",
      uid: 1001,
      state_dir: STATE,
      config_path: `${STATE}/openclaw.json`,
      openclaw_version: "2026.9.2",
    },
    totals: totalsOf(checks),
    score: scoreOf(checks),
    checks,
    changes: [],
    trend: [],
    limits: ["The scans ran as an ordinary user; sockets of other accounts have no known owner."],
  };
}

/** The same 20 checks with every gap closed and everything measured. */
export function cleanChecks(): readonly AssessedCheck[] {
  return ROWS.map(([id, title, , risk, , expected]) =>
    checkOf([id, title, "compliant", risk, expected, expected, "", ""]),
  );
}

export function sampleSummary(assessment: Assessment): AssessmentSummary {
  const order = assessment.checks.filter((check) => check.status === "violation" || check.status === "partial");
  return {
    schemaVersion: 1,
    status: assessment.totals.by_status.not_assessed > 0 ? "incomplete" : "ok",
    run_id: assessment.run_id,
    assessed_at: assessment.assessed_at,
    host: assessment.host,
    totals: assessment.totals,
    score: assessment.score,
    changes: assessment.changes,
    findings: order
      .toSorted((a, b) => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk))
      .map((check) => ({
        check_id: check.check_id,
        type: "control-gap",
        status: check.status,
        risk: check.risk,
        title: check.title,
        evidence: check.observed_state,
        why: check.gap,
        mitigation: check.mitigation,
        owner: check.owner,
        due_date: check.due_date,
        target: assessment.host.hostname,
      })),
    not_assessed: assessment.checks
      .filter((check) => check.status === "not_assessed")
      .map((check) => ({ check_id: check.check_id, reason: check.gap })),
    network: { listeners: 8, connections: 7, findings: 9 },
    files: {},
    problems: [],
  };
}

const NOBODY = {
  pid: null,
  name: null,
  exe: null,
  exe_deleted: null,
  user: null,
  uid: null,
  unit: null,
  container: null,
  unknown_reason: null,
};

export function sampleListener(change: Partial<Listener> = {}): Listener {
  return {
    ...NOBODY,
    protocol: "tcp",
    address: "0.0.0.0",
    port: 22,
    scope: "all-interfaces",
    device: null,
    dual_stack: null,
    pid: 640,
    name: "sshd",
    exe: "/usr/sbin/sshd",
    exe_deleted: false,
    user: "root",
    uid: 0,
    unit: "ssh.service",
    owners: 1,
    ...change,
  };
}

export function sampleConnection(change: Partial<Connection> = {}): Connection {
  return {
    ...NOBODY,
    protocol: "tcp",
    direction: "outbound",
    local_address: "10.0.0.7",
    local_port: 50_412,
    remote_ip: "203.0.113.10",
    remote_port: 443,
    remote_host: "api.example.com",
    host_source: "dns",
    state: "ESTABLISHED",
    category: "public",
    pid: 812,
    name: "node",
    exe: "/usr/bin/node",
    exe_deleted: false,
    user: "openclaw",
    uid: 1001,
    unit: "openclaw-gateway.service",
    ...change,
  };
}

export function portFinding(listener: Listener, change: Partial<NetworkFinding> = {}): NetworkFinding {
  return {
    check_id: "open_ports_approved",
    type: "unapproved-port",
    status: "violation",
    risk: "medium",
    title: `Port ${listener.port}/${listener.protocol} is not in the approved baseline`,
    evidence: `${listener.exe ?? listener.name ?? "unknown"} listens on ${listener.address}`,
    why: "No reviewed rule covers this service, so nobody has said that it should run.",
    mitigation: "Stop it if it is not needed, otherwise approve it with `cse baseline review`.",
    target: `${listener.protocol} ${listener.address}:${listener.port} ${listener.exe ?? "?"}`,
    port: listener.port,
    protocol: listener.protocol,
    bind_address: listener.address,
    scope: listener.scope,
    process: processOf(listener),
    ...change,
  };
}

export function egressFinding(connection: Connection, change: Partial<NetworkFinding> = {}): NetworkFinding {
  return {
    check_id: "egress_connections_approved",
    type: "unapproved-egress",
    status: "violation",
    risk: "medium",
    title: `${connection.exe ?? "A process"} talks to ${connection.remote_ip}:${connection.remote_port}`,
    evidence: `${connection.state}, no host name is known for the address`,
    why: "No rule of the allowlist covers this destination.",
    mitigation: "Find out what it is for; then add a rule with an owner, or stop the program.",
    target: `${connection.protocol} ${connection.remote_ip}:${connection.remote_port} ${connection.exe ?? "?"}`,
    port: connection.local_port,
    protocol: connection.protocol,
    bind_address: connection.local_address,
    scope: "public",
    process: processOf(connection),
    remote_host: connection.remote_host,
    remote_ip: connection.remote_ip,
    remote_port: connection.remote_port,
    ...change,
  };
}

function processOf({ pid, name, exe, user, unit, container }: Listener | Connection): NetworkFinding["process"] {
  return { pid, name, exe, user, unit, container };
}

const HIDDEN = "owned by uid 0 (root); run as root to resolve";

/** Eight listeners of which three are unapproved, one insecure and one without a known owner. */
export function samplePortReport(change: Partial<PortReport> = {}): PortReport {
  const telnet = sampleListener({
    port: 23,
    pid: 701,
    name: "inetutils-inetd",
    exe: "/usr/sbin/inetutils-inetd",
    unit: "inetutils-inetd.service",
  });
  const gateway = sampleListener({
    port: 18_789,
    pid: 812,
    name: "openclaw-gatewa",
    exe: "/usr/bin/node",
    user: "openclaw",
    uid: 1001,
    unit: "openclaw-gateway.service",
  });
  const python = sampleListener({
    address: "::",
    port: 8080,
    dual_stack: true,
    pid: 2204,
    name: "python3",
    exe: "/usr/bin/python3.11",
    exe_deleted: true,
    user: "openclaw",
    uid: 1001,
    unit: null,
  });
  const hidden = sampleListener({ ...NOBODY, port: 111, uid: 0, user: "root", unknown_reason: HIDDEN, owners: 0 });
  return {
    schemaVersion: 1,
    status: "incomplete",
    collected_at: AT,
    collector: "proc",
    complete: false,
    unresolved: 1,
    denied: 94,
    approved_file: `${STATE}/security/approved_ports.json`,
    approved_rules: 11,
    listening_services: [
      sampleListener(),
      sampleListener({ address: "::" }),
      telnet,
      hidden,
      gateway,
      python,
      sampleListener({
        address: "127.0.0.1",
        port: 5432,
        scope: "loopback",
        name: "postgres",
        exe: "/usr/lib/postgresql/15/bin/postgres",
        user: "postgres",
        uid: 113,
        unit: "postgresql@15-main.service",
        owners: 6,
      }),
      sampleListener({
        protocol: "udp",
        address: "fe80::5054:ff:fe12:3456",
        device: "eth0",
        port: 546,
        scope: "private",
        name: "systemd-network",
        exe: "/usr/lib/systemd/systemd-networkd",
        user: "systemd-network",
        uid: 998,
        unit: "systemd-networkd.service",
      }),
    ],
    findings: [
      portFinding(telnet, {
        check_id: "insecure_ports_remediated",
        type: "insecure-port",
        risk: "critical",
        title: "Telnet listens on every network",
        why: "Telnet sends passwords and sessions as plain text; anyone on the path can read and change them.",
        mitigation: "Run `systemctl disable --now inetutils-inetd` and use SSH.",
      }),
      portFinding(telnet, { risk: "high" }),
      portFinding(gateway, { risk: "high" }),
      portFinding(python, { risk: "high" }),
      portFinding(python, {
        type: "deleted-executable",
        risk: "high",
        title: "Port 8080/tcp is served by a deleted executable",
        why: "The file behind the process is gone, so it can no longer be examined or compared with a package.",
        mitigation: "Restart the service, or stop it if nobody knows it.",
      }),
      portFinding(hidden, {
        type: "unverifiable",
        status: "not_assessed",
        title: "Port 111/tcp has no known owner",
        evidence: HIDDEN,
        why: "Without the executable no rule can be matched.",
        mitigation: "Run `sudo cse scan ports`.",
      }),
    ],
    rule_notes: [{ rule: 4, kind: "expired", message: "The rule for 9100/tcp expired on 2026-10-31" }],
    problems: [{ code: "permission-denied", message: "94 processes of other accounts could not be looked into" }],
    ...change,
  };
}

/** Seven connections: approved, unapproved, the metadata endpoint, inbound, and one without a known owner. */
export function sampleEgressReport(change: Partial<EgressReport> = {}): EgressReport {
  const unknownHost = sampleConnection({
    remote_ip: "198.51.100.23",
    remote_port: 6667,
    remote_host: null,
    host_source: null,
  });
  const metadata = sampleConnection({
    remote_ip: "169.254.169.254",
    remote_port: 80,
    remote_host: null,
    host_source: null,
    category: "metadata",
    state: "SYN_SENT",
    exe: "/usr/bin/curl",
    name: "curl",
  });
  const hidden = sampleConnection({
    ...NOBODY,
    remote_ip: "2001:db8::9",
    remote_host: null,
    host_source: null,
    unknown_reason: HIDDEN,
    uid: 0,
    user: "root",
  });
  return {
    schemaVersion: 1,
    status: "incomplete",
    collected_at: AT,
    collector: "proc",
    complete: false,
    unresolved: 1,
    denied: 94,
    allowlist_file: `${STATE}/security/egress_allowlist.json`,
    allowlist_rules: 12,
    connections: [
      sampleConnection(),
      sampleConnection({ local_port: 50_413 }),
      unknownHost,
      metadata,
      hidden,
      sampleConnection({
        direction: "inbound",
        remote_ip: "10.0.0.42",
        category: "private",
        remote_host: null,
        local_port: 22,
        remote_port: 61_022,
      }),
      sampleConnection({
        protocol: "udp",
        remote_ip: "192.0.2.53",
        remote_port: 53,
        remote_host: null,
        exe: "/usr/lib/systemd/systemd-resolved",
      }),
    ],
    findings: [
      egressFinding(unknownHost),
      egressFinding(metadata, {
        type: "metadata-endpoint",
        risk: "high",
        title: "curl asks the cloud metadata endpoint",
        why: "The endpoint hands out credentials of the machine to anyone who can reach it.",
        mitigation: "Require session tokens (IMDSv2) and block 169.254.169.254 for this account.",
      }),
      egressFinding(hidden, {
        type: "unverifiable",
        status: "not_assessed",
        title: "A connection has no known owner",
        evidence: HIDDEN,
        why: "Without the executable no rule can be matched.",
        mitigation: "Run `sudo cse scan egress`.",
      }),
    ],
    rule_notes: [],
    problems: [{ code: "permission-denied", message: "94 processes of other accounts could not be looked into" }],
    ...change,
  };
}

/** Text that tries to leave its place in HTML and on a terminal. */
export const HOSTILE_TEXTS: readonly string[] = [
  "<script>globalThis.pwned = 1</script>",
  '"><img src=x onerror="globalThis.pwned = 1">',
  "' onmouseover='globalThis.pwned = 1",
  "</style><style>*{display:none}</style>",
  "</title></textarea></script><script>globalThis.pwned = 1</script>",
  "<!-- <base href=https://example.invalid/> -->",
  "javascript:globalThis.pwned=1",
  "\u202egpj.exe\u2066 hidden\u2069 \u200b\u00ad",
  "\u001b[2J\u001b]8;;https://example.invalid\u0007click\u001b]8;;\u0007\u009b31m",
  "line one\r\nline two\u2028three\u0000",
  "&lt;b&gt; &amp;#39; `unpaired",
  "W".repeat(900),
];

/** Every free text of every shape is hostile; only the closed unions and numbers stay what they must be. */
export function hostileReports(): { assessment: Assessment; ports: PortReport; egress: EgressReport } {
  let next = 0;
  const text = (): string => HOSTILE_TEXTS[next++ % HOSTILE_TEXTS.length] ?? "";
  const base = sampleAssessment();
  const checks = base.checks.map((check) => ({
    ...check,
    title: text(),
    expected_state: text(),
    observed_state: text(),
    owner: text(),
    gap: text(),
    mitigation: text(),
    iso27001: [text()],
    nist_csf: [text()],
    nist_800_53: [text()],
    cis: [text()],
    first_seen: text(),
    due_date: text(),
    evidence: HOSTILE_TEXTS.map((detail) => ({ source: text(), at: text(), detail })),
  }));
  const process = () => ({
    name: text(),
    exe: text(),
    user: text(),
    unit: text(),
    container: text(),
    unknown_reason: text(),
  });
  const listeners = HOSTILE_TEXTS.map(() => sampleListener({ ...process(), address: text(), device: text() }));
  const connections = HOSTILE_TEXTS.map(() =>
    sampleConnection({ ...process(), remote_ip: text(), remote_host: text(), state: text() }),
  );
  const finding = () => ({ title: text(), evidence: text(), why: text(), mitigation: text(), target: text() });
  const problems = HOSTILE_TEXTS.map((message) => ({ code: text(), message }));
  const rule_notes = HOSTILE_TEXTS.map((message, rule) => ({ rule, kind: "unused" as const, message }));
  return {
    assessment: {
      ...base,
      run_id: text(),
      assessed_at: text(),
      host: {
        hostname: text(),
        platform: text(),
        kernel: text(),
        user: text(),
        uid: 1001,
        state_dir: text(),
        config_path: text(),
        openclaw_version: text(),
      },
      totals: totalsOf(checks),
      checks,
      limits: HOSTILE_TEXTS,
    },
    ports: samplePortReport({
      collected_at: text(),
      collector: text(),
      approved_file: text(),
      listening_services: listeners,
      findings: listeners.map((listener) => portFinding(listener, finding())),
      problems,
      rule_notes,
    }),
    egress: sampleEgressReport({
      collected_at: text(),
      collector: text(),
      allowlist_file: text(),
      connections,
      findings: connections.map((connection) => egressFinding(connection, finding())),
      problems,
      rule_notes,
    }),
  };
}

/** A host with `count` unapproved listeners and as many connections. */
export function crowdedReports(count: number): { ports: PortReport; egress: EgressReport } {
  const listeners = Array.from({ length: count }, (_, index) =>
    sampleListener({ port: 1024 + index, pid: 1000 + index }),
  );
  const connections = Array.from({ length: count }, (_, index) =>
    sampleConnection({
      remote_ip: `203.0.${index >> 8}.${index & 255}`,
      local_port: 20_000 + index,
      remote_host: null,
    }),
  );
  return {
    ports: samplePortReport({
      listening_services: listeners,
      findings: listeners.map((listener) => portFinding(listener)),
    }),
    egress: sampleEgressReport({
      connections,
      findings: connections.map((connection) => egressFinding(connection)),
    }),
  };
}
