import { createHash } from "node:crypto";
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { RunOutcome } from "../../src/core/elevation.ts";
import { runAsUser } from "../helpers/unprivileged.ts";
import { itUnless } from "../helpers/requires.ts";
import {
  elevateAllAs,
  elevateAs,
  exitOf,
  makeFolderOf,
  makeProbe,
  makeRootFolder,
  makeRootProgram,
  PASSWORD,
  probedOf,
  refusalOf,
  resolvedOf,
  sudoUser,
  sudoUsersObstacle,
  writeFileOf,
} from "../helpers/sudo-users.ts";

const obstacle = sudoUsersObstacle();
const SUDO = "/usr/bin/sudo";

function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function failureOf(outcome: RunOutcome | null): string | null {
  return outcome?.kind === "spawn-failed" ? outcome.errno : null;
}

/** Names that section 5 of the research lists as what must not arrive, and a few of our own. */
const HOSTILE_NAMES =
  `LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT _RLD_LIST DYLD_INSERT_LIBRARIES IFS CDPATH LOCALDOMAIN RES_OPTIONS HOSTALIASES
  NLSPATH PATH_LOCALE KRB5_CONFIG KRB5CCNAME TERMINFO TERMINFO_DIRS TERMPATH TERMCAP ENV BASH_ENV PS1 PS2 PS4 GLOBIGNORE
  BASHOPTS SHELLOPTS JAVA_TOOL_OPTIONS _JAVA_OPTIONS CLASSPATH PERL5LIB PERL5OPT PERLLIB FPATH NULLCMD READNULLCMD
  ZDOTDIR TMPPREFIX PYTHONPATH PYTHONHOME PYTHONINSPECT PYTHONSTARTUP RUBYLIB RUBYOPT NODE_PATH
  NODE_EXTRA_CA_CERTS GIT_SSH_COMMAND GIT_CONFIG_COUNT GIT_EXEC_PATH GCONV_PATH EDITOR VISUAL SUDO_EDITOR SUDO_ASKPASS
  SUDO_PROMPT SUDO_PS1 PAGER LESSOPEN MANPAGER SYSTEMD_EDITOR SYSTEMD_PAGER DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS
  XDG_CONFIG_HOME XDG_RUNTIME_DIR XDG_CURRENT_DESKTOP SSH_AUTH_SOCK http_proxy https_proxy SSL_CERT_FILE SSL_CERT_DIR
  HOSTNAME COLORS LS_COLORS COLORTERM LANGUAGE LC_ALL LC_CTYPE TZ TMPDIR OPENCLAW_APPROVAL_TOKEN OPENCLAW_REAL_SUDO
  MALLOC_ARENA_MAX DEBIAN_FRONTEND`.split(/\s+/);

