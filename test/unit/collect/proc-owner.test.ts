import { describe, expect, it } from "vitest";
import { GONE, type ProcFiles, REFUSED } from "../../../src/collect/proc-file.ts";
import { createOwnerSearch, type OwnerSearch } from "../../../src/collect/proc-owner.ts";
import type { Slice } from "../../../src/collect/proc-slice.ts";

interface FakeProcess {
  parent?: number;
  group?: number;
  comm?: string;
  start?: number;
  /** Inode of the socket behind each descriptor; null for another file. */
  fds?: Record<string, number | null>;
  refused?: "folder" | "links";
  /** Descriptors of a thread that has a table of its own, by thread id. */
  threads?: Record<string, Record<string, number>>;
}

const NO_SLICE: Slice = { isOver: () => false, rest: async () => {} };

/** A /proc of plain objects that notes which descriptors were looked at. */
function fakeProc(processes: Record<number, FakeProcess>): ProcFiles & { listed: string[]; linked: string[] } {
  const listed: string[] = [];
  const linked: string[] = [];
  const tableOf = (path: string): Record<string, number | null> | undefined => {
    const [pid, kind, thread = ""] = path.split("/");
    const process = processes[Number(pid)];
    return kind === "task" ? process?.threads?.[thread] : process?.fds;
  };
  const list = (path: string): string[] | typeof GONE | typeof REFUSED => {
    if (path === ".") return ["self", "net", ...Object.keys(processes)];
    const process = processes[Number(path.split("/")[0])];
    if (process === undefined) return GONE;
    if (path.endsWith("/task")) return [path.split("/")[0] ?? "", ...Object.keys(process.threads ?? {})];
    listed.push(path);
    return process.refused === "folder" ? REFUSED : Object.keys(tableOf(path) ?? {});
  };
  return {
    listed,
    linked,
    list,
    open: () => GONE,
    batches: (path) => {
      const names = list(path);
      return typeof names === "symbol" ? names : names.map((name) => [name]);
    },
    counts: (path) => {
      if (path === "self/fd") return { size: 1, links: 2 };
      const process = processes[Number(path.split("/")[0])];
      const threads = Object.keys(process?.threads ?? {}).length + 1;
      return { size: Object.keys(tableOf(path) ?? {}).length, links: path.endsWith("/task") ? 2 + threads : 2 };
    },
    text: (path) => {
      const process = processes[Number(path.split("/")[0])];
      if (process === undefined || !path.endsWith("/stat")) return GONE;
      const { comm = "x", parent = 1, group = 1, start = 100 } = process;
      return `1 (${comm}) S ${parent} ${group} ${group} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0\n`;
    },
    link: (path) => {
      linked.push(path);
      const process = processes[Number(path.split("/")[0])];
      if (process === undefined) return GONE;
      if (process.refused === "links") return REFUSED;
      const inode = tableOf(path)?.[path.split("/").at(-1) ?? ""];
      if (inode === undefined) return GONE;
      return inode === null ? "/dev/null" : `socket:[${inode}]`;
    },
  };
}

/** Descriptors 0 to count - 1, none of them a socket. */
function manyFiles(count: number): Record<string, null> {
  return Object.fromEntries(Array.from({ length: count }, (_, fd) => [String(fd), null]));
}

async function find(search: OwnerSearch, inodes: number[]): Promise<Record<number, number[]>> {
  const { holders } = await search.find(new Set(inodes), NO_SLICE);
  return Object.fromEntries([...holders].map(([inode, list]) => [inode, list.map((holder) => holder.pid)]));
}

