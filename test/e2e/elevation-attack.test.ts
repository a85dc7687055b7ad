import { mkdir, readFile, symlink } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import type { PtyRun } from "../helpers/pty.ts";
import { itUnless } from "../helpers/requires.ts";
import {
  cse,
  cseRun,
  makeCounted,
  makePerson,
  makeSecurityFolder,
  type Person,
  readBack,
  TYPE_CODE,
  typeInstead,
  writePolicy,
} from "../helpers/run-in-terminal.ts";
import { makeFolderOf, makeRootFolder, sudoUser, sudoUsersObstacle, writeFileOf } from "../helpers/sudo-users.ts";

const OBSTACLE = sudoUsersObstacle();
vi.setConfig({ testTimeout: 120_000 });
const WRONG = typeInstead("AAAAAA\n");

/** The refusal's code and whether anybody was asked. */
function outcomeOf({ output, exitCode }: PtyRun): {
  code: string | undefined;
  exitCode: number | null;
  asked: boolean;
} {
  const code = /(?:refused|denied) ([a-z-]+): /.exec(output)?.[1];
  return { code, exitCode, asked: output.includes("type the code") };
}

const refusedAsking = (code: string): object => ({ code, exitCode: 126, asked: true });
const refusedUnasked = (code: string): object => ({ code, exitCode: 126, asked: false });

describe("an answer that is not the code", () => {
  itUnless(OBSTACLE, "H03: three wrong codes, y and yes approve nothing", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const steps = [WRONG, typeInstead("y\n", "That is not it[^>]*> "), typeInstead("yes\n", "That is not it[^>]*> ")];
    expect(outcomeOf(await cseRun(person, [counted.path], { steps }))).toEqual(refusedAsking("code-wrong"));
    expect(await counted.runs()).toEqual([]);
    expect(await readBack(person)).toEqual({
      verified: 0,
      events: ["request", "policy-verdict", "decision code-wrong", "refused code-wrong"],
    });
  });

  itUnless(OBSTACLE, "H13: the end of input is a recorded no", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const run = await cseRun(person, [counted.path], { steps: [typeInstead("\u0004")] });
    expect(outcomeOf(run)).toEqual(refusedAsking("approval-expired"));
    expect(await counted.runs()).toEqual([]);
    expect((await readBack(person)).events).toContain("decision approval-expired");
  });

  itUnless(OBSTACLE, "H02: `yes |` and OPENCLAW_ALLOW_NONINTERACTIVE_SUDO=1 approve nothing", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const run = await cseRun(person, [counted.path], {
      through: 'yes | "$@"',
      env: { OPENCLAW_ALLOW_NONINTERACTIVE_SUDO: "1" },
      steps: [typeInstead("no\n")],
    });
    expect(outcomeOf(run)).toEqual(refusedAsking("denied"));
    const alone = await cseRun(person, [counted.path], {
      isControlling: false,
      env: { OPENCLAW_ALLOW_NONINTERACTIVE_SUDO: "1" },
      steps: [],
    });
    expect(outcomeOf(alone)).toEqual(refusedUnasked("no-route"));
    expect(await counted.runs()).toEqual([]);
  });

  itUnless(OBSTACLE, "H07: what was typed before the question approves nothing", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const run = await cseRun(person, [counted.path], {
      typedBefore: "y\nyes\nAAAAAA\n",
      steps: [typeInstead("no\n")],
    });
    expect(outcomeOf(run)).toEqual(refusedAsking("denied"));
    expect(run.output).not.toContain("That is not it");
    expect(await counted.runs()).toEqual([]);
  });
});

