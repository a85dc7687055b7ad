import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { chronyState, collectClockState } from "../../src/collect/clock-state.ts";
import { collectConfigBaseline } from "../../src/collect/config-baseline.ts";
import { collectHostFirewall } from "../../src/collect/host-firewall.ts";
import { collectHostPatching } from "../../src/collect/host-patching.ts";
import { collectInstalledExtensions } from "../../src/collect/installed-extensions.ts";
import { collectPairedDevices, collectStandingApprovals } from "../../src/collect/standing-approvals.ts";
import { collectStateVolume } from "../../src/collect/state-volume.ts";
import { collectSupplierPolicy } from "../../src/collect/supplier-policy.ts";
import type { Evidence } from "../../src/core/evidence.ts";
import { locateTool } from "../../src/exec/locate-tool.ts";
import { runTool } from "../../src/exec/run-tool.ts";

const now = (): number => Date.UTC(2026, 10, 23, 8);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "cse-setup-"));
  onTestFinished(async () => await rm(path, { recursive: true, force: true }));
  return path;
}

async function write(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

function valueOf<T>(evidence: Evidence<T>): T {
  if (evidence.kind === "unmeasured") throw new Error(`${evidence.code}: ${evidence.reason}`);
  return evidence.value;
}

function codeOf(evidence: Evidence<unknown>): string {
  return evidence.kind === "unmeasured" ? evidence.code : "measured";
}

async function database(sql: string): Promise<string> {
  const stateDir = await folder();
  await mkdir(join(stateDir, "state"));
  const made = new DatabaseSync(join(stateDir, "state/openclaw.sqlite"));
  made.exec(sql);
  made.close();
  return stateDir;
}

describe("OpenClaw's database", () => {
  const APPROVALS = "CREATE TABLE exec_approvals_config (config_key TEXT, raw_json TEXT);";
  const DEVICES =
    "CREATE TABLE device_pairing_paired (device_id TEXT, display_name TEXT, operator_label TEXT, role TEXT, approved_at_ms INTEGER, last_seen_at_ms INTEGER, approved_via TEXT);" +
    "CREATE TABLE device_pairing_pending (request_id TEXT);";

  it("gives approvals, devices and plugins", async () => {
    const index = {
      installRecords: {
        mail: { source: "npm", spec: "mail@1.2.3", integrity: "sha512-x" },
        git: { source: "git", spec: "git@main" },
      },
    };
    const stateDir = await database(`${APPROVALS}${DEVICES}
      INSERT INTO exec_approvals_config VALUES ('current', '{"version":1,"agents":{"main":{"allowlist":[{"pattern":"/bin/ls"}]}}}');
      INSERT INTO device_pairing_paired VALUES ('d1', 'Phone', NULL, 'operator', 1790000000000, NULL, 'owner');
      INSERT INTO device_pairing_pending VALUES ('r1');
      CREATE TABLE config_machine_state (state_key TEXT, value_json TEXT);
      INSERT INTO config_machine_state VALUES ('plugins.installedIndex', '${JSON.stringify(index)}');`);
    await mkdir(join(stateDir, "extensions/loose"), { recursive: true });
    await mkdir(join(stateDir, "extensions/mail__openclaw-generation__g-1"));
    await mkdir(join(stateDir, "workspace/skills/weather"), { recursive: true });

    expect(valueOf(await collectStandingApprovals(stateDir, { now })).entries.map(({ what }) => what)).toEqual([
      "/bin/ls",
    ]);
    expect(valueOf(await collectPairedDevices(stateDir, { now }))).toMatchObject({
      pending: 1,
      paired: [{ name: "Phone", role: "operator", approved_via: "owner", last_seen_at: null }],
    });
    const workspaces = [join(stateDir, "workspace")];
    expect(valueOf(await collectInstalledExtensions(stateDir, { now, workspaces }))).toMatchObject({
      plugins: [
        { id: "mail", is_pinned: true, has_integrity: true },
        { id: "git", is_pinned: false, has_integrity: false },
      ],
      unrecorded: ["loose"],
      skills: ["weather"],
    });
  });

  it("that lacks the tables says that nothing was recorded", async () => {
    const stateDir = await database("CREATE TABLE other (a)");
    expect(valueOf(await collectStandingApprovals(stateDir, { now }))).toEqual({
      present: false,
      entries: [],
      auto_allow_skills: [],
    });
    expect(valueOf(await collectPairedDevices(stateDir, { now }))).toEqual({ paired: [], pending: 0 });
  });

  it("that cannot be read, or holds what is not known, is no answer", async () => {
    const broken = await folder();
    await write(join(broken, "state/openclaw.sqlite"), "no database".repeat(1_000));
    const odd = await database(`${APPROVALS} INSERT INTO exec_approvals_config VALUES ('current', '{"version":9}');
      CREATE TABLE device_pairing_paired (device_id TEXT);
      CREATE TABLE config_machine_state (state_key TEXT, value_json TEXT);
      INSERT INTO config_machine_state VALUES ('plugins.installedIndex', '[]');`);
    const workspaces: readonly string[] = [];
    for (const [stateDir, codes] of [
      [broken, ["file-unreadable", "file-unreadable", "file-unreadable"]],
      [odd, ["schema-version-unsupported", "schema-version-unsupported", "schema-version-unsupported"]],
    ] as const) {
      expect([
        codeOf(await collectStandingApprovals(stateDir, { now })),
        codeOf(await collectPairedDevices(stateDir, { now })),
        codeOf(await collectInstalledExtensions(stateDir, { now, workspaces })),
      ]).toEqual(codes);
    }
  });

  it("is not asked for where there is no OpenClaw", async () => {
    const empty = await folder();
    expect([
      codeOf(await collectStandingApprovals(empty, { now })),
      codeOf(await collectPairedDevices(empty, { now })),
      codeOf(await collectInstalledExtensions(empty, { now, workspaces: [] })),
    ]).toEqual(["not-applicable", "not-applicable", "not-applicable"]);
  });
});

describe("the owner's policy for suppliers", () => {
  it("is read with its comments, is an answer when missing, and none when broken", async () => {
    const path = join(await folder(), "policy.jsonc");
    expect(valueOf(await collectSupplierPolicy(path, now))).toMatchObject({ present: false, mcp_allow: null });
    await writeFile(
      path,
      '{ // mine\n "mcp": { "servers": { "allow": ["docs"] } }, "models": { "providers": { "deny": ["x"] } } }',
    );
    expect(valueOf(await collectSupplierPolicy(path, now))).toMatchObject({
      present: true,
      mcp_allow: ["docs"],
      models_allow: null,
      models_deny: ["x"],
    });
    for (const bad of ["{", '{"mcp":{"servers":{"allow":"docs"}}}', '{"mcp":[]}']) {
      await writeFile(path, bad);
      expect([bad, codeOf(await collectSupplierPolicy(path, now))]).toEqual([bad, "config-invalid"]);
    }
  });
});

describe("the baseline of the config", () => {
  const sum = (text: string): string => createHash("sha256").update(text).digest("hex");

  it("tells what changed, what is gone and what was never accepted", async () => {
    const home = await folder();
    const [a, b, c] = [
      await write(join(home, "a"), "A"),
      await write(join(home, "b"), "B"),
      await write(join(home, "c"), "C"),
    ];
    const path = join(home, "baseline");
    expect(valueOf(await collectConfigBaseline(path, [a], now))).toMatchObject({ accepted: false });
    await writeFile(path, `${sum("A")}  ${a}\n${sum("other")}  ${b}\n${sum("x")} *${join(home, "gone")}\n`);
    expect(valueOf(await collectConfigBaseline(path, [a, b, c], now))).toEqual({
      path,
      accepted: true,
      changed: [b],
      missing: [join(home, "gone")],
      unlisted: [c],
    });
  });

  it("is no answer when others may change it, or it is not what sha256sum writes", async () => {
    const home = await folder();
    const path = await write(join(home, "baseline"), `${sum("A")}  ${join(home, "a")}\n`);
    await chmod(path, 0o666);
    expect(codeOf(await collectConfigBaseline(path, [], now))).toBe("state-file-insecure-mode");
    await chmod(path, 0o600);
    for (const bad of ["", "nonsense", `${sum("A")}  relative\n`]) {
      await writeFile(path, bad);
      expect([bad, codeOf(await collectConfigBaseline(path, [], now))]).toEqual([bad, "baseline-invalid"]);
    }
  });
});

const STATUS = `Package: openssl
Status: install ok installed
Architecture: amd64
Version: 3.0.15-1~deb12u1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: current
Status: install ok installed
Architecture: all
Version: 2.0
`;
const FIXES = `Package: openssl
Architecture: amd64
Version: 3.0.17-1~deb12u1

Package: gone
Architecture: amd64
Version: 2.0

Package: current
Architecture: all
Version: 2.0

Package: openssl
Architecture: i386
Version: 9.0
`;

describe("security fixes", () => {
  const LIST = "var/lib/apt/lists/deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages";
  const look = async (root: string) => await collectHostPatching({ now, root, runTool, aptHelper: null });

  it("are those that are newer than what is installed", async () => {
    const root = await folder();
    await write(join(root, "var/lib/dpkg/status"), STATUS);
    await write(join(root, LIST), FIXES);
    const stamp = await write(join(root, "var/lib/apt/periodic/update-success-stamp"), "");
    await utimes(stamp, new Date(now()), new Date(now()));
    expect(valueOf(await look(root))).toEqual({
      manager: "apt",
      security: ["openssl 3.0.17-1~deb12u1"],
      lists_at: "2026-11-23T08:00:00Z",
      automatic: false,
      reboot_required: false,
    });
    await write(join(root, "usr/bin/unattended-upgrade"), "");
    await write(
      join(root, "etc/apt/apt.conf.d/20auto"),
      '// APT::Periodic::Unattended-Upgrade "0";\nAPT::Periodic::Unattended-Upgrade "1";\n',
    );
    await write(join(root, "run/reboot-required"), "");
    expect(valueOf(await look(root))).toMatchObject({ automatic: true, reboot_required: true });
  });

  it("are not known without lists, with lists that cannot be read, or on another system", async () => {
    const root = await folder();
    expect(codeOf(await look(root))).toBe("platform-unsupported");
    await write(join(root, "var/lib/dpkg/status"), STATUS);
    expect(codeOf(await look(root))).toBe("file-unreadable");
    await mkdir(join(root, dirname(LIST)), { recursive: true });
    expect(codeOf(await look(root))).toBe("file-missing");
    await write(join(root, `${LIST}.lz4`), "packed");
    expect(codeOf(await look(root))).toBe("file-unreadable");
  });
});

describe("the storage of the state folder", () => {
  async function machine(device: string, source: string, type = "ext4") {
    const root = await folder();
    const stateDir = join(root, "home/.openclaw");
    await write(join(stateDir, "openclaw.json"), "{}");
    const procRoot = join(root, "proc");
    await write(
      join(procRoot, "self/mountinfo"),
      `1 0 0:1 / / rw - overlay overlay rw\n2 1 ${device} / ${root} rw - ${type} ${source} rw\n`,
    );
    await write(join(procRoot, "cpuinfo"), "flags : fpu vme\n");
    const sys = join(root, "sys");
    return {
      root,
      sys,
      stateDir,
      look: async (at = stateDir) => valueOf(await collectStateVolume(at, { now, procRoot, sys, platform: "linux" })),
    };
  }

  it("is encrypted when dm-crypt lies below, also below a volume manager", async () => {
    const { sys, look } = await machine("254:1", "/dev/mapper/vg-home");
    await write(join(sys, "dev/block/254:1/dm/uuid"), "LVM-abc\n");
    await write(join(sys, "block/dm-0/dm/uuid"), "CRYPT-LUKS2-abc\n");
    await mkdir(join(sys, "dev/block/254:1/slaves"), { recursive: true });
    await symlink(join(sys, "block/dm-0"), join(sys, "dev/block/254:1/slaves/dm-0"));
    expect(await look()).toMatchObject({ encrypted: true, is_network: false, synced_by: [] });
  });

  it("is not on a plain disk, and then it matters what machine that is", async () => {
    const { sys, look } = await machine("8:1", "/dev/sda1");
    await mkdir(join(sys, "dev/block/8:1"), { recursive: true });
    const isContainer = (await look()).encrypted === null;
    if (!isContainer) expect(await look()).toMatchObject({ encrypted: false, is_portable: null });
    await write(join(sys, "class/dmi/id/chassis_type"), "10\n");
    expect(await look()).toMatchObject({ encrypted: isContainer ? null : false, is_portable: true });
    await write(join(sys, "hypervisor/type"), "xen\n");
    expect(await look()).toMatchObject({ encrypted: null });
  });

  it("is not known on a file system without a device, nor on another machine", async () => {
    expect(await (await machine("0:40", "tank/home", "zfs")).look()).toMatchObject({
      encrypted: null,
      is_network: false,
    });
    expect(await (await machine("0:41", "nas:/home", "nfs4")).look()).toMatchObject({
      encrypted: null,
      is_network: true,
    });
  });

  it("is copied elsewhere in a folder of a synchroniser", async () => {
    const { root, look } = await machine("8:1", "/dev/sda1");
    await write(join(root, "home/Dropbox/.openclaw/openclaw.json"), "{}");
    await write(join(root, "home/sync/.stfolder/x"), "");
    await write(join(root, "home/sync/.openclaw/openclaw.json"), "{}");
    expect((await look(join(root, "home/Dropbox/.openclaw"))).synced_by).toEqual(["Dropbox"]);
    expect((await look(join(root, "home/sync/.openclaw"))).synced_by).toEqual(["Syncthing"]);
  });

  it("is no matter where there is no OpenClaw", async () => {
    const options = { now, procRoot: "/proc", sys: "/sys", platform: "linux" };
    expect(codeOf(await collectStateVolume(await folder(), options))).toBe("not-applicable");
    expect(codeOf(await collectStateVolume(await folder(), { ...options, platform: "darwin" }))).toBe(
      "platform-unsupported",
    );
  });
});

/** Tiny programs in a folder of their own, in place of the system's. */
async function tools(programs: Readonly<Record<string, string>>) {
  const path = await folder();
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(path, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(path, name), 0o755);
  }
  return async (name: string): Promise<string | null> => await locateTool(name, [path]);
}

