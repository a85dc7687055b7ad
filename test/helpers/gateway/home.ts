import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, lstatSync } from "node:fs";
import { chmod, cp, lchown, mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { openclawBin } from "../openclaw-host.ts";
import { type SudoUserName, sudoUser } from "../sudo-users.ts";
import { collect, copyPackageForUser, ordinaryUser, type OrdinaryUser, type RunResult } from "../unprivileged.ts";

/** A plugin to load: its folder holds openclaw.plugin.json. It is copied, so that the gateway's user owns it. */
export interface PluginWish {
  readonly id: string;
  readonly folder: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface GatewayWish {
  readonly plugins?: readonly PluginWish[];
  /** Laid over the harness's own configuration; folders of keys are merged, anything else replaces. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Serves the Control UI, which costs start time. */
  readonly controlUi?: boolean;
  /** Of the gateway's process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Who runs it when the tests are root's. Default: cse-sudo, who becomes root without a password. */
  readonly user?: SudoUserName;
  readonly model?: { readonly baseUrl: string };
}

/** Everything of one gateway that outlives its process. */
export interface GatewayHome {
  readonly user: OrdinaryUser;
  readonly home: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly port: number;
  readonly token: string;
  /** A Node and an OpenClaw that the user can read. */
  readonly node: string;
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `openclaw` as the gateway's user in its home. */
  openclaw(
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string },
  ): Promise<RunResult>;
  /** Runs any program as the gateway's user in its home: what an agent's exec could do. */
  run(
    file: string,
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string },
  ): Promise<RunResult>;
  /** Writes a file of the user's, mode 0600, folders included. */
  write(path: string, text: string, mode?: number): Promise<void>;
}

type Json = Readonly<Record<string, unknown>>;

/** A home with a configuration, owned by the gateway's user; nothing is started. */
export async function makeGatewayHome(wish: GatewayWish = {}): Promise<GatewayHome> {
  const user = process.getuid?.() === 0 ? sudoUser(wish.user ?? "cse-sudo") : await ordinaryUser();
  const bin = await readableHost(user);
  const { node } = await copyPackageForUser();
  const home = await mkdtemp(join(tmpdir(), "cse-gateway-"));
  const stateDir = join(home, ".openclaw");
  const configPath = join(stateDir, "openclaw.json");
  const logPath = join(home, "gateway.log");
  const port = await freePort();
  const token = randomBytes(24).toString("hex");
  const plugins: { id: string; folder: string; config: Json }[] = [];
  for (const { id, folder, config = {} } of wish.plugins ?? []) {
    const copy = join(home, "plugins", basename(folder));
    await cp(folder, copy, { recursive: true });
    plugins.push({ id, folder: copy, config });
  }
  const config = merge(baseConfig({ port, token, logPath, plugins, wish }), wish.config ?? {});
  await mkdir(stateDir, { recursive: true });
  await writeFile(configPath, `${JSON.stringify(config, null, 2)}\n`);
  await giveAll(home, user);
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: home,
    USER: user.name,
    LOGNAME: user.name,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    // One process and not a launcher before it: what is signalled is the gateway, and each start is a Node less.
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: "1",
    ...(await compileCache(user)),
    ...wish.env,
  };
  const run: GatewayHome["run"] = async (file, args, options = {}) => {
    const child = spawn(file, args, { cwd: home, env: { ...env, ...options.env }, stdio: "pipe", ...identity(user) });
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
    return await collect(child);
  };
  return {
    user,
    home,
    stateDir,
    configPath,
    logPath,
    port,
    token,
    node,
    bin,
    env,
    run,
    openclaw: async (args, options) => await run(node, [bin, ...args], options),
    write: async (path, text, mode = 0o600) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(path, text);
      await chmod(path, mode);
      await giveAll(home, user);
    },
  };
}

/** Spawn options that make a child the user's. */
export function identity(user: OrdinaryUser): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: user.uid, gid: user.gid } : {};
}

