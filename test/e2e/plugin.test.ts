import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFrame, FRAME } from "../../src/broker/frame.ts";
import { deviceApprover } from "../helpers/gateway/approver.ts";
import { elevationsOf, enroll, untilAskable } from "../helpers/gateway/elevation.ts";
import { type Gateway, READY_WITHIN_MS } from "../helpers/gateway/gateway.ts";
import { cse } from "../helpers/run-in-terminal.ts";
import { installedFile, PLUGIN_ID, setPluginConfig, startWithPlugin } from "../helpers/gateway/installed-plugin.ts";

// One gateway for the file: each start costs half a minute of both processors.
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startWithPlugin({ config: { tools: { exec: { pathPrepend: ["~/.openclaw/bin"] } } } });
}, READY_WITHIN_MS + 600_000);
afterAll(async () => {
  await gateway?.stop();
});

const TEST_MS = 240_000;
const ASSESSED_WITHIN_MS = 330_000;
const TOKEN = "correct horse battery";
const route = (path: string): string => `http://127.0.0.1:${gateway.port}/plugins/${PLUGIN_ID}${path}`;
const fetchPage = async (path: string, init: RequestInit = {}): Promise<Response> =>
  await fetch(route(path), { ...init, headers: { authorization: `Bearer ${gateway.token}` } });

/** What a person at the chat reads after this, without a model in between. */
async function chat(message: string): Promise<string> {
  const sessionKey = "agent:main:chat";
  await gateway.call("chat.send", { sessionKey, message, idempotencyKey: randomBytes(8).toString("hex") });
  for (;;) {
    const { messages } = (await gateway.call("chat.history", { sessionKey })) as {
      messages: readonly { readonly role: string; readonly content: unknown }[];
    };
    const last = messages.at(-1);
    if (last?.role === "assistant") return (last.content as readonly { readonly text: string }[])[0]?.text ?? "";
    await sleep(200);
  }
}

describe("the tools", () => {
  it(
    "reach a model through Tool Search, and their results reach the model",
    async () => {
      const { toolResults } = await gateway.agentTurn(
        [
          { tool: "tool_call", args: { id: "scanPorts", args: {} } },
          { tool: "tool_call", args: { id: "assess", args: {} } },
          { tool: "tool_call", args: { id: "runPrivileged", args: { argv: ["/usr/bin/id"], reason: "a test" } } },
        ],
        // The assessment asks OpenClaw itself, several times.
        { timeoutMs: ASSESSED_WITHIN_MS },
      );
      expect(toolResults[0]).toMatch(/\d+ listening sockets?, \d+ of them reachable from other machines/);
      expect(toolResults[1]).toMatch(/\d+ not_assessed/);
      expect(toolResults[2]).toContain("Refused (no-route)");
    },
    ASSESSED_WITHIN_MS + TEST_MS,
  );

  it("check their parameters where the host does not", async () => {
    const answer = JSON.stringify(await gateway.invokeTool("scanPorts", { baseline: "/etc/passwd" }));
    expect(answer).toContain("invalid-input");
  });
});