describe("what the command is given", () => {
  itUnless(obstacle, "R-25: none of our environment, whatever is in it", async () => {
    const hostile = Object.fromEntries(HOSTILE_NAMES.map((name) => [name, "attack"]));
    const env = { ...hostile, "BASH_FUNC_id%%": "() { attack; }", ODD: "() { attack; }", PATH: "/tmp/attack:/usr/bin" };
    const found = probedOf(await elevateAs("cse-sudo", { argv: [await makeProbe()] }, { env }));
    expect(found.env).not.toMatchObject({ PATH: expect.stringContaining("attack") as string });
    expect(Object.keys(found.env).sort()).toEqual([
      "HOME",
      "LANG",
      "LOGNAME",
      "MAIL",
      "PATH",
      "SHELL",
      "SUDO_COMMAND",
      "SUDO_GID",
      "SUDO_UID",
      "SUDO_USER",
      "TERM",
      "USER",
    ]);
    expect(JSON.stringify(found.env)).not.toContain("attack");
    expect(found.env).toMatchObject({ LANG: "C.UTF-8", TERM: "dumb", HOME: "/root" });
  });

  itUnless(
    obstacle,
    "T12: the approved variables, which sudo's own rules would drop from its environment",
    async () => {
      const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C", TZ: "Europe/Berlin", LANG: "de_DE.UTF-8" };
      const found = probedOf(await elevateAs("cse-sudo", { argv: [await makeProbe()], env }));
      expect(found.env).toMatchObject(env);
    },
  );

  itUnless(obstacle, "or no run at all where sudo's rules do not let those variables be set", async () => {
    const record = await elevateAs("cse-limited", { argv: ["/usr/bin/true"], env: { DEBIAN_FRONTEND: "x" } });
    expect(exitOf(record)).toMatchObject({ exitCode: 1 });
    expect(exitOf(record).output.stderr).toContain("not allowed to set");
  });

  itUnless(obstacle, "H36 R-27: no descriptor, no terminal, its own session, umask 022, whatever ours is", async () => {
    const probe = await makeProbe();
    const plans = [
      { argv: [probe], umask: 0o000 },
      { argv: [probe], umask: 0o077 },
    ];
    const through = ["/bin/bash", "-c", 'exec 9</etc/hosts 12>/dev/null; exec "$@"', "bash"];
    const records = await elevateAllAs("cse-sudo", plans, { through });
    const [wide, narrow] = records.map(probedOf);
    expect(wide).toMatchObject({ uid: 0, gid: 0, fds: [0, 1, 2], umask: "0o22", has_terminal: false, stdin: "" });
    expect(narrow).toMatchObject({ umask: "0o22" });
    expect(wide?.session).not.toBe(narrow?.session);
  });

  const limited = (ulimit: string): { through: readonly string[] } => ({
    through: ["/bin/bash", "-c", `ulimit ${ulimit} && exec "$@"`, "bash"],
  });

  itUnless(obstacle, "H36: no limit of the caller's that could end it in the middle", async () => {
    const codes: Record<string, string | null> = {};
    for (const ulimit of ["-St 60", "-Sf 100", "-n 200", "-Ss 512"]) {
      codes[ulimit] = refusalOf(await elevateAs("cse-sudo", { argv: [await makeProbe()] }, limited(ulimit)));
    }
    const no = "limits-too-low";
    expect(codes).toEqual({ "-St 60": no, "-Sf 100": no, "-n 200": no, "-Ss 512": no });
  });

  itUnless(obstacle, "H36: the limits that were shown, where they are less than usual", async () => {
    const program = await makeRootProgram("#!/bin/bash\nulimit -t; ulimit -f\n");
    const record = await elevateAs("cse-sudo", { argv: [program] }, limited("-t 7200 -f 2000000"));
    expect(exitOf(record).output.stdout).toBe("7200\n2000000\n");
    expect(resolvedOf(record).limits).toContainEqual({ name: "Max cpu time", soft: "7200", hard: "7200" });
  });

  itUnless(obstacle, "H36: no limits that were changed after they were pinned down, or after the recheck", async () => {
    const change = "prlimit --pid $PPID --cpu=4000";
    const program = await makeProbe();
    const before = await elevateAs("cse-sudo", { argv: [program], between: change });
    expect(before.recheck).toMatchObject({ code: "request-changed", message: expect.stringMatching(/: limits$/) });
    const { outcome } = await elevateAs("cse-sudo", { argv: [program], afterRecheck: change });
    expect(outcome).toMatchObject({ kind: "spawn-failed", errno: "ESTALE" });
  });

  itUnless(obstacle, "H40: its canonical name, however it was spelled", async () => {
    const probe = await makeProbe();
    const record = await elevateAs("cse-sudo", { argv: [probe.replace("/probe", "/.//probe")] });
    expect(probedOf(record).name).toBe(probe);
  });

  itUnless(obstacle, "T07: the user that was approved", async () => {
    const found = probedOf(await elevateAs("cse-sudo", { argv: [await makeProbe()], runAs: "cse-test" }));
    expect(found.uid).toBe(sudoUser("cse-test").uid);
  });

  itUnless(obstacle, "H28 T61: nothing on stdin when nothing was approved, though ours has something", async () => {
    const file = join(await makeRootFolder(), "out");
    const record = await elevateAs("cse-sudo", { argv: ["/usr/bin/tee", file] });
    expect(exitOf(record)).toMatchObject({ exitCode: 0, pipeHeld: false });
    expect(await readFile(file, "utf8")).toBe("");
  });

  itUnless(obstacle, "R-24: the approved bytes on stdin, all of them and nothing else", async () => {
    const bytes = Buffer.alloc(
      1024 * 1024,
      Uint8Array.from({ length: 256 }, (_, value) => value),
    );
    const record = await elevateAs("cse-sudo", { argv: ["/usr/bin/sha256sum"], stdinHex: bytes.toString("hex") });
    expect(exitOf(record).output.stdout).toBe(`${sha256(bytes)}  -\n`);
    const unread = await elevateAs("cse-sudo", { argv: ["/usr/bin/true"], stdinHex: bytes.toString("hex") });
    expect(exitOf(unread)).toMatchObject({ exitCode: 0 });
  });

  itUnless(obstacle, "H30: the approved folder, entered by identity", async () => {
    const own = await makeFolderOf("cse-sudo");
    const found = probedOf(await elevateAs("cse-sudo", { argv: [await makeProbe()], cwd: own }));
    expect(found.cwd).toBe(own);
  });
});

