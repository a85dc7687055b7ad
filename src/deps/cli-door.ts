import { runOwnProgram } from "../exec/run-own-program.ts";

/** Exit code of the same command line given to `cse`. */
export async function runCli(cli: string, words: readonly string[]): Promise<number> {
  return await runOwnProgram(cli, words);
}
