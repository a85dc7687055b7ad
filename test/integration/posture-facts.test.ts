import { copyFile, chmod, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { collectPostureFacts, type PostureFactsOptions } from "../../src/collect/posture-facts.ts";
import type { GatewayProcess } from "../../src/core/host-evidence.ts";
import type { PostureFacts } from "../../src/core/posture-facts.ts";
import type { ToolResult } from "../../src/exec/run-tool.ts";
import { GATEWAY, listener, NO_WAY_TO_ROOT, seen, sockets, unseen } from "../helpers/assess-evidence.ts";
import { IS_ROOT } from "../helpers/outcome.ts";
import { itUnless } from "../helpers/requires.ts";
import { makeUserFolder, ordinaryUser, startAsUser } from "../helpers/unprivileged.ts";

const NOW = Date.UTC(2026, 10, 23, 8);
const NO_ROOT = IS_ROOT ? null : "only root can make files of root";
const CLAW: GatewayProcess = { ...GATEWAY, pid: 42, uid: 1000, user: "claw" };

async function tree(files: Record<string, string | Buffer>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "cse-posture-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

interface Setup {
  readonly files?: Record<string, string | Buffer>;
  readonly tools?: readonly string[];
  /** By the arguments, joined. */
  readonly answers?: Record<string, string | ToolResult>;
  readonly options?: Partial<PostureFactsOptions>;
}

async function look({ files = {}, tools = [], answers = {}, options = {} }: Setup = {}): Promise<PostureFacts> {
  const root = await tree({ "proc/sys/fs/x": "", ...files });
  return await collectPostureFacts({
    now: () => NOW,
    procRoot: join(root, "proc"),
    account: seen(CLAW),
    privilege: seen(NO_WAY_TO_ROOT),
    sockets: sockets(),
    currentUid: 1000,
    locateTool: async (name) => await Promise.resolve(tools.includes(name) ? `/usr/bin/${name}` : null),
    runTool: async ({ args }) => {
      const answer = answers[args.join(" ")] ?? { kind: "failed", code: "timeout", message: "no answer" };
      const done = { kind: "done", exitCode: 0, stdout: answer as string, stderr: "" } as const;
      return await Promise.resolve(typeof answer === "string" ? done : answer);
    },
    stateDir: join(root, "state"),
    securityDir: join(root, "state/security"),
    code: { own: [], openclaw: [] },
    root,
    ...options,
  });
}

function shown(evidence: PostureFacts[keyof PostureFacts]): unknown {
  return evidence.kind === "measured" ? evidence.value : evidence.code;
}

const STATUS = "Name:\tnode\nSigCgt:\t0000000100004402\n";
const PROCESS = { "proc/42/status": STATUS, "proc/42/cmdline": "node\0openclaw.mjs\0gateway\0" };

describe("collectPostureFacts, about the gateway", () => {
  it.each([
    ["no handler, and a command line without a debugger", STATUS, PROCESS["proc/42/cmdline"], [false, false]],
    ["Node's own handler", STATUS.replace("4402", "4602"), PROCESS["proc/42/cmdline"], [true, false]],
    ["a debugger that was asked for", STATUS, "node\0--inspect=0.0.0.0:9229\0x.mjs\0", [false, true]],
    ["one that waits", STATUS, "node\0--inspect-brk\0x.mjs\0", [false, true]],
    ["a title in place of the command line", STATUS, "openclaw-gateway\0\0\0\0", [false, null]],
  ])("sees %s", async (_title, status, cmdline, [handles, flag]) => {
    const facts = await look({ files: { "proc/42/status": status, "proc/42/cmdline": cmdline } });
    expect(shown(facts.debugger)).toEqual({ handles_sigusr1: handles, inspect_flag: flag, ports: [] });
  });

  it("takes the gateway's own ports, and none when the sockets were not all seen", async () => {
    const found = sockets(
      listener({ pid: 42, port: 18_789 }),
      listener({ pid: 42, port: 9229 }),
      listener({ pid: 42, port: 9229, address: "::1" }),
      listener({ pid: 7, port: 22 }),
    );
    const ports = async (options: Partial<PostureFactsOptions>): Promise<unknown> => {
      const { debugger: debug } = await look({ files: PROCESS, options });
      return debug.kind === "measured" ? debug.value.ports : debug.code;
    };
    expect(await ports({ sockets: found })).toEqual([9229, 18_789]);
    expect(await ports({ sockets: { ...found, value: { ...found.value, complete: false } } })).toBeNull();
    expect(await ports({ sockets: unseen() })).toBeNull();
  });

  it.each([
    ["a system service", "0::/system.slice/openclaw-gateway.service\n", "system", "openclaw-gateway.service"],
    [
      "a user service",
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/claw.service\n",
      "user",
      "user@1000.service/claw.service",
    ],
    ["a login session", "0::/user.slice/user-1000.slice/session-3.scope\n", "none", "session-3.scope"],
    ["nothing", "0::/\n", "none", null],
  ])("tells that %s started it", async (_title, cgroup, manager, unit) => {
    const facts = await look({ files: { ...PROCESS, "proc/42/cgroup": cgroup } });
    expect(shown(facts.manager)).toEqual({ manager, unit });
  });

  it("says that no gateway runs, rather than anything about one", async () => {
    const facts = await look({ options: { account: seen({ ...CLAW, pid: null, running: false }) } });
    const about = [facts.debugger, facts.manager, facts.memory_open, facts.program];
    expect(about.map(shown)).toEqual(Array<string>(4).fill("not-applicable"));
  });

  it("says that a process which is gone could not be looked at", async () => {
    const facts = await look();
    const about = [facts.debugger, facts.manager, facts.memory_open, facts.program];
    expect(about.map(shown)).toEqual(Array<string>(4).fill("proc-unusable"));
  });

  itUnless(
    NO_ROOT,
    "measures that a Node which its user cannot read closes its memory, and that --disable-sigusr1 leaves no handler",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "cse-node-"));
      await chmod(folder, 0o755);
      const user = await ordinaryUser();
      const gateway = async (mode: number, flags: readonly string[]): Promise<unknown> => {
        const node = join(folder, `node-${mode.toString(8)}`);
        await copyFile(process.execPath, node);
        await chmod(node, mode);
        const script = "process.stdout.write('up'); setInterval(() => {}, 1000)";
        const child = await startAsUser(node, [...flags, "-e", script], { home: await makeUserFolder() });
        onTestFinished(() => void child.kill("SIGKILL"));
        await new Promise((up) => child.stdout.once("data", up));
        const account = seen({ ...CLAW, pid: child.pid ?? 0, uid: user.uid });
        const facts = await look({ options: { account, procRoot: "/proc", currentUid: 0 } });
        return [facts.memory_open, facts.program, facts.debugger].map(shown);
      };
      const debug = { inspect_flag: false, ports: [] };
      // A folder under /tmp is never root's alone.
      const program = { uid: 0, is_root_only: false };
      expect(await gateway(0o755, [])).toEqual([
        true,
        { ...program, path: join(folder, "node-755"), mode: 0o755 },
        { ...debug, handles_sigusr1: true },
      ]);
      expect(await gateway(0o711, ["--disable-sigusr1"])).toEqual([
        false,
        { ...program, path: join(folder, "node-711"), mode: 0o711 },
        { ...debug, handles_sigusr1: false },
      ]);
    },
  );
});

