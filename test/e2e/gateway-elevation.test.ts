import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDecision, type WaitingApproval, deviceApprover } from "../helpers/gateway/approver.ts";
import { makeDevice } from "../helpers/gateway/device.ts";
import { type Elevations, elevationsOf, enroll, untilAskable } from "../helpers/gateway/elevation.ts";
import { type Gateway, READY_WITHIN_MS, startIn } from "../helpers/gateway/gateway.ts";
import { installedFile, startWithPlugin } from "../helpers/gateway/installed-plugin.ts";
import { startSelfApprover } from "../helpers/gateway/self-approver.ts";
import { sudoUsersObstacle } from "../helpers/sudo-users.ts";

const TEST_MS = 240_000;
/** Long enough for an answer on a busy machine, short enough to wait for its end. */
const ANSWER_SECONDS = 20;

/** The person at an enrolled device, for all tests of the file. */
const person = makeDevice();
let decide: (waiting: WaitingApproval) => TestDecision = () => "allow-once";
let gateway: Gateway;
let elevations: Elevations;
let human: Awaited<ReturnType<typeof deviceApprover>>;

async function meetPerson(): Promise<void> {
  elevations = elevationsOf(gateway);
  await untilAskable(gateway);
  human = await deviceApprover(gateway, { decide: (waiting) => decide(waiting) }, person);
  await enroll(gateway, human.deviceId);
}

beforeAll(async () => {
  if (sudoUsersObstacle() !== null) throw new Error(String(sudoUsersObstacle()));
  gateway = await startWithPlugin({
    config: { tools: { toolSearch: false } },
    pluginConfig: { answerWithinSeconds: ANSWER_SECONDS },
  });
  await meetPerson();
}, READY_WITHIN_MS + 600_000);
afterAll(async () => {
  await human?.close();
  await gateway?.stop();
});

/** Nobody but those who are asked here: the person's device is away. */
async function whileAway<T>(use: () => Promise<T>): Promise<T> {
  await human.close();
  try {
    return await use();
  } finally {
    human = await deviceApprover(gateway, { decide: (waiting) => decide(waiting) }, person);
  }
}

async function answering<T>(how: typeof decide, use: () => Promise<T>): Promise<T> {
  const before = decide;
  decide = how;
  try {
    return await use();
  } finally {
    decide = before;
  }
}

describe("a privileged command in a turn of the agent", () => {
  it(
    "runs exactly once, with real sudo, when an enrolled device allows it, through a tool the model sees directly",
    async () => {
      const { path, argv } = elevations.newMark();
      const { tools, toolResults } = await gateway.agentTurn([
        { tool: "runPrivileged", args: { argv: ["/usr/bin/id", "-un"], reason: "who it runs as" } },
        { tool: "runPrivileged", args: { argv, reason: "leaves a mark" } },
        { tool: "scanPorts", args: {} },
      ]);
      expect(tools).toEqual(
        expect.arrayContaining(["requestElevation", "runPrivileged", "scanPorts", "scanEgress", "assess"]),
      );
      expect(toolResults[0]).toMatch(/^Completed.*--- standard output\nroot/s);
      expect(toolResults[1]).toMatch(/^Completed/);
      expect(toolResults[2]).toMatch(/\d+ listening sockets?/);
      expect([existsSync(path), await elevations.intentsOf(argv)]).toEqual([true, 1]);
      expect(human.asked.map(({ description }) => description.includes(path))).toEqual([false, true]);
    },
    TEST_MS,
  );

  it("does not run when the device denies it, and its session may not ask for it again at once", async () => {
    const session = "agent:main:denied";
    const { path, argv } = elevations.newMark();
    await answering(
      () => "deny",
      async () => expect(await elevations.run({ argv }, session)).toMatchObject({ status: "denied", code: "denied" }),
    );
    expect(await elevations.run({ argv }, session)).toMatchObject({ status: "refused", code: "cooling-down" });
    expect([existsSync(path), await elevations.intentsOf(argv)]).toEqual([false, 0]);
  });

  it(
    "does not run when nobody answers in time, and a late yes changes nothing",
    async () => {
      const { path, argv } = elevations.newMark();
      const asked = human.asked.length;
      await answering(
        () => "leave",
        async () => expect(await elevations.run({ argv })).toMatchObject({ code: "approval-expired" }),
      );
      const late = human.asked[asked]?.id ?? "";
      await human.resolve(late, "allow-once").catch(() => undefined);
      await sleep(500);
      expect([existsSync(path), await elevations.intentsOf(argv)]).toEqual([false, 0]);
    },
    TEST_MS,
  );
});

