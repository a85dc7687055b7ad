import { chmod, chown, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { collectBackupState } from "../../src/collect/backup-state.ts";
import { collectGatewayProcess } from "../../src/collect/gateway-process.ts";
import { collectHostFacts } from "../../src/collect/host-facts.ts";
import { collectPrivilegePaths } from "../../src/collect/privilege-paths.ts";
import { collectUpdateState, globalPackageFolders } from "../../src/collect/update-state.ts";
import { unmeasured } from "../../src/core/evidence.ts";
import type { GatewayProcess, PrivilegePaths } from "../../src/core/host-evidence.ts";
import { locateTool } from "../../src/exec/locate-tool.ts";
import { type RunTool, runTool } from "../../src/exec/run-tool.ts";
import { listener, sockets } from "../helpers/assess-evidence.ts";
import { itWith } from "../helpers/requires.ts";
import { ordinaryUser } from "../helpers/unprivileged.ts";

const NOW = Date.UTC(2026, 10, 23, 8, 0, 0);
const AT = "2026-11-23T08:00:00Z";
const now = (): number => NOW;
const IS_ROOT = process.getuid?.() === 0;
const noSockets = unmeasured("proc-unusable", "not looked at", "test", AT);

async function folder(files: Record<string, string> = {}): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "cse-facts-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

const STATUS = [
  "Name:\topenclaw-gatewa",
  "Uid:\t1000\t1001\t1000\t1000",
  "Gid:\t1000\t1000\t1000\t1000",
  "Groups:\t27 999 ",
  "CapEff:\t0000000000000000",
  "NoNewPrivs:\t1",
  "",
].join("\n");
const ACCOUNTS = {
  "etc/passwd": "root:x:0:0::/root:/bin/sh\nclaw:x:1001:1001::/home/claw:/bin/sh\n",
  "etc/group": "root:x:0:\nclaw:x:1000:\nsudo:x:27:\ndocker:x:999:\n",
};

describe("collectGatewayProcess", () => {
  async function gateway(
    files: Record<string, string>,
    seenSockets = noSockets as Parameters<typeof collectGatewayProcess>[0]["sockets"],
  ): Promise<unknown> {
    const root = await folder({ ...ACCOUNTS, ...files });
    const found = await collectGatewayProcess({
      now,
      procRoot: root,
      etc: join(root, "etc"),
      port: 18_789,
      stateDir: join(root, "home/.openclaw"),
      configPath: join(root, "home/.openclaw/openclaw.json"),
      sockets: seenSockets,
      current: { uid: 0, gids: [0, 999] },
    });
    return found.kind === "measured" ? found.value : found.code;
  }
  const EXPECTED = {
    running: true,
    pid: 42,
    uid: 1001,
    user: "claw",
    groups: ["claw", "sudo", "docker"],
    no_new_privs: true,
    cap_eff: "0000000000000000",
    basis: "process",
    others: [],
  };

  it.each([
    ["its title, padded as the kernel shows it", "openclaw-gateway\0\0\0\0\0"],
    ["the command that started it", "/usr/bin/node\0/usr/lib/node_modules/openclaw/openclaw.mjs\0gateway\0run\0"],
    ["the command with a flag for Node", "node\0--no-warnings\0/opt/openclaw.mjs\0--profile\0x\0gateway\0"],
    [
      "the command with flags of its own",
      ["/usr/bin/openclaw", "--no-color", "gateway", "--port", "4000", ""].join("\0"),
    ],
  ])("finds the gateway by %s, and reads effective ids", async (_title, cmdline) => {
    expect(
      await gateway({ "42/cmdline": cmdline, "42/status": STATUS, "7/cmdline": "vim\0openclaw-gateway\0" }),
    ).toEqual(EXPECTED);
  });

  it.each([
    ["another program that names it", "tail\0-f\0/var/log/openclaw-gateway.log\0"],
    ["an OpenClaw command that is not the gateway", "node\0/usr/lib/openclaw.mjs\0config\0get\0"],
    ["an OpenClaw command that asks for the gateway's settings", "node\0/usr/lib/openclaw.mjs\0config\0get\0gateway\0"],
    ["an OpenClaw command that asks how the gateway is", "node\0/usr/lib/openclaw.mjs\0gateway\0status\0--json\0"],
    ["a program whose argument says gateway", "python3\0tool.py\0x\0openclaw\0gateway\0"],
    ["nothing at all", ""],
  ])("is not misled by %s", async (_title, cmdline) => {
    expect(await gateway({ "42/cmdline": cmdline, "42/status": STATUS })).toEqual({
      running: false,
      pid: null,
      uid: 0,
      user: "root",
      groups: ["root", "docker"],
      no_new_privs: null,
      cap_eff: null,
      basis: "current-user",
      others: [],
    });
  });

  const TITLE = "openclaw-gateway\0\0";
  const statusOf = (uid: number): string => STATUS.replace("1000\t1001\t1000\t1000", `${uid}\t${uid}\t${uid}\t${uid}`);
  const onPort = (pid: number | null, uid: number): Parameters<typeof collectGatewayProcess>[0]["sockets"] =>
    sockets(listener({ pid, uid }));
  const chosen = async (files: Record<string, string>, ...rest: [ReturnType<typeof onPort>?]): Promise<unknown> => {
    const found = (await gateway(files, ...rest)) as GatewayProcess;
    return [found.pid, found.others.map((other) => [other.pid, other.uid, other.other_config])];
  };

  it.each([
    ["a process of another account that took the name", { "3/cmdline": TITLE, "3/status": statusOf(77) }, 77, 42],
    [
      "a process of another account that took name and low number, where the port's owner is not ours to see",
      { "3/cmdline": TITLE, "3/status": statusOf(77) },
      77,
      null,
    ],
  ])("is not misled by %s", async (_title, pretender, uid, owner) => {
    const files = { "42/cmdline": TITLE, "42/status": statusOf(1001), ...pretender };
    expect(await chosen(files, onPort(owner, 1001))).toEqual([42, [[3, uid, null]]]);
  });

  it("chooses none of two accounts' gateways when nothing tells which one it is", async () => {
    const files = {
      "3/cmdline": TITLE,
      "3/status": statusOf(77),
      "42/cmdline": TITLE,
      "42/status": statusOf(1001),
    };
    expect(await chosen(files)).toEqual([
      null,
      [
        [3, 77, null],
        [42, 1001, null],
      ],
    ]);
  });

  it("takes one that says it runs with another config, or has another state folder open, for another", async () => {
    const files = {
      "3/cmdline": TITLE,
      "3/status": STATUS,
      "3/environ": "HOME=/home/x\0OPENCLAW_CONFIG_PATH=/srv/other.json\0",
      "42/cmdline": TITLE,
      "42/status": STATUS,
    };
    expect(await chosen(files, onPort(3, 1001))).toEqual([42, [[3, 1001, "/srv/other.json"]]]);

    const root = await folder({ ...ACCOUNTS, "9/cmdline": TITLE, "9/status": STATUS, "9/fd/1": "" });
    await symlink("/srv/profile/state/openclaw.sqlite", join(root, "9/fd/21"));
    const found = await collectGatewayProcess({
      now,
      procRoot: root,
      etc: join(root, "etc"),
      port: 18_789,
      stateDir: "/srv/mine",
      configPath: "/srv/mine/openclaw.json",
      sockets: noSockets,
      current: { uid: 0, gids: [] },
    });
    expect(found).toMatchObject({
      value: { running: false, others: [{ pid: 9, other_config: "/srv/profile/openclaw.json" }] },
    });
  });

  it("takes one that has our state folder open but not the config that we were told for another", async () => {
    const root = await folder({
      ...ACCOUNTS,
      "9/cmdline": TITLE,
      "9/status": STATUS,
      "9/fd/1": "",
      "9/environ": "HOME=/x\0",
    });
    await symlink("/srv/mine/state/openclaw.sqlite", join(root, "9/fd/21"));
    const others = async (configPath: string): Promise<unknown> => {
      const found = await collectGatewayProcess({
        now,
        procRoot: root,
        etc: join(root, "etc"),
        port: 18_789,
        stateDir: "/srv/mine",
        configPath,
        sockets: noSockets,
        current: { uid: 0, gids: [] },
      });
      return found.kind === "measured"
        ? [found.value.pid, found.value.others.map((other) => other.other_config)]
        : found;
    };
    expect([await others("/home/x/tried.json"), await others("/srv/mine/clawdbot.json")]).toEqual([
      [null, ["/srv/mine/openclaw.json"]],
      [9, []],
    ]);
  });

  it("prefers the one that has our state folder open, also under a path of its own", async () => {
    const root = await folder({
      ...ACCOUNTS,
      "3/cmdline": TITLE,
      "3/status": STATUS,
      "42/cmdline": TITLE,
      "42/status": STATUS,
      "42/fd/1": "",
      "42/root/inside/.openclaw/x": "",
    });
    await symlink("/inside/.openclaw/state/openclaw.sqlite", join(root, "42/fd/21"));
    const found = await collectGatewayProcess({
      now,
      procRoot: root,
      etc: join(root, "etc"),
      port: 18_789,
      stateDir: join(root, "42/root/inside/.openclaw"),
      configPath: join(root, "42/root/inside/.openclaw/openclaw.json"),
      sockets: onPort(3, 1001),
      current: { uid: 0, gids: [] },
    });
    expect(found).toMatchObject({ value: { pid: 42, others: [{ pid: 3, other_config: null }] } });
  });

  it("counts ids and capabilities that the process may take up again", async () => {
    const status = STATUS.replace("1000\t1001\t1000\t1000", "1000\t1001\t0\t1001").replace(
      "CapEff:\t0000000000000000",
      "CapPrm:\t0000000000000080\nCapEff:\t0000000000000001",
    );
    expect(await gateway({ "42/cmdline": TITLE, "42/status": status })).toMatchObject({
      uid: 0,
      cap_eff: "0000000000000081",
    });
  });

  it("says when the gateway's status cannot be read, rather than taking our own account", async () => {
    expect(await gateway({ "42/cmdline": "openclaw-gateway\0", "42/status": "garbage" })).toBe("proc-unusable");
  });
});

const SUDO_HEAD = "User claw may run the following commands on vm:\n";

describe("collectPrivilegePaths", () => {
  interface Setup {
    readonly account?: Partial<GatewayProcess>;
    readonly currentUid?: number;
    readonly tools?: readonly string[];
    readonly answers?: Record<string, string>;
    readonly root?: string;
  }

  async function look(setup: Setup): Promise<{ value: PrivilegePaths; ran: readonly string[] }> {
    const ran: string[] = [];
    const fakeRun: RunTool = async ({ file, args }) => {
      ran.push([file, ...args].join(" "));
      const answer = setup.answers?.[file];
      return answer === undefined
        ? { kind: "failed", code: "timeout", message: "" }
        : { kind: "done", exitCode: 0, stdout: answer, stderr: "" };
    };
    const found = await collectPrivilegePaths({
      now,
      account: {
        running: true,
        pid: 42,
        uid: 1001,
        user: "claw",
        groups: ["claw"],
        no_new_privs: false,
        cap_eff: "0000000000000000",
        basis: "process",
        others: [],
        ...setup.account,
      },
      currentUid: setup.currentUid ?? 1001,
      runTool: fakeRun,
      locateTool: async (name) => ((setup.tools ?? ["getcap"]).includes(name) ? `/x/${name}` : null),
      root: setup.root ?? (await folder(ACCOUNTS)),
    });
    if (found.kind === "unmeasured") throw new Error(found.reason);
    return { value: found.value, ran };
  }
  const GETCAP = { "/x/getcap": "" };
  const seen = ({ value }: { value: PrivilegePaths }): readonly string[] =>
    value.paths.map((path) => `${path.via} ${path.what}: ${path.strength}`);

  it("finds nothing, and nothing unknown, for an account without any way", async () => {
    const found = await look({ answers: GETCAP });
    expect([found.value.paths, found.value.unknown]).toEqual([[], []]);
  });

  it("needs no further look when the account is root", async () => {
    expect(seen(await look({ account: { uid: 0, user: "root" } }))).toEqual(["root root is uid 0: passwordless"]);
  });

  it("lists sudo's rules as the account itself, or as root for it, and never runs anything else", async () => {
    const answers = { ...GETCAP, "/x/sudo": `${SUDO_HEAD}    (ALL) NOPASSWD: ALL\n` };
    const own = await look({ tools: ["sudo", "getcap"], answers });
    const asRoot = await look({ tools: ["sudo", "getcap"], answers, currentUid: 0 });
    const stranger = await look({ tools: ["sudo", "getcap"], answers, currentUid: 5 });
    expect([seen(own), own.ran.filter((line) => line.includes("sudo"))]).toEqual([
      ["sudo ALL: passwordless"],
      ["/x/sudo -n -l"],
    ]);
    expect([seen(asRoot), asRoot.ran.filter((line) => line.includes("sudo"))]).toEqual([
      ["sudo ALL: passwordless"],
      ["/x/sudo -n -l -U claw", "/x/sudo -V"],
    ]);
    expect([
      seen(stranger),
      stranger.value.unknown.length,
      stranger.ran.filter((line) => line.includes("sudo")),
    ]).toEqual([[], 1, []]);
  });

  it.each([
    ["times out", {}, ["claw"], [], 1],
    [
      "wants a password of an account that may be in no rule",
      { "/x/sudo": "sudo: a password is required" },
      ["claw"],
      [],
      1,
    ],
    [
      "wants a password of a member of sudo",
      { "/x/sudo": "sudo: a password is required" },
      ["claw", "sudo"],
      ["sudo rules of the group sudo: password"],
      0,
    ],
    ["says no", { "/x/sudo": "User claw is not allowed to run sudo on vm." }, ["claw", "sudo"], [], 0],
    ["says what we do not understand", { "/x/sudo": "..." }, ["claw"], [], 1],
  ])("when sudo %s", async (_title, answers, groups, paths, unknown) => {
    const found = await look({ tools: ["sudo", "getcap"], answers: { ...GETCAP, ...answers }, account: { groups } });
    expect([seen(found), found.value.unknown.length]).toEqual([paths, unknown]);
  });

  it("counts groups that are as good as root, capabilities held, and doas rules", async () => {
    const root = await folder({ ...ACCOUNTS, "etc/doas.conf": "permit nopass claw\n" });
    const found = await look({
      account: { groups: ["claw", "docker", "disk"], cap_eff: "0000000000000080" },
      tools: ["doas", "getcap"],
      answers: GETCAP,
      root,
    });
    expect(seen(found)).toEqual([
      "capability the gateway holds cap_setuid: passwordless",
      "doas permit nopass claw: passwordless",
      "group disk: may write the disks themselves: passwordless",
      "group docker: may start containers with the host's files: passwordless",
    ]);
  });

  it("looks at sudo behind no_new_privs where the account's own service manager would start it without", async () => {
    const root = await folder({ ...ACCOUNTS, "run/user/1001/systemd/private": "" });
    const found = await look({
      account: { no_new_privs: true },
      tools: ["sudo", "getcap"],
      answers: { ...GETCAP, "/x/sudo": `${SUDO_HEAD}    (ALL) NOPASSWD: ALL\n` },
      root,
    });
    expect(seen(found)).toEqual(["sudo ALL: passwordless"]);
  });

  it("finds what root acts on where the account may write, through links and group rights", async () => {
    const root = await folder({
      ...ACCOUNTS,
      "etc/group": "root:x:0:\nclaw:x:77001:\n",
      "etc/cron.d/job": "",
      "etc/cron.d/closed": "",
      "etc/profile.d/a.sh": "",
      "etc/systemd/system/own.service": "",
      "home/claw/unit.service": "",
      "root/.ssh/authorized_keys": "",
      "usr/local/bin/tool": "",
    });
    await chmod(join(root, "etc/cron.d/job"), 0o666);
    await chmod(join(root, "etc/profile.d"), 0o777);
    await chmod(join(root, "home/claw/unit.service"), 0o646);
    await symlink("../../../home/claw/unit.service", join(root, "etc/systemd/system/linked.service"));
    // Wide open, but behind a folder that keeps the account out.
    await chmod(join(root, "root/.ssh/authorized_keys"), 0o666);
    await chmod(join(root, "root/.ssh"), 0o700);
    expect(seen(await look({ answers: GETCAP, root, currentUid: 0 }))).toEqual([
      "writable-file /etc/cron.d/job can be written to, and root acts on what is in it: passwordless",
      "writable-file /etc/profile.d can be written to, and root runs what is in it once somebody calls it: unknown",
      "writable-file /etc/systemd/system/linked.service can be written to, and root acts on what is in it: passwordless",
    ]);
  });

  it.skipIf(!IS_ROOT)("counts a place that belongs to a group of the account (needs root: chown)", async () => {
    const root = await folder({ ...ACCOUNTS, "usr/local/bin/tool": "" });
    await chown(join(root, "usr/local/bin"), 0, 999);
    await chmod(join(root, "usr/local/bin"), 0o2775);
    const staff = await look({ answers: GETCAP, root, account: { groups: ["claw", "docker"] } });
    expect(seen(staff).filter((line) => line.startsWith("writable"))).toEqual([
      "writable-file /usr/local/bin can be written to, and root runs what is in it once somebody calls it: unknown",
    ]);
    expect(seen(await look({ answers: GETCAP, root }))).toEqual([]);
  });

  it("takes setuid for shut behind no_new_privs, but not groups", async () => {
    const found = await look({
      account: { no_new_privs: true, groups: ["docker"] },
      tools: ["sudo", "getcap"],
      answers: { "/x/sudo": `${SUDO_HEAD}    (ALL) NOPASSWD: ALL\n` },
    });
    expect(found.value.paths.map((path) => path.via)).toEqual(["group"]);
  });

  it("cannot judge pkexec where the administrator has rules of his own", async () => {
    const root = await folder({ ...ACCOUNTS, "etc/polkit-1/rules.d/10-mine.rules": "" });
    const tools = ["pkexec", "getcap"];
    expect(seen(await look({ tools, answers: GETCAP, root }))).toEqual(["pkexec local polkit rules decide: unknown"]);
    expect(seen(await look({ tools, answers: GETCAP }))).toEqual([]);
    expect(seen(await look({ tools, answers: GETCAP, account: { groups: ["sudo"] } }))).toEqual([
      "pkexec asks members of the administrators' group for their password: password",
    ]);
  });

  it("finds a container socket that others may write to", async () => {
    const root = await folder({ ...ACCOUNTS, "run/docker.sock": "" });
    await chmod(join(root, "run/docker.sock"), 0o666);
    expect(seen(await look({ answers: GETCAP, root, currentUid: 0 }))).toEqual([
      "container-socket /run/docker.sock: passwordless",
    ]);
  });

  it("names file capabilities that lead to root, and says when they could not be seen", async () => {
    const listed =
      "/usr/bin/python3.11 cap_setuid=ep\n/usr/bin/ping cap_net_raw=ep\n/opt/tool = cap_sys_admin+ep\n/usr/bin/newuidmap cap_setuid=ep\n";
    expect(seen(await look({ answers: { "/x/getcap": listed } }))).toEqual([
      "capability /opt/tool has cap_sys_admin+ep: unknown",
      "capability /usr/bin/python3.11 has cap_setuid=ep: passwordless",
    ]);
    expect((await look({ tools: [] })).value.unknown).toHaveLength(1);
    expect((await look({ answers: {} })).value.unknown).toHaveLength(1);
  });

  it.skipIf(!IS_ROOT)(
    "finds setuid files outside of the usual ones, once each (needs root: files of root)",
    async () => {
      const root = await folder({
        ...ACCOUNTS,
        "usr/bin/passwd": "",
        "usr/bin/odd": "",
        "usr/bin/bash": "",
        "usr/bin/not-root": "",
        "usr/local/bin/mount": "",
        "opt/a/b/helper": "",
        "tmp/x/su": "",
        "var/lib/dpkg/info/odd.list": "/.\n/bin/odd\n",
      });
      await symlink("usr/bin", join(root, "bin"));
      for (const name of [
        "usr/bin/passwd",
        "usr/bin/odd",
        "usr/bin/bash",
        "usr/bin/not-root",
        "usr/local/bin/mount",
        "opt/a/b/helper",
        "tmp/x/su",
      ]) {
        await chown(join(root, name), name.endsWith("not-root") ? 5 : 0, 0);
        await chmod(join(root, name), 0o4755);
      }
      expect(seen(await look({ answers: GETCAP, root }))).toEqual([
        "setuid /opt/a/b/helper (setuid, from no package known): unknown",
        "setuid /tmp/x/su (setuid, local): unknown",
        "setuid /usr/bin/bash (setuid, from no package known): passwordless",
        "setuid /usr/bin/odd (setuid, from a package): unknown",
        "setuid /usr/local/bin/mount (setuid, local): unknown",
      ]);
    },
  );

  it("reads sudo's timeout from sudoers where it may", async () => {
    const root = await folder({
      ...ACCOUNTS,
      "etc/sudoers": "Defaults timestamp_timeout=30\n",
      "etc/sudoers.d/x": "Defaults timestamp_timeout=-1\n",
      "etc/sudoers.d/y.bak": "Defaults timestamp_timeout=60\n",
      "etc/sudoers.d/z": "Defaults:other timestamp_timeout=70\n",
    });
    const found = await look({
      tools: ["sudo", "getcap"],
      answers: { ...GETCAP, "/x/sudo": "User claw is not allowed to run sudo on vm." },
      root,
    });
    expect(found.value.sudo_timestamp_minutes).toBe(-1);
  });
});

describe.skipIf(!IS_ROOT)("collectPrivilegePaths as root (needs root: lists the rules of another account)", () => {
  itWith(["sudo"], "gets a definite answer from the real sudo about an account without rules", async () => {
    const user = await ordinaryUser();
    const found = await collectPrivilegePaths({
      now,
      account: {
        running: false,
        pid: null,
        uid: user.uid,
        user: user.name,
        groups: [],
        no_new_privs: null,
        cap_eff: null,
        basis: "current-user",
        others: [],
      },
      currentUid: 0,
      runTool,
      locateTool,
    });
    const value = found.kind === "measured" ? found.value : null;
    expect([
      value?.paths.filter((path) => path.via === "sudo"),
      value?.unknown.filter((text) => text.includes("sudo")),
    ]).toEqual([[], []]);
    expect(value?.sudo_timestamp_minutes).toBeTypeOf("number");
  });
});

/** Tables as OpenClaw 2026.9.6 makes them. */
function makeDatabase(stateDir: string, fill: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(stateDir, "state/openclaw.sqlite"));
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(
    "CREATE TABLE backup_runs (id TEXT NOT NULL PRIMARY KEY, created_at INTEGER NOT NULL, archive_path TEXT NOT NULL, status TEXT NOT NULL, manifest_json TEXT NOT NULL) STRICT",
  );
  database.exec(
    "CREATE TABLE config_machine_state (state_key TEXT NOT NULL PRIMARY KEY, value_json TEXT NOT NULL, updated_at_ms INTEGER NOT NULL) STRICT",
  );
  fill(database);
  database.close();
}

