import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type Gateway, startGateway } from "../helpers/gateway/gateway.ts";
import { sudoUsersObstacle } from "../helpers/sudo-users.ts";
import { itUnless } from "../helpers/requires.ts";

const PROBE = { id: "cse-probe", folder: join(import.meta.dirname, "../fixtures/plugin-probe") };
const obstacle = sudoUsersObstacle();

describe("the real gateway of the tests", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    if (obstacle === null) gateway = await startGateway({ plugins: [PROBE] });
  });
  afterAll(async () => await gateway?.stop());

  itUnless(obstacle, "runs as an ordinary user", async () => {
    const { stdout } = await gateway.run("/usr/bin/ps", ["-o", "user=", "-p", String(gateway.pid)]);
    expect(stdout.trim()).toBe("cse-sudo");
  });

  itUnless(obstacle, "lets the scripted model call a host's tool and a plugin's tool", async () => {
    const turn = await gateway.agentTurn([
      { tool: "exec", args: { command: "id -un" } },
      { tool: "tool_call", args: { id: "probeEcho", args: { text: "hello" } } },
    ]);
    expect(turn.toolResults[0]).toContain("cse-sudo");
    expect(turn.toolResults[1]).toContain("echo hello");
  });
});
