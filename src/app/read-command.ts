import { analyzeCommand, type Elevation } from "../shell/analyze-command.ts";
import { parseSudoArgs } from "../shell/parse-sudo-args.ts";
import { findProtectedUse, type ProtectedThings } from "../shell/protected-use.ts";
import { readCommands } from "../shell/read-commands.ts";
import type { CommandReading } from "./exec-gate.ts";

export type { ProtectedThings } from "../shell/protected-use.ts";

/** What is known of a shell command without running it, for the gate. */
export function readCommand(text: string, things: ProtectedThings): CommandReading {
  const analysis = analyzeCommand(text);
  const protectedUses = findProtectedUse(text, things);
  if (analysis.verdict !== "elevates") return { ...analysis, plainSudo: null, advice: null, protectedUses };
  const [only, ...others] = analysis.elevations;
  const isOne = only !== undefined && others.length === 0;
  return {
    ...analysis,
    plainSudo: isOne ? plainSudo(text, only) : null,
    advice: isOne ? adviceFor(only) : null,
    protectedUses,
  };
}

/** One call of sudo by name and nothing else: no list, pipe, redirect, expansion, variable or loop around it. */
const PLAIN = /^[ \t]*(?:(?:\/usr)?\/bin\/)?sudo(?:[ \t]+[\w@%+=:,./ \t'"-]*)?\s*$/;

function plainSudo(text: string, { argv, via }: Elevation): readonly string[] | null {
  if (!PLAIN.test(text) || argv === null || via.length > 0) return null;
  const { commands, opaque } = readCommands(text);
  const [command] = commands;
  const isAll =
    opaque.length === 0 && command !== undefined && command.assignments.length + command.redirects.length === 0;
  return isAll && command.words.length === argv.length && command.words.every((word, at) => word === argv[at])
    ? argv.slice(1)
    : null;
}

/** The words to give to runPrivileged instead; null where they cannot be told. */
function adviceFor({ argv }: Elevation): readonly string[] | null {
  if (argv === null || !/^(?:.*\/)?sudo$/.test(argv[0] ?? "")) return null;
  const parsed = parseSudoArgs(argv.slice(1));
  return parsed.kind === "request" ? parsed.argv : null;
}
