import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { LAYERS, ONLY_IN, PURE } from "./helpers/layers.ts";

const ROOT = join(import.meta.dirname, "..");

interface Override {
  readonly files: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[.\\]/g, "\\$&");
}

/** What the layer table says about the imports of one layer, in the words of the linter. */
function importBans(layer: string): Override {
  const layers = Object.keys(LAYERS).filter((name) => name !== layer && !LAYERS[layer]?.includes(name));
  const packages = Object.keys(ONLY_IN).filter((name) => !ONLY_IN[name]?.includes(layer));
  const isFile = layer.endsWith(".ts");
  const targets = layers.map((name) => (name.endsWith(".ts") ? `${escapeRegex(name)}$` : `${name}/`));
  const patterns = [
    {
      regex: `^${isFile ? "\\./" : "(?:\\.\\./)+"}(?:${targets.join("|")})`,
      message: `${layer} may import ${["itself", ...(LAYERS[layer] ?? [])].join(", ")}.`,
    },
    {
      regex: `^(?:${packages.map(escapeRegex).join("|")})(?:/|$)`,
      message: "Another layer owns this package; see test/helpers/layers.ts.",
    },
    ...(PURE.includes(layer) ? [{ regex: "^node:", message: "Pure layers take data and return data." }] : []),
  ];
  return {
    files: [isFile ? `src/${layer}` : `src/${layer}/**`],
    rules: { "no-restricted-imports": ["error", { patterns }] },
  };
}

async function readOverrides(): Promise<readonly Override[]> {
  const config = JSON.parse(await readFile(join(ROOT, ".oxlintrc.json"), "utf8")) as { overrides: Override[] };
  return config.overrides;
}

/** Rule names the linter reports for one planted file, with the project's own configuration. */
async function lint(path: string, text: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "lint-"));
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  const config = join(folder, ".oxlintrc.json");
  await writeFile(config, await readFile(join(ROOT, ".oxlintrc.json")));
  const run = promisify(execFile)(
    process.execPath,
    [join(ROOT, "node_modules/oxlint/bin/oxlint"), "-f", "json", "src"],
    {
      cwd: folder,
    },
  );
  const { stdout } = await run.catch((failure: { stdout: string }) => failure);
  const report = JSON.parse(stdout) as { diagnostics: { code: string }[] };
  return report.diagnostics.map((diagnostic) => diagnostic.code).toSorted();
}

describe("the linter's configuration", () => {
  it("repeats the layer table", async () => {
    const bans = (await readOverrides()).filter((override) => "no-restricted-imports" in override.rules);
    expect(bans).toEqual(Object.keys(LAYERS).map(importBans));
  });

  it.each([
    [
      "an arrow against the table",
      "src/policy/a.ts",
      'import { a } from "../scan/b.ts";\nexport const c: number = a;\n',
      "imports",
    ],
    [
      "the same from a folder below",
      "src/assess/checks/a.ts",
      'import { a } from "../../report/b.ts";\nexport const c: number = a;\n',
      "imports",
    ],
    [
      "a type against the table",
      "src/core/a.ts",
      'import type { A } from "../schema/b.ts";\nexport type C = A;\n',
      "imports",
    ],
    ["a re-export against the table", "src/index.ts", 'export { a } from "./state/b.ts";\n', "imports"],
    [
      "the wiring from below",
      "src/app/a.ts",
      'import { a } from "../deps/wire.ts";\nexport const c: number = a;\n',
      "imports",
    ],
    [
      "node in a pure layer",
      "src/scan/a.ts",
      'import { join } from "node:path";\nexport const c: string = join("a");\n',
      "imports",
    ],
    [
      "a package of another layer",
      "src/collect/a.ts",
      'import { execa } from "execa";\nexport const c: unknown = execa;\n',
      "imports",
    ],
    [
      "a file of such a package",
      "src/policy/a.ts",
      'import { Value } from "@sinclair/typebox/value";\nexport const c: unknown = Value;\n',
      "imports",
    ],
    [
      "files outside their layers",
      "src/app/a.ts",
      'import { open } from "node:fs/promises";\nexport const c: unknown = open;\n',
      "imports",
    ],
    [
      "a spawn outside exec",
      "src/state/a.ts",
      'import { spawn } from "node:child_process";\nexport const c: unknown = spawn;\n',
      "imports",
    ],
    ["the clock in a pure layer", "src/report/a.ts", "export const c: number = Date.now();\n", "globals"],
    ["the process in a pure layer", "src/core/a.ts", "export const c: number = process.pid;\n", "globals"],
    ["randomness in a pure layer", "src/policy/a.ts", "export const c: number = Math.random();\n", "properties"],
    [
      "the environment outside of the wiring",
      "src/collect/a.ts",
      'export const c: unknown = process.env["HOME"];\n',
      "properties",
    ],
  ])("is red on %s", async (_title, path, text, kind) => {
    expect(await lint(path, text)).toEqual([`eslint(no-restricted-${kind})`]);
  });

  it.each([
    [
      "an arrow of the table",
      "src/assess/checks/a.ts",
      'import { a } from "../../scan/b.ts";\nexport const c: number = a;\n',
    ],
    [
      "a neighbour in the same layer",
      "src/assess/checks/a.ts",
      'import { a } from "../evidence.ts";\nexport const c: number = a;\n',
    ],
    [
      "a package in its own layer",
      "src/exec/a.ts",
      'import { execa } from "execa";\nexport const c: unknown = execa;\n',
    ],
    [
      "files in their layer",
      "src/collect/a.ts",
      'import { open } from "node:fs/promises";\nexport const c: unknown = open;\n',
    ],
    ["the environment in the wiring", "src/deps/a.ts", 'export const c: unknown = process.env["HOME"];\n'],
    ["the arguments in the command", "src/cli/a.ts", "export const c: unknown = process.argv;\n"],
  ])("is green on %s", async (_title, path, text) => {
    expect(await lint(path, text)).toEqual([]);
  });
});
