import { chmod, chown, mkdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type PtyRun, type PtyStep, runInPty } from "./pty.ts";
import {
  makeFolderOf,
  makeRootFolder,
  makeRootProgram,
  type SudoUserName,
  sudoUser,
  writeFileOf,
} from "./sudo-users.ts";
import { copyPackageForUser } from "./unprivileged.ts";

/** Types the code that the question shows. */
export const TYPE_CODE: PtyStep = { expect: "type the code (\\w+)\\r\\n> ", send: "{1}\n" };

/** A step at the same place that types something else. */
export const typeInstead = (send: string, expect = "type the code \\w+\\r\\n> "): PtyStep => ({ expect, send });

/** A user of .ci/add-test-users with a home, at the built command. */
export interface Person {
  readonly name: SudoUserName;
  readonly home: string;
  /** `<state>/security`, which may not exist yet. */
  readonly security: string;
  readonly log: string;
}

export async function makePerson(name: SudoUserName = "cse-sudo"): Promise<Person> {
  const home = await makeFolderOf(name);
  const security = join(home, ".openclaw/security");
  return { name, home, security, log: join(security, "privileged-audit.jsonl") };
}

/** Writes a file of theirs into `<state>/security`, folders included. */
export async function writePolicy(person: Person, name: string, text: string, mode = 0o600): Promise<string> {
  await makeSecurityFolder(person);
  return await writeFileOf(person.name, join(person.security, name), text, mode);
}

export async function makeSecurityFolder(person: Person): Promise<void> {
  await mkdir(person.security, { recursive: true, mode: 0o700 });
  const { uid, gid } = sudoUser(person.name);
  for (const folder of [join(person.home, ".openclaw"), person.security]) {
    await chown(folder, uid, gid);
    await chmod(folder, 0o700);
  }
}

interface AtTerminal {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly steps?: readonly PtyStep[];
  readonly typedBefore?: string;
  readonly isControlling?: boolean;
  /** Shell text in which `"$@"` is the command, for pipes around it. */
  readonly through?: string;
}

/** Runs the built command as that person in a terminal of its own. */
export async function cse(person: Person, words: readonly string[], options: AtTerminal = {}): Promise<PtyRun> {
  const { node, folder } = await copyPackageForUser();
  const { uid, gid } = sudoUser(person.name);
  const { env = {}, cwd = "/", through, ...terminal } = options;
  const shell = through === undefined ? [] : ["/bin/sh", "-c", through, "sh"];
  return await runInPty(
    [
      "/usr/bin/setpriv",
      "--reuid",
      String(uid),
      "--regid",
      String(gid),
      "--clear-groups",
      "/usr/bin/env",
      "-i",
      `--chdir=${cwd}`,
      ...Object.entries({ HOME: person.home, PATH: "/usr/bin:/bin", LANG: "C.UTF-8", NO_COLOR: "1", ...env }).map(
        ([key, value]) => `${key}=${value}`,
      ),
      ...shell,
      node,
      join(folder, "dist/cli.js"),
      ...words,
    ],
    terminal,
  );
}

/** `cse run` of one command; types the code unless other steps are given. */
export async function cseRun(
  person: Person,
  argv: readonly string[],
  options: AtTerminal & { readonly flags?: readonly string[]; readonly reason?: string } = {},
): Promise<PtyRun> {
  const { flags = [], reason = "a test", ...rest } = options;
  return await cse(person, ["run", "--reason", reason, ...flags, "--", ...argv], { steps: [TYPE_CODE], ...rest });
}

/** A program of root's that leaves a line in a file of root's each time it runs. */
interface Counted {
  readonly path: string;
  readonly marks: string;
  /** The user id and words of each run so far. */
  runs(): Promise<readonly string[]>;
}

export async function makeCounted(then = "exit 0"): Promise<Counted> {
  const marks = join(await makeRootFolder(), "marks");
  const path = await makeRootProgram(`#!/bin/sh\necho "$(id -u) $*" >>${marks}\n${then}\n`);
  return {
    path,
    marks,
    runs: async () => (existsSync(marks) ? (await readFile(marks, "utf8")).trimEnd().split("\n") : []),
  };
}

/** What `cse audit verify` exits with, and the events of the log with their code or outcome. */
export async function readBack(person: Person): Promise<{ verified: number | null; events: readonly string[] }> {
  const { exitCode } = await cse(person, ["audit", "verify"]);
  const events = (await readFile(person.log, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter(({ event }) => event !== "created" && event !== "checkpoint")
    .map(({ event, code, decision, outcome }) =>
      [event, code ?? (event === "decision" ? decision : outcome)].filter((word) => typeof word === "string").join(" "),
    );
  return { verified: exitCode, events };
}
