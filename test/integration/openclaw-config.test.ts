import { execFileSync } from "node:child_process";
import { link, mkdir, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectOpenClawConfig } from "../../src/collect/openclaw-config.ts";
import { locateOpenClawPaths, resolveOpenClawPaths } from "../../src/collect/openclaw-paths.ts";
import type { Evidence } from "../../src/core/evidence.ts";
import { SecurityError } from "../../src/core/error.ts";
import type { OpenClawConfig } from "../../src/schema/openclaw-config.ts";
import { HOSTILE_TEXT, makeHome, SECRET_CANARY, type TestHome } from "../helpers/homes.ts";
import { makeUserFolder, runAsUser } from "../helpers/unprivileged.ts";

const NOW = Date.UTC(2026, 10, 23, 8, 0, 0);

async function read(made: TestHome, env: Record<string, string> = {}): Promise<Evidence<OpenClawConfig>> {
  const all = { HOME: made.home, ...env };
  return await collectOpenClawConfig(resolveOpenClawPaths(all, made.home), all, { now: () => NOW, inContainer: false });
}

async function value(made: TestHome, env: Record<string, string> = {}): Promise<OpenClawConfig> {
  const found = await read(made, env);
  if (found.kind === "unmeasured") throw new Error(`${found.code}: ${found.reason}`);
  return found.value;
}

