import { spawn } from "node:child_process";

/**
 * Runs a program of this package with the terminal, the environment and the folder of this process,
 * as if the person had called it. Signals reach it by itself: it is of the same process group.
 */
export async function runOwnProgram(file: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [file, ...args], { stdio: "inherit", shell: false });
  return await new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (code, signal) => done(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}
