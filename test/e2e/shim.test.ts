import { spawnSync } from "node:child_process";
import { chmod, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { itUnless } from "../helpers/requires.ts";
import { aSecondMs, type ShimWorld, startShimWorld } from "../helpers/shim-world.ts";
import {
  makeProbe,
  makeRootProgram,
  type Probed,
  sudoUser,
  sudoUsersObstacle,
  writeFileOf,
} from "../helpers/sudo-users.ts";

const OBSTACLE = sudoUsersObstacle();
vi.setConfig({ testTimeout: 120_000 });

function probed(run: { readonly stdout: string; readonly stderr: string }): Probed {
  if (run.stdout === "") throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Probed;
}

/** The first code that the shim names. */
const codeOf = ({ stderr }: { readonly stderr: string }): string | undefined => /^sudo: ([a-z-]+): /m.exec(stderr)?.[1];
const uidOf = (name: Parameters<typeof sudoUser>[0]): number => sudoUser(name).uid;

describe("what the shim takes to a person", () => {
  itUnless(OBSTACLE, "T03: -k before a command is a request; a no runs nothing and is recorded", async () => {
    const world = await startShimWorld({ answer: "no" });
    const run = await world.sudo(["-k", "/usr/bin/id"]);
    expect({ ...run, code: codeOf(run) }).toMatchObject({ exitCode: 126, stdout: "", code: "denied" });
    expect(await world.events()).toEqual(["request", "policy-verdict", "decision denied", "refused denied"]);
    const log = await readFile(join(world.stateDir, "security/privileged-audit.jsonl"), "utf8");
    expect(log).toContain('"channel":"shim"');
  });

  itUnless(OBSTACLE, "T05: words after -- are the command and its arguments", async () => {
    const world = await startShimWorld();
    const probe = await makeProbe();
    expect(probed(await world.sudo(["--", probe, "x"]))).toMatchObject({ uid: 0, args: ["x"] });
    expect(world.questions.map(({ argv }) => argv)).toEqual([[probe, "x"]]);
  });

  itUnless(OBSTACLE, "T06: an option after -- is no command", async () => {
    const world = await startShimWorld();
    const run = await world.sudo(["--", "-u", "root", "/usr/bin/id"]);
    expect([run.exitCode, codeOf(run), world.questions]).toEqual([126, "command-invalid", []]);
  });

  itUnless(OBSTACLE, "T07, T10: each spelling of -u runs as that user, alone and behind -n", async () => {
    const world = await startShimWorld({ sessions: 2 });
    const spellings = [["-ucse-test"], ["-u", "cse-test"], ["--user=cse-test"], ["--user", "cse-test"]];
    for (const words of spellings) {
      const { stdout } = await world.sudo([...words, "/usr/bin/id", "-u"]);
      expect(stdout).toBe(`${uidOf("cse-test")}\n`);
    }
    const asked = world.questions.length;
    for (const words of [["-nu", "cse-test"], ["-nucse-test"]]) {
      const run = await world.sudo([...words, "/usr/bin/id"], { session: 1 });
      expect([run.exitCode, codeOf(run)]).toEqual([126, "non-interactive"]);
    }
    expect([asked, world.questions.length]).toEqual([4, 4]);
    expect(world.questions.map(({ runAs }) => runAs)).toEqual(spellings.map(() => "cse-test"));
  });

  itUnless(OBSTACLE, "T12: an allowed variable is shown, bound and arrives", async () => {
    const world = await startShimWorld();
    const probe = await makeProbe();
    const run = probed(await world.sudo(["DEBIAN_FRONTEND=noninteractive", probe]));
    expect(run.env["DEBIAN_FRONTEND"]).toBe("noninteractive");
    expect(world.questions[0]?.env).toEqual({ DEBIAN_FRONTEND: "noninteractive" });
  });

  itUnless(OBSTACLE, "T17, R-68: without a route, or with -n, it is refused at once and nobody is asked", async () => {
    const willing = await startShimWorld({ answer: "yes" });
    const quiet = await willing.sudo(["-n", "/usr/bin/id"]);
    expect([quiet.exitCode, quiet.stderr.split("\n")[0]]).toEqual([126, "sudo: a password is required"]);
    const world = await startShimWorld({ answer: "no-route" });
    const run = await world.sudo(["/usr/bin/id"]);
    expect([run.exitCode, codeOf(run)]).toEqual([126, "no-route"]);
    expect([...willing.questions, ...world.questions]).toEqual([]);
    expect(Math.max(run.ms, quiet.ms)).toBeLessThan(aSecondMs());
  });

  itUnless(
    OBSTACLE,
    "OPENCLAW_ALLOW_NONINTERACTIVE_SUDO: waits for a route, from the gateway's environment only",
    async () => {
      const env = { OPENCLAW_ALLOW_NONINTERACTIVE_SUDO: "1" };
      const world = await startShimWorld({ answer: "later", env });
      expect(await world.sudo(["/usr/bin/id", "-u"])).toMatchObject({ exitCode: 0, stdout: "0\n" });
      const other = await startShimWorld({ answer: "no-route" });
      expect(codeOf(await other.sudo(["/usr/bin/id"], { env }))).toBe("no-route");
    },
  );

  itUnless(OBSTACLE, "a plain name is looked up once on sudo's path, never on the caller's", async () => {
    const world = await startShimWorld();
    const fake = await writeFileOf("cse-sudo", join(world.home, "id"), "#!/bin/sh\necho fake\n", 0o755);
    const run = await world.sudo(["id", "-u"], { env: { PATH: `${world.home}:/usr/bin:/bin` } });
    expect([run.stdout, world.questions[0]?.argv, existsSync(fake)]).toEqual(["0\n", ["/usr/bin/id", "-u"], true]);
    const missing = await world.sudo(["no-such-command"]);
    expect([missing.exitCode, missing.stderr]).toEqual([127, "sudo: no-such-command: command not found\n"]);
  });

  itUnless(OBSTACLE, "-D and -T are bound; the caller's folder and its claimed reason are shown", async () => {
    const world = await startShimWorld();
    const probe = await makeProbe();
    await world.sudo([probe], { cwd: world.home, env: { OPENCLAW_PRIV_REASON: "because" } });
    await world.sudo(["-D", "/usr", "-T", "7", probe]);
    expect(world.questions.map(({ cwd, timeoutMs, reason }) => [cwd, timeoutMs, reason])).toEqual([
      [world.home, 1_800_000, "because"],
      ["/usr", 7_000, "none given (called as sudo)"],
    ]);
  });
});

describe("what the shim refuses", () => {
  const refusedWords: readonly (readonly [string, readonly string[], string])[] = [
    ["T08", ["-u=bob", "/usr/bin/id"], "run-as-invalid"],
    ["T14", ["-E", "/usr/bin/id"], "option-preserve-env"],
    ["T14", ["--preserve-env", "/usr/bin/id"], "option-preserve-env"],
    ["T14", ["--preserve-env=FOO", "/usr/bin/id"], "option-preserve-env"],
    ["T15", ["-i"], "option-login"],
    ["T15", ["-s"], "option-shell"],
    ["T15", ["-s", "/usr/bin/id"], "option-shell"],
    ["T15", ["-e", "/etc/hosts"], "option-edit"],
    ["T15", ["-b", "/usr/bin/id"], "option-background"],
    ["T15", ["-P", "/usr/bin/id"], "option-preserve-groups"],
    ["T15", ["-v"], "option-validate"],
    ["T15", ["-S", "/usr/bin/id"], "option-stdin"],
    ["T15", ["-A", "/usr/bin/id"], "option-askpass"],
    ["T15", ["-g", "cse-test", "/usr/bin/id"], "option-group"],
    ["T15", ["-C", "3", "/usr/bin/id"], "option-close-from"],
    ["T15", ["-R", "/", "/usr/bin/id"], "option-chroot"],
    ["T15", ["-h", "localhost", "/usr/bin/id"], "option-host"],
    ["T15", ["--host=x", "/usr/bin/id"], "option-host"],
    ["T15", ["-r", "x", "/usr/bin/id"], "option-role"],
    ["T15", ["-t", "x", "/usr/bin/id"], "option-type"],
    ["T15", ["-U", "cse-test", "-l"], "option-other-user"],
    ["T15", ["-Z"], "option-unknown"],
    ["T16", ["/usr/bin/sudoedit", "/etc/hosts"], "sudoedit"],
    ["T16", ["sudoedit", "x"], "sudoedit"],
    ["T20", ["-k", "-N", "/usr/bin/id"], "option-conflict"],
    ["T23", [""], "command-invalid"],
    ["T23", ["/usr/bin/id", ...Array.from({ length: 300 }, () => "x")], "argv-too-long"],
    ["T23", ["/usr/bin/id", "x".repeat(131_060)], "argv-too-long"],
    ["T23", ["/usr/bin/id", "x".repeat(130_000), "x".repeat(130_000), "x".repeat(130_000)], "argv-too-long"],
    ["usage", [], "command-missing"],
  ];

  itUnless(OBSTACLE, "T08, T14, T15, T16, T20, T23: each with its own code; nothing is asked or run", async () => {
    const world = await startShimWorld();
    const answers: (readonly [string, number | null, string | undefined])[] = [];
    const shown = (words: readonly string[]): string => words.join(" ").slice(0, 40);
    for (const [, words] of refusedWords) {
      const run = await world.sudo(words);
      answers.push([shown(words), run.exitCode, codeOf(run)]);
    }
    expect(answers).toEqual(refusedWords.map(([, words, code]) => [shown(words), 126, code]));
    expect(world.questions).toEqual([]);
    // All but the one that was too long to send are recorded.
    expect(await world.events()).toEqual(refusedWords.slice(1).map(() => "refused invalid-request"));
  });

  itUnless(OBSTACLE, "T16: a link named sudoedit edits nothing", async () => {
    const world = await startShimWorld();
    const link = join(world.home, "sudoedit");
    await symlink(world.shim, link);
    const run = await world.sudo([], { through: `exec ${link} /etc/hosts` });
    expect([run.exitCode, codeOf(run), world.questions]).toEqual([126, "sudoedit", []]);
  });

  itUnless(OBSTACLE, "T23: a word of bytes that are no UTF-8 is refused, not changed", async () => {
    const world = await startShimWorld();
    const run = await world.sudo([], { through: String.raw`exec "$1" /usr/bin/printf %s $'\xff\xfe'` });
    expect([run.exitCode, codeOf(run), world.questions]).toEqual([126, "argv-not-text", []]);
  });

  itUnless(OBSTACLE, "no token, or one of another gateway: nothing is asked", async () => {
    const world = await startShimWorld();
    const runs = [
      await world.sudo(["/usr/bin/id"], { env: { OPENCLAW_ELEVATION_TOKEN: "" } }),
      await world.sudo(["/usr/bin/id"], { env: { OPENCLAW_ELEVATION_TOKEN: "0".repeat(48) } }),
    ];
    expect(runs.map((run) => [run.exitCode, codeOf(run)])).toEqual([
      [126, "token-missing"],
      [126, "token-unknown"],
    ]);
    expect([world.questions, await world.events()]).toEqual([[], []]);
  });
});

describe("what passes the shim", () => {
  itUnless(
    OBSTACLE,
    "T19: the listing words answer at once and without a prompt, also where sudo wants a password",
    async () => {
      for (const user of ["cse-sudo", "cse-password"] as const) {
        const world = await startShimWorld({ user });
        for (const word of ["-l", "--list", "-ll"]) {
          const run = await world.sudo([word]);
          expect(run.ms).toBeLessThan(aSecondMs());
          expect(run.exitCode).toBe(user === "cse-sudo" ? 0 : 1);
          if (user === "cse-password") expect(run.stderr).toContain("a password is required");
        }
        expect(await world.events()).toEqual(["passthrough", "passthrough", "passthrough"]);
        expect(world.questions).toEqual([]);
      }
    },
  );

  itUnless(
    OBSTACLE,
    "the words that show and forget pass with the gateway down; beside anything else they do not",
    async () => {
      const world = await startShimWorld();
      await world.stop();
      for (const word of ["-h", "--help", "-V", "--version", "-k", "--reset-timestamp", "-K", "--remove-timestamp"]) {
        expect([word, (await world.sudo([word])).exitCode]).toEqual([word, 0]);
      }
      for (const words of [
        ["-V", "-V"],
        ["-k", "/usr/bin/id"],
        ["-l", "/usr/bin/id"],
        ["--", "-V"],
      ]) {
        const run = await world.sudo(words);
        expect([words, run.exitCode, codeOf(run)]).toEqual([words, 125, "gateway-down"]);
      }
    },
  );

  itUnless(OBSTACLE, "T22: words arrive identical", async () => {
    const world = await startShimWorld();
    const probe = await makeProbe();
    const words = ["", "a b", "n\nl", "é", "--", "-x"];
    expect(probed(await world.sudo([probe, ...words])).args).toEqual(words);
    expect(world.questions[0]?.argv).toEqual([probe, ...words]);
  });

  itUnless(
    OBSTACLE,
    "standard input: a pipe or file that ends is shown and given; a socket and /dev/null are none",
    async () => {
      const world = await startShimWorld();
      const probe = await makeProbe();
      const file = await writeFileOf("cse-sudo", join(world.home, "in"), "skipped\nfrom the file");
      const inputs = [
        await world.sudo([probe], { stdin: { pipe: "from a pipe" } }),
        await world.sudo([probe], { stdin: "socket" }),
        await world.sudo([probe]),
        await world.sudo([probe], { through: `{ read line; "$@"; cat >/dev/null; } <${file}` }),
      ].map((run) => Buffer.from(probed(run).stdin, "hex").toString());
      expect(inputs).toEqual(["from a pipe", "", "", "from the file"]);
      expect(world.questions.map(({ stdin }) => stdin)).toEqual(["from a pipe", null, null, "from the file"]);
    },
  );

  itUnless(
    OBSTACLE,
    "standard input that does not end, or is too long, is refused before anybody is asked",
    async () => {
      const world = await startShimWorld();
      const runs = [
        await world.sudo(["/usr/bin/id"], { through: 'sleep 8 | "$@"' }),
        await world.sudo(["/usr/bin/id"], { through: 'head -c 1048577 /dev/zero | "$@"' }),
      ];
      expect(runs.map((run) => [run.exitCode, codeOf(run)])).toEqual([
        [126, "stdin-unfinished"],
        [126, "stdin-too-large"],
      ]);
      expect(world.questions).toEqual([]);
    },
  );

  itUnless(OBSTACLE, "output comes as it is written, whole and in bytes", async () => {
    const world = await startShimWorld();
    const program = await makeRootProgram(
      "#!/usr/bin/python3 -I\nimport sys,time\nsys.stdout.buffer.write(b'first\\n');sys.stdout.flush();time.sleep(3)\nsys.stdout.buffer.write(bytes(range(256))*8192)\n",
    );
    let firstMs = 0;
    const start = performance.now();
    const run = await world.sudo([], {
      through: `"$1" ${program} | sha256sum`,
    });
    expect(run.stdout).toContain("-");
    const streamed = await world.sudo([program], {
      session: 0,
      started: (child) => child.stdout?.once("data", () => (firstMs = performance.now() - start)),
    });
    expect(streamed.stdout.startsWith("first\n")).toBe(true);
    expect(streamed.ms).toBeGreaterThan(3_000);
    expect(performance.now() - start - firstMs).toBeGreaterThan(2_500);
    const { createHash } = await import("node:crypto");
    const whole = Buffer.concat([
      Buffer.from("first\n"),
      ...Array.from({ length: 8192 }, () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
    ]);
    expect(run.stdout).toBe(`${createHash("sha256").update(whole).digest("hex")}  -\n`);
  });
});

describe("R-29: output without end", () => {
  itUnless(OBSTACLE, "waits for a slow reader, is not held by the gateway, and comes whole", async () => {
    const world = await startShimWorld();
    const run = await world.sudo(["/usr/bin/head", "-c", "150000000", "/dev/zero"], {
      through: '"$@" | { sleep 1; wc -c; }',
    });
    expect(run).toMatchObject({ stdout: "150000000\n", stderr: "" });
    const status = await readFile(`/proc/${world.gateway.pid}/status`, "utf8");
    expect(Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1]) / 1024).toBeLessThan(250);
  });
});

