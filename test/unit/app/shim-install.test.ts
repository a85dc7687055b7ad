import { describe, expect, it } from "vitest";
import { installShim, type ShimInstallDeps, uninstallShim } from "../../../src/app/shim-install.ts";
import { reportShimStatus } from "../../../src/app/shim-status.ts";
import type { PathPrepend } from "../../../src/app/shim-wiring.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { refuse } from "../../../src/core/refusal.ts";
import type { ShimInstall } from "../../../src/schema/shim-install.ts";
import { sha256Hex } from "../../helpers/sample-question.ts";

const SCRIPT = "/s/bin/sudo";
const PROGRAM = "/s/security/shim.cjs";
const PLIST =
  '<?xml version="1.0"?><plist><dict><key>EnvironmentVariables</key><dict><key>PATH</key><string>/bin</string></dict></dict></plist>';

interface World {
  readonly deps: ShimInstallDeps;
  readonly files: Map<string, string>;
  readonly questions: string[];
  readonly commands: string[];
  record: ShimInstall | null;
  prepend: PathPrepend;
  answer: boolean;
  packaged: string;
}

function world(changes: Partial<ShimInstallDeps> = {}): World {
  const made: World = {
    files: new Map(),
    questions: [],
    commands: [],
    record: null,
    prepend: null,
    answer: true,
    packaged: "program 1",
    deps: {
      places: {
        script: SCRIPT,
        folder: "/s/bin",
        spellings: ["/s/bin", "~/bin"],
        program: PROGRAM,
        socket: "/s/security/broker.sock",
      },
      version: "1",
      now: () => "2026-01-01T00:00:00Z",
      sha256Hex,
      read: async (path) => {
        const text = made.files.get(path);
        return text === undefined
          ? { kind: "missing" }
          : text === "(link)"
            ? { kind: "other" }
            : { kind: "file", text };
      },
      writeScript: async (path, text) => void made.files.set(path, text),
      writeProgram: async (path, text) => void made.files.set(path, text),
      remove: async (path) => void made.files.delete(path),
      loadRecord: async () => made.record,
      saveRecord: async (record) => void (made.record = record),
      removeRecord: async () => void (made.record = null),
      readPackaged: async () => made.packaged,
      checkNode: async () => "/usr/bin/node",
      checkSudo: async () => "/usr/bin/sudo",
      shellHasPrivileged: async () => true,
      readPathPrepend: async () => made.prepend,
      openclaw: async (words) => {
        made.commands.push(words.join(" "));
        made.prepend = words[1] === "unset" ? null : (JSON.parse(words[3] ?? "") as string[]);
      },
      confirm: async (question) => {
        made.questions.push(question);
        return made.answer;
      },
      launchAgent: null,
      ...changes,
    },
  };
  return made;
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => "done",
    (error: unknown) => (error instanceof SecurityError ? error.code : "?"),
  );

