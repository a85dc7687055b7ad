import { spawnSync } from "node:child_process";
import { chmod, link, lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { POLICY_FILES, type PolicyFileName } from "../../src/app/init.ts";
import type { PreflightReport } from "../../src/app/preflight.ts";
import type { PortReport } from "../../src/core/network.ts";
import {
  controlsIn,
  giveToUser,
  listenAsUser,
  makeUserFolders,
  makeUserHome,
  reportOf,
  type UserHome,
  writeUserFile,
} from "../helpers/cli.ts";
import { IS_ROOT } from "../helpers/outcome.ts";
import { itUnless, toolPath } from "../helpers/requires.ts";
import {
  collect,
  copyPackageForUser,
  makeUserFolder,
  ordinaryUser,
  runCliAsUser,
  startAsUser,
} from "../helpers/unprivileged.ts";

let user: UserHome;

beforeEach(async () => {
  user = await makeUserHome();
});

/** A small file of each kind that is right. */
const GOOD: Readonly<Record<PolicyFileName, string>> = {
  "approved_ports.json": '{ "schemaVersion": 2, "rules": [] }',
  "command-policy.json": '{ "schemaVersion": 2, "unmatched": "ask", "rules": [] }',
  "egress_allowlist.json": '{ "schemaVersion": 2, "rules": [] }',
  "prompt-policy.json": '{ "schemaVersion": 2, "require_confirmation_for_untrusted": true }',
};

/** The code for content that is JSON but not what the file should hold. */
const INVALID: Readonly<Record<PolicyFileName, string>> = {
  "approved_ports.json": "baseline-invalid",
  "command-policy.json": "policy-invalid",
  "egress_allowlist.json": "allowlist-invalid",
  "prompt-policy.json": "policy-invalid",
};

interface Breakage {
  readonly what: string;
  /** Puts the broken thing at the path. */
  readonly make: (path: string, good: string) => Promise<void>;
  /** "invalid" stands for the file's own code; null means that nothing is wrong. */
  readonly code: string | null;
  readonly exitCode: number;
}

const content = (broken: (good: string) => string | Buffer) => async (path: string, good: string) => {
  await writeUserFile(path, broken(good));
};

const withMode = (mode: number) => async (path: string, good: string) => {
  await writeUserFile(path, good);
  await chmod(path, mode);
};

const BREAKAGES: readonly Breakage[] = [
  { what: "empty", make: content(() => ""), code: "json-invalid", exitCode: 3 },
  { what: "only white space", make: content(() => " \n"), code: "json-invalid", exitCode: 3 },
  { what: "truncated", make: content((good) => good.slice(0, -1)), code: "json-invalid", exitCode: 3 },
  { what: "of the wrong type", make: content(() => '"all"'), code: "invalid", exitCode: 3 },
  { what: "null", make: content(() => "null"), code: "invalid", exitCode: 3 },
  {
    what: "with an unknown key",
    make: content((good) => good.replace("{", '{ "deyn": [],')),
    code: "invalid",
    exitCode: 3,
  },
  {
    what: "with a duplicate key",
    make: content((good) => good.replace("{", '{ "schemaVersion": 2,')),
    code: "json-duplicate-key",
    exitCode: 3,
  },
  {
    what: "of a later version",
    make: content((good) => good.replace("2", "3")),
    code: "schema-version-unsupported",
    exitCode: 3,
  },
  {
    what: "20 MB",
    make: content((good) => good + " ".repeat(20_000_000)),
    code: "file-too-large",
    exitCode: 5,
  },
  {
    what: "not UTF-8",
    make: content((good) => Buffer.concat([Buffer.from(good), Buffer.from([0xff, 0xfe])])),
    code: "file-not-text",
    exitCode: 5,
  },
  { what: "a folder", make: async (path) => await makeUserFolders(path), code: "state-file-not-regular", exitCode: 4 },
  {
    what: "a FIFO that nobody writes to",
    make: async (path) => {
      expect(spawnSync("mkfifo", [path]).status).toBe(0);
      await giveToUser(path);
    },
    code: "state-file-not-regular",
    exitCode: 4,
  },
  {
    what: "a symbolic link to a good file",
    make: async (path, good) => {
      await writeUserFile(`${path}.target`, good);
      await symlink(`${path}.target`, path);
      await giveToUser(path);
    },
    code: "state-file-symlink",
    exitCode: 4,
  },
  { what: "unreadable", make: withMode(0o000), code: "file-unreadable", exitCode: 5 },
  { what: "writable for the group", make: withMode(0o660), code: "state-file-insecure-mode", exitCode: 4 },
  { what: "writable for all", make: withMode(0o606), code: "state-file-insecure-mode", exitCode: 4 },
  { what: "readable for all", make: withMode(0o644), code: null, exitCode: 0 },
  { what: "good after a byte order mark", make: content((good) => `\ufeff${good}`), code: null, exitCode: 0 },
];

/** Tells any change of the file, also its replacement by an equal one. */
async function fingerprint(path: string): Promise<string> {
  const { ino, size, mode, mtimeMs, ctimeMs } = await lstat(path);
  return JSON.stringify({ ino, size, mode, mtimeMs, ctimeMs });
}

async function breakAll({ make }: Breakage): Promise<string[]> {
  await makeUserFolders(user.securityDir);
  const paths = POLICY_FILES.map((name) => join(user.securityDir, name));
  for (const name of POLICY_FILES) await make(join(user.securityDir, name), GOOD[name]);
  return paths;
}

function codeFor(breakage: Breakage, name: PolicyFileName): string | null {
  return breakage.code === "invalid" ? INVALID[name] : breakage.code;
}

const title = ({ what }: Breakage): string => what;

describe.each(BREAKAGES.map((breakage) => ({ title: title(breakage), breakage })))(
  "a policy file, $title,",
  ({ breakage }) => {
    it("gets its own code and exit code from every command and is left as it is", async () => {
      const paths = await breakAll(breakage);
      const before = await Promise.all(paths.map(fingerprint));
      const { home } = user;

      const preflight = await runCliAsUser(["preflight", "--json"], { home });
      const items = (reportOf(preflight, breakage.exitCode) as PreflightReport).items;
      const codes = items
        .filter(({ subject }) => subject.startsWith("policy:"))
        .map(({ subject, code }) => [subject, code]);
      expect(codes).toEqual(POLICY_FILES.map((name) => [`policy:${name}`, codeFor(breakage, name)]));

      for (const [args, name] of [
        [["scan", "ports"], "approved_ports.json"],
        [["baseline", "diff"], "approved_ports.json"],
        [["scan", "egress"], "egress_allowlist.json"],
        [["allowlist", "check"], "egress_allowlist.json"],
      ] as const) {
        const run = await runCliAsUser([...args, "--json"], { home });
        const report = reportOf(run, breakage.exitCode);
        const error = {
          status: "error",
          code: codeFor(breakage, name),
          message: expect.any(String),
          hint: expect.any(String),
        };
        expect({ args, stderr: run.stderr, report }).toEqual({
          args,
          stderr: "",
          report: breakage.code === null ? expect.objectContaining({ schemaVersion: 1 }) : error,
        });
      }

      const init = reportOf(await runCliAsUser(["init", "--json"], { home }));
      expect(init).toMatchObject({ created: [], kept: paths });
      expect(await Promise.all(paths.map(fingerprint))).toEqual(before);
    });
  },
);

describe("cse baseline generate", () => {
  it.each(BREAKAGES.filter(({ code }) => code !== null).map((breakage) => ({ title: title(breakage), breakage })))(
    "never replaces a baseline, $title",
    async ({ breakage }) => {
      await makeUserFolders(user.securityDir);
      await breakage.make(user.baseline, GOOD["approved_ports.json"]);
      const [before, names] = [await fingerprint(user.baseline), await readdir(user.securityDir)];
      const run = await runCliAsUser(["baseline", "generate", "--json"], { home: user.home });
      expect(reportOf(run, breakage.exitCode)).toMatchObject({ code: codeFor(breakage, "approved_ports.json") });
      expect(await fingerprint(user.baseline)).toBe(before);
      expect(await readdir(user.securityDir)).toEqual(names);
    },
  );
});

describe("a file that only one command reads", () => {
  it("stops that command and no other", async () => {
    await writeUserFile(user.baseline, "{");
    const { home } = user;
    expect((await runCliAsUser(["scan", "ports"], { home })).exitCode).toBe(3);
    expect((await runCliAsUser(["scan", "egress"], { home })).exitCode).toBe(0);
  });

  it("is named in words, with what to do, on stderr alone", async () => {
    await writeUserFile(user.baseline, "{");
    const run = await runCliAsUser(["scan", "ports"], { home: user.home });
    expect(run.stdout).toBe("");
    expect(run.stderr).toMatch(/^error json-invalid: .*approved_ports\.json.*\n {2}.*cse init/);
  });

  it("is refused when its folder lets others replace it", async () => {
    await writeUserFile(user.baseline, GOOD["approved_ports.json"]);
    await chmod(user.securityDir, 0o770);
    const run = await runCliAsUser(["scan", "ports", "--json"], { home: user.home });
    expect(reportOf(run, 4)).toMatchObject({ code: "state-file-insecure-mode" });
  });

  it("must exist when it is named by hand", async () => {
    for (const args of [
      ["scan", "ports", "--baseline", join(user.home, "none.json")],
      ["scan", "egress", "--allowlist", join(user.home, "none.json")],
    ]) {
      const run = await runCliAsUser([...args, "--json"], { home: user.home });
      expect(reportOf(run, 5)).toMatchObject({ status: "error", code: "file-missing" });
    }
  });

  it("cannot paint the terminal with what it says or is called", async () => {
    const hostile = join(user.home, "\u001b[31mred\u009b1m\u202e.json");
    await writeUserFile(hostile, '{ "\u001b]0;owned\u0007": 1, "a\\u009b": 2 }');
    const run = await runCliAsUser(["scan", "ports", "--baseline", hostile], { home: user.home });
    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain("\\u{1b}[31mred");
    expect(controlsIn(run.stderr)).toEqual([]);
  });
});

describe("homes", () => {
  it("that are not there at all give no-home", async () => {
    for (const args of [["scan", "ports"], ["scan", "egress"], ["init"], ["baseline", "generate"]]) {
      const run = await runCliAsUser([...args, "--json"], { env: { HOME: "" } });
      expect(reportOf(run, 5)).toEqual({
        status: "error",
        code: "no-home",
        message: expect.any(String),
        hint: expect.stringContaining("OPENCLAW_STATE_DIR"),
      });
    }
  });

  itUnless(
    IS_ROOT ? null : "needs root to be another user",
    "of an account without an entry give no-home",
    async () => {
      const { node, folder } = await copyPackageForUser();
      const run = spawnSync(
        "setpriv",
        [
          "--reuid=54321",
          "--regid=54321",
          "--clear-groups",
          node,
          join(folder, "dist/cli.js"),
          "scan",
          "ports",
          "--json",
        ],
        {
          env: {},
          encoding: "utf8",
        },
      );
      expect(JSON.parse(run.stdout)).toMatchObject({ status: "error", code: "no-home" });
    },
  );

  it("that are not there do not matter when the state folder is given", async () => {
    const run = await runCliAsUser(["scan", "ports", "--json"], {
      env: { HOME: "", OPENCLAW_STATE_DIR: user.stateDir },
    });
    expect(reportOf(run)).toMatchObject({ schemaVersion: 1, approved_file: null });
  });

  it("that are read-only still allow a scan, and refuse what writes by name", async () => {
    await chmod(user.home, 0o500);
    const { home } = user;
    expect((await runCliAsUser(["scan", "ports"], { home })).exitCode).toBe(0);
    expect((await runCliAsUser(["scan", "egress"], { home })).exitCode).toBe(0);
    for (const args of [["init"], ["baseline", "generate"]]) {
      expect(reportOf(await runCliAsUser([...args, "--json"], { home }), 5)).toMatchObject({ code: "read-only" });
    }
    expect(await readdir(home)).toEqual([]);
  });

  it("in which reports cannot be written are a problem that preflight names", async () => {
    const reports = join((await copyPackageForUser()).folder, "assessments");
    await chmod(reports, 0o500);
    try {
      const run = await runCliAsUser(["preflight", "--json"], { home: user.home });
      const { items } = reportOf(run, 5) as PreflightReport;
      expect(items.filter(({ state }) => state === "problem")).toMatchObject([
        { subject: "reports-folder", code: "read-only" },
      ]);
    } finally {
      await chmod(reports, 0o700);
    }
  });

  it("with a file where the state folder should be are refused by name", async () => {
    await writeUserFile(user.stateDir, "");
    const run = await runCliAsUser(["init", "--json"], { home: user.home });
    expect(reportOf(run, 4)).toMatchObject({ code: "state-file-not-regular" });
  });
});

describe("a full disk", () => {
  const tools = ["unshare", "mount", "setpriv"].filter((tool) => toolPath(tool) === null);
  const canMount = IS_ROOT && tools.length === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0;
  const SCRIPT = `
    set -eu
    state=$1; uid=$2; gid=$3; shift 3
    mount -t tmpfs -o size=64k,mode=700,uid=$uid,gid=$gid none "$state"
    as="setpriv --reuid=$uid --regid=$gid --clear-groups"
    $as mkdir -m 700 "$state/security"
    printf '[{"port": 1, "protocol": "tcp", "comment": "old"}]' | $as sh -c 'umask 077; cat > "$1/security/approved_ports.json"' sh "$state"
    $as dd if=/dev/zero of="$state/filler" 2>/dev/null || true
    set +e
    $as "$@"
    echo "exit $?"
    cat "$state/security/approved_ports.json"; echo
    ls -A "$state/security"
  `;

  itUnless(
    canMount ? null : "needs root and a mount namespace",
    "leaves the old baseline whole and nothing half written",
    async () => {
      await makeUserFolders(user.stateDir);
      const { node, folder } = await copyPackageForUser();
      const { uid, gid } = await ordinaryUser();
      const command = [node, join(folder, "dist/cli.js"), "baseline", "generate"];
      const run = spawnSync(
        "unshare",
        ["--mount", "sh", "-c", SCRIPT, "sh", user.stateDir, String(uid), String(gid), ...command],
        {
          env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: user.home },
          encoding: "utf8",
        },
      );
      expect(run.stderr).toContain("error disk-full: No space left");
      expect(run.stdout.split("\n")).toEqual([
        "exit 5",
        '[{"port": 1, "protocol": "tcp", "comment": "old"}]',
        "approved_ports.json",
        "",
      ]);
    },
  );

  it("that takes the output is a failure and not a success", async () => {
    const { node, folder } = await copyPackageForUser();
    const script = '"$@" > /dev/full; echo "exit $?" >&2';
    const child = await startAsUser(
      "/bin/sh",
      ["-c", script, "sh", node, join(folder, "dist/cli.js"), "scan", "ports"],
      {
        home: user.home,
      },
    );
    const run = await collect(child);
    expect(run.stderr).toBe("error write-failed: the result could not be written (ENOSPC)\nexit 5\n");
  });
});