describe("collectPostureFacts, about the host", () => {
  it("reads the kernel's guards, and tells a missing Yama from a setting of 0", async () => {
    const files = { "proc/sys/fs/protected_symlinks": "1\n", "proc/sys/fs/protected_hardlinks": "0\n" };
    expect(shown((await look({ files })).kernel)).toEqual({
      ptrace_scope: null,
      protected_symlinks: 1,
      protected_hardlinks: 0,
    });
    const yama = await look({ files: { ...files, "proc/sys/kernel/yama/ptrace_scope": "0\n" } });
    expect(shown(yama.kernel)).toMatchObject({ ptrace_scope: 0 });
    expect(shown((await look({ options: { procRoot: "/nonexistent" } })).kernel)).toBe("proc-unusable");
  });

  it("reads owner and mode of the state folders, of which the inner one may be missing", async () => {
    const root = await tree({ "state/x": "" });
    await chmod(join(root, "state"), 0o750);
    const uid = process.getuid?.();
    const paths = { stateDir: join(root, "state"), securityDir: join(root, "state/security") };
    expect(shown((await look({ options: paths })).folders)).toEqual([{ path: paths.stateDir, uid, mode: 0o750 }]);
    await mkdir(paths.securityDir, { mode: 0o700 });
    expect(shown((await look({ options: paths })).folders)).toEqual([
      { path: paths.stateDir, uid, mode: 0o750 },
      { path: paths.securityDir, uid, mode: 0o700 },
    ]);
    expect(shown((await look()).folders)).toBe("file-missing");
  });

  it("finds the system's log only where something listens and can be told", async () => {
    const root = await tree({ "dev/x": "", "run/systemd/journal/x": "" });
    const open = async (path: string): Promise<void> => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(path, done));
      onTestFinished(() => void server.close());
    };
    const anchor = async (tools: readonly string[]): Promise<unknown> =>
      shown((await look({ tools, options: { root } })).anchor);
    expect(await anchor(["logger"])).toBeNull();
    await open(join(root, "run/systemd/journal/dev-log"));
    await symlink(join(root, "run/systemd/journal/dev-log"), join(root, "dev/log"));
    expect(await anchor(["logger"])).toBe("journald");
    expect(await anchor([])).toBeNull();
  });

  it("knows that a terminal approves as long as nobody is enrolled, and no more once somebody is", async () => {
    expect(shown((await look()).approvers)).toEqual(["terminal"]);
    const device = {
      kind: "device",
      id: "ab".repeat(32),
      name: "",
      enrolled_at: "2026-11-23T08:00:00Z",
      proof: "none",
    };
    const approversOf = async (content: unknown): Promise<unknown> => {
      const files = { "state/security/approvers.json": JSON.stringify(content) };
      const root = await tree(files);
      return shown((await look({ options: { securityDir: join(root, "state/security") } })).approvers);
    };
    const list = (...approvers: readonly unknown[]): unknown => ({ schemaVersion: 1, approvers });
    expect(await approversOf(list())).toEqual([]);
    expect(await approversOf(list(device, { ...device, id: "cd".repeat(32) }))).toEqual(["device without proof"]);
    expect(await approversOf(list({ ...device, kind: "channel", id: "telegram:default" }))).toEqual(["channel"]);
    expect(await approversOf([])).toBe("approvers-invalid");
  });

  it("says nothing about code as long as either package was not found", async () => {
    const root = await tree({ "a/package.json": "{}" });
    const file = join(root, "a/package.json");
    const code = async (own: readonly string[], openclaw: readonly string[]): Promise<unknown> =>
      shown((await look({ options: { code: { own, openclaw } } })).code);
    expect(await code([file], [])).toBe("file-missing");
    expect(await code([join(root, "b")], ["/usr"])).toBe("file-missing");
    expect(await code([file], ["/usr"])).toEqual({ looked_at: [file, "/usr"], changeable: [file] });
    expect(await code(["/usr/bin"], ["/usr"])).toEqual({ looked_at: ["/usr/bin", "/usr"], changeable: [] });
  });
});

