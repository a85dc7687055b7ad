import { expect } from "vitest";
import { runAsUser } from "./unprivileged.ts";

/** What a piece of code did when run as the ordinary user: its value, or the code of its error. */
export type Outcome = { readonly value: unknown } | { readonly code: string };

const IMPORTS = `
import { readTextFile } from "#src/state/read-file.ts";
import { checkPrivateFolder, createFileAtomic, ensurePrivateFolder, ensureReportFolder, writeFileAtomic } from "#src/state/write-file.ts";
import { withLock } from "#src/state/lock.ts";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const [path, other] = process.argv.slice(2);
const outcome = async (work) => {
  try {
    return { value: (await work()) ?? null };
  } catch (error) {
    return error.name === "SecurityError" ? { code: error.code } : { code: "not-ours", text: String(error) };
  }
};
`;

/**
 * Runs the body of an async function as the ordinary user, with the functions of src/state/, `fs`,
 * `sleep`, `outcome`, and the arguments as `path` and `other` at hand. Its value must survive JSON.
 */
export async function outcomeAsUser(
  body: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const run = await runAsUser(
    `${IMPORTS}\nprocess.stdout.write(JSON.stringify(await outcome(async () => {\n${body}\n})));`,
    { args, env },
  );
  expect({ exitCode: run.exitCode, signal: run.signal, stderr: run.stderr }).toEqual({
    exitCode: 0,
    signal: null,
    stderr: "",
  });
  return JSON.parse(run.stdout) as Outcome;
}

/** Root alone can make files of other users. */
export const IS_ROOT: boolean = process.getuid?.() === 0;

/** A uid that is neither root nor the ordinary user. */
export const STRANGER = 54_321;
