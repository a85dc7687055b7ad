// Builds the self-contained bundles in dist/. Declarations come from `tsc -p tsconfig.build.json`.
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));
await rm(new URL("dist", import.meta.url), { recursive: true, force: true });

// Bundled CommonJS dependencies call require() for Node's own modules.
const REQUIRE = 'import { createRequire as cseCreateRequire } from "node:module"; const require = cseCreateRequire(import.meta.url);';

const shared = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  // Names stay readable in stack traces; only white space and syntax are compacted.
  minifyWhitespace: true,
  minifySyntax: true,
  define: { CSE_VERSION: JSON.stringify(version) },
  legalComments: "none",
  logLevel: "warning",
};

await Promise.all([
  build({ ...shared, entryPoints: ["src/index.ts"], outfile: "dist/index.js", banner: { js: REQUIRE } }),
  // A command is a process of its own each time: parts that it does not need stay on the disk.
  build({
    ...shared,
    entryPoints: { cli: "src/cli/main.ts" },
    outdir: "dist",
    splitting: true,
    chunkNames: "cli-parts/[name]-[hash]",
    banner: { js: REQUIRE },
  }),
  // The host copies and loads this at every start: what only the service needs is loaded by it.
  build({
    ...shared,
    entryPoints: { plugin: "src/plugin/plugin.ts" },
    outdir: "dist",
    splitting: true,
    chunkNames: "plugin-parts/[name]-[hash]",
    external: ["openclaw/*"],
    banner: { js: REQUIRE },
  }),
  // Started for each `sudo` of an agent, also from a copy far from here: one small file, CommonJS.
  build({ ...shared, entryPoints: ["src/shim/main.ts"], outfile: "dist/shim.cjs", format: "cjs", define: {} }),
]);

// Only the entry is run by name.
const cli = new URL("dist/cli.js", import.meta.url);
await writeFile(cli, `#!/usr/bin/env node\n${await readFile(cli, "utf8")}`);
await chmod(cli, 0o755);
