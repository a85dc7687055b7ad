import { spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { itWith } from "../helpers/requires.ts";
import { collect } from "../helpers/unprivileged.ts";

const SOURCE = join(import.meta.dirname, "../../src/state/write-file.ts");
const OLD = "old content\n";
const NEW = "new content, longer than the old\n";

/** Calls the named function on the named file and prints "done" or the code of the error. */
const PROGRAM = `
import { stat } from "node:fs/promises";
import * as writers from ${JSON.stringify(SOURCE)};
const [name, path, text] = process.argv.slice(2);
// So that the write in question is far from the first one of every thread; see findWrite.
for (let round = 0; round < 40; round += 1) await stat("/");
try {
  await writers[name](path, text);
  process.stdout.write("done");
} catch (error) {
  process.stdout.write(error.name === "SecurityError" ? error.code : String(error));
}
`;

type Writer = "writeFileAtomic" | "createFileAtomic";
/** "unlink" also covers unlinkat and so on: which one is used depends on the processor. */
type Call = "write" | "fsync" | "rename" | "link" | "unlink";

interface Fault {
  readonly call: Call;
  /** Which of the calls of that name; the file is synchronised first, then the folder. */
  readonly nth?: 1 | 2;
  /** An errno name, or SIGKILL as the call begins. */
  readonly fault: string;
}

interface Traced {
  readonly printed: string;
  readonly signal: NodeJS.Signals | null;
  /** Every traced call in order, as strace shows it, those in two parts put together. */
  readonly calls: readonly string[];
}

async function trace(folder: string, args: readonly string[], inject: readonly string[]): Promise<Traced> {
  const log = join(folder, "..", "strace.log");
  const program = join(folder, "..", "program.mjs");
  await writeFile(program, PROGRAM);
  const child = spawn(
    "/usr/bin/strace",
    [
      "-f",
      "-o",
      log,
      "-e",
      "trace=write,fsync,/^rename,/^link,/^unlink",
      ...inject,
      process.execPath,
      program,
      ...args,
    ],
    // One thread for all file calls: strace counts the calls of each thread on its own.
    { env: { UV_THREADPOOL_SIZE: "1", NODE_NO_WARNINGS: "1" }, stdio: ["ignore", "pipe", "inherit"] },
  );
  const { stdout, signal } = await collect(child);
  return { printed: stdout, signal, calls: joinParts(await readFile(log, "utf8")) };
}

function joinParts(log: string): string[] {
  const begun = new Map<string, number>();
  const calls: string[] = [];
  for (const line of log.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const index = begun.get(pid);
    if (rest.startsWith("<... ") && index !== undefined) {
      calls[index] += rest.replace(/^<\.\.\. \w+ resumed>/, "");
      begun.delete(pid);
    } else if (/^\w+\(/.test(rest)) {
      if (rest.endsWith(" <unfinished ...>")) begun.set(pid, calls.length);
      calls.push(`${pid} ${rest.replace(" <unfinished ...>", "")}`);
    }
  }
  return calls;
}

/** Which write of its thread writes the content: libuv's threads also write to wake each other. */
function findWrite(calls: readonly string[]): number {
  const found = calls.findIndex((call) => call.includes(`"${NEW.slice(0, 11)}`));
  const pid = calls[found]?.split(" ")[0] ?? "none";
  return calls.slice(0, found + 1).filter((call) => call.startsWith(`${pid} write(`)).length;
}

async function makeFolder(old: string | null): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "fault-")), "state");
  await mkdir(folder, { mode: 0o700 });
  if (old !== null) await writeFile(join(folder, "state.json"), old, { mode: 0o600 });
  return folder;
}

function isHit(call: string): boolean {
  return call.includes("(INJECTED)") || call.endsWith(" = ?");
}

/**
 * Runs one writer with faults injected and tells what was left. Fails unless exactly the wanted
 * calls were hit. Where the write falls among the wake-up writes varies, so that may take a few tries.
 */