describe("a process of the gateway's own account", () => {
  it.each([
    ["token", "untrusted-resolver", /\(runtime gateway-client\)/],
    ["paired", "approver-not-enrolled", /\(device [0-9a-f]{64}\)/],
  ] as const)(
    "gains nothing by saying yes itself (%s): it is refused as %s, and recorded",
    async (how, code, recorded) => {
      await whileAway(async () => {
        const script = await startSelfApprover(gateway, how);
        const { path, argv } = elevations.newMark();
        expect(await elevations.run({ argv })).toMatchObject({ status: "refused", code });
        // The gateway itself took its yes.
        expect((await script.end).stdout).toContain("allow-once");
        expect([existsSync(path), await elevations.intentsOf(argv)]).toEqual([false, 0]);
        const refused = (await elevations.log()).filter((entry) => entry.event === "refused").at(-1);
        expect(refused).toMatchObject({ code, message: expect.stringMatching(recorded) });
      });
    },
    TEST_MS,
  );

  it("opens no debugger by SIGUSR1", async () => {
    process.kill(gateway.pid, "SIGUSR1");
    await sleep(1_000);
    expect(/Debugger listening|Starting inspector/.exec(await gateway.log())).toBeNull();
    expect(new Set(await portsOf(gateway.pid))).toEqual(new Set([gateway.port]));
    expect(await elevations.run({ argv: ["/usr/bin/id", "-u"] })).toMatchObject({ status: "completed", stdout: "0\n" });
  });
});

describe("many at once", () => {
  it(
    "twenty parallel requests get each its own answer, and no other",
    async () => {
      const marks = Array.from({ length: 20 }, () => elevations.newMark());
      const isAllowed = (index: number): boolean => index % 3 !== 0;
      const indexOf = ({ description }: WaitingApproval): number =>
        marks.findIndex(({ path }) => description.includes(`"${path}"`));
      const before = human.asked.length;
      const results = await answering(
        (waiting) => (isAllowed(indexOf(waiting)) ? "allow-once" : "deny"),
        async () =>
          await Promise.all(
            marks.map(async ({ argv }, index) => await untilAsked(argv, `agent:main:parallel-${index}`)),
          ),
      );
      expect(results).toEqual(marks.map((_, index) => (isAllowed(index) ? "completed" : "denied")));
      expect(marks.map(({ path }) => existsSync(path))).toEqual(marks.map((_, index) => isAllowed(index)));
      expect(
        human.asked
          .slice(before)
          .map(indexOf)
          .toSorted((a, b) => a - b),
      ).toEqual(marks.map((_, index) => index));
      const intents = await Promise.all(marks.map(async ({ argv }) => await elevations.intentsOf(argv)));
      expect(intents).toEqual(marks.map((_, index) => (isAllowed(index) ? 1 : 0)));
    },
    TEST_MS,
  );
});

/** Six questions may wait at a time and eight commands run, so the others are told to come back. */
async function untilAsked(argv: readonly string[], sessionKey: string): Promise<string> {
  for (;;) {
    const { status, code } = await elevations.run({ argv }, sessionKey);
    if (code !== "too-many-pending" && code !== "busy") return code === undefined ? status : code;
    await sleep(100);
  }
}

describe("a gateway that is killed", () => {
  it(
    "leaves no grant between the yes and the run, and says of what ran that its outcome is unknown",
    async () => {
      const { path, argv } = elevations.newMark();
      const granted = await elevations.request({ argv, keepSession: true }, "agent:main:killed");
      expect(granted).toMatchObject({ status: "granted" });
      const sleeper = ["/usr/bin/sleep", "30"];
      const cut = elevations.run({ argv: sleeper }, "agent:main:cut").catch(() => "cut");
      while ((await elevations.intentsOf(sleeper)) === 0) await sleep(50);
      await human.close();
      await gateway.kill();
      expect(await cut).toBe("cut");

      await gateway.write(gateway.logPath, "");
      gateway = await startIn(gateway, gateway.model);
      await meetPerson();
      const asked = human.asked.length;
      const again = { argv, grantId: granted.grantId };
      expect(await elevations.run(again, "agent:main:killed")).toMatchObject({ code: "grant-unknown" });
      expect([existsSync(path), human.asked.length - asked]).toEqual([false, 0]);

      const log = await elevations.log();
      expect(log.filter(({ event }) => event === "outcome-unknown")).toHaveLength(1);
      const verified = await gateway.run(gateway.node, [
        installedFile(gateway, "dist/cli.js"),
        "audit",
        "verify",
        "--json",
      ]);
      expect(JSON.parse(verified.stdout)).toMatchObject({ status: "intact" });
      expect(await elevations.run({ argv: ["/usr/bin/id", "-u"] })).toMatchObject({ stdout: "0\n" });
    },
    READY_WITHIN_MS,
  );
});

/** TCP ports that the process listens on. */
async function portsOf(pid: number): Promise<readonly number[]> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map(async (fd) => await readlink(join(`/proc/${pid}/fd`, fd)).catch(() => "")),
  );
  const held = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.slice(1) ?? []));
  const tables = await Promise.all(
    ["tcp", "tcp6"].map(async (name) => await readFile(`/proc/${pid}/net/${name}`, "utf8")),
  );
  const rows = tables.flatMap((text) => text.trimEnd().split("\n").slice(1)).map((row) => row.trim().split(/\s+/));
  return rows
    .filter((row) => row[3] === "0A" && held.has(row[9] ?? ""))
    .map((row) => Number.parseInt(row[1]?.split(":")[1] ?? "", 16));
}
