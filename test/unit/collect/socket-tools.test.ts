import { describe, expect, it } from "vitest";
import { collectWithTools, type SocketTool, type ToolTables } from "../../../src/collect/socket-tools.ts";
import type { ToolRequest, ToolResult } from "../../../src/exec/run-tool.ts";
import { socketSample } from "../../helpers/socket-samples.ts";

const done = (stdout: string, exitCode = 0, stderr = ""): ToolResult => ({ kind: "done", exitCode, stdout, stderr });
const SS = done(socketSample("ss-all.txt"));
const LSOF = done(socketSample("lsof-fields-linux.txt"));
const NETSTAT = done(socketSample("netstat-linux-wide.txt"));
const FAILED: ToolResult = { kind: "failed", code: "timeout", message: "did not finish" };

type Answers = Readonly<Record<SocketTool, ToolResult | null>>;

/** Runs the collector on tools that answer as told; null is a tool that is not installed. */
async function collect(answers: Answers, includeUdp = true): Promise<{ result: ToolTables; requests: ToolRequest[] }> {
  const requests: ToolRequest[] = [];
  const tools = new Map<string, ToolResult | null>(Object.entries(answers));
  const result = await collectWithTools(
    {
      locateTool: async (name) => ((tools.get(name) ?? null) === null ? null : `/usr/bin/${name}`),
      runTool: async (request) => {
        requests.push(request);
        return tools.get(request.file.slice("/usr/bin/".length)) ?? FAILED;
      },
    },
    { includeUdp },
  );
  return { result, requests };
}

const toolsOf = (result: ToolTables): string[] => result.tables.map((table) => table.tool);
const codesOf = (result: ToolTables): string[] => result.problems.map((problem) => problem.code);

describe("collectWithTools", () => {
  it("asks ss alone when ss has no problem", async () => {
    const { result, requests } = await collect({ ss: SS, lsof: LSOF, netstat: NETSTAT });
    expect([toolsOf(result), codesOf(result)]).toEqual([["ss"], []]);
    expect(requests).toEqual([{ file: "/usr/bin/ss", args: ["-tuanpe"], timeoutMs: 10_000, maxBytes: 16_777_216 }]);
  });

  it("asks no tool for UDP when it is not wanted", async () => {
    const { requests } = await collect({ ss: FAILED, lsof: LSOF, netstat: NETSTAT }, false);
    expect(requests.map((request) => request.args.join(" "))).toEqual([
      "-tanpe",
      "-w -nP +c0 -iTCP -F0pcuLftPTnd",
      "-tnapeW",
    ]);
  });

  it.each<[string, ToolResult | null, string]>([
    ["is missing", null, "tool-missing"],
    ["does not finish", FAILED, "timeout"],
    ["prints nothing, not even a header", done(""), "tool-failed"],
    ["fails with a message", done("", 255, "ss: no such option"), "tool-failed"],
    ["prints something else", done("Usage: ss [ OPTIONS ]\n"), "not-a-table"],
  ])("asks lsof and netstat, and says why, when ss %s", async (_title, ss, code) => {
    const { result } = await collect({ ss, lsof: LSOF, netstat: NETSTAT });
    expect([toolsOf(result), codesOf(result)]).toEqual([["lsof", "netstat"], [code]]);
  });

  it.each<[string, ToolResult, string]>([
    ["has a row it cannot read", done(`${socketSample("ss-all.txt")}what is this\n`), "bad-row"],
    ["ends with an error after its rows", done(socketSample("ss-all.txt"), 1), "tool-failed"],
    ["warns", done(socketSample("ss-all.txt"), 0, "Cannot open netlink socket"), "tool-warning"],
  ])("keeps the table of ss and asks the others too when ss %s", async (_title, ss, code) => {
    const { result } = await collect({ ss, lsof: LSOF, netstat: NETSTAT });
    expect([toolsOf(result), codesOf(result)]).toEqual([["ss", "lsof", "netstat"], [code]]);
  });

  it("takes exit code 1 of lsof for `not found` and not for a failure", async () => {
    const nothing = await collect({ ss: null, lsof: done("", 1), netstat: NETSTAT });
    expect([toolsOf(nothing.result), codesOf(nothing.result)]).toEqual([["lsof", "netstat"], ["tool-missing"]]);
    const some = await collect({
      ss: null,
      lsof: { ...done(socketSample("lsof-fields-linux.txt"), 1) },
      netstat: NETSTAT,
    });
    expect([toolsOf(some.result), codesOf(some.result)]).toEqual([["lsof", "netstat"], ["tool-missing"]]);
  });

  it("takes silence of lsof with an error message for a failure", async () => {
    const { result } = await collect({ ss: null, lsof: done("", 1, "lsof: illegal option"), netstat: NETSTAT });
    expect([toolsOf(result), codesOf(result)]).toEqual([["netstat"], ["tool-missing", "tool-failed"]]);
  });

  it("takes silence of netstat for a failure, because it always prints a header", async () => {
    const { result } = await collect({ ss: null, lsof: LSOF, netstat: done("") });
    expect(toolsOf(result)).toEqual(["lsof"]);
    expect(codesOf(result)).toEqual(["tool-missing", "tool-failed", "lsof-shows-less"]);
  });

  it("gives no table and three reasons when no tool can be used", async () => {
    const { result } = await collect({ ss: null, lsof: null, netstat: null });
    expect(result).toEqual({
      tables: [],
      problems: ["ss", "lsof", "netstat"].map((tool) => ({
        code: "tool-missing",
        message: `${tool} is not installed in a system folder`,
      })),
    });
  });

  it("escapes what a tool says and names the tool", async () => {
    const { result } = await collect({
      ss: done("\u001b[2Jerror\n", 1),
      lsof: done("", 2, "\u001b[2J"),
      netstat: NETSTAT,
    });
    expect(result.problems).toEqual([
      {
        code: "not-a-table",
        message: "ss, this is not the output of the expected tool; it begins with: \\u{1b}[2Jerror",
      },
      { code: "tool-failed", message: "/usr/bin/lsof printed nothing (exit code 2): \\u{1b}[2J" },
    ]);
  });
});
