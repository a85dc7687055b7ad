import { mkdir, mkdtemp, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openLoneGate } from "../../src/deps/exec-gate.ts";
import { resolvePlaces } from "../../src/state/resolve-place.ts";

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "cse-place-")));
  await mkdir(join(folder, "state/workspace"), { recursive: true });
  await writeFile(join(folder, "state/openclaw.json"), "{}");
  await symlink("../openclaw.json", join(folder, "state/workspace/link"));
  await symlink(join(folder, "state"), join(folder, "elsewhere"));
});

describe("the places a path may name", () => {
  it.each([
    ["link", "state/openclaw.json"],
    ["./a/../link", "state/openclaw.json"],
    ["new/file", "state/workspace/new/file"],
    ["../openclaw.json", "state/openclaw.json"],
  ])("of %s include %s", async (path, place) => {
    expect(await resolvePlaces(path, [join(folder, "state/workspace")], [])).toContain(join(folder, place));
  });

  it("follow a link in the middle of an absolute path, also where the end does not exist", async () => {
    const path = join(folder, "elsewhere/security/new");
    expect(await resolvePlaces(path, ["/"], [])).toEqual([path, join(folder, "state/security/new")]);
  });

  it("include every outer folder when the path climbs out of one that is not known", async () => {
    expect(await resolvePlaces("x/../../openclaw.json", ["/nowhere/else"], [join(folder, "state")])).toContain(
      join(folder, "state/openclaw.json"),
    );
  });
});

describe("a file tool of the agent", () => {
  const gate = async (tool: string, path: string): Promise<string> => {
    process.env["OPENCLAW_STATE_DIR"] = join(folder, "state");
    const decide = openLoneGate({
      own: { pluginId: "cyber-security-engineer", gatewayPort: null },
      config: { kind: "broken", message: "defaults hold" },
      rootDir: "/opt/plugin",
      workspaces: [],
    });
    const call = { tool, params: { path }, toolKind: null, derivedPaths: [] };
    const answer = await decide(call, null, new AbortController().signal);
    delete process.env["OPENCLAW_STATE_DIR"];
    return answer.kind === "refuse" ? answer.refusal.code : answer.kind;
  };

  it.each([
    ["write", "../openclaw.json"],
    ["write", "a/b/../../../openclaw.json"],
    ["write", "../../../../../../../../../../../../../../opt/plugin/dist/plugin.js"],
    ["write", "link"],
    ["write", "@/opt/plugin/dist/plugin.js"],
    ["write", "file:///opt/plugin/dist/plugin.js"],
    ["read", "link"],
    ["edit", "../security/approvers.json"],
  ])("%s %s is refused", async (tool, path) => {
    expect(await gate(tool, path)).toBe("protected-use");
  });

  it.each([
    ["write", "notes.md"],
    ["write", "bin/run.sh"],
    ["write", "security/notes.md"],
    ["write", "../workspace/notes.md"],
    ["read", "../README.md"],
  ])("%s %s passes", async (tool, path) => {
    expect(await gate(tool, path)).toBe("pass");
  });
});
