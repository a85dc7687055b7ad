import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { collectBrokerSocket } from "../../src/collect/broker-socket.ts";
import type { BrokerSocket, GatewayProcess } from "../../src/core/host-evidence.ts";
import type { Evidence } from "../../src/core/evidence.ts";
import { GATEWAY, seen, unseen } from "../helpers/assess-evidence.ts";

let path: string;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "cse-broker-"));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  path = join(folder, "broker.sock");
});

function look(change: Partial<GatewayProcess>): Evidence<BrokerSocket> {
  const gateway = seen({ ...GATEWAY, running: true, ...change });
  return collectBrokerSocket({ now: () => 0, procRoot: "/proc", gateway, path });
}

async function listen(): Promise<void> {
  const server = createServer();
  server.listen(path);
  await once(server, "listening");
  onTestFinished(() => void server.close());
}

it("is the gateway's only when the gateway itself listens there", async () => {
  expect(look({ pid: process.pid })).toMatchObject({ kind: "measured", value: { path, held_by: "none" } });
  await listen();
  expect(look({ pid: process.pid })).toMatchObject({ kind: "measured", value: { path, held_by: "gateway" } });
  const other = spawn("/bin/sleep", ["60"], { stdio: "ignore" });
  onTestFinished(() => void other.kill());
  expect(look({ pid: other.pid ?? 0 })).toMatchObject({ kind: "measured", value: { held_by: "other" } });
});

it("is not measured without a gateway, or when it cannot be looked at", () => {
  expect(look({ running: false, pid: null })).toMatchObject({ kind: "unmeasured", code: "file-missing" });
  expect(look({ pid: 4_194_305 })).toMatchObject({ kind: "unmeasured", code: "permission-denied" });
  const gateway = unseen("timeout");
  expect(collectBrokerSocket({ now: () => 0, procRoot: "/proc", gateway, path })).toBe(gateway);
});