describe("the agent's commands", () => {
  it(
    "never reach bare sudo, whichever way they are written",
    async () => {
      const { toolResults } = await gateway.agentTurn([
        { tool: "exec", args: { command: "sudo id" } },
        { tool: "exec", args: { command: "/usr/bin/sudo id" } },
        { tool: "exec", args: { command: "bash -c 'sudo id'" } },
        { tool: "tool_call", args: { id: "exec", args: { command: "bash -c 'sudo id'" } } },
        { tool: "exec", args: { command: "echo c3VkbyBpZA== | base64 -d | sh" } },
        { tool: "process", args: { action: "write", sessionId: "any", data: "sudo id\n" } },
        { tool: "exec", args: { command: "eval $(cat /etc/hostname)" } },
        { tool: "exec", args: { command: "openclaw approvals resolve x allow-once" } },
        { tool: "write", args: { path: "../openclaw.json", content: "{}" } },
        { tool: "read", args: { path: "~/.openclaw/openclaw.json" } },
        { tool: "exec", args: { command: "echo still $((40 + 2))" } },
      ]);
      expect(toolResults.map((text) => /still 42|no-route|use-run-privileged|protected-use/.exec(text)?.[0])).toEqual([
        "no-route",
        "no-route",
        "use-run-privileged",
        "use-run-privileged",
        "use-run-privileged",
        "use-run-privileged",
        "no-route",
        "protected-use",
        "protected-use",
        "protected-use",
        "still 42",
      ]);
      expect(toolResults.join("\n")).not.toContain("uid=0");
    },
    TEST_MS,
  );

  it(
    "run once through the gateway after an enrolled device agreed, whether they name sudo or a script of theirs does",
    async () => {
      const shim = await gateway.run(gateway.node, [
        installedFile(gateway, "dist/cli.js"),
        "shim",
        "install",
        "--yes",
        "--json",
      ]);
      expect([shim.exitCode, existsSync(join(gateway.stateDir, "bin/sudo"))]).toEqual([0, true]);
      await gateway.write(join(gateway.stateDir, "workspace/task.sh"), "sudo /usr/bin/id -un\n");
      await untilAskable(gateway);
      const device = await deviceApprover(gateway, { decide: () => "allow-once" });
      try {
        await enroll(gateway, device.deviceId);
        const { toolResults } = await gateway.agentTurn([
          { tool: "exec", args: { command: "sudo /usr/bin/id -u" } },
          { tool: "exec", args: { command: "sh ./task.sh" } },
        ]);
        expect(toolResults.map((text) => text.trim())).toEqual(["0", "root"]);
      } finally {
        await device.close();
      }
      const intents = (await elevationsOf(gateway).log()).filter(
        ({ event, channel }) => event === "exec-intent" && channel === "shim",
      );
      expect(intents.map(({ argv }) => argv)).toEqual([
        ["/usr/bin/id", "-u"],
        ["/usr/bin/id", "-un"],
      ]);
    },
    TEST_MS,
  );
});

describe("the dashboard's page", () => {
  it("is there for who has the gateway's token, under the page's own policy", async () => {
    const page = await fetchPage("/");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'$/,
    );
    expect(await page.text()).toContain("Security assessment of");
    expect(((await (await fetchPage("/summary.json")).json()) as { schemaVersion: number }).schemaVersion).toBe(1);
    expect((await fetch(route("/"))).status).toBe(401);
  });

  it("takes nothing in and serves nothing else", async () => {
    expect((await fetchPage("/etc/passwd")).status).toBe(404);
    expect((await fetchPage("/", { method: "HEAD" })).status).toBe(200);
    const bodies = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? "{bad" : "\0".repeat(index * 50)));
    const answers = await Promise.all(
      bodies.map(async (body) => (await fetchPage("/", { method: "POST", body })).status),
    );
    expect(new Set(answers)).toEqual(new Set([405]));
    expect((await fetchPage("/")).status).toBe(200);
  });
});

describe("the gateway around the plugin", () => {
  it(
    "stays as it is under a thousand malformed messages and bodies",
    async () => {
      const socket = join(gateway.stateDir, "security/broker.sock");
      const before = await elevationsOf(gateway).log();
      const answers: (string | number)[] = [];
      for (let first = 0; first < 500; first += 20) {
        const some = Array.from({ length: 20 }, (_, index) => first + index);
        await Promise.all(some.map(async (index) => await sendToSocket(socket, malformed(index))));
        answers.push(...(await Promise.all(some.map(async (index) => await postBody(index)))));
      }
      expect(new Set(answers)).toEqual(new Set([400, "invalid-input", "invalid-request"]));
      expect(await chat("/security")).toMatch(/^Service: works\nElevated: nothing\nWaiting for approval: nothing\n/);
      const after = await elevationsOf(gateway).log();
      expect(
        after.slice(before.length).filter(({ event }) => !["request", "refused", "checkpoint"].includes(event)),
      ).toEqual([]);
    },
    TEST_MS,
  );

  it(
    "keeps one broker when its configuration changes, and follows it",
    async () => {
      const broker = join(gateway.stateDir, "security/broker.sock");
      const { ino } = await stat(broker);
      await setPluginConfig(gateway, { protectedPaths: ["/srv/guarded"], approvalToken: TOKEN });
      while (!existsSync(broker) || (await stat(broker)).ino === ino) await sleep(100);
      const { toolResults } = await gateway.agentTurn([
        { tool: "write", args: { path: "/srv/guarded/x", content: "" } },
        { tool: "exec", args: { command: "sudo -V" } },
      ]);
      expect(toolResults[0]).toContain("protected-use");
      expect(toolResults[1]).toMatch(/^Sudo version/);
      expect(await listeningSockets(join(gateway.stateDir, "security/"))).toHaveLength(1);
    },
    TEST_MS,
  );

  it(
    "completes a yes by the owner's token, which a person types at a terminal",
    async () => {
      const device = await deviceApprover(gateway, { decide: () => "allow-once" });
      try {
        await enroll(gateway, device.deviceId);
        const answer = elevationsOf(gateway).run({ argv: ["/usr/bin/id", "-u"] });
        const desk = join(gateway.stateDir, "security/confirmations");
        while (!existsSync(desk) || (await readdir(desk)).length === 0) await sleep(50);
        const steps = [{ expect: "\\(not shown\\): ", send: `${TOKEN}\n` }];
        const person = { name: "cse-sudo", home: gateway.home, security: "", log: "" } as const;
        const typed = await cse(person, ["approvers", "confirm"], { steps });
        expect(await answer).toMatchObject({ status: "completed", stdout: "0\n" });
        expect([typed.exitCode, typed.output.includes(TOKEN)]).toEqual([0, false]);
      } finally {
        await device.close();
      }
    },
    TEST_MS,
  );

  it(
    "has the skill of the package and its commands, and takes the unpacked package as a skill",
    async () => {
      const added = await gateway.openclaw(["skills", "install", installedFile(gateway, "")]);
      expect([added.exitCode, added.stderr]).toEqual([0, expect.anything()]);
      const skills = await gateway.openclaw(["skills", "list", "--json"]);
      expect(skills.stdout).toContain(`"name": "${PLUGIN_ID}"`);
      const cli = join(gateway.stateDir, "workspace/skills", PLUGIN_ID, "dist/cli.js");
      const scan = await gateway.run(gateway.node, [cli, "scan", "ports", "--json"]);
      expect(JSON.parse(scan.stdout)).toMatchObject({ schemaVersion: 1, collector: "proc" });
      const preflight = await gateway.openclaw(["cse", "preflight", "--json"]);
      expect(JSON.parse(preflight.stdout)).toMatchObject({ schemaVersion: 1 });
    },
    TEST_MS,
  );
});

