import { chmod, cp, mkdir, mkdtemp, readFile, symlink } from "node:fs/promises";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { collect } from "../unprivileged.ts";
import { type Gateway, startIn } from "./gateway.ts";
import { type GatewayHome, type GatewayWish, makeGatewayHome } from "./home.ts";
import { startScriptedModel } from "./scripted-model.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
export const PLUGIN_ID = "cyber-security-engineer";
/** What a packed package is made of; its folders are copied, the modules only linked. */
const SOURCES = [
  "assessments",
  "references",
  "scripts",
  "src",
  "esbuild.config.mjs",
  "openclaw.plugin.json",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "SKILL.md",
];

/** The package as a user gets it: built from a copy of the sources and packed; path of the tarball. */
async function packPackage(): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), "cse-packed-"));
  await chmod(work, 0o755);
  const copy = join(work, "package");
  await mkdir(copy);
  for (const name of SOURCES) await cp(join(ROOT, name), join(copy, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const path = `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  const run = async (file: string, words: readonly string[]): Promise<string> => {
    const env = { ...process.env, PATH: path };
    const { exitCode, stdout, stderr } = await collect(spawn(file, words, { cwd: copy, env, stdio: "pipe" }));
    if (exitCode !== 0) throw new Error(`${file} ${words.join(" ")} failed: ${stderr.slice(-2_000)}`);
    return stdout;
  };
  // The bundles alone: declarations are for users of the library, and take the compiler's time.
  await run(process.execPath, ["esbuild.config.mjs"]);
  const stdout = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", work]);
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as [{ filename: string }];
  const tarball = join(work, filename);
  await chmod(tarball, 0o644);
  return tarball;
}

/** A file of the package as the host installed it. */
export function installedFile(home: GatewayHome, name: string): string {
  return join(home.stateDir, "extensions", PLUGIN_ID, name);
}

/** As an owner would with an editor; a gateway that runs takes it up by itself. */
export async function setPluginConfig(home: GatewayHome, pluginConfig: object): Promise<void> {
  const config = JSON.parse(await readFile(home.configPath, "utf8")) as {
    readonly plugins: { readonly entries: Record<string, object> };
  };
  const { entries } = config.plugins;
  entries[PLUGIN_ID] = { ...entries[PLUGIN_ID], config: pluginConfig };
  await home.write(home.configPath, JSON.stringify(config));
}

/** A real gateway in whose home the packed package was installed as a user would. */
export async function startWithPlugin(wish: GatewayWish & { readonly pluginConfig?: object } = {}): Promise<Gateway> {
  const model = await startScriptedModel();
  try {
    const config = {
      ...wish.config,
      plugins: { allow: [PLUGIN_ID], load: { paths: [] }, ...Object(wish.config?.["plugins"]) },
    };
    const home = await makeGatewayHome({ ...wish, config, model });
    const tarball = await packPackage();
    const installed = await home.openclaw(["plugins", "install", tarball, "--force", "--accept-capabilities"]);
    if (installed.exitCode !== 0)
      throw new Error(`the plugin was not installed: ${installed.stdout}${installed.stderr}`);
    if (wish.pluginConfig !== undefined) await setPluginConfig(home, wish.pluginConfig);
    return await startIn(home, model);
  } catch (thrown) {
    await model.close();
    throw thrown;
  }
}
