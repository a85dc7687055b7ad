import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { locateTool } from "../../src/exec/locate-tool.ts";
import { runTool, type ToolRequest, type ToolResult } from "../../src/exec/run-tool.ts";
import { IS_ROOT, STRANGER } from "../helpers/outcome.ts";

const SH = "/bin/sh";

/** Runs a line of shell, with limits that only a misbehaving one reaches. */
function shell(line: string, more: Partial<ToolRequest> = {}): Promise<ToolResult> {
  return runTool({ file: SH, args: ["-c", line], timeoutMs: 20_000, maxBytes: 100_000, ...more });
}

async function makeScript(mode: number, text = "#!/bin/sh\necho made\n"): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "tool-")), "tool");
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("runTool", () => {
  it("gives what was printed on each stream, unchanged", async () => {
    expect(await shell("printf 'a\\n\\n'; printf ' b' >&2")).toEqual({
      kind: "done",
      exitCode: 0,
      stdout: "a\n\n",
      stderr: " b",
    });
  });

  it.each([1, 2, 77, 126, 127, 255])("gives exit code %d as it is", async (code) => {
    expect(await shell(`exit ${code}`)).toEqual({ kind: "done", exitCode: code, stdout: "", stderr: "" });
  });

  it("passes arguments without a shell in between", async () => {
    const result = await runTool({
      file: "/usr/bin/printf",
      args: ["%s|", "$HOME", "a b", "*", ";id", "`id`", "", "--help", "ü\n"],
      timeoutMs: 20_000,
      maxBytes: 1_000,
    });
    expect(result).toMatchObject({ kind: "done", stdout: "$HOME|a b|*|;id|`id`||--help|ü\n|" });
  });

  it("gives the child exactly the environment asked for, a fixed PATH and the C locale", async () => {
    const env = { PATH: "/tmp/evil", LC_ALL: "de_DE.UTF-8", SUDO_ASKPASS: "/bin/false" };
    const result = await runTool({ file: "/usr/bin/env", args: [], timeoutMs: 20_000, maxBytes: 10_000, env });
    const lines = result.kind === "done" ? result.stdout.trimEnd().split("\n").toSorted() : [];
    expect(lines).toEqual(["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SUDO_ASKPASS=/bin/false"]);
  });

  it("gives the child an empty stdin and the root folder", async () => {
    expect(await shell("cat; pwd")).toEqual({ kind: "done", exitCode: 0, stdout: "/\n", stderr: "" });
  });

  it("replaces bytes that are no text", async () => {
    expect(await shell("printf 'a\\377b'")).toMatchObject({ kind: "done", stdout: "a\ufffdb" });
  });

  it("reports a tool that is missing, not executable, or a folder, as missing", async () => {
    const files = ["/nonexistent/ss", await makeScript(0o644), tmpdir(), "/etc/passwd/ss"];
    const codes = [];
    for (const file of files) {
      const result = await runTool({ file, args: [], timeoutMs: 20_000, maxBytes: 1_000 });
      codes.push(result.kind === "failed" ? result.code : result.kind);
    }
    expect(codes).toEqual(["tool-missing", "tool-missing", "tool-missing", "tool-failed"]);
  });

  it.each(["env", "./env", "../bin/env", ""])("does not look for %j anywhere", async (file) => {
    expect(await runTool({ file, args: [], timeoutMs: 20_000, maxBytes: 1_000 })).toEqual({
      kind: "failed",
      code: "tool-missing",
      message: `${file} is not an absolute path`,
    });
  });

  it("reports a script whose interpreter is missing as missing", async () => {
    const file = await makeScript(0o755, "#!/nonexistent/interpreter\n");
    const result = await runTool({ file, args: [], timeoutMs: 20_000, maxBytes: 1_000 });
    expect(result).toMatchObject({ kind: "failed", code: "tool-missing" });
  });

  it("reports arguments that no process can be given, instead of throwing", async () => {
    for (const args of [["a\u0000b"], ["x".repeat(4_000_000)]]) {
      const result = await runTool({ file: "/bin/echo", args, timeoutMs: 20_000, maxBytes: 1_000 });
      expect(result).toMatchObject({ kind: "failed", code: "tool-failed" });
    }
  });

  it("reports a child that was killed as failed", async () => {
    expect(await shell("kill -9 $$")).toEqual({
      kind: "failed",
      code: "tool-failed",
      message: "/bin/sh could not be run: SIGKILL",
    });
  });
});

