import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSocketCollector, type SocketCollector, type SocketWant } from "../../src/collect/sockets.ts";
import { makeProcTree, PROC_HEADER, procRow } from "../helpers/proc-tree.ts";

const LISTENERS: SocketWant = { listeners: true, connections: false, includeUdp: false };
const CONNECTIONS: SocketWant = { listeners: false, connections: true, includeUdp: false };
const OWN = "0A00020F";
const STRANGER = "2EA2A28C";

function collector(procRoot: string, ownUid = 0, onRest: () => void = () => {}): SocketCollector {
  let clock = 0;
  return createSocketCollector({
    procRoot,
    now: () => 0,
    // Each slice is over at once, so that `onRest` comes between any two steps.
    monotonicMs: () => (clock += 5) % 1000,
    runTool: async () => ({ kind: "failed", code: "tool-missing", message: "no tool" }),
    locateTool: async () => null,
    ownPid: 1,
    ownUid,
    yieldToLoop: async () => onRest(),
  });
}

/** A service on port 8080 (inode 500) and one connection from that port to a stranger (inode 501). */
function fromListeningPort(uid = 1000): string {
  return (
    procRow({ local: "00000000:1F90", uid, inode: 500 }) +
    procRow({ local: `${OWN}:1F90`, remote: `${STRANGER}:9C40`, state: "01", uid, inode: 501 })
  );
}

async function directions(root: string, ownUid = 0): Promise<string[]> {
  return (await collector(root, ownUid).collect(CONNECTIONS)).connections.map((one) => one.direction);
}

describe("an outbound connection that pretends to be a visitor's", () => {
  it("is not inbound when a program connects from the port on which another one listens", async () => {
    const root = makeProcTree(
      { tcp: fromListeningPort() },
      { 42: { exe: "/opt/service", sockets: [500] }, 43: { exe: "/tmp/evil", sockets: [501] } },
    );
    expect(await directions(root)).toEqual(["unknown"]);
  });

  it("is not inbound when its owner hides", async () => {
    const root = makeProcTree({ tcp: fromListeningPort() }, { 42: { exe: "/opt/service", sockets: [500] } });
    expect(await directions(root)).toEqual(["unknown"]);
  });

  it("is not inbound over IPv4 when only IPv6 listens on the port, for another program", async () => {
    const root = makeProcTree(
      {
        tcp: procRow({ local: `${OWN}:1F90`, remote: `${STRANGER}:9C40`, state: "01", uid: 1000, inode: 501 }),
        tcp6: procRow({ local: `${"0".repeat(32)}:1F90`, uid: 33, inode: 500 }),
      },
      { 42: { exe: "/opt/service", sockets: [500] }, 43: { exe: "/tmp/evil", sockets: [501] } },
    );
    expect(await directions(root)).toEqual(["unknown"]);
  });

  it.each<[string, Parameters<typeof makeProcTree>[1], number, number]>([
    ["the process that listens holds it", { 42: { sockets: [500, 501] } }, 1000, 0],
    [
      "a descendant of the process that listens holds it",
      { 42: { sockets: [500] }, 50: { parent: 42 }, 51: { parent: 50, sockets: [501] } },
      1000,
      0,
    ],
    ["root listens and root accepted it", { 42: { sockets: [500] }, 43: { sockets: [501] } }, 0, 0],
    ["an ordinary user can see neither owner", { 42: {} }, 1000, 1001],
  ])("is inbound when %s", async (_what, processes, uid, ownUid) => {
    expect(await directions(makeProcTree({ tcp: fromListeningPort(uid) }, processes), ownUid)).toEqual(["inbound"]);
  });

  it("is not inbound for having process 1, which keeps listeners for others, as an ancestor", async () => {
    const root = makeProcTree(
      { tcp: fromListeningPort() },
      { 1: { exe: "/usr/lib/systemd/systemd", parent: 0, sockets: [500] }, 43: { exe: "/tmp/evil", sockets: [501] } },
    );
    expect(await directions(root)).toEqual(["unknown"]);
  });
});