describe("collectBackupState", () => {
  it("takes the last backup that succeeded, and sees whether its archive is there and outside", async () => {
    const stateDir = await folder({ "state/x": "", "inside.tar.gz": "" });
    const outside = join(await folder({ "b.tar.gz": "" }), "b.tar.gz");
    makeDatabase(stateDir, (database) => {
      const insert = database.prepare('INSERT INTO backup_runs VALUES (?, ?, ?, ?, \'{"kind":"archive"}\')');
      insert.run("a", Date.UTC(2026, 10, 1), join(stateDir, "inside.tar.gz"), "ok");
      insert.run("b", Date.UTC(2026, 10, 20), outside, "ok");
      insert.run("c", Date.UTC(2026, 10, 22), "/nowhere", "failed");
    });
    const found = await collectBackupState(stateDir, { now });
    expect(found.kind === "measured" ? found.value : found).toEqual({
      latest_at: "2026-11-20T00:00:00Z",
      kind: "archive",
      push_failed: false,
      archive_bytes: 0,
      archive_path: outside,
      verified: null,
      outside_state_dir: true,
      archive_exists: true,
    });
    // Nothing was left beside the database.
    expect(readdirSync(join(stateDir, "state")).toSorted()).toEqual(["openclaw.sqlite", "x"]);
  });

  it("does not take a snapshot of one database for a backup of OpenClaw while there is an older full one", async () => {
    const after = async (...rows: readonly (readonly [string, number, string])[]): Promise<unknown> => {
      const stateDir = await folder({ "state/x": "" });
      makeDatabase(stateDir, (database) => {
        const insert = database.prepare("INSERT INTO backup_runs VALUES (?, ?, '/b', 'ok', ?)");
        for (const [id, at, manifest] of rows) insert.run(id, at, manifest);
      });
      const found = await collectBackupState(stateDir, { now });
      return found.kind === "measured" ? [found.value.latest_at, found.value.kind, found.value.push_failed] : found;
    };
    const git = ["a", Date.UTC(2026, 10, 20), '{"kind":"git","pushFailed":true}'] as const;
    const snapshot = ["b", Date.UTC(2026, 10, 22), '{"kind":"sqlite-snapshot"}'] as const;
    const odd = ["c", Date.UTC(2026, 10, 23), "{}"] as const;
    expect([await after(git, snapshot, odd), await after(snapshot, odd), await after(odd)]).toEqual([
      ["2026-11-20T00:00:00Z", "git", true],
      ["2026-11-22T00:00:00Z", "sqlite-snapshot", false],
      [null, null, false],
    ]);
  });

  it("tells an archive inside the state folder from one that is gone", async () => {
    const at = async (name: string): Promise<unknown> => {
      const stateDir = await folder({ "state/x": "", "inside.tar.gz": "" });
      makeDatabase(stateDir, (database) => {
        database
          .prepare("INSERT INTO backup_runs VALUES ('a', ?, ?, 'ok', '{\"kind\":\"archive\"}')")
          .run(NOW, join(stateDir, name));
      });
      const found = await collectBackupState(stateDir, { now });
      return found.kind === "measured" ? [found.value.archive_exists, found.value.outside_state_dir] : found.code;
    };
    expect([await at("inside.tar.gz"), await at("gone.tar.gz")]).toEqual([
      [true, false],
      [false, null],
    ]);
  });

  it("reads while OpenClaw is writing", async () => {
    const stateDir = await folder({ "state/x": "" });
    makeDatabase(stateDir, () => undefined);
    const writer = new DatabaseSync(join(stateDir, "state/openclaw.sqlite"));
    writer.prepare("INSERT INTO backup_runs VALUES ('a', ?, 'remote', 'ok', '{\"kind\":\"git\"}')").run(NOW);
    const found = await collectBackupState(stateDir, { now });
    writer.close();
    expect(found.kind === "measured" ? found.value.latest_at : found.code).toBe(AT);
  });

  it("is measured as none when there is no database or no table yet, and makes none", async () => {
    const fresh = await folder({ "openclaw.json": "{}" });
    const old = await folder({ "state/x": "" });
    new DatabaseSync(join(old, "state/openclaw.sqlite")).exec("CREATE TABLE other (a)");
    for (const stateDir of [fresh, old]) {
      expect(await collectBackupState(stateDir, { now })).toMatchObject({
        kind: "measured",
        value: { latest_at: null },
      });
    }
    expect(existsSync(join(fresh, "state"))).toBe(false);
  });

  it("is not applicable where OpenClaw keeps nothing, whatever we ourselves left there", async () => {
    const ours = await folder({ "security/approved_ports.json": "[]" });
    for (const stateDir of [ours, join(ours, "none")]) {
      const found = await collectBackupState(stateDir, { now });
      expect(found).toMatchObject({ kind: "unmeasured", code: "not-applicable" });
    }
  });

  it.each([
    ["it is no database", "not a database, only text that is long enough to be looked at", "file-unreadable"],
    ["its table has other columns", "CREATE TABLE backup_runs (id TEXT, when_done TEXT)", "schema-version-unsupported"],
    [
      "its times are in seconds",
      "CREATE TABLE backup_runs (id TEXT, created_at INTEGER, archive_path TEXT, status TEXT, manifest_json TEXT); INSERT INTO backup_runs VALUES ('a', 1795420800, '/x', 'ok', '{\"kind\":\"archive\"}')",
      "schema-version-unsupported",
    ],
  ])("is unmeasured when %s", async (_title, content, code) => {
    const stateDir = await folder({ "state/x": "" });
    const path = join(stateDir, "state/openclaw.sqlite");
    if (content.startsWith("CREATE")) new DatabaseSync(path).exec(content);
    else await writeFile(path, content);
    expect(await collectBackupState(stateDir, { now })).toMatchObject({ kind: "unmeasured", code });
  });
});