describe("the clock", () => {
  const TRACKING =
    "Reference ID    : A9FEA97B (169.254.169.123)\nSystem time     : 0.000012 seconds slow of NTP time\nLeap status     : Normal\n";
  it("is what chrony says, else what timedatectl says, else a mark of timesyncd", async () => {
    expect(chronyState(TRACKING)).toEqual({ by: "chrony", synchronized: true, offset_seconds: 0 });
    expect(chronyState(TRACKING.replace("0.000012", "42.5").replace("Normal", "Not synchronised"))).toEqual({
      by: "chrony",
      synchronized: false,
      offset_seconds: 42.5,
    });
    expect(chronyState("506 Cannot talk to daemon")).toBeNull();
    const root = await folder();
    const timedatectl = await tools({ chronyc: "exit 1", timedatectl: "echo NTPSynchronized=no" });
    expect(valueOf(await collectClockState({ now, root, runTool, locateTool: timedatectl }))).toMatchObject({
      by: "timedatectl",
      synchronized: false,
    });
    const mute = await tools({ timedatectl: "echo System has not been booted with systemd >&2; exit 1" });
    expect(codeOf(await collectClockState({ now, root, runTool, locateTool: mute }))).toBe("tool-failed");
    expect(codeOf(await collectClockState({ now, root, runTool, locateTool: await tools({}) }))).toBe("tool-missing");
    await write(join(root, "run/systemd/timesync/synchronized"), "");
    expect(valueOf(await collectClockState({ now, root, runTool, locateTool: mute }))).toMatchObject({
      by: "systemd-timesyncd",
      synchronized: true,
    });
  });
});