describe("a process that chose a hostile name", () => {
  const NAMES = ['a\nb "c\u001b[31m', "\u001b]0;x\u0007\r\t'", "\u009b31m\u202egnp"];

  it("is listed by every command with nothing that could act on a terminal", async () => {
    const listeners = await Promise.all(NAMES.map(async (comm) => await listenAsUser({ comm })));
    const { home } = user;
    const report = reportOf(await runCliAsUser(["scan", "ports", "--json"], { home })) as PortReport;
    const shown = listeners.map(
      ({ port }) => report.listening_services.find((listener) => listener.port === port)?.name,
    );
    expect(shown.map((name, index) => NAMES[index]?.startsWith(name ?? "?"))).toEqual([true, true, true]);

    for (const args of [
      ["scan", "ports"],
      ["baseline", "generate"],
      ["baseline", "diff"],
      ["scan", "egress", "--include-loopback"],
    ]) {
      const run = await runCliAsUser(args, { home });
      expect({ args, exitCode: run.exitCode, controls: controlsIn(run.stdout + run.stderr) }).toEqual({
        args,
        exitCode: 0,
        controls: [],
      });
    }
    const json = await runCliAsUser(["scan", "ports", "--json"], { home });
    expect(controlsIn(json.stdout)).toEqual([]);
  });

  it("is listed the same when its executable's path is hostile", async () => {
    const { node } = await copyPackageForUser();
    const folder = await makeUserFolder("cse-exe-");
    const exe = join(folder, "no\nde\u001b[31m\u202e");
    await link(node, exe);
    const { port } = await listenAsUser({}, exe);
    const { home } = user;
    const text = await runCliAsUser(["scan", "ports"], { home });
    expect(text.stdout).toContain(String(port));
    expect(controlsIn(text.stdout + text.stderr)).toEqual([]);
    const generated = await runCliAsUser(["baseline", "generate"], { home });
    expect(generated.exitCode).toBe(0);
    expect(controlsIn(generated.stdout + generated.stderr)).toEqual([]);
    const report = reportOf(await runCliAsUser(["baseline", "diff", "--json"], { home })) as {
      unreviewed: { port: number; exe: string }[];
    };
    expect(report.unreviewed.find((listener) => listener.port === port)?.exe).toBe(exe);
  });
});

