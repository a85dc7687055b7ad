// Builds the self-contained bundles in dist/. Declarations come from `tsc -p tsconfig.build.json`.
import { readFile, rm } from "node:fs/promises";
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
  build({ ...shared, entryPoints: ["src/cli/main.ts"], outfile: "dist/cli.js", banner: { js: `#!/usr/bin/env node\n${REQUIRE}` } }),
]);
