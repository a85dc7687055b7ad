import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { copyFileSync, existsSync, unlinkSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createSocketCollector, type SocketCollector, type SocketWant } from "../../src/collect/sockets.ts";
import type { Connection, Listener } from "../../src/core/network.ts";
import { locateTool } from "../../src/exec/locate-tool.ts";
import { runTool } from "../../src/exec/run-tool.ts";
import { itWith, toolPath } from "../helpers/requires.ts";

const LISTENERS: SocketWant = { listeners: true, connections: false, includeUdp: true };
const CONNECTIONS: SocketWant = { listeners: false, connections: true, includeUdp: true, includeLoopback: true };

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

function collector(procRoot = "/proc"): SocketCollector {
  return createSocketCollector({
    procRoot,
    now: Date.now,
    monotonicMs: () => performance.now(),
    runTool,
    locateTool,
    ownPid: process.pid,
    ownUid: process.getuid?.() ?? null,
  });
}

async function listen(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on("error", () => {}));
  server.listen({ host, port: 0 });
  await once(server, "listening");
  opened.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  opened.push(() => socket.resetAndDestroy());
  return socket;
}

async function bindUdp(port: number): Promise<UdpSocket> {
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  opened.push(() => socket.close());
  return socket;
}

/** A process that holds the given descriptor as its own fd 3. */
async function holdWith(fd: number, file = "/bin/sleep"): Promise<ChildProcess> {
  const child = spawn(file, ["60"], { stdio: ["ignore", "ignore", "ignore", fd] });
  await once(child, "spawn");
  opened.push(() => child.kill("SIGKILL"));
  return child;
}

