import { chmod, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultLogFolders, ownerOfState } from "../../src/collect/openclaw-presence.ts";
import { collectStateTree } from "../../src/collect/state-tree.ts";
import type { Evidence } from "../../src/core/evidence.ts";
import type { StateTree } from "../../src/core/host-evidence.ts";
import { locateTool } from "../../src/exec/locate-tool.ts";
import { type RunTool, runTool } from "../../src/exec/run-tool.ts";
import { makeHome } from "../helpers/homes.ts";
import { itWith } from "../helpers/requires.ts";
import { makeUserFolder, runAsUser } from "../helpers/unprivileged.ts";

const NOW = Date.UTC(2026, 10, 23, 8, 0, 0);

interface Extra {
  readonly files?: readonly string[];
  readonly folders?: readonly string[];
  readonly expectedUid?: number;
  readonly getfacl?: string | null;
  readonly runTool?: RunTool;
  readonly maxEntries?: number;
}

async function collect(stateDir: string, extra: Extra = {}): Promise<Evidence<StateTree>> {
  return await collectStateTree(stateDir, {
    now: () => NOW,
    expectedUid: extra.expectedUid ?? process.getuid?.() ?? 0,
    files: extra.files ?? [],
    folders: extra.folders ?? [],
    runTool: extra.runTool ?? runTool,
    getfacl: extra.getfacl ?? null,
    ...(extra.maxEntries === undefined ? {} : { maxEntries: extra.maxEntries }),
  });
}

/** "path mode", "!" for what a folder above shields, ">" for a link. */
async function deviations(stateDir: string, extra: Extra = {}): Promise<readonly string[]> {
  const found = await collect(stateDir, extra);
  if (found.kind === "unmeasured") throw new Error(found.reason);
  const { root } = found.value;
  return found.value.deviations
    .map((entry) => {
      const mark = entry.kind === "symlink" ? ">" : entry.shielded === true ? "!" : "";
      return `${mark}${entry.path.startsWith(root) ? entry.path.slice(root.length + 1) || "." : entry.path} ${entry.mode.toString(8)}`;
    })
    .toSorted();
}

async function tree(files: Record<string, number>, rootMode: number): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "cse-tree-"));
  for (const [name, mode] of Object.entries(files)) {
    const path = join(root, name);
    if (name.endsWith("/")) await mkdir(path, { recursive: true });
    else {
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, "x");
    }
    await chmod(path, mode);
  }
  await chmod(root, rootMode);
  return root;
}

