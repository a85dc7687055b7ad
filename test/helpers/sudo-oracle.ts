/**
 * Real sudo as the judge of what a sudo command line means: runs it as the account `cse-sudo`
 * (NOPASSWD: ALL, made by the CI set-up) on a harmless program that tells who it is.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { toolPath } from "./requires.ts";
import { collect } from "./unprivileged.ts";

/** What real sudo did with a command line. `null`: the probe did not run. */
export interface SudoRun {
  readonly argv: readonly string[];
  readonly ran: {
    readonly uid: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly args: readonly string[];
  } | null;
}

/** Stands for the probe's path where lines are generated or stored. */
export const PROBE = "/probe";
const ENV_NAMES = ["DEBIAN_FRONTEND", "LANG", "LC_ALL", "TZ"] as const;
const CALLER = "cse-sudo";

/** Why the oracle cannot be asked here, or null. */
export function sudoObstacle(): string | null {
  if (toolPath("sudo") === null) return "sudo not installed";
  if (process.getuid?.() !== 0) return "not root, so no account can be borrowed";
  return accountOf(CALLER) === null ? `no account ${CALLER}` : null;
}

export interface SudoOracle {
  readonly cwd: string;
  ask(argv: readonly string[]): Promise<SudoRun>;
}

export function openSudoOracle(): SudoOracle {
  const account = accountOf(CALLER);
  if (account === null) throw new Error(`no account ${CALLER}`);
  const cwd = mkdtempSync(join(tmpdir(), "cse-sudo-"));
  chmodSync(cwd, 0o755);
  const probe = join(cwd, "probe");
  const values = ENV_NAMES.map((name) => `"\${${name}-<unset>}"`).join(" ");
  writeFileSync(probe, `#!/bin/sh\nprintf '%s\\0' CSE-PROBE "$(/usr/bin/id -u)" "$(/bin/pwd)" ${values} "$@"\n`);
  chmodSync(probe, 0o755);
  const ask = async (argv: readonly string[]): Promise<SudoRun> => {
    const words = argv.map((word) => (word === PROBE ? probe : word));
    const child = spawn("/usr/bin/sudo", words, {
      cwd,
      // An editor that changes nothing, should sudo ever start one.
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: cwd, EDITOR: "/bin/true", VISUAL: "/bin/true" },
      stdio: ["ignore", "pipe", "pipe"],
      uid: account.uid,
      gid: account.gid,
      detached: true,
    });
    const { stdout } = await collect(child);
    return { argv, ran: readProbe(stdout) };
  };
  return { cwd, ask };
}

function readProbe(stdout: string): SudoRun["ran"] {
  const at = stdout.indexOf("CSE-PROBE\0");
  if (at === -1) return null;
  const [, uid = "", cwd = "", ...rest] = stdout.slice(at).split("\0").slice(0, -1);
  const env = Object.fromEntries(
    ENV_NAMES.map((name, index) => [name, rest[index] ?? ""] as const).filter(([, value]) => value !== "<unset>"),
  );
  return { uid, cwd, env, args: rest.slice(ENV_NAMES.length) };
}

/** Numeric identity of an account, or null. */
export function accountOf(name: string): { readonly uid: number; readonly gid: number } | null {
  const row = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[0] === name);
  return row === undefined ? null : { uid: Number(row[2]), gid: Number(row[3]) };
}

const flags = "ABbEeHhiKklNnPSsVv".split("");
const valued = ["a", "C", "c", "D", "g", "h", "p", "R", "r", "T", "t", "U", "u"];
const value = fc.constantFrom(
  "cse-sudo",
  "nobody",
  "root",
  "=root",
  "#0",
  "x",
  "/",
  "/tmp",
  "5",
  "3",
  "localhost",
  "--",
);
const longs = [
  "askpass bell background close-from chdir preserve-env edit group set-home help host login remove-timestamp",
  "reset-timestamp list non-interactive no-update preserve-groups prompt chroot role stdin shell type",
  "command-timeout other-user user version validate res vers pre u li non",
].flatMap((line) => line.split(" "));

const words = (...texts: readonly string[]): fc.Arbitrary<string[]> =>
  fc.constantFrom(...texts).map((text) => text.split(" "));

const cluster: fc.Arbitrary<string[]> = fc
  .tuple(fc.array(fc.constantFrom(...flags), { minLength: 1, maxLength: 3 }), fc.constantFrom("", ...valued), value)
  .map(([letters, last, text]) => [`-${letters.join("")}${last}`, ...(last === "" ? [] : [text])]);
const valuedOption: fc.Arbitrary<string[]> = fc
  .tuple(fc.constantFrom(...valued), value, fc.boolean())
  .map(([letter, text, isAttached]) => (isAttached ? [`-${letter}${text}`] : [`-${letter}`, text]));
const longOption: fc.Arbitrary<string[]> = fc
  .tuple(fc.constantFrom(...longs), fc.constantFrom("none", "attached", "next"), value)
  .map(([long, form, text]) =>
    form === "none" ? [`--${long}`] : form === "attached" ? [`--${long}=${text}`] : [`--${long}`, text],
  );

/** One or two words that sudo may take for an option. */
const optionWords: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 4, arbitrary: words("-B", "-H", "-k", "-N", "-n") },
  { weight: 2, arbitrary: fc.constantFrom(...flags).map((letter) => [`-${letter}`]) },
  { weight: 2, arbitrary: cluster },
  { weight: 2, arbitrary: words("-u nobody", "-unobody", "--user=nobody", "-p x", "-nu root") },
  { weight: 2, arbitrary: valuedOption },
  { weight: 2, arbitrary: longOption },
  { weight: 3, arbitrary: words("LANG=C", "LC_ALL=C.UTF-8", "TZ=UTC", "DEBIAN_FRONTEND=x") },
  { weight: 1, arbitrary: words("FOO=1", "a-b=1", "./x=y", "=x", "", "-", "--", "LANG=") },
);

/** Words after `sudo`: what people write, what attackers write, and what nobody would. */
export const sudoWords: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    fc.array(optionWords, { maxLength: 3 }),
    fc.constantFrom<readonly string[]>([], ["--"], ["LANG=C", "--"]),
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom("x", "", "a b", "-n", "LANG=x", "--").map((word) => [PROBE, word]) },
      { weight: 1, arbitrary: fc.constant([]) },
    ),
  )
  .map(([options, end, command]) => [...options.flat(), ...end, ...command]);

/** Asks about many lines, a few at a time, in order. */
export async function askAll(oracle: SudoOracle, lines: readonly (readonly string[])[]): Promise<SudoRun[]> {
  const runs: SudoRun[] = [];
  for (let at = 0; at < lines.length; at += 4) {
    runs.push(...(await Promise.all(lines.slice(at, at + 4).map(async (line) => await oracle.ask(line)))));
  }
  return runs;
}
