import { createHash } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { collectNativeEvidence, type NativeOptions } from "../../src/collect/native-evidence.ts";
import { findOpenClawProgram } from "../../src/collect/openclaw-program.ts";
import { resolveOpenClawPaths } from "../../src/collect/openclaw-paths.ts";
import type { NativeEvidence } from "../../src/core/native-evidence.ts";
import type { Evidence } from "../../src/core/evidence.ts";
import { runTool } from "../../src/exec/run-tool.ts";
import { SECRET_CANARY } from "../helpers/homes.ts";

const ANSWERS = {
  security: { findings: [{ checkId: "a.b", severity: "critical", title: "Bad", detail: "" }] },
  secrets: { findings: [], resolution: { skippedExecRefs: 0 } },
  policy: { ok: true, findings: [], checksRun: 68 },
  "exec-policy": { effectivePolicy: { scopes: [] } },
  update: { availability: { available: false, latestVersion: "2026.9.6" } },
  gateway: { gateway: { bindMode: "loopback", bindHost: "127.0.0.1", port: 1 }, rpc: { ok: true } },
};

/** A program in OpenClaw's place: says what it was given, and answers. `fault` is run first. */
function program(log: string, fault: string): string {
  return `import { appendFileSync, readFileSync, readdirSync, statSync } from "node:fs";
const args = process.argv.slice(2);
const config = process.env.OPENCLAW_CONFIG_PATH;
const mode = (path) => (statSync(path).mode & 0o777).toString(8);
const folder = config.slice(0, config.lastIndexOf("/"));
appendFileSync(${JSON.stringify(log)}, JSON.stringify({
  args, config, stateDir: process.env.OPENCLAW_STATE_DIR, text: readFileSync(config, "utf8"),
  modes: [mode(folder), mode(config)], env: Object.keys(process.env).sort(), files: readdirSync(folder),
}) + "\\n");
${fault}
console.log(JSON.stringify(${JSON.stringify(ANSWERS)}[args[0]]));
`;
}

interface Call {
  readonly args: readonly string[];
  readonly config: string;
  readonly stateDir: string;
  readonly text: string;
  readonly modes: readonly string[];
  readonly env: readonly string[];
}

const CONFIG = `// as its owner wrote it
{ gateway: { auth: { mode: "token", token: "${SECRET_CANARY}" } }, plugins: { allow: ["mail"] },
  models: { providers: { x: { apiKey: "\${SOME_KEY}" } } } }
`;

async function setUp(fault = "", withDatabase = true) {
  const home = await mkdtemp(join(tmpdir(), "cse-native-"));
  onTestFinished(async () => await rm(home, { recursive: true, force: true }));
  const stateDir = join(home, ".openclaw");
  const configPath = join(stateDir, "openclaw.json");
  await mkdir(join(stateDir, "state"), { recursive: true });
  await writeFile(configPath, CONFIG, { mode: 0o600 });
  if (withDatabase) await writeFile(join(stateDir, "state/openclaw.sqlite"), "");
  const log = join(home, "calls");
  const entry = join(home, "openclaw.mjs");
  await writeFile(entry, program(log, fault));
  let nowMs = Date.UTC(2026, 10, 23, 8);
  const securityDir = join(stateDir, "security");
  const steps: string[] = [];
  const options: NativeOptions = {
    now: () => nowMs,
    monotonicMs: () => performance.now(),
    paths: resolveOpenClawPaths({ HOME: home }, home),
    securityDir,
    program: { version: "2026.9.6", entry },
    isGatewayRunning: true,
    runTool,
    nodePath: process.execPath,
    progress: (step) => void steps.push(step),
    refresh: false,
  };
  return {
    home,
    stateDir,
    configPath,
    securityDir,
    options,
    steps,
    pass: (ms: number) => (nowMs += ms),
    calls: async (): Promise<readonly Call[]> =>
      (await readFile(log, "utf8").catch(() => ""))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Call),
    overlays: async () => await readdir(join(securityDir, "tmp")).catch(() => []),
  };
}

function valueOf(evidence: Evidence<NativeEvidence>): NativeEvidence {
  if (evidence.kind === "unmeasured") throw new Error(`${evidence.code}: ${evidence.reason}`);
  return evidence.value;
}

