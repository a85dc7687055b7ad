import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PortReport } from "../../src/core/network.ts";
import { copyPackageForUser } from "../helpers/unprivileged.ts";

const ROOT = join(import.meta.dirname, "../..");
const NAME = "cyber-security-engineer";
/** What a checkout has beside its sources that must not get into the package. */
const LEFT_BEHIND = [
  "assessments/openclaw-assessment.json",
  "test/x.test.ts",
  ".env",
  "npm-debug.log",
  "coverage/index.html",
];

let work: string;
let packed: { filename: string; files: { path: string; mode: number }[] };
let consumer: string;

const env = (over: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  // This Node first: the bins start with `env node`.
  PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
  HOME: join(work, "home"),
  npm_config_cache: join(work, "empty-cache"),
  npm_config_update_notifier: "false",
  ...over,
});

async function run(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { cwd, env: env(), maxBuffer: 50_000_000 });
  return stdout;
}

/** The package is built and packed from a copy: other tests use the checkout's own dist/ meanwhile. */
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "cse-package-"));
  const copy = join(work, "checkout");
  consumer = join(work, "consumer");
  await Promise.all([mkdir(join(work, "home")), mkdir(consumer)]);
  for (const name of await readdir(ROOT)) {
    if (["node_modules", ".git", "dist", "test", "coverage", "assessments"].includes(name)) continue;
    await cp(join(ROOT, name), join(copy, name), { recursive: true });
  }
  await cp(join(ROOT, "assessments/README.md"), join(copy, "assessments/README.md"));
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  for (const path of LEFT_BEHIND) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), "left behind");
  }
  // `prepack` builds; what it prints comes before the JSON.
  const output = await run("npm", ["pack", "--json", "--pack-destination", work], copy);
  packed = (JSON.parse(output.slice(output.indexOf("[\n"))) as [typeof packed])[0];
  await writeFile(join(consumer, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }');
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(work, packed.filename)], consumer);
});

afterAll(async () => await rm(work, { recursive: true, force: true }));

describe("the packed package", () => {
  it("holds what runs, what is read and nothing else", async () => {
    const paths = packed.files.map(({ path }) => path);
    const built = (path: string): boolean =>
      /^dist\/(?:(?:cli|plugin)-parts\/[\w-]+\.js|types\/[\w/-]+\.d\.ts)$/.test(path);
    const references = await readdir(join(ROOT, "references"), { recursive: true, withFileTypes: true });
    const authored = references
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
    expect(paths.filter((path) => !built(path)).toSorted()).toEqual(
      [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "SKILL.md",
        "assessments/README.md",
        "dist/cli.js",
        "dist/index.js",
        "dist/plugin.js",
        "dist/shim.cjs",
        "openclaw.plugin.json",
        "package.json",
        "scripts/auto_invoke_cycle.sh",
        "scripts/bootstrap.sh",
        "scripts/install-openclaw-runtime-hook.sh",
        ...authored,
      ].toSorted(),
    );
    expect(paths).toContain("dist/types/index.d.ts");
    expect(paths.some((path) => path.startsWith("dist/cli-parts/"))).toBe(true);
  });

  it("makes its command and its launchers executable and nothing else", () => {
    const executable = packed.files.filter(({ mode }) => (mode & 0o111) !== 0).map(({ path }) => path);
    expect(executable.filter((path) => !path.startsWith("scripts/"))).toEqual(["dist/cli.js"]);
    expect(executable.filter((path) => path.startsWith("scripts/"))).toHaveLength(3);
  });

  it("has a shim that is small and needs nothing but Node", async () => {
    const shim = await readFile(join((await copyPackageForUser()).folder, "dist/shim.cjs"), "utf8");
    expect(shim.length).toBeLessThan(12_000);
    const needed = [...shim.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name);
    expect(new Set(needed)).toEqual(new Set(["node:fs", "node:net", "node:os"]));
  });

  it("names no file of the machine it was built on", async () => {
    // The checkout's own build: the copy's modules lie elsewhere, and the bundler names them by their way there.
    const dist = join((await copyPackageForUser()).folder, "dist");
    const entries = await readdir(dist, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const texts = await Promise.all(files.map(async (file) => await readFile(file, "utf8")));
    expect(files.filter((_, index) => texts[index]?.includes(`${ROOT}/`))).toEqual([]);
    expect(files.length).toBeGreaterThan(2);
  });
});

describe("an installation without a network", () => {
  const bin = (name: string): string => join(consumer, "node_modules/.bin", name);

  it("brings no other package", async () => {
    const names = (await readdir(join(consumer, "node_modules"))).filter((name) => !name.startsWith("."));
    expect(names).toEqual([NAME]);
  });

  it("gives both commands", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await run("npx", ["--offline", "cse", "--version"], consumer)).toBe(`${version}\n`);
    expect(await run(bin(NAME), ["--version"], consumer)).toBe(`${version}\n`);
    const report = JSON.parse(await run(bin("cse"), ["scan", "ports", "--json"], consumer)) as PortReport;
    expect(report).toMatchObject({ schemaVersion: 1, collector: "proc", approved_file: null });
  });

  it("finds its templates, and keeps reports out of node_modules", async () => {
    const init = JSON.parse(await run(bin("cse"), ["init", "--json"], consumer)) as { created: string[] };
    expect(init.created).toHaveLength(4);
    const preflight = JSON.parse(await run(bin("cse"), ["preflight", "--json"], consumer)) as {
      items: { subject: string; message: string }[];
    };
    const reports = preflight.items.find(({ subject }) => subject === "reports-folder");
    expect(reports?.message).toContain(join(work, "home/.openclaw/security/assessments"));
  });

  it("is a library with the documented exports", async () => {
    const script = `
      const library = await import("${NAME}");
      const { status, listening_services } = await library.scanPorts();
      console.log(JSON.stringify({ exports: Object.keys(library).sort(), status, hasList: Array.isArray(listening_services) }));
    `;
    const output = await run(process.execPath, ["--input-type=module", "-e", script], consumer);
    expect(JSON.parse(output)).toEqual({
      exports: [
        "analyzeCommand",
        "assess",
        "createSecurityEngineer",
        "evaluateCommand",
        "isRootEquivalent",
        "lintPolicy",
        "parsePolicy",
        "parseSocketTable",
        "parseSudoArgs",
        "requestElevation",
        "runPrivileged",
        "scanEgress",
        "scanPorts",
        "verifyAuditLog",
      ],
      status: expect.stringMatching(/^(?:ok|incomplete)$/),
      hasList: true,
    });
  });

  it("has types that a strict consumer can use without any other package", async () => {
    await writeFile(
      join(consumer, "use.ts"),
      `import { assess, createSecurityEngineer, parseSocketTable, scanEgress, scanPorts } from "${NAME}";
import type { AssessmentSummary, Connection, EgressReport, ErrorReport, Listener, NetworkFinding, PortReport, SocketTable } from "${NAME}";
const report: PortReport | ErrorReport = await scanPorts({ includeUdp: false });
if (report.status !== "error") { const first: Listener | undefined = report.listening_services[0]; void first; }
const egress: EgressReport | ErrorReport = await scanEgress();
const summary: AssessmentSummary | ErrorReport = await assess({ checks: ["open_ports_approved"] });
const table: SocketTable = parseSocketTable("ss", "");
void createSecurityEngineer({ procRoot: "/proc", now: () => 0 }).close();
export type Use = [Connection, NetworkFinding, typeof egress, typeof summary, typeof table];
// @ts-expect-error: a misspelt parameter is refused
void scanPorts({ includeUPD: true });
`,
    );
    const flags = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "false",
      "--module",
      "nodenext",
      "--target",
      "es2024",
      "--types",
      "",
    ];
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const output = await run(tsc, [...flags, "use.ts"], consumer).catch((error: { stdout: string }) => error.stdout);
    expect(output).toBe("");
  });
});

