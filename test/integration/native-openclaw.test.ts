import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isMapped } from "../../src/assess/native-map.ts";
import { collectNativeEvidence } from "../../src/collect/native-evidence.ts";
import { resolveOpenClawPaths } from "../../src/collect/openclaw-paths.ts";
import { runTool } from "../../src/exec/run-tool.ts";
import { makeHome, SECRET_CANARY } from "../helpers/homes.ts";
import { openclawBin, runOpenClaw } from "../helpers/openclaw-host.ts";

const hashOf = async (path: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

// Asks the real OpenClaw 2026.9.6: each of the five starts takes 5 to 20 seconds on an idle machine.
describe("the real OpenClaw", () => {
  beforeAll(async () => {
    await openclawBin();
  }, 600_000);

  it("answers for the weak home with findings that all have a check, and nothing of the home changes", async () => {
    const { home, stateDir, configPath } = await makeHome("weak");
    // What OpenClaw makes on its first run is its own doing.
    const first = await runOpenClaw(["security", "audit", "--json"], home);
    expect([first.exitCode, first.stderr.includes(SECRET_CANARY)]).toEqual([0, false]);
    const [config, files] = [await hashOf(configPath), await readdir(stateDir, { recursive: true })];

    const found = await collectNativeEvidence({
      now: Date.now,
      monotonicMs: () => performance.now(),
      paths: resolveOpenClawPaths({ HOME: home }, home),
      securityDir: join(stateDir, "security"),
      program: { version: "2026.9.6", entry: await openclawBin() },
      isGatewayRunning: false,
      runTool,
      nodePath: process.execPath,
      progress: () => undefined,
      refresh: false,
      limitsMs: { command: 400_000, all: 1_200_000 },
    });
    if (found.kind === "unmeasured") throw new Error(found.reason);
    expect(found.value.runs.map(({ command, status }) => `${command}: ${status}`)).toEqual([
      "security audit: done",
      "secrets audit: done",
      "policy check: done",
      "exec-policy show: done",
      "update status: skipped",
      "gateway status: skipped",
    ]);
    const ids = new Set(found.value.findings.map(({ id }) => id));
    expect([...ids].filter((id) => !isMapped(id))).toEqual([]);
    for (const id of [
      "tools.exec.security_full_configured",
      "fs.config.perms_world_readable",
      "secrets:PLAINTEXT_FOUND",
      "policy/ingress-open-groups-denied",
      "policy/gateway-non-loopback-bind",
    ]) {
      expect([id, ids.has(id)]).toEqual([id, true]);
    }
    expect(JSON.stringify(found)).not.toContain(SECRET_CANARY);
    expect(await hashOf(configPath)).toBe(config);
    const added = (await readdir(stateDir, { recursive: true })).filter((path) => !files.includes(path));
    expect(added.filter((path) => !path.startsWith("security") && !/sqlite-(?:wal|shm)$/.test(path))).toEqual([]);
    expect(await readdir(join(stateDir, "security/tmp"))).toEqual([]);
  }, 1_500_000);
});