describe("what changed since the request", () => {
  itUnless(obstacle, "H28 H29: refuses when an operand was rewritten, replaced or removed meanwhile", async () => {
    const own = await makeFolderOf("cse-sudo");
    const file = await writeFileOf("cse-sudo", join(own, "f"), "good");
    const attacks = [
      `printf evil > ${file}`,
      `printf good > ${file}`,
      `cp ${file} ${file}.n; mv ${file}.n ${file}`,
      `rm ${file}`,
      `touch ${own}/new`,
      "true",
    ];
    const records = await elevateAllAs(
      "cse-sudo",
      attacks.map((between) => ({ argv: ["/usr/bin/cat", file, join(own, "new")], between })),
    );
    // The file is gone from the fourth attack on, so the last two begin without it.
    expect(records.map((record) => record.recheck?.code ?? null)).toEqual([
      "request-changed",
      "request-changed",
      "request-changed",
      "request-changed",
      "request-changed",
      null,
    ]);
    expect(records.map((record) => record.outcome?.kind ?? null)).toEqual([null, null, null, null, null, "exited"]);
  });

  itUnless(
    obstacle,
    "H30 T64: refuses when the folder was replaced, also by a link and after the recheck",
    async () => {
      const attacks = (own: string): string[] => [
        `mv ${own}/w ${own}/w2; mkdir ${own}/w`,
        `mv ${own}/w ${own}/w2; ln -s /etc ${own}/w`,
        `rmdir ${own}/w`,
      ];
      const probe = await makeProbe();
      const seen: unknown[] = [];
      for (const phase of ["between", "afterRecheck"] as const) {
        for (let index = 0; index < 3; index += 1) {
          const own = await makeFolderOf("cse-sudo");
          const attack = attacks(own)[index] ?? "";
          await runAsUser(`import { mkdirSync } from "node:fs"; mkdirSync(${JSON.stringify(join(own, "w"))});`, {
            user: sudoUser("cse-sudo"),
            home: "/",
          });
          const record = await elevateAs("cse-sudo", { argv: [probe], cwd: join(own, "w"), [phase]: attack });
          seen.push(record.recheck?.code ?? failureOf(record.outcome));
        }
      }
      expect(seen).toEqual(["request-changed", "request-changed", "request-changed", "ESTALE", "ENOTDIR", "ENOENT"]);
    },
  );

  itUnless(obstacle, "R-22: refuses when the program was changed or replaced by an upgrade", async () => {
    const program = await makeRootProgram("#!/bin/sh\necho one\n");
    const change = `/usr/bin/sudo -n /bin/sh -c 'echo "echo two" >> ${program}'`;
    const record = await elevateAs("cse-sudo", { argv: [program], between: change });
    expect(record.recheck?.code).toBe("request-changed");
  });

  itUnless(obstacle, "T71: does not start a sudo that was replaced after it was checked", async () => {
    const folder = await makeRootFolder();
    const copy = join(folder, "sudo");
    await writeFile(copy, await readFile(SUDO));
    await chmod(copy, 0o4755);
    const afterRecheck = `/usr/bin/sudo -n /bin/sh -c 'cp -p ${copy} ${copy}2; mv ${copy}2 ${copy}'`;
    const record = await elevateAs("cse-sudo", { argv: ["/usr/bin/true"], sudoPath: copy, afterRecheck });
    expect(record.outcome).toMatchObject({ kind: "spawn-failed", errno: "ESTALE" });
    const untouched = await elevateAs("cse-sudo", { argv: ["/usr/bin/true"], sudoPath: copy });
    expect(exitOf(untouched)).toMatchObject({ exitCode: 0 });
  });
});