async function runWithFaults(writer: Writer, faults: readonly Fault[]) {
  for (let attempt = 0; ; attempt += 1) {
    const folder = await makeFolder(writer === "writeFileAtomic" ? OLD : null);
    const file = join(folder, "state.json");
    const args = [writer, file, NEW];
    const inject: string[] = [];
    for (const { call, nth, fault } of faults) {
      const which =
        call === "write"
          ? findWrite((await trace(await makeFolder(OLD), ["writeFileAtomic", `${file}.dry`, NEW], [])).calls)
          : nth;
      const what = fault === "SIGKILL" ? "signal=SIGKILL" : `error=${fault}`;
      const name = call === "write" || call === "fsync" ? call : `/^${call}`;
      inject.push("-e", `inject=${name}:${what}${which === undefined ? "" : `:when=${which}`}`);
    }
    const traced = await trace(folder, args, inject);
    const hit = traced.calls.filter(isHit).map((call) => call.replace(/^\d+ /, ""));
    const isWanted = faults.every(({ call }) => hit.some((one) => one.startsWith(call))) && hit.every(isOfOurs);
    if (!isWanted && attempt < 5 && faults.some(({ call }) => call === "write")) continue;
    expect({ isWanted, hit }).toMatchObject({ isWanted: true });
    const content = await readFile(file, "utf8").catch(() => null);
    const left = (await readdir(folder)).filter((name) => name.endsWith(".tmp")).length;
    return { printed: traced.printed, signal: traced.signal, content, left, folder };
  }
}

/** Not a wake-up write: a write of the content, or any of the other calls. */
function isOfOurs(call: string): boolean {
  return !call.startsWith("write(") || call.includes(`"${NEW.slice(0, 11)}`);
}

describe("writeFileAtomic under a failing system", () => {
  const cases: readonly (readonly [readonly Fault[], string, string, number])[] = [
    [[{ call: "write", fault: "ENOSPC" }], "disk-full", OLD, 0],
    [[{ call: "write", fault: "EDQUOT" }], "disk-full", OLD, 0],
    [[{ call: "write", fault: "EIO" }], "write-failed", OLD, 0],
    [[{ call: "fsync", nth: 1, fault: "EIO" }], "write-failed", OLD, 0],
    [[{ call: "fsync", nth: 1, fault: "ENOSPC" }], "disk-full", OLD, 0],
    [[{ call: "rename", fault: "EIO" }], "write-failed", OLD, 0],
    [[{ call: "rename", fault: "ENOSPC" }], "disk-full", OLD, 0],
    [[{ call: "rename", fault: "EROFS" }], "read-only", OLD, 0],
    // The failure to clean up does not hide the failure before.
    [
      [
        { call: "rename", fault: "ENOSPC" },
        { call: "unlink", fault: "EIO" },
      ],
      "disk-full",
      OLD,
      1,
    ],
    // The new content is there, but a power cut could still undo it: that is said.
    [[{ call: "fsync", nth: 2, fault: "EIO" }], "write-failed", NEW, 0],
  ];
  for (const [faults, code, content, left] of cases) {
    const what = faults.map(({ call, nth, fault }) => `${fault} from ${call} ${nth ?? ""}`.trim()).join(" and ");
    itWith(
      ["strace"],
      `says ${code} and leaves the ${content === OLD ? "old" : "new"} content on ${what}`,
      async () => {
        const result = await runWithFaults("writeFileAtomic", faults);
        expect(result).toMatchObject({ printed: code, signal: null, content, left });
      },
    );
  }
});

describe("writeFileAtomic when killed", () => {
  const cases: readonly (readonly [Fault, string, number])[] = [
    [{ call: "write", fault: "SIGKILL" }, OLD, 1],
    [{ call: "fsync", nth: 1, fault: "SIGKILL" }, OLD, 1],
    [{ call: "rename", fault: "SIGKILL" }, OLD, 1],
    [{ call: "fsync", nth: 2, fault: "SIGKILL" }, NEW, 0],
  ];
  for (const [fault, content, left] of cases) {
    const where = `${fault.call} ${fault.nth ?? ""}`.trim();
    itWith(
      ["strace"],
      `leaves the ${content === OLD ? "old" : "new"} content at ${where}, and does not hinder the next`,
      async () => {
        const result = await runWithFaults("writeFileAtomic", [fault]);
        expect(result).toMatchObject({ printed: "", signal: "SIGKILL", content, left });
        const next = await trace(result.folder, ["writeFileAtomic", join(result.folder, "state.json"), "next"], []);
        expect(next.printed).toBe("done");
        expect(await readFile(join(result.folder, "state.json"), "utf8")).toBe("next");
      },
    );
  }
});