async function homeWith(files: Record<string, string>): Promise<TestHome> {
  const made = await makeHome("empty");
  for (const [name, text] of Object.entries(files)) {
    const path = join(made.stateDir, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
  }
  return made;
}

describe("collectOpenClawConfig", () => {
  it("tells the weak home from the hardened one, without a secret", async () => {
    const weak = await value(await makeHome("weak"));
    const hardened = await value(await makeHome("hardened"));
    expect([weak.gateway.bind.value, weak.gateway.auth.token.kind, weak.tools.exec.security.value]).toEqual([
      "lan",
      "literal",
      "full",
    ]);
    // The token's variable is set in the state folder's .env.
    expect([hardened.gateway.bind.value, hardened.gateway.auth.token, hardened.tools.exec.security.value]).toEqual([
      "loopback",
      { kind: "env", length: 32 },
      "allowlist",
    ]);
    expect(JSON.stringify([weak, hardened])).not.toContain(SECRET_CANARY);
  });

  it("measures the defaults when there is no file", async () => {
    const made = await makeHome("empty");
    const found = await read(made);
    expect(found).toMatchObject({
      kind: "measured",
      source: made.configPath,
      at: "2026-11-23T08:00:00Z",
      value: { present: false },
    });
  });

  it("keeps hostile names as they are, for the output to escape", async () => {
    const config = await value(await makeHome("hostile"));
    expect(config.channels[0]?.allow_from).toEqual(["*", HOSTILE_TEXT]);
  });

  it.each([
    ["it is truncated", { "openclaw.json": '{ gateway: { bind: "loopback"' }, "config-invalid"],
    ["it is empty", { "openclaw.json": "" }, "config-invalid"],
    ["it holds a tool's error message", { "openclaw.json": "cat: no such file" }, "config-invalid"],
    ["it has a 5 MB string", { "openclaw.json": `{ a: "${"x".repeat(5_000_000)}" }` }, "config-too-large"],
    ["it has a 5 MB comment", { "openclaw.json": `// ${"x".repeat(5_000_000)}\n{}` }, "config-too-large"],
    ["it includes itself", { "openclaw.json": '{ $include: "./openclaw.json" }' }, "config-include-loop"],
    [
      "its includes go in a circle",
      {
        "openclaw.json": '{ a: { $include: "b.json" } }',
        "b.json": '{ $include: ["c.json"] }',
        "c.json": '{ $include: "./b.json" }',
      },
      "config-include-loop",
    ],
    ["an include is missing", { "openclaw.json": '{ $include: "gone.json" }' }, "config-invalid"],
    ["an include is broken", { "openclaw.json": '{ $include: "b.json" }', "b.json": "{" }, "config-invalid"],
    [
      "an include is 5 MB",
      { "openclaw.json": '{ $include: "b.json" }', "b.json": `"${"x".repeat(5_000_000)}"` },
      "config-too-large",
    ],
    ["an include leaves its folder", { "openclaw.json": '{ $include: "../../../etc/hostname" }' }, "config-invalid"],
    ["an include is absolute and elsewhere", { "openclaw.json": '{ $include: "/etc/hostname" }' }, "config-invalid"],
    ["an include is a number", { "openclaw.json": "{ $include: 1 }" }, "config-invalid"],
    [
      "an include with keys beside it is no object",
      { "openclaw.json": '{ $include: "b.json", a: 1 }', "b.json": "[1]" },
      "config-invalid",
    ],
    [
      "an include brings a wrong type",
      { "openclaw.json": '{ gateway: { $include: "b.json" } }', "b.json": '{ port: "1" }' },
      "config-invalid",
    ],
  ])("is unmeasured, never a default, when %s", async (_title, files, code) => {
    const found = await read(await homeWith(files));
    expect([found.kind, found.kind === "unmeasured" ? found.code : null]).toEqual(["unmeasured", code]);
  });

  it("stops at ten includes inside one another, and at sixty-four together", async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`f${index}.json`, `{ $include: "f${index + 1}.json" }`]),
    );
    const deep = await read(await homeWith({ ...chain, "f12.json": "{}", "openclaw.json": '{ $include: "f0.json" }' }));
    const many = JSON.stringify({ a: { $include: Array.from({ length: 65 }, () => "b.json") } });
    const wide = await read(await homeWith({ "b.json": "{}", "openclaw.json": many }));
    expect([deep, wide].map((found) => (found.kind === "unmeasured" ? found.code : found.kind))).toEqual([
      "config-invalid",
      "config-invalid",
    ]);
  });

  it("merges includes as OpenClaw does: lists join, keys beside an include win, nested paths are relative", async () => {
    const config = await value(
      await homeWith({
        "openclaw.json": '{ $include: ["parts/a.json", "parts/b.json5"], gateway: { port: 4000 } }',
        "parts/a.json": '{ "gateway": { "port": 1, "bind": "lan" }, "tools": { "deny": ["x"] } }',
        "parts/b.json5": "{ tools: { $include: 'tools/c.json', fs: { workspaceOnly: true } } }",
        "parts/tools/c.json": '{ "deny": ["y"] }',
      }),
    );
    expect([
      config.gateway.port.value,
      config.gateway.bind.value,
      config.tools.deny,
      config.tools.fs_workspace_only.value,
    ]).toEqual([4000, "lan", ["x", "y"], true]);
    expect(config.includes.map((path) => path.slice(path.indexOf(".openclaw")))).toEqual([
      ".openclaw/parts/a.json",
      ".openclaw/parts/b.json5",
      ".openclaw/parts/tools/c.json",
    ]);
  });

  it("refuses an include that is a link out of the folder or has a second name", async () => {
    const made = await homeWith({ "openclaw.json": '{ $include: "b.json" }', "b.json": "{}" });
    await link(join(made.stateDir, "b.json"), join(made.home, "second.json"));
    const hard = await read(made);
    await unlink(join(made.stateDir, "b.json"));
    await symlink(join(made.home, "second.json"), join(made.stateDir, "b.json"));
    const soft = await read(made);
    const rooted = await read(made, { OPENCLAW_INCLUDE_ROOTS: made.home });
    expect([hard, soft, rooted].map((found) => (found.kind === "unmeasured" ? found.code : found.kind))).toEqual([
      "config-invalid",
      "config-invalid",
      "measured",
    ]);
  });

  it("does not wait on a FIFO, and does not take a folder for a file", async () => {
    const fifo = await homeWith({ x: "" });
    execFileSync("mkfifo", [fifo.configPath]);
    const folder = await homeWith({ "openclaw.json/x": "" });
    const found = [await read(fifo), await read(folder)];
    expect(found.map((one) => (one.kind === "unmeasured" ? one.code : one.kind))).toEqual([
      "state-file-not-regular",
      "state-file-not-regular",
    ]);
  });

  it("is unmeasured when an ordinary user may not read it", async () => {
    const home = await makeUserFolder();
    const result = await runAsUser(
      `
      import { mkdirSync, writeFileSync, chmodSync } from "node:fs";
      import { collectOpenClawConfig } from "#src/collect/openclaw-config.ts";
      import { resolveOpenClawPaths } from "#src/collect/openclaw-paths.ts";
      const home = process.env.HOME;
      mkdirSync(home + "/.openclaw");
      writeFileSync(home + "/.openclaw/openclaw.json", "{}");
      chmodSync(home + "/.openclaw/openclaw.json", 0);
      const found = await collectOpenClawConfig(resolveOpenClawPaths(process.env, home), process.env, { now: () => 0 });
      console.log(found.kind === "unmeasured" ? found.code : found.kind);
      `,
      { home },
    );
    expect([result.stdout.trim(), result.stderr]).toEqual(["file-unreadable", ""]);
  });
});