describe("createOwnerSearch", () => {
  it("looks at its own process first", async () => {
    const files = fakeProc({ 10: { fds: { 3: 1 } }, 50: { fds: { 4: 7 } } });
    await find(
      createOwnerSearch(files, 50, () => 0),
      [7],
    );
    expect(files.listed).toEqual(["50/fd", "10/fd"]);
  });

  it("finds a holder that has nothing in common with the first one found", async () => {
    const files = fakeProc({
      10: { comm: "service", start: 100, fds: { 4: 7 } },
      900: { comm: "stranger", parent: 1, group: 900, start: 999, fds: { 3: 7 } },
    });
    expect(
      await find(
        createOwnerSearch(files, 10, () => 0),
        [7],
      ),
    ).toEqual({ 7: [10, 900] });
  });

  it("checks a known owner with one link and lists no descriptors", async () => {
    const files = fakeProc({ 10: { fds: { 3: null, 4: 7 } }, 20: { comm: "other", fds: { 3: 8 } } });
    const search = createOwnerSearch(files, 1, () => 0);
    await find(search, [7, 8]);
    files.listed.length = 0;
    files.linked.length = 0;
    expect(await find(search, [7, 8])).toEqual({ 7: [10], 8: [20] });
    expect(files.listed).toEqual([]);
    expect(files.linked).toEqual(["10/fd/4", "20/fd/3"]);
  });

  it("does not believe its memory when another process has the pid", async () => {
    const processes: Record<number, FakeProcess> = { 10: { start: 100, fds: { 4: 7 } }, 20: { fds: { 4: 7 } } };
    const search = createOwnerSearch(fakeProc(processes), 1, () => 0);
    await find(search, [7]);
    processes[10] = { start: 200, fds: { 4: null } };
    expect(await find(search, [7])).toEqual({ 7: [20] });
  });

  it("reads all descriptors of a process that has the pid and the socket of an earlier one", async () => {
    const processes: Record<number, FakeProcess> = { 10: { start: 100, fds: { 4: 7 } }, 20: { fds: { 3: 8 } } };
    const search = createOwnerSearch(fakeProc(processes), 1, () => 0);
    await find(search, [7, 8]);
    processes[10] = { start: 200, fds: { 4: 7, 5: 8 } };
    expect(await find(search, [7, 8])).toEqual({ 7: [10], 8: [20, 10] });
  });

  it("looks again when the descriptor now is another socket", async () => {
    const processes: Record<number, FakeProcess> = { 10: { fds: { 4: 7 } } };
    const search = createOwnerSearch(fakeProc(processes), 1, () => 0);
    await find(search, [7]);
    processes[10] = { fds: { 4: 99, 9: 7 } };
    expect(await find(search, [7, 99])).toEqual({ 7: [10], 99: [10] });
  });

  it.each<[string, Record<number, FakeProcess>]>([
    [
      "workers below the owner",
      { 10: { fds: { 4: 7 } }, 21: { parent: 10, fds: { 4: 7 } }, 22: { parent: 21, comm: "y", fds: { 9: 7 } } },
    ],
    [
      "a parent above the owner",
      {
        30: { parent: 41, fds: { 4: 7 } },
        41: { parent: 1, comm: "y", fds: { 4: 7 } },
        42: { parent: 41, comm: "z", fds: { 4: 7 } },
      },
    ],
    [
      "workers whose parent is gone",
      {
        30: { parent: 1, fds: { 4: 7 } },
        31: { parent: 1, fds: { 4: 7 } },
        32: { parent: 5, group: 1, fds: { 4: 7 } },
      },
    ],
  ])("counts %s", async (_what, family) => {
    const files = fakeProc(family);
    const search = createOwnerSearch(files, 1, () => 0);
    const pids = Object.keys(family).map(Number);
    expect((await find(search, [7]))[7]?.toSorted((a, b) => a - b)).toEqual(pids);
  });

  it("counts a worker that was forked after the last search", async () => {
    const processes: Record<number, FakeProcess> = { 10: { fds: { 4: 7 } } };
    const search = createOwnerSearch(fakeProc(processes), 1, () => 0);
    await find(search, [7]);
    processes[11] = { parent: 10, start: 300, fds: { 4: 7 } };
    expect(await find(search, [7])).toEqual({ 7: [10, 11] });
  });

  it("counts a worker no longer when it ended", async () => {
    const processes: Record<number, FakeProcess> = { 10: { fds: { 4: 7 } }, 11: { parent: 10, fds: { 4: 7 } } };
    const search = createOwnerSearch(fakeProc(processes), 1, () => 0);
    await find(search, [7]);
    delete processes[11];
    expect(await find(search, [7])).toEqual({ 7: [10] });
  });

  it("puts the process that started first in front, whatever its pid", async () => {
    const files = fakeProc({ 10: { start: 900, parent: 4000, fds: { 4: 7 } }, 4000: { start: 100, fds: { 4: 7 } } });
    expect(
      await find(
        createOwnerSearch(files, 1, () => 0),
        [7],
      ),
    ).toEqual({ 7: [4000, 10] });
  });

  it.each(["folder", "links"] as const)(
    "counts a process that refuses its %s as denied, in later searches too",
    async (refused) => {
      const files = fakeProc({ 10: { fds: { 4: 7 } }, 20: { refused, fds: { 3: 8 } } });
      const search = createOwnerSearch(files, 1, () => 0);
      for (let round = 0; round < 2; round += 1) {
        const found = await search.find(new Set([7, 8]), NO_SLICE);
        expect({ denied: found.denied, inodes: [...found.holders.keys()] }).toEqual({ denied: 1, inodes: [7] });
      }
    },
  );

  it("searches every process for an ownerless socket once, and again after two minutes", async () => {
    const processes: Record<number, FakeProcess> = { 10: { fds: { 4: 7 } }, 20: {} };
    let clock = 0;
    const files = fakeProc(processes);
    const search = createOwnerSearch(files, 1, () => clock);
    await find(search, [7, 8]);
    files.listed.length = 0;
    await find(search, [7, 8]);
    expect(files.listed).toEqual([]);
    processes[20] = { fds: { 3: 8 } };
    clock = 120_000;
    expect(await find(search, [7, 8])).toEqual({ 7: [10], 8: [20] });
  });

  it("gives no owner and no error when /proc shows no process", async () => {
    const files = { ...fakeProc({}), list: (): typeof REFUSED => REFUSED };
    const found = await createOwnerSearch(files, 1, () => 0).find(new Set([7]), NO_SLICE);
    expect(found).toEqual({ holders: new Map(), denied: 0, unsearched: 0 });
  });

  it("finds the socket of a thread that has left the descriptor table of its process", async () => {
    const files = fakeProc({
      10: { fds: { 3: 1 }, threads: { 11: { 3: 1 }, 12: { 3: 1, 4: 7 } } },
      20: { threads: { 21: { 3: 8 } } },
    });
    expect(
      await find(
        createOwnerSearch(files, 1, () => 0),
        [7, 8],
      ),
    ).toEqual({ 7: [10], 8: [20] });
    expect(files.linked).not.toContain("10/task/11/fd/3");
  });

  it("finds a process that hides its socket among very many descriptors", async () => {
    const files = fakeProc({ 10: { fds: { ...manyFiles(5000), 6000: 7 } }, 20: { fds: { 3: 8 } } });
    const search = createOwnerSearch(files, 1, () => 0);
    const found = await search.find(new Set([7, 8]), NO_SLICE);
    expect([...found.holders.keys()]).toEqual([8, 7]);
    expect(found.unsearched).toBe(0);
  });

  it("ends in time among endless descriptors, finds the owners of ordinary processes and says what it left", async () => {
    let clock = 0;
    const files = fakeProc({ 10: { fds: manyFiles(5000) }, 11: { fds: manyFiles(5000) }, 20: { fds: { 3: 8 } } });
    const slow: ProcFiles = {
      ...files,
      link: (path) => {
        clock += 10;
        return files.link(path);
      },
    };
    const search = createOwnerSearch(slow, 1, () => clock);
    for (let round = 0; round < 2; round += 1) {
      const found = await search.find(new Set([7, 8]), NO_SLICE);
      expect([...found.holders.keys()]).toEqual([8]);
      expect(found.unsearched).toBe(2);
    }
  });
});