describe("/proc", () => {
  interface Library {
    createSecurityEngineer(options: { procRoot: string; stateDir: string; env?: Record<string, string> }): {
      scanPorts(): Promise<PortReport>;
    };
  }

  async function scanIn(procRoot: string): Promise<PortReport> {
    const { folder } = await copyPackageForUser();
    const library = (await import(join(folder, "dist/index.js"))) as Library;
    return await library.createSecurityEngineer({ procRoot, stateDir: user.stateDir }).scanPorts();
  }

  const HEADER =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n";
  const row = (index: number): string => {
    const port = (1024 + index).toString(16).toUpperCase().padStart(4, "0");
    return `${String(index).padStart(4)}: 0100007F:${port} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${100_000 + index} 1 0000000000000000 100 0 0 10 0\n`;
  };

  async function makeProc(rows: number): Promise<string> {
    const procRoot = join(user.home, "proc");
    await mkdir(join(procRoot, "net"), { recursive: true });
    const table = HEADER + Array.from({ length: rows }, (_, index) => row(index)).join("");
    for (const name of ["tcp", "tcp6", "udp", "udp6"]) {
      await writeFile(join(procRoot, "net", name), name === "tcp" ? table : HEADER);
    }
    return procRoot;
  }

  it("with 10,000 sockets gives every one of them, counted as unknown where the owner is", async () => {
    const report = await scanIn(await makeProc(10_000));
    expect(report.listening_services).toHaveLength(10_000);
    expect(new Set(report.listening_services.map(({ port }) => port)).size).toBe(10_000);
    expect({ status: report.status, complete: report.complete, unresolved: report.unresolved }).toEqual({
      status: "incomplete",
      complete: false,
      unresolved: 10_000,
    });
    const unapproved = report.findings.filter(({ type }) => type === "unapproved-port");
    expect(unapproved).toHaveLength(100);
    expect(unapproved.at(-1)?.title).toMatch(/, and 9900 more like it$/);
  });

  it("whose entries vanish while they are looked at costs only what they knew", async () => {
    const procRoot = await makeProc(3);
    // 1: its descriptors are gone. 2: it holds a socket and the rest of it is gone. 3: half of it is there. 4: a dangling entry.
    await mkdir(join(procRoot, "1"));
    await symlink("gone", join(procRoot, "1/fd"));
    await mkdir(join(procRoot, "2/fd"), { recursive: true });
    await symlink("socket:[100000]", join(procRoot, "2/fd/3"));
    await mkdir(join(procRoot, "3/fd"), { recursive: true });
    await symlink("socket:[100001]", join(procRoot, "3/fd/4"));
    await writeFile(join(procRoot, "3/fd/5"), "not a link");
    await writeFile(join(procRoot, "3/stat"), `3 (half) S 1 3 3 0 -1 0 ${"0 ".repeat(12)}77 0 0\n`);
    await symlink("gone", join(procRoot, "3/exe"));
    await symlink("gone", join(procRoot, "4"));
    const report = await scanIn(procRoot);
    expect(report.listening_services.map(({ port, pid }) => [port, pid])).toEqual([
      [1024, null],
      [1025, 3],
      [1026, null],
    ]);
    expect(report.status).toBe("incomplete");
  });

  it("whose processes come and go during the scan never breaks it", async () => {
    const churn = await startAsUser("/bin/sh", ["-c", "while :; do true & /bin/true; done"], { home: "/" });
    try {
      const { folder } = await copyPackageForUser();
      const library = (await import(join(folder, "dist/index.js"))) as Library;
      const engineer = library.createSecurityEngineer({ procRoot: "/proc", stateDir: user.stateDir });
      for (let round = 0; round < 10; round += 1) {
        expect(["ok", "incomplete"]).toContain((await engineer.scanPorts()).status);
      }
    } finally {
      churn.kill("SIGKILL");
    }
  });

  it("with an empty table is not a host on which nothing listens", async () => {
    const procRoot = await makeProc(0);
    await writeFile(join(procRoot, "net/tcp"), "");
    const report = await scanIn(procRoot);
    // The tools may answer instead; silence may not.
    expect([report.collector === "proc", report.status === "ok" && report.listening_services.length === 0]).toEqual([
      false,
      false,
    ]);
    expect(await readFile(join(procRoot, "net/tcp"), "utf8")).toBe("");
  });
});
