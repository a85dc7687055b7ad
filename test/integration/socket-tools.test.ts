import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { collectWithTools, type SocketTool } from "../../src/collect/socket-tools.ts";
import { locateTool } from "../../src/exec/locate-tool.ts";
import { runTool } from "../../src/exec/run-tool.ts";
import { mergeTables } from "../../src/scan/merge-tables.ts";
import type { SocketTable } from "../../src/scan/socket-table.ts";
import { itWith } from "../helpers/requires.ts";

let server: Server;
let client: Socket;
let udp: UdpSocket;
let udpClient: UdpSocket;

const tcpPort = (): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = connect(tcpPort(), "127.0.0.1");
  await Promise.all([once(client, "connect"), once(server, "connection")]);
  udp = createSocket("udp4");
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  udpClient = createSocket("udp4");
  udpClient.connect(udp.address().port, "127.0.0.1");
  await once(udpClient, "connect");
});

afterAll(() => {
  client.destroy();
  server.close();
  udp.close();
  udpClient.close();
});

/** The table of one real tool, with the tools before it hidden. */
async function tableOf(tool: SocketTool, includeUdp = true): Promise<SocketTable> {
  const { tables } = await collectWithTools(
    { runTool, locateTool: async (name) => (name === tool ? locateTool(name) : null) },
    { includeUdp },
  );
  const found = tables.find((table) => table.tool === tool);
  if (found === undefined) throw new Error(`${tool} gave no table`);
  return found.table;
}

function expectOurSockets(table: SocketTable): void {
  const listeners = table.listeners.filter((row) => row.port === tcpPort() || row.port === udp.address().port);
  expect(listeners.map(({ protocol, address, port, state, pid }) => ({ protocol, address, port, state, pid }))).toEqual(
    expect.arrayContaining([
      { protocol: "tcp", address: "127.0.0.1", port: tcpPort(), state: "LISTEN", pid: process.pid },
      { protocol: "udp", address: "127.0.0.1", port: udp.address().port, state: "UNCONN", pid: process.pid },
    ]),
  );
  const ends = table.connections.map(({ protocol, local_port, remote_port, state, pid }) => ({
    protocol,
    local_port,
    remote_port,
    state,
    pid,
  }));
  const shared = { state: "ESTABLISHED", pid: process.pid };
  const clientPort = client.localPort ?? 0;
  expect(ends).toEqual(
    expect.arrayContaining([
      { protocol: "tcp", local_port: clientPort, remote_port: tcpPort(), ...shared },
      { protocol: "tcp", local_port: tcpPort(), remote_port: clientPort, ...shared },
      { protocol: "udp", local_port: udpClient.address().port, remote_port: udp.address().port, ...shared },
    ]),
  );
}

describe("the socket tools of this machine", () => {
  for (const tool of ["ss", "lsof", "netstat"] as const) {
    itWith([tool], `${tool} shows our listeners and connections with our pid`, async () => {
      const table = await tableOf(tool);
      expectOurSockets(table);
      expect(table.problems).toEqual([]);
    });

    itWith([tool], `${tool} shows no UDP socket when UDP is not wanted`, async () => {
      const table = await tableOf(tool, false);
      expect([...table.listeners, ...table.connections].filter((row) => row.protocol !== "tcp")).toEqual([]);
      expect(table.listeners.some((row) => row.port === tcpPort())).toBe(true);
    });
  }

  itWith(["ss", "lsof", "netstat"], "merge into one row for each of our sockets", async () => {
    const merged = mergeTables([await tableOf("ss"), await tableOf("lsof"), await tableOf("netstat")]);
    expectOurSockets(merged);
    expect(merged.listeners.filter((row) => row.port === tcpPort())).toHaveLength(1);
    expect(merged.connections.filter((row) => row.local_port === client.localPort)).toHaveLength(1);
  });

  itWith(["ss"], "are not asked beyond ss when ss answers well", async () => {
    const result = await collectWithTools({ runTool, locateTool }, { includeUdp: true });
    expect([result.tables.map((table) => table.tool), result.problems]).toEqual([["ss"], []]);
  });
});
