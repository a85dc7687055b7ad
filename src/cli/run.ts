import { constants } from "node:os";
import type { RunResult } from "../app/elevation-result.ts";
import { asSecurityError } from "../core/error.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, EXIT_REFUSED } from "../core/shim.ts";
import { clip, escapeControl } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

interface RunFlags {
  readonly json?: boolean;
  readonly reason?: string;
  readonly keepSession?: boolean;
  readonly runAs?: string;
  readonly timeout?: number;
}

/** Asks on the controlling terminal and runs one command. The child's exit code is ours. */
export async function runRun(terminal: Terminal, argv: readonly string[], flags: RunFlags): Promise<number> {
  try {
    return await askAndRun(terminal, argv, flags);
  } catch (thrown) {
    // The exit codes of other commands could be taken for the child's.
    const { code, message, hint } = asSecurityError(thrown);
    if (flags.json === true) terminal.out(renderJson({ status: "error", code, message, hint }));
    else terminal.note(`${terminal.paint.red("error")} ${code}: ${escapeControl(message)}\n  ${escapeControl(hint)}`);
    return EXIT_FAILED;
  }
}

async function askAndRun(terminal: Terminal, argv: readonly string[], flags: RunFlags): Promise<number> {
  const elevation = await wire().elevation({ at: "terminal" });
  // Who ends us wants the command ended too, and its end recorded; main waits a moment for that.
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void elevation.close().catch(() => undefined));
  }
  try {
    const result = await elevation.runPrivileged({
      argv,
      reason: flags.reason ?? process.env["OPENCLAW_PRIV_REASON"] ?? "",
      ...(flags.keepSession === true ? { keepSession: true } : {}),
      ...(flags.runAs === undefined ? {} : { runAs: flags.runAs }),
      ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout * 1000 }),
    });
    if (flags.json === true) {
      terminal.out(renderJson(result));
    } else {
      terminal.out(result.stdout);
      if (result.stderr !== "") terminal.error(result.stderr);
      if (result.truncated) terminal.note("Output was cut in the middle; the audit log has its full length and hash.");
      if (result.status !== "completed") terminal.note(describe(terminal, result));
    }
    return exitCodeFor(result);
  } finally {
    await elevation.close();
  }
}

function describe(terminal: Terminal, result: RunResult): string {
  const code = result.code === undefined ? "" : ` ${result.code}`;
  const help = result.mitigation === undefined ? "" : `\n  ${result.mitigation}`;
  return `${terminal.paint.red(result.status)}${code}: ${clip(result.message, 500)}${help}`;
}

function exitCodeFor(result: RunResult): number {
  switch (result.status) {
    case "completed":
      if (result.exitCode !== undefined) return result.exitCode;
      return 128 + (signalNumber(result.signal) ?? 0);
    case "denied":
    case "refused":
      return result.code === "command-not-found" ? EXIT_NOT_FOUND : EXIT_REFUSED;
    case "failed":
    case "orphaned":
      return EXIT_FAILED;
  }
}

function signalNumber(name: string | undefined): number | undefined {
  return Object.entries(constants.signals).find(([known]) => known === name)?.[1];
}
