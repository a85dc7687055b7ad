import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { collect, type RunResult } from "./unprivileged.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const HOST = join(ROOT, "test/host");
const BIN = join(HOST, "node_modules/openclaw/openclaw.mjs");
const LOCK = join(HOST, ".installing");

/**
 * Path of the real OpenClaw's entry, installed from the lockfile under test/host on first use
 * (about 830 MB and 40 s, from the npm registry).
 */
export async function openclawBin(): Promise<string> {
  for (let waited = 0; !existsSync(BIN); waited += 1) {
    // Several test files may need it at once; a folder is the lock that works everywhere.
    const isMine = await mkdir(LOCK).then(
      () => true,
      () => false,
    );
    if (isMine) {
      try {
        if (!existsSync(BIN)) await install();
      } finally {
        await rmdir(LOCK);
      }
    } else if (waited > 600) {
      throw new Error(`another run is installing OpenClaw for ten minutes; if not, remove ${LOCK}`);
    } else {
      await new Promise((done) => setTimeout(done, 1_000));
    }
  }
  return BIN;
}

async function install(): Promise<void> {
  // Its preinstall insists on Node 24, which the project's own install brings.
  const path = `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  const child = spawn("npm", ["ci", "--prefix", HOST, "--no-audit", "--no-fund"], {
    cwd: ROOT,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const result = await collect(child);
  if (result.exitCode !== 0 || !existsSync(BIN)) {
    throw new Error(`npm ci --prefix test/host failed (${result.exitCode}): ${result.stderr.slice(-2_000)}`);
  }
}

/** Runs the real `openclaw` with nothing of this machine's environment but a home folder of its own. */
export async function runOpenClaw(
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const bin = await openclawBin();
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: home,
    env: { PATH: "/usr/bin:/bin", HOME: home, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return await collect(child);
}
