import { describe, expect, it } from "vitest";
import { assessPosture, type Posture } from "../../../src/assess/posture.ts";
import type { PostureEvidence } from "../../../src/assess/posture-level.ts";
import { config, GATEWAY, NO_WAY_TO_ROOT, seen, unseen } from "../../helpers/assess-evidence.ts";
import { bestPosture, BOXED } from "../../helpers/posture-evidence.ts";

type Change = Partial<PostureEvidence>;

/** L1 and no more: the tools run on the host. */
const L1_ONLY: Change = { config: config({}) };
const SETTINGS = { has_rules: true, use_pty: true, log: "/var/log/sudo.json", cached: false } as const;

function levelOf(change: Change): string {
  return assessPosture(bestPosture(change)).level;
}

function reasonsOf(posture: Posture): readonly string[] {
  return posture.reasons.map(({ id }) => id);
}

function withPath(via: "sudo" | "group" | "setuid", strength: "passwordless" | "password" | "unknown"): Change {
  return {
    privilege: seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: 0, paths: [{ via, what: "ALL", strength }] }),
  };
}

describe("assessPosture", () => {
  it("reaches L2 where everything was measured and holds, and says that there is no L3", () => {
    const posture = assessPosture(bestPosture());
    expect(posture.level).toBe("L2");
    expect(reasonsOf(posture)).toEqual(["root_broker"]);
    expect(posture.next).toMatchObject({ level: "L3", steps: [] });
  });

  it("reaches L1 where only the tools run on the host", () => {
    const posture = assessPosture(bestPosture(L1_ONLY));
    expect(posture.level).toBe("L1");
    expect(posture.next?.level).toBe("L2");
    expect(posture.not_guaranteed.join(" ")).toContain("password stays secret");
  });

  const neither: readonly (readonly [string, Change])[] = [
    ["the account is root", { account: seen({ ...GATEWAY, uid: 0, user: "root" }) }],
    [
      "sudo has a flaw that gives root",
      { sudo: seen({ path: "/usr/bin/sudo", flavour: "sudo", version: "1.9.16", fixed: [] }) },
    ],
    [
      "sudo's version was not understood",
      { sudo: seen({ path: "/usr/bin/sudo", flavour: "sudo", version: "", fixed: [] }) },
    ],
    ["others may enter the state folder", { folders: seen([{ path: "/s", uid: GATEWAY.uid, mode: 0o755 }]) }],
    ["the state folder is somebody else's", { folders: seen([{ path: "/s", uid: 4711, mode: 0o700 }]) }],
  ];
  const noL1: readonly (readonly [string, Change])[] = [
    ["a sudo rule needs no password", withPath("sudo", "passwordless")],
    ["a group equals root", withPath("group", "passwordless")],
    ["a way to root may need no password", withPath("setuid", "unknown")],
    [
      "a way to root could not be looked at",
      { privilege: seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: 0, unknown: ["x"] }) },
    ],
    ["sudo remembers a password", { privilege: seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: 15 }) }],
    ["sudo remembers a password for ever", { privilege: seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: -1 }) }],
    [
      "nobody said how long sudo remembers a password",
      { privilege: seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: null }) },
    ],
    ["a password is remembered now", { sudo_settings: seen({ ...SETTINGS, cached: true }) }],
  ];

  it.each([...neither, ...noL1])("does not reach L1 where %s", (_title, change) => {
    expect(levelOf({ ...L1_ONLY, ...change })).toBe("L0");
  });

  it.each(["account", "privilege", "sudo", "folders"] as const)(
    "does not reach L1 where nobody could look at %s",
    (kind) => {
      expect(levelOf({ ...L1_ONLY, [kind]: unseen("permission-denied") })).toBe("L0");
    },
  );

  it("reaches L1 without looking at a sudo that is not there, or lets the account run nothing", () => {
    const privilege = seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: null });
    expect(levelOf({ ...L1_ONLY, privilege, sudo: seen(null) })).toBe("L1");
    expect(levelOf({ ...L1_ONLY, privilege, sudo_settings: seen({ ...SETTINGS, has_rules: false }) })).toBe("L1");
    expect(levelOf({ ...L1_ONLY, privilege, sudo_settings: seen({ ...SETTINGS, has_rules: null }) })).toBe("L0");
  });

  const PROGRAM = { path: "/n", uid: 0, mode: 0o711, is_root_only: true };
  const noL2: readonly (readonly [string, Change])[] = [
    [
      "tools of a main session run on the host",
      { config: config({ ...BOXED, agents: { defaults: { sandbox: { mode: "non-main" } } } }) },
    ],
    [
      "named senders may leave the sandbox",
      {
        config: config({
          ...BOXED,
          tools: { deny: BOXED.tools.deny, elevated: { enabled: true, allowFrom: { telegram: ["1"] } } },
        }),
      },
    ],
    ["a tool may change the configuration", { config: config({ ...BOXED, tools: { elevated: { enabled: false } } }) }],
    [
      "one agent of two is not boxed",
      {
        config: config({
          ...BOXED,
          agents: { defaults: BOXED.agents.defaults, list: [{ id: "a" }, { id: "b", sandbox: { mode: "off" } }] },
        }),
      },
    ],
    ["the gateway asks for no token", { config: config({ ...BOXED, gateway: { auth: { mode: "none" } } }) }],
    [
      "the sandbox shows the configuration",
      {
        config: config({
          ...BOXED,
          agents: { defaults: { workspace: "/home/openclaw", sandbox: { mode: "all", workspaceAccess: "ro" } } },
        }),
      },
    ],
    ["a terminal approves", { approvers: seen(["device", "terminal"]) }],
    ["any client of the gateway approves", { approvers: seen(["runtime"]) }],
    ["a device was enrolled without proof", { approvers: seen(["device", "device without proof"]) }],
    [
      "the configuration lets the gateway's token approve",
      {
        config: config({
          ...BOXED,
          plugins: { entries: { "cyber-security-engineer": { config: { approvers: { allowRuntime: true } } } } },
        }),
      },
    ],
    ["nobody is enrolled", { approvers: seen([]) }],
    ["the account's own manager started the gateway", { manager: seen({ unit: "o.service", manager: "user" }) }],
    ["the gateway was started by hand", { manager: seen({ unit: null, manager: "none" }) }],
    ["its memory is open", { memory_open: seen(true) }],
    ["Node can be read by others", { program: seen({ ...PROGRAM, mode: 0o755 }) }],
    ["Node is not root's", { program: seen({ ...PROGRAM, uid: 1000 }) }],
    ["Node can be replaced", { program: seen({ ...PROGRAM, is_root_only: false }) }],
    ["SIGUSR1 is handled", { debugger: seen({ handles_sigusr1: true, inspect_flag: false, ports: [] }) }],
    ["a debugger port was asked for", { debugger: seen({ handles_sigusr1: false, inspect_flag: true, ports: [] }) }],
    [
      "a hidden command line goes with another port",
      { debugger: seen({ handles_sigusr1: false, inspect_flag: null, ports: [9229, 18_789] }) },
    ],
    [
      "a hidden command line goes with unseen ports",
      { debugger: seen({ handles_sigusr1: false, inspect_flag: null, ports: null }) },
    ],
    ["others can change the code", { code: seen({ looked_at: ["/a"], changeable: ["/a"] }) }],
  ];

  it.each([...neither, ...noL2])("does not reach L2 where %s", (_title, change) => {
    const posture = assessPosture(bestPosture({ ...withPath("sudo", "passwordless"), ...change }));
    expect(posture.level).toBe("L0");
  });

  it("reaches L2 by boxed tools whatever sudo lets the gateway do unasked", () => {
    expect(levelOf(withPath("sudo", "passwordless"))).toBe("L2");
  });

  const kinds = Object.keys(bestPosture()) as (keyof PostureEvidence)[];
  it.each(kinds)("never reaches more, nor promises more, when nobody could look at %s", (kind) => {
    const best = assessPosture(bestPosture());
    const blind = assessPosture(bestPosture({ [kind]: unseen("permission-denied") }));
    expect(blind.level <= best.level).toBe(true);
    expect(blind.guaranteed.filter((claim) => blind.level === best.level && !best.guaranteed.includes(claim))).toEqual(
      [],
    );
    expect(reasonsOf(blind).length).toBeGreaterThanOrEqual(kind === "kernel" || kind === "anchor" ? 2 : 1);
  });

  it("stays at L0 and says so of each condition when nobody could look at anything", () => {
    const nothing = Object.fromEntries(kinds.map((kind) => [kind, unseen("permission-denied")]));
    const posture = assessPosture(bestPosture(nothing));
    expect(posture.level).toBe("L0");
    expect(posture.holds).toEqual([]);
    expect(posture.reasons.filter(({ measured }) => measured)).toEqual([]);
  });

  it("lists the worst first, and what was seen before what was not", () => {
    const posture = assessPosture(
      bestPosture({
        ...withPath("sudo", "passwordless"),
        memory_open: unseen(),
        anchor: seen(null),
        kernel: seen({ ptrace_scope: null, protected_symlinks: 0, protected_hardlinks: 1 }),
        folders: unseen(),
      }),
    );
    expect(reasonsOf(posture)).toEqual([
      "no_passwordless_root",
      "memory_closed",
      "folders_private",
      "links_protected",
      "audit_anchored",
      "root_broker",
    ]);
  });

  it("promises detection only where something outside the account keeps a record", () => {
    const claims = (change: Change): string => assessPosture(bestPosture(change)).guaranteed.join(" ");
    expect(claims({})).toContain("Checkpoints told to the system's log");
    expect(claims({ anchor: seen(null) })).not.toContain("Checkpoints");
    expect(claims({})).toContain("sudo's own record");
    const syslog = seen({ ...SETTINGS, log: "syslog" });
    expect(claims({ sudo_settings: syslog })).toContain("sudo's own record");
    expect(claims({ sudo_settings: syslog, anchor: seen(null) })).not.toContain("sudo's own record");
    expect(claims({ sudo_settings: seen({ ...SETTINGS, log: null }) })).not.toContain("sudo's own record");
  });

  it("puts no name into a line for root that could be read as more", () => {
    const odd = "agent ALL=(ALL) NOPASSWD: ALL\n#";
    const posture = assessPosture(
      bestPosture({
        account: seen({ ...GATEWAY, user: odd }),
        privilege: seen({
          ...NO_WAY_TO_ROOT,
          user: odd,
          sudo_timestamp_minutes: 15,
          paths: [
            { via: "sudo", what: "ALL", strength: "passwordless" },
            { via: "group", what: "docker; rm -rf /: may", strength: "passwordless" },
            { via: "setuid", what: "/opt/$(id)", strength: "passwordless" },
            { via: "container-socket", what: "/run/docker.sock", strength: "passwordless" },
          ],
        }),
        folders: seen([{ path: "/home/a b;id", uid: 0, mode: 0o777 }]),
        ...L1_ONLY,
      }),
    );
    const lines = posture.next?.steps.flatMap((step) => step.lines) ?? [];
    expect(lines).toEqual([
      "grep -rn NOPASSWD /etc/sudoers /etc/sudoers.d",
      "Defaults:<account> timestamp_timeout=0, use_pty",
      "<account> ALL=(root) PASSWD: ALL",
      "cse posture --sudoers",
      "gpasswd -d <account> <group>",
      "chmod u-s <path>",
      "chmod o-rw /run/docker.sock",
      "setfacl -b /run/docker.sock",
      "Defaults:<account> timestamp_timeout=0",
      "chown <account>: <path>",
      "chmod 0700 <path>",
    ]);
  });
});
