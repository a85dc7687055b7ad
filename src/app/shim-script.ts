import { SecurityError } from "../core/error.ts";
import { quoteShellWord } from "../core/shell-word.ts";

/** Everything the shim is started with; absolute paths, fixed when it is installed. */
export interface ShimPaths {
  readonly node: string;
  /** dist/shim.cjs, or the copy of it. */
  readonly program: string;
  readonly socket: string;
  readonly sudo: string;
}

/** Second line of every script that we write, and of nothing else. */
const SHIM_MARK = "# cyber-security-engineer sudo shim; `cse shim uninstall` takes it away";

/**
 * Shell text that starts the shim; the name it is called by (`sudo`) and the caller's words follow.
 * Nothing of the caller's environment gets in but who asks and why.
 * @throws {SecurityError} invalid-input for a path that cannot be written down
 */
export function shimCommand(paths: ShimPaths): string {
  const { node, program, socket, sudo } = paths;
  for (const path of [node, program, socket, sudo]) {
    // `env` would take a program with an equals sign for a variable.
    if (!/^\/[^\p{Cc}=]*$/u.test(path)) {
      throw new SecurityError("invalid-input", `The path ${JSON.stringify(path)} cannot be used in the shim`, {
        hint: "Use absolute paths without control characters or equals signs.",
      });
    }
  }
  const kept = ["OPENCLAW_ELEVATION_TOKEN", "OPENCLAW_PRIV_REASON"].map((name) => `${name}="\${${name}-}"`);
  const words = [node, "--no-addons", program, socket, sudo].map(shellWord);
  return ["/usr/bin/env", "-i", ...kept, ...words].join(" ");
}

/**
 * The text of `<state>/bin/sudo`. One command, a special built-in that no function or alias can
 * stand before, absolute paths only.
 * @param canBePrivileged the shell knows `-p`, which keeps functions and options of the caller out
 */
export function renderShimScript(paths: ShimPaths, canBePrivileged: boolean): string {
  const shell = canBePrivileged ? "#!/bin/sh -p" : "#!/bin/sh";
  return `${shell}\n${SHIM_MARK}\nexec ${shimCommand(paths)} "$0" "$@"\n`;
}

/** Whether a file at the shim's place was written by us, whatever was done to it since. */
export function isShimScript(text: string): boolean {
  return text.split("\n", 2)[1] === SHIM_MARK;
}

/** One word of a shell command that means exactly this text. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_/.:@%+,-]+$/.test(text) ? text : quoteShellWord(text);
}