describe("resolveOpenClawPaths", () => {
  it.each([
    ["nothing is set", {}, undefined, "/h/.openclaw", "/h/.openclaw/openclaw.json", "/h/.openclaw/.env"],
    [
      "OPENCLAW_HOME is set with a tilde",
      { OPENCLAW_HOME: "~/x" },
      undefined,
      "/h/x/.openclaw",
      "/h/x/.openclaw/openclaw.json",
      "/h/x/.openclaw/.env",
    ],
    [
      "the config is elsewhere",
      { OPENCLAW_CONFIG_PATH: "/etc/oc/c.json" },
      undefined,
      "/h/.openclaw",
      "/etc/oc/c.json",
      "/etc/oc/.env",
    ],
    [
      "values are blank or careless",
      { OPENCLAW_STATE_DIR: " ", OPENCLAW_HOME: "undefined" },
      undefined,
      "/h/.openclaw",
      "/h/.openclaw/openclaw.json",
      "/h/.openclaw/.env",
    ],
    [
      "a profile flag replaces an inherited profile",
      {
        OPENCLAW_PROFILE: "a",
        OPENCLAW_STATE_DIR: "/h/.openclaw-a",
        OPENCLAW_CONFIG_PATH: "/h/.openclaw-a/openclaw.json",
      },
      "b",
      "/h/.openclaw-b",
      "/h/.openclaw-b/openclaw.json",
      "/h/.openclaw-b/.env",
    ],
  ])("when %s", (_title, env, flag, stateDir, configPath, envFile) => {
    const paths = resolveOpenClawPaths({ HOME: "/h", ...env }, "/h", flag);
    expect([paths.stateDir, paths.configPath, paths.envFiles[0]]).toEqual([stateDir, configPath, envFile]);
  });

  it("needs no home when everything is given, and says no-home otherwise", () => {
    const given = { OPENCLAW_STATE_DIR: "/s", OPENCLAW_CONFIG_PATH: "/c.json" };
    expect(resolveOpenClawPaths(given, null)).toMatchObject({ stateDir: "/s", configPath: "/c.json", home: null });
    expect(() => resolveOpenClawPaths({}, null)).toThrow(expect.objectContaining({ code: "no-home" }) as SecurityError);
  });

  it("refuses a profile name that could lead elsewhere", () => {
    expect(() => resolveOpenClawPaths({ HOME: "/h" }, "/h", "../x")).toThrow(
      expect.objectContaining({ code: "invalid-argument" }) as SecurityError,
    );
  });

  it("follows OpenClaw to the names of its past only where nothing newer exists", async () => {
    const made = await makeHome("empty");
    await mkdir(join(made.home, ".clawdbot"));
    await writeFile(join(made.home, ".clawdbot/clawdbot.json"), "{}");
    const before = locateOpenClawPaths({ HOME: made.home }, made.home);
    await mkdir(made.stateDir);
    const after = locateOpenClawPaths({ HOME: made.home }, made.home);
    expect([before.stateDir, before.configPath, after.stateDir, after.configPath]).toEqual([
      join(made.home, ".clawdbot"),
      join(made.home, ".clawdbot/clawdbot.json"),
      made.stateDir,
      made.configPath,
    ]);
  });
});
