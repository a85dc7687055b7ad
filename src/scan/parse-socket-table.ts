import { parseGetNetTcpConnection } from "./parse-get-nettcpconnection.ts";
import { parseLsof } from "./parse-lsof.ts";
import { parseLsofFields } from "./parse-lsof-fields.ts";
import { parseNetstatDarwin } from "./parse-netstat-darwin.ts";
import { parseNetstatLinux } from "./parse-netstat-linux.ts";
import { parseNetstatWindows } from "./parse-netstat-windows.ts";
import { parseSs } from "./parse-ss.ts";
import type { SocketTable, SocketTableFormat } from "./socket-table.ts";

const PARSER_OF: Readonly<Record<SocketTableFormat, (text: string) => SocketTable>> = {
  ss: parseSs,
  lsof: parseLsof,
  "lsof-F": parseLsofFields,
  "netstat-linux": (text) => parseNetstatLinux(text),
  "netstat-darwin": (text) => parseNetstatDarwin(text),
  "netstat-windows": parseNetstatWindows,
  "get-nettcpconnection": parseGetNetTcpConnection,
};

/**
 * Reads the text output of a socket tool (numeric: -n). Never throws. Blank text is an empty table;
 * text that is not that tool's output is the problem `not-a-table`; a line that cannot be understood
 * is a problem with its number: `bad-row`, `bad-address`, `truncated-address` (row left out),
 * `ambiguous-owner`, `owner-unreadable` (row kept, pid null), `line-too-long`, `more-problems`.
 */
export function parseSocketTable(format: SocketTableFormat, text: string): SocketTable {
  if (!Object.hasOwn(PARSER_OF, format)) {
    return {
      listeners: [],
      connections: [],
      problems: [{ code: "unknown-format", message: "unknown socket table format" }],
    };
  }
  return PARSER_OF[format](text);
}
