import { chmod, chown, copyFile, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { Refusal } from "../../src/core/refusal.ts";
import { runTool } from "../../src/exec/run-tool.ts";
import { checkSudo } from "../../src/exec/sudo-binary.ts";
import { itUnless, itWith } from "../helpers/requires.ts";
import {
  elevateAllAs,
  elevateAs,
  exitOf,
  makeFolderOf,
  makeRootFolder,
  makeRootProgram,
  refusalOf,
  sudoUser,
  type SudoUserName,
  sudoUsersObstacle,
} from "../helpers/sudo-users.ts";
import { runAsUser } from "../helpers/unprivileged.ts";

const obstacle = sudoUsersObstacle();

describe("what sudo says before anybody is asked", () => {
  itUnless(obstacle, "R-33 T70: yes, no, or that it wants a password, without running or asking", async () => {
    const marker = join(await makeRootFolder(), "ran");
    const touch = ["/usr/bin/touch", marker];
    const asks: [SudoUserName, readonly string[]][] = [
      ["cse-sudo", touch],
      ["cse-password", touch],
      ["cse-test", touch],
      ["cse-limited", touch],
      ["cse-limited", ["/usr/bin/true"]],
    ];
    const seen: unknown[] = [];
    for (const [user, argv] of asks) seen.push((await elevateAs(user, { argv, dry: true })).preflight?.code ?? null);
    // Without any rule, 1.9.13 asks for the password all the same.
    expect(seen).toEqual([null, "password-required", "password-required", "sudo-denied", null]);
    await expect(readFile(marker)).rejects.toMatchObject({ code: "ENOENT" });
  });

  itUnless(obstacle, "asks about the approved user, with words that sudo cannot take for options", async () => {
    const argv = ["/usr/bin/true", "-u", "cse-test", "X=1", "--"];
    const [asRoot, asOther] = await elevateAllAs("cse-limited", [
      { argv, dry: true },
      { argv, runAs: "cse-test", dry: true },
    ]);
    expect([asRoot?.preflight?.code ?? null, asOther?.preflight?.code ?? null]).toEqual([null, "sudo-denied"]);
  });

  itUnless(obstacle, "lets through what only the run finds out, where sudo then refuses by itself", async () => {
    // One rule without password is enough for -l to answer without, also about a rule with.
    const record = await elevateAs("cse-limited", { argv: ["/usr/bin/id"] });
    expect(record.preflight).toBe(null);
    expect(exitOf(record)).toMatchObject({ exitCode: 1, output: { stderr: "sudo: a password is required\n" } });
  });
});

describe("the sudo that is used", () => {
  itUnless(obstacle, "is the real one, with its version", async () => {
    const record = await elevateAs("cse-sudo", { argv: ["/usr/bin/true"], dry: true });
    expect(record.sudo).toMatchObject({ kind: "usable", flavour: "sudo", identity: { path: "/usr/bin/sudo", uid: 0 } });
    expect(record.sudo).toHaveProperty("version", expect.stringMatching(/^1\.\d+\.\d+/));
  });

  itUnless(
    obstacle,
    "H48 T71: is refused when it is missing, or not a setuid file of root's that says it is sudo",
    async () => {
      const folder = await makeRootFolder();
      const own = await makeFolderOf("cse-sudo");
      const at = (name: string): string => join(folder, name);
      const modes = { plain: 0o755, group: 0o4775, "not-ours-to-run": 0o4750, foreign: 0o4755 };
      for (const [name, mode] of Object.entries(modes)) {
        await copyFile("/usr/bin/sudo", at(name));
        if (name === "foreign") await chown(at(name), sudoUser("cse-test").uid, 0);
        await chmod(at(name), mode);
      }
      await symlink("/usr/bin/sudo", join(own, "sudo"));
      const wrapper = await makeRootProgram("#!/bin/sh\necho Sudo version 1.9\n", "sudo", 0o4755);
      await symlink("/usr/bin/sudo", at("link"));
      const expected = {
        "/usr/bin/no-such-sudo": "sudo-missing",
        "usr/bin/sudo": "sudo-unusable",
        "/usr/bin/true": "sudo-unusable",
        "/usr/bin/su": "sudo-unusable",
        "/usr/bin": "sudo-unusable",
        "/proc/self/exe": "sudo-unusable",
        [at("plain")]: "sudo-unusable",
        [at("group")]: "sudo-unusable",
        [at("not-ours-to-run")]: "sudo-unusable",
        [at("foreign")]: "sudo-unusable",
        [join(own, "sudo")]: "sudo-unusable",
        [wrapper]: "sudo-unusable",
        [at("link")]: null,
      };
      const records = await elevateAllAs(
        "cse-sudo",
        Object.keys(expected).map((sudoPath) => ({ argv: ["/usr/bin/true"], sudoPath, dry: true })),
      );
      expect(Object.keys(expected).map((path, index) => [path, codeOf(records[index]?.sudo ?? null)])).toEqual(
        Object.entries(expected),
      );
      // Each by its own guard: such a sudo would also complain of itself.
      const messageOf = (path: string): string | null => {
        const sudo = records[Object.keys(expected).indexOf(path)]?.sudo ?? null;
        return sudo !== null && "code" in sudo ? sudo.message.replace(`${path} `, "") : null;
      };
      expect([messageOf(at("plain")), messageOf(at("foreign")), messageOf(at("group"))]).toEqual([
        "has no setuid bit",
        "is not a regular file of root",
        "can be changed by others than root",
      ]);
    },
  );

  itUnless(obstacle, "is accepted where nobody may read it, as some systems have it", async () => {
    const copy = join(await makeRootFolder(), "sudo");
    await writeFile(copy, await readFile("/usr/bin/sudo"));
    await chmod(copy, 0o4111);
    const record = await elevateAs("cse-sudo", { argv: ["/usr/bin/true"], sudoPath: copy });
    expect(record.sudo).toMatchObject({ kind: "usable", identity: { sha256: "" } });
    expect(exitOf(record)).toMatchObject({ exitCode: 0 });
  });

  itUnless(obstacle, "H48: is asked once what it is, and again as soon as its file is another", async () => {
    const copy = join(await makeRootFolder(), "sudo");
    await writeFile(copy, await readFile("/usr/bin/sudo"));
    await chmod(copy, 0o4755);
    let asked = 0;
    const deps = {
      sudoPath: copy,
      hashes: new Map<string, string>(),
      versions: new Map<string, string>(),
      runTool: async (request: Parameters<typeof runTool>[0]) => ((asked += 1), await runTool(request)),
    };
    const kinds = [(await checkSudo(deps)).kind, (await checkSudo(deps)).kind];
    expect([kinds, asked]).toEqual([["usable", "usable"], 1]);
    await writeFile(copy, await readFile("/usr/bin/true"));
    await chmod(copy, 0o4755);
    expect([(await checkSudo(deps)).kind, asked]).toEqual(["refused", 2]);
  });

  itUnless(obstacle, "T72: is out of reach of a process that may not gain privileges", async () => {
    const through = ["/usr/bin/setpriv", "--no-new-privs"];
    const record = await elevateAs("cse-sudo", { argv: ["/usr/bin/true"] }, { through });
    expect(refusalOf(record)).toBe("no-new-privs");
  });

  itWith(["sudo"], "R-71 T50: is not used by a process that a debugger can connect to", async () => {
    const run = await runAsUser(`
      import inspector from "node:inspector";
      import { checkInspector } from "#src/exec/proc-facts.ts";
      import { checkSudo } from "#src/exec/sudo-binary.ts";
      const codes = [checkInspector()?.code ?? null];
      inspector.open(0, "127.0.0.1");
      const sudo = await checkSudo({ sudoPath: "/usr/bin/sudo", hashes: new Map(), runTool: () => { throw new Error(); } });
      codes.push(sudo.code);
      inspector.close();
      console.log(JSON.stringify(codes));
    `);
    expect(JSON.parse(run.stdout)).toEqual([null, "inspector-open"]);
  });
});

function codeOf(found: { readonly kind: string } | Refusal | null): string | null {
  return found !== null && "code" in found ? found.code : null;
}
