import { execa } from "execa";
import type { SecurityErrorCode } from "../core/error.ts";

export interface ToolRequest {
  /** Absolute path; nothing is ever looked up on PATH. */
  readonly file: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Complete environment of the child; LC_ALL=C and a fixed PATH are always set. */
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

/** Runs a system tool to read something. Never throws; a non-zero exit is `done`, the caller judges it. */
export const runTool: RunTool = async (request) => {
  const result = await execa(request.file, request.args, {
    shell: false,
    preferLocal: false,
    extendEnv: false,
    env: { PATH: FIXED_PATH, ...request.env, LC_ALL: "C" },
    cwd: "/",
    reject: false,
    stdin: "ignore",
    timeout: request.timeoutMs,
    maxBuffer: request.maxBytes,
    stripFinalNewline: false,
    forceKillAfterDelay: 1_000,
  });
  if (result.timedOut) {
    return { kind: "failed", code: "timeout", message: `${request.file} did not finish in ${request.timeoutMs} ms` };
  }
  if (result.isMaxBuffer) {
    return {
      kind: "failed",
      code: "tool-output-too-large",
      message: `${request.file} printed more than ${request.maxBytes} bytes`,
    };
  }
  if (result.exitCode === undefined) {
    const missing = result.code === "ENOENT" || result.code === "EACCES";
    return {
      kind: "failed",
      code: missing ? "tool-missing" : "tool-failed",
      message: `${request.file} could not be run: ${result.code ?? result.signal ?? "unknown reason"}`,
    };
  }
  return { kind: "done", exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
};