describe("T97: installing the shim", () => {
  it("writes two files and the config, once, and takes back exactly that", async () => {
    const { deps, files, ...rest } = world();
    const made = Object.assign(rest, { deps, files });
    const report = await installShim(deps);
    expect(report).toMatchObject({ action: "installed", written: [PROGRAM, SCRIPT], config: { state: "changed" } });
    expect([...files.keys()]).toEqual([PROGRAM, SCRIPT]);
    expect(made.commands).toEqual([
      'config set tools.exec.pathPrepend ["/s/bin"] --strict-json --expect-current-absent',
    ]);
    expect(await installShim(deps)).toMatchObject({
      action: "nothing-to-do",
      written: [],
      config: { state: "unchanged" },
    });
    expect([made.commands.length, made.questions.length]).toEqual([1, 1]);
    expect(await uninstallShim(deps)).toMatchObject({ action: "uninstalled", removed: [PROGRAM, SCRIPT], kept: [] });
    expect([files.size, made.commands.at(-1)]).toEqual([0, "config unset tools.exec.pathPrepend"]);
    expect(await uninstallShim(deps)).toMatchObject({ action: "nothing-to-do" });
  });

  it("keeps what else is in front of the PATH, in its order", async () => {
    const made = world();
    made.prepend = ["/x", "/s/bin", "/y"];
    await installShim(made.deps);
    expect(made.prepend).toEqual(["/s/bin", "/x", "/y"]);
    expect(made.commands[0]).toContain('--expect-current-json ["/x","/s/bin","/y"]');
    await uninstallShim(made.deps);
    expect(made.prepend).toEqual(["/x", "/y"]);
  });

  it("leaves a config alone that names the folder first in any spelling, also when uninstalling", async () => {
    const made = world();
    made.prepend = ["~/bin"];
    expect((await installShim(made.deps)).config.state).toBe("unchanged");
    await uninstallShim(made.deps);
    expect([made.prepend, made.commands]).toEqual([["~/bin"], []]);
  });

  it.each([SCRIPT, PROGRAM])("never writes over a foreign file, a link, or one that was changed: %s", async (path) => {
    const made = world();
    for (const text of ["#!/bin/sh\nexec other\n", "(link)"]) {
      made.files.set(path, text);
      expect(await codeOf(installShim(made.deps))).toBe("file-exists");
      expect(made.files).toEqual(new Map([[path, text]]));
    }
    made.files.clear();
    await installShim(made.deps);
    made.files.set(path, `${made.files.get(path)}# changed\n`);
    expect(await codeOf(installShim(made.deps))).toBe("file-exists");
    const report = await uninstallShim(made.deps);
    expect([report.kept, [...made.files.keys()]]).toEqual([[path], [path]]);
  });

  it("replaces its own files with those of a new version, also after an interruption", async () => {
    const made = world();
    await installShim(made.deps);
    made.packaged = "program 2";
    const interrupted = {
      ...made.deps,
      writeProgram: async () => await Promise.reject(new SecurityError("disk-full", "full")),
    };
    expect(await codeOf(installShim(interrupted))).toBe("disk-full");
    expect(made.files.get(PROGRAM)).toBe("program 1");
    expect(await installShim(made.deps)).toMatchObject({ action: "installed", written: [PROGRAM] });
    expect(made.record?.files).toHaveLength(2);
  });

  it("writes nothing where nobody can be asked, node or sudo cannot be used, or a path cannot be written down", async () => {
    const refusing: readonly (readonly [Partial<ShimInstallDeps>, string])[] = [
      [{ confirm: async () => await Promise.reject(new SecurityError("not-a-terminal", "no")) }, "not-a-terminal"],
      [{ checkNode: async () => await Promise.reject(new SecurityError("tool-missing", "no")) }, "tool-missing"],
      [{ checkSudo: async () => refuse("sudo-unusable", "is the shim itself") }, "tool-missing"],
      [{ checkNode: async () => "/a=b/node" }, "invalid-input"],
    ];
    for (const [changes, code] of refusing) {
      const made = world(changes);
      expect([await codeOf(installShim(made.deps)), made.files.size, made.record, made.commands]).toEqual([
        code,
        0,
        null,
        [],
      ]);
    }
  });

  it("installs without the config when a person says no or there is no OpenClaw, and names the command", async () => {
    const command = `openclaw config set tools.exec.pathPrepend '["/s/bin"]' --strict-json`;
    const declined = world();
    declined.answer = false;
    expect((await installShim(declined.deps)).config).toMatchObject({ state: "declined", command });
    const without = world({ openclaw: null });
    expect((await installShim(without.deps)).config).toMatchObject({ state: "not-possible", command });
    expect([declined.commands, without.questions, without.record?.path_prepend]).toEqual([[], [], null]);
  });

  it("tells when OpenClaw's config is another afterwards", async () => {
    const made = world({ openclaw: async () => await Promise.resolve() });
    expect(await codeOf(installShim(made.deps))).toBe("tool-failed");
  });

  it("still knows the config entry after an uninstall that was not allowed to take it out", async () => {
    const made = world();
    await installShim(made.deps);
    made.answer = false;
    expect((await uninstallShim(made.deps)).config.state).toBe("declined");
    expect([made.files.size, made.prepend]).toEqual([0, ["/s/bin"]]);
    made.answer = true;
    expect((await uninstallShim(made.deps)).config.state).toBe("changed");
    expect([made.record, made.prepend]).toEqual([null, null]);
  });

  it("puts the folder into the LaunchAgent's PATH after a yes, and takes it out", async () => {
    let made: World;
    const agent = { path: "/p", isConfirmed: false, write: async (text: string) => void made.files.set("/p", text) };
    made = world({ launchAgent: agent });
    made.files.set("/p", PLIST);
    expect((await installShim(made.deps)).launch_agent?.state).toBe("changed");
    expect([made.files.get("/p"), made.questions.length]).toEqual([PLIST.replace("/bin<", "/s/bin:/bin<"), 2]);
    expect((await installShim(made.deps)).launch_agent?.state).toBe("unchanged");
    expect((await uninstallShim(made.deps)).launch_agent?.state).toBe("changed");
    expect(made.files.get("/p")).toBe(PLIST);
    const confirmed = world({ launchAgent: { ...agent, isConfirmed: true } });
    confirmed.files.set("/p", PLIST);
    made = confirmed;
    await installShim(confirmed.deps);
    expect(confirmed.questions).toHaveLength(1);
  });
});

describe("T97: the status of the shim", () => {
  const statusOf = async (made: World, isBrokerUp = true) =>
    await reportShimStatus({ ...made.deps, isBrokerUp: async () => await Promise.resolve(isBrokerUp) });
  const problems = async (made: World, isBrokerUp = true): Promise<readonly string[]> =>
    (await statusOf(made, isBrokerUp)).checks.filter(({ status }) => status !== "ok").map(({ id }) => id);

  it("is installed only when everything fits", async () => {
    const made = world();
    expect((await statusOf(made)).state).toBe("absent");
    await installShim(made.deps);
    expect(await statusOf(made)).toMatchObject({ state: "installed", covers: [expect.any(String)] });
    expect([(await statusOf(made, false)).state, await problems(made, false)]).toEqual(["partly", ["broker"]]);
  });

  it("reports a wrong order of the PATH, a shim of another version, a changed one, and one that calls itself", async () => {
    const made = world();
    await installShim(made.deps);
    made.prepend = ["/x", "/s/bin"];
    expect(await problems(made)).toEqual(["path-prepend"]);
    made.prepend = ["/x"];
    expect(await problems(made)).toEqual(["path-prepend"]);
    made.prepend = ["/s/bin"];
    made.packaged = "program 2";
    expect(await problems(made)).toEqual(["program"]);
    const itself = {
      ...made,
      deps: { ...made.deps, checkSudo: async () => refuse("sudo-unusable", "is the shim itself") },
    };
    expect(await problems(itself)).toEqual(["program", "real-sudo"]);
    made.files.set(SCRIPT, "#!/bin/sh\nexec /usr/bin/sudo\n");
    expect([(await statusOf(made)).state, (await statusOf(made)).covers]).toEqual(["foreign", []]);
  });

  it("says unknown where it cannot look", async () => {
    const made = world({
      readPathPrepend: async () => await Promise.reject(new SecurityError("config-invalid", "broken")),
    });
    expect((await statusOf(made)).checks).toContainEqual({ id: "path-prepend", status: "unknown", message: "broken" });
  });
});