describe("SKILL.md", () => {
  it("has frontmatter with the skill's name, a description and one-line metadata", async () => {
    const skill = await readFile(join(ROOT, "SKILL.md"), "utf8");
    const [, frontmatter = ""] = /^---\n(.*?)\n---\n/s.exec(skill) ?? [];
    const entries = frontmatter.split("\n").map((line) => /^([a-z]+): (\S.*)$/.exec(line)?.slice(1) ?? [line]);
    expect(entries.map(([key]) => key)).toEqual(["name", "description", "metadata"]);
    const [name, description = "", metadata = ""] = entries.map(([, value]) => value);
    expect(name).toBe(NAME);
    // A plain YAML scalar: neither of these may be in it, nor a first character with a meaning.
    expect(description).not.toMatch(/: | #|^[[\]{}>|*&!%#`@"'-]/);
    expect(metadata).toMatch(/^\{ .* \}$/);
    expect(JSON.parse(metadata)).toEqual({
      openclaw: { emoji: expect.any(String), os: ["linux"], requires: { bins: ["node"] } },
    });
  });

  it("names the nine controls and only commands that exist", async () => {
    const skill = await readFile(join(ROOT, "SKILL.md"), "utf8");
    const controls = skill.match(/^\d\. .*(?:\n {3}.*)*/gm) ?? [];
    expect(controls.map((control) => control.slice(0, 2))).toEqual([
      "1.",
      "2.",
      "3.",
      "4.",
      "5.",
      "6.",
      "7.",
      "8.",
      "9.",
    ]);
    const words = [
      /ordinary user/,
      /explicit yes/,
      /smallest set/,
      /as soon as/,
      /30 idle minutes/,
      /listening ports/,
      /outbound connections/,
      /baseline/,
      /ISO\/IEC 27001.*NIST CSF/,
    ];
    expect(words.map((word, index) => word.test((controls[index] ?? "").replace(/\s+/g, " ")))).toEqual(
      words.map(() => true),
    );
    const commands = [...skill.matchAll(/\{baseDir\}\/dist\/cli\.js ([a-z ]+?)(?: --json)?`/g)].map(
      ([, command = ""]) => command,
    );
    expect(commands.length).toBeGreaterThan(5);
    for (const command of new Set(commands)) {
      const help = await run(
        process.execPath,
        [join(consumer, "node_modules", NAME, "dist/cli.js"), ...command.split(" "), "--help"],
        work,
      );
      expect(help).toContain(`Usage: cse ${command}`);
    }
  });
});
