import { setTimeout } from "node:timers/promises";
import { CommanderError } from "commander";
import { asSecurityError, exitCodeOf, SecurityError, type SecurityErrorCode } from "../core/error.ts";
import { escapeControl } from "../core/text.ts";
import { renderJson } from "../report/json.ts";
import { buildProgram } from "./program.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** Runs one command line and returns the exit code. Whatever goes wrong ends here, in words or as JSON. */
async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const isJson = argv.includes("--json");
  try {
    const outcome = { exitCode: 0 };
    await buildProgram(terminal, outcome).parseAsync([...argv], { from: "user" });
    return outcome.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? usageError(thrown) : asSecurityError(thrown);
    terminal.settle();
    if (isJson) {
      const { code, message, hint } = error;
      terminal.out(renderJson({ status: "error", code, message, hint }));
    } else {
      terminal.note(`${terminal.paint.red("error")} ${error.code}: ${escapeControl(error.message)}`);
      if (error.hint !== "") terminal.note(`  ${escapeControl(error.hint)}`);
    }
    if (error.code === "internal" && process.env["CSE_DEBUG"] === "1") {
      terminal.note(escapeControl(error.cause instanceof Error ? (error.cause.stack ?? "") : String(error.cause)));
    }
    return exitCodeOf(error);
  } finally {
    terminal.close();
  }
}

const USAGE_CODES: Readonly<Record<string, SecurityErrorCode>> = {
  "commander.unknownOption": "unknown-flag",
  "commander.unknownCommand": "unknown-command",
  "commander.help": "missing-argument",
  "commander.missingArgument": "missing-argument",
  "commander.missingMandatoryOptionValue": "missing-argument",
  "commander.optionMissingArgument": "missing-argument",
};

function usageError(error: CommanderError): SecurityError {
  const code = USAGE_CODES[error.code] ?? "invalid-argument";
  const message = error.code === "commander.help" ? "No command given" : error.message;
  return new SecurityError(code, message.replace(/^error: /, "").replaceAll("\n", " "), {
    hint: "`cse --help` lists the commands.",
  });
}

/** Waits until everything written was taken and says what could not be. A reader that went away (`| head`) is no failure. */
async function drain(stream: NodeJS.WriteStream): Promise<NodeJS.ErrnoException | null> {
  const failure = await new Promise<NodeJS.ErrnoException | null>((done) => {
    stream.write("", (error) => done(stream.errored ?? error ?? null));
  });
  return failure?.code === "EPIPE" ? null : failure;
}

/** How long a command may go on after a signal, so that a write under way leaves no half of a file behind. */
const GRACE_MS = 1_000;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** The exit code of the first signal that asks for the end. A second one ends the process there and then. */
async function interruption(): Promise<number> {
  let isAsked = false;
  return await new Promise((tell) => {
    for (const [signal, number] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (isAsked) process.exit(128 + number);
        isAsked = true;
        tell(128 + number);
      });
    }
  });
}

// Looked at by drain(); without a listener a failed write would be an uncaught exception.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

const interrupted = interruption();
const exitCode = await Promise.race([
  main(process.argv.slice(2), openTerminal()).then(
    async (code) => await Promise.race([interrupted, Promise.resolve(code)]),
  ),
  interrupted.then(async (code) => await setTimeout(GRACE_MS, code)),
]);
// Pipes are written in the background, and a result cut short would still look like one.
const [failure] = await Promise.all([drain(process.stdout), drain(process.stderr)]);
if (failure !== null) process.stderr.write(`error write-failed: the result could not be written (${failure.code})\n`);
// A name look-up that never answers cannot be cancelled and would keep the process alive.
process.exit(failure === null ? exitCode : exitCodeOf(new SecurityError("write-failed", failure.message)));
