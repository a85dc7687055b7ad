import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { copyPackageForUser } from "../helpers/unprivileged.ts";

vi.setConfig({ testTimeout: 120_000 });
const SCRIPTS = join(import.meta.dirname, "../../scripts");

/** A package folder with the launchers and a stand-in for `openclaw` that notes what it is asked to do. */
interface Place {
  readonly home: string;
  readonly calls: () => Promise<readonly string[]>;
  readonly run: (
    script: string,
    words: readonly string[],
    env?: Record<string, string>,
  ) => ReturnType<typeof spawnSync>;
}

let node: string;
let built: string;
beforeAll(async () => {
  const copy = await copyPackageForUser();
  node = copy.node;
  built = copy.folder;
});

async function makePlace(config: Readonly<Record<string, string>> = {}): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), "cse-scripts-"));
  const home = join(root, "home");
  const bin = join(root, "bin");
  const log = join(root, "calls");
  await Promise.all([mkdir(home, { mode: 0o700 }), mkdir(bin), writeFile(log, "")]);
  for (const name of ["dist", "references", "package.json"]) {
    await cp(join(built, name), join(root, "package", name), { recursive: true });
  }
  await cp(SCRIPTS, join(root, "package/scripts"), { recursive: true });
  await mkdir(join(root, "package/assessments"));
  // What OpenClaw itself does with these words is tested with the real one; here it is which words it gets.
  const answers = Object.entries(config).map(([key, value]) => `"config get ${key} --json") echo '${value}' ;;`);
  const openclaw = `#!/bin/sh\ncase "$*" in ${answers.join("\n")}\n"config get "*) echo '{"ok":false}'; exit 1 ;;\n*) printf '%s\\n' "$*" >>${log} ;;\nesac\n`;
  await writeFile(join(bin, "openclaw"), openclaw);
  await chmod(join(bin, "openclaw"), 0o755);
  await symlink(node, join(bin, "node"));
  return {
    home,
    calls: async () => (await readFile(log, "utf8")).split("\n").filter((line) => line !== ""),
    run: (script, words, env = {}) =>
      spawnSync("/bin/sh", [join(root, "package/scripts", script), ...words], {
        encoding: "utf8",
        cwd: "/",
        env: { PATH: `${bin}:/usr/bin:/bin`, HOME: home, NO_COLOR: "1", ...env },
        stdio: ["ignore", "pipe", "pipe"],
      }),
  };
}

describe("scripts/", () => {
  it("holds launchers only: executable, POSIX shell, no syntax error", async () => {
    const names = (await readdir(SCRIPTS)).toSorted();
    expect(names).toEqual(["auto_invoke_cycle.sh", "bootstrap.sh", "install-openclaw-runtime-hook.sh"]);
    for (const name of names) {
      const path = join(SCRIPTS, name);
      expect((await readFile(path, "utf8")).startsWith("#!/bin/sh\n")).toBe(true);
      expect((await stat(path)).mode & 0o111).toBe(0o111);
      execFileSync("/bin/sh", ["-n", path]);
    }
  });
});

describe("bootstrap.sh", () => {
  it("shows every command and changes nothing with --dry-run", async () => {
    const place = await makePlace();
    const run = place.run("bootstrap.sh", ["--dry-run"], { ENFORCE_PRIVILEGED_EXEC: "1" });
    expect([run.status, run.stderr]).toEqual([0, ""]);
    const commands = String(run.stdout).match(/^ {3}(?:openclaw|cse) .*/gm) ?? [];
    expect(commands.map((line) => line.trim())).toEqual([
      `openclaw config set discovery.mdns.mode '"off"' --strict-json`,
      `openclaw config set session.dmScope '"per-channel-peer"' --strict-json`,
      "openclaw config set tools.exec.strictInlineEval true --strict-json",
      "openclaw config set tools.elevated.enabled false --strict-json",
      "openclaw config set tools.fs.workspaceOnly true --strict-json",
      "openclaw plugins install npm:cyber-security-engineer --force --accept-capabilities",
      "cse init",
      "cse assess",
      "cse shim install",
    ]);
    // `plugins list` is a question and no change.
    expect(await place.calls()).toEqual(["plugins list --json"]);
    expect(await readdir(place.home)).toEqual([]);
  });

  it("sets what is laxer, and never touches what is as strict or stricter", async () => {
    const place = await makePlace({
      "gateway.bind": '"lan"',
      "gateway.auth.mode": '"password"',
      "discovery.mdns.mode": '"off"',
      "session.dmScope": '"per-account-channel-peer"',
      "tools.exec.strictInlineEval": "true",
      "tools.elevated.enabled": "false",
    });
    const run = place.run("bootstrap.sh", ["--yes"]);
    expect([run.status, run.stderr]).toEqual([0, expect.anything()]);
    expect((await place.calls()).filter((call) => call.startsWith("config"))).toEqual([
      'config set gateway.bind "loopback" --strict-json',
      "config set tools.fs.workspaceOnly true --strict-json",
    ]);
    expect(await place.calls()).toContain("plugins install npm:cyber-security-engineer --force --accept-capabilities");
    expect(existsSync(join(place.home, ".openclaw/security/command-policy.json"))).toBe(true);
    // Again: the policy files stay, and so does what is strict.
    expect(place.run("bootstrap.sh", ["--yes", "--no-defaults", "--package", "/x/p.tgz"]).status).toBe(0);
    expect((await place.calls()).at(-1)).toBe("plugins install /x/p.tgz --force --accept-capabilities");
  });

  it("does nothing where nobody can be asked, and says why", async () => {
    const place = await makePlace();
    const run = place.run("bootstrap.sh", []);
    expect([run.status, String(run.stderr)]).toEqual([5, expect.stringContaining("nobody can be asked")]);
    expect(await place.calls()).toEqual([]);
  });

  it("explains itself and its undo, and refuses words it does not know", async () => {
    const place = await makePlace();
    const help = place.run("bootstrap.sh", ["--help"]);
    expect([help.status, String(help.stdout)]).toEqual([0, expect.stringContaining("undo, in this order:")]);
    expect(place.run("bootstrap.sh", ["--all"]).status).toBe(2);
    expect(place.run("bootstrap.sh", ["--package"]).status).toBe(2);
  });
});

describe("the other launchers", () => {
  it("install-openclaw-runtime-hook.sh is cse shim install", async () => {
    const place = await makePlace();
    const run = place.run("install-openclaw-runtime-hook.sh", ["--help"]);
    expect(String(run.stdout)).toContain("Usage: cse shim install");
  });

  it("auto_invoke_cycle.sh runs the scans and the assessment", async () => {
    const place = await makePlace();
    const out = join(dirname(place.home), "out");
    const run = place.run("auto_invoke_cycle.sh", ["--json", "--out", out]);
    expect([run.status, JSON.parse(String(run.stdout))]).toMatchObject([0, { schemaVersion: 1 }]);
    expect(await readdir(out)).toContain("openclaw-assessment.json");
  });
});