describe("how the shim ends", () => {
  itUnless(OBSTACLE, "T25, H49: with the command's code or signal", async () => {
    const world = await startShimWorld({ sessions: 2 });
    for (const [index, code] of [0, 1, 2, 3, 126, 127, 255].entries()) {
      const run = await world.sudo(["/bin/sh", "-c", `exit ${code}`], { session: index % 2 });
      expect(run).toMatchObject({ exitCode: code, signal: null, stderr: "" });
    }
    expect(await world.sudo(["/bin/sh", "-c", "kill $$"])).toMatchObject({ signal: "SIGTERM" });
    expect(await world.sudo(["/bin/sh", "-c", "kill -9 $$"])).toMatchObject({ signal: "SIGKILL" });
    const shell = await world.sudo(["/bin/sh", "-c", "kill -9 $$"], { session: 1, through: '"$@"; exit $?' });
    expect(shell.exitCode).toBe(137);
    const term = await world.sudo(["/bin/sh", "-c", "kill $$"], { session: 1, through: '"$@"; exit $?' });
    expect(term.exitCode).toBe(143);
  });

  itUnless(OBSTACLE, "a caller that goes away withdraws its question, or ends its command", async () => {
    const world = await startShimWorld({ answer: "never" });
    await world.sudo(["/usr/bin/id"], { started: (child) => setTimeout(() => child.kill("SIGTERM"), 1_500) });
    await vi.waitFor(() => expect(world.notes).toContainEqual({ withdrawn: true }), 5_000);
    await vi.waitFor(async () => expect(await world.events()).toContain("refused approval-expired"), 5_000);
    const running = await startShimWorld();
    await running.sudo(["/bin/sleep", "60"], { started: (child) => setTimeout(() => child.kill("SIGKILL"), 1_500) });
    await vi.waitFor(async () => expect(await running.events()).toContain("exec-finish exited"), 8_000);
  });

  itUnless(OBSTACLE, "a reader that stops (| head) ends the command", async () => {
    const world = await startShimWorld();
    const run = await world.sudo(["/usr/bin/yes"], { through: '"$@" | head -1; exit "${PIPESTATUS[0]}"' });
    expect([run.stdout, run.exitCode]).toEqual(["y\n", 141]);
    await vi.waitFor(async () => expect(await world.events()).toContain("exec-finish exited"), 8_000);
  });
});

