import { execFileSync } from "node:child_process";
import { chmod, chown, lchown, mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IS_ROOT, type Outcome, outcomeAsUser, STRANGER } from "../helpers/outcome.ts";
import { makeUserFolder, ordinaryUser } from "../helpers/unprivileged.ts";

const MAX_BYTES = 1_000_000;

let folder: string;
let file: string;

async function give(path: string, uid?: number): Promise<void> {
  const user = await ordinaryUser();
  await lchown(path, uid ?? user.uid, user.gid);
}

async function makeFile(text: string | Uint8Array = "content", mode = 0o600): Promise<void> {
  await writeFile(file, text);
  await chmod(file, mode);
  await give(file);
}

async function makeFolder(name: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await chmod(path, mode);
  await give(path);
  return path;
}

function read(trust: "trusted" | "untrusted", path: string = file, more = ""): Promise<Outcome> {
  return outcomeAsUser(
    `return await readTextFile(path, { maxBytes: ${MAX_BYTES}, trust: "${trust}", what: "test file"${more} });`,
    [path],
  );
}

beforeEach(async () => {
  folder = await makeUserFolder();
  file = join(folder, "policy.json");
});

// Else an ordinary user could not remove what is in it.
afterEach(() => chmod(folder, 0o700));

describe("readTextFile", () => {
  it("reads a private file", async () => {
    await makeFile("Grüße\n");
    expect(await read("trusted")).toEqual({ value: "Grüße\n" });
  });

  it("reads an empty file", async () => {
    await makeFile("");
    expect(await read("trusted")).toEqual({ value: "" });
  });

  it("keeps a byte order mark, which is for the parser to judge", async () => {
    await makeFile("\ufeff{}");
    expect(await read("trusted")).toEqual({ value: "\ufeff{}" });
  });

  it("says that a file is missing when it is, or its folder, or when the folder is a file", async () => {
    await makeFile();
    const paths = [`${file}.other`, join(folder, "no/policy.json"), join(file, "policy.json")];
    for (const path of paths) {
      expect(await read("trusted", path)).toEqual({ code: "file-missing" });
      expect(await read("untrusted", path)).toEqual({ code: "file-missing" });
    }
  });

  it("refuses a file that is not UTF-8", async () => {
    await makeFile(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d));
    expect(await read("trusted")).toEqual({ code: "file-not-text" });
  });

  it("refuses a file that ends inside a character", async () => {
    await makeFile(Buffer.from("ü").subarray(0, 1));
    expect(await read("trusted")).toEqual({ code: "file-not-text" });
  });

  it("reads a file of exactly the limit and refuses one byte more", async () => {
    await makeFile("x".repeat(MAX_BYTES));
    expect(await read("trusted")).toEqual({ value: "x".repeat(MAX_BYTES) });
    await makeFile("x".repeat(MAX_BYTES + 1));
    expect(await read("trusted")).toEqual({ code: "file-too-large" });
  });

  it("refuses a file of 20 MB", async () => {
    await makeFile("");
    await truncate(file, 20_000_000);
    expect(await read("trusted")).toEqual({ code: "file-too-large" });
  });

  it("reads past the announced size, as of a file that grew, up to the limit", async () => {
    // The kernel announces size 0 for this file, which here has about 20,000 bytes.
    const environ = (maxBytes: number): Promise<Outcome> =>
      outcomeAsUser(
        `const text = await readTextFile("/proc/self/environ", { maxBytes: ${maxBytes}, trust: "untrusted", what: "x" });
        return text === fs.readFileSync("/proc/self/environ", "utf8") && text.length > 20_000;`,
        [],
        { BIG: "y".repeat(20_000) },
      );
    expect(await environ(MAX_BYTES)).toEqual({ value: true });
    expect(await environ(10_000)).toEqual({ code: "file-too-large" });
  });

  it("reads a file whole or refuses it while another process appends to it", async () => {
    await makeFile("0123456789");
    const body = `
      const seen = new Set();
      const append = setInterval(() => fs.appendFileSync(path, "0123456789".repeat(500)), 0);
      while (!seen.has("file-too-large")) {
        const got = await outcome(() => readTextFile(path, { maxBytes: 200_000, trust: "trusted", what: "x" }));
        seen.add(got.code ?? "0123456789".repeat(20_000).startsWith(got.value));
      }
      clearInterval(append);
      return [...seen];`;
    expect(await outcomeAsUser(body, [file])).toEqual({ value: [true, "file-too-large"] });
  });

  it("says that a file cannot be read when its mode is 000", async () => {
    await makeFile("secret", 0o000);
    expect(await read("trusted")).toEqual({ code: "file-unreadable" });
    expect(await read("untrusted")).toEqual({ code: "file-unreadable" });
  });

  it("says that a file cannot be read when its folder cannot be searched", async () => {
    await makeFile();
    await chmod(folder, 0o600);
    expect(await read("trusted")).toEqual({ code: "file-unreadable" });
  });

  it("says that a file cannot be read when its name has a NUL byte", async () => {
    expect(
      await outcomeAsUser(`return await readTextFile("a\\0b", { maxBytes: 1, trust: "trusted", what: "x" })`),
    ).toEqual({
      code: "file-unreadable",
    });
  });
});

