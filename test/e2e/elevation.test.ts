import { describe, expect, vi } from "vitest";
import { itUnless } from "../helpers/requires.ts";
import { cseRun, makeCounted, makePerson, readBack, TYPE_CODE, typeInstead } from "../helpers/run-in-terminal.ts";
import { makeProbe, makeRootProgram, PASSWORD, type Probed, sudoUsersObstacle } from "../helpers/sudo-users.ts";

const OBSTACLE = sudoUsersObstacle();
vi.setConfig({ testTimeout: 120_000 });

const ASKED = ["request", "policy-verdict"];

describe("cse run, in a real terminal with real sudo", () => {
  itUnless(OBSTACLE, "runs an approved command exactly once as root, and the verified log tells it", async () => {
    const person = await makePerson();
    const counted = await makeCounted("echo done; echo oops >&2");
    const run = await cseRun(person, [counted.path, "a b", "--c"]);
    expect(run.output).toMatch(/Allowed, once\.[^]*done\r\n[^]*oops\r\n/);
    expect(run).toMatchObject({ exitCode: 0, isRestored: true });
    expect(await counted.runs()).toEqual(["0 a b --c"]);
    expect(await readBack(person)).toEqual({
      verified: 0,
      events: [...ASKED, "decision allow-once", "granted", "exec-intent", "exec-finish exited"],
    });
  });

  itUnless(OBSTACLE, "H14: asks again for the same command, because a yes is for one run", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    await cseRun(person, [counted.path]);
    const second = await cseRun(person, [counted.path], { steps: [typeInstead("no\n")] });
    expect(second.exitCode).toBe(126);
    expect(second.output).toContain("Refused (denied). Nothing was run.");
    expect(await counted.runs()).toHaveLength(1);
  });

  itUnless(OBSTACLE, "H49: ends with the command's own exit code, and 128 and the signal's number", async () => {
    const person = await makePerson();
    const program = await makeRootProgram('#!/bin/sh\ncase $1 in [A-Z]*) kill -"$1" $$;; *) exit "$1";; esac\n');
    const ends: Record<string, number | null> = {};
    for (const how of ["0", "1", "2", "3", "126", "127", "255", "TERM", "KILL"]) {
      ends[how] = (await cseRun(person, [program, how])).exitCode;
    }
    expect(ends).toEqual({ 0: 0, 1: 1, 2: 2, 3: 3, 126: 126, 127: 127, 255: 255, TERM: 143, KILL: 137 });
  });

  itUnless(OBSTACLE, "H49: ends with 126 when refused and 127 when there is no such command", async () => {
    const person = await makePerson();
    const refused = await cseRun(person, ["/usr/bin/sudo", "id"]);
    expect({ exitCode: refused.exitCode, isAsked: refused.output.includes("type the code") }).toEqual({
      exitCode: 126,
      isAsked: false,
    });
    expect((await cseRun(person, ["/usr/bin/no-such-thing"])).exitCode).toBe(127);
  });

  itUnless(OBSTACLE, "ends with 126 and asks nobody when the state folder cannot be", async () => {
    const person = await makePerson();
    const run = await cseRun(person, ["/usr/bin/id"], { env: { OPENCLAW_STATE_DIR: "/proc/self/mem/x" } });
    expect(run.output).not.toContain("type the code");
    expect(run.exitCode).toBe(126);
  });

  itUnless(OBSTACLE, "ends with 125 when the command outlives its time limit", async () => {
    const person = await makePerson();
    const program = await makeRootProgram("#!/bin/sh\ntrap '' TERM\nsleep 10 &\nwait\nwait\n");
    const run = await cseRun(person, [program], { flags: ["--timeout", "1"] });
    expect(run.output).toContain("may still run as root and cannot be ended from here");
    expect(run.exitCode).toBe(125);
  });

  itUnless(OBSTACLE, "gives the command nothing of the caller's environment", async () => {
    const person = await makePerson();
    const probe = await makeProbe();
    const names =
      "LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT IFS CDPATH ENV BASH_ENV PS4 SHELLOPTS BASHOPTS GLOBIGNORE PERL5LIB PERL5OPT PYTHONPATH PYTHONSTARTUP PYTHONHOME RUBYLIB RUBYOPT NODE_PATH GIT_SSH GCONV_PATH EDITOR VISUAL SUDO_ASKPASS SUDO_EDITOR SUDO_PROMPT PAGER LESSOPEN MANPAGER SYSTEMD_EDITOR DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS XDG_CONFIG_HOME SSH_AUTH_SOCK http_proxy https_proxy SSL_CERT_FILE TMPDIR HOSTALIASES RES_OPTIONS LOCALDOMAIN NLSPATH TERMINFO TERMCAP KRB5_CONFIG JAVA_TOOL_OPTIONS CLASSPATH ZDOTDIR OPENCLAW_PRIV_REASON OPENCLAW_ANYTHING BASH_FUNC_id%%";
    const env = Object.fromEntries(
      names.split(" ").map((name) => [name, name.startsWith("LD_") ? "/nowhere" : "() { id; }"]),
    );
    const { output, exitCode } = await cseRun(person, [probe], { env });
    expect(exitCode).toBe(0);
    const probed = JSON.parse(/^\{"uid".*\}\r$/m.exec(output)?.[0] ?? "null") as Probed;
    expect(probed.uid).toBe(0);
    expect(Object.keys(probed.env).filter((name) => name in env)).toEqual([]);
  });

  itUnless(OBSTACLE, "lets sudo ask for its password where it wants one, every time", async () => {
    const person = await makePerson("cse-password");
    const counted = await makeCounted();
    const steps = [TYPE_CODE, typeInstead(`${PASSWORD}\n`, "assword[^\\r\\n]*: ?")];
    expect((await cseRun(person, [counted.path], { steps })).exitCode).toBe(0);
    expect((await cseRun(person, [counted.path], { steps })).output).toMatch(/assword/);
    expect(await counted.runs()).toHaveLength(2);
  });

  itUnless(OBSTACLE, "H15: ends the command with itself on a signal, and records that", async () => {
    for (const [signal, code] of Object.entries({ TERM: 143, INT: 130, HUP: 129 })) {
      const person = await makePerson();
      const counted = await makeCounted("exec sleep 60");
      const first = `until [ -s ${counted.marks} ]; do sleep 0.05; done; kill -${signal} $PID`;
      const run = await cseRun(person, [counted.path], {
        steps: [TYPE_CODE, { expect: "Allowed, once", first, send: "" }],
      });
      const { verified, events } = await readBack(person);
      expect({ exitCode: run.exitCode, verified, last: events.at(-1) }).toEqual({
        exitCode: code,
        verified: 0,
        last: "exec-finish exited",
      });
    }
  });

  itUnless(
    OBSTACLE,
    "H15: after SIGKILL the log is intact, the outcome is unknown and nothing is granted",
    async () => {
      const person = await makePerson();
      const counted = await makeCounted("exec sleep 3");
      const first = `until [ -s ${counted.marks} ]; do sleep 0.05; done; kill -KILL $PID`;
      const run = await cseRun(person, [counted.path], {
        steps: [TYPE_CODE, { expect: "Allowed, once", first, send: "" }],
      });
      expect(run.exitCode).toBe(-9);
      expect((await readBack(person)).verified).toBe(0);
      const next = await cseRun(person, [counted.path], { steps: [typeInstead("no\n")] });
      expect(next.exitCode).toBe(126);
      expect(await counted.runs()).toHaveLength(1);
      const { verified, events } = await readBack(person);
      expect(verified).toBe(0);
      expect(events).toContain("outcome-unknown");
    },
  );
});