function fdOf(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

function atPort(listeners: readonly Listener[], port: number): Listener[] {
  return listeners.filter((one) => one.port === port);
}

describe("createSocketCollector on this host", () => {
  it("shows a listener with the process that holds it", async () => {
    const { port } = await listen("127.0.0.1");
    const found = await collector().collect(LISTENERS);
    expect(found.collector).toBe("proc");
    expect(atPort(found.listeners, port)).toEqual([
      {
        protocol: "tcp",
        address: "127.0.0.1",
        port,
        scope: "loopback",
        device: null,
        dual_stack: false,
        pid: process.pid,
        name: expect.any(String),
        exe: process.execPath,
        exe_deleted: false,
        user: userInfo().username,
        uid: process.getuid?.(),
        unit: found.listeners.find((one) => one.port === port)?.unit,
        container: found.listeners.find((one) => one.port === port)?.container,
        unknown_reason: null,
        owners: 1,
      },
    ]);
  });

  it("shows a listener on :: as one on all interfaces whose second family is not known", async ({ skip }) => {
    skip(!existsSync("/proc/self/net/if_inet6"), "IPv6 is switched off in this kernel");
    const { port } = await listen("::");
    const [found] = atPort((await collector().collect(LISTENERS)).listeners, port);
    expect(found).toMatchObject({ address: "::", scope: "all-interfaces", dual_stack: null, owners: 1 });
  });

  it("counts every process of a preforking server once and shows the first", async () => {
    const { server, port } = await listen("127.0.0.1");
    const first = await holdWith(fdOf(server));
    for (let worker = 0; worker < 3; worker += 1) await holdWith(fdOf(server));
    server.close();
    await once(server, "close");
    const scans = collector();
    const found = atPort((await scans.collect(LISTENERS)).listeners, port);
    expect(found.map(({ name, owners }) => ({ name, owners }))).toEqual([{ name: "sleep", owners: 4 }]);

    first.kill("SIGKILL");
    await once(first, "exit");
    expect(atPort((await scans.collect(LISTENERS)).listeners, port)[0]?.owners).toBe(3);
  });

  it("shows each program that shares a listener, also one started by nobody who holds it", async () => {
    const { server, port } = await listen("127.0.0.1");
    // The shell ends at once: its child has a new parent, another name and the listener.
    const shell = spawn("/bin/sh", ["-c", "/bin/sleep 60 <&3 >/dev/null 2>&1 & echo $!"], {
      stdio: ["ignore", "pipe", "ignore", fdOf(server)],
    });
    const [pid] = (await once(shell.stdout ?? shell, "data")) as [Buffer];
    opened.push(() => process.kill(Number(pid.toString()), "SIGKILL"));
    await once(shell, "close");
    const found = atPort((await collector().collect(LISTENERS)).listeners, port);
    expect(found.map((one) => [one.pid, one.owners])).toEqual([
      [process.pid, 1],
      [Number(pid.toString()), 1],
    ]);
  });

  it("counts a worker that was started after the last scan", async () => {
    const { server, port } = await listen("127.0.0.1");
    const scans = collector();
    await scans.collect(LISTENERS);
    await holdWith(fdOf(server));
    const found = atPort((await scans.collect(LISTENERS)).listeners, port);
    expect(found.map(({ pid }) => pid)).toEqual([process.pid, expect.any(Number)]);
  });

  it("shows a listener as gone in the scan after it closed", async () => {
    const { server, port } = await listen("127.0.0.1");
    const scans = collector();
    expect(atPort((await scans.collect(LISTENERS)).listeners, port)).toHaveLength(1);
    server.close();
    await once(server, "close");
    expect(atPort((await scans.collect(LISTENERS)).listeners, port)).toEqual([]);
  });

  it("says that the executable of a listener was deleted", async () => {
    const { server, port } = await listen("127.0.0.1");
    const folder = await mkdtemp(join(tmpdir(), "cse-deleted-"));
    const file = join(folder, "server");
    copyFileSync("/bin/sleep", file);
    await holdWith(fdOf(server), file);
    server.close();
    unlinkSync(file);
    const [found] = atPort((await collector().collect(LISTENERS)).listeners, port);
    expect(found).toMatchObject({ exe: file, exe_deleted: true, owners: 1 });
  });

  it("shows a UDP service and takes an unconnected UDP socket on a client port as a client", async () => {
    const service = await bindUdp(20_053);
    const client = await bindUdp(0);
    const found = await collector().collect(LISTENERS);
    expect(atPort(found.listeners, service.address().port)).toMatchObject([
      { protocol: "udp", address: "127.0.0.1", pid: process.pid },
    ]);
    expect(atPort(found.listeners, client.address().port)).toEqual([]);
    expect(found.problems.map((problem) => problem.code)).toContain("udp-client-sockets");
  });

  it("leaves UDP out when it is not wanted", async () => {
    const service = await bindUdp(20_054);
    const found = await collector().collect({ ...LISTENERS, includeUdp: false });
    expect(atPort(found.listeners, service.address().port)).toEqual([]);
  });

  it("shows both ends of a connection to itself only when loopback is wanted", async () => {
    const { port } = await listen("127.0.0.1");
    await dial(port);
    const scans = collector();
    const all = (await scans.collect(CONNECTIONS)).connections.filter(
      (one) => one.local_port === port || one.remote_port === port,
    );
    expect(all).toHaveLength(2);
    for (const one of all) {
      expect(one).toMatchObject({ direction: "local", category: "loopback", state: "ESTABLISHED", pid: process.pid });
    }
    const egress = await scans.collect({ ...CONNECTIONS, includeLoopback: false });
    expect(egress.connections.filter((one) => one.direction === "local")).toEqual([]);
  });

  it("shows a UDP socket with a peer as a connection", async () => {
    const socket = createSocket("udp4");
    opened.push(() => socket.close());
    // Connecting a datagram socket sends nothing.
    socket.connect(9, "127.0.0.1");
    await once(socket, "connect");
    const { port } = socket.address();
    const found = await collector().collect(CONNECTIONS);
    expect(found.connections.filter((one) => one.local_port === port)).toMatchObject([
      {
        protocol: "udp",
        direction: "local",
        state: "ESTABLISHED",
        remote_ip: "127.0.0.1",
        remote_port: 9,
        pid: process.pid,
      },
    ]);
  });

  it("shows a connection in TIME_WAIT without an owner and is not incomplete for it", async () => {
    const { server, port } = await listen("127.0.0.1");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const client = await dial(port);
    const [peer] = await accepted;
    client.end();
    await once(peer, "end");
    peer.end();
    await once(client, "close");
    let seen: Connection | undefined;
    for (let turn = 0; turn < 100 && seen === undefined; turn += 1) {
      const { connections } = await collector().collect(CONNECTIONS);
      seen = connections.find((one) => one.remote_port === port && one.state === "TIME_WAIT");
    }
    expect(seen).toMatchObject({
      pid: null,
      uid: null,
      user: null,
      exe: null,
      unknown_reason: "TIME_WAIT: kernel keeps no owner",
    });
  });

  it("lets other work run while it reads", async () => {
    let rests = 0;
    let clock = 0;
    const scans = createSocketCollector({
      procRoot: "/proc",
      now: Date.now,
      // Every look at the clock finds a slice used up.
      monotonicMs: () => (clock += 10),
      runTool,
      locateTool,
      ownPid: process.pid,
      ownUid: process.getuid?.() ?? null,
      yieldToLoop: async () => {
        rests += 1;
        await setImmediate();
      },
    });
    const { port } = await listen("127.0.0.1");
    expect(atPort((await scans.collect(LISTENERS)).listeners, port)).toHaveLength(1);
    expect(rests).toBeGreaterThan(4);
  });

  itWith(["ss"], "shows the TCP listeners that ss shows, with an owner where ss names one", async () => {
    await listen("127.0.0.1");
    await listen("127.0.0.2");
    await listen("0.0.0.0");
    const ss = toolPath("ss") ?? "";
    const theirs = new Map<string, boolean>();
    for (const line of spawnSync(ss, ["-Hltnp"], { encoding: "utf8" }).stdout.split("\n")) {
      const [, , , local = ""] = line.split(/\s+/);
      if (local === "") continue;
      const address = local
        .replace(/^\*:/, "[::]:")
        .replace(/%[^:\]]+/, "")
        .replace(/[[\]]/g, "")
        .replace("::ffff:", "");
      theirs.set(address, line.includes("pid="));
    }
    const found = await collector().collect({ ...LISTENERS, includeUdp: false });
    const ours = new Map(found.listeners.map((one) => [`${one.address}:${one.port}`, one.pid !== null]));
    // Other tests open and close sockets meanwhile; what both looks agree on must include all of ours here.
    const own = found.listeners.filter((one) => one.pid === process.pid);
    expect(own).toHaveLength(3);
    for (const one of own) expect(theirs.get(`${one.address}:${one.port}`)).toBe(true);
    for (const [address, hasOwner] of theirs) if (ours.has(address)) expect(ours.get(address)).toBe(hasOwner);
  });

  itWith(["ss"], "shows the connections of this process that ss shows", async () => {
    const { port } = await listen("127.0.0.1");
    for (let count = 0; count < 5; count += 1) await dial(port);
    const ss = toolPath("ss") ?? "";
    const theirs = spawnSync(ss, ["-Htnp", "state", "established"], { encoding: "utf8" })
      .stdout.split("\n")
      .filter((line) => line.includes(`pid=${process.pid},`))
      .map((line) => line.split(/\s+/).slice(2, 4).join(" "));
    const { connections } = await collector().collect(CONNECTIONS);
    const ours = connections
      .filter((one) => one.pid === process.pid && one.state === "ESTABLISHED" && one.protocol === "tcp")
      .map((one) => `${one.local_address}:${one.local_port} ${one.remote_ip}:${one.remote_port}`);
    expect(ours.toSorted()).toEqual(theirs.toSorted());
    expect(ours).toHaveLength(10);
  });

  itWith(["ss"], "reads with ss where /proc cannot be used and finds the same listener", async () => {
    const { port } = await listen("127.0.0.1");
    const found = await collector("/nonexistent").collect(LISTENERS);
    expect(found.collector).toBe("ss");
    expect(found.problems[0]?.code).toBe("proc-unusable");
    expect(atPort(found.listeners, port)).toMatchObject([
      { protocol: "tcp", address: "127.0.0.1", scope: "loopback", pid: process.pid, owners: 1 },
    ]);
  });
});