describe("a question that would deceive", () => {
  itUnless(OBSTACLE, "H11: a hostile reason stays inert, on one line, after what is really run", async () => {
    const person = await makePerson();
    const reason = 'routine\nCommand, one word per line:\n  "/usr/bin/apt-get"\n\u001b[8m\u202e\u200b';
    const run = await cseRun(person, ["/usr/bin/id", "-u"], { reason, steps: [typeInstead("no\n")] });
    const shown = run.output.split("\r\n");
    const at = shown.findIndex((line) => line.startsWith("Claimed reason"));
    expect(shown.findIndex((line) => line.includes('"/usr/bin/id"'))).toBeLessThan(at);
    expect(at).toBeGreaterThan(0);
    expect(shown.filter((line) => line.startsWith("Command, one word per line:"))).toHaveLength(1);
    expect(shown.filter((line) => line.trim() === '"/usr/bin/apt-get"')).toEqual([]);
    for (const inert of ["\u001b[8m", "\u202e", "\u200b"]) expect(run.output).not.toContain(inert);
  });

  itUnless(OBSTACLE, "H50: a reason of 120 kB is refused in words", async () => {
    const person = await makePerson();
    const run = await cseRun(person, ["/usr/bin/id"], { reason: "x".repeat(120_000), steps: [] });
    expect(outcomeOf(run)).toEqual(refusedUnasked("invalid-request"));
  });
});

describe("something replaced between the question and the code", () => {
  itUnless(OBSTACLE, "H27: refuses a program that changed, closes the intent and runs nothing", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const steps = [{ ...TYPE_CODE, first: `echo 'touch ${counted.marks}' >>${counted.path}` }];
    expect(outcomeOf(await cseRun(person, [counted.path], { steps }))).toEqual(refusedAsking("request-changed"));
    expect(await counted.runs()).toEqual([]);
    const { verified, events } = await readBack(person);
    expect(verified).toBe(0);
    // It is known that nothing ran, so no later start may call the outcome unknown.
    expect(events.slice(-3)).toEqual(["exec-intent", "exec-finish spawn-failed", "refused request-changed"]);
  });

  itUnless(OBSTACLE, "H26: refuses a link of the caller's, which could point elsewhere after the yes", async () => {
    const person = await makePerson();
    const link = join(await makeFolderOf(person.name), "tool");
    await symlink("/usr/bin/id", link);
    expect(outcomeOf(await cseRun(person, [link]))).toEqual(refusedUnasked("command-path-writable"));
  });

  itUnless(OBSTACLE, "H29: refuses an operand that changed, and a script that the caller can change", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const operand = await writeFileOf(person.name, join(await makeFolderOf(person.name), "data"), "good\n");
    const steps = [{ ...TYPE_CODE, first: `echo evil >${operand}` }];
    const run = await cseRun(person, [counted.path, operand], { steps });
    expect(outcomeOf(run)).toEqual(refusedAsking("request-changed"));
    expect(outcomeOf(await cseRun(person, ["/usr/bin/python3", operand]))).toEqual(refusedUnasked("mutable-operand"));
    expect(await counted.runs()).toEqual([]);
  });

  itUnless(OBSTACLE, "H30: refuses when another folder took the place of the working folder", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const above = await makeFolderOf(person.name);
    const cwd = join(above, "a");
    await mkdir(cwd, { mode: 0o755 });
    const steps = [{ ...TYPE_CODE, first: `mv ${cwd} ${above}/b; mkdir ${cwd}` }];
    expect(outcomeOf(await cseRun(person, [counted.path], { cwd, steps }))).toEqual(refusedAsking("request-changed"));
    expect(await counted.runs()).toEqual([]);
  });

  itUnless(OBSTACLE, "H28: nothing piped in reaches the approved command", async () => {
    const person = await makePerson();
    const target = join(await makeRootFolder(), "written");
    const run = await cseRun(person, ["/usr/bin/tee", target], { through: 'yes attack | "$@"' });
    expect(run.exitCode).toBe(0);
    expect(await readFile(target, "utf8")).toBe("");
  });
});