describe("the firewall", () => {
  const look = async (programs: Readonly<Record<string, string>>, isRoot = true, platform = "linux") =>
    await collectHostFirewall({ now, isRoot, platform, runTool, locateTool: await tools(programs) });
  const DROPS = `echo '{"nftables":[{"chain":{"family":"inet","table":"f","name":"i","type":"filter","hook":"input","policy":"drop"}}]}'`;

  it("is what nft says, and iptables where nft knows of nothing", async () => {
    expect(valueOf(await look({ nft: DROPS }))).toEqual({ tool: "nft", rules: 0, ipv4_drops: true, ipv6_drops: true });
    const older = { nft: `echo '{"nftables":[]}'`, iptables: "echo -P INPUT DROP", ip6tables: "echo -P INPUT ACCEPT" };
    expect(valueOf(await look(older))).toEqual({ tool: "iptables", rules: 0, ipv4_drops: true, ipv6_drops: false });
    expect(valueOf(await look({ nft: `echo '{"nftables":[]}'` }))).toMatchObject({
      tool: "nft",
      rules: 0,
      ipv4_drops: false,
    });
  });

  it("is not known without the right, a tool, or an answer that is understood", async () => {
    expect(codeOf(await look({ nft: DROPS }, false))).toBe("permission-denied");
    expect(codeOf(await look({}))).toBe("tool-missing");
    expect(codeOf(await look({ nft: "echo gibberish" }))).toBe("tool-failed");
    expect(codeOf(await look({ nft: "exit 1", iptables: "echo -P INPUT DROP", ip6tables: "echo -P INPUT DROP" }))).toBe(
      "tool-failed",
    );
    expect(codeOf(await look({ iptables: "echo -P INPUT DROP", ip6tables: "exit 3" }))).toBe("tool-failed");
    expect(codeOf(await look({ nft: DROPS }, true, "darwin"))).toBe("platform-unsupported");
  });
});
