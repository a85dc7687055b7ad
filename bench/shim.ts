/**
 * Measures one `sudo true` of an agent from start to end: shell script, shim, socket, policy, a
 * yes, six durable records, preflight and real sudo. Beside it, taking turns, real sudo alone and
 * Node alone. Prints medians; needs root and the users of .ci/add-test-users, or a user whose sudo
 * asks for no password.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { renderShimScript } from "../src/app/shim-script.ts";

const RUNS = 41;
const LIMIT_MS = 80;
const ROOT = dirname(import.meta.dirname);

/** The user whose sudo is used: this one, or as root the one that the tests use. */
function whom(): { readonly uid: number; readonly gid: number } | null {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? 0 };
  const row = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name]) => name === "cse-sudo");
  return row === undefined ? null : { uid: Number(row[2]), gid: Number(row[3]) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

async function bench(user: { readonly uid: number; readonly gid: number }, folder: string): Promise<void> {
  const state = join(folder, ".openclaw");
  const security = join(state, "security");
  // Where the user can read it, whoever installed this Node.
  const node = join(folder, "node");
  copyFileSync(process.execPath, node);
  for (const path of [state, security, join(state, "bin")]) mkdirSync(path, { mode: 0o700 });
  const program = join(security, "shim.cjs");
  copyFileSync(join(ROOT, "dist/shim.cjs"), program);
  const shim = join(state, "bin/sudo");
  const paths = { node, program, socket: join(security, "broker.sock"), sudo: "/usr/bin/sudo" };
  writeFileSync(shim, renderShimScript(paths, spawnSync("/bin/sh", ["-p", "-c", ":"]).status === 0), { mode: 0o755 });
  const gatewayFile = join(folder, "gateway.mjs");
  await build({
    entryPoints: [join(ROOT, "test/fixtures/bin/shim-gateway.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    outfile: gatewayFile,
  });
  for (const path of [folder, state, security, join(state, "bin"), program, shim, node, gatewayFile]) {
    chownSync(path, user.uid, user.gid);
  }
  const env = { PATH: "/usr/bin:/bin", HOME: folder };
  const gateway = spawn(node, [gatewayFile, JSON.stringify({ stateDir: state, answer: "yes", env, sessions: RUNS })], {
    env,
    cwd: "/",
    stdio: ["pipe", "pipe", "inherit"],
    ...user,
  });
  const tokens = await new Promise<readonly string[]>((done) => {
    gateway.stdout.once("data", (chunk: Buffer) => {
      const [line = ""] = chunk.toString().split("\n");
      done((JSON.parse(line) as { readonly ready: readonly string[] }).ready);
    });
  });
  const run = (file: string, args: readonly string[], token = ""): void => {
    const { status, stderr } = spawnSync(file, args, {
      cwd: "/",
      env: { ...env, OPENCLAW_ELEVATION_TOKEN: token },
      ...user,
    });
    if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr.toString()}`);
  };
  const [ours, bare, alone]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < RUNS; round += 1) {
    bare.push(timed(() => run("/usr/bin/sudo", ["-k", "-n", "true"])));
    alone.push(timed(() => run(node, ["-e", "0"])));
    // A session may ask ten times in ten minutes, so each run is another session's.
    ours.push(timed(() => run(shim, ["true"], tokens[round])));
  }
  gateway.stdin.end();
  const verdict = median(ours) <= LIMIT_MS ? "ok  " : "MISS";
  console.log(
    `  ${verdict}  sudo true through shim and gateway   ${median(ours).toFixed(1)} ms   limit ${LIMIT_MS} ms`,
  );
  console.log(`        sudo -k -n true, bare                ${median(bare).toFixed(1)} ms`);
  console.log(`        node -e 0, bare                      ${median(alone).toFixed(1)} ms`);
}

console.log(
  `Node ${process.version}, medians of ${RUNS}; load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores`,
);
const user = whom();
if (user === null) {
  console.log("  not measured: run .ci/add-test-users first");
  process.exitCode = 5;
} else {
  const folder = mkdtempSync(join(tmpdir(), "cse-bench-"));
  chmodSync(folder, 0o755);
  try {
    await bench(user, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