describe("the limit of the output", () => {
  it("lets exactly so many bytes pass on each stream", async () => {
    const result = await shell("head -c 1000 /dev/zero; head -c 1000 /dev/zero >&2", { maxBytes: 1_000 });
    expect(result).toMatchObject({ kind: "done", exitCode: 0 });
  });

  it.each([
    ["stdout", "head -c 1001 /dev/zero"],
    ["stderr", "head -c 1001 /dev/zero >&2"],
    ["bytes, not characters", "for i in 1 2 3 4 5 6; do printf '%0100d' 0 | tr 0 '\\303'; printf '%0100d' 0; done"],
    ["an endless tool", "exec yes"],
    ["an endless child of the tool", "yes; true"],
    ["an endless tool that ignores SIGTERM", "trap '' TERM; while :; do echo more; done"],
  ])("refuses more: %s", async (_title, line) => {
    expect(await shell(line, { maxBytes: 1_000 })).toEqual({
      kind: "failed",
      code: "tool-output-too-large",
      message: "/bin/sh printed more than 1000 bytes",
    });
  });
});

describe("the limit of the time", () => {
  const TIMEOUT = { kind: "failed", code: "timeout", message: "/bin/sh did not finish in 300 ms" };

  it.each([
    ["a tool that hangs", "exec sleep 1000"],
    ["a tool that ignores SIGTERM", "trap '' TERM; while :; do sleep 1; done"],
    ["a tool that ended but left a process that holds its output", "sleep 60 & echo started"],
    ["a tool with a child that holds its output", "sleep 60 & sleep 60"],
    ["a tool that ignores SIGTERM with a child that does too", "trap '' TERM; sleep 60; sleep 60"],
  ])("ends %s", async (_title, line) => {
    // The sleeps are longer than the test may take, so waiting for one of them would fail it.
    expect(await shell(line, { timeoutMs: 300 })).toEqual(TIMEOUT);
  });

  it("leaves no tool running", async () => {
    const pidFile = join(await mkdtemp(join(tmpdir(), "pid-")), "pid");
    const line = `trap '' TERM; echo $$ > ${pidFile}; while :; do :; done`;
    expect(await shell(line, { timeoutMs: 300 })).toEqual(TIMEOUT);
    expect(isAlive(Number(await readFile(pidFile, "utf8")))).toBe(false);
  });
});

describe("locateTool", () => {
  it("finds a system tool by its real path", async () => {
    const found = await locateTool("sh");
    expect(found).toBe(await realpath("/usr/bin/sh"));
  });

  it.each(["no-such-tool-anywhere", "", ".", "..", "../bin/sh", "/bin/sh", "a\u0000b"])(
    "finds nothing for %j",
    async (name) => {
      expect(await locateTool(name)).toBeNull();
    },
  );

  it("ignores a tool in a folder that somebody else may write to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bin-"));
    await copyFile("/bin/true", join(folder, "true"));
    await chmod(join(folder, "true"), 0o755);
    await chmod(folder, 0o777);
    expect(await locateTool("true", [folder])).toBeNull();
  });

  it("goes on to the next folder when the first has only an unsafe one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bin-"));
    await writeFile(join(folder, "true"), "#!/bin/sh\n");
    await chmod(join(folder, "true"), 0o777);
    expect(await locateTool("true", [folder, "/usr/bin"])).toBe(await realpath("/usr/bin/true"));
  });

  describe.runIf(IS_ROOT)("in a folder of root (only root can make one)", () => {
    async function makeTool(mode: number, owner: number): Promise<string> {
      const folder = await mkdtemp(join(tmpdir(), "bin-"));
      await chmod(folder, 0o755);
      await copyFile("/bin/true", join(folder, "tool"));
      await chmod(join(folder, "tool"), mode);
      await chown(join(folder, "tool"), owner, 0);
      return folder;
    }

    it("finds a tool that only root may write", async () => {
      const folder = await makeTool(0o755, 0);
      expect(await locateTool("tool", [folder])).toBe(await realpath(join(folder, "tool")));
    });

    it.each([
      ["owned by a user", "755", STRANGER],
      ["world-writable", "757", 0],
      ["group-writable", "775", 0],
      ["not executable", "644", 0],
    ])("ignores one that is %s", async (_title, mode, owner) => {
      expect(await locateTool("tool", [await makeTool(Number.parseInt(mode, 8), owner)])).toBeNull();
    });

    it("ignores a link into a folder of a user, who could exchange the tool", async () => {
      const theirs = await makeTool(0o755, 0);
      await chown(theirs, STRANGER, 0);
      const folder = await mkdtemp(join(tmpdir(), "bin-"));
      await chmod(folder, 0o755);
      await symlink(join(theirs, "tool"), join(folder, "tool"));
      expect(await locateTool("tool", [folder])).toBeNull();
    });

    it("ignores a folder of the tool's name", async () => {
      const folder = await mkdtemp(join(tmpdir(), "bin-"));
      await chmod(folder, 0o755);
      await mkdir(join(folder, "tool"), { mode: 0o755 });
      expect(await locateTool("tool", [folder])).toBeNull();
    });
  });
});
