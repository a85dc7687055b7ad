import * as fs from "node:fs";

/** As sudo, env and timeout use them: our own failure, refused. */
export const FAILED = 125;
export const REFUSED = 126;

/** Ends with a stable code and one line of help, in sudo's style. */
export function fail(exitCode: number, code: string, message: string, help: string): never {
  say(`sudo: ${code}: ${message}\nsudo: ${help}\n`);
  process.exit(exitCode);
}

export function say(text: string): void {
  try {
    fs.writeSync(2, text);
  } catch {
    // Nobody listens; the exit code says the same.
  }
}

export function errnoOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
}
