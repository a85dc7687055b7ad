import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { ShimChangeReport } from "../../src/app/shim-install.ts";
import type { ShimStatusReport } from "../../src/app/shim-status.ts";
import { openclawBin } from "../helpers/openclaw-host.ts";
import { itUnless } from "../helpers/requires.ts";
import { runInPty } from "../helpers/pty.ts";
import { startShimWorld } from "../helpers/shim-world.ts";
import { sudoUsersObstacle, writeFileOf } from "../helpers/sudo-users.ts";
import { copyPackageForUser, runCliAsUser } from "../helpers/unprivileged.ts";

vi.setConfig({ testTimeout: 240_000 });

const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe("T97: cse shim with the real OpenClaw", () => {
  it("installs twice, keeps a person's config, works when the package is gone, and takes back what it did", async () => {
    const home = await mkdtemp(join(tmpdir(), "cse-shim-home-"));
    const state = join(home, ".openclaw");
    const bin = join(home, "their-bin");
    await mkdir(state, { mode: 0o700 });
    await mkdir(bin);
    await symlink(await openclawBin(), join(bin, "openclaw"));
    const config = join(state, "openclaw.json");
    await writeFile(config, '// mine\n{ tools: { exec: { mode: "ask", pathPrepend: ["/opt/theirs"] } } }\n', {
      mode: 0o600,
    });
    const { node, folder } = await copyPackageForUser();
    // A copy that can be moved away.
    const packed = join(home, "package");
    await mkdir(join(packed, "dist"), { recursive: true });
    await writeFile(join(packed, "dist/shim.cjs"), await readFile(join(folder, "dist/shim.cjs")));
    const cse = async (words: readonly string[], env: Record<string, string> = {}) => {
      const run = await runInPty(
        [
          "/usr/bin/env",
          "-i",
          `HOME=${home}`,
          `PATH=${bin}:/usr/bin:/bin`,
          "LANG=C.UTF-8",
          "NO_COLOR=1",
          `OPENCLAW_CYBER_SKILL_DIR=${packed}`,
          `OPENCLAW_NODE=${node}`,
          ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
          node,
          join(folder, "dist/cli.js"),
          "shim",
          ...words,
        ],
        {
          // OpenClaw's own command takes its time.
          seconds: 150,
          steps:
            words.includes("--json") || words.includes("--yes")
              ? []
              : [{ expect: "Change it\\? \\[y/N\\] ", send: "y\n" }],
        },
      );
      return { ...run, json: words.includes("--json") ? (JSON.parse(run.output) as unknown) : null };
    };
    const prepend = async (): Promise<unknown> => JSON.parse(await readFile(config, "utf8")).tools.exec;

    const first = await cse(["install"]);
    expect([first.exitCode, first.output]).toEqual([0, expect.stringContaining("installed")]);
    expect(first.output).toContain('change tools.exec.pathPrepend from ["/opt/theirs"] to');
    expect(await prepend()).toEqual({ mode: "ask", pathPrepend: [join(state, "bin"), "/opt/theirs"] });
    const script = join(state, "bin/sudo");
    const written = await readFile(script, "utf8");
    expect(written).not.toContain(folder);
    expect(written).not.toContain(packed);
    expect([await mode(script), await mode(join(state, "bin")), await mode(join(state, "security/shim.cjs"))]).toEqual([
      0o700, 0o700, 0o600,
    ]);
    expect((await cse(["install", "--yes", "--json"])).json).toMatchObject({
      action: "nothing-to-do",
      written: [],
    } satisfies Partial<ShimChangeReport>);
    expect(await readFile(script, "utf8")).toBe(written);

    const status = (await cse(["status", "--json"])).json as ShimStatusReport;
    expect(status.state).toBe("partly");
    expect(status.checks.filter((check) => check.status !== "ok").map(({ id }) => id)).toEqual(["broker"]);
    expect(status.does_not_cover.join()).toContain("/usr/bin/sudo");
    // A real sudo that is the shim itself.
    const itself = (await cse(["status", "--json"], { OPENCLAW_REAL_SUDO: script })).json as ShimStatusReport;
    expect(itself.checks).toContainEqual({
      id: "real-sudo",
      status: "problem",
      message: `${script} is the shim itself (sudo-unusable)`,
    });
    await rename(packed, `${packed}-moved`);
    const shim = await runInPty([script, "-V"], {});
    expect(shim.output).toMatch(/^Sudo version /);

    const last = await cse(["uninstall"]);
    expect([last.exitCode, await prepend()]).toEqual([0, { mode: "ask", pathPrepend: ["/opt/theirs"] }]);
    expect(
      [script, join(state, "bin"), join(state, "security/shim.cjs"), join(state, "security/shim-install.json")].filter(
        existsSync,
      ),
    ).toEqual([]);
  });

  it("refuses a foreign sudo, and to change a config where nobody can be asked", async () => {
    const home = await mkdtemp(join(tmpdir(), "cse-shim-home-"));
    const script = join(home, ".openclaw/bin/sudo");
    await mkdir(join(home, ".openclaw/bin"), { recursive: true, mode: 0o700 });
    await writeFile(script, "#!/bin/sh\necho mine\n");
    const { node, folder } = await copyPackageForUser();
    const bin = join(home, "their-bin");
    await mkdir(bin);
    await symlink(await openclawBin(), join(bin, "openclaw"));
    const cse = async (words: readonly string[], env: readonly string[] = []) =>
      await runInPty(
        [
          "/usr/bin/env",
          "-i",
          `HOME=${home}`,
          `PATH=${bin}:/usr/bin:/bin`,
          "NO_COLOR=1",
          ...env,
          "/bin/sh",
          "-c",
          '"$@" </dev/null',
          "sh",
          node,
          join(folder, "dist/cli.js"),
          "shim",
          ...words,
        ],
        {},
      );
    const foreign = await cse(["install", "--yes"]);
    expect([foreign.exitCode, foreign.output]).toEqual([3, expect.stringContaining("file-exists")]);
    expect(await readFile(script, "utf8")).toBe("#!/bin/sh\necho mine\n");
    await rename(script, `${script}.mine`);
    for (const [words, env] of [
      [["install"], []],
      [["install", "--yes"], ["OPENCLAW_SHELL=exec"]],
    ] as const) {
      const refused = await cse(words, env);
      expect([refused.exitCode, refused.output]).toEqual([2, expect.stringContaining("not-a-terminal")]);
      expect(existsSync(script)).toBe(false);
    }
  });

  itUnless(sudoUsersObstacle(), "says that all is well with a gateway that answers", async () => {
    const world = await startShimWorld({ user: "cse-test" });
    const env = { OPENCLAW_STATE_DIR: world.stateDir };
    const before = JSON.parse(
      (await runCliAsUser(["shim", "status", "--json"], { home: world.home, env })).stdout,
    ) as ShimStatusReport;
    expect(before).toMatchObject({ state: "foreign" });
    expect(before.checks.find(({ id }) => id === "broker")?.status).toBe("ok");
    // Without OpenClaw the command to run is named.
    await rename(world.shim, `${world.shim}.test`);
    await rename(join(world.stateDir, "security/shim.cjs"), join(world.stateDir, "security/other.cjs"));
    const install = await runCliAsUser(["shim", "install"], { home: world.home, env });
    expect([install.exitCode, install.stdout]).toEqual([
      0,
      expect.stringContaining("openclaw config set tools.exec.pathPrepend"),
    ]);
    await writeFileOf(
      "cse-test",
      join(world.stateDir, "openclaw.json"),
      JSON.stringify({ tools: { exec: { pathPrepend: ["~/.openclaw/bin"] } } }),
      0o600,
    );
    const after = JSON.parse(
      (await runCliAsUser(["shim", "status", "--json"], { home: world.home })).stdout,
    ) as ShimStatusReport;
    expect(after).toMatchObject({ state: "installed" });
  });
});
