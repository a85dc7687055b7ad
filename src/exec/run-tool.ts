import { execa } from "execa";
import type { SecurityErrorCode } from "../core/error.ts";

export interface ToolRequest {
  /** Absolute path; nothing is ever looked up on PATH. */
  readonly file: string;
  readonly args: readonly string[];
  /** A tool that ignores SIGTERM is killed about a second later. What it started itself may live on. */
  readonly timeoutMs: number;
  /** Limit of each of stdout and stderr. */
  readonly maxBytes: number;
  /** Added to the child's environment, which is otherwise only LC_ALL=C and a fixed PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

export type ToolResult =
  | { readonly kind: "done"; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | {
      readonly kind: "failed";
      readonly code: Extract<SecurityErrorCode, "tool-missing" | "tool-failed" | "tool-output-too-large" | "timeout">;
      readonly message: string;
    };

export type RunTool = (request: ToolRequest) => Promise<ToolResult>;

const FIXED_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const KILL_AFTER_MS = 1_000;

/** Runs a system tool to read something. Never throws; a non-zero exit is `done`, the caller judges it. */
export const runTool: RunTool = async (request) => {
  const { file } = request;
  if (!file.startsWith("/")) return failed("tool-missing", `${file} is not an absolute path`);
  let result: Awaited<ReturnType<typeof spawnTool>>;
  try {
    result = await spawnTool(request);
  } catch (cause) {
    // Arguments that no process can be given, such as one with a NUL byte.
    return failed(
      "tool-failed",
      `${file} could not be run: ${cause instanceof Error ? cause.message : "unknown reason"}`,
    );
  }
  if (result.timedOut) return failed("timeout", `${file} did not finish in ${request.timeoutMs} ms`);
  if (result.isMaxBuffer) return failed("tool-output-too-large", `${file} printed more than ${request.maxBytes} bytes`);
  if (result.exitCode === undefined) {
    const missing = result.code === "ENOENT" || result.code === "EACCES";
    const reason = result.code ?? result.signal ?? "unknown reason";
    return failed(missing ? "tool-missing" : "tool-failed", `${file} could not be run: ${reason}`);
  }
  return { kind: "done", exitCode: result.exitCode, stdout: decode(result.stdout), stderr: decode(result.stderr) };
};

async function spawnTool(request: ToolRequest) {
  const child = execa(request.file, request.args, {
    shell: false,
    preferLocal: false,
    extendEnv: false,
    env: { ...request.env, PATH: FIXED_PATH, LC_ALL: "C" },
    cwd: "/",
    reject: false,
    stdin: "ignore",
    // Bytes, because maxBuffer would otherwise count characters.
    encoding: "buffer",
    timeout: request.timeoutMs,
    maxBuffer: request.maxBytes,
    stripFinalNewline: false,
    forceKillAfterDelay: KILL_AFTER_MS,
  });
  // A process that the tool left behind can hold these open for ever, long after the tool is dead.
  const letGo = setTimeout(
    () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    request.timeoutMs + KILL_AFTER_MS + 250,
  );
  try {
    return await child;
  } finally {
    clearTimeout(letGo);
  }
}

function failed(code: Extract<ToolResult, { kind: "failed" }>["code"], message: string): ToolResult {
  return { kind: "failed", code, message };
}

/** Bytes that are not UTF-8 become U+FFFD: a process can put any bytes in its name. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
