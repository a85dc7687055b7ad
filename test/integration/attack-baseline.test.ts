import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createEffects } from "../../src/deps/effects.ts";
import { egressDeps } from "../../src/deps/scan.ts";
import { wire } from "../../src/deps/wire.ts";
import { makeProcTree, procRow } from "../helpers/proc-tree.ts";

const REVIEWED = JSON.stringify({
  schemaVersion: 2,
  rules: [{ protocol: "tcp", port: 22, scope: "any", reviewed: true, owner: "ops", justification: "ssh" }],
});

async function makeState(): Promise<{ stateDir: string; file: string }> {
  const stateDir = await mkdtemp(join(tmpdir(), "cse-state-"));
  const file = join(stateDir, "security/approved_ports.json");
  await mkdir(join(stateDir, "security"), { mode: 0o700 });
  await writeFile(file, REVIEWED, { mode: 0o600 });
  return { stateDir, file };
}

/** Listeners of one program on the first `count` ports from 1024 on. */
function hostWith(count: number): string {
  const rows = Array.from({ length: count }, (_, index) =>
    procRow({ local: `0100007F:${(1024 + index).toString(16).toUpperCase().padStart(4, "0")}`, inode: 1000 + index }),
  );
  const sockets = rows.map((_row, index) => 1000 + index);
  return makeProcTree({ tcp: rows.join(""), udp: "" }, { 42: { exe: "/tmp/flood", sockets } });
}

describe("a reviewed baseline", () => {
  it("is not replaced by one too large to be read when something opens very many ports", async () => {
    const { stateDir, file } = await makeState();
    const program = wire({ stateDir, procRoot: hostWith(10_000) });
    await expect(program.generateBaseline({})).rejects.toMatchObject({ code: "file-too-large" });
    expect(await readFile(file, "utf8")).toBe(REVIEWED);
  });

  it("keeps its reviewed rule when several commands write it at once", async () => {
    const { stateDir, file } = await makeState();
    const runs = [1, 2, 3, 4].map(
      async (count) => await wire({ stateDir, procRoot: hostWith(count) }).generateBaseline({}),
    );
    const outcomes = await Promise.allSettled(runs);
    const refused = outcomes.flatMap((one) =>
      one.status === "rejected" ? [(one.reason as { code: string }).code] : [],
    );
    expect(new Set(refused)).toEqual(new Set(["file-changed"]));
    const { rules } = JSON.parse(await readFile(file, "utf8")) as { rules: { port: number; reviewed: boolean }[] };
    expect(rules[0]).toMatchObject({ port: 22, reviewed: true, owner: "ops" });
    expect(outcomes.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  });
});

it("uses one resolver for all egress scans, so that look-ups that hang never pile up", () => {
  const effects = createEffects({});
  const [first, second] = [egressDeps(effects, undefined, false), egressDeps(effects, undefined, true)];
  expect(first.resolveHosts).toBe(second.resolveHosts);
});
