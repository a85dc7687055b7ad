import { spawnSync } from "node:child_process";
import { chmod, chown, copyFile, lchown, link, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { itUnless } from "../helpers/requires.ts";
import {
  elevateAllAs,
  elevateAs,
  makeFolderOf,
  makeProbe,
  makeRootFolder,
  makeRootProgram,
  probedOf,
  refusalOf,
  resolvedOf,
  sudoUser,
  sudoUsersObstacle,
  writeFileOf,
} from "../helpers/sudo-users.ts";

const obstacle = sudoUsersObstacle();
const SCRIPT = "#!/bin/sh\necho ran\n";

/** The code for each command, asked for by cse-sudo and not run. */
async function codesOf(commands: readonly (readonly string[])[], cwd = "/"): Promise<Record<string, string | null>> {
  const records = await elevateAllAs(
    "cse-sudo",
    commands.map((argv) => ({ argv, cwd, dry: true })),
  );
  return Object.fromEntries(records.map((record, index) => [(commands[index] ?? []).join(" "), refusalOf(record)]));
}

/** Where ordinary users cannot make a namespace they cannot use one to deceive us either. */
function namespaceObstacle(): string | null {
  const { uid, gid } = sudoUser("cse-sudo");
  const made = spawnSync("/usr/bin/unshare", ["--user", "--map-root-user", "/usr/bin/true"], { uid, gid, cwd: "/" });
  return made.status === 0 ? null : "ordinary users may not make user namespaces";
}

describe("the program of a request", () => {
  itUnless(obstacle, "H40 T53: has one canonical path however it is spelled", async () => {
    const spellings = ["/bin/id", "/usr/bin//id", "/usr/bin/../bin/id", "/usr/bin/./id", "/usr/bin/id"];
    const records = await elevateAllAs(
      "cse-sudo",
      spellings.map((path) => ({ argv: [path], dry: true })),
    );
    const binaries = records.map((record) => resolvedOf(record).binary);
    expect(binaries.map((binary) => [binary.path, binary.realPath])).toEqual(
      spellings.map(() => ["/usr/bin/id", "/usr/bin/id"]),
    );
    expect(new Set(binaries.map((binary) => `${binary.dev}:${binary.ino}:${binary.sha256}`)).size).toBe(1);
    expect(binaries[4]?.hops.map((hop) => hop.path)).toEqual(["/", "/usr", "/usr/bin"]);
  });

  itUnless(obstacle, "is run under its own name when that is a link (a program may act by its name)", async () => {
    const probe = await makeProbe();
    const named = join(await makeRootFolder(), "other-name");
    await symlink(probe, named);
    const record = await elevateAs("cse-sudo", { argv: [named] });
    expect(resolvedOf(record).binary).toMatchObject({ path: named, realPath: probe });
    expect(probedOf(record).name).toBe(named);
  });

  itUnless(obstacle, "H26: is refused when a link to it belongs to somebody else", async () => {
    const own = await makeFolderOf("cse-sudo");
    await symlink("/usr/bin/id", join(own, "tool"));
    const inRoot = join(await makeRootFolder(), "tool");
    await symlink("/usr/bin/id", inRoot);
    const { uid, gid } = sudoUser("cse-sudo");
    await lchown(inRoot, uid, gid);
    const viaFolder = join(await makeRootFolder(), "way");
    await symlink(own, viaFolder);
    expect(await codesOf([[join(own, "tool")], [inRoot], [join(viaFolder, "tool")]])).toEqual({
      [join(own, "tool")]: "command-path-writable",
      [inRoot]: "command-path-writable",
      [join(viaFolder, "tool")]: "command-path-writable",
    });
  });

  itUnless(obstacle, "H27 T56: is refused when a folder on the way can be changed by others", async () => {
    const own = await makeFolderOf("cse-sudo");
    const wide = join(await makeRootFolder(), "wide");
    const staff = join(await makeRootFolder(), "staff");
    const paths = [own, wide, staff].map((folder) => join(folder, "tool"));
    await mkdir(wide);
    await mkdir(staff);
    for (const path of paths) {
      await copyFile("/usr/bin/id", path);
      await chmod(path, 0o755);
    }
    await chmod(wide, 0o1777);
    await chmod(staff, 0o775);
    await chown(staff, 0, 50);
    expect(await codesOf(paths.map((path) => [path]))).toEqual(
      Object.fromEntries(paths.map((path) => [path, "command-path-writable"])),
    );
  });

  itUnless(obstacle, "H31 H33 T55: is refused when it is special, a folder, no program, or not there", async () => {
    const folder = await makeRootFolder();
    const at = (name: string): string => join(folder, name);
    await symlink("nowhere", at("dangling"));
    await symlink("loop", at("loop"));
    await writeFile(at("plain"), "x");
    await chmod(at("plain"), 0o644);
    await symlink("/dev", at("dev"));
    await writeFile(at("data"), "no interpreter line");
    await chmod(at("data"), 0o755);
    const expected = {
      "/proc/self/exe": "command-special-path",
      "/proc/1/root/usr/bin/id": "command-special-path",
      "/dev/fd/3": "command-special-path",
      [`${at("dev")}/null`]: "command-special-path",
      "/usr/bin/../../sys/x": "command-special-path",
      "/usr/bin": "command-not-regular",
      "/usr/bin/": "command-not-regular",
      "/usr/bin/..": "command-not-regular",
      "/": "command-not-regular",
      "/usr/bin/id/": "command-not-regular",
      "/usr/bin/id/x": "command-not-found",
      [at("plain")]: "command-not-regular",
      [at("data")]: "interpreter-refused",
      [at("dangling")]: "command-not-found",
      [at("loop")]: "command-not-found",
      "/usr/bin/no-such-program": "command-not-found",
      id: "command-not-absolute",
      "./id": "command-not-absolute",
      "": "command-not-absolute",
    };
    expect(await codesOf(Object.keys(expected).map((path) => [path]))).toEqual(expected);
  });

  itUnless(obstacle, "T56: is refused when it is setuid, setgid, or not root's alone", async () => {
    const folder = await makeRootFolder();
    const modes = { setuid: 0o4755, setgid: 0o2755, group: 0o775, world: 0o757, foreign: 0o755, pipe: 0o755 };
    for (const [name, mode] of Object.entries(modes)) {
      await copyFile("/usr/bin/id", join(folder, name));
      await chmod(join(folder, name), mode);
    }
    await chown(join(folder, "foreign"), sudoUser("cse-test").uid, 0);
    await link("/usr/bin/su", join(folder, "innocent")).catch(() => copyFile("/usr/bin/su", join(folder, "innocent")));
    await chmod(join(folder, "innocent"), 0o4755);
    const codes = await codesOf([...Object.keys(modes), "innocent"].map((name) => [join(folder, name)]));
    expect(Object.values(codes)).toEqual([
      "command-setuid",
      "command-setuid",
      "command-not-root-owned",
      "command-not-root-owned",
      "command-not-root-owned",
      null,
      "command-setuid",
    ]);
  });

  itUnless(obstacle, "is refused when it is another way to become somebody else, also behind a link", async () => {
    const hidden = join(await makeRootFolder(), "tidy");
    await symlink("/usr/bin/sudo", hidden);
    const commands = ["sudo", "su", "doas", "pkexec", "run0", "sudoedit", "runuser"].map((name) => `/usr/bin/${name}`);
    const codes = await codesOf([...commands.map((path) => [path, "id"]), [hidden, "id"]]);
    expect(new Set(Object.values(codes))).toEqual(new Set(["nested-elevation"]));
  });

  itUnless(obstacle, "T58: is refused when its interpreter is not root's, hidden, nested or unclear", async () => {
    const own = await makeFolderOf("cse-sudo");
    await writeFileOf("cse-sudo", join(own, "x"), "", 0o755);
    const nested = await makeRootProgram(SCRIPT);
    const heads = {
      good: "#!/bin/sh",
      env: "#!/usr/bin/env python3",
      "env-split": "#!/usr/bin/env -S python3 -I",
      foreign: `#!${join(own, "x")}`,
      nested: `#!${nested}`,
      elevated: "#!/usr/bin/sudo /bin/sh",
      relative: "#!sh",
      "env-unknown": "#!/usr/bin/env no-such-program",
      "env-assigns": "#!/usr/bin/env -S PATH=/tmp python3",
      carriage: "#!/bin/sh\r",
      long: `#!/bin/sh ${"x".repeat(300)}`,
    };
    const paths: string[] = [];
    for (const [name, head] of Object.entries(heads)) paths.push(await makeRootProgram(`${head}\n`, name));
    const codes = await codesOf(paths.map((path) => [path]));
    expect(Object.values(codes)).toEqual([null, null, null, ...Array.from({ length: 8 }, () => "interpreter-refused")]);
    const record = await elevateAs("cse-sudo", { argv: [paths[1] ?? ""], dry: true });
    expect(resolvedOf(record).interpreter?.path).toBe("/usr/bin/python3");
  });

  itUnless(
    obstacle ?? namespaceObstacle(),
    "H34 T59: is refused inside a user namespace, where anybody's files look root's",
    async () => {
      const own = await makeFolderOf("cse-sudo");
      const evil = await writeFileOf("cse-sudo", join(own, "evil"), SCRIPT, 0o755);
      const through = ["/usr/bin/unshare", "--user", "--map-root-user"];
      const record = await elevateAs("cse-sudo", { argv: [evil] }, { through });
      expect(record.resolved).toMatchObject({ code: "user-namespace" });
      expect(record.sudo).toMatchObject({ code: "user-namespace" });
    },
  );
});

describe("the words of a request", () => {
  itUnless(obstacle, "H51 T23: are refused when a process cannot be given them as they are", async () => {
    const words = ["a\0b", "\ud800", "\ufffd"];
    const records = await elevateAllAs("cse-sudo", [
      ...words.map((word) => ({ argv: ["/bin/echo", word] })),
      { argv: ["/bin/echo", ...Array.from({ length: 256 }, () => "x")] },
      { argv: ["/bin/echo", "x".repeat(200_000)] },
      { argv: ["/bin/echo"], env: { LD_PRELOAD: "/tmp/x.so" } },
      { argv: ["/bin/echo"], stdinHex: "00".repeat(1024 * 1024 + 1) },
      { argv: ["/bin/echo"], runAs: "#0" },
      { argv: ["/bin/echo"], runAs: "no-such-user" },
      { argv: ["/bin/echo"], cwd: "/etc/hosts" },
      { argv: ["/bin/echo"], cwd: "/no/such/folder" },
      { argv: ["/bin/echo"], cwd: "relative" },
    ]);
    expect(records.map(refusalOf)).toEqual([
      "invalid-request",
      "invalid-request",
      "invalid-request",
      "invalid-request",
      "invalid-request",
      "env-not-allowed",
      "stdin-too-large",
      "run-as-unknown",
      "run-as-unknown",
      "cwd-invalid",
      "cwd-invalid",
      "cwd-invalid",
    ]);
  });

  itUnless(obstacle, "T22: arrive exactly as they were given", async () => {
    const words = ["", "a b", "n\nl", "é", "--", "-x", "X=1", "$HOME", "*"];
    const record = await elevateAs("cse-sudo", { argv: [await makeProbe(), ...words] });
    expect(probedOf(record).args).toEqual(words);
  });

  itUnless(obstacle, "are bound when they name a file that others can change, in every usual spelling", async () => {
    const own = await makeFolderOf("cse-sudo");
    await writeFileOf("cse-sudo", join(own, "data"), "one");
    const words = [
      "data",
      "./data",
      `${own}/data`,
      `--file=${own}/data`,
      "--file=data",
      "@data",
      "if=data",
      "-Tdata",
      "a:data",
    ];
    const records = await elevateAllAs(
      "cse-sudo",
      words.map((word) => ({ argv: ["/bin/echo", word], cwd: own, dry: true })),
    );
    const found = records.map((record) => resolvedOf(record).operands.map((operand) => [operand.index, operand.size]));
    expect(found).toEqual(words.map(() => [[1, 3]]));
    const [big] = await elevateAllAs("cse-sudo", [{ argv: ["/bin/echo", "data"], cwd: own, maxOperandBytes: 2 }]);
    expect(big?.resolved).toMatchObject({ code: "mutable-operand" });
  });

  itUnless(obstacle, "are not bound when only root can change the file they name", async () => {
    const record = await elevateAs("cse-sudo", {
      argv: ["/bin/echo", "/etc/hosts", "--x=/etc/passwd", "/"],
      dry: true,
    });
    expect(resolvedOf(record).operands).toEqual([]);
  });

  itUnless(obstacle, "H29: are refused when an interpreter or launcher would run what others can change", async () => {
    const own = await makeFolderOf("cse-sudo");
    await writeFileOf("cse-sudo", join(own, "s"), SCRIPT, 0o755);
    const python = "/usr/bin/python3";
    const refused = [
      [python, join(own, "s")],
      [python, "s"],
      [python, "-u", "./s"],
      [python, join(own, "to-come")],
      [python, own],
      [python, "-c", "import json"],
      [python, "-m", "json"],
      ["/bin/sh", "s"],
      ["/bin/bash", "--rcfile", "s", "-i"],
      ["/bin/bash", `--rcfile=${own}/s`],
      ["/bin/bash", "to-come"],
      ["/usr/bin/env", "A=1", "./s"],
      ["/usr/bin/timeout", "5", join(own, "s")],
      ["/usr/bin/find", "/etc/hosts", "-exec", join(own, "s"), ";"],
      ["/lib64/ld-linux-x86-64.so.2", join(own, "s")],
      ["/usr/bin/awk", "-fs"],
    ];
    const codes = await codesOf(refused, own);
    expect(Object.entries(codes).filter(([, code]) => code !== "mutable-operand")).toEqual([]);
    const asked = [
      [python, "-I", "-c", "print(1)"],
      ["/bin/sh", "-c", "echo hello"],
      ["/usr/bin/env", "-i", "/usr/bin/id"],
      ["/bin/bash", "-ec", "true"],
    ];
    expect(Object.values(await codesOf(asked, own))).toEqual([null, null, null, null]);
  });

  itUnless(obstacle, "are bound when they stand in the text given to a shell", async () => {
    const own = await makeFolderOf("cse-sudo");
    await writeFileOf("cse-sudo", join(own, "s"), SCRIPT, 0o755);
    const record = await elevateAs("cse-sudo", { argv: ["/bin/sh", "-c", `true; ${own}/s --now`], dry: true });
    expect(resolvedOf(record).operands.map((operand) => operand.path)).toEqual([join(own, "s")]);
  });
});