describe("collectUpdateState", () => {
  const PACKAGE = JSON.stringify({ name: "openclaw", version: "2026.9.6" });

  it("reads the version of what runs from a helper of the gateway, whose own command line is a title", async () => {
    const root = await folder({
      "new/openclaw/package.json": JSON.stringify({ name: "openclaw", version: "2026.9.9" }),
      "run/openclaw/package.json": PACKAGE,
      "run/openclaw/dist/process/worker.js": "",
      "proc/42/cmdline": "openclaw-gateway\0\0",
      "proc/42/task/42/children": "43 44 ",
      "proc/44/x": "",
    });
    await writeFile(join(root, "proc/44/cmdline"), `/usr/bin/node\0${root}/run/openclaw/dist/process/worker.js\0`);
    await symlink(process.execPath, join(root, "proc/42/exe"));
    const stateDir = await folder({ "state/x": "" });
    makeDatabase(stateDir, (database) => {
      database
        .prepare("INSERT INTO config_machine_state VALUES ('update.checkState', ?, 1)")
        .run(JSON.stringify({ lastCheckedAt: "2026-11-22T08:00:00.000Z", lastAvailableVersion: "2026.9.8" }));
    });
    const options = { now, procRoot: join(root, "proc"), packageFolders: [join(root, "new")] };
    const running = await collectUpdateState(stateDir, { ...options, gatewayPid: 42 });
    const stopped = await collectUpdateState(stateDir, { ...options, gatewayPid: null });
    expect(running.kind === "measured" ? running.value : running).toEqual({
      installed_version: "2026.9.6",
      latest_version: "2026.9.8",
      checked_at: "2026-11-22T08:00:00.000Z",
      node_version: process.versions.node,
    });
    expect(stopped.kind === "measured" ? stopped.value : stopped).toEqual({
      installed_version: "2026.9.9",
      // What was recorded was newer than an older version, and our own Node is not the gateway's.
      latest_version: null,
      checked_at: "2026-11-22T08:00:00.000Z",
      node_version: null,
    });
  });

  it("does not know the newest version before OpenClaw has asked, or when nothing newer was kept", async () => {
    const root = await folder({ "lib/openclaw/package.json": PACKAGE });
    const found = await collectUpdateState(await folder(), {
      now,
      procRoot: root,
      gatewayPid: null,
      packageFolders: [join(root, "lib")],
    });
    expect(found.kind === "measured" ? [found.value.latest_version, found.value.checked_at] : found).toEqual([
      null,
      null,
    ]);
  });

  it.each([
    ["another package of that folder", JSON.stringify({ name: "evil", version: "1.0.0" })],
    ["a version that is text", JSON.stringify({ name: "openclaw", version: "<script>" })],
    ["a broken package file", "{"],
  ])("is unmeasured, not guessed, with %s", async (_title, text) => {
    const root = await folder({ "lib/openclaw/package.json": text });
    const found = await collectUpdateState(root, {
      now,
      procRoot: root,
      gatewayPid: null,
      packageFolders: [join(root, "lib")],
    });
    expect(found).toMatchObject({ kind: "unmeasured", code: "file-missing" });
  });

  it("is not applicable where there is no OpenClaw at all", async () => {
    const ours = await folder({ "security/approved_ports.json": "[]" });
    for (const stateDir of [ours, join(ours, "none")]) {
      const found = await collectUpdateState(stateDir, { now, procRoot: ours, gatewayPid: null, packageFolders: [] });
      expect(found).toMatchObject({ kind: "unmeasured", code: "not-applicable" });
    }
  });

  it("looks for global packages beside the Node in use and in the usual prefixes", () => {
    expect(globalPackageFolders("/opt/node/bin/node", "/home/x")).toEqual([
      "/opt/node/lib/node_modules",
      "/usr/local/lib/node_modules",
      "/usr/lib/node_modules",
      "/home/x/.npm-global/lib/node_modules",
      "/home/x/.local/lib/node_modules",
    ]);
  });
});

describe("collectHostFacts", () => {
  it("names machine, kernel and account", () => {
    const facts = collectHostFacts();
    expect([facts.uid, facts.platform]).toEqual([process.getuid?.() ?? null, process.platform]);
    expect([facts.hostname, facts.kernel, facts.user].every((text) => text.length > 0)).toBe(true);
  });
});