describe("a program that hides behind another", () => {
  it("shows both programs that share a listener, whichever started first", async () => {
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:1F90", inode: 500 }) },
      {
        42: { exe: "/usr/bin/approved", start: 100, sockets: [500] },
        900: { exe: "/tmp/evil", start: 999, sockets: [500] },
      },
    );
    const { listeners } = await collector(root).collect(LISTENERS);
    expect(listeners.map(({ exe, owners }) => [exe, owners])).toEqual([
      ["/usr/bin/approved", 1],
      ["/tmp/evil", 1],
    ]);
  });

  it("shows both programs that share a connection", async () => {
    const root = makeProcTree(
      { tcp: procRow({ local: `${OWN}:A4D2`, remote: `${STRANGER}:01BB`, state: "01", inode: 500 }) },
      { 42: { exe: "/usr/bin/approved", sockets: [500] }, 900: { exe: "/tmp/evil", start: 999, sockets: [500] } },
    );
    const { connections } = await collector(root).collect(CONNECTIONS);
    expect(connections.map(({ exe }) => exe)).toEqual(["/usr/bin/approved", "/tmp/evil"]);
  });

  it("shows the service and not systemd, which keeps the socket it started the service for", async () => {
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:0016", inode: 500 }) },
      {
        1: { comm: "systemd", exe: "/usr/lib/systemd/systemd", parent: 0, start: 1, sockets: [500] },
        42: { comm: "sshd", exe: "/usr/sbin/sshd", sockets: [500] },
      },
    );
    const { listeners } = await collector(root).collect(LISTENERS);
    expect(listeners.map(({ exe, owners }) => [exe, owners])).toEqual([["/usr/sbin/sshd", 1]]);
  });

  it("believes no path of a process in a user namespace of its own, where it mounts what it likes", async () => {
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:1F90", inode: 500 }) + procRow({ local: "00000000:1F91", inode: 501 }) },
      {
        42: { exe: "/usr/sbin/nginx", userNamespace: 2, sockets: [500] },
        43: { exe: "/usr/sbin/nginx", userNamespace: 1, sockets: [501] },
      },
    );
    const { listeners } = await collector(root).collect(LISTENERS);
    expect(listeners.map(({ exe, exe_deleted, unknown_reason }) => [exe, exe_deleted, unknown_reason])).toEqual([
      [null, null, "in a user namespace of its own, where its executable is called /usr/sbin/nginx"],
      ["/usr/sbin/nginx", false, null],
    ]);
  });

  it("finds a socket that only one thread has", async () => {
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:1F90", inode: 500 }) },
      { 42: { exe: "/tmp/evil", threads: { 43: [500] } } },
    );
    const found = await collector(root).collect(LISTENERS);
    expect(found).toMatchObject({ complete: true, listeners: [{ pid: 42, exe: "/tmp/evil" }] });
  });

  it("finds the executable of a process whose main thread ended", async () => {
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:1F90", inode: 500 }) },
      { 42: { threads: { 43: [500] } } },
    );
    symlinkSync("/tmp/evil", join(root, "42/task/43/exe"));
    expect((await collector(root).collect(LISTENERS)).listeners).toMatchObject([{ pid: 42, exe: "/tmp/evil" }]);
  });
});

describe("a listener that does not keep still", () => {
  it("is shown, without an owner, when its socket is another one each time it is looked at", async () => {
    const table = (inode: number): string => procRow({ local: "00000000:1F90", inode });
    const root = makeProcTree({ tcp: table(500) }, { 42: {} });
    let inode = 500;
    const found = await collector(root, 0, () => {
      inode += 1;
      writeFileSync(join(root, "self/net/tcp"), PROC_HEADER + table(inode));
    }).collect(LISTENERS);
    expect(found).toMatchObject({ complete: false, unresolved: 1, listeners: [{ port: 8080, pid: null }] });
  });

  it("is incomplete for a listener the kernel names no inode for", async () => {
    const root = makeProcTree({ tcp: procRow({ local: "00000000:1F90", inode: 0 }) });
    expect(await collector(root).collect(LISTENERS)).toMatchObject({ complete: false, unresolved: 1 });
  });
});