const statuses = ({ runs }: NativeEvidence): readonly string[] =>
  runs.map(({ command, status }) => `${command}: ${status}`);
const hashOf = async (path: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

describe("OpenClaw's own commands", () => {
  it("are asked one after the other, as arguments, and only the policy check of a copy without secrets", async () => {
    const on = await setUp();
    const before = await hashOf(on.configPath);
    const found = valueOf(await collectNativeEvidence(on.options));
    expect(found.findings).toMatchObject([
      { id: "a.b", severity: "critical", command: "security audit", title: "Bad" },
    ]);
    const calls = await on.calls();
    expect(calls.map(({ args }) => args.join(" "))).toEqual(
      ["security audit", "secrets audit", "policy check", "exec-policy show", "update status", "gateway status"].map(
        (command) => `${command} --json`,
      ),
    );
    for (const call of calls) {
      const isCopy = call.args[0] === "policy";
      expect([call.args[0], call.config === on.configPath, call.stateDir === on.stateDir]).toEqual([
        call.args[0],
        !isCopy,
        !isCopy,
      ]);
      // Nothing of our own environment arrives.
      expect(call.env).toEqual(expect.not.arrayContaining(["CSE_TEST_USER", "VITEST"]));
      if (!isCopy) continue;
      expect(call.modes).toEqual(["700", "600"]);
      expect(call.text).not.toContain(SECRET_CANARY);
      const copy = JSON.parse(call.text) as {
        plugins: { allow: string[]; entries: { policy: { config: { path: string } } } };
      };
      expect(copy.plugins.allow).toEqual(["mail", "policy"]);
      expect(dirname(copy.plugins.entries.policy.config.path)).toBe(dirname(dirname(call.config)));
    }
    expect(await on.overlays()).toEqual([]);
    expect(await hashOf(on.configPath)).toBe(before);
    expect(on.steps[0]).toBe("Asking OpenClaw itself, 1 of 6: openclaw security audit (--no-native leaves this out)");
  });

  it("leave no copy behind when one fails, hangs or prints something else, and the others still answer", async () => {
    const fault = `if (args[0] === "policy") { process.exit(3); }
if (args[0] === "secrets") { await new Promise((done) => setTimeout(done, 60000)); }
if (args[0] === "update") { console.log("no json"); process.exit(0); }`;
    const on = await setUp(fault);
    const found = valueOf(await collectNativeEvidence({ ...on.options, limitsMs: { command: 3_000, all: 60_000 } }));
    expect(statuses(found)).toEqual([
      "security audit: done",
      "secrets audit: failed",
      "policy check: failed",
      "exec-policy show: done",
      "update status: failed",
      "gateway status: done",
    ]);
    expect(found.runs[1]?.said).toMatch(/did not finish in/);
    expect(await on.overlays()).toEqual([]);
    expect(await readFile(on.configPath, "utf8")).toBe(CONFIG);
  });

  it("are not asked any more once the time for all of them is used up", async () => {
    const on = await setUp("await new Promise((done) => setTimeout(done, 700));");
    const found = valueOf(await collectNativeEvidence({ ...on.options, limitsMs: { command: 10_000, all: 1_200 } }));
    expect(found.runs.at(-1)).toMatchObject({ status: "skipped", said: "the time for all of them is used up" });
  });

  it("are left out where they would create, convert or miss something, each with the reason", async () => {
    const fresh = await setUp("", false);
    const found = valueOf(await collectNativeEvidence({ ...fresh.options, isGatewayRunning: false }));
    expect(statuses(found)).toEqual([
      "security audit: skipped",
      "secrets audit: skipped",
      "policy check: done",
      "exec-policy show: skipped",
      "update status: skipped",
      "gateway status: skipped",
    ]);
    expect(found.runs[0]?.said).toMatch(/no database yet/);
    expect(found.runs[5]?.said).toBe("no gateway runs");

    const older = await setUp();
    await writeFile(older.configPath, '{"meta":{"lastTouchedVersion":"2026.1.1"}}');
    const other = valueOf(await collectNativeEvidence({ ...older.options, isGatewayRunning: false }));
    expect(other.runs[0]).toMatchObject({
      status: "skipped",
      said: expect.stringMatching(/may convert its state/) as unknown,
    });
  });

  it("are not asked when nobody is to wait and nothing is kept", async () => {
    const on = await setUp();
    const found = await collectNativeEvidence({ ...on.options, keptOnly: true });
    expect(found).toMatchObject({ kind: "unmeasured", code: "not-asked" });
    expect(await on.calls()).toEqual([]);
  });

  it("are not asked about a config that OpenClaw would refuse", async () => {
    const on = await setUp();
    await writeFile(on.configPath, "{");
    expect(await collectNativeEvidence(on.options)).toMatchObject({ kind: "unmeasured", code: "config-invalid" });
    expect(await on.calls()).toEqual([]);
  });
});

describe("their answers are kept", () => {
  it("for the same config, version and state of the gateway, for six hours, with their age", async () => {
    const on = await setUp();
    const first = valueOf(await collectNativeEvidence(on.options));
    expect((await stat(join(on.securityDir, "native-evidence.json"))).mode & 0o777).toBe(0o600);
    on.pass(5 * 3_600_000);
    const again = await collectNativeEvidence(on.options);
    expect(valueOf(again)).toEqual({ ...first, cached: true });
    expect(again.at).toBe(first.taken_at);
    expect(await on.calls()).toHaveLength(6);

    const asked = async (change: Partial<NativeOptions>): Promise<boolean> =>
      !valueOf(await collectNativeEvidence({ ...on.options, ...change })).cached;
    expect(await asked({ refresh: true })).toBe(true);
    expect(await asked({ keptOnly: true })).toBe(false);
    expect(await asked({})).toBe(false);
    expect(await asked({ program: { ...on.options.program, version: "2026.9.7" } })).toBe(true);
    await writeFile(on.configPath, CONFIG.replace("token", "password"));
    expect(await asked({})).toBe(true);
    on.pass(6 * 3_600_000 + 1);
    expect(await asked({})).toBe(true);
  });

  it("for half an hour only when one failed, and never when others could have written them", async () => {
    const on = await setUp('if (args[0] === "update") process.exit(1);');
    const asked = async (): Promise<boolean> => !valueOf(await collectNativeEvidence(on.options)).cached;
    expect([await asked(), await asked()]).toEqual([true, false]);
    on.pass(1_800_001);
    expect(await asked()).toBe(true);
    await chmod(join(on.securityDir, "native-evidence.json"), 0o666);
    expect(await asked()).toBe(true);
    await writeFile(join(on.securityDir, "native-evidence.json"), '{"schemaVersion":1}', { mode: 0o600 });
    expect(await asked()).toBe(true);
  });
});

describe("OpenClaw's program", () => {
  async function install() {
    const home = await mkdtemp(join(tmpdir(), "cse-program-"));
    onTestFinished(async () => await rm(home, { recursive: true, force: true }));
    const folder = join(home, "openclaw");
    await mkdir(join(folder, "dist"), { recursive: true });
    await writeFile(join(folder, "package.json"), '{"name":"openclaw","version":"2026.9.6"}');
    await writeFile(join(folder, "openclaw.mjs"), "");
    const uid = process.getuid?.() ?? -1;
    const find = async () =>
      await findOpenClawProgram({ procRoot: "/proc", gatewayPid: null, packageFolders: [home] }, uid, "now");
    return { folder, find };
  }

  it("is run when nobody else can change it", async () => {
    const { folder, find } = await install();
    expect(await find()).toMatchObject({
      kind: "measured",
      value: { version: "2026.9.6", entry: join(folder, "openclaw.mjs") },
    });
  });

  it.each(["", "dist", "openclaw.mjs", "package.json"])(
    "is not run when others can write to %j of it",
    async (name) => {
      const { folder, find } = await install();
      await chmod(join(folder, name), name.includes(".") ? 0o666 : 0o777);
      expect(await find()).toMatchObject({ kind: "unmeasured", code: "permission-denied" });
    },
  );

  it("is not run by root when it is another account's", async () => {
    const { folder, find } = await install();
    if (process.getuid?.() === 0) await chown(folder, 54_321, 54_321);
    expect((await find()).kind).toBe(process.getuid?.() === 0 ? "unmeasured" : "measured");
  });
});
