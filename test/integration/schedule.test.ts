import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { MARKER, planSchedule } from "../../src/schedule/plan.ts";
import { appendLogLine } from "../../src/state/log-file.ts";
import { removeOwnedFile, whoseFile, writeOwnedFile } from "../../src/state/schedule-file.ts";
import { itWith } from "../helpers/requires.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cse-schedule-"));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
});

describe("the log of the cycle", () => {
  it("is private, grows by lines, and makes room: at most four files", async () => {
    const path = join(folder, "logs/auto.log");
    await appendLogLine(path, "one");
    await chmod(path, 0o644);
    await appendLogLine(path, "two");
    expect([await readFile(path, "utf8"), (await stat(path)).mode & 0o777]).toEqual(["one\ntwo\n", 0o600]);
    for (let round = 0; round < 6; round += 1) {
      await writeFile(path, `${round}${"x".repeat(1_000_001)}\n`);
      await appendLogLine(path, "last");
    }
    expect((await readdir(join(folder, "logs"))).toSorted()).toEqual(["auto.log.1", "auto.log.2", "auto.log.3"]);
    expect((await readFile(`${path}.1`, "utf8")).slice(0, 1)).toBe("5");
    await appendLogLine(path, "new");
    expect(await readFile(path, "utf8")).toBe("new\n");
  });

  it("is not written through a link", async () => {
    await writeFile(join(folder, "precious"), "keep");
    await symlink(join(folder, "precious"), join(folder, "auto.log"));
    await expect(appendLogLine(join(folder, "auto.log"), "line")).rejects.toMatchObject({ name: "SecurityError" });
    expect(await readFile(join(folder, "precious"), "utf8")).toBe("keep");
  });
});

describe("a scheduler's file", () => {
  it("is replaced and removed only when it is ours", async () => {
    const path = join(folder, "a/b/unit.service");
    await writeOwnedFile(path, `# ${MARKER}\n1\n`, MARKER);
    await writeOwnedFile(path, `# ${MARKER}\n2\n`, MARKER);
    expect([await whoseFile(path, MARKER), await removeOwnedFile(path, MARKER), await whoseFile(path, MARKER)]).toEqual(
      ["ours", true, "missing"],
    );
    await writeFile(path, "theirs");
    await expect(writeOwnedFile(path, `# ${MARKER}`, MARKER)).rejects.toMatchObject({ code: "file-exists" });
    expect([await removeOwnedFile(path, MARKER), await readFile(path, "utf8")]).toEqual([false, "theirs"]);
  });

  itWith(["systemd-analyze"], "is a unit that systemd itself accepts, odd characters included", async () => {
    const odd = join(folder, `100% "it's" $HOME`);
    await mkdir(odd);
    await writeFile(join(odd, "cli.js"), "", { mode: 0o755 });
    const wish = {
      node: process.execPath,
      cli: join(odd, "cli.js"),
      home: folder,
      uid: 1,
      everyMinutes: 30,
      env: { A: `1% "x" $y` },
    };
    const { files } = planSchedule("systemd", wish);
    for (const { path, text } of files) await writeOwnedFile(path, text, MARKER);
    const paths = files.map(({ path }) => path);
    const { stderr } = await promisify(execFile)("/usr/bin/systemd-analyze", [
      "verify",
      "--recursive-errors=no",
      ...paths,
    ]);
    expect(stderr).toBe("");
  });
});
