import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../../src/assess/assessment.ts";
import { CHECKS } from "../../../src/assess/checks.ts";
import type { AssessEvidence } from "../../../src/assess/evidence.ts";
import {
  config,
  GATEWAY,
  goodEvidence,
  HARDENED,
  PLUGIN_ON,
  listener,
  NO_WAY_TO_ROOT,
  ports,
  seen,
  sockets,
} from "../../helpers/assess-evidence.ts";

// States of a host that once looked better in the report than they were, each named after the state.

function statusOf(id: string, change: Partial<AssessEvidence>): CheckStatus {
  const found = CHECKS.find(({ meta }) => meta.check_id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found.check(goodEvidence(change)).status;
}

function authored(change: object): Partial<AssessEvidence> {
  return { config: config({ ...HARDENED, ...change }) };
}

type Row = readonly [state: string, change: Partial<AssessEvidence>, status: CheckStatus];

describe("privilege_approval_required is not misled by", () => {
  const rows: readonly Row[] = [
    [
      "an agent that takes the shared question back with security full",
      authored({
        tools: { exec: { mode: "ask" } },
        agents: { entries: { main: {}, loose: { tools: { exec: { security: "full" } } } } },
      }),
      "violation",
    ],
    [
      "an agent that asks on a miss where the shared mode lets a model approve",
      authored({
        tools: { exec: { mode: "auto" } },
        agents: { entries: { strict: { tools: { exec: { ask: "always" } } } } },
        ...PLUGIN_ON,
      }),
      "not_assessed",
    ],
    [
      "a group of denied tools that commands are not in",
      authored({ tools: { deny: ["group:openclaw"], exec: { mode: "full" } }, agents: {} }),
      "violation",
    ],
  ];
  it.each(rows)("%s", (_state, change, status) => {
    expect(statusOf("privilege_approval_required", change)).toBe(status);
  });
});

const known = { telegram: { dmPolicy: "allowlist", allowFrom: ["1"], groups: {} } };
describe("prompt_injection_controls is not misled by", () => {
  const rows: readonly Row[] = [
    [
      "a denied write that leaves edit and apply_patch",
      authored({ tools: { deny: ["group:runtime", "write", "group:openclaw"] }, agents: {} }),
      "partial",
    ],
    [
      "denied files and commands that leave a tool which rewrites OpenClaw's own setup",
      authored({ tools: { deny: ["group:runtime", "group:fs", "gateway"] }, agents: {} }),
      "partial",
    ],
    [
      "a sandbox into which a folder of the host is mounted for writing",
      authored({
        tools: {},
        agents: { defaults: { sandbox: { mode: "all", docker: { binds: ["/srv/data:/data"] } } } },
      }),
      "partial",
    ],
    [
      "a folder that one agent alone mounts, beside the shared ones",
      authored({
        tools: {},
        agents: {
          defaults: { sandbox: { mode: "all", docker: { binds: ["/srv/a:/a:ro"] } } },
          entries: { main: {}, other: { sandbox: { docker: { binds: ["/srv/b:/b:rw"] } } } },
        },
      }),
      "partial",
    ],
    [
      "nothing: a sandbox that mounts a folder for reading holds",
      authored({
        tools: {},
        agents: { defaults: { sandbox: { mode: "all", docker: { binds: ["/srv/data:/data:ro"] } } } },
      }),
      "not_assessed",
    ],
    [
      "a group that is open by its own rule alone",
      authored({
        channels: { telegram: { ...known.telegram, groups: { "*": { groupPolicy: "open" } } } },
        tools: {},
        agents: {},
      }),
      "violation",
    ],
  ];
  it.each(rows)("%s", (_state, change, status) => {
    expect(statusOf("prompt_injection_controls", change)).toBe(status);
  });
});

describe("channel_allowlist_configured is not misled by", () => {
  const withGroups = (groups: object): Partial<AssessEvidence> =>
    authored({ channels: { telegram: { ...known.telegram, groups } } });
  const rows: readonly Row[] = [
    ["all groups being open by a rule of their own", withGroups({ "*": { groupPolicy: "open" } }), "violation"],
    ["one named group in which everyone may speak", withGroups({ "-1": { groupPolicy: "open" } }), "partial"],
    [
      "one topic in which everyone may speak",
      withGroups({ "-1": { topics: { "3": { allowFrom: ["*"] } } } }),
      "partial",
    ],
    ["an open group that is switched off", withGroups({ "-1": { enabled: false, groupPolicy: "open" } }), "compliant"],
    [
      "every server with everyone in it",
      authored({ channels: { discord: { token: "x", guilds: { "*": {} } } } }),
      "violation",
    ],
    [
      "a named group of senders that holds a wildcard",
      authored({
        accessGroups: { all: { type: "message.senders", members: { "*": ["*"] } } },
        channels: { telegram: { dmPolicy: "allowlist", allowFrom: ["accessGroup:all"] } },
      }),
      "violation",
    ],
  ];
  it.each(rows)("%s", (_state, change, status) => {
    expect(statusOf("channel_allowlist_configured", change)).toBe(status);
  });
});

describe("group_mentions_required is not misled by", () => {
  const boxed = { agents: { defaults: { sandbox: { mode: "non-main" } } }, tools: {} };
  const reading = { telegram: { ...known.telegram, groups: { "-1": { requireMention: false } } } };
  const rows: readonly Row[] = [
    [
      "a sandbox that leaves the main session out, with groups kept apart",
      authored({ ...boxed, channels: reading }),
      "partial",
    ],
    [
      "groups that are led into the main session",
      authored({ ...boxed, channels: reading, session: { groupScope: "main" } }),
      "violation",
    ],
    [
      "one room that a binding leads into the main session",
      authored({
        ...boxed,
        channels: reading,
        bindings: [{ agentId: "main", match: { channel: "telegram" }, session: { groupScope: "main" } }],
      }),
      "violation",
    ],
    [
      "a Signal group that is named without a mention rule",
      authored({ channels: { signal: { account: "+1", groups: { abc: {} } } }, tools: {}, agents: {} }),
      "violation",
    ],
  ];
  it.each(rows)("%s", (_state, change, status) => {
    expect(statusOf("group_mentions_required", change)).toBe(status);
  });
});

describe("least_privilege_enforced is not misled by", () => {
  const rows: readonly Row[] = [
    [
      "a profile that is not called full and still runs any command",
      authored({ tools: { profile: "coding" }, agents: {} }),
      "partial",
    ],
    [
      "a rule of sudo for one command, of which only a human can tell where it leads",
      {
        privilege: seen({
          ...NO_WAY_TO_ROOT,
          paths: [{ via: "sudo", what: "/usr/bin/systemctl restart web", strength: "unknown" }],
        }),
      },
      "not_assessed",
    ],
    ["a group that reads all logs", { gateway: seen({ ...GATEWAY, groups: ["openclaw", "adm"] }) }, "partial"],
  ];
  it.each(rows)("%s", (_state, change, status) => {
    expect(statusOf("least_privilege_enforced", change)).toBe(status);
  });
});

describe("alternate_privilege_paths_restricted is not misled by", () => {
  const path = { via: "writable-file", what: "/etc/cron.d", strength: "passwordless" } as const;
  const nobody = { ...GATEWAY, running: false, pid: null, basis: "current-user", uid: 0, user: "root" } as const;
  const asRoot = { ...NO_WAY_TO_ROOT, uid: 0, user: "root" };
  const rows: readonly Row[] = [
    ["a file that root acts on", { privilege: seen({ ...NO_WAY_TO_ROOT, paths: [path] }) }, "violation"],
    [
      "an assessment that root runs where no gateway is in sight",
      {
        gateway: seen(nobody),
        privilege: seen({ ...asRoot, paths: [{ via: "root", what: "root is uid 0", strength: "passwordless" }] }),
      },
      "not_assessed",
    ],
  ];
  it.each(rows)("%s", (_state, change, status) => {
    expect(statusOf("alternate_privilege_paths_restricted", change)).toBe(status);
  });

  it("names what is not looked for", () => {
    const found = CHECKS.find(({ meta }) => meta.check_id === "alternate_privilege_paths_restricted");
    const details = found?.check(goodEvidence()).evidence.map(({ detail }) => detail);
    expect(details?.[1]).toMatch(/^not looked for: setuid files elsewhere/);
  });
});

describe("gateway_loopback_only is not misled by", () => {
  const nobody = seen({ ...GATEWAY, running: false, pid: null, basis: "current-user" as const });
  const python = { pid: 4711, name: "python3", exe: "/usr/bin/python3.11" };
  const elsewhere = listener({ port: 19_000, address: "0.0.0.0", scope: "all-interfaces" });
  const rows: readonly Row[] = [
    ["another program on the gateway's port", { gateway: nobody, sockets: sockets(listener(python)) }, "not_assessed"],
    [
      "another program on its port while the gateway listens to all on a port from its command line",
      { sockets: sockets(listener(python), elsewhere) },
      "violation",
    ],
    [
      "a gateway elsewhere in the config and one here on another port",
      { config: config({ gateway: { mode: "remote" } }), sockets: sockets(elsewhere) },
      "violation",
    ],
    [
      "a socket whose owner cannot be seen, of another account than the gateway's",
      { sockets: sockets(listener({ pid: null, name: null, exe: null, uid: 77 })) },
      "not_assessed",
    ],
    [
      "nothing: a socket of the gateway's account is its own, even when its process cannot be seen",
      { sockets: sockets(listener({ pid: null, name: null, exe: null })) },
      "compliant",
    ],
    [
      "an open port, whatever holds it",
      { gateway: nobody, sockets: sockets(listener({ ...python, address: "0.0.0.0", scope: "all-interfaces" })) },
      "violation",
    ],
    [
      "a secret on a network whose length is not known",
      {
        config: config({
          gateway: { bind: "lan", auth: { mode: "token", token: { source: "exec", provider: "p", id: "t" } } },
        }),
        sockets: sockets(listener({ address: "0.0.0.0", scope: "all-interfaces" })),
      },
      "not_assessed",
    ],
    [
      "a proxy that everybody can claim to be",
      {
        config: config({
          gateway: { bind: "lan", auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.1", "0.0.0.0/0"] },
        }),
        sockets: sockets(listener({ address: "0.0.0.0", scope: "all-interfaces" })),
      },
      "violation",
    ],
  ];
  it.each(rows)("%s", (_state, change, status) => {
    expect(statusOf("gateway_loopback_only", change)).toBe(status);
  });

  it("says which program holds the port, and which processes it did not look at", () => {
    const of = (id: string, change: Partial<AssessEvidence>): string | undefined =>
      CHECKS.find(({ meta }) => meta.check_id === id)?.check(goodEvidence(change)).gap;
    expect(of("gateway_loopback_only", { gateway: nobody, sockets: sockets(listener(python)) })).toBe(
      "/usr/bin/python3.11 (pid 4711) is seen on 127.0.0.1:18789, which is not known to be the gateway.",
    );
    const others = [
      { pid: 3, uid: 77, other_config: null },
      { pid: 9, uid: 998, other_config: "/srv/other.json" },
    ];
    expect(of("least_privilege_enforced", { gateway: seen({ ...nobody.value, others }) })).toMatch(
      /^None of the processes that look like a gateway is known to be the one in question \(pid 3 of uid 77, pid 9 of uid 998 with \/srv\/other\.json\), so its account is not known/,
    );
  });
});

describe("a compliant look at the sockets", () => {
  it.each(["open_ports_approved", "insecure_ports_remediated"])("of %s names the networks it did not see", (id) => {
    const message = "2 processes in 1 other network namespace (containers) not looked at";
    const report = ports({ problems: [{ code: "other-network-namespaces", message }] });
    const result = CHECKS.find(({ meta }) => meta.check_id === id)?.check(goodEvidence({ ports: report }));
    expect([result?.status, result?.observed_state.endsWith(`; ${message}`)]).toEqual(["compliant", true]);
  });
});

describe("elevation_timeout_30m", () => {
  it("does not call unreadable what is not there", () => {
    const privilege = seen({ ...NO_WAY_TO_ROOT, has_sudo: false, sudo_timestamp_minutes: null });
    const result = CHECKS.find(({ meta }) => meta.check_id === "elevation_timeout_30m")?.check(
      goodEvidence({ privilege }),
    );
    expect([result?.observed_state, result?.evidence[0]?.detail]).toEqual([
      "grants end after 30 idle minutes and when the clock is set back; there is no sudo here that could remember a password",
      "sudo is not installed",
    ]);
    expect(result?.gap).not.toContain("could not be read");
  });
});

describe("a gap that only this package can close", () => {
  it.each([
    ["session_boundary_enforced", {}, "low"],
    ["session_boundary_enforced", { config: config({ channels: { telegram: { dmPolicy: "pairing" } } }) }, "medium"],
    ["elevation_timeout_30m", {}, "low"],
    ["elevation_timeout_30m", { privilege: seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: 31 }) }, "medium"],
  ] as const)("weighs little, and takes no weight from others: %s %#", (id, change, risk) => {
    const result = CHECKS.find(({ meta }) => meta.check_id === id)?.check(goodEvidence(change));
    expect([result?.status, result?.risk]).toEqual(["partial", risk]);
  });
});