describe("T24, H39, H48: the caller's environment", () => {
  itUnless(OBSTACLE, "puts nothing into the shim and leads it to no other gateway", async () => {
    const world = await startShimWorld();
    const mark = join(world.home, "mark");
    const bin = join(world.home, "fake-bin");
    await mkdir(bin, { mode: 0o755 });
    const evil = `#!/bin/sh\ntouch ${mark}\nexit 0\n`;
    for (const name of ["node", "env", "tr", "sudo", "sh"]) await writeFileOf("cse-sudo", join(bin, name), evil, 0o755);
    const preload = await writeFileOf(
      "cse-sudo",
      join(world.home, "e.cjs"),
      `require("fs").writeFileSync(${JSON.stringify(mark)}, "")`,
    );
    const startup = await writeFileOf("cse-sudo", join(world.home, "env.sh"), `touch ${mark}\n`);
    await chmod(world.home, 0o777);
    const env = {
      NODE_OPTIONS: `--require=${preload}`,
      NODE_COMPILE_CACHE: join(world.home, "cache"),
      NODE_PATH: world.home,
      BASH_ENV: startup,
      ENV: startup,
      SHELLOPTS: "xtrace",
      PS4: `$(touch ${mark})`,
      "BASH_FUNC_exec%%": `() { touch ${mark}; }`,
      PATH: `${bin}:/usr/bin:/bin`,
      OPENCLAW_REAL_SUDO: "/bin/true",
      OPENCLAW_STATE_DIR: "/tmp/x",
      HOME: "/tmp/x",
    };
    const version = await world.sudo(["-V"], { env });
    expect(version.stdout).toMatch(/^Sudo version /);
    const probe = await makeProbe();
    const run = probed(await world.sudo([probe], { env }));
    expect(run.uid).toBe(0);
    expect(Object.keys(run.env).filter((name) => /NODE|BASH|OPENCLAW/.test(name))).toEqual([]);
    const exported = await world.sudo(["-V"], {
      through: `exec() { touch ${mark}; }; export -f exec; command "$@"`,
    });
    expect(exported.stdout).toMatch(/^Sudo version /);
    expect([existsSync(mark), existsSync(env.NODE_COMPILE_CACHE)]).toEqual([false, false]);
    expect(world.questions).toHaveLength(1);
  });

  itUnless(OBSTACLE, "is kept out too where /bin/sh is bash", async () => {
    const world = await startShimWorld();
    const mark = join(world.home, "mark");
    const script = await readFile(world.shim, "utf8");
    for (const shell of ["/bin/bash --posix -p", "/bin/bash -p"]) {
      await writeFile(world.shim, script.replace(/^#!.*/, `#!${shell.replace(" --posix", "")}`));
      const run = await world.sudo(["-V"], {
        env: {
          SHELLOPTS: "xtrace",
          PS4: `$(touch ${mark})`,
          BASH_ENV: mark,
          "BASH_FUNC_exec%%": `() { touch ${mark}; }`,
        },
      });
      expect(run.stdout).toMatch(/^Sudo version /);
    }
    expect(existsSync(mark)).toBe(false);
  });
});

describe("T95, T96: no gateway to be trusted", () => {
  const refusedWithin = async (world: ShimWorld, code: string): Promise<void> => {
    const run = await world.sudo(["/usr/bin/id"]);
    expect([run.exitCode, run.stdout, codeOf(run)]).toEqual([125, "", code]);
    expect(run.ms).toBeLessThan(aSecondMs());
  };

  itUnless(OBSTACLE, "T95, R-67: refuses within a second when the gateway is down, stopped or killed", async () => {
    const world = await startShimWorld();
    world.gateway.kill("SIGKILL");
    await vi.waitFor(async () => await refusedWithin(world, "gateway-down"), 5_000);
    const stopped = await startShimWorld();
    await stopped.stop();
    expect(existsSync(stopped.socket)).toBe(false);
    await refusedWithin(stopped, "gateway-down");
  });

  itUnless(
    OBSTACLE,
    "T96: refuses a folder that others may enter, that is a link or another user's, and a foreign socket",
    async () => {
      const world = await startShimWorld();
      const security = join(world.stateDir, "security");
      await chmod(security, 0o755);
      await refusedWithin(world, "socket-unsafe");
      await chmod(security, 0o700);
      await chmod(world.stateDir, 0o777);
      await refusedWithin(world, "socket-unsafe");
      await chmod(world.stateDir, 0o700);
      // Another user's socket in the right folder; only root can put it there.
      await rename(world.socket, `${world.socket}.real`);
      const foreign = createServer().listen(world.socket);
      await vi.waitFor(() => expect(existsSync(world.socket)).toBe(true));
      await refusedWithin(world, "socket-unsafe");
      foreign.close();
      await rename(security, `${security}-real`);
      await symlink(`${security}-real`, security);
      // The shim's own program lies behind the link as well, so it is only the folder that is wrong.
      await refusedWithin(world, "socket-unsafe");
      expect(world.questions).toEqual([]);
    },
  );

  itUnless(
    OBSTACLE,
    "R-66: takes over the socket of a killed gateway, not that of a live one nor any other file",
    async () => {
      const first = await startShimWorld();
      const second = await startShimWorld({ home: first.home });
      expect([second.failed, (await first.sudo(["/usr/bin/id", "-u"])).stdout]).toEqual(["broker-in-use", "0\n"]);
      first.gateway.kill("SIGKILL");
      await new Promise((done) => first.gateway.once("close", done));
      expect(existsSync(first.socket)).toBe(true);
      const third = await startShimWorld({ home: first.home });
      expect([third.failed, (await third.sudo(["/usr/bin/id", "-u"])).stdout]).toEqual([null, "0\n"]);
      expect(spawnSync("stat", ["-c", "%a %F", third.socket], { encoding: "utf8" }).stdout).toBe("600 socket\n");
      await third.stop();
      await writeFileOf("cse-sudo", first.socket, "mine");
      const fourth = await startShimWorld({ home: first.home });
      expect([fourth.failed, await readFile(first.socket, "utf8")]).toEqual(["file-exists", "mine"]);
    },
  );

  itUnless(
    OBSTACLE,
    "health tells when the socket was removed or replaced, and a stop leaves the other's",
    async () => {
      const world = await startShimWorld();
      expect(await world.health()).toBeNull();
      await rename(world.socket, `${world.socket}.moved`);
      expect(await world.health()).toBe("the broker's socket was removed or replaced");
      await writeFileOf("cse-sudo", world.socket, "mine");
      expect(await world.health()).toBe("the broker's socket was removed or replaced");
      await world.stop();
      expect(await readFile(world.socket, "utf8")).toBe("mine");
    },
  );
});