describe("readTextFile on something that is no regular file", () => {
  it("refuses a folder", async () => {
    expect(await read("trusted", folder)).toEqual({ code: "state-file-not-regular" });
  });

  it("refuses a FIFO that nobody writes to, without waiting", async () => {
    execFileSync("mkfifo", [file]);
    await give(file);
    expect(await read("trusted")).toEqual({ code: "state-file-not-regular" });
  });

  it("refuses a socket", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(file, done));
    await give(file);
    expect(await read("trusted")).toEqual({ code: "state-file-not-regular" });
    await new Promise((done) => server.close(done));
  });

  it("refuses an endless device, also behind a link", async () => {
    await symlink("/dev/zero", file);
    expect(await read("untrusted", "/dev/zero")).toEqual({ code: "state-file-not-regular" });
    expect(await read("untrusted", file, ", followLink: true")).toEqual({ code: "state-file-not-regular" });
  });

  it("refuses a symbolic link unless it is asked to follow one", async () => {
    await makeFile();
    const link = join(folder, "link.json");
    await symlink(file, link);
    expect(await read("trusted", link)).toEqual({ code: "state-file-symlink" });
    expect(await read("untrusted", link)).toEqual({ code: "state-file-symlink" });
    expect(await read("trusted", link, ", followLink: true")).toEqual({ value: "content" });
  });

  it("tells a dangling link that it follows from a loop of links", async () => {
    await symlink(join(folder, "nowhere"), file);
    expect(await read("untrusted", file, ", followLink: true")).toEqual({ code: "file-missing" });
    const loop = join(folder, "loop");
    await symlink(loop, loop);
    expect(await read("trusted", loop, ", followLink: true")).toEqual({ code: "state-file-symlink" });
  });
});

describe("readTextFile of a trusted file", () => {
  it.each(["660", "606", "622", "666"])("refuses mode %s, which an untrusted one may have", async (mode) => {
    await makeFile("content", Number.parseInt(mode, 8));
    expect(await read("trusted")).toEqual({ code: "state-file-insecure-mode" });
    expect(await read("untrusted")).toEqual({ value: "content" });
  });

  it("takes one that others may read", async () => {
    await makeFile("content", 0o644);
    expect(await read("trusted")).toEqual({ value: "content" });
  });

  it.each(["770", "707", "777"])("refuses a folder of mode %s, in which others can replace the file", async (mode) => {
    await makeFile();
    await chmod(folder, Number.parseInt(mode, 8));
    expect(await read("trusted")).toEqual({ code: "state-file-insecure-mode" });
    expect(await read("untrusted")).toEqual({ value: "content" });
  });

  it("takes a sticky folder, in which others cannot", async () => {
    await makeFile();
    await chmod(folder, 0o1777);
    expect(await read("trusted")).toEqual({ value: "content" });
  });

  it("judges the folder behind a link to a folder", async () => {
    const open = await makeFolder("open", 0o777);
    const link = join(folder, "link");
    await symlink(open, link);
    file = join(open, "policy.json");
    await makeFile();
    expect(await read("trusted", join(link, "policy.json"))).toEqual({ code: "state-file-insecure-mode" });
  });

  it("judges the folder of the link and the folder of the file when it follows a link", async () => {
    const open = await makeFolder("open", 0o777);
    await makeFile();
    await symlink(file, join(open, "link"));
    expect(await read("trusted", join(open, "link"), ", followLink: true")).toEqual({
      code: "state-file-insecure-mode",
    });
    file = join(open, "policy.json");
    await makeFile();
    await symlink(file, join(folder, "link"));
    expect(await read("trusted", join(folder, "link"), ", followLink: true")).toEqual({
      code: "state-file-insecure-mode",
    });
  });

  it.runIf(IS_ROOT)("refuses a file of another user (only root can make one)", async () => {
    await makeFile("content", 0o644);
    await give(file, STRANGER);
    expect(await read("trusted")).toEqual({ code: "state-owner-mismatch" });
    expect(await read("untrusted")).toEqual({ value: "content" });
  });

  it.runIf(IS_ROOT)("refuses a file in a folder of another user (only root can make one)", async () => {
    await makeFile();
    await chmod(folder, 0o755);
    await give(folder, STRANGER);
    expect(await read("trusted")).toEqual({ code: "state-owner-mismatch" });
  });

  it.runIf(IS_ROOT)("takes a file and a folder of root (only root can make them)", async () => {
    await makeFile("content", 0o644);
    await chown(file, 0, 0);
    await chown(folder, 0, 0);
    await chmod(folder, 0o755);
    expect(await read("trusted")).toEqual({ value: "content" });
  });
});
