import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lookupUser } from "../../src/exec/passwd-user.ts";
import { checkNoNewPrivs, checkUserNamespace, readStartTime } from "../../src/exec/proc-facts.ts";

/** A /proc with these files of the process itself. */
async function procWith(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "cse-proc-"));
  await mkdir(join(root, "self"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, "self", name), text);
  return root;
}

describe("checkUserNamespace", () => {
  it.each([
    ["         0          0 4294967295\n", null],
    ["         0       1000          1\n", "user-namespace"],
    ["0 0 4294967294\n", "user-namespace"],
    ["0 0 1000\n1000 1000 4294966295\n", "user-namespace"],
    ["", "user-namespace"],
  ])("of the map %j is %j", async (map, expected) => {
    expect((await checkUserNamespace(await procWith({ uid_map: map })))?.code ?? null).toBe(expected);
  });

  it("refuses when the map cannot be read", async () => {
    expect((await checkUserNamespace(await procWith({})))?.code).toBe("user-namespace");
  });
});

describe("checkNoNewPrivs", () => {
  it.each([
    ["Name:\tnode\nNoNewPrivs:\t0\nSeccomp:\t0\n", null],
    ["Name:\tnode\nNoNewPrivs:\t1\n", "no-new-privs"],
    ["Name:\tNoNewPrivs:\t0\n", "no-new-privs"],
    ["", "no-new-privs"],
  ])("of the status %j is %j", async (status, expected) => {
    expect((await checkNoNewPrivs(await procWith({ status })))?.code ?? null).toBe(expected);
  });

  it("refuses when the status cannot be read", async () => {
    expect((await checkNoNewPrivs(await procWith({})))?.code).toBe("no-new-privs");
  });
});

describe("readStartTime", () => {
  it("is the field after the last bracket, whatever the process calls itself", async () => {
    const root = await procWith({});
    await mkdir(join(root, "7"));
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
    await writeFile(join(root, "7/stat"), `7 (a) b (c) ${fields.join(" ")}\n`);
    expect(await readStartTime(7, root)).toBe("22");
    expect(await readStartTime(8, root)).toBe(null);
    const own = await readFile("/proc/self/stat", "utf8");
    expect(own.split(" ")).toContain(await readStartTime(process.pid));
  });
});

describe("lookupUser", () => {
  it("finds exactly the named user, and nobody whose id would mean something else", async () => {
    const passwd = join(await mkdtemp(join(tmpdir(), "cse-passwd-")), "passwd");
    const rows = [
      "root:x:0:0::/root:/bin/sh",
      "bob:x:1001:1002::/:",
      "max:x:4294967295:0::/:",
      "odd:x:+5:0::/:",
      "short:x:1",
    ];
    await writeFile(passwd, `${rows.join("\n")}\nbob:x:0:0::/:\n`);
    const names = ["root", "bob", "max", "odd", "short", "", "Bob", "#0", "#-1", "%wheel", "bo", "bob:x", "root\n"];
    const found = [];
    for (const name of names) found.push(await lookupUser(name, passwd));
    expect(found).toEqual([
      { user: "root", uid: 0, gid: 0 },
      { user: "bob", uid: 1001, gid: 1002 },
      ...Array.from({ length: 11 }, () => null),
    ]);
    expect(await lookupUser("root", join(passwd, "missing"))).toBe(null);
  });
});