/** Of the shim's socket: no frame, half a frame, too long a one, another kind, no JSON, other JSON, no such token. */
function malformed(index: number): Buffer {
  const message = { v: 1, token: "no such", name: "sudo", words: ["id"], cwd: "/", reason: null, stdinBytes: null };
  const text = (value: unknown): Buffer => encodeFrame(FRAME.request, Buffer.from(JSON.stringify(value)));
  const kinds: readonly (() => Buffer)[] = [
    () => randomBytes(index % 100),
    () => text(message).subarray(0, index % 50),
    () => Buffer.from([0xff, 0xff, 0xff, 0xff, 1, index % 256]),
    () => encodeFrame(index % 256, randomBytes(20)),
    () => encodeFrame(FRAME.request, Buffer.from(`{"v":1,${"[".repeat(index)}`)),
    () => text({ ...message, v: 2 }),
    () => text({ ...message, words: "id" }),
    () => text(message),
  ];
  return kinds[index % kinds.length]?.() ?? Buffer.alloc(0);
}

async function sendToSocket(path: string, bytes: Buffer): Promise<void> {
  const socket = connect(path);
  socket.on("error", () => undefined).resume();
  socket.end(bytes);
  await new Promise((closed) => socket.on("close", closed));
}

/** Status, or the code within the answer, of one call of a tool that is none. */
async function postBody(index: number): Promise<string | number> {
  const bodies: readonly string[] = [
    "{bad",
    "\0".repeat(index),
    JSON.stringify({ tool: "scanPorts", args: { baseline: "/etc/passwd" } }),
    JSON.stringify({ tool: "assess", args: { checks: "all" } }),
    JSON.stringify({ tool: "runPrivileged", args: { argv: "/usr/bin/id", reason: "x" } }),
    JSON.stringify({ tool: "runPrivileged", args: { argv: ["id"], reason: 7 } }),
    JSON.stringify({ tool: "requestElevation", args: { argv: [null], reason: "x", runAs: {} } }),
  ];
  const response = await fetch(`http://127.0.0.1:${gateway.port}/tools/invoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json" },
    body: bodies[index % bodies.length] ?? "",
  });
  const answer = await response.text();
  return response.status === 200 ? (/invalid-input|invalid-request/.exec(answer)?.[0] ?? answer) : response.status;
}

/** Unix sockets of the gateway's namespace that listen below the folder. */
async function listeningSockets(folder: string): Promise<readonly string[]> {
  const rows = (await readFile(`/proc/${gateway.pid}/net/unix`, "utf8")).split("\n").map((row) => row.split(/\s+/));
  return rows.flatMap((row) => (row[3] === "00010000" && row[7]?.startsWith(folder) === true ? [row[7]] : []));
}
