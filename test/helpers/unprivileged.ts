import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { chmod, chown, copyFile, cp, mkdir, mkdtemp, readFile, rename } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * File modes, ownership and privilege mean nothing to root, so tests about them run as an
 * ordinary user: the one named by CSE_TEST_USER (made by the CI set-up), else `nobody`; when the
 * tests themselves run as an ordinary user, as that user.
 */
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const IS_ROOT = process.getuid?.() === 0;

export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface RunResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function ordinaryUser(): Promise<OrdinaryUser> {
  const passwd = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const wanted = IS_ROOT ? (process.env["CSE_TEST_USER"] ?? "nobody") : null;
  const row = passwd.find((fields) =>
    wanted === null ? fields[2] === String(process.getuid?.()) : fields[0] === wanted,
  );
  if (row === undefined) throw new Error(`no such user: ${wanted ?? "the current one"}`);
  return { name: row[0] ?? "", uid: Number(row[2]), gid: Number(row[3]) };
}

/** A fresh folder (0700) that belongs to the ordinary user. */
export async function makeUserFolder(prefix = "cse-user-"): Promise<string> {
  const user = await ordinaryUser();
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await chown(folder, user.uid, user.gid);
  return folder;
}

/** A copy of Node and of dist/ that the ordinary user can read wherever the checkout lies. */
async function copyForUser(): Promise<{ folder: string; node: string }> {
  const folder = join(tmpdir(), "copy");
  const node = join(folder, "node");
  if (!existsSync(node)) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    // Another worker may be copying too: publish by rename.
    const partial = `${node}.${process.pid}`;
    await copyFile(process.execPath, partial);
    await chmod(partial, 0o755);
    await rename(partial, node);
  }
  return { folder, node };
}

/**
 * Bundles `moduleText` (an ES module; imports of project sources as `#src/state/read-file.ts`) and
 * runs it as the ordinary user.
 */
export async function runAsUser(
  moduleText: string,
  options: {
    home?: string;
    env?: Record<string, string>;
    args?: readonly string[];
    stdin?: string;
    /** Another user than the ordinary one; the tests must be run by root then. */
    user?: OrdinaryUser;
    /** A program and its first words, before Node: `setpriv --no-new-privs`. */
    through?: readonly string[];
  } = {},
): Promise<RunResult> {
  const { folder, node } = await copyForUser();
  const home = options.home ?? (await makeUserFolder());
  const file = join(await mkdtemp(join(folder, "run-")), "main.mjs");
  await chmod(dirname(file), 0o755);
  await build({
    stdin: { contents: moduleText, resolveDir: ROOT, loader: "ts", sourcefile: "main.ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    plugins: [
      {
        name: "project-sources",
        setup(builder) {
          builder.onResolve({ filter: /^#src\// }, (args) => ({ path: join(ROOT, args.path.slice(1)) }));
        },
      },
    ],
    outfile: file,
    logLevel: "silent",
  });
  await chmod(file, 0o644);
  const [program, ...words] = [...(options.through ?? []), node, file, ...(options.args ?? [])];
  return await spawnAsUser(program ?? node, words, home, options.env, options.stdin, options.user);
}

export interface UserPackage {
  /** Absolute path of Node. */
  readonly node: string;
  /** Folder of package.json. */
  readonly folder: string;
}

/** A copy of the built package that the ordinary user can read, one for each test worker. */
export async function copyPackageForUser(): Promise<UserPackage> {
  const { folder, node } = await copyForUser();
  const copy = join(folder, `package-${process.pid}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.partial`;
    for (const name of ["dist", "references", "package.json"]) {
      await cp(join(ROOT, name), join(partial, name), { recursive: true });
    }
    // As in a clone of the user's own, reports can be written there.
    const user = await ordinaryUser();
    await mkdir(join(partial, "assessments"));
    await chown(join(partial, "assessments"), user.uid, user.gid);
    await rename(partial, copy);
  }
  return { node, folder: copy };
}

/** Runs the built command (`dist/cli.js`) as the ordinary user, from a copy of the package. */
export async function runCliAsUser(
  args: readonly string[],
  options: { home?: string; env?: Record<string, string>; stdin?: string } = {},
): Promise<RunResult> {
  const { node, folder } = await copyPackageForUser();
  const home = options.home ?? (await makeUserFolder());
  return await spawnAsUser(node, [join(folder, "dist/cli.js"), ...args], home, options.env, options.stdin);
}

/** Starts a program as the ordinary or the given user and waits for it to end. */
async function spawnAsUser(
  file: string,
  args: readonly string[],
  home: string,
  env: Record<string, string> = {},
  stdin?: string,
  user?: OrdinaryUser,
): Promise<RunResult> {
  const child = await startAsUser(file, args, { home, env, ...(user === undefined ? {} : { user }) });
  child.stdin.end(stdin ?? "");
  return await collect(child);
}

/** Starts any program as the ordinary user, with pipes and a small environment. The caller ends it. */
export async function startAsUser(
  file: string,
  args: readonly string[],
  options: { home: string; env?: Record<string, string>; user?: OrdinaryUser },
): Promise<ChildProcessWithoutNullStreams> {
  const user = options.user ?? (await ordinaryUser());
  const identity = IS_ROOT ? { uid: user.uid, gid: user.gid } : {};
  return spawn(file, args, {
    cwd: "/",
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: options.home,
      USER: user.name,
      LANG: "C.UTF-8",
      ...options.env,
    },
    stdio: ["pipe", "pipe", "pipe"],
    ...identity,
  });
}

/** Gathers output and exit of a child process. */
export async function collect(child: ChildProcess): Promise<RunResult> {
  const read = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString("utf8");
  };
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((done, failed) => {
    child.on("error", failed);
    child.on("close", (exitCode, signal) => done({ exitCode, signal }));
  });
  const [stdout, stderr, end] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
  return { ...end, stdout, stderr };
}
