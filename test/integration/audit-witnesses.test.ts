import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AuditAnchor, renderAnchor } from "../../src/audit/anchor.ts";
import { type AnchorTools, collectAnchors, createAnchorSender } from "../../src/collect/audit-anchor.ts";
import { collectSudoLog } from "../../src/collect/sudo-log.ts";
import { locateTool } from "../../src/exec/locate-tool.ts";
import { runTool, type ToolRequest, type ToolResult } from "../../src/exec/run-tool.ts";
import { itWith } from "../helpers/requires.ts";

const SAMPLES = join(import.meta.dirname, "../fixtures/sudo-logs");
const NOW = Date.parse("2026-11-24T00:00:00Z");
const ANCHOR: AuditAnchor = { place: "ab".repeat(8), logId: "cd".repeat(16), seq: 64, sha256: "ef".repeat(32) };

/** A machine whose tools answer as given; what is not named is not installed. */
function tools(answers: Readonly<Record<string, { stdout?: string; stderr?: string; exitCode?: number }>>) {
  const asked: ToolRequest[] = [];
  return {
    asked,
    locateTool: async (name: string) => (answers[name] === undefined ? null : `/usr/bin/${name}`),
    runTool: async (request: ToolRequest): Promise<ToolResult> => {
      asked.push(request);
      const { stdout = "", stderr = "", exitCode = 0 } = answers[request.file.slice(9)] ?? {};
      return { kind: "done", exitCode, stdout, stderr };
    },
  } satisfies AnchorTools & { asked: ToolRequest[] };
}

async function tempFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "witness-"));
}

describe("createAnchorSender (R-56)", () => {
  itWith(["logger"], "hands the line to whatever listens at the system log's socket", async () => {
    const socket = join(await tempFolder(), "log");
    const received = new Promise<string>((done) => {
      const server = createServer((connection) => connection.on("data", (chunk) => done(chunk.toString("utf8"))));
      server.listen(socket);
      onTestFinished(() => void server.close());
    });
    const send = await createAnchorSender({ runTool, locateTool }, socket);
    expect(await send?.(renderAnchor(ANCHOR))).toBe(true);
    expect(await received).toMatch(new RegExp(`^<37>.*openclaw-audit: ${renderAnchor(ANCHOR)}`, "s"));
  });

  itWith(["logger"], "says that nothing was taken when nobody listens any more", async () => {
    const socket = join(await tempFolder(), "log");
    const server = createServer().listen(socket);
    await new Promise<void>((done) => server.once("listening", done));
    const send = await createAnchorSender({ runTool, locateTool }, socket);
    server.close();
    expect(await send?.("x")).toBe(false);
  });

  it("is not there without a socket or without logger", async () => {
    const folder = await tempFolder();
    expect(await createAnchorSender(tools({ logger: {} }), join(folder, "log"))).toBeNull();
    await writeFile(join(folder, "log"), "");
    expect(await createAnchorSender(tools({ logger: {} }), join(folder, "log"))).toBeNull();
    expect(await createAnchorSender(tools({}), "/dev/log")).toBeNull();
  });
});

describe("collectAnchors", () => {
  it("finds anchors in the journal, of this account only, and in system logs", async () => {
    const folder = await tempFolder();
    const path = join(folder, "auth.log");
    const other = { ...ANCHOR, seq: 128 };
    await writeFile(path, `Nov 23 09:38:12 vm openclaw-audit: ${renderAnchor(other)}\nNov 23 vm openclaw-audit: odd\n`);
    const machine = tools({ journalctl: { stdout: `${renderAnchor(ANCHOR)}\n` } });
    expect(await collectAnchors(machine, 1000, [path, join(folder, "none")])).toEqual({
      anchors: [ANCHOR, other],
      sources: ["journal", path],
    });
    expect(machine.asked[0]?.args).toContain("_UID=1000");
  });

  it("says that there is no source when nothing can be read", async () => {
    expect(await collectAnchors(tools({ journalctl: { exitCode: 1 } }), 1000, [])).toEqual({
      anchors: [],
      sources: [],
    });
  });
});

