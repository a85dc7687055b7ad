import { accessSync, readFileSync } from "node:fs";
import { chmod, chown, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ResolvedCommand, RunOutcome } from "../../src/core/elevation.ts";
import type { ElevationPlan, ElevationRecord } from "./elevation-program.ts";
import { toolPath } from "./requires.ts";
import { type OrdinaryUser, runAsUser } from "./unprivileged.ts";

/** Made by .ci/add-test-users: no rule; all without password; all with one; `true` without, `id` with. */
export type SudoUserName = "cse-test" | "cse-sudo" | "cse-password" | "cse-limited";

export const PASSWORD = "correct horse";
const ROOT_FOLDER = "/opt/cse-test";
const FIXTURES = join(import.meta.dirname, "../fixtures/bin");

/** Why tests with real sudo are not possible here, or null. */
export function sudoUsersObstacle(): string | null {
  if (process.getuid?.() !== 0) return "only root can act as the users of .ci/add-test-users";
  if (toolPath("sudo") === null) return "sudo not installed";
  const missing = (["cse-test", "cse-sudo", "cse-password", "cse-limited"] as const).filter(
    (name) => accountOf(name) === null,
  );
  if (missing.length > 0) return `${missing.join(", ")} missing; see .ci/add-test-users`;
  try {
    accessSync(ROOT_FOLDER);
    return null;
  } catch {
    return `${ROOT_FOLDER} missing; see .ci/add-test-users`;
  }
}

function accountOf(name: string): OrdinaryUser | null {
  const row = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[0] === name);
  return row === undefined ? null : { name, uid: Number(row[2]), gid: Number(row[3]) };
}

/** The account, which the obstacle has shown to be there. */
export function sudoUser(name: SudoUserName): OrdinaryUser {
  const account = accountOf(name);
  if (account === null) throw new Error(`no such user: ${name}`);
  return account;
}

/** A fresh folder that only root can change, and everybody can read. */
export async function makeRootFolder(): Promise<string> {
  const folder = await mkdtemp(join(ROOT_FOLDER, "t-"));
  await chmod(folder, 0o755);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A fresh folder of that user, private. */
export async function makeFolderOf(name: SudoUserName): Promise<string> {
  const { uid, gid } = sudoUser(name);
  const folder = await mkdtemp(join(tmpdir(), "cse-own-"));
  await chown(folder, uid, gid);
  return folder;
}

/** A file of that user in a folder of theirs. */
export async function writeFileOf(name: SudoUserName, path: string, text: string, mode = 0o644): Promise<string> {
  const { uid, gid } = sudoUser(name);
  await writeFile(path, text);
  await chmod(path, mode);
  await chown(path, uid, gid);
  return path;
}

/** An executable of root's with this text. */
export async function makeRootProgram(text: string, name = "program", mode = 0o755): Promise<string> {
  const path = join(await makeRootFolder(), name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** test/fixtures/bin/probe.py as a program of root's. */
export async function makeProbe(): Promise<string> {
  const path = join(await makeRootFolder(), "probe");
  await copyFile(join(FIXTURES, "probe.py"), path);
  await chmod(path, 0o755);
  return path;
}

export interface Probed {
  readonly uid: number;
  readonly gid: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly fds: readonly number[];
  readonly umask: string;
  readonly args: readonly string[];
  readonly name: string;
  readonly session: number;
  readonly has_terminal: boolean;
  readonly stdin: string;
}

export interface ElevateOptions {
  readonly env?: Record<string, string>;
  readonly through?: readonly string[];
}

/** Does what each plan says, as that user, in one process. */
export async function elevateAllAs(
  name: SudoUserName,
  plans: readonly ElevationPlan[],
  options: ElevateOptions = {},
): Promise<readonly ElevationRecord[]> {
  const folder = await makeFolderOf(name);
  const planFile = await writeFileOf(name, join(folder, "plans.json"), JSON.stringify(plans), 0o600);
  const run = await runAsUser('import "./test/helpers/elevation-program.ts";', {
    ...options,
    home: "/",
    user: sudoUser(name),
    args: [planFile],
    // What our own standard input holds must never reach a command.
    stdin: "attack",
  });
  if (run.exitCode !== 0) throw new Error(`exit ${run.exitCode ?? run.signal}: ${run.stderr}`);
  return JSON.parse(run.stdout) as ElevationRecord[];
}

export async function elevateAs(
  name: SudoUserName,
  plan: ElevationPlan,
  options: ElevateOptions = {},
): Promise<ElevationRecord> {
  const [record] = await elevateAllAs(name, [plan], options);
  if (record === undefined) throw new Error("no record");
  return record;
}

/** The refusal's code, wherever it came from, or null. */
export function refusalOf(record: ElevationRecord): string | null {
  const refusals = [record.resolved, record.sudo, record.preflight, record.recheck];
  const refusal = refusals.find((part) => part !== null && "code" in part);
  return refusal !== undefined && refusal !== null && "code" in refusal ? refusal.code : null;
}

export function resolvedOf(record: ElevationRecord): ResolvedCommand {
  if ("code" in record.resolved) throw new Error(`refused: ${record.resolved.code} ${record.resolved.message}`);
  return record.resolved;
}

export function exitOf(record: ElevationRecord): Extract<RunOutcome, { kind: "exited" }> {
  if (record.outcome?.kind !== "exited") throw new Error(`not run to its end: ${JSON.stringify(record)}`);
  return record.outcome;
}

export function probedOf(record: ElevationRecord): Probed {
  const outcome = exitOf(record);
  if (outcome.exitCode !== 0) throw new Error(`exit ${outcome.exitCode}: ${outcome.output.stderr}`);
  return JSON.parse(outcome.output.stdout) as Probed;
}