describe("how the run ends", () => {
  itUnless(obstacle, "H49 T25: with the command's own exit code or signal", async () => {
    const ends = [
      "exit 0",
      "exit 1",
      "exit 3",
      "exit 126",
      "exit 127",
      "exit 255",
      "kill -TERM $$",
      "kill -KILL $$",
      "kill -SEGV $$",
    ];
    const records = await elevateAllAs(
      "cse-sudo",
      ends.map((end) => ({ argv: ["/bin/sh", "-c", end] })),
    );
    expect(records.map((record) => exitOf(record).exitCode ?? exitOf(record).signal)).toEqual([
      0,
      1,
      3,
      126,
      127,
      255,
      "SIGTERM",
      "SIGKILL",
      "SIGSEGV",
    ]);
  });

  itUnless(obstacle, "R-28: by SIGTERM at the time limit or on abort, which sudo passes on", async () => {
    const file = join(await makeRootFolder(), "ended");
    const argv = ["/bin/sh", "-c", `trap 'echo term >> ${file}; exit 7' TERM; sleep 30 & wait`];
    const [limited, aborted] = await elevateAllAs("cse-sudo", [
      { argv, timeoutMs: 500, graceMs: 5_000 },
      { argv, timeoutMs: 30_000, graceMs: 5_000, abortAfterMs: 500 },
    ]);
    expect(limited?.outcome).toMatchObject({ kind: "exited", exitCode: 7, timedOut: true });
    expect(aborted?.outcome).toMatchObject({ kind: "exited", exitCode: 7, timedOut: false });
    expect(await readFile(file, "utf8")).toBe("term\nterm\n");
  });

  itUnless(
    obstacle,
    "R-28: as orphaned when the command ignores SIGTERM, with sudo alive and never killed",
    async () => {
      const argv = ["/bin/sh", "-c", "trap '' TERM; sleep 4"];
      const record = await elevateAs("cse-sudo", { argv, timeoutMs: 400, graceMs: 400 });
      const { outcome } = record;
      if (outcome?.kind !== "orphaned") throw new Error(JSON.stringify(record));
      expect(record.runMs).toBeLessThan(400 + 400 + 2_000);
      const now = await readFile(`/proc/${outcome.pid}/stat`, "utf8");
      expect(now).toContain("(sudo)");
      expect(now.slice(now.lastIndexOf(")")).split(" ")[20]).toBe(outcome.startTime);
    },
  );

  itUnless(obstacle, "H37 T66: soon after the command, though a descendant holds the pipes, and says so", async () => {
    const argv = ["/bin/sh", "-c", "echo done; setsid sleep 8 & exit 0"];
    const record = await elevateAs("cse-sudo", { argv });
    expect(exitOf(record)).toMatchObject({ exitCode: 0, pipeHeld: true, output: { stdout: "done\n" } });
    expect(record.runMs).toBeLessThan(3_000);
  });

  itUnless(
    obstacle,
    "T67: with head and tail of any amount of output, size and hash of all, in bounded memory",
    async () => {
      const [some, much, binary] = await elevateAllAs("cse-sudo", [
        { argv: ["/usr/bin/head", "-c", "200000000", "/dev/zero"], maxOutputBytes: 1000 },
        { argv: ["/usr/bin/head", "-c", "700000000", "/dev/zero"], maxOutputBytes: 1000 },
        { argv: ["/usr/bin/printf", "\\xff\\x00x"] },
      ]);
      const output = some === undefined ? null : exitOf(some).output;
      expect(output).toMatchObject({ truncated: true, stdoutBytes: 200_000_000, stderrBytes: 0 });
      expect(output?.stdout).toBe(`${"\0".repeat(500)}\n[199999000 bytes left out]\n${"\0".repeat(500)}`);
      // Above the process as it was before the run.
      expect([some?.grownMb, much?.grownMb].map((grown) => (grown ?? 999) < 50)).toEqual([true, true]);
      expect(binary === undefined ? null : exitOf(binary).output).toMatchObject({
        stdout: "\ufffd\0x",
        stdoutSha256: sha256(Uint8Array.of(0xff, 0, 0x78)),
        stderrSha256: sha256(""),
        truncated: false,
      });
    },
  );

  itUnless(obstacle, "T74: as not started when the system starts no process, or it was stopped", async () => {
    const closed = await makeRootFolder();
    await chmod(closed, 0o700);
    const seen = [
      failureOf((await elevateAs("cse-sudo", { argv: ["/usr/bin/true"], cwd: closed })).outcome),
      failureOf((await elevateAs("cse-sudo", { argv: ["/usr/bin/true"], aborted: true })).outcome),
    ];
    expect(seen).toEqual(["EACCES", "ECANCELED"]);
  });
});

