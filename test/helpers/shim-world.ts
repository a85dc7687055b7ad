import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import { renderShimScript } from "../../src/app/shim-script.ts";
import { type SudoUserName, makeFolderOf, sudoUser } from "./sudo-users.ts";
import { collect, copyPackageForUser, type RunResult } from "./unprivileged.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** What the test gateway was asked, as it printed it. */
export interface Asked {
  readonly argv: readonly string[];
  readonly runAs: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly stdin: string | null;
  readonly timeoutMs: number;
  readonly session: { readonly session: string; readonly agent: string | null; readonly channel: string };
}

export interface GatewayOptions {
  readonly answer?: "yes" | "no" | "keep" | "never" | "no-route" | "later";
  readonly user?: SudoUserName;
  readonly env?: Readonly<Record<string, string>>;
  readonly sessions?: number;
  /** A state folder that is there already. */
  readonly home?: string;
}

export interface ShimWorld {
  readonly home: string;
  readonly stateDir: string;
  readonly socket: string;
  /** `<state>/bin/sudo`. */
  readonly shim: string;
  readonly user: SudoUserName;
  /** One for each session; none when the gateway did not start and `failed` says why. */
  readonly tokens: readonly string[];
  readonly failed: string | null;
  readonly gateway: ChildProcess;
  readonly questions: readonly Asked[];
  /** Lines the gateway printed that are neither of these. */
  readonly notes: readonly Readonly<Record<string, unknown>>[];
  health(): Promise<string | null>;
  stop(): Promise<void>;
  /** Runs the installed shim as the user. */
  sudo(words: readonly string[], options?: SudoOptions): Promise<RunResult & { readonly ms: number }>;
  /** Events of the audit log, with code, decision or outcome. */
  events(): Promise<readonly string[]>;
}

export interface SudoOptions {
  /** Which of the sessions calls. */
  readonly session?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input: /dev/null unless given. */
  readonly stdin?: "ignore" | "socket" | { readonly pipe: string } | { readonly openPipe: true };
  /** Shell text in which `"$@"` is the shim with its words. */
  readonly through?: string;
  /** Called with the process once it is started. */
  readonly started?: (child: ChildProcess) => void;
}

/** What counts as a second here and now: one that a busy machine stretches as it stretches Node's start. */
export function aSecondMs(): number {
  const start = performance.now();
  spawnSync(process.execPath, ["-e", "0"]);
  return 1_000 + 10 * (performance.now() - start);
}

let bundle: Promise<string> | undefined;

/** The test gateway as one file that every user can read. */
async function bundleGateway(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cse-gateway-"));
  const file = join(folder, "gateway.mjs");
  await build({
    entryPoints: [join(ROOT, "test/fixtures/bin/shim-gateway.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    outfile: file,
    logLevel: "silent",
  });
  await Promise.all([chmod(folder, 0o755), chmod(file, 0o644)]);
  return file;
}

/** Writes the shim as `cse shim install` does, so that tests of the shim need no installation. */
async function placeShim(stateDir: string, user: SudoUserName): Promise<string> {
  const { node, folder } = await copyPackageForUser();
  const { uid, gid } = sudoUser(user);
  const security = join(stateDir, "security");
  for (const path of [stateDir, security, join(stateDir, "bin")]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chown(path, uid, gid);
  }
  const program = join(security, "shim.cjs");
  await copyFile(join(folder, "dist/shim.cjs"), program);
  const shim = join(stateDir, "bin/sudo");
  const paths = { node, program, socket: join(security, "broker.sock"), sudo: "/usr/bin/sudo" };
  await writeFile(shim, renderShimScript(paths, true));
  for (const [path, mode] of [
    [program, 0o600],
    [shim, 0o700],
  ] as const) {
    await chmod(path, mode);
    await chown(path, uid, gid);
  }
  return shim;
}

/** Starts the test gateway as that user with a shim installed; stopped when the test ends. */
export async function startShimWorld(options: GatewayOptions = {}): Promise<ShimWorld> {
  const { answer = "yes", user = "cse-sudo", env = {}, sessions = 1 } = options;
  const { uid, gid } = sudoUser(user);
  const home = options.home ?? (await makeFolderOf(user));
  const stateDir = join(home, ".openclaw");
  const shim = await placeShim(stateDir, user);
  const file = await (bundle ??= bundleGateway());
  const { node } = await copyPackageForUser();
  const gateway = spawn(node, [file, JSON.stringify({ stateDir, answer, sessions, env: { HOME: home, ...env } })], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", HOME: home, ...env },
    uid,
    gid,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((done) => gateway.on("close", () => done()));
  const questions: Asked[] = [];
  const notes: Readonly<Record<string, unknown>>[] = [];
  const waiting: ((line: Readonly<Record<string, unknown>>) => void)[] = [];
  let rest = "";
  gateway.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
      if ("question" in line) questions.push(line["question"] as Asked);
      else {
        notes.push(line);
        waiting.shift()?.(line);
      }
    }
  });
  const nextNote = async (): Promise<Readonly<Record<string, unknown>>> =>
    await new Promise((done) => waiting.push(done));
  const stop = async (): Promise<void> => {
    gateway.stdin.end();
    await ended;
  };
  onTestFinished(async () => {
    gateway.kill("SIGKILL");
    await ended;
  });
  const first = await nextNote();
  const tokens = (first["ready"] ?? []) as readonly string[];

  const sudo: ShimWorld["sudo"] = async (words, given = {}) => {
    const command =
      given.through === undefined ? [shim, ...words] : ["/bin/bash", "-c", given.through, "sh", shim, ...words];
    const { stdin = "ignore" } = given;
    // Node's own "pipe" is a socket; a real pipe is made by a shell, which is waited for like the shim.
    const [program = "", ...args] =
      typeof stdin === "string"
        ? command
        : [
            "/bin/bash",
            "-c",
            "pipe" in stdin
              ? 'printf %s "$0" | "$@"; exit "${PIPESTATUS[1]}"'
              : 'sleep 30 | { "$@"; rc=$?; kill $(jobs -p) 2>/dev/null; exit $rc; }',
            "pipe" in stdin ? stdin.pipe : "sh",
            ...command,
          ];
    const start = performance.now();
    const child = spawn(program, args, {
      cwd: given.cwd ?? "/",
      env: {
        PATH: "/usr/bin:/bin",
        HOME: home,
        OPENCLAW_ELEVATION_TOKEN: tokens[given.session ?? 0] ?? "",
        ...given.env,
      },
      uid,
      gid,
      stdio: [stdin === "socket" ? "pipe" : "ignore", "pipe", "pipe"],
    });
    given.started?.(child);
    const result = await collect(child);
    return { ...result, ms: performance.now() - start };
  };

  return {
    home,
    stateDir,
    socket: join(stateDir, "security/broker.sock"),
    shim,
    user,
    tokens,
    failed: typeof first["failed"] === "string" ? first["failed"] : null,
    gateway,
    questions,
    notes,
    health: async () => {
      gateway.stdin.write("health\n");
      return (await nextNote())["health"] as string | null;
    },
    stop,
    sudo,
    events: async () => {
      const log = join(stateDir, "security/privileged-audit.jsonl");
      if (!existsSync(log)) return [];
      return (await readFile(log, "utf8"))
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
        .filter(({ event }) => event !== "created" && event !== "checkpoint")
        .map(({ event, code, decision, outcome }) =>
          [event, code ?? decision ?? outcome].filter((word) => typeof word === "string").join(" "),
        );
    },
  };
}
