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
}

const NO_SLICE: Slice = { isOver: () => false, rest: async () => {} };

/** A /proc of plain objects that notes which descriptors were looked at. */
function fakeProc(processes: Record<number, FakeProcess>): ProcFiles & { listed: string[]; linked: string[] } {
  const listed: string[] = [];
  const linked: string[] = [];
  return {
    listed,
    linked,
    open: () => GONE,
    text: (path) => {
      const process = processes[Number(path.split("/")[0])];
      if (process === undefined || !path.endsWith("/stat")) return GONE;
      const { comm = "x", parent = 1, group = 1, start = 100 } = process;
      return `1 (${comm}) S ${parent} ${group} ${group} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0\n`;
    },
    list: (path) => {
      if (path === ".") return ["self", "net", ...Object.keys(processes)];
      const process = processes[Number(path.split("/")[0])];
      if (process === undefined) return GONE;
      listed.push(path);
      return process.refused === "folder" ? REFUSED : Object.keys(process.fds ?? {});
    },
    link: (path) => {
      linked.push(path);
      const [pid, , fd = ""] = path.split("/");
      const process = processes[Number(pid)];
      if (process === undefined) return GONE;
      if (process.refused === "links") return REFUSED;
      const inode = process.fds?.[fd];
      if (inode === undefined) return GONE;
      return inode === null ? "/dev/null" : `socket:[${inode}]`;
    },
  };
}

async function find(search: OwnerSearch, inodes: number[], countHolders = true): Promise<Record<number, number[]>> {
  const { holders } = await search.find(new Set(inodes), countHolders, NO_SLICE);
  return Object.fromEntries([...holders].map(([inode, list]) => [inode, list.map((holder) => holder.pid)]));
}

describe("createOwnerSearch", () => {
  it("stops when every socket has an owner and looks at its own process first", async () => {
    const files = fakeProc({ 10: { fds: { 3: 1 } }, 50: { comm: "me", fds: { 4: 7, 5: 8 } }, 60: { fds: { 3: 2 } } });
    const search = createOwnerSearch(files, 50, () => 0);
    expect(await find(search, [7, 8])).toEqual({ 7: [50], 8: [50] });
    expect(files.listed).toEqual(["50/fd"]);
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
  ])("counts %s though the search could have stopped at the first", async (_what, family) => {
    const stranger = { parent: 2, group: 99, comm: "stranger", fds: { 3: 5 } };
    const files = fakeProc({ ...family, 90: stranger });
    const search = createOwnerSearch(files, 1, () => 0);
    const pids = Object.keys(family).map(Number);
    expect((await find(search, [7]))[7]?.toSorted((a, b) => a - b)).toEqual(pids);
    expect(files.listed).not.toContain("90/fd");
  });

  it("does not look for more holders when they need no counting", async () => {
    const files = fakeProc({ 10: { fds: { 4: 7 } }, 21: { parent: 10, fds: { 4: 7 } } });
    expect(
      await find(
        createOwnerSearch(files, 1, () => 0),
        [7],
        false,
      ),
    ).toEqual({ 7: [10] });
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
        const found = await search.find(new Set([7, 8]), true, NO_SLICE);
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
    const files = { ...fakeProc({}), list: () => REFUSED } as const;
    const found = await createOwnerSearch(files, 1, () => 0).find(new Set([7]), true, NO_SLICE);
    expect(found).toEqual({ holders: new Map(), denied: 0 });
  });

  it("ends although the parents it is told form a ring", async () => {
    const files = fakeProc({
      10: { parent: 11, fds: { 4: 7 } },
      11: { parent: 10 },
      12: { parent: 13 },
      13: { parent: 12 },
    });
    expect(
      await find(
        createOwnerSearch(files, 1, () => 0),
        [7],
      ),
    ).toEqual({ 7: [10] });
  });
});