describe("sockets beside TCP and UDP", () => {
  const row =
    "  404: 00000000:1E61 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 677961 2 0 0\n";

  it.each([
    ["udplite", "other-transports", "1 UDP-Lite", false],
    ["sctp/eps", "other-transports", "1 SCTP", false],
    ["icmp", "other-protocols", "1 ICMP", true],
    ["raw6", "other-protocols", "1 raw IP", true],
  ])("are told of when %s has a row", async (name, code, count, complete) => {
    const root = makeProcTree({ tcp: "" }, {}, { [`self/net/${name}`]: PROC_HEADER + row });
    const found = await collector(root).collect(LISTENERS);
    expect(found).toMatchObject({
      complete,
      problems: [{ code, message: `Sockets other than TCP and UDP are neither listed nor judged: ${count}` }],
    });
  });

  it("are not told of where there are none", async () => {
    const root = makeProcTree({ tcp: "" }, {}, { "self/net/udplite": PROC_HEADER, "self/net/raw": PROC_HEADER });
    expect((await collector(root).collect(LISTENERS)).problems).toEqual([]);
  });

  it("are told of as senders where a UDP socket has no peer", async () => {
    const root = makeProcTree({ tcp: "", udp: procRow({ local: "00000000:A000", state: "07", inode: 7 }) });
    const found = await collector(root).collect({ ...CONNECTIONS, includeUdp: true });
    expect(found.problems).toEqual([
      { code: "udp-without-peer", message: "1 UDP socket without a fixed peer: where they send cannot be seen" },
    ]);
  });
});

describe("a flood", () => {
  it("of listeners leaves those that others can reach, and makes the scan incomplete", async () => {
    const loopback = Array.from({ length: 20_000 }, (_, index) =>
      procRow({ local: `0100007F:${(1024 + index).toString(16).toUpperCase().padStart(4, "0")}`, inode: 1000 + index }),
    );
    const repeats = Array.from({ length: 10 }, (_, index) => procRow({ local: "00000000:0050", inode: 100 + index }));
    const root = makeProcTree({
      tcp: repeats.join("") + loopback.join("") + procRow({ local: "00000000:FFFF", inode: 99 }),
    });
    const found = await collector(root).collect(LISTENERS);
    expect(found).toMatchObject({ complete: false, problems: [{ code: "too-many-sockets" }] });
    expect(found.listeners).toHaveLength(20_000);
    expect(found.listeners.filter(({ scope }) => scope === "all-interfaces").map(({ port }) => port)).toEqual([
      80, 65_535,
    ]);
  });

  it("of more rows than memory is worth is counted, and makes the scan incomplete", async () => {
    const row = procRow({ local: `${OWN}:A4D2`, remote: `${STRANGER}:01BB`, state: "01", inode: 0 });
    const found = await collector(makeProcTree({ tcp: row.repeat(200_001) })).collect(CONNECTIONS);
    expect(found.complete).toBe(false);
    expect(found.problems.map(({ message }) => message)).toEqual([
      "The tcp table has 1 row more than a scan can read",
      "180000 sockets more than a scan can show",
    ]);
  });

  it("of connections leaves those that go out, and makes the scan incomplete", async () => {
    const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, "0");
    const visits = Array.from({ length: 20_000 }, (_, index) =>
      procRow({ local: `${OWN}:0016`, remote: `${STRANGER}:${hex(1024 + index)}`, state: "01", inode: 0, slot: index }),
    );
    const root = makeProcTree({
      tcp:
        procRow({ local: "00000000:0016", inode: 500 }) +
        visits.join("") +
        procRow({ local: `${OWN}:A4D2`, remote: `${STRANGER}:01BB`, state: "01", inode: 0 }),
    });
    mkdirSync(join(root, "42/fd"), { recursive: true });
    const found = await collector(root).collect(CONNECTIONS);
    expect(found).toMatchObject({ complete: false });
    expect(found.problems.map((problem) => problem.code)).toEqual(["too-many-sockets"]);
    expect(found.connections).toHaveLength(20_000);
    expect(found.connections[0]).toMatchObject({ direction: "outbound", local_port: 42_194 });
  });
});