describe("collectSudoLog (R-61)", () => {
  const given = async (name: string) =>
    await collectSudoLog({ now: () => NOW, ...tools({}), given: join(SAMPLES, name) }, 0);
  const commands = (log: Awaited<ReturnType<typeof given>>) =>
    log.kind === "read" ? log.executions.map(({ user, runAs, command }) => `${user}>${runAs}: ${command}`) : log;

  it("reads sudo's JSON file", async () => {
    const log = await given("sudo.json");
    expect(commands(log)).toEqual([
      "nobody>root: /usr/bin/id -u",
      "nobody>root: /usr/bin/printf %s\\n a b x\ty é --token=SEC RET back\\slash",
    ]);
    expect(log).toMatchObject({ from: 1_795_426_667_000 });
  });

  it("reads sudo's own log file, each command once", async () => {
    expect(commands(await given("sudo.log"))).toEqual([
      "nobody>root: /usr/bin/id -u",
      "nobody>root: /usr/bin/printf %s\\\\n 'a b' x#011y é '--token=SEC RET' back\\\\slash new#012line yyyyyyyy",
      "nobody>daemon: /usr/bin/sh -c 'exit 3'",
    ]);
  });

  it("reads a syslog daemon's file: neither refusals nor listings nor other programs, long commands whole", async () => {
    const log = await given("auth.log");
    expect(commands(log)).toEqual(["nobody>root: /usr/bin/id -u", "nobody>root: /usr/bin/printf aaa bbb ccc ddd"]);
    expect(log.kind === "read" ? log.executions[1]?.at : null).toBe(Date.parse("2026-11-23T09:38:15.250Z"));
    expect(log.kind === "read" ? log.executions[0]?.at : null).toBe(new Date(2026, 10, 23, 9, 38, 12).getTime());
  });

  it("takes a time of December for last year's when it is January", async () => {
    const path = join(await tempFolder(), "sudo.log");
    await writeFile(path, "Dec 31 23:59:59 : bob : PWD=/ ; USER=root ; COMMAND=/bin/id\n");
    const log = await collectSudoLog({ now: () => new Date(2027, 0, 1, 12).getTime(), ...tools({}), given: path }, 0);
    expect(log.kind === "read" ? log.executions[0]?.at : log).toBe(new Date(2026, 11, 31, 23, 59, 59).getTime());
  });

  it("puts lines together that sudo broke", async () => {
    const path = join(await tempFolder(), "sudo.log");
    await writeFile(path, "Nov 23 09:38:12 : bob : PWD=/ ; USER=root ;\n    COMMAND=/bin/printf aaa\n    bbb\n");
    const log = await collectSudoLog({ now: () => NOW, ...tools({}), given: path }, 0);
    expect(commands(log)).toEqual(["bob>root: /bin/printf aaa bbb"]);
  });

  it("reads the journal, also a message that is no UTF-8", async () => {
    const message = "bob : PWD=/ ; USER=root ; COMMAND=/bin/id";
    const lines = [
      JSON.stringify({ MESSAGE: message, __REALTIME_TIMESTAMP: "1795426667621634" }),
      JSON.stringify({ MESSAGE: [...Buffer.from(message)], __REALTIME_TIMESTAMP: "1795426668000000" }),
      '{"MESSAGE": "cut',
    ];
    const machine = tools({ journalctl: { stdout: lines.join("\n") } });
    const log = await collectSudoLog({ now: () => NOW, ...machine, logFolder: await tempFolder() }, 5_000);
    expect(log).toEqual({
      kind: "read",
      source: "journal",
      from: null,
      executions: [1_795_426_667_621, 1_795_426_668_000].map((at) => ({
        at,
        user: "bob",
        runAs: "root",
        command: "/bin/id",
      })),
    });
    expect(machine.asked[0]?.args).toContain("--since=@5");
  });

  it.each([
    [
      "keeps other accounts' messages back",
      { stderr: "Hint: You are currently not seeing messages from other users and the system.\n" },
    ],
    ["has no files", { stderr: "No journal files were found.\n" }],
    ["fails", { exitCode: 1 }],
  ])("takes no answer from a journal that %s, but one from the next place", async (_what, answer) => {
    const deps = { now: () => NOW, ...tools({ journalctl: answer }), logFolder: await tempFolder() };
    expect(await collectSudoLog(deps, 0)).toMatchObject({ kind: "unreadable" });
    await writeFile(join(deps.logFolder, "auth.log"), "");
    expect(await collectSudoLog(deps, 0)).toMatchObject({ kind: "read", source: join(deps.logFolder, "auth.log") });
  });

  it("says so when a file that a person named cannot be read", async () => {
    const path = join(await tempFolder(), "none");
    expect(await collectSudoLog({ now: () => NOW, ...tools({}), given: path }, 0)).toMatchObject({
      kind: "unreadable",
    });
    await writeFile(path, "");
    await chmod(path, 0o600);
    expect(await collectSudoLog({ now: () => NOW, ...tools({}), given: path }, 0)).toMatchObject({
      kind: "read",
      from: null,
    });
  });
});