function baseConfig(of: {
  port: number;
  token: string;
  logPath: string;
  plugins: readonly { id: string; folder: string; config: Json }[];
  wish: GatewayWish;
}): Json {
  const { port, token, logPath, plugins, wish } = of;
  return {
    gateway: {
      mode: "local",
      bind: "loopback",
      port,
      auth: { mode: "token", token },
      controlUi: { enabled: wish.controlUi === true },
    },
    logging: { file: logPath, level: "info" },
    browser: { enabled: false },
    discovery: { mdns: { mode: "off" } },
    // After turns the host would have the model look for skills in them.
    skills: { workshop: { autonomous: { mode: "off" } } },
    plugins: {
      allow: plugins.map(({ id }) => id),
      slots: { memory: "none" },
      load: { paths: plugins.map(({ folder }) => folder) },
      entries: Object.fromEntries(plugins.map(({ id, config }) => [id, { enabled: true, config }])),
    },
    ...(wish.model === undefined ? {} : modelConfig(wish.model.baseUrl)),
  };
}

function modelConfig(baseUrl: string): Json {
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const model = {
    id: "scripted",
    name: "Scripted",
    reasoning: false,
    input: ["text"],
    cost,
    contextWindow: 200_000,
    maxTokens: 8_000,
  };
  return {
    models: { providers: { scripted: { baseUrl, apiKey: "none", api: "openai-completions", models: [model] } } },
    agents: { defaults: { model: { primary: "scripted/scripted" } } },
  };
}

function merge(base: Json, over: Json): Json {
  const entries = Object.entries(over).map(([key, value]): [string, unknown] => {
    const below = base[key];
    return [key, isRecord(below) && isRecord(value) ? merge(below, value) : value];
  });
  return { ...base, ...Object.fromEntries(entries) };
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A port that is free now: of CSE_TEST_PORTS ("22000-22199") when it is set, else any. */
async function freePort(): Promise<number> {
  const [from, to] = (process.env["CSE_TEST_PORTS"] ?? "0-0").split("-").map(Number);
  const first = from ?? 0;
  const count = (to ?? 0) - first + 1;
  // Workers that look at the same time start at different places.
  for (let tried = 0; tried < count; tried += 1) {
    const port = await tryPort(first === 0 ? 0 : first + ((process.pid * 7 + tried) % count));
    if (port !== null) return port;
  }
  throw new Error("no free port");
}

async function tryPort(wanted: number): Promise<number | null> {
  const server = createServer();
  return await new Promise((done) => {
    server.on("error", () => done(null));
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : null));
    });
  });
}

/** The entry of an OpenClaw that the user can read: the installed one, else a copy of it made of hard links. */
async function readableHost(user: OrdinaryUser): Promise<string> {
  const bin = await openclawBin();
  const root = dirname(bin);
  // Its first run completes the package as its owner; anybody else is refused until then.
  if (existsSync(join(root, ".openclaw-lifecycle-pending"))) {
    const home = await mkdtemp(join(tmpdir(), "cse-first-run-"));
    spawnSync(process.execPath, [bin, "--version"], { env: { PATH: "/usr/bin:/bin", HOME: home } });
  }
  if (spawnSync("/usr/bin/test", ["-r", bin], identity(user)).status === 0) return bin;
  const copy = join(tmpdir(), `host-${process.pid}`);
  if (!existsSync(copy)) {
    const modules = dirname(root);
    const made = spawnSync("/bin/sh", ["-c", 'cp -al "$1" "$2" 2>/dev/null || cp -a "$1" "$2"', "sh", modules, copy]);
    if (made.status !== 0) throw new Error(`OpenClaw could not be copied: ${String(made.stderr)}`);
  }
  return join(copy, "openclaw/openclaw.mjs");
}

/** Compiled code of the host, kept between runs: it saves two to three seconds of each start. */
async function compileCache(user: OrdinaryUser): Promise<Readonly<Record<string, string>>> {
  const folder = `/tmp/cse-host-cache-${user.uid}`;
  try {
    await mkdir(folder, { mode: 0o700 });
    await lchown(folder, user.uid, user.gid);
  } catch {
    // It is there already, and used only when it is what was made here before.
  }
  const found = lstatSync(folder, { throwIfNoEntry: false });
  const isOurs = found?.isDirectory() === true && found.uid === user.uid && (found.mode & 0o022) === 0;
  return isOurs ? { NODE_COMPILE_CACHE: folder } : {};
}

async function giveAll(folder: string, user: OrdinaryUser): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await lchown(folder, user.uid, user.gid);
  for (const entry of await readdir(folder, { recursive: true })) {
    // What the gateway takes away meanwhile needs no owner.
    await lchown(join(folder, entry), user.uid, user.gid).catch(() => undefined);
  }
}