describe("createFileAtomic under a failing system or when killed", () => {
  const cases: readonly (readonly [Fault, string, string | null, number])[] = [
    [{ call: "fsync", nth: 1, fault: "EIO" }, "write-failed", null, 0],
    [{ call: "link", fault: "EIO" }, "write-failed", null, 0],
    [{ call: "link", fault: "ENOSPC" }, "disk-full", null, 0],
    [{ call: "link", fault: "EEXIST" }, "file-exists", null, 0],
    [{ call: "unlink", fault: "EIO" }, "done", NEW, 1],
    [{ call: "fsync", nth: 2, fault: "EIO" }, "write-failed", NEW, 0],
    [{ call: "fsync", nth: 1, fault: "SIGKILL" }, "", null, 1],
    [{ call: "link", fault: "SIGKILL" }, "", null, 1],
    [{ call: "unlink", fault: "SIGKILL" }, "", NEW, 1],
    [{ call: "fsync", nth: 2, fault: "SIGKILL" }, "", NEW, 0],
  ];
  for (const [fault, printed, content, left] of cases) {
    const where = `${fault.fault} at ${fault.call} ${fault.nth ?? ""}`.trim();
    itWith(["strace"], `leaves ${content === null ? "nothing" : "the whole file"} on ${where}`, async () => {
      const result = await runWithFaults("createFileAtomic", [fault]);
      expect(result).toMatchObject({ printed, content, left });
    });
  }
});

/** A file system of our own in a mount namespace of our own, which ends with the process. */
function spawnOnSmallDisk(script: string, args: readonly string[]) {
  return spawnSync("/usr/bin/unshare", ["--map-root-user", "--mount", "/bin/sh", "-euc", script, "sh", ...args], {
    encoding: "utf8",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", NODE_NO_WARNINGS: "1" },
  });
}

const CAN_MOUNT = spawnOnSmallDisk('mount -t tmpfs tmpfs "$1"', ["/mnt"]).status === 0;

describe.runIf(CAN_MOUNT)("on a real small disk (needs leave to mount one)", () => {
  async function runOnSmallDisk(limit: string, text: string, before = ""): Promise<string> {
    const folder = await makeFolder(null);
    const program = join(folder, "../program.mjs");
    await writeFile(program, PROGRAM);
    await writeFile(join(folder, "../text"), text);
    const script = `mount -t tmpfs -o mode=700,${limit} tmpfs "$1"
      printf 'old' > "$1/state.json"
      ${before}
      ${process.execPath} "$2" writeFileAtomic "$1/state.json" "$(cat "$3")"
      echo " $(cat "$1/state.json") $(ls -A "$1")"`;
    const run = spawnOnSmallDisk(script, [folder, program, join(folder, "../text")]);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    return run.stdout.trimEnd();
  }

  it("replaces the content when there is room", async () => {
    expect(await runOnSmallDisk("size=64k", "new")).toBe("done new state.json");
  });

  it("says disk-full and keeps the old content when the new does not fit", async () => {
    expect(await runOnSmallDisk("size=64k", "x".repeat(100_000))).toBe("disk-full old state.json");
  });

  it("says disk-full and keeps the old content when not even another file fits", async () => {
    expect(await runOnSmallDisk("nr_inodes=2", "new")).toBe("disk-full old state.json");
  });

  it("says read-only and keeps the old content when the disk is mounted so", async () => {
    expect(await runOnSmallDisk("size=64k", "new", 'mount -o remount,bind,ro "$1"')).toBe("read-only old state.json");
  });
});