const VERSION = "Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3\n";
const HEAD = "User claw may run the following commands on vm:\n";
const DEFAULTS = `Matching Defaults entries for claw on vm:\n    env_reset, secure_path=/a\\:/b,\n    use_pty, logfile="/var/log/s u.log"\n\n`;

describe("collectPostureFacts, about sudo", () => {
  const files = (text: string): Record<string, Buffer> => ({
    "usr/share/doc/sudo/changelog.Debian.gz": gzipSync(text),
  });
  const sudo = async (setup: Setup): Promise<unknown> =>
    shown((await look({ tools: ["sudo"], answers: { "-V": VERSION }, ...setup })).sudo);

  itUnless(NO_ROOT, "believes a package's changelog of root's about what was fixed", async () => {
    const text = "sudo (1.9.13p3-1+deb12u2) x; urgency=high\n\n  * host option (CVE-2025-32462) CVE-2025-32462\n";
    const fixed = ["CVE-2025-32462"];
    const found = { path: "/usr/bin/sudo", flavour: "sudo", version: "1.9.13p3" };
    expect(await sudo({ files: files(text) })).toEqual({ ...found, fixed });
    expect(await sudo({ files: files("2023-03-04  fixes CVE-2025-32462") })).toEqual({ ...found, fixed: [] });
    expect(await sudo({ files: { "usr/share/doc/sudo/changelog.Debian.gz": "no gzip" } })).toEqual({
      ...found,
      fixed: [],
    });
    expect(await sudo({})).toEqual({ ...found, fixed: [] });
  });

  itUnless(NO_ROOT, "believes no changelog that others can write", async () => {
    const root = await tree(files("sudo (1) x; urgency=high\n CVE-2025-32462"));
    await chmod(join(root, "usr/share/doc/sudo/changelog.Debian.gz"), 0o666);
    expect(await sudo({ options: { root } })).toMatchObject({ fixed: [] });
  });

  it("asks rpm where there is no such file", async () => {
    const answers = { "-V": VERSION, "-q --changelog sudo": "- fix CVE-2025-32462\n" };
    expect(await sudo({ tools: ["sudo", "rpm"], answers })).toMatchObject({ fixed: ["CVE-2025-32462"] });
  });

  it.each([
    ["sudo-rs", "sudo-rs 0.2.8\n", { flavour: "sudo-rs", version: "0.2.8" }],
    ["something else", "hello\n", { flavour: "sudo", version: "" }],
  ])("reads the version of %s", async (_title, text, expected) => {
    expect(await sudo({ answers: { "-V": text } })).toMatchObject(expected);
  });

  it("tells a sudo that is not there from one that gives no answer", async () => {
    expect(await sudo({ tools: [] })).toBeNull();
    expect(await sudo({ answers: {} })).toBe("timeout");
  });

  const settings = async (setup: Setup): Promise<unknown> =>
    shown((await look({ tools: ["sudo"], ...setup })).sudo_settings);
  const own = (stdout: string, stderr = ""): Setup => ({
    answers: { "-n -l": { kind: "done", exitCode: 0, stdout, stderr } },
  });
  const LOG = "/var/log/s u.log";

  it.each([
    [
      "a rule without a password",
      own(`${DEFAULTS}${HEAD}    (root) NOPASSWD: /bin/a\n`),
      { has_rules: true, use_pty: true, log: LOG, cached: null },
    ],
    [
      "rules with one, listed without asking: one was typed",
      own(`${DEFAULTS}${HEAD}    (root) ALL\n`),
      { has_rules: true, use_pty: true, log: LOG, cached: true },
    ],
    [
      "settings that are not shown",
      own(`${HEAD}    (root) NOPASSWD: ALL\n`),
      { has_rules: true, use_pty: null, log: null, cached: null },
    ],
    [
      "settings that are switched off",
      own(
        `${DEFAULTS.replace("use_pty", "!use_pty").replace(/logfile.*/, "!syslog")}${HEAD}    (root) NOPASSWD: ALL\n`,
      ),
      { has_rules: true, use_pty: false, log: "", cached: null },
    ],
    [
      "a wish for a password",
      own("", "sudo: a password is required\n"),
      { has_rules: null, use_pty: null, log: null, cached: false },
    ],
    [
      "a refusal",
      own("Sorry, user claw may not run sudo on vm.\n"),
      { has_rules: false, use_pty: null, log: null, cached: false },
    ],
    ["an answer that is none", own("?"), "tool-failed"],
    ["no answer", {}, "timeout"],
    ["another account's question", { ...own(""), options: { currentUid: 4711 } }, "permission-denied"],
  ])("makes of %s what it says", async (_title, setup: Setup, expected) => {
    expect(await settings(setup)).toEqual(expected);
  });

  it("takes from root's view what sudo does by itself, and the account's own settings over it", async () => {
    const general =
      "Always run commands in a pseudo-tty\nSyslog facility if syslog is being used for logging: authpriv\n";
    const rules = `${HEAD}    (root) PASSWD: ALL\n`;
    const asRoot = (own_: string, whole = general): Setup => ({
      answers: { "-V": whole, "-n -l -U claw": own_ },
      options: { currentUid: 0 },
    });
    expect(await settings(asRoot(rules))).toEqual({ has_rules: true, use_pty: true, log: "syslog", cached: false });
    expect(await settings(asRoot(`${DEFAULTS.replace("use_pty", "!use_pty")}${rules}`))).toMatchObject({
      use_pty: false,
      log: LOG,
    });
    expect(await settings(asRoot(rules, `${general}Path to log file: /var/log/sudo.log\n`))).toMatchObject({
      log: "/var/log/sudo.log",
    });
    expect(await settings(asRoot("User claw is not allowed to run sudo on vm.\n"))).toMatchObject({ has_rules: false });
    expect(await settings({ ...asRoot(rules), answers: { "-V": general } })).toBe("timeout");
  });

  it("finds the record of a password that was typed a moment ago, as root", async () => {
    const setup: Setup = {
      files: { "run/sudo/ts/claw": "x" },
      answers: { "-V": "", "-n -l -U claw": `${HEAD}    (root) ALL\n` },
    };
    const cached = async (now: number): Promise<unknown> =>
      await settings({ ...setup, options: { currentUid: 0, now: () => now } });
    expect(await cached(Date.now())).toMatchObject({ cached: true });
    expect(await cached(Date.now() + 3_600_000)).toMatchObject({ cached: false });
  });
});
