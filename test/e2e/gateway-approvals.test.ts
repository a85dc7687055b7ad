import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { RunResult } from "../../src/app/elevation-result.ts";
import { deviceApprover, runtimeApprover, type TestApprover } from "../helpers/gateway/approver.ts";
import { openControlUi } from "../helpers/gateway/control-ui.ts";
import { enroll } from "../helpers/gateway/elevation.ts";
import { elevationPlugin } from "../helpers/gateway/elevation-plugin.ts";
import { type Gateway, READY_WITHIN_MS, startGateway } from "../helpers/gateway/gateway.ts";
import { itUnless, toolPath } from "../helpers/requires.ts";
import { sudoUsersObstacle } from "../helpers/sudo-users.ts";

/** The host is slow to start its own command and a browser, and other tests run beside this. */
const LONG_MS = 240_000;
const obstacle = sudoUsersObstacle() ?? (toolPath("chromium") === null ? "chromium not installed" : null);

/** One gateway for all: each test asks for a command of its own, for the same one cools down after a no. */
describe("approvals through the real gateway", () => {
  let gateway: Gateway;
  let count = 0;

  beforeAll(async () => {
    if (obstacle === null) gateway = await startGateway({ plugins: [await elevationPlugin()], controlUi: true });
  }, READY_WITHIN_MS);
  afterAll(async () => await gateway?.stop());

  /** A call of the tool as root's, in a session of its own, and whether the command really ran. */
  const ask = async (changes: object = {}, how: "call" | "turn" = "call"): Promise<RunResult & { ran: boolean }> => {
    count += 1;
    const mark = join(gateway.home, `ran-${count}`);
    const args = { argv: ["/usr/bin/touch", mark], reason: `test ${count}`, ...changes };
    const result = how === "call" ? await gateway.invokeTool("runPrivileged", args) : await callInTurn(args);
    const text = (result as { content?: { text: string }[] }).content?.[0]?.text;
    return { ...(JSON.parse(text ?? "{}") as RunResult), ran: existsSync(mark) };
  };
  /** As a model calls it, through the host's tool search. */
  const callInTurn = async (args: object): Promise<unknown> => {
    const { toolResults } = await gateway.agentTurn([{ tool: "tool_call", args: { id: "runPrivileged", args } }]);
    return (JSON.parse(toolResults[0] ?? "{}") as { result: unknown }).result;
  };
  const withApprover = async <A extends TestApprover, T>(approver: A, use: (approver: A) => Promise<T>): Promise<T> => {
    try {
      return await use(approver);
    } finally {
      await approver.close();
    }
  };

  itUnless(
    obstacle,
    "T34: refuses at once when nobody is there",
    async () => {
      const before = performance.now();
      expect(await ask()).toMatchObject({ status: "refused", code: "no-route", ran: false });
      // On a machine that does nothing else it takes a tenth of a second.
      expect(performance.now() - before).toBeLessThan(10_000);
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "does not take the yes of a process with the gateway's token",
    async () => {
      await withApprover(await runtimeApprover(gateway, { decide: () => "allow-once" }), async (agent) => {
        expect(await ask()).toMatchObject({ status: "refused", code: "untrusted-resolver", ran: false });
        expect(agent.asked).toHaveLength(1);
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "does not take the yes of OpenClaw's own command",
    async () => {
      await withApprover(await runtimeApprover(gateway), async (route) => {
        const turn = ask();
        const { id } = await route.next();
        expect((await gateway.openclaw(["approvals", "resolve", id, "allow-once"])).exitCode).toBe(0);
        expect(await turn).toMatchObject({ status: "refused", code: "untrusted-resolver", ran: false });
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "does not take the yes of a process that paired itself",
    async () => {
      await withApprover(await deviceApprover(gateway, { decide: () => "allow-once" }), async (device) => {
        expect(await ask()).toMatchObject({ status: "refused", code: "approver-not-enrolled", ran: false });
        expect((await ask()).message).toContain(device.deviceId.slice(0, 16));
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "runs once what an enrolled device allows, and shows it the exact words",
    async () => {
      await withApprover(await deviceApprover(gateway, { decide: () => "allow-once" }), async (device) => {
        await enroll(gateway, device.deviceId);
        expect(await ask({}, "turn")).toMatchObject({ status: "completed", exitCode: 0, ran: true });
        expect(device.asked[0]?.title).toMatch(/^Run as "root"\? \[[0-9a-f]{8}\]$/);
        expect(device.asked[0]?.description.split("\n")).toContain(`  "${join(gateway.home, `ran-${count}`)}"`);
        expect(device.asked[0]?.request).toMatchObject({ allowedDecisions: ["allow-once", "deny"] });
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "asks a device that was enrolled with the right to approve alone",
    async () => {
      const device = await deviceApprover(gateway, { decide: () => "allow-once", scopes: ["operator.approvals"] });
      await withApprover(device, async ({ deviceId }) => {
        await enroll(gateway, deviceId);
        expect(await ask()).toMatchObject({ status: "completed", ran: true });
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "takes the click of an enrolled browser, and its no",
    async () => {
      const ui = await openControlUi(gateway);
      try {
        await withApprover(await runtimeApprover(gateway), async (route) => {
          const stranger = ask();
          await ui.decide((await route.next()).id, "Allow once");
          expect(await stranger).toMatchObject({ code: "approver-not-enrolled", ran: false });

          await enroll(gateway, ui.deviceId);
          const friend = ask();
          const shown = await ui.decide((await route.next()).id, "Allow once");
          expect(await friend).toMatchObject({ status: "completed", ran: true });
          expect(shown).toContain("Command, one word per line:");

          const refused = ask();
          await ui.decide((await route.next()).id, "Deny");
          expect(await refused).toMatchObject({ status: "denied", code: "denied", ran: false });
        });
      } finally {
        await ui.close();
      }
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "asks about keeping it only after the yes, and keeps it only then",
    async () => {
      const decide = ({ title }: { title: string }) => (title.startsWith("Allowed once") ? "deny" : "allow-once");
      await withApprover(await deviceApprover(gateway, { decide }), async (device) => {
        await enroll(gateway, device.deviceId);

        expect(await ask({ keepSession: true })).toMatchObject({ status: "completed", ran: true });
        expect(device.asked.map(({ title }) => title.slice(0, 12))).toEqual(['Run as "root', "Allowed once"]);
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "counts nobody when the list of approvers is not sound",
    async () => {
      await withApprover(await deviceApprover(gateway, { decide: () => "allow-once" }), async (device) => {
        await enroll(gateway, device.deviceId, device.deviceId);
        expect(await ask()).toMatchObject({ status: "refused", code: "approvers-broken", ran: false });
        expect(device.asked).toEqual([]);
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "takes a question away when its time is over, and leaves nothing to answer",
    async () => {
      await withApprover(await runtimeApprover(gateway), async (route) => {
        await enroll(gateway);
        const result = gateway.invokeTool("askFor", { ttlMs: 1_500 });
        const { id } = await route.next();
        expect(JSON.stringify(await result)).toContain("approval-expired");
        await expect(gateway.call("plugin.approval.resolve", { id, decision: "allow-once" })).rejects.toThrow(
          /approval/,
        );
        expect(await gateway.call("plugin.approval.list")).toEqual([]);
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "known limit at L0: whoever can write OpenClaw's database can forge who said yes",
    async () => {
      await withApprover(await runtimeApprover(gateway, { decide: () => "allow-once" }), async () => {
        const id = "ab".repeat(32);
        await enroll(gateway, id);
        const forge = `
          const { DatabaseSync } = require("node:sqlite");
          const database = new DatabaseSync(process.argv[1], { timeout: 10_000 });
          database.exec(process.argv[2]);`;
        const path = join(gateway.stateDir, "state/openclaw.sqlite");
        const trigger = `CREATE TRIGGER forged AFTER UPDATE ON operator_approvals WHEN NEW.resolver_kind = 'runtime'
          BEGIN UPDATE operator_approvals SET resolver_kind = 'device', resolver_id = '${id}'
          WHERE approval_id = NEW.approval_id; END`;
        expect(await gateway.run(gateway.node, ["-e", forge, path, trigger])).toMatchObject({ exitCode: 0 });
        expect(await ask()).toMatchObject({ status: "completed", ran: true });
        await gateway.run(gateway.node, ["-e", forge, path, "DROP TRIGGER forged"]);
        expect(await ask()).toMatchObject({ code: "untrusted-resolver", ran: false });
      });
    },
    LONG_MS,
  );

  itUnless(
    obstacle,
    "records who answered, also whose answer did not count",
    async () => {
      const log = await readFile(join(gateway.stateDir, "security/privileged-audit.jsonl"), "utf8");
      const entries = log
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      const yes = entries.filter(({ event, decision }) => event === "decision" && decision === "allow-once");
      expect(yes.map(({ by }) => (by as { kind: string }).kind)).toEqual([
        "device",
        "device",
        "device",
        "device",
        "device",
      ]);
      const refused = entries.filter(({ event }) => event === "refused").map(({ message }) => String(message));
      expect(refused.some((message) => message.includes("(runtime gateway-client)"))).toBe(true);
      expect(refused.some((message) => message.includes("(runtime cli)"))).toBe(true);
      expect(refused.some((message) => /\(device [0-9a-f]{64}\)/.test(message))).toBe(true);
    },
    LONG_MS,
  );
});
