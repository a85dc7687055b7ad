import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { openclawBin } from "../helpers/openclaw-host.ts";

const ROOT = join(import.meta.dirname, "../..");
const FLAGS =
  "--ignoreConfig --noEmit --strict --skipLibCheck --exactOptionalPropertyTypes --module nodenext --target es2024 --allowImportingTsExtensions --types node".split(
    " ",
  );

/** What the compiler says when the host's own types are used as ours. */
async function compile(more: string): Promise<string> {
  await openclawBin();
  // Beside the host's modules, so that its name leads to them.
  const folder = await mkdtemp(join(ROOT, "test/host/.types-"));
  try {
    const file = join(folder, "check.ts");
    await writeFile(
      file,
      `import type { OpenClawPluginApi } from "openclaw/plugin-sdk/plugin-entry";
import type { HostApi } from "../../../src/plugin/host-api.ts";
declare const theirs: OpenClawPluginApi;
const ours: HostApi = theirs;
${more}
void ours;
`,
    );
    const { stdout } = await promisify(execFile)(join(ROOT, "node_modules/.bin/tsc"), [...FLAGS, file], { cwd: ROOT });
    return stdout;
  } catch (thrown) {
    return (thrown as { stdout: string }).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

it("describes the plugin interface as the real host's types have it", async () => {
  expect(await compile("")).toBe("");
});

it("would notice a difference", async () => {
  expect(await compile("const wrong: (a: number) => void = theirs.registerService; void wrong;")).toContain("TS2322");
});