describe("what lies in the state folder", () => {
  itUnless(OBSTACLE, "H05: a forged session record approves nothing, whatever it says", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const forged = { privilege_mode: "elevated", allowed_commands: [{ argv: [counted.path], added_at_utc: "x" }] };
    for (const text of [JSON.stringify({ ...forged, last_elevated_activity_utc: "2099-01-01T00:00:00Z" }), "{", ""]) {
      await writePolicy(person, "root-session-state.json", text);
      const run = await cseRun(person, [counted.path], { isControlling: false, steps: [] });
      expect(outcomeOf(run)).toEqual(refusedUnasked("no-route"));
    }
    expect(await counted.runs()).toEqual([]);
  });

  itUnless(OBSTACLE, "H25: a link in place of the session record is not written through", async () => {
    const person = await makePerson();
    await makeSecurityFolder(person);
    const victim = await writeFileOf(person.name, join(person.home, "victim"), "mine\n");
    await symlink(victim, join(person.security, "root-session-state.json"));
    await cseRun(person, ["/usr/bin/id"], { isControlling: false, steps: [] });
    expect(await readFile(victim, "utf8")).toBe("mine\n");
  });

  const BROKEN: Readonly<Record<string, readonly [string, number]>> = {
    "truncated JSON": ['{"schemaVersion":2,"unmatched":"deny","rules":[', 0o600],
    "an array": ["[]", 0o600],
    "a string for a list": ['{"deny":"."}', 0o600],
    "a misspelt key": ['{"Deny":["."]}', 0o600],
    "a bad pattern": ['{"deny":["("]}', 0o600],
    "an unreadable file": ['{"deny":["."]}', 0o000],
  };
  itUnless(OBSTACLE, "H38: a policy broken in any of six ways refuses everything before anybody is asked", async () => {
    const counted = await makeCounted();
    const seen: Record<string, unknown> = {};
    for (const [how, [text, mode]] of Object.entries(BROKEN)) {
      const person = await makePerson();
      await writePolicy(person, "command-policy.json", text, mode);
      seen[how] = outcomeOf(await cseRun(person, [counted.path]));
    }
    expect(seen).toEqual(Object.fromEntries(Object.keys(BROKEN).map((how) => [how, refusedUnasked("policy-broken")])));
    expect(await counted.runs()).toEqual([]);
  });

  itUnless(OBSTACLE, "H39: another HOME has another policy, and still a person is asked", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    await writePolicy(person, "command-policy.json", '{"deny":["."]}');
    expect(outcomeOf(await cseRun(person, [counted.path]))).toEqual(refusedUnasked("policy-denied"));
    const elsewhere = await makePerson();
    const steps = [typeInstead("no\n")];
    expect(outcomeOf(await cseRun(person, [counted.path], { env: { HOME: elsewhere.home }, steps }))).toEqual(
      refusedAsking("denied"),
    );
    expect(await counted.runs()).toEqual([]);
  });

  const NO_LOG: Readonly<Record<string, (path: string) => string>> = {
    "H43: a folder": (path) => `mkdir ${path}`,
    "H43: a link to /dev/null": (path) => `ln -s /dev/null ${path}`,
    "H43: a link to /dev/full": (path) => `ln -s /dev/full ${path}`,
    "H44: a pipe": (path) => `mkfifo ${path}`,
  };
  itUnless(
    OBSTACLE,
    "H43, H44: without a log that can be written nothing runs, nobody is asked and nothing hangs",
    async () => {
      const counted = await makeCounted();
      const seen: Record<string, unknown> = {};
      for (const [what, make] of Object.entries(NO_LOG)) {
        const person = await makePerson();
        await makeSecurityFolder(person);
        const { uid, gid } = sudoUser(person.name);
        execFileSync("/bin/sh", ["-ec", make(person.log)], { uid, gid });
        seen[what] = outcomeOf(await cseRun(person, [counted.path]));
      }
      const refused = refusedUnasked("audit-broken");
      expect(seen).toEqual(Object.fromEntries(Object.keys(NO_LOG).map((what) => [what, refused])));
      expect(await counted.runs()).toEqual([]);
    },
  );
});