describe("sudo's password", () => {
  itUnless(obstacle, "H16 T68 T69: no cached credential is used or left behind", async () => {
    const askpass = await makeRootProgram(`#!/bin/sh\necho '${PASSWORD}'\n`);
    const probe = await makeProbe();
    const secret = await writeFileOf("cse-password", join(await makeFolderOf("cse-password"), "p"), `${PASSWORD}\n`);
    // By exec, because without a terminal sudo remembers the parent for which the password was given.
    const cached = `exec sudo -S -v < ${secret}`;
    // Interactive only to stay in this session, for which sudo remembers.
    const plan = { argv: [probe], interactive: true };
    const [without, withAskpass, detached] = await elevateAllAs("cse-password", [
      { ...plan, between: cached, after: "exec sudo -n true" },
      { ...plan, askpassPath: askpass, afterRecheck: "sudo -K", after: "exec sudo -n true" },
      { argv: [probe], askpassPath: askpass, after: "exec sudo -n true" },
    ]);
    if (without === undefined || withAskpass === undefined || detached === undefined) throw new Error("not run");
    expect(exitOf(without)).toMatchObject({ exitCode: 1 });
    // It was there to be used, and is left as it was.
    expect(without.afterExit).toBe(0);
    expect(probedOf(withAskpass)).toMatchObject({ uid: 0 });
    expect(probedOf(detached)).toMatchObject({ uid: 0, has_terminal: false });
    expect([withAskpass.afterExit, detached.afterExit]).toEqual([1, 1]);
  });

  itUnless(obstacle, "is asked by sudo itself where a human sits at the terminal, and not remembered", async () => {
    const withTerminal = join(await makeRootFolder(), "with-terminal.py");
    await copyFile(join(import.meta.dirname, "../fixtures/bin/with-terminal.py"), withTerminal);
    const plan = { argv: [await makeProbe()], interactive: true, after: "exec sudo -n true" };
    const python = ["/usr/bin/python3", "-I", withTerminal];
    const typed = await elevateAs("cse-password", plan, { through: [...python, PASSWORD] });
    expect(typed.preflight?.code).toBe("password-required");
    expect(probedOf(typed)).toMatchObject({ uid: 0, stdin: "" });
    expect(typed.afterExit).toBe(1);
    const silent = await elevateAs("cse-password", { ...plan, timeoutMs: 500 }, { through: [...python, ""] });
    expect(silent.outcome).toMatchObject({ kind: "exited", timedOut: true });
    expect(silent.outcome).not.toHaveProperty("exitCode", 0);
  });

  itUnless(obstacle, "is never asked of an askpass program that others can change", async () => {
    const own = await makeFolderOf("cse-password");
    const askpassPath = await writeFileOf("cse-password", join(own, "ask"), `#!/bin/sh\necho '${PASSWORD}'\n`, 0o755);
    const record = await elevateAs("cse-password", { argv: ["/usr/bin/true"], askpassPath });
    expect(record).toMatchObject({ preflight: { code: "askpass-unusable" }, outcome: null });
  });
});
