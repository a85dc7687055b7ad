import type { ScanProblem } from "../core/network.ts";
import { clip } from "../core/text.ts";
import type { locateTool } from "../exec/locate-tool.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { parseNetstatLinux } from "../scan/parse-netstat-linux.ts";
import { parseSocketTable } from "../scan/parse-socket-table.ts";
import type { SocketTable } from "../scan/socket-table.ts";

export type SocketTool = "ss" | "lsof" | "netstat";

export interface SocketToolDeps {
  readonly runTool: RunTool;
  readonly locateTool: typeof locateTool;
}

export interface ToolTable {
  readonly tool: SocketTool;
  readonly table: SocketTable;
}

export interface ToolTables {
  /** In the order ss, lsof, netstat; only tools whose output was a table. */
  readonly tables: readonly ToolTable[];
  /** What went wrong with the tools themselves and with their tables. */
  readonly problems: readonly ScanProblem[];
}

interface ToolCall {
  readonly args: (includeUdp: boolean) => readonly string[];
  readonly parse: (text: string) => SocketTable;
  /** Prints a header even when there is no socket, so that no output at all is a failure. */
  readonly hasHeader: boolean;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;

const CALL_OF: Readonly<Record<SocketTool, ToolCall>> = {
  // -e adds uid, inode and whether a "*" takes IPv4 too. No -H: the header tells output from silence.
  ss: {
    args: (includeUdp) => [includeUdp ? "-tuanpe" : "-tanpe"],
    parse: (text) => parseSocketTable("ss", text),
    hasHeader: true,
  },
  // +c0 asks for the whole name; -w keeps warnings about other users' processes out.
  lsof: {
    args: (includeUdp) => ["-w", "-nP", "+c0", "-iTCP", ...(includeUdp ? ["-iUDP"] : []), "-F0pcuLftPTnd"],
    parse: (text) => parseSocketTable("lsof-F", text),
    hasHeader: false,
  },
  netstat: {
    args: (includeUdp) => [includeUdp ? "-tunapeW" : "-tnapeW"],
    parse: (text) => parseNetstatLinux(text, { isWide: true }),
    hasHeader: true,
  },
};

/**
 * Sockets of this Linux host as its tools tell them. ss alone is enough when it had no problem.
 * Else lsof and netstat are both asked: lsof leaves out every socket whose process it may not look
 * into, netstat cuts names. A tool that is missing, fails, or prints something else is a problem
 * and never an empty table. Never throws.
 */
export async function collectWithTools(
  deps: SocketToolDeps,
  want: { readonly includeUdp: boolean },
): Promise<ToolTables> {
  const ss = await askTool(deps, "ss", want.includeUdp);
  if (ss.table !== null && ss.problems.length === 0) return { tables: [{ tool: "ss", table: ss.table }], problems: [] };
  const answers = [ss, await askTool(deps, "lsof", want.includeUdp), await askTool(deps, "netstat", want.includeUdp)];
  const tables = answers.flatMap(({ tool, table }) => (table === null ? [] : [{ tool, table }]));
  const problems = answers.flatMap((answer) => answer.problems);
  if (tables.length === 1 && tables[0]?.tool === "lsof") {
    problems.push({
      code: "lsof-shows-less",
      message: "only lsof could be used; it leaves out sockets of processes it may not look into",
    });
  }
  return { tables, problems };
}

interface Answer {
  readonly tool: SocketTool;
  readonly table: SocketTable | null;
  readonly problems: readonly ScanProblem[];
}

async function askTool(deps: SocketToolDeps, tool: SocketTool, includeUdp: boolean): Promise<Answer> {
  const failed = (code: string, message: string): Answer => ({ tool, table: null, problems: [{ code, message }] });
  const call = CALL_OF[tool];
  const file = await deps.locateTool(tool);
  if (file === null) return failed("tool-missing", `${tool} is not installed in a system folder`);
  const result = await deps.runTool({ file, args: call.args(includeUdp), timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
  if (result.kind === "failed") return failed(result.code, result.message);

  const said = result.stderr.trim() === "" ? "" : `: ${clip(result.stderr.trim(), 200)}`;
  const isBlank = result.stdout.trim() === "";
  if (isBlank && (call.hasHeader || said !== "")) {
    return failed("tool-failed", `${file} printed nothing (exit code ${result.exitCode})${said}`);
  }
  const table = call.parse(result.stdout);
  if (table.problems.some((problem) => problem.code === "not-a-table")) {
    return { tool, table: null, problems: named(tool, table.problems) };
  }
  const problems = [...named(tool, table.problems)];
  // lsof exits with 1 when one of the things it was asked for is not there, such as a UDP socket.
  if (result.exitCode !== 0 && !(tool === "lsof" && result.exitCode === 1)) {
    problems.push({ code: "tool-failed", message: `${file} ended with exit code ${result.exitCode}${said}` });
  } else if (tool === "ss" && said !== "") {
    // ss goes on with less when it may not use netlink, and says so only here.
    problems.push({ code: "tool-warning", message: `${file} warned${said}` });
  }
  return { tool, table, problems };
}

function named(tool: SocketTool, problems: readonly ScanProblem[]): ScanProblem[] {
  return problems.map(({ code, message }) => ({ code, message: `${tool}, ${message}` }));
}