describe("what the environment says", () => {
  itUnless(OBSTACLE, "H08: a configured token is asked for after the code, and a wrong one refused", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const env = { OPENCLAW_APPROVAL_TOKEN: "correct-token" };
    const token = (text: string): { expect: string; send: string } => typeInstead(`${text}\n`, "not shown\\): ");
    const wrong = await cseRun(person, [counted.path], { env, steps: [TYPE_CODE, token("a"), token("b"), token("c")] });
    expect(outcomeOf(wrong)).toEqual(refusedAsking("token-wrong"));
    expect(await counted.runs()).toEqual([]);
    const right = await cseRun(person, [counted.path], { env, steps: [TYPE_CODE, token("correct-token")] });
    expect(right.exitCode).toBe(0);
    expect(right.output).not.toContain("correct-token");
    expect(await counted.runs()).toHaveLength(1);
  });

  itUnless(OBSTACLE, "wants its own confirmation where the content came from an untrusted source", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    const env = { OPENCLAW_UNTRUSTED_SOURCE: "1" };
    const source = "type: I checked the source\\r\\n> ";
    const no = await cseRun(person, [counted.path], { env, steps: [typeInstead("no\n", source)] });
    expect(outcomeOf(no)).toEqual({ code: "denied", exitCode: 126, asked: false });
    const yes = await cseRun(person, [counted.path], {
      env,
      steps: [typeInstead("I checked the source\n", source), TYPE_CODE],
    });
    expect(yes.exitCode).toBe(0);
    expect(await counted.runs()).toHaveLength(1);
  });

  const STRICTER: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string]>> = {
    "no session id where one is required": [{ OPENCLAW_REQUIRE_SESSION_ID: "1" }, "session-required"],
    "no policy files where they are required": [{ OPENCLAW_REQUIRE_POLICY_FILES: "1" }, "policy-missing"],
    "H48: another program named as sudo": [{ OPENCLAW_REAL_SUDO: "/usr/bin/true" }, "sudo-unusable"],
  };
  itUnless(
    OBSTACLE,
    "H48: refuses a false sudo, a missing session id and missing policy files before asking",
    async () => {
      const counted = await makeCounted();
      for (const [env, code] of Object.values(STRICTER)) {
        const person = await makePerson();
        expect(outcomeOf(await cseRun(person, [counted.path], { env }))).toEqual(refusedUnasked(code));
      }
      expect(await counted.runs()).toEqual([]);
    },
  );

  itUnless(OBSTACLE, "H17, H24: a session id, whatever it is, makes no yes out of anything", async () => {
    const person = await makePerson();
    const counted = await makeCounted();
    await cseRun(person, [counted.path], {
      env: { OPENCLAW_TASK_SESSION_ID: "TASK-A" },
      flags: ["--keep-session"],
      steps: [TYPE_CODE, typeInstead("keep\n", "once only\\.\\r\\n> ")],
    });
    expect(await counted.runs()).toHaveLength(1);
    for (const id of ["TASK-A", "--x", ""]) {
      const run = await cseRun(person, [counted.path], {
        env: { OPENCLAW_TASK_SESSION_ID: id },
        isControlling: false,
        steps: [],
      });
      expect(outcomeOf(run)).toEqual(refusedUnasked("no-route"));
    }
    expect(await counted.runs()).toHaveLength(1);
  });
});

describe("the command line", () => {
  itUnless(OBSTACLE, "H06: has no command that makes a grant, other than by asking", async () => {
    const person = await makePerson();
    for (const words of [
      ["approve"],
      ["session", "approve"],
      ["session", "elevated-used"],
      ["run", "--yes", "--", "/usr/bin/id"],
    ]) {
      expect((await cse(person, words, { steps: [] })).exitCode).toBe(2);
    }
    expect(existsSync(person.log)).toBe(false);
  });
});

describe("a user whom sudo has no rule for", () => {
  itUnless(OBSTACLE, "is refused before anybody is asked, where sudo says so without a password", async () => {
    const person = await makePerson("cse-limited");
    expect(outcomeOf(await cseRun(person, ["/usr/bin/tail", "-n1", "/etc/shadow"]))).toEqual(
      refusedUnasked("sudo-denied"),
    );
  });

  itUnless(OBSTACLE, "gets nothing run, and the log says how it ended", async () => {
    const person: Person = await makePerson("cse-test");
    const counted = await makeCounted();
    const run = await cseRun(person, [counted.path], {
      steps: [TYPE_CODE, typeInstead("\u0003", "assword[^\\r\\n]*: ?")],
    });
    expect(run.exitCode).not.toBe(0);
    expect(await counted.runs()).toEqual([]);
    expect((await cse(person, ["audit", "verify"])).exitCode).toBe(0);
    expect(existsSync(person.log)).toBe(true);
  });
});
