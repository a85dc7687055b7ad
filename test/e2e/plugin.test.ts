import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deviceApprover } from "../helpers/gateway/approver.ts";
import { type Gateway, READY_WITHIN_MS } from "../helpers/gateway/gateway.ts";
import { PLUGIN_ID, startWithPlugin } from "../helpers/gateway/installed-plugin.ts";

// One gateway for the file: each start costs half a minute of both processors.
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startWithPlugin();
}, READY_WITHIN_MS + 600_000);
afterAll(async () => {
  await gateway?.stop();
});

const TEST_MS = 240_000;
const route = (path: string): string => `http://127.0.0.1:${gateway.port}/plugins/${PLUGIN_ID}${path}`;
const asOperator = { authorization: "Bearer " } as Record<string, string>;
const fetchPage = async (path: string, init: RequestInit = {}): Promise<Response> =>
  await fetch(route(path), { ...init, headers: { ...asOperator, authorization: `Bearer ${gateway.token}` } });

describe("the tools", () => {
  it(
    "reach a model through Tool Search, and their results reach the model",
    async () => {
      const { toolResults } = await gateway.agentTurn([
        { tool: "tool_call", args: { id: "scanPorts", args: {} } },
        { tool: "tool_call", args: { id: "assess", args: {} } },
        { tool: "tool_call", args: { id: "runPrivileged", args: { argv: ["/usr/bin/id"], reason: "a test" } } },
      ]);
      expect(toolResults[0]).toMatch(/\d+ listening sockets?, \d+ of them reachable from other machines/);
      expect(toolResults[1]).toMatch(/\d+ not_assessed/);
      expect(toolResults[2]).toContain("Refused (no-route)");
    },
    TEST_MS,
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
    "run once through the shim after an enrolled device agreed",
    async () => {
      const device = await deviceApprover(gateway, { decide: () => "allow-once" });
      try {
        const entry = {
          kind: "device",
          id: device.deviceId,
          name: "test",
          enrolled_at: "2026-11-28T14:00:00Z",
          proof: "none",
        };
        const list = JSON.stringify({ schemaVersion: 1, approvers: [entry] });
        await gateway.write(join(gateway.stateDir, "security/approvers.json"), list);
        // The plugin's client of the approvals is let in some time after the gateway is ready.
        let said = "no-route";
        for (let tried = 0; said.includes("no-route") && tried < 10; tried += 1) {
          [said = ""] = (
            await gateway.agentTurn([{ tool: "exec", args: { command: "sudo /usr/bin/id -u" } }])
          ).toolResults;
        }
        expect(said).toMatch(/^0\s*$/);
      } finally {
        await device.close();
      }
      const log = await readFile(join(gateway.stateDir, "security/privileged-audit.jsonl"), "utf8");
      expect(log.match(/"event":"exec-intent"/g)).toHaveLength(1);
      expect(log).toContain('"channel":"shim"');
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
  it("opens no debugger on SIGUSR1", async () => {
    process.kill(gateway.pid, "SIGUSR1");
    expect((await fetchPage("/")).status).toBe(200);
    expect(await gateway.log()).not.toMatch(/Debugger listening|Starting inspector/);
  });

  it(
    "has the skill of the package and its commands",
    async () => {
      const skills = await gateway.openclaw(["skills", "list", "--json"]);
      expect(skills.stdout).toContain(`"name": "${PLUGIN_ID}"`);
      const scan = await gateway.openclaw(["cse", "scan", "ports", "--json"]);
      expect(JSON.parse(scan.stdout)).toMatchObject({ schemaVersion: 1, collector: "proc" });
      const wrong = await gateway.openclaw(["cse", "nonsense"]);
      expect(wrong.exitCode).toBe(2);
    },
    TEST_MS,
  );
});