describe("collectStateTree", () => {
  it("finds nothing in the hardened home and names everything open in the weak one", async () => {
    const hardened = await makeHome("hardened");
    const weak = await makeHome("weak");
    expect(await deviations(hardened.stateDir)).toEqual([]);
    expect((await deviations(weak.stateDir)).map((line) => line.replace(/ 120777| 777/, ""))).toEqual([
      ". 755",
      ".env 644",
      ">agents-link",
      "credentials 755",
      "credentials/telegram.json 666",
      "openclaw.json 644",
    ]);
  });

  it("takes a mode below a closed folder for what it is: idle, but careless on a file", async () => {
    const root = await tree(
      { "agents/": 0o755, "agents/a.json": 0o644, "workspace/notes.md": 0o644, "extensions/p/index.js": 0o644 },
      0o700,
    );
    expect(await deviations(root)).toEqual(["!agents/a.json 644"]);
  });

  it("takes the same modes for exposed when the folders above are open", async () => {
    const root = await tree(
      {
        "agents/": 0o755,
        "agents/a.json": 0o644,
        "workspace/": 0o755,
        "workspace/notes.md": 0o644,
        "workspace/own.md": 0o600,
      },
      0o755,
    );
    expect(await deviations(root)).toEqual([
      ". 755",
      "agents 755",
      "agents/a.json 644",
      "workspace 755",
      "workspace/notes.md 644",
    ]);
  });

  it("asks of code only who may change it, but asks that", async () => {
    const root = await tree(
      {
        "extensions/": 0o755,
        "extensions/p/": 0o775,
        "extensions/p/index.js": 0o666,
        "other/": 0o711,
        "other/node_modules/": 0o755,
        "other/node_modules/x.js": 0o644,
      },
      0o711,
    );
    expect(await deviations(root)).toEqual([". 711", "extensions/p 775", "extensions/p/index.js 666", "other 711"]);
  });

  it("counts files of another owner wherever they lie", async () => {
    const root = await tree({ "a.json": 0o600 }, 0o700);
    const uid = process.getuid?.() ?? 0;
    expect(await deviations(root, { expectedUid: uid + 1 })).toEqual([". 700", "a.json 600"]);
  });

  it("reports links that leave the tree or lead nowhere, and walks into nothing of another owner", async () => {
    const root = await tree({ "a.json": 0o600 }, 0o700);
    await symlink("a.json", join(root, "inside"));
    await symlink("/etc", join(root, "outside"));
    await symlink("/nowhere/at/all", join(root, "broken"));
    await symlink(root, join(root, "loop"));
    const found = await collect(root);
    const links =
      found.kind === "measured" ? found.value.deviations.map((entry) => entry.path.slice(root.length + 1)) : [];
    expect([links.toSorted(), found.kind === "measured" ? found.value.entries_seen : 0]).toEqual([
      ["broken", "outside"],
      6,
    ]);
  });

  it("looks at what links lead to: at our own whole, at code only for who may exchange it", async () => {
    const root = await tree({ "a.json": 0o600, "credentials/": 0o700, "extensions/": 0o700 }, 0o700);
    const elsewhere = await tree(
      { "keys/": 0o755, "keys/one.json": 0o644, "safe/": 0o755, "plug/": 0o777, "plug/x.mjs": 0o666, "more/": 0o777 },
      0o755,
    );
    await symlink(join(elsewhere, "keys"), join(root, "credentials/keys"));
    await symlink(join(elsewhere, "safe"), join(root, "extensions/safe"));
    await symlink(join(elsewhere, "plug"), join(root, "extensions/plug"));
    await symlink(join(elsewhere, "more"), join(elsewhere, "keys/more"));
    expect(await deviations(root)).toEqual([
      `${elsewhere}/keys 755`,
      `${elsewhere}/keys/one.json 644`,
      `${elsewhere}/more 777`,
      `${elsewhere}/plug 777`,
      `>${elsewhere}/keys/more 777`,
      ">credentials/keys 777",
    ]);
  });

  it("looks at the folders above: one that others may change lets them exchange the whole", async () => {
    const home = await tree({ "a/": 0o777, "a/state/": 0o700, "a/state/a.json": 0o600 }, 0o755);
    expect(await deviations(join(home, "a/state"))).toEqual([`${home}/a 777`]);
    await chmod(join(home, "a"), 0o1777);
    expect(await deviations(join(home, "a/state"))).toEqual([]);
  });

  it("takes what a closed home keeps away for idle, and what one group gets to for that group's", async () => {
    const home = await tree({ "state/": 0o755, "state/b/": 0o755, "state/a.json": 0o644 }, 0o700);
    expect(await deviations(join(home, "state"))).toEqual(["!a.json 644"]);
    await chmod(home, 0o750);
    const found = await collect(join(home, "state"));
    const entries = found.kind === "measured" ? found.value.deviations : [];
    expect(entries.map((entry) => [entry.path.slice(home.length), entry.group_only, entry.shielded])).toEqual([
      ["/state", true, undefined],
      ["/state/a.json", true, undefined],
      ["/state/b", true, undefined],
    ]);
  });

  it("does not take a sticky folder for safe where a stranger's file would be taken for OpenClaw's", async () => {
    const root = await tree({ "extensions/": 0o1777, "tmp/": 0o1777, "credentials/": 0o1777 }, 0o755);
    expect(await deviations(root)).toEqual([". 755", "credentials 1777", "extensions 1777", "tmp 1777"]);
  });

  it("looks at the config and log outside the tree, and at who may replace them", async () => {
    const root = await tree({ "a.json": 0o600 }, 0o700);
    const outside = await tree(
      { "conf/": 0o777, "conf/openclaw.json": 0o600, "log/": 0o700, "log/x.log": 0o644 },
      0o755,
    );
    const found = await deviations(root, {
      files: [
        join(outside, "conf/openclaw.json"),
        join(outside, "log/x.log"),
        join(outside, "gone"),
        join(root, "a.json"),
      ],
    });
    expect(found).toEqual([`!${outside}/log/x.log 644`, `${outside}/conf 777`]);
  });

  it("walks agent folders outside the tree", async () => {
    const root = await tree({}, 0o700);
    const agent = await tree({ "auth.json": 0o640 }, 0o750);
    expect(await deviations(root, { folders: [agent] })).toEqual([`${agent} 750`, `${agent}/auth.json 640`]);
  });

  it("is not applicable where there is nothing but sound files of our own, and is measured where one is not", async () => {
    const sound = await tree({ "security/": 0o700, "security/approved_ports.json": 0o600 }, 0o700);
    expect(await collect(sound)).toMatchObject({ kind: "unmeasured", code: "not-applicable" });
    const open = await tree({ "security/": 0o755, "security/approved_ports.json": 0o644 }, 0o755);
    expect(await deviations(open)).toEqual([". 755", "security 755", "security/approved_ports.json 644"]);
  });

  it("is not applicable where there is nothing", async () => {
    const { stateDir } = await makeHome("empty");
    expect(await collect(stateDir)).toMatchObject({ kind: "unmeasured", code: "not-applicable" });
  });

  itWith(["getfacl", "setfacl"], "names entries with an access list", async () => {
    const root = await tree({ "a.json": 0o600, "b.json": 0o600 }, 0o700);
    await runTool({
      file: (await locateTool("setfacl")) ?? "",
      args: ["-m", "u:1:r", join(root, "a.json")],
      timeoutMs: 5_000,
      maxBytes: 10_000,
    });
    const found = await collect(root, { getfacl: await locateTool("getfacl") });
    expect(found.kind === "measured" ? found.value.deviations.map((entry) => [entry.path, entry.has_acl]) : []).toEqual(
      [[join(root, "a.json"), true]],
    );
  });

  it("lists what an ordinary user may not enter as unreadable", async () => {
    const home = await makeUserFolder();
    const result = await runAsUser(
      `
      import { mkdirSync, writeFileSync, chmodSync } from "node:fs";
      import { defaultLogFolders, ownerOfState } from "../../src/collect/openclaw-presence.ts";
import { collectStateTree } from "#src/collect/state-tree.ts";
      const root = process.env.HOME + "/.openclaw";
      mkdirSync(root + "/locked/x", { recursive: true, mode: 0o700 });
      writeFileSync(root + "/locked/x/y", "");
      chmodSync(root + "/locked", 0);
      const found = await collectStateTree(root, { now: () => 0, expectedUid: process.getuid(), files: [], folders: [],
        runTool: async () => ({ kind: "failed", code: "tool-missing", message: "" }), getfacl: null });
      console.log(JSON.stringify(found.value.unreadable.map((path) => path.slice(root.length))));
      chmodSync(root + "/locked", 0o700);
      `,
      { home },
    );
    expect([result.stdout.trim(), result.stderr]).toEqual(['["/locked"]', ""]);
  });

  it("stops at its limit and says so, without holding up other work", async () => {
    const root = await tree(Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`f${index}`, 0o600])), 0o700);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (turns < 10_000) setImmediate(count);
    };
    setImmediate(count);
    const found = await collect(root, { maxEntries: 500 });
    turns += 10_000;
    expect(found.kind === "measured" ? [found.value.truncated, found.value.entries_seen] : found).toEqual([true, 500]);
    expect(turns).toBeGreaterThan(10_000);
  });

  it("reads unusual names from getfacl, and knows no access lists when it fails", async () => {
    const root = await tree({ "a b.json": 0o600, "\u00e9.json": 0o600, "c.json": 0o644 }, 0o700);
    const stdout = `# file: ${root}/a b.json\nuser:1:r--\n\n# file: ${root}/\\303\\251.json\nuser:1:r--\n\n`;
    const acls = async (exitCode: number): Promise<unknown> => {
      const found = await collect(root, {
        getfacl: "/usr/bin/getfacl",
        runTool: async () => ({ kind: "done", exitCode, stdout, stderr: "" }),
      });
      return found.kind === "measured"
        ? Object.fromEntries(found.value.deviations.map((entry) => [entry.path.slice(root.length + 1), entry.has_acl]))
        : found.code;
    };
    expect(await acls(0)).toEqual({ "a b.json": true, "c.json": false, "\u00e9.json": true });
    expect(await acls(1)).toEqual({ "c.json": null });
  });
});

describe("where OpenClaw's things are when nothing names them", () => {
  it("finds the log folders that are this account's, and whose the state is", async () => {
    const uid = process.getuid?.() ?? 0;
    const tmp = await tree({ "openclaw/": 0o700, [`openclaw-${uid}/`]: 0o700, [`openclaw-${uid + 1}/`]: 0o700 }, 0o755);
    expect(defaultLogFolders(uid, tmp)).toEqual([join(tmp, "openclaw"), join(tmp, `openclaw-${uid}`)]);
    expect(defaultLogFolders(uid + 1, tmp)).toEqual([]);
    expect([ownerOfState(tmp), ownerOfState(join(tmp, "gone"))]).toEqual([uid, null]);
  });
});
