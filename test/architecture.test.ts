import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { LAYERS, ONLY_IN, PURE } from "./helpers/layers.ts";

interface SourceFile {
  /** Path below src/, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const SRC = join(import.meta.dirname, "../src");

function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({ path: path.replaceAll("\\", "/"), text: readFileSync(join(SRC, path), "utf8") }));
}

/** The folder below src/, or the file itself for index.ts. */
function layerOf(path: string): string {
  return path.includes("/") ? (path.split("/")[0] ?? "") : path;
}

const SPECIFIER =
  /\b(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|\brequire\(\s*["']([^"']+)["']\s*\)/g;

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function importsOf(file: SourceFile): string[] {
  return [...withoutComments(file.text).matchAll(SPECIFIER)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

/** Every broken rule of one file, in words. */
function violationsOf(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  const allowed = LAYERS[layer];
  if (allowed === undefined) return [`${file.path}: no such layer in the table`];
  const found: string[] = [];
  for (const specifier of importsOf(file)) {
    if (specifier.startsWith(".")) {
      const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
      // Data files outside src/ carry no logic.
      if (target.endsWith(".json")) continue;
      const targetLayer = layerOf(target);
      if (targetLayer !== layer && !allowed.includes(targetLayer)) found.push(`${file.path}: imports ${target}`);
      continue;
    }
    if (PURE.includes(layer) && specifier.startsWith("node:")) found.push(`${file.path}: pure, imports ${specifier}`);
    if (!specifier.startsWith("node:") && /^(fs|path|os|child_process|net|dns|crypto)(\/|$)/.test(specifier)) {
      found.push(`${file.path}: bare ${specifier}, write node:${specifier}`);
    }
    for (const [name, layers] of Object.entries(ONLY_IN)) {
      const matches = specifier === name || specifier.startsWith(`${name}/`);
      if (matches && !layers.includes(layer)) found.push(`${file.path}: imports ${specifier}`);
    }
  }
  if (PURE.includes(layer)) {
    const code = withoutComments(file.text);
    // `process` is also what a finding calls its process, so only Node's members of it count.
    // (The linter, which knows scopes, bans the global itself.)
    const member = /(?<![\w.$"'`-])process\.(env|argv|cwd|exit|platform|hrtime|nextTick|std\w+|\w+uid|version\w*)\b/;
    if (member.test(code)) found.push(`${file.path}: pure, uses process`);
    for (const name of ["Date", "console", "fetch", "setTimeout", "setInterval"]) {
      // The dashboard's script is text that runs in a browser.
      if (file.path === "report/dashboard-script.ts") break;
      if (new RegExp(`(?<![\\w.$"'\`-])${name}(?=[.(])`).test(code)) found.push(`${file.path}: pure, uses ${name}`);
    }
    if (code.includes("Math.random")) found.push(`${file.path}: pure, uses Math.random`);
  }
  if (!["deps", "cli", "shim"].includes(layer) && /\bprocess\.(env|argv)\b/.test(withoutComments(file.text))) {
    found.push(`${file.path}: reads process.env or process.argv`);
  }
  if (/^export default/m.test(file.text) && layer !== "plugin") found.push(`${file.path}: default export`);
  return found;
}

function cyclesOf(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, string[]>();
  for (const file of files) {
    const targets = importsOf(file)
      .filter((specifier) => specifier.startsWith(".") && specifier.endsWith(".ts"))
      .map((specifier) => posix.normalize(posix.join(posix.dirname(file.path), specifier)));
    edges.set(file.path, targets);
  }
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

describe("the layers of src", () => {
  const files = readSources();

  it("are read from real files in every layer of the table", () => {
    expect(files.length).toBeGreaterThan(40);
    const seen = new Set(files.map((file) => layerOf(file.path)));
    expect(Object.keys(LAYERS).filter((layer) => !seen.has(layer))).toEqual([]);
    expect(files.reduce((sum, file) => sum + importsOf(file).length, 0)).toBeGreaterThan(100);
  });

  it("keep to the table", () => {
    expect(files.flatMap(violationsOf)).toEqual([]);
  });

  it("have no import cycle", () => {
    expect(cyclesOf(files)).toEqual([]);
  });
});

describe("the gate itself", () => {
  it.each([
    ["an arrow against the table", "policy/x.ts", 'import { a } from "../scan/y.ts";'],
    ["a type-only import against the table", "core/x.ts", 'import type { A } from "../schema/y.ts";'],
    ["a dynamic import against the table", "report/x.ts", 'const a = await import("../state/y.ts");'],
    ["a re-export against the table", "exec/x.ts", 'export { a } from "../state/y.ts";'],
    ["a node module in a pure layer", "scan/x.ts", 'import { hostname } from "node:os";'],
    ["a file module outside state and collect", "app/x.ts", 'import { readFile } from "node:fs/promises";'],
    ["a bare module name", "state/x.ts", 'import { readFileSync } from "fs";'],
    ["a process spawner", "collect/x.ts", 'import { spawn } from "node:child_process";'],
    ["a library outside its layer", "app/x.ts", 'import { Type } from "@sinclair/typebox";'],
    ["the clock in a pure layer", "assess/x.ts", "const now = Date.now();"],
    ["a new Date in a pure layer", "assess/x.ts", "const now = new Date(1);"],
    ["the process in a pure layer", "assess/x.ts", "const at = process.hrtime();"],
    ["randomness in a pure layer", "policy/x.ts", "const n = Math.random();"],
    ["the environment outside deps and cli", "collect/x.ts", 'const home = process.env["HOME"];'],
    ["a default export", "core/x.ts", "export default 1;"],
    ["a folder that is not in the table", "utils/x.ts", "export const a = 1;"],
  ])("is red on %s", (_title, path, text) => {
    expect(violationsOf({ path, text })).toHaveLength(1);
  });

  it("is red on a cycle", () => {
    const files = [
      { path: "core/a.ts", text: 'import { b } from "./b.ts";' },
      { path: "core/b.ts", text: 'import { a } from "./a.ts";' },
    ];
    expect(cyclesOf(files)).toEqual(["core/a.ts -> core/b.ts -> core/a.ts"]);
  });
});
