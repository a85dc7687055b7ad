import { copyFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { PluginWish } from "./home.ts";

const SOURCE = join(import.meta.dirname, "../../fixtures/plugin-elevation");

/** Bundles test/fixtures/plugin-elevation with the sources under test, as the real plugin is built. */
export async function elevationPlugin(config: Readonly<Record<string, unknown>> = {}): Promise<PluginWish> {
  const folder = await mkdtemp(join(tmpdir(), "plugin-elevation-"));
  for (const name of ["openclaw.plugin.json", "package.json"]) await copyFile(join(SOURCE, name), join(folder, name));
  await build({
    entryPoints: [join(SOURCE, "index.ts")],
    outfile: join(folder, "index.js"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: ["openclaw/*"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    define: { CSE_VERSION: '"0.0.0"' },
    logLevel: "silent",
  });
  return { id: "cse-elevation", folder, config };
}
