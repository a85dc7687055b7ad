import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSocketCollector, type SocketCollector, type SocketWant } from "../../src/collect/sockets.ts";
import type { RunTool } from "../../src/exec/run-tool.ts";
import { makeProcTree, PROC_HEADER, procRow } from "../helpers/proc-tree.ts";
import { runAsUser } from "../helpers/unprivileged.ts";

const LISTENERS: SocketWant = { listeners: true, connections: false, includeUdp: false };
const CONNECTIONS: SocketWant = { listeners: false, connections: true, includeUdp: false };
const NOON = Date.UTC(2026, 10, 23, 12);

function collector(procRoot: string, ownUid = 0, runTool?: RunTool): SocketCollector {
  return createSocketCollector({
    procRoot,
    now: () => NOON,
    monotonicMs: () => performance.now(),
    runTool: runTool ?? (async () => ({ kind: "failed", code: "tool-missing", message: "no tool" })),
    locateTool: async (name) => (runTool === undefined ? null : `/usr/bin/${name}`),
    ownPid: 1,
    ownUid,
  });
}

describe("createSocketCollector on a tree that stands for /proc", () => {
  it("gives the whole picture of a service", async () => {
    const id = "0123456789abcdef".repeat(4);
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:1F90", uid: 0, inode: 500 }) },
      {
        42: {
          comm: "web",
          exe: "/opt/web (deleted)",
          sockets: [500],
          cgroup: `0::/system.slice/web.service/docker/${id}\n`,
        },
      },
    );
    expect(await collector(root).collect(LISTENERS)).toEqual({
      collector: "proc",
      collected_at: "2026-11-23T12:00:00Z",
      complete: true,
      unresolved: 0,
      denied: 0,
      connections: [],
      problems: [],
      listeners: [
        {
          protocol: "tcp",
          address: "0.0.0.0",
          port: 8080,
          scope: "all-interfaces",
          device: null,
          dual_stack: false,
          pid: 42,
          name: "web",
          exe: "/opt/web",
          exe_deleted: true,
          user: "root",
          uid: 0,
          unit: "web.service",
          container: id,
          unknown_reason: null,
          owners: 1,
        },
      ],
    });
  });

  it("finds the tables under net where there is no self", async () => {
    const root = makeProcTree({}, {}, { "net/tcp": PROC_HEADER + procRow({ local: "0100007F:0050", inode: 500 }) });
    const { listeners } = await collector(root).collect(LISTENERS);
    expect(listeners.map((one) => [one.address, one.port])).toEqual([["127.0.0.1", 80]]);
  });

  it("shows v4-mapped addresses as IPv4 and names the device of a link-local address", async () => {
    const mapped = "0000000000000000FFFF00000100007F";
    const linkLocal = "000080FE00000000FF005450B6AD1DFE";
    const root = makeProcTree(
      {
        tcp: "",
        tcp6: procRow({ local: `${mapped}:0050`, inode: 500 }) + procRow({ local: `${linkLocal}:0051`, inode: 501 }),
      },
      { 42: { exe: "/opt/web", sockets: [500, 501] } },
      { "self/net/if_inet6": "fe80000000000000505400fffe1dadb6 02 40 20 80     eth0\n" },
    );
    const { listeners } = await collector(root).collect(LISTENERS);
    expect(listeners.map(({ address, scope, device, dual_stack }) => ({ address, scope, device, dual_stack }))).toEqual(
      [
        { address: "127.0.0.1", scope: "loopback", device: null, dual_stack: false },
        { address: "fe80::5054:ff:fe1d:adb6", scope: "private", device: "eth0", dual_stack: false },
      ],
    );
  });

  it("takes sockets of one program on one port as one listener with all its processes", async () => {
    const row = (inode: number): string => procRow({ local: "00000000:0050", inode });
    const root = makeProcTree(
      { tcp: row(500) + row(501) + row(502) },
      {
        42: { exe: "/opt/web", start: 200, sockets: [500] },
        43: { exe: "/opt/web", start: 300, sockets: [501] },
        44: { exe: "/opt/other", start: 400, sockets: [502] },
      },
    );
    const { listeners } = await collector(root).collect(LISTENERS);
    expect(listeners.map(({ pid, exe, owners }) => ({ pid, exe, owners }))).toEqual([
      { pid: 42, exe: "/opt/web", owners: 2 },
      { pid: 44, exe: "/opt/other", owners: 1 },
    ]);
  });

  it("shows a row only once that a changing table repeats", async () => {
    const row = procRow({ local: "0A00020F:A4D2", remote: "2EA2A28C:01BB", state: "01", inode: 500 });
    const root = makeProcTree({ tcp: row + row }, { 42: { exe: "/opt/client", sockets: [500] } });
    expect((await collector(root).collect(CONNECTIONS)).connections).toHaveLength(1);
  });

  it("tells directions from listeners, own addresses and the host's client ports", async () => {
    const own = "0A00020F";
    const conn = (port: string, remote: string, inode: number): string =>
      procRow({ local: `${own}:${port}`, remote, state: "01", inode });
    const root = makeProcTree(
      {
        tcp:
          procRow({ local: "00000000:0016", inode: 499 }) +
          conn("0016", "2EA2A28C:C001", 500) +
          conn("A4D2", "2EA2A28C:01BB", 501) +
          conn("A4D3", `${own}:0016`, 502) +
          conn("0400", "2EA2A28C:01BB", 503),
      },
      { 42: { exe: "/opt/client", sockets: [499, 500, 501, 502, 503] } },
      {
        "self/net/fib_trie": "        |-- 15.2.0.10\n           /32 host LOCAL\n",
        "sys/net/ipv4/ip_local_port_range": "40000\t50000\n",
      },
    );
    const { connections } = await collector(root).collect({ ...CONNECTIONS, includeLoopback: true });
    expect(connections.map((one) => [one.local_port, one.direction, one.category])).toEqual([
      [22, "inbound", "public"],
      [42_194, "outbound", "public"],
      [42_195, "local", "public"],
      [1024, "unknown", "public"],
    ]);
  });

  it.each([
    [0, 33, "not visible even to root (held by the kernel, or on its way between processes)"],
    [1000, 0, "owned by uid 0 (root); run as root to resolve"],
    [1000, 4_242_424, "owned by uid 4242424; run as root to resolve"],
  ])("says as uid %i why a listener of uid %i has no owner, and is incomplete", async (ownUid, uid, reason) => {
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:0050", uid, inode: 500 }) },
      { 42: { sockets: [501] } },
    );
    const found = await collector(root, ownUid).collect(LISTENERS);
    expect(found).toMatchObject({ complete: false, unresolved: 1 });
    expect(found.listeners[0]).toMatchObject({ pid: null, exe: null, owners: 0, uid, unknown_reason: reason });
  });

  it("counts processes that refuse an ordinary user and says whose socket it is", async () => {
    const run = await runAsUser(`
      import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
      import { tmpdir } from "node:os";
      import { join } from "node:path";
      import { createSocketCollector } from "#src/collect/sockets.ts";
      const root = mkdtempSync(join(tmpdir(), "cse-proc-"));
      mkdirSync(join(root, "self/net"), { recursive: true });
      writeFileSync(join(root, "self/net/tcp"), ${JSON.stringify(PROC_HEADER + procRow({ local: "00000000:0050", uid: 0, inode: 500 }))});
      mkdirSync(join(root, "42/fd"), { recursive: true });
      symlinkSync("socket:[500]", join(root, "42/fd/3"));
      chmodSync(join(root, "42/fd"), 0);
      const found = await createSocketCollector({
        procRoot: root, now: () => 0, monotonicMs: () => performance.now(), runTool: async () => ({}), locateTool: async () => null,
        ownPid: 1, ownUid: process.getuid(),
      }).collect({ listeners: true, connections: false, includeUdp: false });
      chmodSync(join(root, "42/fd"), 0o700);
      const { complete, unresolved, denied, listeners } = found;
      process.stdout.write(JSON.stringify({ complete, unresolved, denied, reason: listeners[0].unknown_reason }));
    `);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toEqual({
      complete: false,
      unresolved: 1,
      denied: 1,
      reason: "owned by uid 0 (root); run as root to resolve",
    });
  });

  it("takes processes that end while it looks as normal", async () => {
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:0050", inode: 500 }) },
      { 42: { exe: "/opt/web", sockets: [500] }, 50: { sockets: [77] } },
    );
    for (const pid of [41, 43]) mkdirSync(join(root, String(pid)));
    rmSync(join(root, "50/stat"));
    symlinkSync("socket:[500]", join(root, "50/fd/9"));
    const found = await collector(root).collect(LISTENERS);
    expect(found).toMatchObject({ complete: true, denied: 0 });
    expect(found.listeners[0]).toMatchObject({ pid: 42, owners: 1 });
  });

  it("is not incomplete for a socket that was closed while it looked for the owner", async () => {
    const rows = procRow({ local: "0A00020F:A4D2", remote: "2EA2A28C:01BB", state: "01", inode: 500 });
    const root = makeProcTree({ tcp: rows }, { 42: {} });
    let looks = 0;
    const scans = createSocketCollector({
      procRoot: root,
      now: () => NOON,
      // The clock is read after the tables: by then the socket is gone.
      monotonicMs: () => {
        looks += 1;
        if (looks === 4) writeFileSync(join(root, "self/net/tcp"), PROC_HEADER);
        return 0;
      },
      runTool: async () => ({ kind: "failed", code: "tool-missing", message: "no tool" }),
      locateTool: async () => null,
      ownPid: 1,
      ownUid: 0,
    });
    const found = await scans.collect(CONNECTIONS);
    expect(found).toMatchObject({ complete: true, unresolved: 0 });
    expect(found.connections.map((one) => one.unknown_reason)).toEqual(["closed while the scan looked for its owner"]);
  });

  it("keeps a name of line breaks, quotes and escape codes as it is", async () => {
    const comm = 'a"\n\u001b[2J\u0007)';
    const root = makeProcTree(
      { tcp: procRow({ local: "00000000:0050", inode: 500 }) },
      { 42: { comm, exe: "/opt/we\nb", sockets: [500] } },
    );
    const [found] = (await collector(root).collect(LISTENERS)).listeners;
    expect(found).toMatchObject({ name: comm, exe: "/opt/we\nb", pid: 42 });
  });

  it("reads 10,000 listeners and 10,000 connections, each with its owner", async () => {
    const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, "0");
    const listening = Array.from({ length: 10_000 }, (_, index) =>
      procRow({ local: `0100007F:${hex(1000 + index)}`, inode: 100_000 + index, slot: index }),
    );
    const connected = Array.from({ length: 10_000 }, (_, index) =>
      procRow({
        local: `0A00020F:${hex(40_000 + index)}`,
        remote: "2EA2A28C:01BB",
        state: "01",
        inode: 200_000 + index,
        slot: 10_000 + index,
      }),
    );
    const sockets = Array.from({ length: 10_000 }, (_, index) => [100_000 + index, 200_000 + index]).flat();
    const root = makeProcTree({ tcp: listening.join("") + connected.join("") }, { 42: { exe: "/opt/web", sockets } });
    const found = await collector(root).collect({ listeners: true, connections: true, includeUdp: false });
    expect({
      complete: found.complete,
      listeners: found.listeners.filter((one) => one.pid === 42).length,
      connections: found.connections.filter((one) => one.pid === 42 && one.direction === "outbound").length,
    }).toEqual({ complete: true, listeners: 10_000, connections: 10_000 });
  });

  it("says that processes in other network namespaces were not looked at", async () => {
    const root = makeProcTree({ tcp: "" }, { 42: {}, 43: {}, 44: {} });
    for (const [pid, namespace] of [
      ["self", 1],
      ["42", 1],
      ["43", 2],
      ["44", 2],
    ] as const) {
      mkdirSync(join(root, pid, "ns"), { recursive: true });
      symlinkSync(`net:[${namespace}]`, join(root, pid, "ns/net"));
    }
    expect((await collector(root).collect(LISTENERS)).problems).toEqual([
      {
        code: "other-network-namespaces",
        message: "2 processes in 1 other network namespace (containers) not looked at",
      },
    ]);
  });

  it.each<[string, string, string]>([
    ["tcp6 without a header", "tcp6", ""],
    ["udp without a header", "udp", ""],
    ["tcp6 with a row nobody understands", "tcp6", `${PROC_HEADER}   0: what\n`],
  ])("is incomplete with %s", async (_what, name, text) => {
    const files = { "self/net/udp": PROC_HEADER, [`self/net/${name}`]: text };
    const found = await collector(makeProcTree({ tcp: "" }, {}, files)).collect({ ...LISTENERS, includeUdp: true });
    expect(found.complete).toBe(false);
    expect(found.problems).toHaveLength(1);
  });

  it("is incomplete when UDP is wanted and there is no table for it", async () => {
    const root = makeProcTree({ tcp: "" });
    expect((await collector(root).collect({ ...LISTENERS, includeUdp: true })).complete).toBe(false);
    expect((await collector(root).collect(LISTENERS)).complete).toBe(true);
  });

  it.each<[string, Record<string, string>]>([
    ["no table", {}],
    ["an empty table without a header", { "self/net/tcp": "" }],
    ["a table of something else", { "self/net/tcp": "hello\n" }],
  ])("throws rather than call a host clean that has %s and no tool", async (_what, files) => {
    const scan = collector(makeProcTree({}, {}, files)).collect(LISTENERS);
    await expect(scan).rejects.toMatchObject({ name: "SecurityError", code: "proc-unusable" });
  });

  it("asks ss where the tables cannot be used and takes facts about processes from /proc", async () => {
    const root = makeProcTree({}, { 42: { comm: "real", exe: "/opt/web", sockets: [500] } }, { "self/net/tcp": "" });
    const stdout = [
      "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess",
      'tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=7,fd=3)) ino:600 sk:1 <->',
      'tcp   LISTEN 0      128                *:8080            *:*    users:(("shown",pid=42,fd=3)) ino:500 sk:2 v6only:0 <->',
      "tcp   LISTEN 0      128        127.0.0.1:631       0.0.0.0:*    uid:7 ino:601 sk:3 <->",
    ].join("\n");
    const found = await collector(root, 1000, async () => ({
      kind: "done",
      exitCode: 0,
      stdout: `${stdout}\n`,
      stderr: "",
    })).collect(LISTENERS);
    expect(found).toMatchObject({ collector: "ss", complete: false, unresolved: 1 });
    expect(
      found.listeners.map(({ address, port, dual_stack, pid, name, exe, unknown_reason }) => [
        address,
        port,
        dual_stack,
        pid,
        name,
        exe,
        unknown_reason,
      ]),
    ).toEqual([
      ["0.0.0.0", 22, false, 7, "sshd", null, "named by ss; /proc shows nothing about this process"],
      [
        "127.0.0.1",
        631,
        false,
        null,
        null,
        null,
        expect.stringMatching(/^owned by uid 7 \(.+\); run as root to resolve$/),
      ],
      ["::", 8080, true, 42, "real", "/opt/web", null],
    ]);
  });

  it("is incomplete when only lsof answers", async () => {
    const root = makeProcTree({}, { 42: { exe: "/opt/web", sockets: [500] } });
    const lsof = ["p42", "cweb", "u0", "Lroot", "f3", "tIPv4", "PTCP", "n127.0.0.1:80", "TST=LISTEN"].map(
      (field) => `${field}\0`,
    );
    const runTool: RunTool = async ({ file }) =>
      file.endsWith("lsof")
        ? { kind: "done", exitCode: 0, stdout: `${lsof.slice(0, 4).join("")}\n${lsof.slice(4).join("")}\n`, stderr: "" }
        : { kind: "failed", code: "timeout", message: "too slow" };
    const found = await collector(root, 0, runTool).collect(LISTENERS);
    expect(found).toMatchObject({ collector: "lsof", complete: false });
    expect(found.listeners).toMatchObject([{ address: "127.0.0.1", port: 80, pid: 42, exe: "/opt/web" }]);
  });
});
